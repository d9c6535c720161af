"""Copies in another region: in order of creation, one at a time per disk, each of a snapshot that is kept (SN-12)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from reconciler.kinds.snapshot.coming import copied
from reconciler.kinds.snapshot.holdings import Series
from reconciler.kinds.snapshot.limits import Room
from reconciler.kinds.snapshot.survey import Survey
from reconciler.kinds.snapshot.wishes import Wish, group_missing
from reconciler.model.address import Address
from reconciler.model.resource import Resource
from reconciler.plan.finding import Severity


def copies_of(
    survey: Survey, room: Room, series: Series, wish: Wish, taken: Resource | None, held: Collection[datetime]
) -> list[Resource]:
    """The copies to start. `taken` is the snapshot of this plan, `held` the slots whose snapshots stay."""
    copy = wish.timetable.copy
    if copy is None or not wish.timetable.schedule.incremental or not _possible(survey, wish):
        return []
    there = series.copies.get(copy.region, [])
    if any(point.under_way for point in there):
        return []  # one at a time: the next run goes on
    done = (point.slot for point in there if not point.failed and not point.leaving)
    newest = max((slot for slot in done if slot <= survey.expansion.now), default=None)
    sources = _sources(series, wish, taken)
    slots = sorted(slot for slot in sources if slot in held and (newest is None or slot > newest))
    if newest is None:
        slots = slots[-1:]
    if not slots:
        return []
    refusal = room.copy(wish.machine.subscription, copy.region)
    if refusal:
        survey.remarks.add(refusal.remark(wish.timetable, "copyTo"), wish.machine.name)
        return []
    found: list[Resource] = []
    for slot in slots:
        before = found[-1].address if found else None
        found.append(copied(survey, wish, sources[slot], slot, newest, before))
        newest = slot
    return found


def _sources(series: Series, wish: Wish, taken: Resource | None) -> dict[datetime, Address]:
    """What can be copied, up to the first one that is not complete: order of creation is kept."""
    unfinished = min((point.slot for point in series.sources if point.under_way), default=None)
    found = {
        point.slot: point.address
        for point in series.sources
        if point.usable and point.facts.incremental and (unfinished is None or point.slot < unfinished)
    }
    if taken is not None and unfinished is None:
        found[wish.timetable.slot] = taken.address
    return found


def _possible(survey: Survey, wish: Wish) -> bool:
    copy, timetable = wish.timetable.copy, wish.timetable
    assert copy is not None
    group = copy.resource_group or wish.group
    if copy.region == wish.disk.location:
        remark = timetable.remark(
            "SN-12",
            f"copyTo is {copy.region}, where their disks are: no copies",
            "name another region, or give these VMs another schedule",
            "copyTo",
            severity=Severity.ERROR,
            rule_source="xrg",
        )
    elif survey.group_missing(wish.machine.subscription, group):
        remark = group_missing(timetable, wish.machine, group, copy.region, "copyTo")
    else:
        return True
    survey.remarks.add(remark, wish.machine.name)
    return False
