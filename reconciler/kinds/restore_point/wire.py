"""Restore points as Azure answers them, and what they are in our words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from reconciler.kinds.owned_collections import OwnedCollection
from reconciler.model.arm_id import ArmId
from reconciler.model.observed import DiskPoint, RestorePointFacts
from reconciler.model.slots import parse_label

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class IdBody(msgspec.Struct, frozen=True):
    """`managedDisk` and `diskRestorePoint`."""

    id: str = ""


class DiskBody(msgspec.Struct, frozen=True, rename="camel"):
    """`osDisk`, or one of `dataDisks`. A disk that was left out has no `diskRestorePoint`."""

    lun: int | None = None
    os_type: str | None = None
    disk_size_gib: int | None = msgspec.field(name="diskSizeGB", default=None)
    managed_disk: IdBody | None = None
    disk_restore_point: IdBody | None = None


class StorageBody(msgspec.Struct, frozen=True, rename="camel"):
    """`sourceMetadata.storageProfile`."""

    os_disk: DiskBody | None = None
    data_disks: tuple[DiskBody, ...] | None = None


class HardwareBody(msgspec.Struct, frozen=True, rename="camel"):
    """`sourceMetadata.hardwareProfile`."""

    vm_size: str | None = None


class MetadataBody(msgspec.Struct, frozen=True, rename="camel"):
    """`sourceMetadata`: the VM as it was."""

    hardware_profile: HardwareBody | None = None
    storage_profile: StorageBody | None = None


class PointProperties(msgspec.Struct, frozen=True, rename="camel"):
    """What we look at of a restore point."""

    source_metadata: MetadataBody | None = None
    provisioning_state: str | None = None
    consistency_mode: str | None = None
    time_created: str | None = None


class PointBody(msgspec.Struct, frozen=True):
    """One restore point of its collection, or of a GET."""

    id: str
    properties: PointProperties = PointProperties()


class ExpandedProperties(msgspec.Struct, frozen=True, rename="camel"):
    """`properties` of a collection with `$expand=restorePoints`."""

    restore_points: tuple[PointBody, ...] | None = None


class ExpandedBody(msgspec.Struct, frozen=True):
    """A collection with its points."""

    properties: ExpandedProperties = ExpandedProperties()


def facts_from(body: PointBody, collection: OwnedCollection) -> RestorePointFacts:
    """Everything we see of a point. One whose name is no slot was made by somebody else."""
    properties = body.properties
    metadata = properties.source_metadata or MetadataBody()
    storage = metadata.storage_profile or StorageBody()
    arm_id = ArmId(body.id)
    slot = parse_label(arm_id.name)
    return RestorePointFacts(
        arm_id=arm_id,
        created=_moment(properties.time_created),
        machine_id=collection.machine,
        consistency=properties.consistency_mode or "",
        schedule=collection.schedule if slot else "",
        slot=slot,
        keep=collection.keep if slot else "",
        disks=tuple(_disks(storage)),
        size=(metadata.hardware_profile.vm_size or "") if metadata.hardware_profile else "",
        os_type=(storage.os_disk.os_type or "") if storage.os_disk else "",
        state=properties.provisioning_state or "Succeeded",
    )


def _disks(storage: StorageBody) -> Iterator[DiskPoint]:
    for disk in (*((storage.os_disk,) if storage.os_disk else ()), *(storage.data_disks or ())):
        if disk.disk_restore_point and disk.disk_restore_point.id:
            yield DiskPoint(
                place="os" if disk.lun is None else str(disk.lun),
                arm_id=ArmId(disk.disk_restore_point.id),
                disk_id=disk.managed_disk.id if disk.managed_disk else "",
                size_gib=disk.disk_size_gib or 0,
            )


def _moment(text: str | None) -> datetime:
    """Aware UTC. Azure writes seven decimals of a second; without a time a point counts as old."""
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return _NEVER
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
