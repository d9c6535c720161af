"""What a backup policy promises, as plain numbers: how often, how long.

Kinds share it because what a policy keeps decides what changing the policy, or moving a VM to another one, costs.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Literal

import msgspec

from reconciler.model.counting import count

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
"""In the order of `date.weekday()`."""
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
WEEKS = ("First", "Second", "Third", "Fourth", "Last")
LAST_DAY = "last"

DAYS_PER_WEEK = 7
DAYS_PER_MONTH = 31
"""A month counts as 31 days: 12 months are 372 (BP-18)."""
DAYS_PER_YEAR = 366
"""A year counts as its longest, so that the point of the same day a year ago is still there."""

_UNITS = {"weekly": (DAYS_PER_WEEK, "week"), "monthly": (DAYS_PER_MONTH, "month"), "yearly": (DAYS_PER_YEAR, "year")}


class Schedule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """When backups start. `time` is HH:MM local to `time_zone` (a Windows id); hourly windows begin at it.

    `interval_hours` and `duration_hours` are 0 unless the frequency is Hourly; `weekdays` is empty unless it is Weekly.
    """

    frequency: Literal["Hourly", "Daily", "Weekly"]
    time: str
    weekdays: tuple[str, ...] = ()
    interval_hours: int = 0
    duration_hours: int = 0
    time_zone: str

    @property
    def starts_per_day(self) -> int:
        """Backups on a day that has any."""
        if self.frequency != "Hourly" or self.interval_hours <= 0:
            return 1
        return min(self.duration_hours, 23) // self.interval_hours + 1

    @property
    def longest_gap_hours(self) -> int:
        """The longest time from one backup to the next: the best RPO that this schedule can keep (BP-07)."""
        if self.frequency == "Hourly":
            return max(self.interval_hours, 24 - (self.starts_per_day - 1) * self.interval_hours)
        if self.frequency == "Daily":
            return 24
        days = sorted(WEEKDAYS.index(day) for day in self.weekdays) or [0]
        return 24 * max(later - earlier for earlier, later in pairwise([*days, days[0] + DAYS_PER_WEEK]))


class Daily(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The point of each day is kept this long."""

    days: int


class Weekly(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The points of these weekdays are kept this long."""

    weeks: int
    weekdays: tuple[str, ...]


class Monthly(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The points of these days of a month, or of these weekdays of these weeks of it, are kept this long.

    `days` holds numbers as text and `last`.
    """

    months: int
    days: tuple[str, ...] = ()
    weeks: tuple[str, ...] = ()
    weekdays: tuple[str, ...] = ()


class Yearly(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """As Monthly, in these months only."""

    years: int
    months: tuple[str, ...]
    days: tuple[str, ...] = ()
    weeks: tuple[str, ...] = ()
    weekdays: tuple[str, ...] = ()


class Retention(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How long points in the vault live: as long as the longest tier that names them."""

    daily: Daily | None = None
    weekly: Weekly | None = None
    monthly: Monthly | None = None
    yearly: Yearly | None = None

    @property
    def in_days(self) -> dict[str, int]:
        """Each tier's length in days; a tier that is not there is not in it."""
        lengths: dict[str, int] = {}
        if self.daily:
            lengths["daily"] = self.daily.days
        if self.weekly:
            lengths["weekly"] = self.weekly.weeks * DAYS_PER_WEEK
        if self.monthly:
            lengths["monthly"] = self.monthly.months * DAYS_PER_MONTH
        if self.yearly:
            lengths["yearly"] = self.yearly.years * DAYS_PER_YEAR
        return lengths


class PolicyTerms(msgspec.Struct, frozen=True, kw_only=True):
    """`observed` of every `backup_policy` resource, desired or live: what it promises, for those who depend on it."""

    tier: Literal["Standard", "Enhanced"]
    schedule: Schedule
    retention: Retention
    instant_days: int
    crash_consistent: bool = False
    archives: bool = False
    """Old points move to the archive tier (BP-29)."""


class TermChange(msgspec.Struct, frozen=True, kw_only=True):
    """One way in which two policies promise different things. `tier` is daily, weekly, monthly, yearly, instantRestore
    (days) or schedule (hours between backups); 0 means that a tier is not there."""

    tier: str
    before: int
    after: int

    @property
    def of_retention(self) -> bool:
        """False for the time between backups: immutable vaults allow a longer one (BP-81), Resource Guards do not."""
        return self.tier != "schedule"

    def __str__(self) -> str:
        if self.tier == "schedule":
            return f"up to {self.after} h between backups instead of {self.before} h"
        name = "instant restore" if self.tier == "instantRestore" else f"{self.tier} retention"
        if not self.before:
            return f"{name} of {self._length(self.after)} added"
        if not self.after:
            return f"{name} of {self._length(self.before)} dropped"
        return f"{name} {self._length(self.before)} → {self._length(self.after)}"

    def _length(self, days: int) -> str:
        """In the unit that the policies write."""
        if self.tier not in _UNITS:
            return f"{days} d"
        size, noun = _UNITS[self.tier]
        return count(days // size, noun)


def reductions(before: PolicyTerms, after: PolicyTerms) -> tuple[TermChange, ...]:
    """Everything in which `after` promises less than `before` (BP-84), tiers compared in days.

    Empty means that nothing is reduced. Immutable vaults refuse those with `of_retention` (BP-81); a Resource Guard
    guards all of them (BP-85).
    """
    return tuple(
        change
        for change in _changes(before, after)
        if (change.after > change.before if change.tier == "schedule" else change.after < change.before)
    )


def increases(before: PolicyTerms, after: PolicyTerms) -> tuple[TermChange, ...]:
    """Everything in which `after` promises more than `before`."""
    return tuple(change for change in _changes(before, after) if change not in reductions(before, after))


def _changes(before: PolicyTerms, after: PolicyTerms) -> Iterator[TermChange]:
    old, new = before.retention.in_days, after.retention.in_days
    old["instantRestore"], new["instantRestore"] = before.instant_days, after.instant_days
    old["schedule"], new["schedule"] = before.schedule.longest_gap_hours, after.schedule.longest_gap_hours
    for tier in ("daily", "weekly", "monthly", "yearly", "instantRestore", "schedule"):
        if old.get(tier, 0) != new.get(tier, 0):
            yield TermChange(tier=tier, before=old.get(tier, 0), after=new.get(tier, 0))
