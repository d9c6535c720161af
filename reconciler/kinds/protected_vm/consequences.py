"""What a change of protection does to a VM's recovery points, in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from reconciler.kinds.base import Comparison, Verdict
from reconciler.kinds.located_vault import vault_at, vault_facts
from reconciler.kinds.protected_vm.placement import ACTIVE
from reconciler.kinds.protected_vm.spec import Disks, ProtectedVmSpec
from reconciler.kinds.protected_vm.verdict import facts_of, held_in, released_from, terms_at, wanted_machine
from reconciler.kinds.term_consequences import term_consequences, weaker_promises
from reconciler.model.counting import count
from reconciler.model.duration import format_age
from reconciler.model.observed import ItemFacts, ItemState
from reconciler.model.recovery_points import lapsed, pruned, recovery_points
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
        yield from _disks(comparison)
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
    live = comparison.live_spec.policy
    if after is None or live is None or not comparison.changed("policy"):
        return
    if before is None:
        yield Consequence(
            effect=Effect.WEAKENS,
            text=f"what policy {live.address.name} promises could not be read: recovery points that it keeps longer "
            "than the new one are pruned",
        )
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
    text = f"backups begin again{age}; {points} as policy {name} says"
    return _resumed(comparison, facts, text, _age_figure(comparison, facts))


def _resumed(
    comparison: Comparison[ProtectedVmSpec], facts: ItemFacts, text: str, figures: dict[str, int]
) -> Consequence:
    """What a policy takes away that applies again to points which nothing expired meanwhile."""
    gone, earlier = _lapsed(comparison, facts)
    if not gone:
        return Consequence(effect=Effect.STRENGTHENS, text=text, figures=figures)
    provided = f", if it followed policy {earlier} before" if earlier else ""
    return Consequence(
        effect=Effect.PRUNES,
        text=f"{text}: prunes up to {count(gone, 'recovery point')} within a day{provided}, never the newest",
        figures={**figures, "recovery_points_pruned_each": gone, "recovery_points_pruned": gone},
    )


def _lapsed(comparison: Comparison[ProtectedVmSpec], facts: ItemFacts) -> tuple[int, str]:
    """Points that only the stop (or the deletion) has kept until now, at most, and the policy that would have made so
    many.

    Azure forgets which policy a stopped or deleted VM followed: it may have been any of that vault from which a VM can
    change to the wanted one (BP-40).
    """
    wanted, situation = comparison.wanted_spec.policy, comparison.situation
    terms = terms_at(wanted, situation, wanted=True)
    kept = facts.state in (ItemState.STOPPED, ItemState.SOFT_DELETED)
    if not kept or facts.last_recovery_point is None or wanted is None or terms is None:
        return 0, ""
    today = situation.now.date()
    candidates = situation.live.terms_by_scope.get(wanted.address.scope.casefold(), {})
    possible = [
        (pruned(before, terms, today), name)
        for name, before in candidates.items()
        if before.tier == "Standard" or terms.tier == "Enhanced"
    ]
    return max([(lapsed(terms, facts.last_recovery_point.date(), today), ""), *possible])


def _undelete(comparison: Comparison[ProtectedVmSpec], facts: ItemFacts) -> Consequence:
    """Both steps at once: what backing up again prunes is told before the first, so that a saved plan whose run was cut
    off between them still fits."""
    wanted = comparison.wanted_spec.policy
    then = f", then backs up again as policy {wanted.address.name if wanted else ''} says"
    if facts.gone_after is None:
        return _resumed(comparison, facts, f"brings the deleted recovery points back{then}", {})
    left = max(facts.gone_after - comparison.situation.now, timedelta())
    back = (
        f"brings the deleted recovery points back ({left.days} d left, gone on {facts.gone_after:%Y-%m-%d} otherwise)"
    )
    return _resumed(comparison, facts, f"{back}{then}", {"days_until_gone": left.days})


def _other_vault(comparison: Comparison[ProtectedVmSpec]) -> Iterator[Consequence]:
    facts = facts_of(comparison)
    vault = facts.vault_id.name
    yield _arrival(comparison)
    before = terms_at(comparison.live_spec.policy, comparison.situation, wanted=False)
    after = terms_at(comparison.wanted_spec.policy, comparison.situation, wanted=True)
    if facts.state in ACTIVE and before and after:
        yield from weaker_promises(before, after)
    if facts.state in ACTIVE:
        yield from _disks(comparison)
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


def _arrival(comparison: Comparison[ProtectedVmSpec]) -> Consequence:
    """What begins in the vault to go to: anew, or with what it still holds of the VM."""
    vault = vault_at(comparison.wanted_spec.settings.address, comparison.situation.declared)
    held = held_in(comparison, vault) if vault else None
    if held is None:
        return Consequence(
            effect=Effect.SEEDS, text="no recovery point in the new vault until the first full backup has ended"
        )
    return _undelete(comparison, held) if held.state is ItemState.SOFT_DELETED else _resume(comparison, held)


def _release(comparison: Comparison[ProtectedVmSpec], verdict: Verdict) -> Iterator[Consequence]:
    facts, vault = facts_of(comparison), released_from(comparison)
    if vault is None:
        return
    age = _age(comparison, facts)
    if verdict.action is Action.DELETE:
        terms = terms_at(comparison.live_spec.policy, comparison.situation, wanted=False)
        days = vault_facts(comparison.situation.live, vault.settings).soft_delete_days
        figures = {"days_until_gone": days}
        points = "all recovery points"
        if terms is not None:
            figures["recovery_points_deleted"] = recovery_points(terms, comparison.situation.now.date())
            points = f"all recovery points (up to {figures['recovery_points_deleted']:,})"
        yield Consequence(
            effect=Effect.DELETES,
            text=f"deletes {points}; they can be brought back for {days} d, then they are gone",
            figures=figures,
        )
    elif verdict.action is Action.RELEASE and vault.on_release == "suspend":
        yield Consequence(
            effect=Effect.STOPS,
            text=f"no more backups{age}; recovery points expire as the policy says, but the last one",
            figures=_age_figure(comparison, facts),
        )
    elif verdict.action is Action.RELEASE:
        yield Consequence(
            effect=Effect.STOPS,
            text=f"no more backups{age}; every recovery point is kept for ever, and billed",
            figures=_age_figure(comparison, facts),
        )


def _age(comparison: Comparison[ProtectedVmSpec], facts: ItemFacts) -> str:
    if facts.last_recovery_point is None:
        return " (there is no recovery point)"
    return f" (the newest recovery point is {format_age(comparison.situation.now - facts.last_recovery_point)} old)"


def _age_figure(comparison: Comparison[ProtectedVmSpec], facts: ItemFacts) -> dict[str, int]:
    """The same for programs, and for reports that tell of many VMs at once."""
    if facts.last_recovery_point is None:
        return {}
    age = comparison.situation.now - facts.last_recovery_point
    return {"newest_recovery_point_seconds": int(age.total_seconds())}
