"""What Azure Backup refuses in the retention, instant restore and tiering of a VM policy (rules.md §1b-§1d)."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.emulator.providers.backup_policy_rules import (
    HOURLY_INTERVALS,
    INSTANT_EXCEEDS_VAULT,
    Refusal,
    are_distinct,
    check_name,
    check_schedule,
    frequency,
    half_hour,
    policy_tier,
    run_days,
    run_times,
)
from reconciler.emulator.providers.backup_retention import DAYS_PER, MONTHS, WEEKS, read_retention
from reconciler.emulator.providers.backup_schedule import WEEKDAYS

UNITS = {"daily": "Days", "weekly": "Weeks", "monthly": "Months", "yearly": "Years"}
RANGES = {"daily": (7, 9999), "weekly": (1, 5163), "monthly": (1, 1188), "yearly": (1, 99)}
MAX_POINTS = 9999
MAX_MONTH_DATE = 28
HOURLY_INSTANT_CAPS = dict(zip(HOURLY_INTERVALS, (17, 22, 22, 30), strict=True))
"""BP-22; the cap of an 8-hour interval is not published."""

MAX_GROUP_NAME = 74
GROUP_NAME = re.compile(r"[-\w.()]*[-\w()]")
TIERING_MODES = ("TierRecommended", "TierAfter", "DoNotTier", "Invalid")
MIN_TIER_AFTER_DAYS = 45


def check_policy(name: str, properties: Mapping[str, Any]) -> list[Refusal]:
    """Every rule that the policy breaks. `properties` has had the service's defaults filled in."""
    refusals = [*check_name(name), *check_schedule(properties)]
    if refusals:
        return refusals
    refusals = [*_check_retention(properties), *_check_instant(properties), *_check_tiering(properties)]
    if not refusals and _steady_points(properties) > MAX_POINTS:
        refusals.append(Refusal("BP-18", f"the policy would keep more than {MAX_POINTS} recovery points"))
    return refusals


def _check_retention(properties: Mapping[str, Any]) -> Iterator[Refusal]:
    retention = properties.get("retentionPolicy")
    if not isinstance(retention, Mapping) or retention.get("retentionPolicyType") != "LongTermRetentionPolicy":
        yield Refusal("BP-13", "retentionPolicy of type LongTermRetentionPolicy is needed")
        return
    weekly_run = frequency(properties) == "Weekly"
    required, forbidden = ("weekly", "daily") if weekly_run else ("daily", None)
    if not retention.get(f"{required}Schedule"):
        yield Refusal("BP-13", f"this schedule needs {required}Schedule")
    if forbidden and retention.get(f"{forbidden}Schedule"):
        yield Refusal("BP-13", f"this schedule takes no {forbidden}Schedule")
    for tier, unit in UNITS.items():
        body = retention.get(f"{tier}Schedule")
        if body:
            yield from _check_count(tier, unit, body)
            yield from _check_times(properties, tier, body)
    yield from _check_weekly(properties, retention.get("weeklySchedule"))
    for tier in ("monthly", "yearly"):
        yield from _check_long(properties, tier, retention.get(f"{tier}Schedule"))


def _check_count(tier: str, unit: str, body: Mapping[str, Any]) -> Iterator[Refusal]:
    length = body.get("retentionDuration") or {}
    count, (low, high) = length.get("count"), RANGES[tier]
    if length.get("durationType") != unit or not isinstance(count, int) or not low <= count <= high:
        yield Refusal(
            "BP-12", f"{tier} retention is {low} to {high} {unit}, not {count!r} {length.get('durationType')}"
        )


def _check_times(properties: Mapping[str, Any], tier: str, body: Mapping[str, Any]) -> Iterator[Refusal]:
    times = body.get("retentionTimes") or []
    if frequency(properties) == "Hourly":
        return
    expected = half_hour(run_times(properties["schedulePolicy"])[0])
    if not times or any(half_hour(time) != expected for time in times):
        yield Refusal("BP-09", f"{tier} retentionTimes differ from the run time of the schedule")


def _check_weekly(properties: Mapping[str, Any], body: Mapping[str, Any] | None) -> Iterator[Refusal]:
    if not body:
        return
    days = list(body.get("daysOfTheWeek") or [])
    if not days or not are_distinct(days, WEEKDAYS):
        yield Refusal("BP-14", f"weekly retention needs distinct weekdays, not {days}")
    elif frequency(properties) == "Weekly" and not set(days) <= set(run_days(properties["schedulePolicy"])):
        yield Refusal("BP-14", "weekly retention names a weekday on which the schedule does not run")


def _check_long(properties: Mapping[str, Any], tier: str, body: Mapping[str, Any] | None) -> Iterator[Refusal]:
    if not body:
        return
    by_date, by_week = body.get("retentionScheduleDaily"), body.get("retentionScheduleWeekly")
    kind = body.get("retentionScheduleFormatType")
    if kind not in ("Daily", "Weekly") or (kind == "Daily") != bool(by_date) or (kind == "Weekly") != bool(by_week):
        yield Refusal("BP-16", f"{tier} retention takes exactly one of the formats Daily and Weekly")
        return
    months = list(body.get("monthsOfYear") or [])
    if tier == "yearly" and (not months or not are_distinct(months, MONTHS)):
        yield Refusal("BP-16", f"yearly retention needs distinct months, not {months}")
    if by_date:
        yield from _check_dates(properties, tier, by_date)
    else:
        yield from _check_weeks(properties, tier, by_week or {})


def _check_dates(properties: Mapping[str, Any], tier: str, by_date: Mapping[str, Any]) -> Iterator[Refusal]:
    if frequency(properties) == "Weekly":
        yield Refusal("BP-15", f"{tier} retention by date does not go with a weekly schedule")
    days = list(by_date.get("daysOfTheMonth") or [])
    if not days:
        yield Refusal("BP-16", f"{tier} retention by date names no day")
    for day in days:
        number, is_last = day.get("date"), bool(day.get("isLast"))
        if is_last and number not in (0, None):
            yield Refusal("BP-17", "the last day of the month is written with date 0")
        if not is_last and (not isinstance(number, int) or not 1 <= number <= MAX_MONTH_DATE):
            yield Refusal("BP-17", f"day of month {number!r} is not 1 to {MAX_MONTH_DATE}; the last is isLast")


def _check_weeks(properties: Mapping[str, Any], tier: str, by_week: Mapping[str, Any]) -> Iterator[Refusal]:
    weeks, days = list(by_week.get("weeksOfTheMonth") or []), list(by_week.get("daysOfTheWeek") or [])
    if not weeks or not days or not are_distinct(weeks, WEEKS) or not are_distinct(days, WEEKDAYS):
        yield Refusal("BP-16", f"{tier} retention by week needs weeks of the month and weekdays")
    elif frequency(properties) == "Weekly" and not set(days) <= set(run_days(properties["schedulePolicy"])):
        yield Refusal("BP-15", f"{tier} retention names a weekday on which the schedule does not run")


def _check_instant(properties: Mapping[str, Any]) -> Iterator[Refusal]:
    """BP-20 to BP-25 and BP-30."""
    days, tier, runs = properties.get("instantRpRetentionRangeInDays"), policy_tier(properties), frequency(properties)
    low, high, rule = 1, 30, "BP-20"
    if tier == "V1":
        low, high = (5, 5) if runs == "Weekly" else (1, 5)
    elif runs == "Weekly":
        low, high, rule = 5, 20, "BP-21"
    elif runs == "Hourly":
        high, rule = HOURLY_INSTANT_CAPS[properties["schedulePolicy"]["hourlySchedule"]["interval"]], "BP-22"
    if not isinstance(days, int) or not low <= days <= high:
        yield Refusal(rule, f"instantRpRetentionRangeInDays {days!r} is not {low} to {high}")
        return
    daily = (properties.get("retentionPolicy") or {}).get("dailySchedule") or {}
    vaulted = (daily.get("retentionDuration") or {}).get("count")
    if isinstance(vaulted, int) and days >= vaulted:
        yield Refusal("BP-23", f"instant restore of {days} days is not below {vaulted} days", INSTANT_EXCEEDS_VAULT)
    yield from _check_group(properties.get("instantRPDetails") or {})
    if properties.get("snapshotConsistencyType") == "OnlyCrashConsistent" and tier != "V2":
        yield Refusal("BP-30", "OnlyCrashConsistent needs policyType V2")


def _check_group(details: Mapping[str, Any]) -> Iterator[Refusal]:
    prefix, suffix = details.get("azureBackupRGNamePrefix"), details.get("azureBackupRGNameSuffix") or ""
    if suffix and not prefix:
        yield Refusal("BP-25", "azureBackupRGNameSuffix needs azureBackupRGNamePrefix")
    name = f"{prefix}1{suffix}"
    if prefix and (len(name) > MAX_GROUP_NAME or not GROUP_NAME.fullmatch(name)):
        yield Refusal("BP-25", f"{name!r} is not the name of a resource group of at most {MAX_GROUP_NAME} characters")


def _check_tiering(properties: Mapping[str, Any]) -> Iterator[Refusal]:
    """BP-27 and BP-28."""
    tiering = properties.get("tieringPolicy")
    if not tiering:
        return
    if set(tiering) != {"ArchivedRP"} or tiering["ArchivedRP"].get("tieringMode") not in TIERING_MODES:
        yield Refusal("BP-27", f"tieringPolicy takes ArchivedRP with a mode of {' | '.join(TIERING_MODES)}")
        return
    archive = tiering["ArchivedRP"]
    if archive["tieringMode"] == "TierAfter":
        count, unit = archive.get("duration"), archive.get("durationType")
        if not isinstance(count, int) or unit not in DAYS_PER:
            yield Refusal("BP-27", "TierAfter needs duration and durationType")
        elif count * DAYS_PER[unit] < MIN_TIER_AFTER_DAYS:
            yield Refusal("BP-28", f"TierAfter is at least {MIN_TIER_AFTER_DAYS} days")


def _steady_points(properties: Mapping[str, Any]) -> float:
    """How many points a VM has once nothing but the policy's age adds any: each tier beyond what the former covers."""
    retention = read_retention(properties)
    points = float(retention.instant_days * (len(retention.schedule.starts) - 1))
    covered = 0
    for name, days_between in (("daily", 1.0), ("weekly", 7.0), ("monthly", 30.4), ("yearly", 365.2)):
        tier = retention.tiers.get(name)
        if tier and tier.days > covered:
            tagged = len(tier.weekdays or ()) * len(tier.weeks or (1,)) or len(tier.dates or ()) + tier.last_date or 1
            points += (tier.days - covered) / days_between * tagged * (len(tier.months or (1,)))
            covered = tier.days
    return points
