"""Backup policies as Azure answers them, and what of it counts.

The traps (backup.md §4, §9): only the time of day of a time means anything, its date is that of the policy's making;
`policyType` is absent for Standard; `scheduleWeeklyFrequency`, `instantRPDetails` and `timeZone` are filled in by the
service; `instantRpRetentionRangeInDays` may be missing although it was accepted; `protectedItemsCount` is 0 in lists;
the built-in policy of databases is in the list, too.
"""

from __future__ import annotations

from typing import Any, cast

import msgspec

from reconciler.kinds.backup_policy.spec import (
    DO_NOT_TIER,
    BackupPolicySpec,
    InstantRestore,
    Tiering,
    days_in_order,
    default_instant_days,
    in_order,
)
from reconciler.model.resource import Ref
from reconciler.model.retention import (
    DAYS_PER_MONTH,
    DAYS_PER_WEEK,
    DAYS_PER_YEAR,
    MONTHS,
    WEEKDAYS,
    WEEKS,
    Daily,
    Monthly,
    Retention,
    Schedule,
    Weekly,
    Yearly,
)
from reconciler.model.time_zones import windows_zone

MANAGEMENT_TYPE = "AzureIaasVM"
ARCHIVE = "ArchivedRP"
_DAYS = {"days": 1, "weeks": DAYS_PER_WEEK, "months": DAYS_PER_MONTH, "years": DAYS_PER_YEAR}


class _Body(msgspec.Struct, frozen=True, rename="camel"):
    """A part of Azure's answer; what we do not look at is not decoded."""


class HourlyBody(_Body, frozen=True):
    """`hourlySchedule` of an Enhanced policy."""

    interval: int = 0
    schedule_window_start_time: str | None = None
    schedule_window_duration: int = 0


class RunsBody(_Body, frozen=True):
    """`dailySchedule`, `weeklySchedule` of an Enhanced policy."""

    schedule_run_days: tuple[str, ...] | None = None
    schedule_run_times: tuple[str, ...] | None = None


class ScheduleBody(_Body, frozen=True):
    """`schedulePolicy`: Standard has days and times in itself, Enhanced in one of three parts."""

    schedule_run_frequency: str = "Daily"
    schedule_run_days: tuple[str, ...] | None = None
    schedule_run_times: tuple[str, ...] | None = None
    hourly_schedule: HourlyBody | None = None
    daily_schedule: RunsBody | None = None
    weekly_schedule: RunsBody | None = None


class LengthBody(_Body, frozen=True):
    """`retentionDuration`."""

    count: int = 0
    duration_type: str = ""


class DayBody(_Body, frozen=True):
    """One of `daysOfTheMonth`; the last day is `{date: 0, isLast: true}`."""

    date: int | None = None
    is_last: bool | None = None


class DatesBody(_Body, frozen=True):
    """`retentionScheduleDaily`."""

    days_of_the_month: tuple[DayBody, ...] | None = None


class WeeksBody(_Body, frozen=True):
    """`retentionScheduleWeekly`."""

    days_of_the_week: tuple[str, ...] | None = None
    weeks_of_the_month: tuple[str, ...] | None = None


class TierBody(_Body, frozen=True):
    """`dailySchedule`, `weeklySchedule`, `monthlySchedule`, `yearlySchedule` of the retention."""

    retention_duration: LengthBody | None = None
    days_of_the_week: tuple[str, ...] | None = None
    retention_schedule_format_type: str | None = None
    months_of_year: tuple[str, ...] | None = None
    retention_schedule_daily: DatesBody | None = None
    retention_schedule_weekly: WeeksBody | None = None


class RetentionBody(_Body, frozen=True):
    """`retentionPolicy`."""

    daily_schedule: TierBody | None = None
    weekly_schedule: TierBody | None = None
    monthly_schedule: TierBody | None = None
    yearly_schedule: TierBody | None = None


class TieringBody(_Body, frozen=True):
    """`tieringPolicy.ArchivedRP`."""

    tiering_mode: str | None = None
    duration: int | None = None
    duration_type: str | None = None


class GroupBody(_Body, frozen=True):
    """`instantRPDetails`: mostly `{}`."""

    azure_backup_rg_name_prefix: str | None = msgspec.field(default=None, name="azureBackupRGNamePrefix")
    azure_backup_rg_name_suffix: str | None = msgspec.field(default=None, name="azureBackupRGNameSuffix")


class PolicyProperties(_Body, frozen=True):
    """What we look at of a policy for VMs."""

    backup_management_type: str = ""
    policy_type: str | None = None
    schedule_policy: ScheduleBody | None = None
    retention_policy: RetentionBody | None = None
    instant_rp_retention_range_in_days: int | None = None
    instant_rp_details: GroupBody | None = msgspec.field(default=None, name="instantRPDetails")
    tiering_policy: dict[str, TieringBody | None] | None = None
    snapshot_consistency_type: str | None = None
    time_zone: str | None = None


class AnyPolicyProperties(_Body, frozen=True):
    """Of a policy of any kind of workload: enough to tell whether it is one for VMs."""

    backup_management_type: str = ""


class AnyPolicy(msgspec.Struct, frozen=True):
    """One policy of the list, not yet decoded: those of databases have parts of other shapes."""

    id: str
    name: str
    properties: msgspec.Raw

    def decode(self) -> PolicyProperties | None:
        """Its properties, or None where it is no policy for VMs."""
        kind = msgspec.json.decode(self.properties, type=AnyPolicyProperties)
        if kind.backup_management_type.casefold() != MANAGEMENT_TYPE.casefold():
            return None
        return msgspec.json.decode(self.properties, type=PolicyProperties)


def spec_from(properties: PolicyProperties, vault: Ref) -> BackupPolicySpec:
    """What Azure has, in our words; whatever was left out has the value that the service uses then."""
    enhanced = (properties.policy_type or "").upper() == "V2"
    schedule = _schedule(properties.schedule_policy or ScheduleBody(), properties.time_zone)
    days = properties.instant_rp_retention_range_in_days
    group = properties.instant_rp_details or GroupBody()
    crash = (properties.snapshot_consistency_type or "").casefold() == "onlycrashconsistent"
    tier = "Enhanced" if enhanced else "Standard"
    return BackupPolicySpec(
        vault=vault,
        tier=cast("Any", tier),
        schedule=schedule,
        retention=_retention(properties.retention_policy or RetentionBody()),
        instant_restore=InstantRestore(
            days=days if days is not None else default_instant_days(tier, schedule.frequency),
            prefix=group.azure_backup_rg_name_prefix or "",
            suffix=group.azure_backup_rg_name_suffix or "",
        ),
        tiering=_tiering((properties.tiering_policy or {}).get(ARCHIVE)),
        consistency="CrashConsistent" if crash else "ApplicationConsistent",
    )


def _schedule(body: ScheduleBody, zone: str | None) -> Schedule:
    time_zone = windows_zone(zone) or zone if zone else "UTC"
    frequency = cast("Any", body.schedule_run_frequency)
    if body.hourly_schedule and frequency == "Hourly":
        return Schedule(
            frequency=frequency,
            time=_time_of_day(body.hourly_schedule.schedule_window_start_time),
            interval_hours=body.hourly_schedule.interval,
            duration_hours=body.hourly_schedule.schedule_window_duration,
            time_zone=time_zone or "UTC",
        )
    part = body.weekly_schedule if frequency == "Weekly" else body.daily_schedule
    times = (part.schedule_run_times if part else None) or body.schedule_run_times or ()
    weekdays = (part.schedule_run_days if part else None) or body.schedule_run_days
    return Schedule(
        frequency=frequency,
        time=_time_of_day(times[0] if times else None),
        weekdays=in_order(weekdays, WEEKDAYS) if frequency == "Weekly" else (),
        time_zone=time_zone or "UTC",
    )


def _time_of_day(moment: str | None) -> str:
    """`2016-04-04T16:00:00` and `2024-04-28T16:00:00.000Z` are both 16:00."""
    return moment.partition("T")[2][:5] if moment else ""


def _retention(body: RetentionBody) -> Retention:
    daily, weekly, monthly, yearly = (
        body.daily_schedule,
        body.weekly_schedule,
        body.monthly_schedule,
        body.yearly_schedule,
    )
    return Retention(
        daily=Daily(days=_count(daily, "days")) if daily else None,
        weekly=Weekly(weeks=_count(weekly, "weeks"), weekdays=in_order(weekly.days_of_the_week, WEEKDAYS))
        if weekly
        else None,
        monthly=Monthly(months=_count(monthly, "months"), **_chosen(monthly)) if monthly else None,
        yearly=Yearly(years=_count(yearly, "years"), months=in_order(yearly.months_of_year, MONTHS), **_chosen(yearly))
        if yearly
        else None,
    )


def _count(tier: TierBody, unit: str) -> int:
    """The length in the tier's own unit; one in another unit is rounded up."""
    length = tier.retention_duration or LengthBody()
    given = length.duration_type.casefold()
    if given == unit or given not in _DAYS:
        return length.count
    return -(-length.count * _DAYS[given] // _DAYS[unit])


def _chosen(tier: TierBody) -> dict[str, tuple[str, ...]]:
    """Either days, or weeks and weekdays: the other part may be null or left over."""
    if (tier.retention_schedule_format_type or "").casefold() == "daily":
        dates = (tier.retention_schedule_daily or DatesBody()).days_of_the_month or ()
        return {"days": days_in_order("last" if day.is_last else day.date or 0 for day in dates)}
    weeks = tier.retention_schedule_weekly or WeeksBody()
    return {
        "weeks": in_order(weeks.weeks_of_the_month, WEEKS),
        "weekdays": in_order(weeks.days_of_the_week, WEEKDAYS),
    }


def _tiering(body: TieringBody | None) -> Tiering:
    mode = body.tiering_mode if body else None
    if body is None or mode not in ("TierRecommended", "TierAfter"):
        return DO_NOT_TIER
    if mode == "TierRecommended":
        return Tiering(mode="TierRecommended")
    return Tiering(mode="TierAfter", duration=body.duration or 0, unit=body.duration_type or "")
