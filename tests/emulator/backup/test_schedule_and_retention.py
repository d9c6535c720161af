"""Schedules and retention against a slow, obvious reference: every day and every half hour, one by one."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.emulator.providers.backup_retention import (
    MONTHS,
    WEEKS,
    is_protection_reduced,
    is_retention_reduced,
    read_retention,
)
from reconciler.emulator.providers.backup_runs import make_history
from reconciler.emulator.providers.backup_schedule import DAY, WEEKDAYS, read_schedule, standard_offset

START = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())

half_hours = st.integers(0, 47).map(lambda n: f"2026-01-01T{n // 2:02d}:{n % 2 * 30:02d}:00Z")
weekdays = st.lists(st.sampled_from(WEEKDAYS), min_size=1, unique=True)
zones = st.sampled_from(["UTC", "W. Europe Standard Time", "Pacific Standard Time", "India Standard Time"])


@st.composite
def policies(draw: st.DrawFn) -> dict[str, Any]:
    """Schedules and retention of every form that the service takes."""
    time, runs = draw(half_hours), draw(st.sampled_from(["Hourly", "Daily", "Weekly"]))
    schedule: dict[str, Any] = {"scheduleRunFrequency": runs}
    days = draw(weekdays)
    if runs == "Hourly":
        interval = draw(st.sampled_from([4, 6, 8, 12]))
        duration = draw(st.integers(interval, 24))
        schedule["hourlySchedule"] = {
            "interval": interval,
            "scheduleWindowStartTime": time,
            "scheduleWindowDuration": duration,
        }
    else:
        schedule |= {"scheduleRunTimes": [time], **({"scheduleRunDays": days} if runs == "Weekly" else {})}
    retention: dict[str, Any] = {}
    if runs != "Weekly":
        retention["dailySchedule"] = _keep(draw(st.integers(7, 40)), "Days")
    if runs == "Weekly" or draw(st.booleans()):
        retention["weeklySchedule"] = {"daysOfTheWeek": days, **_keep(draw(st.integers(1, 12)), "Weeks")}
    if draw(st.booleans()):
        retention["monthlySchedule"] = {**draw(_long()), **_keep(draw(st.integers(1, 6)), "Months")}
    if draw(st.booleans()):
        months = draw(st.lists(st.sampled_from(MONTHS), min_size=1, unique=True))
        retention["yearlySchedule"] = {"monthsOfYear": months, **draw(_long()), **_keep(1, "Years")}
    return {
        "schedulePolicy": schedule,
        "retentionPolicy": retention,
        "timeZone": draw(zones),
        "instantRpRetentionRangeInDays": draw(st.integers(1, 5)),
    }


def _keep(count: int, unit: str) -> dict[str, Any]:
    return {"retentionDuration": {"count": count, "durationType": unit}}


@st.composite
def _long(draw: st.DrawFn) -> dict[str, Any]:
    if draw(st.booleans()):
        dates: list[dict[str, Any]] = [{"date": n, "isLast": False} for n in draw(st.sets(st.integers(1, 28)))]
        if not dates or draw(st.booleans()):
            dates.append({"date": 0, "isLast": True})
        return {"retentionScheduleFormatType": "Daily", "retentionScheduleDaily": {"daysOfTheMonth": dates}}
    weeks = draw(st.lists(st.sampled_from(WEEKS), min_size=1, unique=True))
    weekly = {"daysOfTheWeek": draw(weekdays), "weeksOfTheMonth": weeks}
    return {"retentionScheduleFormatType": "Weekly", "retentionScheduleWeekly": weekly}


def slow_runs(policy: dict[str, Any], after: int, until: int) -> list[int]:
    """Walks through the local half hours of each day and the day before."""
    offset = standard_offset(policy["timeZone"])
    schedule = policy["schedulePolicy"]
    found = set()
    first = date(1970, 1, 1) + timedelta(days=after // DAY - 3)
    for number in range((until - after) // DAY + 7):
        day = first + timedelta(days=number)
        midnight = calendar.timegm(day.timetuple())
        if "hourlySchedule" in schedule:
            hourly = schedule["hourlySchedule"]
            clock = datetime.fromisoformat(hourly["scheduleWindowStartTime"])
            begin = clock.hour * 3600 + clock.minute * 60
            hours = 0
            while hours <= hourly["scheduleWindowDuration"] and hours < 24:
                found.add(midnight + begin + hours * 3600 - offset)
                hours += hourly["interval"]
        elif calendar.day_name[day.weekday()] in schedule.get("scheduleRunDays", calendar.day_name):
            clock = datetime.fromisoformat(schedule["scheduleRunTimes"][0])
            found.add(midnight + clock.hour * 3600 + clock.minute * 60 - offset)
    return sorted(moment for moment in found if after < moment <= until)


@given(policies(), st.integers(0, 400 * DAY), st.integers(0, 20 * DAY))
def test_runs_are_those_of_the_reference(policy: dict[str, Any], shift: int, length: int) -> None:
    after, until = START + shift, START + shift + length
    assert read_schedule(policy).runs(after, until) == slow_runs(policy, after, until)


@given(policies(), st.integers(0, 400 * DAY))
def test_next_run_is_the_first_of_the_following_runs(policy: dict[str, Any], shift: int) -> None:
    after = START + shift
    assert read_schedule(policy).next_run(after) == slow_runs(policy, after, after + 9 * DAY)[0]


def slow_expiry(policy: dict[str, Any], scheduled: int, window: list[int]) -> int:
    """Every tier asked in turn for the local date of the window's first run."""
    local = datetime.fromtimestamp(window[0] + standard_offset(policy["timeZone"]), UTC).date()
    days = [policy["instantRpRetentionRangeInDays"]]
    if scheduled == window[-1]:
        days += [_days(body) for body in policy["retentionPolicy"].values() if _tags(body, local)]
    return scheduled + max(days) * DAY


def _days(body: dict[str, Any]) -> int:
    length = body["retentionDuration"]
    return int(length["count"] * {"Days": 1, "Weeks": 7, "Months": 31, "Years": 366}[length["durationType"]])


def _tags(body: dict[str, Any], day: date) -> bool:
    if "monthsOfYear" in body and calendar.month_name[day.month] not in body["monthsOfYear"]:
        return False
    if "retentionScheduleDaily" in body:
        tomorrow = day + timedelta(days=1)
        return any(
            entry["date"] == day.day or (entry["isLast"] and tomorrow.month != day.month)
            for entry in body["retentionScheduleDaily"]["daysOfTheMonth"]
        )
    weekly = body.get("retentionScheduleWeekly", body)
    if "daysOfTheWeek" in weekly and calendar.day_name[day.weekday()] not in weekly["daysOfTheWeek"]:
        return False
    if "weeksOfTheMonth" not in weekly:
        return True
    same = [n for n in range(1, 32) if n <= calendar.monthrange(day.year, day.month)[1] and (n - day.day) % 7 == 0]
    names = {WEEKS[same.index(day.day)]} if same.index(day.day) < 4 else set()
    names |= {"Last"} if day.day == same[-1] else set()
    return bool(names & set(weekly["weeksOfTheMonth"]))


def slow_windows(policy: dict[str, Any], until: int) -> list[list[int]]:
    """Runs in groups: those of one hourly window belong together."""
    runs = slow_runs(policy, START - 2 * DAY, until + 2 * DAY)
    hourly = policy["schedulePolicy"].get("hourlySchedule")
    if hourly is None:
        return [[run] for run in runs]
    clock = datetime.fromisoformat(hourly["scheduleWindowStartTime"])
    begin = clock.hour * 3600 + clock.minute * 60
    offset = standard_offset(policy["timeZone"])
    groups: list[list[int]] = []
    for run in runs:
        if (run + offset) % DAY == begin:
            groups.append([])
        if groups:
            groups[-1].append(run)
    return groups[:-1]


@given(policies(), st.integers(1, 300))
def test_history_is_what_the_reference_keeps(policy: dict[str, Any], days: int) -> None:
    until = START + days * DAY
    expected = []
    made = [(run, window) for window in slow_windows(policy, until) for run in window if START < run <= until]
    for run, window in made:
        if slow_expiry(policy, run, window) > until or run == made[-1][0]:
            expected.append(run)
    assert make_history(read_retention(policy), START, until) == expected


@given(policies(), st.integers(1, 60), st.integers(1, 60))
def test_pruning_in_two_steps_keeps_what_pruning_at_once_keeps(policy: dict[str, Any], one: int, two: int) -> None:
    retention = read_retention(policy)
    middle, end = START + one * DAY, START + (one + two) * DAY
    is_vaulted = retention.schedule.is_vaulted
    first = make_history(retention, START, middle)
    both = first + retention.schedule.runs(middle, end)
    again = [run for run in both[:-1] if retention.expiry(run, vaulted=is_vaulted(run)) > end] + both[-1:]
    assert again == make_history(retention, START, end)


@given(policies())
def test_a_policy_reduces_nothing_of_itself(policy: dict[str, Any]) -> None:
    assert not is_retention_reduced(policy, policy)
    assert not is_protection_reduced(policy, policy)


@given(policies(), st.integers(1, 6))
def test_one_day_less_is_a_reduction_and_one_more_is_not(policy: dict[str, Any], less: int) -> None:
    for tier, body in policy["retentionPolicy"].items():
        shorter = {
            **body,
            **_keep(body["retentionDuration"]["count"] - less, body["retentionDuration"]["durationType"]),
        }
        changed = {**policy, "retentionPolicy": {**policy["retentionPolicy"], tier: shorter}}
        dropped = {k: v for k, v in policy["retentionPolicy"].items() if k != tier}
        assert is_retention_reduced(policy, changed)
        assert not is_retention_reduced(changed, policy)
        assert is_retention_reduced(policy, {**policy, "retentionPolicy": dropped})


@pytest.mark.parametrize(
    ("zone", "hours"),
    [("UTC", 0), ("W. Europe Standard Time", 1), ("Pacific Standard Time", -8), ("India Standard Time", 5.5)],
)
def test_zones_stand_still_in_summer(zone: str, hours: float) -> None:
    assert standard_offset(zone) == hours * 3600


def test_an_unknown_zone_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        standard_offset("Europe/Amsterdam")
