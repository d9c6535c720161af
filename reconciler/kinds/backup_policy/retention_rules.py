"""Rules about how long recovery points live: BP-12 to BP-18."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from reconciler.kinds.backup_policy.document import MonthlyRetention, YearlyRetention
from reconciler.kinds.backup_policy.rule import Draft, PolicyRule
from reconciler.kinds.backup_policy.spec import terms_of
from reconciler.kinds.document_rule import Breach
from reconciler.model.recovery_points import LIMIT, recovery_points
from reconciler.plan.finding import Severity

RANGES = {
    ("daily", "days"): (7, 9999),
    ("weekly", "weeks"): (1, 5163),
    ("monthly", "months"): (1, 1188),
    ("yearly", "years"): (1, 99),
}
"""Least and greatest count of each tier (BP-12)."""
_LAST_NUMBERED_DAY = 28
_REFERENCE_DAY = date(2026, 12, 31)
"""Any late December shows a policy's steady state: no plan depends on it."""


def _ranges(draft: Draft) -> Iterator[Breach]:
    for (tier, unit), (least, most) in RANGES.items():
        part = getattr(draft.policy.retention, tier)
        if part is None:
            continue
        count = getattr(part, unit)
        path = ("retention", tier, unit)
        if count < least and not (tier == "daily" and count == 1):
            yield Breach(path, f"{count} is below {least}", f"write {least} or more")
        elif count > most:
            yield Breach(path, f"{count} is above {most}", f"write {most} or less")


def _single_day(draft: Draft) -> Iterator[Breach]:
    daily = draft.policy.retention.daily
    if daily and daily.days == 1:
        yield Breach(
            ("retention", "daily", "days"),
            "1 is accepted for policies that have it already, perhaps",
            "write 7 or more",
        )


def _tier_of_schedule(draft: Draft) -> Iterator[Breach]:
    retention = draft.policy.retention
    if draft.weekly:
        if retention.daily:
            yield Breach(
                ("retention", "daily"), "a Weekly schedule has no daily retention", "remove daily; use weekly instead"
            )
        if not retention.weekly:
            yield Breach(("retention",), "a Weekly schedule needs weekly retention", "add weekly: {weeks: 12}")
    elif not retention.daily:
        frequency = draft.policy.schedule.frequency
        yield Breach(("retention",), f"a {frequency} schedule needs daily retention", "add daily: {days: 30}")


def _weekly_weekdays(draft: Draft) -> Iterator[Breach]:
    weekly = draft.policy.retention.weekly
    if weekly is None:
        return
    path = ("retention", "weekly", "weekdays")
    if weekly.weekdays is None:
        if not draft.weekly:
            yield Breach(("retention", "weekly"), "weekly retention needs weekdays", "add weekdays: [Sunday]")
        return
    if len(set(weekly.weekdays)) < len(weekly.weekdays):
        yield Breach(path, "a weekday is given twice", "name each weekday once")
    scheduled = draft.policy.schedule.weekdays
    if draft.weekly and scheduled and not set(weekly.weekdays) <= set(scheduled):
        yield Breach(
            path,
            f"{', '.join(sorted(set(weekly.weekdays) - set(scheduled)))}: no backup is made then",
            f"write [{', '.join(scheduled)}]",
        )


def _all_scheduled_weekdays(draft: Draft) -> Iterator[Breach]:
    weekly, scheduled = draft.policy.retention.weekly, draft.policy.schedule.weekdays
    if draft.weekly and weekly and weekly.weekdays and scheduled and set(weekly.weekdays) < set(scheduled):
        yield Breach(
            ("retention", "weekly", "weekdays"),
            "fewer weekdays than the schedule has: PowerShell refuses that",
            f"write [{', '.join(scheduled)}]",
        )


def _long_tiers(draft: Draft) -> Iterator[tuple[str, MonthlyRetention | YearlyRetention]]:
    if draft.policy.retention.monthly:
        yield "monthly", draft.policy.retention.monthly
    if draft.policy.retention.yearly:
        yield "yearly", draft.policy.retention.yearly


def _long_tiers_of_weekly(draft: Draft) -> Iterator[Breach]:
    if not draft.weekly:
        return
    scheduled = set(draft.policy.schedule.weekdays or ())
    for tier, part in _long_tiers(draft):
        if part.days is not None:
            yield Breach(
                ("retention", tier, "days"),
                f"with a Weekly schedule {tier} retention cannot be by days of the month",
                "write weeks: [First] and weekdays instead of days",
            )
        elif scheduled and part.weekdays and not set(part.weekdays) <= scheduled:
            yield Breach(
                ("retention", tier, "weekdays"),
                f"{', '.join(sorted(set(part.weekdays) - scheduled))}: no backup is made then",
                f"choose from {', '.join(sorted(scheduled))}",
            )


def _one_format(draft: Draft) -> Iterator[Breach]:
    for tier, part in _long_tiers(draft):
        path = ("retention", tier)
        if part.days is not None and (part.weeks is not None or part.weekdays is not None):
            yield Breach(path, "days and weeks are both given", "keep either days, or weeks and weekdays")
        elif part.days is None and not (part.weeks and part.weekdays):
            missing = "days, or weeks and weekdays"
            if part.weeks or part.weekdays:
                missing = "weeks" if part.weekdays else "weekdays"
            yield Breach(
                path, f"{tier} retention needs {missing}", "add days: [1], or weeks: [First], weekdays: [Sunday]"
            )
        for key in ("days", "weeks", "weekdays", "months"):
            values = getattr(part, key)
            if isinstance(values, tuple) and len(set(values)) < len(values):
                yield Breach((*path, key), f"{key} has a value twice", "name each once")


def _late_days(draft: Draft) -> Iterator[Breach]:
    for tier, part in _long_tiers(draft):
        for index, day in enumerate(part.days or ()):
            if isinstance(day, int) and day > _LAST_NUMBERED_DAY:
                yield Breach(
                    ("retention", tier, "days", index),
                    f"{day}: Azure's own clients take 1 to {_LAST_NUMBERED_DAY} only, other months have no such day",
                    "write last",
                )


def _too_many_points(draft: Draft) -> Iterator[Breach]:
    terms = terms_of(draft.policy, draft.time_zone)
    if terms is None or max(terms.retention.in_days.values(), default=0) > _REFERENCE_DAY.toordinal():
        return
    count = recovery_points(terms, _REFERENCE_DAY)
    if count > LIMIT:
        yield Breach(
            ("retention",),
            f"a VM would hold {count} recovery points in the long run; Azure keeps {LIMIT}",
            "shorten the longest tier",
        )


RETENTION_RULES = (
    PolicyRule("BP-12", Severity.ERROR, "vmfaq, ps-r, tf-pol, pln", _ranges),
    PolicyRule("BP-12", Severity.DOUBT, "pln", _single_day),
    PolicyRule("BP-13", Severity.ERROR, "tf-pol, ps-x", _tier_of_schedule),
    PolicyRule("BP-14", Severity.ERROR, "ps-x, mcp", _weekly_weekdays),
    PolicyRule("BP-14", Severity.WARNING, "ps-x", _all_scheduled_weekdays),
    PolicyRule("BP-15", Severity.ERROR, "ps-x", _long_tiers_of_weekly),
    PolicyRule("BP-16", Severity.ERROR, "ps-r, tf-pol, mcp", _one_format),
    PolicyRule("BP-17", Severity.DOUBT, "ps-c, ps-r, tf-pol", _late_days),
    PolicyRule("BP-18", Severity.ERROR, "iaas, irp", _too_many_points),
)
