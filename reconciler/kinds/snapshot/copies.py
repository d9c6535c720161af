"""Copies in another region: in order of creation, one at a time per disk, each of a snapshot that is kept (SN-12)."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from datetime import datetime

from reconciler.kinds.obstacle import Obstacle
from reconciler.kinds.snapshot.coming import copied
from reconciler.kinds.snapshot.holdings import Series
from reconciler.kinds.snapshot.limits import Room
from reconciler.kinds.snapshot.survey import Survey
from reconciler.kinds.snapshot.wishes import Wish, group_obstacle
from reconciler.model.address import Address
from reconciler.model.resource import Resource
from reconciler.model.snapshot_schedule import CopyTo


def copies_of(
    survey: Survey, room: Room, series: Series, wish: Wish, taken: Resource | None, held: Collection[datetime]
) -> list[Resource]:
    """The copies to start; the newest alone, with an `obstacle`, where Azure as it is forbids them. `taken` is the
    snapshot of this plan, `held` the slots whose snapshots stay."""
    copy = wish.timetable.copy
    if copy is None or not wish.timetable.schedule.incremental:
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
    obstacle = _obstacle(survey, wish, copy)
    if obstacle:
        newest_copy = copied(survey, wish, sources[slots[-1]], slots[-1], newest, None)
        return [dataclasses.replace(newest_copy, observed=dataclasses.replace(newest_copy.observed, obstacle=obstacle))]
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


def _obstacle(survey: Survey, wish: Wish, copy: CopyTo) -> Obstacle | None:
    if copy.region == wish.disk.location:
        return Obstacle(
            f"copyTo of schedule {wish.timetable.name} is {copy.region}, where the disk is, and Azure copies to other "
            "regions (SN-12)",
            "name another region, or give these VMs another schedule",
        )
    return group_obstacle(survey, wish.machine, copy.resource_group or wish.group, copy.region)
