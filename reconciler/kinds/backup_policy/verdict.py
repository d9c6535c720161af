"""Which differences of a policy we refuse to act on, and the way out."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.kinds.backup_policy.spec import BackupPolicySpec
from reconciler.kinds.base import Comparison, Verdict
from reconciler.kinds.located_vault import settings_unread, vault_facts
from reconciler.model.address import Address
from reconciler.model.observed import ItemFacts, ItemState
from reconciler.model.retention import increases, reductions
from reconciler.plan.change import Action, Reason


def judge_policy(comparison: Comparison[BackupPolicySpec], affected: Sequence[ItemFacts]) -> Verdict | None:
    """Blocked where Azure refuses: another tier (BP-40), less retention in an immutable vault (BP-81), more of it there
    while backups are suspended (BP-82). None otherwise."""
    if comparison.live is None or comparison.desired is None:
        return None
    before, after = comparison.live_spec, comparison.wanted_spec
    name = comparison.address.name
    if before.tier != after.tier:
        return Verdict(
            Action.BLOCKED,
            Reason.CANNOT_CHANGE,
            f"policy {name} has tier {before.tier} in Azure, and the tier of a policy never changes (BP-40)",
            f"write tier: {before.tier}, or declare the {after.tier} policy under a new name and let the Protections "
            "name that one" + (" (VMs cannot go back from Enhanced)" if before.tier == "Enhanced" else ""),
        )
    group, _, vault = comparison.address.scope.rpartition("/")
    settings, live = Address("vault_settings", group, vault), comparison.situation.live
    less = [item for item in reductions(before.terms, after.terms) if item.of_retention]
    unread = settings_unread(live, settings) if less else None
    if unread is not None:
        return unread
    immutability = vault_facts(live, settings).immutability
    if immutability == "Disabled":
        return None
    if less:
        return Verdict(
            Action.BLOCKED,
            Reason.CANNOT_CHANGE,
            f"vault {vault} is immutable ({immutability}): retention cannot be reduced there (BP-81): "
            + ", ".join(str(item) for item in less),
            f"keep the longer retention in {name}, or use a new policy for new VMs"
            + ("" if immutability == "Locked" else ", or set the vault's immutability to Disabled first"),
        )
    suspended = sum(item.state is ItemState.SUSPENDED for item in affected)
    if suspended and any(item.of_retention for item in increases(before.terms, after.terms)):
        return Verdict(
            Action.BLOCKED,
            Reason.CANNOT_CHANGE,
            f"vault {vault} is immutable and the backups of {suspended} VMs of policy {name} are suspended: retention "
            "cannot be increased meanwhile (BP-82)",
            "resume those VMs first, or stop them for good",
        )
    return None
