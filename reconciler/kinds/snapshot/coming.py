"""A snapshot that this plan takes or copies, as a desired resource."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from reconciler.kinds.obstacle import Obstacle
from reconciler.kinds.snapshot.names import snapshot_name
from reconciler.kinds.snapshot.spec import NAME, SnapshotSpec, exported_as, snapshot_id
from reconciler.kinds.snapshot.survey import Survey
from reconciler.kinds.snapshot.tags import Mark, all_tags
from reconciler.kinds.snapshot.wishes import INCREMENTAL_ONLY, Wish
from reconciler.model.address import Address
from reconciler.model.disk import Disk
from reconciler.model.resource import Ref, Resource


@dataclass(frozen=True, slots=True)
class Coming:
    """`observed` of a snapshot that is to be made. `previous` is the slot of the newest one before it by the same
    schedule, None for the first; `whole` says that all data is stored, not only what changed since the newest
    incremental one of the disk, whoever made that (SN-03); `region` is that of a copy, "" for others. Where there is an
    `obstacle` it is not made."""

    disk: Disk
    schedule: str
    slot: datetime
    previous: datetime | None
    whole: bool
    region: str = ""
    obstacle: Obstacle | None = None

    @property
    def background(self) -> bool:
        """Whether its data is copied after Azure said that it was made (SN-12, SN-13)."""
        return bool(self.region) or self.disk.sku in INCREMENTAL_ONLY


def taken_address(wish: Wish, slot: datetime) -> Address:
    """Where the snapshot of this slot lies."""
    disk = wish.disk
    return Address(NAME, wish.scope, snapshot_name(disk.arm_id.name, disk.unique_id, wish.timetable.name, slot))


def copy_address(wish: Wish, slot: datetime) -> Address:
    """Where the copy of this slot lies."""
    disk, copy = wish.disk, wish.timetable.copy
    assert copy is not None
    scope = f"{wish.machine.subscription}/{copy.resource_group or wish.group}"
    name = snapshot_name(disk.arm_id.name, disk.unique_id, wish.timetable.name, slot, region=copy.region)
    return Address(NAME, scope, name)


def taken(survey: Survey, wish: Wish, previous: datetime | None, *, whole: bool) -> Resource:
    """The snapshot of the current slot, also where something forbids it. Its name is that of the disk in the
    spelling of Azure."""
    slot, incremental = wish.timetable.slot, wish.timetable.schedule.incremental
    address = taken_address(wish, slot)
    coming = Coming(wish.disk, wish.timetable.name, slot, previous, whole, obstacle=wish.obstacle)
    spec = SnapshotSpec(
        location=wish.disk.location,
        incremental=incremental,
        sku=wish.timetable.sku(wish.disk.location),
        tags=_tags(wish, slot),
        disk=str(wish.disk.arm_id),
    )
    return _resource(survey, wish, address, spec, coming)


def copied(
    survey: Survey, wish: Wish, source: Address, slot: datetime, previous: datetime | None, after: Address | None
) -> Resource:
    """The copy of one snapshot, after the one before it (SN-12)."""
    copy = wish.timetable.copy
    assert copy is not None
    whole = previous is None and not survey.holdings.copied_to(wish.disk.unique_id, copy.region)
    coming = Coming(wish.disk, wish.timetable.name, slot, previous, whole, copy.region)
    spec = SnapshotSpec(
        location=copy.region,
        sku=wish.timetable.sku(copy.region),
        tags=_tags(wish, slot),
        source=Ref.of(source),
        waits_for=Ref.of(after) if after else None,
    )
    return _resource(survey, wish, copy_address(wish, slot), spec, coming)


def _tags(wish: Wish, slot: datetime) -> dict[str, str]:
    timetable, machine = wish.timetable, wish.machine
    mark = Mark(timetable.name, slot, wish.disk.unique_id, timetable.keep_tag, wish.place, machine.arm_id)
    return all_tags(mark, timetable.schedule.tags or {}, machine.tags if timetable.schedule.copy_tags else {})


def _resource(survey: Survey, wish: Wish, address: Address, spec: SnapshotSpec, coming: Coming) -> Resource:
    document = wish.timetable.document
    return Resource(
        address=address,
        spec=exported_as(spec, wish.timetable.schedule),
        arm_id=snapshot_id(address, survey.expansion.declared),
        location=spec.location,
        observed=coming,
        source=wish.assignment.source,
        origins={
            "network_access_policy": document.at("networkAccessPolicy"),
            "disk_access": document.at("diskAccess"),
            "public_network_access": document.at("publicNetworkAccess"),
        },
    )
