"""What operating has in common for recovery plans and replicated VMs: each write is a job, told by its tasks, and goes
only where Azure's `allowedOperations` permit it (ASR-50)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from reconciler.azure.clients import Azure
from reconciler.azure.job_progress import JobBody
from reconciler.azure.operations import Operation, wait
from reconciler.errors import ConflictError, FailedError
from reconciler.kinds.replication.jobs import find_open_job
from reconciler.kinds.replication.listing import API_VERSION
from reconciler.kinds.replication.writes import begin
from reconciler.model.arm_id import ArmId

ALLOWED = {
    "test-failover": "TestFailover",
    "clean-up": "TestFailoverCleanup",
    "failover": "UnplannedFailover",
    "commit": "Commit",
    "reprotect": "ReverseReplicate",
}
"""Verb of a step → the operation that Azure must allow."""
SCENARIOS = {
    "test-failover": "TestFailover",
    "clean-up": "TestFailoverCleanup",
    "failover": "UnplannedFailover",
    "commit": "CommitFailover",
    "reprotect": "SwitchReplicationGroupProtection",
}
"""Verb of a step → the scenario of its job."""
COMMENT = "reconciler drill"
_DRILL_LIMIT = timedelta(hours=2)
EVER = datetime(1, 1, 1, tzinfo=UTC)


async def begin_job(
    call: Callable[..., Awaitable[Any]], *names: str, resource: ArmId, body: Any = None
) -> Operation | None:
    """As `begin`, but what is waited for is the job: it tells its tasks on the way, and a stop for a manual action."""
    return told_by_tasks(await begin(call, *names, resource=resource, body=body))


def told_by_tasks(operation: Operation | None) -> Operation | None:
    """The same operation, waited for through its job."""
    if operation is None or not operation.causes:
        return operation
    return msgspec.structs.replace(
        operation, url=f"{operation.causes}?api-version={API_VERSION}", via="replication-job"
    )


def check_allowed(resource: ArmId, verb: str, allowed: Collection[str]) -> None:
    """Raises ConflictError where Azure does not allow it as things are now."""
    if ALLOWED[verb] not in allowed:
        raise ConflictError(
            f"Azure does not allow {ALLOWED[verb]} of {resource.name} now",
            resource=str(resource),
            why=f"it allows {', '.join(sorted(allowed)) or 'nothing'} (ASR-50)",
            advice="`reconciler status` tells what runs; `reconciler drift` what state it is in",
        )


async def await_drill(azure: Azure, resource: ArmId, scenario: str, targets: Collection[str]) -> None:
    """Nothing is cleaned up before the test failover has ended, well or not. One that waits for a person who is not
    there (a manual action) is cancelled: nothing is undone by that."""
    running = await find_open_job(azure, resource, scenario, targets, EVER)
    if running is None:
        return
    job = await azure.get(running.causes, API_VERSION, JobBody)
    if (job.properties.state or "").lower() == "suspended":
        await azure.send("POST", f"{running.causes}/cancel", API_VERSION)
    try:
        await wait(azure, running, limit=_DRILL_LIMIT)
    except FailedError:
        return
