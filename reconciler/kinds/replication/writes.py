"""Writes to Site Recovery: each accepted with 202, carried out for seconds to minutes, one at a time in a vault."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import msgspec

from reconciler.azure.failures import failure
from reconciler.azure.operations import Accepted, Operation
from reconciler.errors import FailedError
from reconciler.kinds.base import Comparison
from reconciler.kinds.replication.ids import vault_of
from reconciler.model.arm_id import ArmId
from reconciler.plan.change import Step


def replication_step(
    comparison: Comparison[Any],
    verb: str,
    title: str,
    *,
    arguments: dict[str, Any],
    permission: str,
    usually: str,
) -> Step:
    """One write to what `arguments["id"]` names. The vault is its lane, and it has it to itself: Azure refuses to make
    two fabrics of one vault at a time."""
    return Step(
        id=f"{comparison.address}#{verb}",
        kind=comparison.address.kind,
        address=str(comparison.address),
        verb=verb,
        title=title,
        arguments=arguments,
        lane=vault_of(ArmId(arguments["id"])).key,
        exclusive=True,
        permission=f"Microsoft.RecoveryServices/vaults/{permission}",
        usually=usually,
    )


async def begin(
    call: Callable[..., Awaitable[Any]], *names: str, resource: ArmId, body: Any = None
) -> Operation | None:
    """Send a write through a `begin_…` method of the typed client, and answer what to wait for. `names` are those of
    the path, from the resource group on; some writes have no `body`. An operation has a job of the same name, which
    tells why it failed. Raises what Azure's refusal means."""
    from azure.core.exceptions import AzureError as SdkError

    accepted = Accepted()
    try:
        sent = names if body is None else (*names, body)
        await call(*sent, polling=False, raw_response_hook=accepted)
    except SdkError as error:
        raise failure(error, str(resource)) from error
    operation = accepted.operation(str(resource))
    if operation is None or operation.via != "azure-async":
        return operation
    job = urlsplit(operation.url).path.rpartition("/")[2]
    return msgspec.structs.replace(operation, job=job, causes=f"{vault_of(resource)}/replicationJobs/{job}")


def check_kept(arm_id: ArmId, what: str, differing: list[str]) -> None:
    """Raises FailedError where Azure did not keep what it accepted. `differing` are sentences of both sides."""
    if differing:
        raise FailedError(
            f"Azure accepted {what} {arm_id.name} and did not keep it as sent",
            resource=str(arm_id),
            why="; ".join(differing),
            advice="run plan to see what is left; if it stays, look at the vault's Site Recovery jobs",
        )
