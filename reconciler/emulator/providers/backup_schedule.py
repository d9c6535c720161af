"""When a policy runs: the schedule of a backup policy as arithmetic on epoch seconds.

Times of day in a policy are local to its Windows time zone although they are written with a `Z` (BP-02). The service
does not follow daylight saving (BP-08), so a zone is one fixed offset: its standard time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from tzlocal.windows_tz import win_tz

from reconciler.emulator.providers.backup_times import parse_time

DAY = 86400
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_FIRST_WEEKDAY = 3  # 1970-01-01 was a Thursday


@lru_cache(maxsize=256)
def standard_offset(windows_zone: str) -> int:
    """Seconds east of UTC of a Windows time zone's standard time. Raises KeyError for an unknown id."""
    if windows_zone == "UTC":
        return 0
    zone = ZoneInfo(win_tz[windows_zone])
    january = datetime(2024, 1, 15, tzinfo=UTC).astimezone(zone)
    july = datetime(2024, 7, 15, tzinfo=UTC).astimezone(zone)
    standard = january if not january.dst() else july
    return int((standard.utcoffset() or timedelta()).total_seconds())


def weekday_of(day: int) -> int:
    """Monday is 0; `day` counts from 1970-01-01."""
    return (day + _FIRST_WEEKDAY) % 7


@dataclass(frozen=True)
class Schedule:
    """One policy's runs. `starts` are seconds after local midnight; a run of an hourly window may pass midnight."""

    offset: int
    starts: tuple[int, ...]
    weekdays: frozenset[int]

    def runs(self, after: int, until: int) -> list[int]:
        """Scheduled instants in (after, until], ascending, as epoch seconds."""
        first_day = (after + self.offset - self.starts[-1]) // DAY
        last_day = (until + self.offset) // DAY
        found = []
        for day in range(first_day, last_day + 1):
            if weekday_of(day) in self.weekdays:
                midnight = day * DAY - self.offset
                found += [midnight + start for start in self.starts if after < midnight + start <= until]
        return found

    def next_run(self, after: int) -> int:
        """The first run later than `after`."""
        return self.runs(after, after + 8 * DAY)[0]

    def day_of(self, scheduled: int) -> int:
        """The local day (from 1970-01-01) of the window that a run belongs to."""
        day, second = divmod(scheduled + self.offset, DAY)
        return day if second >= self.starts[0] else day - 1

    def is_vaulted(self, scheduled: int) -> bool:
        """Of several runs in a window only the last goes to the vault; the others stay snapshots (BP-10)."""
        return len(self.starts) == 1 or scheduled + self.offset - self.day_of(scheduled) * DAY == self.starts[-1]

    @property
    def longest_gap(self) -> int:
        """Seconds between two runs at worst: the recovery point objective that the schedule can promise."""
        days = sorted(self.weekdays)
        week = [day * DAY + start for day in days for start in self.starts]
        return max(b - a for a, b in zip(week, [*week[1:], week[0] + 7 * DAY], strict=True))


def read_schedule(properties: Mapping[str, Any]) -> Schedule:
    """The schedule of a policy body that has passed the rules."""
    policy = properties["schedulePolicy"]
    offset = standard_offset(properties.get("timeZone") or "UTC")
    every_day = frozenset(range(7))
    if policy["scheduleRunFrequency"] == "Hourly":
        hourly = policy["hourlySchedule"]
        first = second_of_day(hourly["scheduleWindowStartTime"])
        step, length = hourly["interval"] * 3600, hourly["scheduleWindowDuration"] * 3600
        return Schedule(offset, tuple(first + n for n in range(0, min(length, DAY - 1) + 1, step)), every_day)
    nested = policy.get("dailySchedule") or policy.get("weeklySchedule") or policy
    days = nested.get("scheduleRunDays") if policy["scheduleRunFrequency"] == "Weekly" else None
    weekdays = frozenset(WEEKDAYS.index(day) for day in days) if days else every_day
    return Schedule(offset, (second_of_day(nested["scheduleRunTimes"][0]),), weekdays)


def second_of_day(text: str) -> int:
    """Only the time of day of a policy's instants means anything; the date is that of the policy's creation."""
    moment = parse_time(text)
    return moment.hour * 3600 + moment.minute * 60 + moment.second
