"""The body of a policy as it is sent, in the SDK's typed models."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reconciler.kinds.backup_policy.spec import BackupPolicySpec
from reconciler.kinds.backup_policy.wire import ARCHIVE
from reconciler.model.retention import LAST_DAY, Monthly, Retention, Schedule, Yearly

if TYPE_CHECKING:
    from azure.mgmt.recoveryservicesbackup import models


def policy_request(spec: BackupPolicySpec, guard_requests: list[str]) -> models.ProtectionPolicyResource:
    """What PUT takes. Nothing is left to the service that it would otherwise keep or choose: instant restore days and
    tiering are always written (BP-23, BP-27)."""
    from azure.mgmt.recoveryservicesbackup import models

    instant, tiering = spec.instant_restore, spec.tiering
    return models.ProtectionPolicyResource(
        properties=models.AzureIaaSVMProtectionPolicy(
            resource_guard_operation_requests=guard_requests or None,
            policy_type="V2" if spec.tier == "Enhanced" else "V1",
            schedule_policy=_schedule(spec),
            retention_policy=_retention(spec.retention, _anchored(spec.schedule.time)),
            instant_rp_retention_range_in_days=instant.days,
            instant_rp_details=models.InstantRPAdditionalDetails(
                azure_backup_rg_name_prefix=instant.prefix or None, azure_backup_rg_name_suffix=instant.suffix or None
            ),
            tiering_policy={
                ARCHIVE: models.TieringPolicy(
                    tiering_mode=tiering.mode, duration=tiering.duration, duration_type=tiering.unit or "Invalid"
                )
            },
            snapshot_consistency_type="OnlyCrashConsistent" if spec.consistency == "CrashConsistent" else None,
            time_zone=spec.schedule.time_zone,
        )
    )


def _anchored(time_of_day: str) -> datetime:
    """A time of day on a fixed date: Azure takes times that differ in their dates only for different ones, and refuses
    the policy (BP-02, BP-09)."""
    hour, minute = time_of_day.split(":")
    return datetime(2020, 1, 1, int(hour), int(minute), tzinfo=UTC)


def _schedule(spec: BackupPolicySpec) -> models.SchedulePolicy:
    from azure.mgmt.recoveryservicesbackup import models

    schedule, start = spec.schedule, _anchored(spec.schedule.time)
    if spec.tier == "Standard":
        return models.SimpleSchedulePolicy(
            schedule_run_frequency=schedule.frequency,
            schedule_run_days=list(schedule.weekdays) or None,
            schedule_run_times=[start],
        )
    return models.SimpleSchedulePolicyV2(
        schedule_run_frequency=schedule.frequency,
        hourly_schedule=_hourly(schedule, start) if schedule.frequency == "Hourly" else None,
        daily_schedule=models.DailySchedule(schedule_run_times=[start]) if schedule.frequency == "Daily" else None,
        weekly_schedule=models.WeeklySchedule(schedule_run_days=list(schedule.weekdays), schedule_run_times=[start])
        if schedule.frequency == "Weekly"
        else None,
    )


def _hourly(schedule: Schedule, start: datetime) -> models.HourlySchedule:
    from azure.mgmt.recoveryservicesbackup import models

    return models.HourlySchedule(
        interval=schedule.interval_hours,
        schedule_window_start_time=start,
        schedule_window_duration=schedule.duration_hours,
    )


def _retention(retention: Retention, start: datetime) -> models.LongTermRetentionPolicy:
    from azure.mgmt.recoveryservicesbackup import models

    daily, weekly, monthly, yearly = retention.daily, retention.weekly, retention.monthly, retention.yearly
    times = [start]
    return models.LongTermRetentionPolicy(
        daily_schedule=models.DailyRetentionSchedule(
            retention_times=times, retention_duration=_length(daily.days, "Days")
        )
        if daily
        else None,
        weekly_schedule=models.WeeklyRetentionSchedule(
            days_of_the_week=list(weekly.weekdays),
            retention_times=times,
            retention_duration=_length(weekly.weeks, "Weeks"),
        )
        if weekly
        else None,
        monthly_schedule=models.MonthlyRetentionSchedule(
            retention_schedule_format_type="Daily" if monthly.days else "Weekly",
            retention_schedule_daily=_dates(monthly),
            retention_schedule_weekly=_weeks(monthly),
            retention_times=times,
            retention_duration=_length(monthly.months, "Months"),
        )
        if monthly
        else None,
        yearly_schedule=models.YearlyRetentionSchedule(
            retention_schedule_format_type="Daily" if yearly.days else "Weekly",
            months_of_year=list(yearly.months),
            retention_schedule_daily=_dates(yearly),
            retention_schedule_weekly=_weeks(yearly),
            retention_times=times,
            retention_duration=_length(yearly.years, "Years"),
        )
        if yearly
        else None,
    )


def _length(count: int, unit: str) -> models.RetentionDuration:
    from azure.mgmt.recoveryservicesbackup import models

    return models.RetentionDuration(count=count, duration_type=unit)


def _dates(tier: Monthly | Yearly) -> models.DailyRetentionFormat | None:
    from azure.mgmt.recoveryservicesbackup import models

    if not tier.days:
        return None
    return models.DailyRetentionFormat(
        days_of_the_month=[
            models.Day(date=0, is_last=True) if day == LAST_DAY else models.Day(date=int(day), is_last=False)
            for day in tier.days
        ]
    )


def _weeks(tier: Monthly | Yearly) -> models.WeeklyRetentionFormat | None:
    from azure.mgmt.recoveryservicesbackup import models

    if tier.days:
        return None
    return models.WeeklyRetentionFormat(
        days_of_the_week=list(tier.weekdays),
        weeks_of_the_month=list(tier.weeks),
    )
