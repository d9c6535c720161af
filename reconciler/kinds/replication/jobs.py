"""Jobs of Site Recovery: what a step that was cut off may have started. A job has the name of its operation."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

import msgspec

from reconciler.azure.clients import Azure
from reconciler.azure.operations import Operation
from reconciler.errors import AzureError
from reconciler.kinds.replication.ids import vault_of
from reconciler.kinds.replication.listing import API_VERSION, is_never_used
from reconciler.model.arm_id import ArmId
from reconciler.model.casing import fold

_OPEN = frozenset({"notstarted", "inprogress", "waitingforuseraction", "suspended"})


class JobProperties(msgspec.Struct, frozen=True, rename="camel"):
    """Right after its acceptance a job has no scenario yet (recorded)."""

    scenario_name: str | None = None
    state: str | None = None
    start_time: str | None = None
    target_object_name: str | None = None


class JobBody(msgspec.Struct, frozen=True):
    """One job of the list."""

    id: str
    name: str
    properties: JobProperties = JobProperties()


async def find_open_job(
    azure: Azure, resource: ArmId, scenario: str, targets: Collection[str], since: datetime
) -> Operation | None:
    """The operation on `resource` that was started at or after `since` and has not ended: told by its scenario
    (`CreateSite`) and by what it is about, one of `targets`."""
    vault, known = vault_of(resource), {fold(target) for target in targets}
    try:
        async for job in azure.list(f"{vault}/replicationJobs", API_VERSION, JobBody):
            told = job.properties
            started = job_time(told.start_time)
            is_it = told.scenario_name in (scenario, None) and fold(told.target_object_name or "") in known
            if is_it and (told.state or "").lower() in _OPEN and started is not None and started >= since:
                return Operation(
                    url=f"{vault}/replicationOperationStatus/{job.name}?api-version={API_VERSION}",
                    via="azure-async",
                    resource=str(resource),
                    job=job.name,
                    causes=f"{vault}/replicationJobs/{job.name}",
                )
    except AzureError as error:
        if not is_never_used(error):
            raise
    return None


def job_time(text: str | None) -> datetime | None:
    """Aware UTC. Site Recovery writes seven decimals, and the year 1 or 1753 for never."""
    if not text or text.startswith(("0001", "1753")):
        return None
    head, _, tail = text.rstrip("Z").partition(".")
    try:
        found = datetime.fromisoformat(f"{head}.{tail[:6]:0<6}" if tail else head)
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
