"""What a difference of a protected VM leads to. There is no replacing: every way out keeps the recovery points."""

from __future__ import annotations

from datetime import datetime

from reconciler.kinds.base import Comparison, Situation, Verdict
from reconciler.kinds.located_vault import LocatedVault, declared_vaults, settings_unread, vault_facts
from reconciler.kinds.protected_vm.placement import ACTIVE
from reconciler.kinds.protected_vm.spec import ProtectedVmSpec
from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.duration import format_age
from reconciler.model.machine import Machine
from reconciler.model.observed import ItemFacts
from reconciler.model.resource import Ref, Resource
from reconciler.model.retention import PolicyTerms, TermChange, reductions
from reconciler.plan.change import Action, Reason


def judge_protection(comparison: Comparison[ProtectedVmSpec]) -> Verdict | None:
    """The verdict for one VM; None where the generic one says enough (create, update)."""
    if comparison.desired is None:
        return _judge_release(comparison)
    if comparison.live is None:
        return _judge_unseen(comparison)
    if comparison.live_spec.settings != comparison.wanted_spec.settings:
        return _judge_other_vault(comparison)
    state = comparison.live_spec.state
    facts = facts_of(comparison)
    if state == "Unknown":
        return Verdict(
            Action.BLOCKED,
            Reason.CANNOT_CHANGE,
            f"Azure reports a protection state of {comparison.address.name} that this version does not know",
            "look at the VM in the portal; it is left alone until then",
        )
    if state == "SoftDeleted":
        return Verdict(Action.UNDELETE, Reason.SOFT_DELETED, _soft_deleted(facts, comparison.situation.now))
    if state == "Stopped":
        return Verdict(Action.UPDATE, Reason.STOPPED, "backups were stopped, the recovery points are still there")
    blocked = _judge_policy(comparison)
    if blocked is not None:
        return blocked
    if state == "Suspended":
        return Verdict(Action.UPDATE, Reason.SUSPENDED, "backups are suspended, recovery points expire meanwhile")
    return None


def facts_of(comparison: Comparison[ProtectedVmSpec]) -> ItemFacts:
    """What was observed of the live item."""
    assert comparison.live is not None
    facts: ItemFacts = comparison.live.observed
    return facts


def held_in(comparison: Comparison[ProtectedVmSpec], vault: ArmId) -> ItemFacts | None:
    """What this vault holds of the VM already."""
    if comparison.live is None:
        return None
    facts = facts_of(comparison)
    return next((item for item in (facts, *facts.others) if item.vault_id == vault), None)


def wanted_machine(comparison: Comparison[ProtectedVmSpec]) -> Machine:
    """The VM that a policy wants protected, as Compute lists it."""
    assert comparison.desired is not None
    machine: Machine = comparison.desired.observed
    return machine


def terms_at(policy: Ref | None, situation: Situation, *, wanted: bool) -> PolicyTerms | None:
    """What a policy promises: as it will be after this plan (`wanted`), or as it is in Azure."""
    if policy is None:
        return None
    address = policy.address
    places: tuple[Resource | None, ...] = (situation.live.state.get(address),)
    if wanted:
        places = (situation.desired.get(address), *places)
    return next((place.observed for place in places if place and isinstance(place.observed, PolicyTerms)), None)


def lost_promises(comparison: Comparison[ProtectedVmSpec]) -> tuple[TermChange, ...]:
    """In what the wanted policy promises less than the live one; nothing where one of them is not known."""
    before = terms_at(comparison.live_spec.policy, comparison.situation, wanted=False)
    after = terms_at(comparison.wanted_spec.policy, comparison.situation, wanted=True)
    return reductions(before, after) if before and after and comparison.changed("policy") else ()


def _judge_policy(comparison: Comparison[ProtectedVmSpec]) -> Verdict | None:
    """Another policy in the same vault: never from Enhanced to Standard, never to less in an immutable vault."""
    situation = comparison.situation
    before = terms_at(comparison.live_spec.policy, situation, wanted=False)
    after = terms_at(comparison.wanted_spec.policy, situation, wanted=True)
    if before is None or after is None or not comparison.changed("policy"):
        return None
    wanted = comparison.wanted_spec.policy
    name = wanted.address.name if wanted else ""
    if before.tier == "Enhanced" and after.tier == "Standard":
        return Verdict(
            Action.BLOCKED,
            Reason.CANNOT_CHANGE,
            f"it follows an Enhanced policy and {name} is Standard: a VM cannot go back (BP-40)",
            f"make {name} an Enhanced policy, or use another. Going back takes stopping, deleting its recovery points "
            "and protecting it anew",
        )
    settings = comparison.wanted_spec.settings.address
    less = [item for item in lost_promises(comparison) if item.of_retention]
    unread = settings_unread(situation.live, settings) if less else None
    if unread is not None:
        return unread
    immutability = vault_facts(situation.live, settings).immutability
    if immutability != "Disabled" and less:
        return Verdict(
            Action.BLOCKED,
            Reason.CANNOT_CHANGE,
            f"the vault is immutable ({immutability}) and policy {name} keeps less (BP-81): "
            + ", ".join(str(item) for item in less),
            "use a policy that keeps as much as the present one",
        )
    return None


def _judge_unseen(comparison: Comparison[ProtectedVmSpec]) -> Verdict | None:
    """Blocked where the vault that the VM is to be protected in could not be read: it may be protected there already,
    and what would be written as new would then change it."""
    vault = comparison.wanted_spec.settings.address
    gap = comparison.situation.live.hides(
        Address(comparison.address.kind, f"{vault.scope}/{vault.name}", comparison.address.name)
    )
    if gap is None:
        return None
    return Verdict(
        Action.BLOCKED,
        Reason.UNREADABLE,
        f"what vault {vault.name} holds of this VM is not known: {gap.message}",
        gap.advice or "plan again once it can be read",
    )


def _judge_other_vault(comparison: Comparison[ProtectedVmSpec]) -> Verdict:
    unseen = _judge_unseen(comparison)
    if unseen is not None:
        return unseen
    facts = facts_of(comparison)
    vault = comparison.wanted_spec.settings.address.name
    if facts.state not in ACTIVE:
        return Verdict(
            Action.CREATE,
            Reason.OTHER_VAULT,
            f"vault {facts.vault_id.name} holds old recovery points of it ({facts.state.value}), nothing backs it up",
        )
    if comparison.live_spec.state == "Unknown":
        return Verdict(
            Action.BLOCKED,
            Reason.CANNOT_CHANGE,
            f"its state in vault {facts.vault_id.name} is not known to this version, so it is not moved to {vault}",
            "look at the VM in the portal",
        )
    return Verdict(
        Action.UPDATE, Reason.OTHER_VAULT, f"it is protected in vault {facts.vault_id.name} and belongs into {vault}"
    )


def _judge_release(comparison: Comparison[ProtectedVmSpec]) -> Verdict:
    """No policy asks for it: what the Vault document says is done, and by default nothing."""
    vault = released_from(comparison)
    dropped = "no policy asks for it any longer"
    if vault is None or vault.on_release == "keep":
        return Verdict(
            Action.NO_OP,
            Reason.NOT_DECLARED,
            f"{dropped}; its backups go on as they are (onRelease: keep)",
            "to stop them, write onRelease: stopRetain in the Vault; an Exemption says why it needs no policy",
        )
    if vault.on_release == "stopRetain":
        return Verdict(Action.RELEASE, Reason.NOT_DECLARED, dropped)
    live = comparison.situation.live
    unread = settings_unread(live, vault.settings)
    if unread is not None:
        return unread
    immutability = vault_facts(live, vault.settings).immutability
    if vault.on_release == "suspend":
        if immutability == "Disabled":
            return Verdict(
                Action.BLOCKED,
                Reason.NOT_DECLARED,
                f"{dropped}, but vault {vault.name} is not immutable: Azure suspends backups in immutable ones only "
                "(BP-71)",
                "write onRelease: stopRetain, or make the vault immutable",
            )
        return Verdict(Action.RELEASE, Reason.NOT_DECLARED, dropped)
    if immutability != "Disabled":
        return Verdict(
            Action.BLOCKED,
            Reason.NOT_DECLARED,
            f"{dropped}, but vault {vault.name} is immutable ({immutability}): its recovery points cannot be deleted "
            "(BP-81)",
            "write onRelease: stopRetain: backups stop and the points stay",
        )
    return Verdict(Action.DELETE, Reason.NOT_DECLARED, f"{dropped} and vault {vault.name} says onRelease: deleteData")


def released_from(comparison: Comparison[ProtectedVmSpec]) -> LocatedVault | None:
    """The declared vault that holds a VM which nobody asks for."""
    return declared_vaults(comparison.situation.declared).get(facts_of(comparison).vault_id)


def _soft_deleted(facts: ItemFacts, now: datetime) -> str:
    if facts.gone_after is None:
        return "its backups were deleted and can still be brought back"
    return f"its backups were deleted; {format_age(facts.gone_after - now)} are left to bring them back"
