"""Freeze windows are of wall time: what the clocks of their zone show decides, also in the nights when they change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from reconciler.model.freeze import Dates, Freeze, Weekly
from reconciler.model.frozen import WEEKDAYS, Frozen, frozen
from reconciler.model.scope import Defaults, Scope
from reconciler.model.time_zones import zone_info

ZONES = ("UTC", "Europe/Amsterdam", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia")
FRIDAYS = Freeze(reason="no Fridays", weekly=Weekly(weekdays=("Friday",), from_="12:00"), time_zone="Europe/Amsterdam")
CHRISTMAS = Freeze(reason="Christmas", dates=Dates(from_="2026-12-18", until="2027-01-04"))
NIGHT = Freeze(reason="nights", weekly=Weekly(weekdays=("Saturday",), from_="22:00", to="06:00"))


def scope(*windows: Freeze, zone: str = "UTC") -> Scope:
    return Scope(subscriptions={}, freeze=windows, defaults=Defaults(time_zone=zone))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("window", "zone", "now", "end"),
    [
        (FRIDAYS, "UTC", "2026-11-27T10:59:59", None),
        (FRIDAYS, "UTC", "2026-11-27T11:00", "2026-11-28 00:00 CET (2026-11-27 23:00 UTC)"),
        (FRIDAYS, "UTC", "2026-11-27T22:59:59", "2026-11-28 00:00 CET (2026-11-27 23:00 UTC)"),
        (FRIDAYS, "UTC", "2026-11-27T23:00", None),
        (CHRISTMAS, "UTC", "2026-12-17T23:59", None),
        (CHRISTMAS, "UTC", "2026-12-18T00:00", "2027-01-05 00:00 UTC"),
        (CHRISTMAS, "UTC", "2027-01-04T23:59", "2027-01-05 00:00 UTC"),
        (CHRISTMAS, "UTC", "2027-01-05T00:00", None),
        (CHRISTMAS, "Pacific Standard Time", "2027-01-05T07:59", "2027-01-05 00:00 PST (2027-01-05 08:00 UTC)"),
        (NIGHT, "UTC", "2026-11-28T21:59", None),
        (NIGHT, "UTC", "2026-11-29T05:59", "2026-11-29 06:00 UTC"),
        (NIGHT, "UTC", "2026-11-29T06:00", None),
        (NIGHT, "UTC", "2026-11-29T22:00", None),
        (NIGHT, "Europe/Amsterdam", "2026-03-28T22:00", "2026-03-29 06:00 CEST (2026-03-29 04:00 UTC)"),  # an hour less
        (NIGHT, "Europe/Amsterdam", "2026-10-24T21:00", "2026-10-25 06:00 CET (2026-10-25 05:00 UTC)"),  # an hour more
        (NIGHT, "no/where", "2026-11-29T05:59", None),
    ],
)
def test_when_a_window_is_open_and_until_when(window: Freeze, zone: str, now: str, end: str | None) -> None:
    found = frozen(scope(window, zone=zone), at(now))
    assert (found.end if found else None) == end


def test_an_end_that_the_clocks_leave_out_is_the_moment_of_the_change() -> None:
    gone = Freeze(reason="until half past two", weekly=Weekly(weekdays=("Sunday",), to="02:30"))
    found = frozen(scope(gone, zone="Europe/Amsterdam"), at("2026-03-29T00:30"))
    assert found
    assert found.end == "2026-03-29 03:00 CEST (2026-03-29 01:00 UTC)"


def test_windows_that_follow_each_other_are_one_freeze_and_all_reasons_are_told() -> None:
    saturday = Freeze(reason="weekend", weekly=Weekly(weekdays=("Saturday", "Sunday")), time_zone="Europe/Amsterdam")
    late = Freeze(reason="release", dates=Dates(from_="2026-11-27T12:00", until="2026-11-27T15:00"))
    found = frozen(scope(FRIDAYS, saturday, late), at("2026-11-27T13:00"))
    assert found == Frozen("no Fridays; release", at("2026-11-29T23:00"))


def test_a_freeze_without_an_end() -> None:
    found = frozen(
        scope(Freeze(reason="never", weekly=msgspec.convert({"weekdays": WEEKDAYS}, Weekly))), at("2026-11-27T13:00")
    )
    assert found == Frozen("never", None)
    assert found
    assert found.end == "further notice"


clock = st.integers(0, 24 * 60 - 1).map(lambda minutes: f"{minutes // 60:02d}:{minutes % 60:02d}")
moments = st.integers(0, 2 * 365 * 24 * 60).map(lambda minutes: at("2026-01-01T00:00") + timedelta(minutes=minutes))
weeks = st.builds(
    Weekly,
    weekdays=st.lists(st.sampled_from(WEEKDAYS), min_size=1, max_size=5, unique=True).map(tuple),
    from_=clock,
    to=clock | st.just("24:00"),
)


@given(weeks, st.sampled_from(ZONES), moments)
@example(Weekly(weekdays=("Sunday",), from_="02:15", to="02:45"), "Europe/Amsterdam", at("2026-03-29T01:30"))
@example(Weekly(weekdays=("Sunday",), from_="02:15", to="02:45"), "Europe/Amsterdam", at("2026-10-25T01:30"))
def test_an_instant_is_in_a_window_if_and_only_if_its_wall_time_is(weekly: Weekly, zone: str, now: datetime) -> None:
    assume(weekly.from_ != weekly.to)
    found = frozen(scope(Freeze(reason="law", weekly=weekly, time_zone=zone)), now)
    wall = now.astimezone(zone_info(zone))
    shown, today, yesterday = f"{wall:%H:%M}", WEEKDAYS[wall.weekday()], WEEKDAYS[wall.weekday() - 1]
    if weekly.from_ < weekly.to:
        inside = today in weekly.weekdays and weekly.from_ <= shown < weekly.to
    else:
        inside = (today in weekly.weekdays and weekly.from_ <= shown) or (
            yesterday in weekly.weekdays and shown < weekly.to
        )
    assert (found is not None) == inside


@given(weeks, st.sampled_from(ZONES), moments)
def test_the_end_is_the_first_minute_after_a_frozen_one(weekly: Weekly, zone: str, now: datetime) -> None:
    assume(weekly.from_ != weekly.to)
    where = scope(Freeze(reason="law", weekly=weekly, time_zone=zone))
    found = frozen(where, now)
    assume(found is not None)
    assert found
    assert found.until
    assert found.until > now
    assert frozen(where, found.until) is None
    assert frozen(where, found.until - timedelta(minutes=1)) is not None
