"""Which of our snapshots have to go, and whether anybody may have counted on them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from reconciler.kinds.snapshot.holdings import Point
from reconciler.kinds.snapshot.survey import Survey
from reconciler.kinds.snapshot.timetable import Timetable
from reconciler.model.keeping import kept, parse_keep, say
from reconciler.model.observed import SnapshotFacts


@dataclass(frozen=True, slots=True)
class Expiry:
    """`observed` of a snapshot that must go. `pruned`: the schedule kept more when it was made, and would keep it
    still. `failed`: there is nothing in it. `copy` is the ARM id of its copy in another region, where there may be
    one."""

    facts: SnapshotFacts
    slot: datetime
    schedule: str
    keeps: str
    pruned: bool = False
    failed: bool = False
    copy: str = ""


def expired(
    survey: Survey, timetable: Timetable, points: Sequence[Point], coming: Iterable[datetime]
) -> dict[Point, Expiry]:
    """What neither the schedule holds nor is on its way. `coming` are the slots that this plan adds.

    Failed snapshots count for nothing: none is held because of one, and they go themselves. Those of a slot that has
    not begun, which a wrong clock took, count for nothing and stay.
    """
    points = [point for point in points if point.slot <= survey.expansion.now]
    alive = [point for point in points if not point.failed and not point.leaving]
    slots = {point.slot for point in alive}
    held = survey.held(timetable.keep, slots.union(coming))
    settled = [point for point in points if not point.leaving and not point.under_way]
    gone = [point for point in settled if point.failed or point.slot not in held]
    pruned = set(_pruned(survey, timetable, [point for point in gone if not point.failed], alive))
    keeps = say(timetable.keep)
    return {
        point: Expiry(point.facts, point.slot, timetable.name, keeps, point in pruned, point.failed) for point in gone
    }


def _pruned(survey: Survey, timetable: Timetable, gone: list[Point], alive: list[Point]) -> Iterator[Point]:
    """Those that would be there still if the schedule had not been changed.

    A snapshot tells the retention it was made under. Once newer ones were made under today's, the change has been let
    through: what was held when that happened runs out by time, like any other.
    """
    suspects = [point for point in gone if point.facts.keep != timetable.keep_tag]
    if not suspects:
        return
    slots = {point.slot for point in alive}
    since = _in_force_since(alive, timetable.keep_tag)
    ordinary = kept(timetable.keep, [slot for slot in slots if slot <= since], since) if since else {}
    for point in suspects:
        before = parse_keep(point.facts.keep)
        if before and point.slot in survey.held(before, slots) and point.slot not in ordinary:
            yield point


def _in_force_since(alive: list[Point], keep_tag: str) -> datetime | None:
    """The oldest slot of the newest snapshots that were all made under this retention."""
    since = None
    for point in sorted(alive, key=lambda one: one.slot, reverse=True):
        if point.facts.keep != keep_tag:
            break
        since = point.slot
    return since
