"""Reading back what a step wrote, a few times: a read may come too early to see it."""

from __future__ import annotations

from reconciler.azure.clients import Azure
from reconciler.errors import AbsentError, FailedError
from reconciler.kinds.snapshot.requests import look, same_mark
from reconciler.kinds.snapshot.wire import SnapshotBody
from reconciler.model.arm_id import ArmId
from reconciler.model.casing import fold
from reconciler.model.location import normalise_location
from reconciler.plan.change import Step

_LOOKS_BACK = (0.5, 1.0, 2.0, 4.0)
"""Seconds before each further look."""


async def read_back(azure: Azure, step: Step) -> None:
    """GET and compare. Raises AbsentError, or FailedError with what is not as written."""
    for pause in (*_LOOKS_BACK, None):
        there = await look(azure, step)
        try:
            _compare(step, there)
        except (AbsentError, FailedError):
            if pause is None:
                raise
            await azure.pause(pause)
        else:
            return


def _compare(step: Step, there: SnapshotBody | None) -> None:
    resource = step.arguments["id"]
    gone = step.verb in ("delete", "discard")
    if there is None:
        if gone:
            return
        raise AbsentError(f"{resource} does not exist", resource=resource)
    differing = _left(step, there) if gone else [*_made(step, there), *_export(step, there)]
    if differing:
        raise FailedError(
            f"Azure accepted to {step.title} and it is not so",
            resource=resource,
            why="; ".join(differing),
            advice="run plan: it shows what is left to do",
        )


def _left(step: Step, there: SnapshotBody) -> list[str]:
    if fold(there.properties.unique_id) != fold(step.arguments["unique_id"]):
        return []  # another one by now: that of the next run
    return [f"it is still there as {there.properties.provisioning_state}"]


def _made(step: Step, there: SnapshotBody) -> list[str]:
    if step.verb == "update":
        return []
    arguments, properties = step.arguments, there.properties
    found = []
    if not same_mark(there, arguments["tags"]):
        found.append("its tags are not ours")
    if properties.failed:
        found.append(properties.copy_error or "it failed")
    elif properties.provisioning_state != "Succeeded":
        found.append(f"its state is {properties.provisioning_state}")
    if (step.verb == "copy" or arguments["background"]) and properties.completion < 100:
        found.append(f"it is complete to {properties.completion:.0f} %")
    if properties.incremental != arguments.get("incremental", True):
        found.append("it is incremental" if properties.incremental else "it is a full copy")
    if normalise_location(there.location) != arguments["location"]:
        found.append(f"it lies in {there.location}")
    if there.sku and there.sku.name != arguments["sku"]:
        found.append(f"its sku is {there.sku.name}")
    return found


def _export(step: Step, there: SnapshotBody) -> list[str]:
    arguments, properties = step.arguments, there.properties
    policy, public, access = (
        arguments["network_access_policy"], arguments["public_network_access"], arguments["disk_access"]
    )  # fmt: skip
    found = []
    if policy and properties.network_access_policy != policy:
        found.append(f"its networkAccessPolicy is {properties.network_access_policy}")
    if public and properties.public_network_access != public:
        found.append(f"its publicNetworkAccess is {properties.public_network_access}")
    if access and ArmId(properties.disk_access_id or "") != ArmId(access):
        found.append(f"its disk access is {ArmId(properties.disk_access_id or 'none').name}")
    return found
