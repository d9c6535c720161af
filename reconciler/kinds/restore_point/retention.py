"""Which live restore points of a VM stay, and which go: decided over all of its collections at once.

Deletion is a positive wish: a point that is not named here is never touched. Nothing is named where anything about the
VM could not be read, nor where the schedule that took the point is not declared any longer.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from reconciler.kinds.restore_point.due import facts_of
from reconciler.kinds.restore_point.spec import Due, Expiry
from reconciler.model.casing import fold
from reconciler.model.document import Document
from reconciler.model.keeping import NEWEST, kept, parse_keep, say
from reconciler.model.resource import Ref, Resource
from reconciler.model.slots import spell_slot
from reconciler.model.snapshot_schedule import Keep, SnapshotSchedule

Schedules = Mapping[str, Document[SnapshotSchedule]]


@dataclass(frozen=True, slots=True)
class Group:
    """The live points of one VM that one schedule took. `taken` is the one that this plan takes, if any."""

    schedule: Document[SnapshotSchedule] | None
    points: tuple[Resource, ...]
    taken: Resource | None
    now: datetime

    @property
    def slots(self) -> list[datetime]:
        """What retention is judged over: what can be restored, and what this plan adds."""
        held = [slot for one in self.points if facts_of(one).usable and (slot := facts_of(one).slot)]
        return [*held, self.taken.observed.slot] if self.taken else held

    def held(self, keep: Keep) -> dict[datetime, tuple[str, ...]]:
        """The slots that `keep` holds, each with its rules."""
        return kept(keep, self.slots, self.now)


def settle(points: Sequence[Resource], taken: Resource | None, schedules: Schedules, now: datetime) -> list[Resource]:
    """The desired side of the live `points` of one VM: present or expired, each as it is to be.

    The newest usable point of a VM is never expired, unless `taken` is there and its taking is waited for.
    """
    stays: list[Resource] = []
    goes: list[tuple[Resource, Expiry]] = []
    newest: list[tuple[Resource, Expiry]] = []
    for group in _groups(points, taken, schedules, now):
        for one, expiry, only_newest in _judge_group(group):
            if expiry is None:
                stays.append(one)
            else:
                (newest if only_newest else goes).append((one, expiry))
    usable = [one for one in (*stays, *(one for one, _ in newest)) if facts_of(one).usable]
    last = max([*map(_slot, usable), *([taken.observed.slot] if taken else [])], default=now)
    for one, expiry in newest:
        if _slot(one) < last:
            goes.append((one, expiry))
        else:
            stays.append(one)
    waits_for = Ref.of(taken.address) if taken else None
    return [*stays, *(_expired(one, expiry, waits_for) for one, expiry in goes)]


def _groups(points: Sequence[Resource], taken: Resource | None, schedules: Schedules, now: datetime) -> Iterator[Group]:
    """Points that others made (no slot), that are going already, the one that is taken again, and those of slots that
    have not begun, which a wrong clock took, are in none."""
    found: dict[str, list[Resource]] = defaultdict(list)
    for one in points:
        facts = facts_of(one)
        again = taken is not None and one.address == taken.address
        begun = facts.slot is not None and facts.slot <= now
        if begun and facts.state.lower() != "deleting" and not again:
            found[fold(facts.schedule)].append(one)
    due: Due | None = taken.observed if taken else None
    for name in sorted(found):
        own = due is not None and fold(due.schedule) == name
        yield Group(schedules.get(name), tuple(found[name]), taken if own else None, now)


def _judge_group(group: Group) -> Iterator[tuple[Resource, Expiry | None, bool]]:
    """Each point, why it would go (None: it stays), and whether it stays all the same while it is the VM's last."""
    if group.schedule is None:
        yield from ((one, None, False) for one in group.points)
        return
    name, keep = group.schedule.name, group.schedule.value.keep
    keeps, held = say(keep), group.held(keep)
    for one in group.points:
        facts, rules = facts_of(one), held.get(_slot(one), ())
        if facts.state.lower() == "failed":
            why = f"slot {spell_slot(_slot(one))} failed: nothing can be restored from it"
            yield one, Expiry(why=why, keeps=keeps, failed=True), False
        elif not facts.usable or (rules and rules != (NEWEST,)):
            yield one, None, False
        else:
            earlier = parse_keep(facts.keep)
            pruned = earlier is not None and earlier != keep and _slot(one) in group.held(earlier)
            now = "keeps less than when it was taken:" if pruned else "keeps"
            why = f"{'' if pruned else 'retention has ended: '}schedule {name} {now} {keeps}"
            expiry = Expiry(why=why, keeps=keeps, pruned=pruned)
            yield one, expiry, rules == (NEWEST,)


def _slot(resource: Resource) -> datetime:
    """Of a point that is ours."""
    slot = facts_of(resource).slot
    assert slot is not None
    return slot


def _expired(live: Resource, expiry: Expiry, waits_for: Ref | None) -> Resource:
    spec = msgspec.structs.replace(live.spec, state="expired", waits_for=waits_for)
    return dataclasses.replace(live, spec=spec, observed=expiry)
