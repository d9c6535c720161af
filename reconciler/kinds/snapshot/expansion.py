"""Assignments and live snapshots → what is wanted of each of ours. Deleting is a wish of its own: what nobody speaks of
here is never touched, and neither is what could not be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from reconciler.kinds.base import Expansion
from reconciler.kinds.snapshot.holdings import Point, Series
from reconciler.kinds.snapshot.limits import Room
from reconciler.kinds.snapshot.prospect import Prospect, prospect
from reconciler.kinds.snapshot.reports import report
from reconciler.kinds.snapshot.survey import Survey
from reconciler.kinds.snapshot.wishes import Wish, wishes_of
from reconciler.model.counting import count
from reconciler.model.resource import Resource
from reconciler.plan.finding import Finding, Severity


def expand_snapshots(expansion: Expansion) -> Iterator[Resource | Finding]:
    """One resource for each snapshot of ours, those that are to be made included, then everything to be known."""
    survey = Survey.of(expansion)
    wishes = wishes_of(survey)
    room = Room(survey.holdings)
    for disk in sorted(survey.holdings.disks.keys() | wishes.keys()):
        prospects = prospects_of(survey, room, survey.holdings.disks.get(disk, {}), wishes.get(disk, {}))
        report(survey, disk, prospects)
        first = next((one.taken.address for one in prospects.values() if one.taken), None)
        for one in prospects.values():
            yield from one.resources(survey, first)
    yield from survey.remarks.findings()
    yield from _unmanaged(survey)


def prospects_of(
    survey: Survey, room: Room, held: Mapping[str, Series], wishes: Mapping[str, Wish]
) -> dict[str, Prospect]:
    """The prospects of one disk, by schedule; its last usable snapshot stays, whatever its schedule says."""
    found = {
        key: prospect(survey, room, key, held.get(key) or Series(), wishes.get(key))
        for key in sorted(held.keys() | wishes.keys())
    }
    every = list(found.values())
    if not any(one.taken for one in every):
        _spare_last(every, [point for one in every for point in one.series.sources])
    for region in {region for one in every for region in one.series.copies}:
        if not any(copy.location == region for one in every for copy in one.copies):
            _spare_last(every, list(chain.from_iterable(one.series.copies.get(region, ()) for one in every)))
    return found


def _spare_last(prospects: Sequence[Prospect], points: Sequence[Point]) -> None:
    """The newest usable one of these stays where all the others go."""
    usable = sorted((point for point in points if point.usable), key=lambda one: (one.slot, one.address))
    if not usable or any(all(point not in one.leaving for one in prospects) for point in usable):
        return
    for one in prospects:
        if usable[-1] in one.leaving:
            one.spare(usable[-1], "it is the last that a disk can be made from")


def _unmanaged(survey: Survey) -> Iterator[Finding]:
    for alias, number in sorted(survey.holdings.foreign.items()):
        yield Finding(
            code="unmanaged",
            message=f"subscription {alias} holds {count(number, 'snapshot')} without our tags; what others "
            "made is left as it is",
            severity=Severity.INFO,
            topic="unmanaged",
        )
    for address, why in sorted(survey.holdings.disputed.items()):
        yield Finding(
            code="snapshot-disputed",
            message=f"it carries our tags and is not ours: {why}; it is left as it is, and stands in for none",
            severity=Severity.WARNING,
            advice="somebody changed its tags, or a tool carried them over: set them right, or take them away",
            address=str(address),
        )
