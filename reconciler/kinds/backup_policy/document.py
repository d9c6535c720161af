"""`BackupPolicy` as people write it: the shape only. What makes sense together is in the rules beside it.

The descriptions become the JSON Schema, and so the texts that an editor shows.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

TimeOfDay = Annotated[
    str,
    Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", description="Time of day as HH:MM; Azure takes :00 and :30 only."),
]
Weekday = Literal["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
Week = Literal["First", "Second", "Third", "Fourth", "Last"]
Month = Literal[
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
]  # fmt: skip
DayOfMonth = Annotated[int, Meta(ge=1, le=31)] | Literal["last"]
ArchiveAge = Annotated[
    str,
    Meta(
        pattern=r"^[1-9][0-9]{0,4}(d|w|mo|y)$",
        description="A whole number and d (days), w (weeks), mo (months of 31 days) or y (years): 90d, 4mo.",
    ),
]
Weekdays = Annotated[tuple[Weekday, ...], Meta(min_length=1, description="Days of the week.")]
Weeks = Annotated[
    tuple[Week, ...],
    Meta(min_length=1, description="Weeks of the month; goes together with weekdays: First + Sunday."),
]
Days = Annotated[
    tuple[DayOfMonth, ...],
    Meta(min_length=1, description="Days of the month, 1 to 28 and last. Instead of weeks and weekdays."),
]


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, rename="camel"):
    """A part of the document: unknown keys are errors."""


class Schedule(_Part, frozen=True, kw_only=True):
    """When backups start."""

    frequency: Annotated[
        Literal["Hourly", "Daily", "Weekly"],
        Meta(description="How often a backup is made. Hourly (every 4, 6, 8 or 12 hours) needs tier Enhanced."),
    ]
    time: Annotated[
        TimeOfDay | None,
        Meta(description="Daily, Weekly: start, local to timeZone. The job begins within two hours after it."),
    ] = None
    weekdays: Annotated[Weekdays | None, Meta(description="Weekly: the days on which a backup is made.")] = None
    interval_hours: Annotated[int | None, Meta(description="Hourly: 4, 6, 8 or 12 hours from one to the next.")] = None
    window_start: Annotated[
        TimeOfDay | None, Meta(description="Hourly: the first backup of each day, local to timeZone.")
    ] = None
    duration_hours: Annotated[
        int | None, Meta(description="Hourly: length of the daily window in which backups start, up to 24.")
    ] = None
    time_zone: Annotated[
        Annotated[str, Meta(min_length=1)] | None,
        Meta(
            description="IANA (Europe/Amsterdam) or Windows name (W. Europe Standard Time); default: the Scope's. "
            "Azure does not shift the start for daylight saving."
        ),
    ] = None


class DailyRetention(_Part, frozen=True, kw_only=True):
    """The backup of every day."""

    days: Annotated[int, Meta(description="How many days it is kept: 7 to 9999.")]


class WeeklyRetention(_Part, frozen=True, kw_only=True):
    """One backup of every week."""

    weeks: Annotated[int, Meta(description="How many weeks it is kept: 1 to 5163.")]
    weekdays: Annotated[
        Weekdays | None,
        Meta(description="The backup of which days; with a Weekly schedule its weekdays are the default."),
    ] = None


class MonthlyRetention(_Part, frozen=True, kw_only=True):
    """Some backups of every month, chosen by days, or by weeks and weekdays."""

    months: Annotated[int, Meta(description="How many months they are kept: 1 to 1188 (of 31 days).")]
    days: Days | None = None
    weeks: Weeks | None = None
    weekdays: Weekdays | None = None


class YearlyRetention(_Part, frozen=True, kw_only=True):
    """Some backups of every year: of these months, chosen by days, or by weeks and weekdays."""

    years: Annotated[int, Meta(description="How many years they are kept: 1 to 99.")]
    months: Annotated[tuple[Month, ...], Meta(min_length=1, description="Months whose backups are kept.")]
    days: Days | None = None
    weeks: Weeks | None = None
    weekdays: Weekdays | None = None


class Retention(_Part, frozen=True, kw_only=True):
    """How long recovery points live. A point that several of these name lives as long as the longest."""

    daily: Annotated[
        DailyRetention | None, Meta(description="Required with Hourly and Daily, not possible with Weekly.")
    ] = None
    weekly: Annotated[WeeklyRetention | None, Meta(description="Required with a Weekly schedule.")] = None
    monthly: Annotated[MonthlyRetention | None, Meta(description="Points kept for months.")] = None
    yearly: Annotated[YearlyRetention | None, Meta(description="Points kept for years.")] = None


class SnapshotGroup(_Part, frozen=True, kw_only=True):
    """The resource group that Azure Backup creates for its snapshots: prefix, a number, suffix. Never lock it."""

    prefix: Annotated[str, Meta(min_length=1, description="What the name begins with.")]
    suffix: Annotated[str, Meta(description="What the name ends with.")] = ""


class InstantRestore(_Part, frozen=True, kw_only=True):
    """Snapshots kept beside the VM, from which a restore takes minutes."""

    days: Annotated[
        int | None,
        Meta(
            description="How long: Standard 1 to 5 (default 2; Weekly always 5), Enhanced 1 to 30 (default 7; less "
            "with short intervals), fewer than the daily retention."
        ),
    ] = None
    resource_group: Annotated[SnapshotGroup | None, Meta(description="Own name for the snapshots' group.")] = None


class Tiering(_Part, frozen=True, kw_only=True):
    """Whether old monthly and yearly points move to the archive tier (cheaper; hours to restore; 180 days minimum)."""

    mode: Annotated[
        Literal["DoNotTier", "TierRecommended", "TierAfter"],
        Meta(
            description="DoNotTier keeps all in the vault; TierRecommended moves what saves money; TierAfter: by age."
        ),
    ]
    after: Annotated[ArchiveAge | None, Meta(description="TierAfter: the age at which a point moves.")] = None


class BackupPolicy(_Part, frozen=True, kw_only=True):
    """How often a VM is backed up and how long the recovery points live. It belongs to no vault: it is created in every
    vault where a VM needs it."""

    tier: Annotated[
        Literal["Standard", "Enhanced"],
        Meta(
            description="Enhanced: several backups a day, instant restore up to 30 days, zone-resilient snapshots, "
            "Ultra and Premium SSD v2 disks. A VM can go from Standard to Enhanced, never back."
        ),
    ]
    schedule: Annotated[Schedule, Meta(description="When backups start.")]
    retention: Annotated[Retention, Meta(description="How long recovery points live.")]
    instant_restore: Annotated[InstantRestore, Meta(description="Snapshots kept beside the VM.")] = InstantRestore()
    tiering: Annotated[Tiering, Meta(description="Moving old points to the archive tier.")] = Tiering(mode="DoNotTier")
    consistency: Annotated[
        Literal["ApplicationConsistent", "CrashConsistent"],
        Meta(
            description="ApplicationConsistent (VSS; scripts on Linux) or CrashConsistent (agentless, Enhanced only)."
        ),
    ] = "ApplicationConsistent"
