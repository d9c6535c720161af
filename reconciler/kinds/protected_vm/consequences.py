"""What a change of protection does to a VM's recovery points, in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from reconciler.kinds.base import Comparison, Verdict
from reconciler.kinds.located_vault import vault_facts
from reconciler.kinds.protected_vm.placement import ACTIVE
from reconciler.kinds.protected_vm.spec import Disks, ProtectedVmSpec
from reconciler.kinds.protected_vm.verdict import facts_of, released_from, terms_at, wanted_machine
from reconciler.kinds.term_consequences import term_consequences
from reconciler.model.duration import format_age
from reconciler.model.observed import ItemFacts, ItemState
from reconciler.model.recovery_points import recovery_points
from reconciler.plan.change import Action, Consequence, Effect, Reason


def protection_consequences(comparison: Comparison[ProtectedVmSpec], verdict: Verdict) -> Iterator[Consequence]:
    """Every effect of one change; nothing for what is blocked."""
    if comparison.desired is None:
        yield from _release(comparison, verdict)
    elif comparison.live is None:
        yield Consequence(effect=Effect.SEEDS, text="no recovery point until the first full backup has ended")
    elif verdict.reason is Reason.OTHER_VAULT:
        yield from _other_vault(comparison)
    elif verdict.action is Action.UNDELETE:
        yield _undelete(comparison, facts_of(comparison))
    elif verdict.reason in (Reason.STOPPED, Reason.SUSPENDED):
        yield _resume(comparison, facts_of(comparison))
        yield from _policy(comparison)
        yield from _disks(comparison)
    else:
        yield from _policy(comparison)
        yield from _disks(comparison)


def _policy(comparison: Comparison[ProtectedVmSpec]) -> Iterator[Consequence]:
    situation = comparison.situation
    before = terms_at(comparison.live_spec.policy, situation, wanted=False)
    after = terms_at(comparison.wanted_spec.policy, situation, wanted=True)
    if before is None or after is None or not comparison.changed("policy"):
        return
    yield from term_consequences(before, after, None, situation.now.date())
    if before.tier == "Standard" and after.tier == "Enhanced":
        yield Consequence(
            effect=Effect.SEEDS,
            text="the next backup takes a full snapshot; a VM cannot go back from Enhanced to Standard (BP-40)",
        )


def _disks(comparison: Comparison[ProtectedVmSpec]) -> Iterator[Consequence]:
    if not comparison.changed("disks"):
        return
    luns = frozenset(wanted_machine(comparison).data_disks)
    before = _backed_up(comparison.live_spec.disks, luns)
    after = _backed_up(comparison.wanted_spec.disks, luns)
    if before - after:
        yield Consequence(
            effect=Effect.WEAKENS,
            text=f"data {_disk_names(before - after)} no longer in new recovery points; older points keep theirs",
            figures={"disks_dropped": len(before - after)},
        )
    if after - before:
        yield Consequence(
            effect=Effect.SEEDS,
            text=f"data {_disk_names(after - before)} in new recovery points, after a first full backup",
            figures={"disks_added": len(after - before)},
        )


def _backed_up(disks: Disks, luns: frozenset[int]) -> frozenset[int]:
    chosen = frozenset(disks.luns)
    return {"all": luns, "osOnly": frozenset[int](), "only": luns & chosen, "except": luns - chosen}[disks.mode]


def _disk_names(luns: frozenset[int]) -> str:
    numbers = ", ".join(str(lun) for lun in sorted(luns))
    return f"disk {numbers} is" if len(luns) == 1 else f"disks {numbers} are"


def _resume(comparison: Comparison[ProtectedVmSpec], facts: ItemFacts) -> Consequence:
    wanted = comparison.wanted_spec.policy
    name = wanted.address.name if wanted else ""
    age = _age(comparison, facts)
    points = "points kept for ever until now expire" if facts.state is ItemState.STOPPED else "recovery points expire"
    return Consequence(
        effect=Effect.STRENGTHENS,
        text=f"backups begin again{age}; {points} as policy {name} says",
    )


def _undelete(comparison: Comparison[ProtectedVmSpec], facts: ItemFacts) -> Consequence:
    if facts.gone_after is None:
        return Consequence(
            effect=Effect.STRENGTHENS, text="brings the deleted recovery points back, then backs up again"
        )
    left = max(facts.gone_after - comparison.situation.now, timedelta())
    return Consequence(
        effect=Effect.STRENGTHENS,
        text=f"brings the deleted recovery points back ({left.days} d left, gone on {facts.gone_after:%Y-%m-%d} "
        "otherwise), then backs up again",
        figures={"days_until_gone": left.days},
    )


def _other_vault(comparison: Comparison[ProtectedVmSpec]) -> Iterator[Consequence]:
    facts = facts_of(comparison)
    vault = facts.vault_id.name
    yield Consequence(
        effect=Effect.SEEDS, text="no recovery point in the new vault until the first full backup has ended"
    )
    if facts.state is ItemState.SOFT_DELETED:
        until = f" until {facts.gone_after:%Y-%m-%d}" if facts.gone_after else ""
        yield Consequence(
            effect=Effect.NONE, text=f"the deleted recovery points in vault {vault} can be brought back{until}"
        )
    else:
        was = "old recovery points stay" if facts.state in ACTIVE else "the old recovery points stay"
        yield Consequence(
            effect=Effect.NONE, text=f"{was} in vault {vault}, kept and billed until they are deleted there"
        )


def _release(comparison: Comparison[ProtectedVmSpec], verdict: Verdict) -> Iterator[Consequence]:
    facts, vault = facts_of(comparison), released_from(comparison)
    if vault is None:
        return
    age = _age(comparison, facts)
    if verdict.action is Action.DELETE:
        terms = terms_at(comparison.live_spec.policy, comparison.situation, wanted=False)
        days = vault_facts(comparison.situation.live, vault.settings).soft_delete_days
        figures = {"days_until_gone": days}
        count = "all recovery points"
        if terms is not None:
            figures["recovery_points_deleted"] = recovery_points(terms, comparison.situation.now.date())
            count = f"all recovery points (up to {figures['recovery_points_deleted']:,})"
        yield Consequence(
            effect=Effect.DELETES,
            text=f"deletes {count}; they can be brought back for {days} d, then they are gone",
            figures=figures,
        )
    elif verdict.action is Action.RELEASE and vault.on_release == "suspend":
        yield Consequence(
            effect=Effect.STOPS,
            text=f"no more backups{age}; recovery points expire as the policy says, but the last one",
        )
    elif verdict.action is Action.RELEASE:
        yield Consequence(
            effect=Effect.STOPS, text=f"no more backups{age}; every recovery point is kept for ever, and billed"
        )


def _age(comparison: Comparison[ProtectedVmSpec], facts: ItemFacts) -> str:
    if facts.last_recovery_point is None:
        return " (there is no recovery point)"
    return f" (the newest recovery point is {format_age(comparison.situation.now - facts.last_recovery_point)} old)"
