"""The snapshots that there are: one list a subscription, and only where a SnapshotSchedule is declared."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from reconciler.azure.clients import Azure
from reconciler.azure.failures import unreadable
from reconciler.errors import AzureError
from reconciler.kinds.resource_group import group_names
from reconciler.kinds.snapshot.spec import NAME, TYPE, SnapshotSpec
from reconciler.kinds.snapshot.wire import API_VERSION, SnapshotBody, facts_from, spec_from
from reconciler.model import snapshot_schedule
from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.document import Declared
from reconciler.model.live import Unreadable
from reconciler.model.resource import Resource


async def read_snapshots(azure: Azure, declared: Declared) -> AsyncIterator[Resource | Unreadable]:
    """Every snapshot of every subscription of the Scope, whoever made it, and the subscriptions whose list failed."""
    if not declared.of(snapshot_schedule.DOCUMENT):
        return
    answers = await asyncio.gather(*(_read(azure, *pair) for pair in declared.subscriptions.items()))
    for answer in answers:
        if isinstance(answer, Unreadable):
            yield answer
        else:
            for resource in answer:
                yield resource


async def _read(azure: Azure, alias: str, subscription_id: str) -> list[Resource] | Unreadable:
    path = f"/subscriptions/{subscription_id}/providers/{TYPE}"
    try:
        bodies = [body async for body in azure.list(path, API_VERSION, SnapshotBody)]
    except AzureError as error:
        return unreadable(
            error,
            kinds=(NAME,),
            scope=alias,
            what=f"the list of snapshots in subscription {alias}",
            action="Microsoft.Compute/snapshots/read",
        )
    try:
        groups = await group_names(azure, subscription_id)
    except AzureError:
        groups = {}  # reported by the reader of resource groups; the spelling of the id has to do
    return _resources(bodies, alias, subscription_id, groups)


def _resources(bodies: list[SnapshotBody], alias: str, subscription_id: str, groups: dict[str, str]) -> list[Resource]:
    """Equal specs are one object: there are a few of them for many thousand snapshots."""
    origins = {body.properties.unique_id.lower(): body.properties.creation_data for body in bodies}
    specs: dict[tuple[object, ...], SnapshotSpec] = {}
    found = []
    for body in bodies:
        arm_id, spec = ArmId(body.id), spec_from(body)
        key = (
            spec.state, spec.location, spec.incremental, spec.sku,
            spec.network_access_policy, spec.disk_access, spec.public_network_access,
        )  # fmt: skip
        group = arm_id.resource_group
        found.append(
            Resource(
                address=Address(NAME, f"{alias}/{groups.get(group.casefold(), group)}", body.name),
                spec=specs.setdefault(key, spec),
                arm_id=arm_id,
                location=spec.location,
                observed=facts_from(body, subscription_id, origins),
            )
        )
    return found
