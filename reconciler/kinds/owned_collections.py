"""The restore point collections that are ours: what the kinds of collections and of their points both need.

A restore point carries no tags; its collection does. A collection is ours when it says which schedule it is of
(`reconciler-schedule`), under which retention its points were taken (`reconciler-keep`), and when its source is a VM.
Azure Backup keeps collections of its own: they carry neither tag.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from reconciler.azure.clients import Azure
from reconciler.azure.failures import unreadable
from reconciler.errors import AzureError
from reconciler.kinds.resource_group import group_names
from reconciler.model import snapshot_schedule
from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.casing import fold
from reconciler.model.document import Declared
from reconciler.model.keeping import parse_keep
from reconciler.model.live import Unreadable
from reconciler.model.location import normalise_location

COLLECTION = "restore_point_collection"
POINT = "restore_point"
API_VERSION = "2025-04-01"
SCHEDULE, MACHINE, KEEP = "reconciler-schedule", "reconciler-vm", "reconciler-keep"
"""Names of our tags; Azure compares them without casing."""
_LONGEST_STEM = 73
_FOREIGN = re.compile(r"[^A-Za-z0-9_-]")


class SourceBody(msgspec.Struct, frozen=True):
    """`properties.source`: a VM, or another collection that this one takes copies of."""

    id: str = ""


class CollectionProperties(msgspec.Struct, frozen=True):
    """What we look at of a collection."""

    source: SourceBody | None = None


class CollectionBody(msgspec.Struct, frozen=True):
    """One collection of the list, or of a GET."""

    id: str
    location: str = ""
    tags: dict[str, str | None] | None = None
    properties: CollectionProperties = CollectionProperties()


@dataclass(frozen=True, slots=True)
class OwnedCollection:
    """A collection of ours. `group` is `alias/rg`; `keep` the retention its points were taken under, as its tag."""

    arm_id: ArmId
    group: str
    location: str
    machine: ArmId
    schedule: str
    keep: str

    @property
    def address(self) -> Address:
        return Address(COLLECTION, self.group, self.arm_id.name)

    @property
    def scope(self) -> str:
        """The address scope of its points."""
        return f"{self.group}/{self.arm_id.name}"


def collection_name(schedule: str, machine: ArmId) -> str:
    """The name of the collection of one VM and one schedule: at most 80 characters, the same in every run."""
    digest = hashlib.sha256(f"{fold(schedule)}|{machine.key}".encode()).hexdigest()[:6]
    return f"{_FOREIGN.sub('_', machine.name)[:_LONGEST_STEM]}-{digest}"


def collection_id(subscription_id: str, group: str, name: str) -> ArmId:
    """Where a collection is, or will be."""
    return ArmId(
        f"/subscriptions/{subscription_id}/resourceGroups/{group}/providers/Microsoft.Compute"
        f"/restorePointCollections/{name}"
    )


def collection_address(scope: str) -> Address:
    """The collection whose points have this address scope."""
    group, _, name = scope.rpartition("/")
    return Address(COLLECTION, group, name)


def point_address(scope: str, name: str) -> Address:
    """A restore point in the collection with this address scope (`prod/rg-web/vm-web-01-1f2e3d`)."""
    return Address(POINT, scope, name)


def owned(body: CollectionBody, alias: str, groups: Mapping[str, str]) -> OwnedCollection | None:
    """The collection in our words; None for somebody else's. `groups` maps folded names to those as created."""
    tags = {fold(name): value or "" for name, value in (body.tags or {}).items()}
    source = ArmId(body.properties.source.id) if body.properties.source else ArmId("")
    schedule, keep = tags.get(SCHEDULE, ""), tags.get(KEEP, "")
    if not schedule or parse_keep(keep) is None or not source.segment("virtualMachines"):
        return None
    arm_id = ArmId(body.id)
    group = arm_id.resource_group
    return OwnedCollection(
        arm_id=arm_id,
        group=f"{alias}/{groups.get(fold(group), group)}",
        location=normalise_location(body.location),
        machine=source,
        schedule=schedule,
        keep=keep,
    )


async def owned_collections(
    azure: Azure, declared: Declared, kind: str
) -> tuple[list[OwnedCollection], list[Unreadable]]:
    """Every collection of ours in the subscriptions of the Scope, and the subscriptions whose list failed, told as gaps
    of `kind`. One list a subscription, shared by the kinds; none where no SnapshotSchedule is declared."""
    if not declared.of(snapshot_schedule.DOCUMENT):
        return [], []

    async def read(alias: str, subscription_id: str) -> list[OwnedCollection] | Unreadable:
        try:
            return await azure.shared(
                f"restore point collections:{subscription_id.lower()}",
                lambda: _read_subscription(azure, alias, subscription_id),
            )
        except AzureError as error:
            return unreadable(
                error,
                kinds=(kind,),
                scope=alias,
                what=f"the list of restore point collections in subscription {alias}",
                action="Microsoft.Compute/restorePointCollections/read",
            )

    answers = await asyncio.gather(*(read(*pair) for pair in declared.subscriptions.items()))
    found = [one for answer in answers if not isinstance(answer, Unreadable) for one in answer]
    return found, [answer for answer in answers if isinstance(answer, Unreadable)]


async def _read_subscription(azure: Azure, alias: str, subscription_id: str) -> list[OwnedCollection]:
    path = f"/subscriptions/{subscription_id}/providers/Microsoft.Compute/restorePointCollections"
    bodies = [body async for body in azure.list(path, API_VERSION, CollectionBody)]
    try:
        groups: Mapping[str, str] = await group_names(azure, subscription_id) if bodies else {}
    except AzureError:
        groups = {}  # reported by the reader of resource groups; the spelling of the id has to do
    found = (owned(body, alias, groups) for body in bodies)
    return [one for one in found if one is not None]
