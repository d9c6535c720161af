"""How many recovery points a policy keeps, and how many a change of policy prunes: exact, for one day.

A VM that has been protected long enough holds, under one policy, the points of the days that some tier still keeps. A
changed policy applies to the points that are there (BP-19): those that no tier of the new one keeps are pruned within
a day, all but the newest. VMs protected for a shorter time hold fewer: figures are "up to".
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache

from reconciler.model.retention import (
    DAYS_PER_MONTH,
    DAYS_PER_WEEK,
    DAYS_PER_YEAR,
    LAST_DAY,
    MONTHS,
    WEEKDAYS,
    WEEKS,
    Monthly,
    PolicyTerms,
    Schedule,
    Yearly,
)

LIMIT = 9999
"""Recovery points that Azure keeps for one VM (BP-18)."""


@lru_cache(maxsize=512)
def recovery_points(terms: PolicyTerms, today: date) -> int:
    """How many points one VM holds after a long time under `terms`, `today`'s included."""
    snapshots_only = (terms.schedule.starts_per_day - 1) * terms.instant_days
    return len(_kept(terms, _backup_days(terms.schedule), today)) + snapshots_only


@lru_cache(maxsize=512)
def pruned(before: PolicyTerms, after: PolicyTerms, today: date) -> int:
    """How many of one VM's points go when `after` replaces `before`: at most, and exactly in the steady state."""
    made_on = _backup_days(before.schedule)
    there = _kept(before, made_on, today)
    gone = there - _kept(after, made_on, today) - {max(there, default=0)}
    lost_days = max(0, before.instant_days - after.instant_days)
    return len(gone) + (before.schedule.starts_per_day - 1) * lost_days


@lru_cache(maxsize=512)
def lapsed(terms: PolicyTerms, newest: date, today: date) -> int:
    """How many points of one VM, whose last one is of `newest` and which were kept for ever since, go when `terms`
    apply to them again: those whose time ran out meanwhile, all but the newest. Points that an earlier policy kept for
    longer come on top: Azure does not say which one that was."""
    made_on = _backup_days(terms.schedule)
    there = _kept(terms, made_on, newest)
    due = max(newest, today - timedelta(days=1))  # today's backup may be still to come
    return len(there - _kept(terms, made_on, due) - {max(there, default=0)})


def _backup_days(schedule: Schedule) -> frozenset[int]:
    if schedule.frequency != "Weekly":
        return frozenset(range(DAYS_PER_WEEK))
    return frozenset(WEEKDAYS.index(day) for day in schedule.weekdays)


def _kept(terms: PolicyTerms, made_on: frozenset[int], today: date) -> set[int]:
    """The days (ordinals) whose vaulted point some tier still keeps; a point expires when it is as old as its tier."""
    newest = today.toordinal()
    retention = terms.retention
    span = max(terms.instant_days, retention.daily.days if retention.daily else 0)
    kept = set(_recent(newest, span))
    if retention.weekly:
        wanted = {WEEKDAYS.index(day) for day in retention.weekly.weekdays}
        days = _recent(newest, retention.weekly.weeks * DAYS_PER_WEEK)
        kept.update(day for day in days if _weekday(day) in wanted)
    if retention.monthly:
        kept.update(_chosen(retention.monthly, _recent(newest, retention.monthly.months * DAYS_PER_MONTH), today))
    if retention.yearly:
        kept.update(_chosen(retention.yearly, _recent(newest, retention.yearly.years * DAYS_PER_YEAR), today))
    return {day for day in kept if _weekday(day) in made_on}


def _recent(newest: int, days: int) -> range:
    return range(newest - days + 1, newest + 1)


def _weekday(ordinal: int) -> int:
    return (ordinal + 6) % DAYS_PER_WEEK


def _chosen(tier: Monthly | Yearly, kept: range, today: date) -> Iterator[int]:
    """The days that a tier names, from this month back to as far as it keeps any."""
    wanted = {MONTHS.index(month) + 1 for month in tier.months} if isinstance(tier, Yearly) else set(range(1, 13))
    for index in range(12 * today.year + today.month - 1, 12, -1):
        year, month = index // 12, index % 12 + 1
        first, length = date(year, month, 1).toordinal(), monthrange(year, month)[1]
        if first + length <= kept.start:
            return
        if month in wanted:
            yield from (first + day - 1 for day in _days(tier, first, length) if first + day - 1 in kept)


def _days(tier: Monthly | Yearly, first: int, length: int) -> Iterator[int]:
    """The days of one month that a tier names; `first` is the ordinal of its first day."""
    if tier.days:
        named = (length if day == LAST_DAY else int(day) for day in tier.days)
        yield from (day for day in named if day <= length)
        return
    weekdays = [WEEKDAYS.index(name) for name in tier.weekdays]
    for day in range(1, length + 1):
        if _weekday(first + day - 1) in weekdays:
            number = (day - 1) // DAYS_PER_WEEK
            is_last = day + DAYS_PER_WEEK > length and WEEKS[-1] in tier.weeks
            if is_last or (number < len(WEEKS) - 1 and WEEKS[number] in tier.weeks):
                yield day
