"""Policies of an estate: from a few words to the ARM body."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from reconciler.emulator.providers.backup_policy_defaults import fill_in
from reconciler.emulator.providers.backup_policy_rules import SCHEDULE_TYPES
from reconciler.emulator.providers.backup_retention_rules import check_policy

Body = dict[str, Any]


class ScheduleShape(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    frequency: Literal["Hourly", "Daily", "Weekly"] = "Daily"
    time: str = "22:00"
    days: list[str] = []
    interval: int = 4
    duration: int = 12


class WeeklyShape(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    weeks: int
    days: tuple[str, ...] = ("Sunday",)


class MonthlyShape(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    months: int
    days: tuple[str, ...] = ("Sunday",)
    weeks: tuple[str, ...] = ("First",)
    dates: list[int | Literal["last"]] = []


class YearlyShape(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    years: int
    months: tuple[str, ...] = ("January",)
    days: tuple[str, ...] = ("Sunday",)
    weeks: tuple[str, ...] = ("First",)
    dates: list[int | Literal["last"]] = []


class RetentionShape(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    daily: int | None = None
    weekly: WeeklyShape | None = None
    monthly: MonthlyShape | None = None
    yearly: YearlyShape | None = None


class PolicyShape(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """One template of an estate's `backup.policies`."""

    tier: Literal["Standard", "Enhanced"] = "Standard"
    time_zone: str = "UTC"
    schedule: ScheduleShape = ScheduleShape()
    retention: RetentionShape = RetentionShape(daily=30)
    instant_restore_days: int | None = None
    properties: dict[str, Any] | None = None


def expand_policy(name: str, shape: PolicyShape, day: str) -> Body:
    """The properties of the policy; `day` (ISO date) is when it was made. Raises ValueError with every broken rule."""
    properties = fill_in(shape.properties if shape.properties is not None else _expand(shape, day))
    refusals = check_policy(name, properties)
    if refusals:
        raise ValueError(f"policies: {name}: {'; '.join(f'{found.rule} {found.text}' for found in refusals)}")
    return properties


def _expand(shape: PolicyShape, day: str) -> Body:
    moment = f"{day}T{shape.schedule.time}:00Z"
    tier = "V2" if shape.tier == "Enhanced" else "V1"
    properties: Body = {
        "backupManagementType": "AzureIaasVM",
        "policyType": tier,
        "schedulePolicy": _expand_schedule(shape.schedule, tier, moment),
        "retentionPolicy": _expand_retention(shape.retention, moment),
        "timeZone": shape.time_zone,
    }
    if shape.instant_restore_days is not None:
        properties["instantRpRetentionRangeInDays"] = shape.instant_restore_days
    return properties


def _expand_schedule(schedule: ScheduleShape, tier: str, moment: str) -> Body:
    body: Body = {"schedulePolicyType": SCHEDULE_TYPES[tier], "scheduleRunFrequency": schedule.frequency}
    timing: Body = {"scheduleRunTimes": [moment]} | ({"scheduleRunDays": schedule.days} if schedule.days else {})
    if schedule.frequency == "Hourly":
        body["hourlySchedule"] = {
            "interval": schedule.interval,
            "scheduleWindowStartTime": moment,
            "scheduleWindowDuration": schedule.duration,
        }
    elif tier == "V2":
        body["weeklySchedule" if schedule.frequency == "Weekly" else "dailySchedule"] = timing
    else:
        body |= timing
    return body


def _expand_retention(retention: RetentionShape, moment: str) -> Body:
    body: Body = {"retentionPolicyType": "LongTermRetentionPolicy"}
    if retention.daily is not None:
        body["dailySchedule"] = _keep(moment, retention.daily, "Days")
    if retention.weekly is not None:
        body["weeklySchedule"] = {
            "daysOfTheWeek": list(retention.weekly.days),
            **_keep(moment, retention.weekly.weeks, "Weeks"),
        }
    if retention.monthly is not None:
        monthly = retention.monthly
        body["monthlySchedule"] = _expand_long(monthly) | _keep(moment, monthly.months, "Months")
    if retention.yearly is not None:
        yearly = retention.yearly
        kept = _keep(moment, yearly.years, "Years")
        body["yearlySchedule"] = {"monthsOfYear": list(yearly.months), **_expand_long(yearly), **kept}
    return body


def _keep(moment: str, count: int, unit: str) -> Body:
    return {"retentionTimes": [moment], "retentionDuration": {"count": count, "durationType": unit}}


def _expand_long(shape: MonthlyShape | YearlyShape) -> Body:
    if shape.dates:
        days = [{"date": 0, "isLast": True} if d == "last" else {"date": d, "isLast": False} for d in shape.dates]
        return {"retentionScheduleFormatType": "Daily", "retentionScheduleDaily": {"daysOfTheMonth": days}}
    weekly: Mapping[str, Any] = {"daysOfTheWeek": list(shape.days), "weeksOfTheMonth": list(shape.weeks)}
    return {"retentionScheduleFormatType": "Weekly", "retentionScheduleWeekly": weekly}
