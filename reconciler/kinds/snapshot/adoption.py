"""Live snapshots that carry our tags → SnapshotSchedules, and what each VM has of the aspect `snapshots`.

What others made is left alone. A schedule is written where its cadence, its retention and its disks can be
read from what it made; its own tags and its exceptions cannot, and a comment says so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from reconciler.kinds.adoption import Adopted, AdoptedEstate, Held, Written, not_adopted
from reconciler.kinds.history import Taken, rhythm
from reconciler.kinds.phrases import some_names
from reconciler.kinds.snapshot.spec import NAME, SnapshotSpec
from reconciler.model.arm_id import ArmId
from reconciler.model.casing import fold
from reconciler.model.counting import count
from reconciler.model.machine import Machine
from reconciler.model.observed import SnapshotFacts
from reconciler.model.resource import Resource
from reconciler.model.snapshot_schedule import ASPECT, DOCUMENT, Snapshots

Seen = tuple[Resource, SnapshotFacts]


@dataclass(slots=True)
class Made:
    """What one schedule has made of the disks of VMs that are there."""

    name: str
    sources: dict[ArmId, list[Seen]] = field(default_factory=lambda: defaultdict(list))
    copies: list[Seen] = field(default_factory=list)

    @property
    def all(self) -> list[Seen]:
        return [seen for group in self.sources.values() for seen in group]


def adopt_snapshots(estate: AdoptedEstate) -> Iterator[Adopted]:
    """The schedules that still run, each with the VMs that follow it."""
    for made in _by_schedule(estate).values():
        answer = _schedule(made, estate)
        if isinstance(answer, str):
            names = sorted({estate.machines[machine].name for machine in made.sources})
            message = f"snapshot schedule {made.name} of {some_names(names)}: {answer}; they stay unmanaged"
            yield not_adopted("", message, "write the SnapshotSchedule by hand, under this very name")
            continue
        yield Written(DOCUMENT, made.name, answer, _origin(made))
        for machine in made.sources:
            yield Held(machine, ASPECT, Snapshots(schedule=made.name))


def _by_schedule(estate: AdoptedEstate) -> Mapping[str, Made]:
    """By folded name. Of the schedules of one VM the one that took the newest counts: the others have ended."""
    found: dict[str, Made] = {}
    newest: dict[ArmId, tuple[Any, str]] = {}
    for resource in estate.resources(NAME):
        facts = resource.observed
        if not isinstance(facts, SnapshotFacts) or facts.slot is None:
            continue
        if facts.machine_id is None or facts.machine_id not in estate.machines:
            continue
        made = found.setdefault(fold(facts.schedule), Made(facts.schedule))
        if facts.copy_of is not None:
            made.copies.append((resource, facts))
            continue
        made.sources[facts.machine_id].append((resource, facts))
        newest[facts.machine_id] = max(newest.get(facts.machine_id, (facts.slot, "")), (facts.slot, fold(made.name)))
    for key, made in found.items():
        for machine in [one for one in made.sources if newest[one][1] != key]:
            del made.sources[machine]
    return {key: found[key] for key in sorted(found) if found[key].sources}


def _schedule(made: Made, estate: AdoptedEstate) -> dict[str, Any] | str:
    seen = made.all
    found = rhythm(Taken(facts.slot, facts.keep) for _, facts in seen if facts.slot)
    if isinstance(found, str):
        return found
    newest = max(facts.slot for _, facts in seen if facts.slot)
    ended = [machine for machine, group in made.sources.items() if all(facts.slot != newest for _, facts in group)]
    if ended:
        names = [estate.machines[machine].name for machine in ended]
        return f"of {some_names(sorted(names))} there is none of its newest slot, so who follows it cannot be told"
    latest = [(resource, facts) for resource, facts in seen if facts.slot == newest]
    disks = _disks(made, estate, latest)
    group = _group(estate, latest)
    kinds = {(facts.incremental, facts.sku) for _, facts in latest}
    if disks is None or group is None or len(kinds) > 1:
        return "its newest snapshots are not alike (disks, resource groups, or storage), so no one schedule says them"
    ((incremental, sku),) = kinds
    value = {**found, **({} if incremental else {"incremental": False}), **({"sku": sku} if sku else {})}
    value |= {**disks, **group, **_copies(made), **_access(latest)}
    return value | {"consistency": "perDisk"}


def _disks(made: Made, estate: AdoptedEstate, latest: Sequence[Seen]) -> dict[str, Any] | None:
    """`disks`, where one says it of all VMs."""
    taken: dict[ArmId, set[str]] = defaultdict(set)
    for _, facts in latest:
        if facts.machine_id is not None:
            taken[facts.machine_id].add(facts.place)
    machines = [estate.machines[machine] for machine in made.sources]
    there = {machine.arm_id: {one.place for one in machine.disks} for machine in machines}
    if all(taken[key] == places for key, places in there.items()):
        return {}
    if all(taken[key] == {"os"} for key in there):
        return {"disks": "osOnly"}
    left = {tuple(sorted(places - taken[key], key=_lun)) for key, places in there.items()}
    if len(left) == 1 and all(place.isdigit() for place in next(iter(left))):
        return {"disks": {"except": [int(place) for place in next(iter(left))]}}
    return None


def _lun(place: str) -> int:
    return int(place) if place.isdigit() else -1


def _group(estate: AdoptedEstate, latest: Sequence[Seen]) -> dict[str, str] | None:
    """`resourceGroup`, where it is not that of each VM."""
    own = [_group_of(resource) == fold(_machine(facts, estate).resource_group) for resource, facts in latest]
    if all(own):
        return {}
    groups = {_group_of(resource): resource.address.scope.partition("/")[2] for resource, _ in latest}
    return {"resourceGroup": next(iter(groups.values()))} if len(groups) == 1 else None


def _machine(facts: SnapshotFacts, estate: AdoptedEstate) -> Machine:
    assert facts.machine_id is not None
    return estate.machines[facts.machine_id]


def _group_of(resource: Resource) -> str:
    return fold(resource.address.scope.partition("/")[2])


def _copies(made: Made) -> dict[str, Any]:
    """`copyTo`: the region of the newest copy."""
    if not made.copies:
        return {}
    resource, facts = max(made.copies, key=lambda seen: (str(seen[1].slot), seen[0].address))
    source = facts.copy_of
    group = resource.address.scope.partition("/")[2]
    if source is None or fold(source.resource_group) == fold(group):
        return {"copyTo": resource.location}
    return {"copyTo": {"region": resource.location, "resourceGroup": group}}


def _access(latest: Sequence[Seen]) -> dict[str, str]:
    """Who may export, where it is less than Azure's default."""
    specs = [resource.spec for resource, _ in latest if isinstance(resource.spec, SnapshotSpec)]
    policies = {(spec.network_access_policy or "AllowAll", spec.disk_access) for spec in specs}
    value: dict[str, str] = {}
    if len(policies) == 1:
        ((policy, access),) = policies
        if policy != "AllowAll":
            value["networkAccessPolicy"] = policy
        if access:
            value["diskAccess"] = access
    if {spec.public_network_access for spec in specs} == {"Disabled"}:
        value["publicNetworkAccess"] = "Disabled"
    return value


def _origin(made: Made) -> str:
    return (
        f"Read from the slots and tags of {count(len(made.all), 'snapshot')}; what tags it adds, and whether it passes "
        "over VMs with fresh recovery points, cannot be seen there."
    )
