"""Rules about instant restore, the archive tier and consistency: BP-20 to BP-30."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reconciler.kinds.backup_policy.rule import Draft, PolicyRule
from reconciler.kinds.backup_policy.spec import archive_age_in_days, instant_days
from reconciler.kinds.document_rule import Breach
from reconciler.model.retention import DAYS_PER_MONTH, DAYS_PER_YEAR
from reconciler.plan.finding import Severity

STANDARD_DAYS = (1, 5)
STANDARD_WEEKLY_DAYS = 5
ENHANCED_DAYS = (1, 30)
ENHANCED_WEEKLY_DAYS = (5, 20)
CAP_BY_INTERVAL = {4: 17, 6: 22, 12: 30}
"""Most days of instant restore by hours between backups (BP-22); nothing is published for 8."""
UNPUBLISHED_CAP = 22
_PATH = ("instantRestore", "days")
_ARCHIVE_LEAST_DAYS = 45
_ARCHIVE_ELIGIBLE_DAYS = 3 * DAYS_PER_MONTH
_ARCHIVE_LIFE_LEFT = 6 * DAYS_PER_MONTH
_GROUP_NAME = re.compile(r"^[-\w.()]+$")
_GROUP_NAME_LENGTH = 74


def _days_of_tier(draft: Draft) -> Iterator[Breach]:
    days = draft.policy.instant_restore.days
    if days is None:
        return
    if draft.weekly and not draft.enhanced:
        if days != STANDARD_WEEKLY_DAYS:
            yield Breach(
                _PATH, f"{days}: a Weekly schedule of tier Standard always keeps {STANDARD_WEEKLY_DAYS}", "write 5"
            )
        return
    least, most = ENHANCED_DAYS if draft.enhanced else STANDARD_DAYS
    if draft.enhanced and draft.weekly:
        least, most = ENHANCED_WEEKLY_DAYS
    if not least <= days <= most:
        kind = f"{draft.policy.tier} {draft.policy.schedule.frequency}"
        yield Breach(_PATH, f"{days} is not between {least} and {most} ({kind})", f"write {least} to {most}")


def _weekly_above_five(draft: Draft) -> Iterator[Breach]:
    days = draft.policy.instant_restore.days
    if draft.enhanced and draft.weekly and days and ENHANCED_WEEKLY_DAYS[0] < days <= ENHANCED_WEEKLY_DAYS[1]:
        yield Breach(_PATH, f"{days}: Azure's pages allow 5 to 20 here, Terraform's say 5", "write 5 to be safe")


def _cap_of_interval(draft: Draft) -> Iterator[Breach]:
    interval = draft.policy.schedule.interval_hours
    cap = CAP_BY_INTERVAL.get(interval or 0)
    days = instant_days(draft.policy)
    if draft.hourly and cap and cap < days <= ENHANCED_DAYS[1]:
        yield Breach(_PATH, f"{days} is above {cap}, the most with a backup every {interval} h", f"write {cap} or less")


def _cap_unpublished(draft: Draft) -> Iterator[Breach]:
    days = instant_days(draft.policy)
    if draft.hourly and draft.policy.schedule.interval_hours == 8 and UNPUBLISHED_CAP < days <= ENHANCED_DAYS[1]:
        yield Breach(
            _PATH,
            f"{days}: Azure publishes no limit for every 8 h; {UNPUBLISHED_CAP} is the one for 6 h",
            f"write {UNPUBLISHED_CAP} or less to be safe",
        )


def _below_daily_retention(draft: Draft) -> Iterator[Breach]:
    daily, days = draft.policy.retention.daily, instant_days(draft.policy)
    if draft.enhanced and daily and daily.days > 1 and days >= daily.days:
        written = draft.policy.instant_restore.days is not None
        given = "" if written else " (the default)"
        yield Breach(
            _PATH if written else ("retention", "daily", "days"),
            f"instant restore of {days} days{given} is not below the daily retention of {daily.days} days "
            "(BMSUserErrorInstantRPRetentionExceedsVaultedRetention)",
            f"write instantRestore: {{days: {daily.days - 1}}} or less, or keep daily points longer",
        )


def _snapshot_group(draft: Draft) -> Iterator[Breach]:
    group = draft.policy.instant_restore.resource_group
    if group is None:
        return
    path = ("instantRestore", "resourceGroup")
    shortest = f"{group.prefix}1{group.suffix}"
    if not _GROUP_NAME.match(shortest):
        yield Breach(path, f"{shortest!r} is no resource group name", "use letters, digits, - _ . ( ) only")
    elif len(shortest) > _GROUP_NAME_LENGTH:
        yield Breach(path, f"{len(shortest)} characters with the number; {_GROUP_NAME_LENGTH} at most", "shorten it")
    elif shortest.endswith("."):
        yield Breach((*path, "suffix"), "a resource group name cannot end with a dot", "remove the last dot")


def _tiering_age(draft: Draft) -> Iterator[Breach]:
    tiering = draft.policy.tiering
    if tiering.mode == "TierAfter" and tiering.after is None:
        yield Breach(("tiering",), "TierAfter needs an age", "add after: 93d or more")
    if tiering.mode != "TierAfter" and tiering.after is not None:
        yield Breach(
            ("tiering", "after"), f"after is not used with {tiering.mode}", "remove after, or write mode: TierAfter"
        )


def _tiering_too_early(draft: Draft) -> Iterator[Breach]:
    tiering = draft.policy.tiering
    if tiering.mode == "TierAfter" and tiering.after and archive_age_in_days(tiering.after) < _ARCHIVE_LEAST_DAYS:
        yield Breach(("tiering", "after"), f"{tiering.after} is below {_ARCHIVE_LEAST_DAYS} days", "write 45d or more")


def _tiering_before_eligible(draft: Draft) -> Iterator[Breach]:
    tiering = draft.policy.tiering
    if tiering.mode != "TierAfter" or not tiering.after:
        return
    if _ARCHIVE_LEAST_DAYS <= archive_age_in_days(tiering.after) < _ARCHIVE_ELIGIBLE_DAYS:
        yield Breach(
            ("tiering", "after"),
            f"{tiering.after}: points of VMs can move after 3 months only, so nothing moves earlier",
            "write 3mo or more",
        )


def _nothing_to_tier(draft: Draft) -> Iterator[Breach]:
    retention, tiering = draft.policy.retention, draft.policy.tiering
    longest = max(
        retention.monthly.months * DAYS_PER_MONTH if retention.monthly else 0,
        retention.yearly.years * DAYS_PER_YEAR if retention.yearly else 0,
    )
    if tiering.mode != "DoNotTier" and longest < _ARCHIVE_ELIGIBLE_DAYS + _ARCHIVE_LIFE_LEFT:
        yield Breach(
            ("tiering", "mode"),
            "only monthly and yearly points with 3 months of age and 6 months left can move: this policy has none",
            "write mode: DoNotTier, or keep monthly points for 9 months or more",
        )


def _crash_consistent(draft: Draft) -> Iterator[Breach]:
    if draft.policy.consistency == "CrashConsistent" and not draft.enhanced:
        yield Breach(("consistency",), "CrashConsistent needs tier Enhanced", "write tier: Enhanced, or remove it")


RESTORE_RULES = (
    PolicyRule("BP-20", Severity.ERROR, "irp, tf-pol", _days_of_tier),
    PolicyRule("BP-21", Severity.DOUBT, "irp, azurerm", _weekly_above_five),
    PolicyRule("BP-22", Severity.ERROR, "enh", _cap_of_interval),
    PolicyRule("BP-22", Severity.DOUBT, "enh", _cap_unpublished),
    PolicyRule("BP-23", Severity.ERROR, "pln, enh", _below_daily_retention),
    PolicyRule("BP-25", Severity.ERROR, "rg, vmfaq", _snapshot_group),
    PolicyRule("BP-27", Severity.ERROR, "tf-pol, sdk-b", _tiering_age),
    PolicyRule("BP-28", Severity.ERROR, "tf-pol, mcp", _tiering_too_early),
    PolicyRule("BP-28", Severity.WARNING, "arc", _tiering_before_eligible),
    PolicyRule("BP-29", Severity.WARNING, "arc, cli-v", _nothing_to_tier),
    PolicyRule("BP-30", Severity.ERROR, "tf-pol, intro", _crash_consistent),
)
