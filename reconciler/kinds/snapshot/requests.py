"""Sending the writes of snapshots, by the wire table (site-recovery-and-snapshots.md §9)."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from reconciler.azure.clients import Azure
from reconciler.azure.failures import failure
from reconciler.azure.operations import Accepted, Operation
from reconciler.errors import AbsentError, FailedError
from reconciler.kinds.snapshot.prospect import EXPORTED
from reconciler.kinds.snapshot.tags import SOURCE, Mark, read_mark
from reconciler.kinds.snapshot.wire import API_VERSION, SnapshotBody, dispute, mark_from
from reconciler.model.arm_id import ArmId
from reconciler.model.casing import fold
from reconciler.model.slots import spell_slot
from reconciler.plan.change import Step

if TYPE_CHECKING:
    from azure.mgmt.compute import models


async def send(azure: Azure, step: Step) -> Operation | None:
    """The write of one step, after a look at what is there: a name is never taken over, nobody else's is deleted."""
    if step.verb in ("delete", "discard"):
        return await _delete(azure, step)
    if step.verb == "update":
        return await _update(azure, step)
    there = await look(azure, step)
    if there is not None:
        return _resumed(step, there)
    return await _copy(azure, step) if step.verb == "copy" else await _create(azure, step)


async def look(azure: Azure, step: Step) -> SnapshotBody | None:
    """The snapshot that a step speaks of, as it is now; None where there is none."""
    try:
        return await azure.get(step.arguments["id"], API_VERSION, SnapshotBody)
    except AbsentError:
        return None


def under_way(step: Step, there: SnapshotBody) -> Operation | None:
    """What to wait for where a snapshot is not finished: being made, deleted, or copied in the background."""
    resource, properties = step.arguments["id"], there.properties
    state, gone = properties.provisioning_state, step.verb in ("delete", "discard")
    url = f"{resource}?api-version={API_VERSION}"
    if gone:
        deleting = state == "Deleting"
        return Operation(url=url, via="resource", resource=resource, gone_is_success=True) if deleting else None
    if properties.failed or state == "Deleting":
        return None
    if _background(step) and properties.completion < 100:
        return Operation(url=url, via="completion", resource=resource)
    return Operation(url=url, via="resource", resource=resource) if state != "Succeeded" else None


def _background(step: Step) -> bool:
    return step.verb == "copy" or bool(step.arguments.get("background"))


def mark_of(body: SnapshotBody) -> Mark | None:
    return mark_from(body, ArmId(body.id).subscription)


def same_mark(body: SnapshotBody, tags: dict[str, str]) -> bool:
    """Whether a snapshot is the one of this schedule, slot and disk."""
    there, wanted = mark_of(body), read_mark(tags, "")
    if there is None or wanted is None:
        return False
    return (fold(there.schedule), there.slot, fold(there.disk)) == (
        fold(wanted.schedule),
        wanted.slot,
        fold(wanted.disk),
    )


def _resumed(step: Step, there: SnapshotBody) -> Operation | None:
    """Another run was faster: its snapshot is as good. Raises FailedError for one that is not ours, or failed."""
    resource = step.arguments["id"]
    if not same_mark(there, step.arguments["tags"]):
        raise FailedError(
            f"there is a snapshot {there.name} already, and its tags are not ours",
            resource=resource,
            why="a snapshot of somebody else's is never written to",
            advice="delete it by hand, or name another resourceGroup in the schedule",
        )
    if there.properties.failed:
        raise FailedError(
            f"snapshot {there.name} is there and failed",
            resource=resource,
            why=there.properties.copy_error or "its provisioningState is Failed",
            advice="run plan: it is deleted and made again",
        )
    return under_way(step, there)


async def _create(azure: Azure, step: Step) -> Operation | None:
    from azure.mgmt.compute import models

    arguments = step.arguments
    source = models.CreationData(create_option="Copy", source_resource_id=arguments["disk"])
    return await _put(azure, step, source, incremental=arguments["incremental"], tags=arguments["tags"])


async def _copy(azure: Azure, step: Step) -> Operation | None:
    """CopyStart of a snapshot that is complete; its uniqueId is noted in a tag, for the source may go one day."""
    from azure.mgmt.compute import models

    source = step.arguments["source"]
    found = await azure.get(source, API_VERSION, SnapshotBody)
    properties = found.properties
    wanted = read_mark(step.arguments["tags"], "")
    there = mark_of(found)
    if there is None or wanted is None or (there.slot, fold(there.disk)) != (wanted.slot, fold(wanted.disk)):
        raise _changed(source, "it is not the snapshot that was to be copied", "its tags say another slot or disk")
    if properties.failed or properties.completion < 100:
        raise _changed(source, "it cannot be copied now", f"it is complete to {properties.completion:.0f} %")
    tags = {**step.arguments["tags"], SOURCE: properties.unique_id}
    creation = models.CreationData(create_option="CopyStart", source_resource_id=source)
    return await _put(azure, step, creation, incremental=True, tags=tags)


async def _put(
    azure: Azure, step: Step, source: models.CreationData, *, incremental: bool, tags: dict[str, str]
) -> Operation | None:
    from azure.mgmt.compute import models

    arguments, arm_id = step.arguments, ArmId(step.arguments["id"])
    body = models.Snapshot(
        location=arguments["location"],
        tags=tags,
        sku=models.SnapshotSku(name=arguments["sku"]),
        properties=models.SnapshotProperties(
            creation_data=source,
            incremental=incremental,
            network_access_policy=arguments["network_access_policy"],
            disk_access_id=arguments["disk_access"] or None,
            public_network_access=arguments["public_network_access"],
        ),
    )
    accepted = Accepted()
    call = azure.compute(arm_id.subscription).snapshots.begin_create_or_update(
        arm_id.resource_group, arm_id.name, body, polling=False, raw_response_hook=accepted
    )
    await _sent(call, str(arm_id))
    operation = accepted.operation(str(arm_id))
    if not _background(step):
        return operation
    url = f"{arm_id}?api-version={API_VERSION}"
    if operation is None:
        return Operation(url=url, via="completion", resource=str(arm_id))
    return Operation(url=operation.url, via=operation.via, resource=operation.resource, background=url)


async def _update(azure: Azure, step: Step) -> Operation | None:
    from azure.mgmt.compute import models

    arguments, arm_id = step.arguments, ArmId(step.arguments["id"])
    properties = models.SnapshotUpdateProperties(
        network_access_policy=arguments["network_access_policy"],
        disk_access_id=arguments["disk_access"] or None,
        public_network_access=arguments["public_network_access"],
    )
    accepted = Accepted()
    call = azure.compute(arm_id.subscription).snapshots.begin_update(
        arm_id.resource_group,
        arm_id.name,
        models.SnapshotUpdate(properties=properties),
        polling=False,
        raw_response_hook=accepted,
    )
    await _sent(call, str(arm_id))
    return accepted.operation(str(arm_id))


async def _delete(azure: Azure, step: Step) -> Operation | None:
    """Looks again first: it may have become somebody else's, be downloaded, or be copied. Gone is done."""
    there = await look(azure, step)
    if there is None:
        return None
    running = under_way(step, there)
    if running is not None:
        return running
    await _must_be_ours_and_unused(azure, step, there)
    arm_id = ArmId(step.arguments["id"])
    accepted = Accepted()
    call = azure.compute(arm_id.subscription).snapshots.begin_delete(
        arm_id.resource_group, arm_id.name, polling=False, raw_response_hook=accepted
    )
    await _sent(call, str(arm_id))
    return accepted.operation(str(arm_id), gone_is_success=True)


async def _must_be_ours_and_unused(azure: Azure, step: Step, there: SnapshotBody) -> None:
    arguments, resource = step.arguments, step.arguments["id"]
    mark = read_mark(there.tags, ArmId(there.id).subscription)
    said = (fold(mark.schedule), spell_slot(mark.slot), fold(mark.disk)) if mark else None
    if mark is None or said != (fold(arguments["schedule"]), arguments["slot"], fold(arguments["disk_unique_id"])):
        raise _changed(resource, "it is not deleted", "its tags are no longer those of our snapshot")
    if against := dispute(there, mark):
        raise _changed(resource, "it is not deleted", f"it carries our tags, and {against}")
    if fold(there.properties.unique_id) != fold(arguments["unique_id"]):
        raise _changed(resource, "it is not deleted", "it is another snapshot of the same name, with another uniqueId")
    if there.properties.disk_state == EXPORTED:
        raise _changed(resource, "it is not deleted", "it is being exported (ActiveSAS)")
    if arguments["copy"] and step.verb == "delete":
        try:
            copy = await azure.get(arguments["copy"], API_VERSION, SnapshotBody)
        except AbsentError:
            return
        if not copy.properties.failed and copy.properties.completion < 100:
            why = f"its copy {copy.name} is complete to {copy.properties.completion:.0f} % (SN-12)"
            raise _changed(resource, "it is not deleted", why)


def _changed(resource: str, what: str, why: str) -> FailedError:
    return FailedError(
        f"snapshot {ArmId(resource).name} is not as it was when this was planned: {what}",
        resource=resource,
        why=why,
        advice="run plan: it looks at everything again",
    )


async def _sent(call: Awaitable[Any], resource: str) -> None:
    from azure.core import exceptions

    try:
        await call
    except exceptions.AzureError as error:
        raise failure(error, resource) from error
