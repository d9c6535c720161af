"""What we manage of a backup policy: the same words for what is written and for what Azure has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from reconciler.kinds.backup_policy import document as written
from reconciler.model.resource import Ref, Spec
from reconciler.model.retention import (
    DAYS_PER_MONTH,
    DAYS_PER_WEEK,
    DAYS_PER_YEAR,
    MONTHS,
    WEEKDAYS,
    WEEKS,
    Daily,
    Monthly,
    PolicyTerms,
    Retention,
    Schedule,
    Weekly,
    Yearly,
)
from reconciler.model.time_zones import windows_zone

BUILT_IN = frozenset({"defaultpolicy", "enhancedpolicy", "hourlylogbackup"})
"""Azure puts these into every vault."""
AGE_UNITS = {
    "d": ("Days", 1),
    "w": ("Weeks", DAYS_PER_WEEK),
    "mo": ("Months", DAYS_PER_MONTH),
    "y": ("Years", DAYS_PER_YEAR),
}


class InstantRestore(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Days that snapshots stay beside the VM, and the name of their resource group; "" is Azure's own name."""

    days: int
    prefix: str = ""
    suffix: str = ""


class Tiering(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`duration` counts `unit`s (Days, Weeks, Months, Years) and is 0 unless the mode is TierAfter."""

    mode: Literal["DoNotTier", "TierRecommended", "TierAfter"]
    duration: int = 0
    unit: str = ""


DO_NOT_TIER = Tiering(mode="DoNotTier")


class BackupPolicySpec(Spec, frozen=True, kw_only=True):
    """One policy in one vault. `consistency` is Azure's choice unless CrashConsistent."""

    vault: Ref
    tier: Literal["Standard", "Enhanced"]
    schedule: Schedule
    retention: Retention
    instant_restore: InstantRestore
    tiering: Tiering = DO_NOT_TIER
    consistency: Literal["ApplicationConsistent", "CrashConsistent"] = "ApplicationConsistent"

    @property
    def terms(self) -> PolicyTerms:
        return PolicyTerms(
            tier=self.tier,
            schedule=self.schedule,
            retention=self.retention,
            instant_days=self.instant_restore.days,
            crash_consistent=self.consistency == "CrashConsistent",
            archives=self.tiering.mode != "DoNotTier",
        )


def default_instant_days(tier: str, frequency: str) -> int:
    """What the service fills in where a policy says nothing (BP-20)."""
    if tier == "Enhanced":
        return 7
    return 5 if frequency == "Weekly" else 2


def instant_days(policy: written.BackupPolicy) -> int:
    """Days of instant restore, the default where the policy says none."""
    return policy.instant_restore.days or default_instant_days(policy.tier, policy.schedule.frequency)


def archive_age(text: str) -> tuple[int, str]:
    """`4mo` → 4, Months."""
    found = re.fullmatch(r"([0-9]+)([a-z]+)", text)
    assert found, text
    return int(found[1]), AGE_UNITS[found[2]][0]


def archive_age_in_days(text: str) -> int:
    count, unit = archive_age(text)
    return count * next(days for name, days in AGE_UNITS.values() if name == unit)


def spec_of(policy: written.BackupPolicy, default_zone: str, vault: Ref) -> BackupPolicySpec | None:
    """The spec of a valid policy; None for one that the rules refuse so badly that it has none."""
    terms = terms_of(policy, policy.schedule.time_zone or default_zone)
    if terms is None:
        return None
    group = policy.instant_restore.resource_group
    count, unit = archive_age(policy.tiering.after) if policy.tiering.after else (0, "")
    return BackupPolicySpec(
        vault=vault,
        tier=policy.tier,
        schedule=terms.schedule,
        retention=terms.retention,
        instant_restore=InstantRestore(
            days=terms.instant_days, prefix=group.prefix if group else "", suffix=group.suffix if group else ""
        ),
        tiering=Tiering(mode=policy.tiering.mode, duration=count, unit=unit),
        consistency=policy.consistency,
    )


def terms_of(policy: written.BackupPolicy, time_zone: str) -> PolicyTerms | None:
    """What a policy promises, as numbers; None where it lacks what its frequency needs or a zone is unknown."""
    schedule = policy.schedule
    start = schedule.window_start if schedule.frequency == "Hourly" else schedule.time
    zone = windows_zone(time_zone)
    incomplete_hours = schedule.frequency == "Hourly" and not (schedule.interval_hours and schedule.duration_hours)
    if start is None or zone is None or incomplete_hours or (schedule.frequency == "Weekly" and not schedule.weekdays):
        return None
    hourly = schedule.frequency == "Hourly"
    return PolicyTerms(
        tier=policy.tier,
        schedule=Schedule(
            frequency=schedule.frequency,
            time=start,
            weekdays=in_order(schedule.weekdays, WEEKDAYS) if schedule.frequency == "Weekly" else (),
            interval_hours=(schedule.interval_hours or 0) if hourly else 0,
            duration_hours=(schedule.duration_hours or 0) if hourly else 0,
            time_zone=zone,
        ),
        retention=_retention(policy.retention, schedule.weekdays),
        instant_days=instant_days(policy),
        crash_consistent=policy.consistency == "CrashConsistent",
        archives=policy.tiering.mode != "DoNotTier",
    )


def _retention(retention: written.Retention, scheduled: Sequence[str] | None) -> Retention:
    weekly, monthly, yearly = retention.weekly, retention.monthly, retention.yearly
    return Retention(
        daily=Daily(days=retention.daily.days) if retention.daily else None,
        weekly=Weekly(weeks=weekly.weeks, weekdays=in_order(weekly.weekdays or scheduled, WEEKDAYS))
        if weekly
        else None,
        monthly=Monthly(
            months=monthly.months,
            days=days_in_order(monthly.days),
            weeks=in_order(monthly.weeks, WEEKS),
            weekdays=in_order(monthly.weekdays, WEEKDAYS),
        )
        if monthly
        else None,
        yearly=Yearly(
            years=yearly.years,
            months=in_order(yearly.months, MONTHS),
            days=days_in_order(yearly.days),
            weeks=in_order(yearly.weeks, WEEKS),
            weekdays=in_order(yearly.weekdays, WEEKDAYS),
        )
        if yearly
        else None,
    )


def in_order(values: Iterable[str] | None, order: Sequence[str]) -> tuple[str, ...]:
    """The values once each, in the calendar's order: Azure keeps sets in the order they were sent."""
    given = set(values or ())
    return tuple(value for value in order if value in given)


def days_in_order(days: Iterable[int | str] | None) -> tuple[str, ...]:
    """Days of a month once each, ascending, `last` at the end."""
    given = {str(day) for day in days or ()}
    numbers = sorted((day for day in given if day.isdigit()), key=int)
    return (*numbers, *(("last",) if "last" in given else ()))
