"""Which set of disks a VM is restored from: the slot, the region, and whether anything is missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reconciler.errors import UsageError
from reconciler.model.arm_id import ArmId
from reconciler.model.counting import count
from reconciler.model.document import Declared
from reconciler.model.live import Live
from reconciler.model.location import normalise_location
from reconciler.model.machine import Machine
from reconciler.model.restore_request import MachineRequest
from reconciler.model.slots import spell_slot
from reconciler.plan.finding import Finding, Severity
from reconciler.restore.search import LATEST, choose_slot, find_machine
from reconciler.restore.sets import OS, Part, RecoverySet, by_place, place_name, recovery_sets


@dataclass(frozen=True, slots=True)
class Choice:
    """`chosen` is the set; `parts` those of its disks that are made; `machine` the source VM where it is there."""

    chosen: RecoverySet
    parts: tuple[Part, ...]
    machine: Machine | None
    findings: tuple[Finding, ...]


def choose(request: MachineRequest, declared: Declared, live: Live) -> Choice:
    """The set that `request` means. Restore points go before snapshots, whole sets before broken ones; copies in
    another region are taken where they are asked for, or where nothing else is left. Pure. Raises UsageError where VM,
    slot or region are not found."""
    machine_id = find_machine(request.machine, declared, live)
    machine = live.machines_by_id.get(machine_id)
    of_machine = recovery_sets(live.state, machine_id)
    if not of_machine:
        raise UsageError(
            f"{machine_id.name} has no snapshot and no restore point of ours",
            why=live.unreadable[0].message if live.unreadable else "",
            advice="`reconciler restore disk SNAPSHOT` takes any snapshot, also one that is not ours",
        )
    sets = _in_region(of_machine, request.region or _home(of_machine, machine), machine_id)
    expected = _places(machine)
    slot = choose_slot(request.slot, sets, expected)
    wanted = expected or _neighbours(of_machine, slot_index(of_machine, slot))
    chosen = min((found for found in sets if found.slot == slot), key=lambda one: _rank(one, wanted, machine))
    missing = sorted(wanted - chosen.usable, key=by_place)
    findings = (
        *_newer(request, sets, chosen),
        *_missing(request, chosen, missing, machine, of_machine, wanted),
        *_consistency(chosen),
    )
    parts = tuple(part for part in chosen.parts if not part.doubt)
    return Choice(chosen, parts, machine, findings)


def slot_index(sets: Sequence[RecoverySet], slot: object) -> int:
    """Where the sets of a slot begin."""
    return next(index for index, found in enumerate(sets) if found.slot == slot)


def _in_region(sets: Sequence[RecoverySet], region: str, machine: ArmId) -> list[RecoverySet]:
    wanted = normalise_location(region)
    found = [one for one in sets if not wanted or one.region == wanted]
    if not found:
        regions = ", ".join(sorted({one.region for one in sets}))
        raise UsageError(
            f"nothing of {machine.name} lies in {region}",
            why=f"its snapshots are in {regions}; a disk is made where its snapshot lies",
            advice="restore there, or let a SnapshotSchedule copy to that region (copyTo)",
        )
    return found


def _home(sets: Sequence[RecoverySet], machine: Machine | None) -> str:
    """The region of the VM, or of the originals of one that is gone; "" where nothing of it lies there."""
    homes = {machine.location} if machine else {one.region for one in sets if not one.copied}
    return next((one.region for one in sets if one.region in homes), "")


def _places(machine: Machine | None) -> frozenset[str]:
    return frozenset(disk.place for disk in machine.disks) if machine else frozenset()


def _neighbours(sets: Sequence[RecoverySet], index: int) -> frozenset[str]:
    """Of a VM that is gone: the places of this slot and of the one before it."""
    slots = list(dict.fromkeys(found.slot for found in sets[index:]))[:2]
    return frozenset({OS}).union(*({part.place for part in one.parts} for one in sets if one.slot in slots))


def _rank(one: RecoverySet, wanted: frozenset[str], machine: Machine | None) -> tuple[object, ...]:
    home = machine.location if machine else ""
    return (
        len(wanted - one.usable),
        bool(home) and one.region != home,
        one.copied,
        not one.consistency,
        one.region,
        one.schedule,
    )


def _newer(request: MachineRequest, sets: Sequence[RecoverySet], chosen: RecoverySet) -> Iterator[Finding]:
    newest = sets[0].slot
    if request.slot.casefold() == LATEST and newest > chosen.slot:
        yield Finding(
            code="newer-incomplete",
            severity=Severity.WARNING,
            message=f"the newest slot, {spell_slot(newest)}, does not hold all disks yet; "
            f"{spell_slot(chosen.slot)} is the newest that does",
            advice="name the slot, and --partial, to restore what it holds",
        )


def _missing(
    request: MachineRequest,
    chosen: RecoverySet,
    missing: Sequence[str],
    machine: Machine | None,
    sets: Sequence[RecoverySet],
    wanted: frozenset[str],
) -> Iterator[Finding]:
    doubts = {part.place: part for part in chosen.parts if part.doubt}
    other = _way_out(chosen, sets, wanted)
    names = {disk.place: ArmId(disk.disk).name for disk in machine.disks} if machine else {}
    for place in missing:
        name = f" ({names[place]})" if place in names else ""
        part = doubts.get(place)
        why = f"its snapshot cannot be used: {part.doubt}" if part else "it has no snapshot"
        lenient = request.partial and place != OS
        yield Finding(
            code="disk-missing",
            severity=Severity.WARNING if lenient else Severity.ERROR,
            message=f"{place_name(place)}{name} is missing in slot {spell_slot(chosen.slot)}: {why}",
            address=str(part.source.address) if part else "",
            advice="the VM is made without it"
            if lenient
            else other
            if place == OS
            else f"{other}; --partial makes the VM without it",
        )


def _way_out(chosen: RecoverySet, sets: Sequence[RecoverySet], wanted: frozenset[str]) -> str:
    """Another slot in this region, or the same one in another region, that holds everything."""
    whole = [one for one in sets if wanted <= one.usable]
    here = (f"choose {spell_slot(one.slot)}" for one in whole if one.region == chosen.region)
    there = (f"--region {one.region}" for one in whole if one.slot == chosen.slot and one.region != chosen.region)
    ways = [way for way in (next(here, ""), next(there, "")) if way]
    return f"{' or '.join(ways)}, which holds all of them" if ways else "no slot holds all of them"


def _consistency(chosen: RecoverySet) -> Iterator[Finding]:
    disks = len(chosen.usable)
    if not chosen.consistency and disks > 1:
        yield Finding(
            code="SN-15",
            severity=Severity.WARNING,
            message=f"the snapshots of its {count(disks, 'disk')} were taken one by one: each is whole, but what was "
            "written meanwhile may be on one and not on another",
            advice="check what spans disks (databases, volume groups); consistency: restorePoint takes all at once",
        )
