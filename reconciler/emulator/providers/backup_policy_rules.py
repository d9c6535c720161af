"""What Azure Backup refuses in the schedule of a VM policy, and the gate that all policy rules pass through.

Azure answers a single code that names no field; the rule ids (rules.md §1a-§1d) are for whoever debugs the emulator.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tzlocal.windows_tz import win_tz

from reconciler.emulator.providers.backup_schedule import WEEKDAYS, second_of_day

INVALID_INPUT = "BMSUserErrorInvalidPolicyInput"
INSTANT_EXCEEDS_VAULT = "BMSUserErrorInstantRPRetentionExceedsVaultedRetention"

HALF_HOUR = 1800
POLICY_NAME = re.compile(r"[a-zA-Z][-_!a-zA-Z0-9]{2,149}")
SCHEDULE_TYPES = {"V1": "SimpleSchedulePolicy", "V2": "SimpleSchedulePolicyV2"}
FREQUENCIES = {"V1": ("Daily", "Weekly"), "V2": ("Hourly", "Daily", "Weekly")}
HOURLY_INTERVALS = (4, 6, 8, 12)


@dataclass(frozen=True)
class Refusal:
    """One broken rule: its id, Azure's error code and what is wrong, in our words."""

    rule: str
    text: str
    code: str = INVALID_INPUT


def policy_tier(properties: Mapping[str, Any]) -> str:
    """`V1` (Standard) or `V2` (Enhanced); a V1 body usually lacks `policyType`."""
    return str(properties.get("policyType") or "V1")


def frequency(properties: Mapping[str, Any]) -> str:
    schedule = properties.get("schedulePolicy")
    return str(schedule.get("scheduleRunFrequency")) if isinstance(schedule, Mapping) else ""


def check_name(name: str) -> Iterator[Refusal]:
    if not POLICY_NAME.fullmatch(name):
        yield Refusal("BP-11", f"policy name {name!r} does not match {POLICY_NAME.pattern}")


def check_schedule(properties: Mapping[str, Any]) -> Iterator[Refusal]:
    """BP-01 to BP-08."""
    schedule = properties.get("schedulePolicy")
    tier, runs = policy_tier(properties), frequency(properties)
    if not isinstance(schedule, Mapping) or tier not in SCHEDULE_TYPES:
        yield Refusal("BP-01", "schedulePolicy and a policyType of V1 or V2 are needed")
        return
    if schedule.get("schedulePolicyType") != SCHEDULE_TYPES[tier] or runs not in FREQUENCIES[tier]:
        yield Refusal("BP-01", f"a {tier} policy takes {SCHEDULE_TYPES[tier]} with {' | '.join(FREQUENCIES[tier])}")
        return
    yield from _check_zone(properties)
    if runs == "Hourly":
        yield from _check_hourly(schedule)
        return
    if schedule.get("hourlySchedule"):
        yield Refusal("BP-03", f"hourlySchedule does not go with {runs}")
    yield from _check_run_days(schedule, runs)
    yield from _check_run_times(schedule)


def run_days(schedule: Mapping[str, Any]) -> list[str]:
    return list(_timing(schedule).get("scheduleRunDays") or [])


def run_times(schedule: Mapping[str, Any]) -> list[Any]:
    return list(_timing(schedule).get("scheduleRunTimes") or [])


def _timing(schedule: Mapping[str, Any]) -> Mapping[str, Any]:
    """V1 writes days and times beside the frequency, V2 in an object of their own."""
    if schedule.get("schedulePolicyType") == SCHEDULE_TYPES["V1"]:
        return schedule
    key = "weeklySchedule" if schedule.get("scheduleRunFrequency") == "Weekly" else "dailySchedule"
    return schedule.get(key) or {}


def _check_zone(properties: Mapping[str, Any]) -> Iterator[Refusal]:
    zone = properties.get("timeZone")
    if zone is not None and zone not in win_tz:
        yield Refusal("BP-08", f"timeZone {zone!r} is not a Windows time zone id")
    if zone is None and frequency(properties) == "Hourly":
        yield Refusal("BP-08", "an hourly schedule needs timeZone")


def _check_hourly(schedule: Mapping[str, Any]) -> Iterator[Refusal]:
    hourly = schedule.get("hourlySchedule") or {}
    interval, length = hourly.get("interval"), hourly.get("scheduleWindowDuration")
    if interval not in HOURLY_INTERVALS:
        yield Refusal("BP-04", f"interval {interval!r} is not one of {HOURLY_INTERVALS}")
    elif not isinstance(length, int) or not interval <= length <= 24:
        yield Refusal("BP-05", f"scheduleWindowDuration {length!r} is not between the interval and 24")
    if half_hour(hourly.get("scheduleWindowStartTime")) is None:
        yield Refusal("BP-02", "scheduleWindowStartTime is not an instant on a half hour")
    if run_days(schedule) or schedule.get("scheduleRunTimes"):
        yield Refusal("BP-03", "an hourly schedule takes no weekdays and no run times")


def _check_run_days(schedule: Mapping[str, Any], runs: str) -> Iterator[Refusal]:
    days = run_days(schedule)
    if runs == "Weekly" and (not days or not are_distinct(days, WEEKDAYS)):
        yield Refusal("BP-03", f"a weekly schedule needs distinct weekdays, not {days}")
    if runs == "Daily" and days:
        yield Refusal("BP-03", "a daily schedule takes no weekdays")


def _check_run_times(schedule: Mapping[str, Any]) -> Iterator[Refusal]:
    times = run_times(schedule)
    if len(times) != 1 or half_hour(times[0]) is None:
        yield Refusal("BP-02", f"one run time on a half hour is needed, not {times}")


def half_hour(text: Any) -> int | None:
    """The second of the day, if `text` is an instant at :00 or :30."""
    try:
        second = second_of_day(text)
    except (ValueError, TypeError, AttributeError):
        return None
    return second if second % HALF_HOUR == 0 else None


def are_distinct(values: list[Any], allowed: tuple[str, ...]) -> bool:
    return all(value in allowed for value in values) and len(set(values)) == len(values)
