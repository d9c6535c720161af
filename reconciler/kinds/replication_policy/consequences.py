"""What a change of a replication policy does to the recovery points of the VMs that follow it."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.kinds.base import Comparison
from reconciler.kinds.replication_policy.spec import ReplicationPolicySpec, spoken_minutes
from reconciler.model.address import Address
from reconciler.model.casing import fold
from reconciler.model.replicated import ReplicationFacts
from reconciler.plan.change import Consequence, Effect


def policy_consequences(comparison: Comparison[ReplicationPolicySpec]) -> Iterator[Consequence]:
    """Of an update; nothing where no VM follows the policy."""
    before, after = comparison.live_spec, comparison.wanted_spec
    gap = comparison.situation.live.hides(Address("replicated_vm", comparison.address.scope, ""))
    count = _followers(comparison)
    if gap:
        yield Consequence(effect=Effect.NONE, text=f"how many VMs it is for is not known: {gap.message}")
    elif not count:
        return
    whose = "of an unknown number of VMs" if gap else f"of {count} VM" + ("s" if count > 1 else "")
    figures = {} if gap else {"vms": count}
    old, new = spoken_minutes(before.retention_minutes), spoken_minutes(after.retention_minutes)
    if after.retention_minutes < before.retention_minutes:
        text = f"recovery points {whose} older than {new} are deleted (kept for {old} so far); they cannot be restored"
        yield Consequence(effect=Effect.PRUNES, text=text, figures=figures)
    elif after.retention_minutes > before.retention_minutes:
        text = f"recovery points {whose} are kept for {new} from now on ({old} so far)"
        yield Consequence(effect=Effect.STRENGTHENS, text=text, figures=figures)
    often, rarely = after.app_consistent_minutes, before.app_consistent_minutes
    if rarely and (not often or often > rarely):
        every = f"every {spoken_minutes(often)}" if often else "no longer"
        text = f"application-consistent points {whose} are taken {every} (every {spoken_minutes(rarely)} so far)"
        yield Consequence(effect=Effect.WEAKENS, text=text, figures=figures)
    if before.multi_vm_sync and not after.multi_vm_sync:
        text = f"multi-VM groups {whose} share no recovery points any longer"
        yield Consequence(effect=Effect.WEAKENS, text=text, figures=figures)


def _followers(comparison: Comparison[ReplicationPolicySpec]) -> int:
    """VMs that replicate under this policy, in this vault."""
    live = comparison.live
    if live is None or live.arm_id is None:
        return 0
    vault, name = live.arm_id.parent(), fold(live.arm_id.name)
    replicated = (
        resource.observed
        for resource in comparison.situation.live.state.values()
        if isinstance(resource.observed, ReplicationFacts)
    )
    return sum(facts.vault_id == vault and fold(facts.policy_name) == name for facts in replicated)
