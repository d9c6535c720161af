"""Everything that one VM can be restored from, with the reason why each is still there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from reconciler.model.arm_id import ArmId
from reconciler.model.document import Declared
from reconciler.model.keeping import kept, parse_keep
from reconciler.model.live import Live
from reconciler.model.observed import RestorePointFacts, SnapshotFacts
from reconciler.model.resource import Resource
from reconciler.model.restorable import CopyState, Holdings, Restorable
from reconciler.model.snapshot_schedule import DOCUMENT, SnapshotSchedule
from reconciler.restore.search import find_machine, label_of
from reconciler.restore.sets import by_place, doubt_of

Rules = Mapping[tuple[str, str, datetime], tuple[str, ...]]
"""Schedule, disk (or VM), slot → the rules that hold it."""


def list_holdings(text: str, declared: Declared, live: Live, now: datetime) -> Holdings:
    """What there is of the VM that `text` means. Pure. Raises UsageError where no VM, there or gone, is meant."""
    machine = find_machine(text, declared, live)
    snapshots = [(item, item.observed) for item in live.state.values() if isinstance(item.observed, SnapshotFacts)]
    points = [(item, item.observed) for item in live.state.values() if isinstance(item.observed, RestorePointFacts)]
    ours = [(item, facts) for item, facts in snapshots if facts.machine_id == machine and facts.slot]
    of_vm = [(item, facts) for item, facts in points if facts.machine_id == machine and facts.slot]
    rules = _rules(declared, [facts for _, facts in ours], [facts for _, facts in of_vm], now)
    rows = [*_snapshot_rows(ours, rules), *(_point_row(item, facts, rules) for item, facts in of_vm)]
    disks = _disk_ids(machine, live)
    others = [_row(item, facts, (), ()) for item, facts in snapshots if not facts.slot and _is_of(facts, disks)]
    return Holdings(
        machine=machine,
        label=label_of(machine, declared, live),
        gone=machine not in live.machines_by_id,
        now=now,
        ours=tuple(sorted(rows, key=_newest_first)),
        others=tuple(sorted(others, key=_newest_first)),
        unread=tuple(gap.message for gap in live.unreadable),
    )


def _newest_first(row: Restorable) -> tuple[object, ...]:
    when = row.slot or row.created
    return (-when.timestamp(), row.schedule, by_place(row.disk), row.name)


def _snapshot_rows(ours: list[tuple[Resource, SnapshotFacts]], rules: Rules) -> Iterator[Restorable]:
    """Copies stand with what they copy; one whose original is gone stands for itself."""
    originals = {facts.arm_id for _, facts in ours if facts.copy_of is None}
    copies: dict[ArmId, list[CopyState]] = defaultdict(list)
    for item, facts in ours:
        if facts.copy_of is not None and facts.copy_of in originals:
            state = doubt_of(facts) or "ready"
            copies[facts.copy_of].append(CopyState(_spell(item), item.location, facts.completion, state))
    for item, facts in ours:
        if facts.copy_of is None or facts.copy_of not in originals:
            assert facts.slot is not None
            held = rules.get((facts.schedule, _disk_key(facts), facts.slot), ())
            yield _row(item, facts, held, tuple(copies.get(facts.arm_id, ())))


def _row(item: Resource, facts: SnapshotFacts, held: tuple[str, ...], copies: tuple[CopyState, ...]) -> Restorable:
    return Restorable(
        kind="snapshot",
        name=_spell(item),
        arm_id=facts.arm_id,
        region=item.location,
        slot=facts.slot,
        created=facts.created,
        schedule=facts.schedule,
        disk=facts.place,
        disk_name=ArmId(facts.disk_id).name if facts.disk_id else "",
        size_gib=facts.size_gib,
        incremental=facts.incremental,
        state=doubt_of(facts) or "ready",
        kept=held,
        copies=copies,
    )


def _point_row(item: Resource, facts: RestorePointFacts, rules: Rules) -> Restorable:
    assert facts.slot is not None
    return Restorable(
        kind="restore_point",
        name=_spell(item),
        arm_id=facts.arm_id,
        region=item.location,
        slot=facts.slot,
        created=facts.created,
        schedule=facts.schedule,
        disk=", ".join(sorted((disk.place for disk in facts.disks), key=by_place)),
        disk_name="",
        size_gib=sum(disk.size_gib for disk in facts.disks),
        incremental=True,
        state="ready" if facts.usable else f"its state is {facts.state}",
        consistency=facts.consistency,
        kept=rules.get((facts.schedule, facts.machine_id.key, facts.slot), ()),
    )


def _rules(
    declared: Declared, snapshots: Iterable[SnapshotFacts], points: Iterable[RestorePointFacts], now: datetime
) -> Rules:
    """By the schedule as it is declared today; where it is not any longer, by what each was made under."""
    groups: dict[tuple[str, str], dict[datetime, str]] = defaultdict(dict)
    for snapshot in snapshots:
        if snapshot.slot:
            groups[snapshot.schedule, _disk_key(snapshot)][snapshot.slot] = snapshot.keep
    for point in points:
        if point.slot:
            groups[point.schedule, point.machine_id.key][point.slot] = point.keep
    schedules = {name.casefold(): item.value for name, item in declared.of(DOCUMENT, SnapshotSchedule).items()}
    found: dict[tuple[str, str, datetime], tuple[str, ...]] = {}
    for (schedule, disk), slots in groups.items():
        today = schedules.get(schedule.casefold())
        keep = today.keep if today else parse_keep(slots[max(slots)])
        held = kept(keep, slots, now) if keep else dict.fromkeys(slots, ("schedule not declared",))
        found.update({(schedule, disk, slot): rules for slot, rules in held.items()})
    return found


def _disk_key(facts: SnapshotFacts) -> str:
    return facts.disk_unique_id or facts.disk_id.casefold()


def _disk_ids(machine: ArmId, live: Live) -> frozenset[str]:
    """The identities of the VM's disks: those it has, and those that our snapshots of it name."""
    there = live.machines_by_id.get(machine)
    attached = (live.disks_by_id.get(ArmId(disk.disk)) for disk in there.disks) if there else ()
    ours = (item.observed for item in live.state.values() if isinstance(item.observed, SnapshotFacts))
    named = (facts.disk_unique_id for facts in ours if facts.machine_id == machine)
    return frozenset({disk.unique_id for disk in attached if disk} | set(named)) - {""}


def _is_of(facts: SnapshotFacts, disks: frozenset[str]) -> bool:
    return facts.disk_unique_id in disks


def _spell(item: Resource) -> str:
    return f"{item.address.scope}/{item.address.name}"
