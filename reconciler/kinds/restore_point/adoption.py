"""Live restore points that carry our tags → SnapshotSchedules (`consistency: restorePoint`), and who follows them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from reconciler.kinds.adoption import Adopted, AdoptedEstate, Held, Written, not_adopted
from reconciler.kinds.history import Taken, rhythm
from reconciler.kinds.owned_collections import POINT
from reconciler.kinds.phrases import some_names
from reconciler.model.arm_id import ArmId
from reconciler.model.casing import fold
from reconciler.model.counting import count
from reconciler.model.machine import Machine
from reconciler.model.observed import RestorePointFacts
from reconciler.model.snapshot_schedule import ASPECT, DOCUMENT, Snapshots

_CRASH = "CrashConsistent"


def adopt_points(estate: AdoptedEstate) -> Iterator[Adopted]:
    """The schedules whose cadence and retention can be read from what they made."""
    made: dict[str, dict[ArmId, list[RestorePointFacts]]] = defaultdict(lambda: defaultdict(list))
    names: dict[str, str] = {}
    for resource in estate.resources(POINT):
        facts = resource.observed
        if not isinstance(facts, RestorePointFacts) or facts.slot is None or facts.machine_id not in estate.machines:
            continue
        key = fold(facts.schedule)
        names.setdefault(key, facts.schedule)
        made[key][facts.machine_id].append(facts)
    for key in sorted(made):
        name, points = names[key], made[key]
        value = _schedule(points, estate)
        if isinstance(value, str):
            machines = sorted(estate.machines[machine].name for machine in points)
            message = f"snapshot schedule {name} of {some_names(machines)}: {value}; they stay unmanaged"
            yield not_adopted("", message, "write the SnapshotSchedule by hand, under this very name")
            continue
        number = count(sum(map(len, points.values())), "restore point")
        yield Written(DOCUMENT, name, value, f"Read from the slots and tags of {number}.")
        for machine in points:
            yield Held(machine, ASPECT, Snapshots(schedule=name))


def _schedule(points: dict[ArmId, list[RestorePointFacts]], estate: AdoptedEstate) -> dict[str, Any] | str:
    every = [facts for group in points.values() for facts in group]
    found = rhythm(Taken(facts.slot, facts.keep) for facts in every if facts.slot)
    if isinstance(found, str):
        return found
    newest = max(facts.slot for facts in every if facts.slot)
    latest = [facts for facts in every if facts.slot == newest]
    if {facts.machine_id for facts in latest} != points.keys():
        return "not all of them have one of its newest slot, so who follows it cannot be told"
    places = [_places(facts, estate.machines[facts.machine_id]) for facts in latest]
    if not all(places):
        return "its newest restore points leave disks out"
    crash = all(facts.consistency == _CRASH for facts in latest)
    mode = {"restorePointMode": _CRASH} if crash and latest else {}
    return {**found, "consistency": "restorePoint", **mode}


def _places(facts: RestorePointFacts, machine: Machine) -> bool:
    return {disk.place for disk in facts.disks} == {disk.place for disk in machine.disks}
