"""What a difference of a replicated VM leads to. There is no replacing: disabling would take all recovery points."""

from __future__ import annotations

from reconciler.kinds.base import Comparison, Rule, Situation, Verdict
from reconciler.kinds.replicated_vm.spec import ReplicatedVmSpec
from reconciler.kinds.replicated_vm.wish import Wish
from reconciler.kinds.replication.route import LocatedRoute, located_routes
from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.replicated import ReplicationFacts
from reconciler.plan.change import Action, Reason

RULES: dict[str, Rule] = {
    "mapping": Rule.FORBID,
    "networks": Rule.IGNORE,
    "state": Rule.UPDATE,
    "target_resource_group": Rule.FORBID,
    "zone": Rule.FORBID,
    "availability_set": Rule.FORBID,
    "multi_vm_group": Rule.FORBID,
    "cache_storage_account": Rule.FORBID,
    "disk_encryption_set": Rule.FORBID,
    "disks": Rule.UPDATE,
    "target_size": Rule.UPDATE,
    "network": Rule.UPDATE,
    "test_network": Rule.UPDATE,
    "nics": Rule.UPDATE,
}
_FIXED = {
    "mapping": "vault, regions and policy",
    "target_resource_group": "target resource group",
    "zone": "availability zone",
    "availability_set": "availability set",
    "multi_vm_group": "multi-VM group",
    "cache_storage_account": "cache storage account",
    "disk_encryption_set": "disk encryption set",
}
"""What Azure settles when replication is enabled (ASR-15, ASR-40, site-recovery.md §5)."""


def judge_replication(comparison: Comparison[ReplicatedVmSpec]) -> Verdict | None:
    """The verdict for one VM; None where the generic one says enough (create, update)."""
    if comparison.live is not None and facts_of(comparison).frozen:
        return Verdict(Action.NO_OP, Reason.CANNOT_CHANGE)  # told of by `expand`, whether anything differs or not
    if comparison.desired is None:
        return _judge_release(comparison)
    if comparison.live is None:
        return _judge_unseen(comparison) or _judge_disks_unread(comparison)
    return (
        _judge_state(comparison)
        or _judge_fixed(comparison)
        or _judge_seeding(comparison)
        or _judge_unfinished(comparison)
    )


def facts_of(comparison: Comparison[ReplicatedVmSpec]) -> ReplicationFacts:
    """What was observed of the live item."""
    assert comparison.live is not None
    facts: ReplicationFacts = comparison.live.observed
    return facts


def wish_of(comparison: Comparison[ReplicatedVmSpec]) -> Wish:
    """What the policies say of it."""
    assert comparison.desired is not None
    wish: Wish = comparison.desired.observed
    return wish


def route_of(comparison: Comparison[ReplicatedVmSpec]) -> LocatedRoute | None:
    """The declared route that a live replication goes along; None for one that is nobody's."""
    return route_at(comparison.live_spec.mapping.address, comparison.situation)


def route_at(mapping: Address, situation: Situation) -> LocatedRoute | None:
    """The declared route with this container mapping."""
    return next((route for route in located_routes(situation.declared) if route.mapping == mapping), None)


def _judge_unseen(comparison: Comparison[ReplicatedVmSpec]) -> Verdict | None:
    """Blocked where the vault could not be read: the VM may be replicated already."""
    vault = wish_of(comparison).route.vault
    place = Address(comparison.address.kind, vault.scope, comparison.address.name)
    gap = comparison.situation.live.hides(place)
    if gap is None:
        return None
    return Verdict(
        Action.BLOCKED,
        Reason.UNREADABLE,
        f"what vault {vault.name} replicates is not known: {gap.message}",
        gap.advice or "plan again once it can be read",
    )


def _judge_disks_unread(comparison: Comparison[ReplicatedVmSpec]) -> Verdict | None:
    """Blocked where its disks were not seen: their types decide what Azure makes of them."""
    live, wish = comparison.situation.live, wish_of(comparison)
    unseen = [ArmId(one.disk).name for one in wish.disks if ArmId(one.disk) not in live.disks_by_id]
    if not unseen:
        return None
    return Verdict(
        Action.BLOCKED,
        Reason.UNREADABLE,
        f"what kind of disks {', '.join(unseen)} are is not known: they are not in the list of disks",
        "plan again once the disks of its subscription can be read",
    )


def _judge_state(comparison: Comparison[ReplicatedVmSpec]) -> Verdict | None:
    if comparison.live_spec.state != "Unknown":
        return None
    state = facts_of(comparison).protection_state or "none"
    return Verdict(
        Action.BLOCKED,
        Reason.CANNOT_CHANGE,
        f"Azure reports the state {state} of its replication, which this version does not know",
        "look at the VM in the portal; it is left alone until then",
    )


def _judge_fixed(comparison: Comparison[ReplicatedVmSpec]) -> Verdict | None:
    """What Azure settles when replication is enabled. Changing it takes a new initial replication."""
    changed = [words for name, words in _FIXED.items() if comparison.changed(name)]
    facts, wish = facts_of(comparison), wish_of(comparison)
    held = next((disk.disk for disk in facts.disks if disk.is_os), None)
    if held is not None and wish.os_disk and held != ArmId(wish.os_disk):
        changed.append("OS disk (ASR-37)")
    if not changed:
        return None
    return Verdict(
        Action.BLOCKED,
        Reason.CANNOT_CHANGE,
        f"Azure cannot change the {', '.join(changed)} of a replicated VM, and its replication is never replaced",
        "set the policies to what Azure has; or disable its replication by hand and apply again: its recovery points "
        f"are gone then, and it is unprotected until {max(facts.gib, wish.gib)} GiB are replicated anew (usually 30 "
        "minutes and more)",
    )


def _judge_seeding(comparison: Comparison[ReplicatedVmSpec]) -> Verdict | None:
    state, facts = comparison.live_spec.state, facts_of(comparison)
    if state == "Seeding":
        done = f", {facts.percent} % done" if facts.percent else ""
        return Verdict(
            Action.NO_OP,
            Reason.SEEDING,
            f"its initial replication goes on ({facts.description or facts.protection_state}{done}); it cannot be "
            "failed over yet, and nothing can be changed until it has ended",
            "plan again when it has ended",
        )
    if state == "Unfinished":
        return Verdict(Action.UPDATE, Reason.STOPPED, "enabling its replication has failed before; it is tried again")
    return None


def _judge_unfinished(comparison: Comparison[ReplicatedVmSpec]) -> Verdict | None:
    """What enabling has not come to yet, or a way home has lost: nothing that is set is changed."""
    if any(change.before for change in comparison.fields) or comparison.changed("state", "disks"):
        return None
    return Verdict(Action.UPDATE, Reason.UNFINISHED)


def _judge_release(comparison: Comparison[ReplicatedVmSpec]) -> Verdict:
    """No policy asks for it: what the route says is done, and by default nothing (decision 0006)."""
    dropped, route = "no policy asks for it any longer", route_of(comparison)
    if route is None or route.value.on_release == "keep":
        return Verdict(
            Action.NO_OP,
            Reason.NOT_DECLARED,
            f"{dropped}; its replication goes on as it is (onRelease: keep)",
            "to end it, write onRelease: disable in the ReplicationRoute; an Exemption says why it needs no policy",
        )
    return Verdict(Action.DELETE, Reason.NOT_DECLARED, f"{dropped} and route {route.name} says onRelease: disable")
