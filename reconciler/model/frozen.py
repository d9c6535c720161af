"""Whether a freeze window is open at an instant, and until when.

A window is of wall time: an instant is in it if and only if the clocks of its zone show a time that is. So a window is
as long as its clocks say, an hour more or less in the nights when they change.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import get_args

from reconciler.model.freeze import Dates, Freeze, Weekday, Weekly
from reconciler.model.scope import Scope
from reconciler.model.time_zones import zone_info

WEEKDAYS: tuple[str, ...] = get_args(Weekday)
DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_CLOCKS_MOVE = timedelta(hours=3)
"""More than clocks are ever put forward or back."""
_STEPS = 5_000
"""Of the search for the end of a freeze: that of windows which cover every week is never found."""


@dataclass(frozen=True, slots=True)
class Frozen:
    """Why nothing is applied, and until when: aware, in the zone of the window; None where no end is in sight."""

    reason: str
    until: datetime | None

    @property
    def end(self) -> str:
        """`2026-12-05 00:00 CET (2026-12-04 23:00 UTC)`, for people."""
        if self.until is None:
            return "further notice"
        world = f"{self.until.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        here = f"{self.until:%Y-%m-%d %H:%M %Z}"
        return world if here == world else f"{here} ({world})"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of wall time: from `start`, up to `end` and without it. Both naive."""

    start: datetime
    end: datetime


def frozen(scope: Scope, now: datetime) -> Frozen | None:
    """Whether any window of the Scope is open at `now` (aware). One whose zone nobody knows never is: `validate` has
    refused it."""
    open_now = [freeze for freeze in scope.freeze if _left(freeze, scope, now)]
    if not open_now:
        return None
    reasons = "; ".join(dict.fromkeys(freeze.reason for freeze in open_now))
    end = _thaw(scope, now)
    zone = zone_info(zone_of(open_now[0], scope))
    return Frozen(reasons, end.astimezone(zone) if end else None)


def zone_of(freeze: Freeze, scope: Scope) -> str:
    """The name of the zone whose clocks a window goes by."""
    return freeze.time_zone or scope.defaults.time_zone


def spans(freeze: Freeze, wall: datetime) -> Iterator[Span]:
    """The stretches of a window that may hold this wall time (naive). Raises ValueError for a day that there is not."""
    if freeze.weekly:
        today = datetime.combine(wall.date(), time())
        yield from (_weekly(freeze.weekly, day) for day in (today - DAY, today) if _falls_on(freeze.weekly, day))
    if freeze.dates:
        yield dated(freeze.dates)


def dated(dates: Dates) -> Span:
    """From the first moment to the end. Raises ValueError for a day that there is not."""
    end = datetime.fromisoformat(dates.until)
    return Span(datetime.fromisoformat(dates.from_), end if "T" in dates.until else end + DAY)


def _weekly(weekly: Weekly, day: datetime) -> Span:
    start, end = day + _since_midnight(weekly.from_), day + _since_midnight(weekly.to)
    return Span(start, end if weekly.from_ < weekly.to else end + DAY)


def _falls_on(weekly: Weekly, day: datetime) -> bool:
    return WEEKDAYS[day.weekday()] in weekly.weekdays


def _since_midnight(text: str) -> timedelta:
    hours, minutes = text.split(":")
    return timedelta(hours=int(hours), minutes=int(minutes))


def _left(freeze: Freeze, scope: Scope, now: datetime) -> timedelta | None:
    """How much of the window is left by its own clocks; None where it is not open."""
    zone = zone_info(zone_of(freeze, scope))
    if zone is None:
        return None
    wall = now.astimezone(zone).replace(tzinfo=None)
    return max((span.end - wall for span in spans(freeze, wall) if span.start <= wall < span.end), default=None)


def _thaw(scope: Scope, now: datetime) -> datetime | None:
    """The first full minute after `now` (UTC) at which no window is open. By leaps while an end is far, then minute by
    minute, since clocks may be changed in between."""
    moment = now.astimezone(UTC).replace(second=0, microsecond=0)
    for _ in range(_STEPS):
        left = _longest(scope.freeze, scope, moment)
        if left is None:
            return moment
        moment += max(left - _CLOCKS_MOVE, _MINUTE)
    return None


def _longest(windows: Sequence[Freeze], scope: Scope, moment: datetime) -> timedelta | None:
    return max((left for item in windows if (left := _left(item, scope, moment))), default=None)
