"""Sending the writes of restore points through the typed client, and reading them back."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from reconciler.azure.clients import Azure
from reconciler.azure.failures import failure
from reconciler.azure.operations import Accepted, Operation
from reconciler.errors import AbsentError, ConflictError, FailedError
from reconciler.kinds.owned_collections import API_VERSION, CollectionBody, owned
from reconciler.kinds.restore_point.wire import PointBody
from reconciler.model.arm_id import ArmId
from reconciler.model.casing import fold
from reconciler.plan.change import Step


async def send(azure: Azure, step: Step) -> Operation | None:
    """The write of one step. What is there already, or gone already, is not asked for a second time."""
    if step.verb == "take":
        return await _take(azure, step)
    return await _delete(azure, step)


async def _take(azure: Azure, step: Step) -> Operation | None:
    from azure.mgmt.compute import models

    point = ArmId(step.arguments["point"])
    accepted = Accepted()
    properties = models.RestorePointProperties(
        exclude_disks=[models.ApiEntityReference(id=disk) for disk in step.arguments["excluded"]] or None,
        consistency_mode="CrashConsistent" if step.arguments["consistency"] == "CrashConsistent" else None,
    )
    call = azure.compute(point.subscription).restore_points.begin_create(
        point.resource_group,
        point.segment("restorePointCollections"),
        point.name,
        models.RestorePoint(properties=properties),
        polling=False,
        raw_response_hook=accepted,
    )
    try:
        await _sent(call, str(point))
    except ConflictError:
        there = await _look(azure, point)
        state = _state(there)
        if state == "succeeded":
            return None
        if state != "creating":
            raise
        return _at(point)
    return accepted.operation(str(point))


async def _delete(azure: Azure, step: Step) -> Operation | None:
    """Looks again first: the tags of its collection must still say that the point is ours."""
    point = ArmId(step.arguments["point"])
    try:
        collection = await azure.get(str(point.parent()), API_VERSION, CollectionBody)
    except AbsentError:
        return None
    known = owned(collection, "", {})
    if known is None or fold(known.schedule) != fold(step.arguments["schedule"]):
        raise FailedError(
            f"restore point {point.name} is left alone: its collection is no longer ours",
            resource=str(point),
            why=f"collection {point.parent().name} does not carry the tags of schedule {step.arguments['schedule']}",
            advice="run plan: it shows what is ours",
        )
    there = await _look(azure, point)
    if there is None:
        return None
    if _state(there) in ("creating", "deleting"):
        if _state(there) == "deleting":
            return _at(point, gone_is_success=True)
        raise FailedError(
            f"restore point {point.name} is left alone: it is being taken",
            resource=str(point),
            advice="run plan again when it is there",
        )
    accepted = Accepted()
    call = azure.compute(point.subscription).restore_points.begin_delete(
        point.resource_group,
        point.segment("restorePointCollections"),
        point.name,
        polling=False,
        raw_response_hook=accepted,
    )
    await _sent(call, str(point))
    return accepted.operation(str(point), gone_is_success=True)


async def find_running(azure: Azure, step: Step) -> Operation | None:
    """A point that is being taken, or is going, as its own state says."""
    point = ArmId(step.arguments["point"])
    state = _state(await _look(azure, point))
    if step.verb == "take" and state == "creating":
        return _at(point)
    return _at(point, gone_is_success=True) if step.verb != "take" and state == "deleting" else None


async def read_back(azure: Azure, step: Step) -> None:
    """The point is there and whole, or gone. What consistency Azure achieved is told by the next plan: less than asked
    for is no failure. Raises AbsentError or FailedError."""
    point = ArmId(step.arguments["point"])
    if step.verb != "take":
        if await _look(azure, point) is not None:
            raise FailedError(
                f"Azure accepted to {step.title} and it is still there",
                resource=str(point),
                advice="run plan: it shows what is left to do",
            )
        return
    body = await azure.get(str(point), API_VERSION, PointBody)
    if _state(body) != "succeeded":
        raise FailedError(
            f"restore point {point.name} is not as asked for",
            resource=str(point),
            why=f"its provisioningState is {body.properties.provisioning_state}",
            advice="run apply again: it is deleted and taken anew",
        )


async def _look(azure: Azure, point: ArmId) -> PointBody | None:
    try:
        return await azure.get(str(point), API_VERSION, PointBody)
    except AbsentError:
        return None


def _state(body: PointBody | None) -> str:
    return (body.properties.provisioning_state or "Succeeded").lower() if body else ""


def _at(point: ArmId, *, gone_is_success: bool = False) -> Operation:
    return Operation(
        url=f"{point}?api-version={API_VERSION}", via="resource", resource=str(point), gone_is_success=gone_is_success
    )


async def _sent(call: Awaitable[Any], resource: str) -> None:
    from azure.core import exceptions

    try:
        await call
    except exceptions.AzureError as error:
        raise failure(error, resource) from error
