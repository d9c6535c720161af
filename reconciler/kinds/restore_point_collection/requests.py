"""Sending the writes of collections, and reading them back."""

from __future__ import annotations

from reconciler.azure.clients import Azure
from reconciler.azure.failures import failure
from reconciler.errors import AbsentError, FailedError
from reconciler.kinds.owned_collections import API_VERSION, SCHEDULE, CollectionBody
from reconciler.model.arm_id import ArmId
from reconciler.model.casing import fold
from reconciler.plan.change import Step

TAGS_VERSION = "2021-04-01"


async def send(azure: Azure, step: Step) -> None:
    """PUT of a new collection, or merge of our tags into an old one's. Both can be sent twice.

    Raises FailedError, with nothing written, where the name is taken by a collection that is not ours.
    """
    arm_id = ArmId(step.arguments["id"])
    if step.verb == "create":
        await _check_free(azure, arm_id, step)
        await _create(azure, arm_id, step)
        return
    body = {"operation": "Merge", "properties": {"tags": step.arguments["tags"]}}
    await azure.send("PATCH", f"{arm_id}/providers/Microsoft.Resources/tags/default", TAGS_VERSION, body)


async def read_back(azure: Azure, step: Step) -> None:
    """The collection is there, of its VM, and carries our tags. Raises AbsentError or FailedError."""
    arm_id = ArmId(step.arguments["id"])
    body = await azure.get(str(arm_id), API_VERSION, CollectionBody)
    found = _tags(body)
    different = [f"tags.{name}" for name, value in step.arguments["tags"].items() if found.get(fold(name)) != value]
    machine = step.arguments.get("machine")
    if machine and (body.properties.source is None or ArmId(body.properties.source.id) != ArmId(machine)):
        different.append("source")
    if different:
        raise FailedError(
            f"restore point collection {arm_id.name} is not as written: {', '.join(different)}",
            resource=str(arm_id),
            advice="run plan to see the difference",
        )


async def _check_free(azure: Azure, arm_id: ArmId, step: Step) -> None:
    try:
        body = await azure.get(str(arm_id), API_VERSION, CollectionBody)
    except AbsentError:
        return
    if fold(_tags(body).get(SCHEDULE, "")) != fold(step.arguments["tags"][SCHEDULE]):
        raise FailedError(
            f"a restore point collection {arm_id.name} is there and not ours",
            resource=str(arm_id),
            why=f"it does not carry our tag {SCHEDULE}: somebody made it, or took the tags away",
            advice="give it back its tags, as the plan names them, or delete it",
        )


async def _create(azure: Azure, arm_id: ArmId, step: Step) -> None:
    from azure.core import exceptions
    from azure.mgmt.compute import models

    body = models.RestorePointCollection(
        location=step.arguments["location"],
        tags=step.arguments["tags"],
        properties=models.RestorePointCollectionProperties(
            source=models.RestorePointCollectionSourceProperties(id=step.arguments["machine"])
        ),
    )
    client = azure.compute(arm_id.subscription)
    try:
        await client.restore_point_collections.create_or_update(arm_id.resource_group, arm_id.name, body)
    except exceptions.AzureError as error:
        raise failure(error, str(arm_id)) from error


def _tags(body: CollectionBody) -> dict[str, str]:
    return {fold(name): value or "" for name, value in (body.tags or {}).items()}
