"""What a VM can be restored from: its snapshots of one slot in one region, or a restore point, as a set of disks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from reconciler.model.arm_id import ArmId
from reconciler.model.observed import RestorePointFacts, SnapshotFacts
from reconciler.model.resource import Resource, State

OS = "os"
"""The place of the OS disk; the others are LUNs."""


@dataclass(frozen=True, slots=True)
class Part:
    """One disk of a set. `source` is the live snapshot or restore point, `source_id` the ARM id to copy from,
    `unique_id` that snapshot's identity ("" of a restore point); `disk_id` is the disk that it is of; `doubt` says why
    it cannot be used now, "" where it can."""

    place: str
    source: Resource
    source_id: str
    unique_id: str
    size_gib: int
    disk_id: str
    os_type: str = ""
    hyper_v_generation: str = ""
    security_type: str = ""
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class RecoverySet:
    """The disks of one VM at one slot, in one region, by one schedule. `consistency` is what a restore point achieved,
    "" for snapshots that were taken one by one (SN-15). `size` is the VM's size then, where that is known."""

    machine: ArmId
    slot: datetime
    region: str
    schedule: str
    parts: tuple[Part, ...]
    consistency: str = ""
    size: str = ""
    copied: bool = False

    @property
    def usable(self) -> frozenset[str]:
        """The places that a disk can be made for now."""
        return frozenset(part.place for part in self.parts if not part.doubt)


def recovery_sets(state: State, machine: ArmId) -> tuple[RecoverySet, ...]:
    """Every set of our own snapshots and restore points of one VM, newest slot first; of one slot originals before
    copies."""
    found = [*_of_snapshots(state.values(), machine), *_of_points(state.values(), machine)]
    return tuple(sorted(found, key=lambda one: (-one.slot.timestamp(), one.copied, one.region, one.schedule)))


def part_of_snapshot(resource: Resource, facts: SnapshotFacts) -> Part:
    """A snapshot as a source of one disk."""
    return Part(
        place=facts.place,
        source=resource,
        source_id=str(facts.arm_id),
        unique_id=facts.unique_id,
        size_gib=facts.size_gib,
        disk_id=facts.disk_id,
        os_type=facts.os_type,
        hyper_v_generation=facts.hyper_v_generation,
        security_type=facts.security_type,
        doubt=doubt_of(facts),
    )


def parts_of_point(resource: Resource, facts: RestorePointFacts) -> tuple[Part, ...]:
    """A restore point as sources of its disks, the OS disk first."""
    parts = (
        Part(
            place=disk.place,
            source=resource,
            source_id=str(disk.arm_id),
            unique_id="",
            size_gib=disk.size_gib,
            disk_id=disk.disk_id,
            os_type=facts.os_type if disk.place == OS else "",
            doubt="" if facts.usable else f"its state is {facts.state}",
        )
        for disk in facts.disks
    )
    return tuple(sorted(parts, key=lambda part: by_place(part.place)))


def by_place(place: str) -> tuple[int, int, str]:
    """The order of disks: the OS disk, then LUNs by number, then what has no place."""
    if place == OS:
        return (0, 0, "")
    return (1, int(place), "") if place.isdecimal() else (2, 0, place)


def place_name(place: str) -> str:
    """For people: `the OS disk`, `LUN 2`."""
    return "the OS disk" if place == OS else f"LUN {place}"


def _of_snapshots(resources: Iterable[Resource], machine: ArmId) -> Iterator[RecoverySet]:
    groups: dict[tuple[datetime, str, str], dict[str, tuple[SnapshotFacts, Resource]]] = defaultdict(dict)
    for resource in resources:
        facts = resource.observed
        if not isinstance(facts, SnapshotFacts) or facts.machine_id != machine or not (facts.slot and facts.place):
            continue
        places = groups[facts.slot, resource.location, facts.schedule]
        known = places.get(facts.place)
        if known is None or (facts.usable, facts.created) > (known[0].usable, known[0].created):
            places[facts.place] = (facts, resource)
    for (slot, region, schedule), places in groups.items():
        parts = (part_of_snapshot(resource, facts) for facts, resource in places.values())
        copied = all(facts.copy_of is not None for facts, _ in places.values())
        ordered = tuple(sorted(parts, key=lambda part: by_place(part.place)))
        yield RecoverySet(machine, slot, region, schedule, ordered, copied=copied)


def _of_points(resources: Iterable[Resource], machine: ArmId) -> Iterator[RecoverySet]:
    for resource in resources:
        facts = resource.observed
        if not isinstance(facts, RestorePointFacts) or facts.machine_id != machine or facts.slot is None:
            continue
        yield RecoverySet(
            machine=facts.machine_id,
            slot=facts.slot,
            region=resource.location,
            schedule=facts.schedule,
            parts=parts_of_point(resource, facts),
            consistency=facts.consistency,
            size=facts.size,
        )


def doubt_of(facts: SnapshotFacts) -> str:
    """Why no disk can be made from it now; "" where one can."""
    if facts.copy_error:
        return f"its copy failed: {facts.copy_error}"
    if facts.completion < 100:
        return f"Azure has copied {facts.completion:.0f} % of it (SN-12, SN-13)"
    return "" if facts.usable else f"its state is {facts.state}"
