"""The live snapshots, grouped once: ours by disk and schedule, and what all of them together leave room for."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from reconciler.kinds.snapshot.spec import NAME
from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.casing import fold
from reconciler.model.observed import SnapshotFacts
from reconciler.model.resource import Resource, State

BURST = timedelta(minutes=5)
"""The time in which a disk takes seven snapshots at most (SN-10)."""
_SETTLED = frozenset({"Succeeded", "Failed", "Deleting"})
_COMPLETE = 100.0


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """One of our snapshots that is there. One is no other, whatever they hold."""

    resource: Resource
    facts: SnapshotFacts
    slot: datetime

    @property
    def address(self) -> Address:
        return self.resource.address

    @property
    def leaving(self) -> bool:
        return self.facts.state == "Deleting"

    @property
    def failed(self) -> bool:
        return self.facts.state == "Failed" or bool(self.facts.copy_error)

    @property
    def usable(self) -> bool:
        """Whether a disk can surely be made from it: one that is being written to may yet be in the making."""
        return self.facts.usable and self.facts.state == "Succeeded"

    @property
    def under_way(self) -> bool:
        """Being made, changed, or copied in the background."""
        return self.facts.state not in _SETTLED or (self.facts.completion < _COMPLETE and not self.failed)


@dataclass(slots=True)
class Series:
    """The snapshots of one disk by one schedule: in its region, and copies by theirs."""

    sources: list[Point] = field(default_factory=list)
    copies: dict[str, list[Point]] = field(default_factory=dict)

    @property
    def points(self) -> Iterable[Point]:
        yield from self.sources
        for copies in self.copies.values():
            yield from copies


@dataclass(slots=True)
class Holdings:
    """All that one pass over the live snapshots brings. Disks are told apart by their folded uniqueId, schedules by
    their folded names; subscriptions are aliases."""

    disks: dict[str, dict[str, Series]] = field(default_factory=dict)
    foreign: Counter[str] = field(default_factory=Counter)
    disputed: dict[Address, str] = field(default_factory=dict)
    """Those that carry our tags and are not ours, with what speaks against it."""
    incrementals: Counter[str] = field(default_factory=Counter)
    recent: Counter[str] = field(default_factory=Counter)
    pending: Counter[str] = field(default_factory=Counter)
    copying: Counter[tuple[str, str]] = field(default_factory=Counter)
    copied_from: set[ArmId] = field(default_factory=set)
    """The sources of copies that are not complete."""

    def copied_to(self, disk: str, region: str) -> bool:
        """Whether a whole copy of a snapshot of this disk, by any schedule, is in the region: then the next one there
        is only what changed (SN-03)."""
        return any(
            point.usable
            for series in self.disks.get(fold(disk), {}).values()
            for point in series.copies.get(region, ())
        )

    @classmethod
    def of(cls, state: State, now: datetime) -> Holdings:
        found = cls()
        disks: dict[str, dict[str, Series]] = defaultdict(lambda: defaultdict(Series))
        for address, resource in state.items():
            facts = resource.observed
            if address.kind != NAME or not isinstance(facts, SnapshotFacts):
                continue
            found._count(address, resource, facts, now)
            if facts.slot is None:
                if facts.disputed:
                    found.disputed[address] = facts.disputed
                else:
                    found.foreign[address.subscription] += 1
                continue
            series = disks[fold(facts.disk_unique_id)][fold(facts.schedule)]
            point = Point(resource, facts, facts.slot)
            if facts.copy_of is None:
                series.sources.append(point)
            else:
                series.copies.setdefault(resource.location, []).append(point)
        found.disks.update({disk: dict(series) for disk, series in disks.items()})
        return found

    def _count(self, address: Address, resource: Resource, facts: SnapshotFacts, now: datetime) -> None:
        """What Azure counts, whoever made it."""
        disk = fold(facts.disk_unique_id)
        incomplete = facts.completion < _COMPLETE and facts.state != "Failed" and not facts.copy_error
        if facts.copy_of is not None:
            if incomplete:
                self.copying[fold(address.subscription), resource.location] += 1
                self.copied_from.add(facts.copy_of)
            return
        self.incrementals[disk] += facts.incremental
        self.recent[disk] += facts.created > now - BURST
        self.pending[disk] += incomplete
