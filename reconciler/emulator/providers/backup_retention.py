"""How long a recovery point lives, and whether one policy keeps less than another."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from reconciler.emulator.providers.backup_schedule import DAY, WEEKDAYS, Schedule, read_schedule

DAYS_PER = {"Days": 1, "Weeks": 7, "Months": 31, "Years": 366}
"""A month counts as 31 days (BP-18); a year as 366, so that no anniversary is lost."""

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
WEEKS = ("First", "Second", "Third", "Fourth", "Last")
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


def _month_length(day: date) -> int:
    first_of_next = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return first_of_next.toordinal() - date(day.year, day.month, 1).toordinal()


@dataclass(frozen=True)
class Tier:
    """Daily, weekly, monthly or yearly retention: which days it tags, and for how many days it keeps them."""

    days: int
    weekdays: frozenset[int] | None = None
    weeks: frozenset[str] | None = None
    dates: frozenset[int] | None = None
    last_date: bool = False
    months: frozenset[int] | None = None

    def tags(self, day: date) -> bool:
        if self.months is not None and day.month not in self.months:
            return False
        if self.dates is not None:
            return day.day in self.dates or (self.last_date and day.day == _month_length(day))
        if self.weekdays is not None and day.weekday() not in self.weekdays:
            return False
        return self.weeks is None or bool(self.weeks & _weeks_of(day))


def _weeks_of(day: date) -> set[str]:
    found = set(WEEKS[(day.day - 1) // 7 : (day.day - 1) // 7 + 1]) if day.day <= 28 else set()
    if day.day + 7 > _month_length(day):
        found.add("Last")
    return found


@dataclass(frozen=True)
class Retention:
    """The retention of one policy, in days everywhere."""

    schedule: Schedule
    instant_days: int
    tiers: Mapping[str, Tier]

    def expiry(self, scheduled: int, *, vaulted: bool) -> int:
        """When a point goes, as epoch seconds. A change of the policy moves it for points that exist too (BP-19)."""
        kept = [self.instant_days]
        if vaulted:
            day = date.fromordinal(self.schedule.day_of(scheduled) + _EPOCH_ORDINAL)
            kept += [tier.days for tier in self.tiers.values() if tier.tags(day)]
        return scheduled + max(kept) * DAY


def read_retention(properties: Mapping[str, Any]) -> Retention:
    """The retention of a policy body that has passed the rules and been filled in by the service."""
    policy = properties["retentionPolicy"]
    tiers = {}
    for name in ("daily", "weekly", "monthly", "yearly"):
        body = policy.get(f"{name}Schedule")
        if body:
            tiers[name] = _read_tier(body)
    return Retention(read_schedule(properties), int(properties["instantRpRetentionRangeInDays"]), tiers)


def _read_tier(body: Mapping[str, Any]) -> Tier:
    length = body["retentionDuration"]
    days = length["count"] * DAYS_PER[length["durationType"]]
    months = frozenset(MONTHS.index(month) + 1 for month in body["monthsOfYear"]) if "monthsOfYear" in body else None
    if body.get("retentionScheduleFormatType") == "Daily":
        dates = body["retentionScheduleDaily"]["daysOfTheMonth"]
        numbers = frozenset(entry["date"] for entry in dates if not entry.get("isLast"))
        return Tier(days, dates=numbers, last_date=any(entry.get("isLast") for entry in dates), months=months)
    weekly = body.get("retentionScheduleWeekly") or body
    weekdays = weekly.get("daysOfTheWeek")
    weeks = weekly.get("weeksOfTheMonth")
    return Tier(
        days,
        weekdays=frozenset(WEEKDAYS.index(day) for day in weekdays) if weekdays else None,
        weeks=frozenset(weeks) if weeks else None,
        months=months,
    )


def is_retention_reduced(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Does the new policy keep less? Instant restore lower, or a tier dropped or shorter in days (BP-81, BP-84)."""
    before, after = read_retention(old), read_retention(new)
    if after.instant_days < before.instant_days:
        return True
    return any(name not in after.tiers or after.tiers[name].days < tier.days for name, tier in before.tiers.items())


def is_protection_reduced(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """What a Resource Guard calls a reduction: less retention, or a longer gap between runs (BP-84, BP-85)."""
    longer_gap = read_schedule(new).longest_gap > read_schedule(old).longest_gap
    return longer_gap or is_retention_reduced(old, new)
