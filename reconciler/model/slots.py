"""The slots of a schedule: the moments at which snapshots are due, the same for everybody at all times.

They are counted from Monday, 1970-01-05T00:00Z, so that slots of whole days begin at midnight UTC and those of weeks on
Mondays; `offset` moves them. A snapshot carries its slot as a tag (`2026-11-22T06:00Z`) and in its name
(`20261122T0600Z`): two runs within one slot ask for the same snapshot, and cannot take two.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from reconciler.model.duration import parse_duration
from reconciler.model.snapshot_schedule import SnapshotSchedule

ANCHOR = datetime(1970, 1, 5, tzinfo=UTC)
"""A Monday; slots before it count as well."""
_TAG = "%Y-%m-%dT%H:%MZ"
_LABEL = "%Y%m%dT%H%MZ"


@dataclass(frozen=True, slots=True)
class Missed:
    """Slots that passed without a snapshot: how many, the first and the last of them."""

    count: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class Cadence:
    """How often, and how far slots are moved. `every` is positive. Times are aware, answers are UTC."""

    every: timedelta
    offset: timedelta = timedelta()

    @classmethod
    def of(cls, schedule: SnapshotSchedule) -> Cadence:
        """The cadence that a schedule declares."""
        return cls(parse_duration(schedule.every), parse_duration(schedule.offset) if schedule.offset else timedelta())

    def slot(self, now: datetime) -> datetime:
        """The slot that `now` lies in: the latest that has begun."""
        start = ANCHOR + self.offset
        return start + (now - start) // self.every * self.every

    def missed(self, newest: datetime, now: datetime) -> Missed | None:
        """The slots after `newest` that were over before the one of `now` began. `newest` may lie between two slots, as
        it does after the cadence was changed. They are counted, not listed: there may be thousands."""
        current = self.slot(now)
        first = self.slot(newest) + self.every
        if first >= current:
            return None
        return Missed((current - first) // self.every, first, current - self.every)


def spell_slot(slot: datetime) -> str:
    """As in tags: `2026-11-22T06:00Z`."""
    return slot.astimezone(UTC).strftime(_TAG)


def parse_slot(text: str) -> datetime | None:
    """The slot that `spell_slot` wrote; None for anything else: then somebody else wrote it."""
    return _parse(text, _TAG)


def slot_label(slot: datetime) -> str:
    """As in names, where Azure takes no colon: `20261122T0600Z`."""
    return slot.astimezone(UTC).strftime(_LABEL)


def parse_label(text: str) -> datetime | None:
    """The slot that `slot_label` wrote, in any casing; None for anything else."""
    return _parse(text.upper(), _LABEL)


def _parse(text: str, form: str) -> datetime | None:
    try:
        found = datetime.strptime(text, form).replace(tzinfo=UTC)
    except ValueError:
        return None
    return found if found.strftime(form) == text else None  # strptime takes 2026-1-2, too
