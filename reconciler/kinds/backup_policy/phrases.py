"""What a backup policy says, for people."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.kinds.backup_policy.spec import BackupPolicySpec, InstantRestore, Tiering
from reconciler.kinds.phrases import Phrase
from reconciler.model.counting import count
from reconciler.model.retention import LAST_DAY, Monthly, Retention, Schedule, Yearly


def policy_phrases(spec: BackupPolicySpec) -> Iterator[Phrase]:
    """`schedule: daily at 22:00 W. Europe Standard Time`, `retention.monthly: 24 months (First Sunday)`."""
    yield Phrase("tier", "tier", spec.tier)
    yield Phrase("schedule", "schedule", _schedule(spec.schedule))
    yield from _retention(spec.retention)
    yield Phrase("instant_restore", "instantRestore.days", str(spec.instant_restore.days))
    if spec.instant_restore.prefix:
        yield Phrase("instant_restore", "instantRestore.resourceGroup", _group(spec.instant_restore))
    yield Phrase("tiering", "tiering", _tiering(spec.tiering), usual=spec.tiering.mode == "DoNotTier")
    yield Phrase("consistency", "consistency", spec.consistency, usual=spec.consistency == "ApplicationConsistent")


def _schedule(schedule: Schedule) -> str:
    zone = schedule.time_zone
    if schedule.frequency == "Hourly":
        start = int(schedule.time[:2])
        end = f"{(start + schedule.duration_hours) % 24:02}{schedule.time[2:]}"
        window = f"from {schedule.time} to {end}" if schedule.duration_hours < 24 else f"from {schedule.time} on"
        return f"every {schedule.interval_hours} h {window} {zone}"
    if schedule.frequency == "Weekly":
        return f"weekly on {', '.join(schedule.weekdays)} at {schedule.time} {zone}"
    return f"daily at {schedule.time} {zone}"


def _retention(retention: Retention) -> Iterator[Phrase]:
    if retention.daily:
        yield Phrase("retention", "retention.daily", count(retention.daily.days, "day"))
    if retention.weekly:
        days = ", ".join(retention.weekly.weekdays)
        yield Phrase("retention", "retention.weekly", f"{count(retention.weekly.weeks, 'week')} ({days})")
    if retention.monthly:
        kept = count(retention.monthly.months, "month")
        yield Phrase("retention", "retention.monthly", f"{kept} ({_days(retention.monthly)})")
    if retention.yearly:
        kept, months = count(retention.yearly.years, "year"), ", ".join(retention.yearly.months)
        yield Phrase("retention", "retention.yearly", f"{kept} ({_days(retention.yearly)} of {months})")


def _days(tier: Monthly | Yearly) -> str:
    """`First, Last Sunday`, `day 1`, `days 1, 15 and the last`."""
    if not tier.days:
        return f"{', '.join(tier.weeks)} {', '.join(tier.weekdays)}"
    numbers = [day for day in tier.days if day != LAST_DAY]
    if not numbers:
        return "the last day"
    last = " and the last" if LAST_DAY in tier.days else ""
    return f"day{'s' if len(numbers) > 1 else ''} {', '.join(numbers)}{last}"


def _group(instant: InstantRestore) -> str:
    return f"{instant.prefix}N{instant.suffix}"


def _tiering(tiering: Tiering) -> str:
    if tiering.mode != "TierAfter":
        return tiering.mode
    return f"TierAfter {count(tiering.duration, tiering.unit.removesuffix('s').lower())}"
