"""Time zones: every name there is, as Windows writes them and as everybody else does."""

from __future__ import annotations

from zoneinfo import available_timezones

import pytest
from tzlocal.windows_tz import tz_win, win_tz

from reconciler.model.time_zones import keeps_other_time, shifts_in_summer, similar_zones, windows_zone

NAMELESS = {"Antarctica/Troll", "Factory", "localtime", "posixrules"}
"""Zones that Windows has no id for, and files that are no zones."""


@pytest.mark.parametrize("windows", sorted(win_tz))
def test_windows_ids_are_themselves_in_any_casing(windows: str) -> None:
    assert windows_zone(windows) == windows_zone(windows.upper()) == windows_zone(windows.lower()) == windows


def test_every_iana_name_has_a_windows_id() -> None:
    names = {name for name in available_timezones() | set(tz_win) if name and not name.startswith(("posix/", "right/"))}
    assert {name for name in names if windows_zone(name) not in win_tz} <= NAMELESS
    assert {name for name in names if windows_zone(name.lower()) != windows_zone(name)} == set()


@pytest.mark.parametrize("name", ["", " ", "Europe/Berlin ", "Mars/Olympus", "+01:00", "UTC+1"])
def test_what_is_no_zone(name: str) -> None:
    assert windows_zone(name) is None
    assert "" not in similar_zones(name)


def test_zones_that_keep_another_time_than_their_windows_id() -> None:
    differing = {name for name in tz_win if keeps_other_time(name, tz_win[name])}
    assert "America/Scoresbysund" in differing
    assert not differing & {"Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Sydney", "Etc/UTC"}


@pytest.mark.parametrize(
    ("windows", "shifts"),
    [
        ("W. Europe Standard Time", True),
        ("AUS Eastern Standard Time", True),
        ("Morocco Standard Time", True),  # for the month of Ramadan
        ("India Standard Time", False),
        ("UTC", False),
        ("Nowhere Standard Time", False),
    ],
)
def test_clocks_that_change_during_the_year(windows: str, shifts: bool) -> None:
    assert shifts_in_summer(windows) is shifts
