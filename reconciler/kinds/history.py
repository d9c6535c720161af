"""What our own snapshots and restore points tell of the schedule that made them: their slots and the retention in their
tags. The cadence is in no tag; it is read from slots that follow each other, and only where none can be missing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec

from reconciler.model.keeping import parse_keep
from reconciler.model.slots import ANCHOR
from reconciler.model.snapshot_schedule import Keep

_DENSE = 3
"""The newest slots that must be there, one after the other: fewer say nothing of the cadence."""
_HOUR = timedelta(hours=1)
_LONGEST = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Taken:
    """A snapshot or restore point: its slot, and the retention it was made under, as JSON."""

    slot: datetime
    keep: str


def rhythm(taken: Iterable[Taken]) -> dict[str, Any] | str:
    """`every`, `offset` and `keep` of the schedule that made all these, or why they do not tell."""
    newest_first = sorted(taken, key=lambda one: one.slot, reverse=True)
    keep = parse_keep(newest_first[0].keep)
    if keep is None:
        return "the retention that its newest one was made under is in no tag of it"
    slots = sorted({one.slot for one in newest_first}, reverse=True)[:_DENSE]
    gaps = {later - earlier for later, earlier in pairwise(slots)}
    if len(slots) < _DENSE or len(gaps) != 1:
        return f"its cadence cannot be read from its newest slots: {_DENSE} that follow each other are needed"
    (every,) = gaps
    if not _dense(keep, every):
        return "its retention lets go of snapshots between those that are there, so their slots do not tell its cadence"
    if every % _HOUR or not _HOUR <= every <= _LONGEST:
        return f"its slots are {every} apart, and a schedule counts whole hours, up to 30 days"
    offset = (slots[0] - ANCHOR) % every
    if offset % timedelta(minutes=1):
        return "its slots do not begin at a whole minute"
    found: dict[str, Any] = {"every": spell(every)}
    if offset:
        found["offset"] = spell(offset)
    return {**found, "keep": msgspec.to_builtins(keep)}


def _dense(keep: Keep, every: timedelta) -> bool:
    """Whether the newest slots are all still there: by number, as rules for hours and days hold one of several."""
    return (keep.count or 0) >= _DENSE or (bool(keep.hourly and keep.hourly >= _DENSE) and every >= _HOUR)


def spell(span: timedelta) -> str:
    """`6h`, `1d`, `2w`: in the largest unit that counts it whole."""
    for unit, length in (("w", timedelta(weeks=1)), ("d", timedelta(days=1)), ("h", _HOUR)):
        if span % length == timedelta():
            return f"{span // length}{unit}"
    return f"{span // timedelta(minutes=1)}m"
