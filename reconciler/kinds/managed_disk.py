"""The inventory of managed disks, read only where the policies declare snapshots or replication. Disks are never
written."""

from __future__ import annotations

import asyncio

import msgspec

from reconciler.azure.clients import Azure
from reconciler.azure.failures import unreadable
from reconciler.errors import AzureError
from reconciler.model import replication, snapshot_schedule
from reconciler.model.arm_id import ArmId
from reconciler.model.disk import Disk
from reconciler.model.document import Declared
from reconciler.model.live import Unreadable
from reconciler.model.location import normalise_location

API_VERSION = "2025-01-02"
NAME = "disk"


class SkuBody(msgspec.Struct, frozen=True):
    """`sku`."""

    name: str = ""


class DiskProperties(msgspec.Struct, frozen=True):
    """What we look at of a disk."""

    unique_id: str = msgspec.field(name="uniqueId", default="")
    size_gib: int = msgspec.field(name="diskSizeGB", default=0)


class DiskBody(msgspec.Struct, frozen=True):
    """One disk of the list."""

    id: str
    location: str = ""
    sku: SkuBody = SkuBody()
    zones: tuple[str, ...] | None = None
    properties: DiskProperties = DiskProperties()


async def read_disks(azure: Azure, declared: Declared) -> tuple[list[Disk], list[Unreadable]]:
    """Every managed disk of every subscription of the Scope, and the subscriptions whose list failed. Nothing is read
    where neither a SnapshotSchedule nor a ReplicationRoute is declared."""
    if not declared.of(snapshot_schedule.DOCUMENT) and not declared.of(replication.ROUTE):
        return [], []

    async def read(alias: str, subscription_id: str) -> list[Disk] | Unreadable:
        path = f"/subscriptions/{subscription_id}/providers/Microsoft.Compute/disks"
        try:
            return [disk(body) async for body in azure.list(path, API_VERSION, DiskBody)]
        except AzureError as error:
            return unreadable(
                error,
                kinds=(NAME,),
                scope=alias,
                what=f"the list of managed disks in subscription {alias}",
                action="Microsoft.Compute/disks/read",
            )

    answers = await asyncio.gather(*(read(*pair) for pair in declared.subscriptions.items()))
    disks = {found.arm_id: found for answer in answers if not isinstance(answer, Unreadable) for found in answer}
    return list(disks.values()), [answer for answer in answers if isinstance(answer, Unreadable)]


def disk(body: DiskBody) -> Disk:
    """One disk in our words."""
    return Disk(
        arm_id=ArmId(body.id),
        unique_id=body.properties.unique_id,
        location=normalise_location(body.location),
        size_gib=body.properties.size_gib,
        sku=body.sku.name,
        zones=body.zones or (),
    )
