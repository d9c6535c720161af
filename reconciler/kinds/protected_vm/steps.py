"""The writes that close a difference. Only a release with `deleteData` ever holds a delete."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from reconciler.kinds.base import Comparison, Verdict
from reconciler.kinds.located_vault import vault_at, vault_facts
from reconciler.kinds.protected_vm.inventory import NAME
from reconciler.kinds.protected_vm.placement import ACTIVE
from reconciler.kinds.protected_vm.spec import ALL_DISKS, ProtectedVmSpec
from reconciler.kinds.protected_vm.verdict import facts_of, held_in, lost_promises, released_from, wanted_machine
from reconciler.kinds.resource_guard import guard_proxy
from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.observed import ItemFacts, ItemState
from reconciler.plan.change import Action, Phase, Reason, Step

WRITE = "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/write"
KEEPING = ", keeping all recovery points"
DELETE = "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/delete"


@dataclass(frozen=True, slots=True)
class Target:
    """One item of one VM in one vault; `item` is its ARM id as Azure spells it, or "" where there is none yet.

    `guarded` is True where a Resource Guard watches over the vault.
    """

    address: Address
    vault: ArmId
    machine: ArmId
    item: str
    guarded: bool

    def step(
        self,
        verb: str,
        title: str,
        *,
        phase: Phase = Phase.SETUP,
        suffix: str = "",
        usually: str = "a few seconds",
        needs_approval: bool = False,
        **arguments: Any,
    ) -> Step:
        return Step(
            id=f"{self.address}#{verb}",
            kind=NAME,
            address=str(self.address),
            verb=verb,
            title=f"{title} {self.machine.name} in vault {self.vault.name}{suffix}",
            arguments={
                "vault": str(self.vault),
                "machine": str(self.machine),
                "item": self.item,
                "guarded": self.guarded,
                **arguments,
            },
            phase=phase,
            lane=self.vault.key,
            permission=DELETE if verb == "delete" else WRITE,
            usually=usually,
            needs_approval=str(guard_proxy(self.vault)) if needs_approval and self.guarded else "",
        )


def protection_steps(comparison: Comparison[ProtectedVmSpec], verdict: Verdict) -> tuple[Step, ...]:
    """In order: what is stopped elsewhere, what is brought back, what is protected."""
    if comparison.desired is None:
        return _release_steps(comparison, verdict)
    settings = comparison.wanted_spec.settings.address
    vault = vault_at(settings, comparison.situation.declared)
    if vault is None or verdict.action not in (Action.CREATE, Action.UPDATE, Action.UNDELETE):
        return ()
    held = held_in(comparison, vault)
    target = Target(
        address=comparison.address,
        vault=vault,
        machine=wanted_machine(comparison).arm_id,
        item=str(held.item_id) if held else "",
        guarded=vault_facts(comparison.situation.live, settings).resource_guard,
    )
    steps: list[Step] = []
    if comparison.live is not None and verdict.reason is Reason.OTHER_VAULT and facts_of(comparison).state in ACTIVE:
        steps.append(_elsewhere(comparison).step("stop", "stop the backups of", suffix=KEEPING, phase=Phase.TEARDOWN))
    if held is not None and held.state is ItemState.SOFT_DELETED:
        steps.append(target.step("undelete", "bring back the backups of", usually="15 s"))
    steps.append(_configure(comparison, verdict, target, held))
    return tuple(steps)


def _configure(
    comparison: Comparison[ProtectedVmSpec], verdict: Verdict, target: Target, held: ItemFacts | None
) -> Step:
    """The PUT that gives the VM its policy and its disks; disks are sent only where one side says anything of them."""
    wanted = comparison.wanted_spec
    assert wanted.policy is not None
    verb, title = "update", "change the protection of"
    to = f" to policy {wanted.policy.address.name}" if comparison.live and comparison.changed("policy") else ""
    if held is None:
        verb, title, to = "protect", "protect", f" with policy {wanted.policy.address.name}"
    elif held.state not in ACTIVE or held.state in (ItemState.SUSPENDED, ItemState.PAUSED):
        verb, title, to = "resume", "resume the backups of", f" with policy {wanted.policy.address.name}"
    says_disks = wanted.disks != ALL_DISKS or (held is not None and _live_disks_differ(comparison, held))
    reduced = (
        verdict.reason is not Reason.OTHER_VAULT and comparison.live is not None and bool(lost_promises(comparison))
    )
    return target.step(
        verb,
        title,
        suffix=to,
        usually="30 to 60 s" if verb == "protect" else "a few seconds",
        needs_approval=reduced,
        policy=str(target.vault.child("backupPolicies", wanted.policy.address.name)),
        disks=msgspec.json.decode(msgspec.json.encode(wanted.disks)) if says_disks else None,
    )


def _live_disks_differ(comparison: Comparison[ProtectedVmSpec], held: ItemFacts) -> bool:
    """The list of an item in another vault than the live one is not in the spec: it is written, to be sure."""
    return facts_of(comparison).item_id != held.item_id or comparison.live_spec.disks != ALL_DISKS


def _release_steps(comparison: Comparison[ProtectedVmSpec], verdict: Verdict) -> tuple[Step, ...]:
    vault, target = released_from(comparison), _elsewhere(comparison)
    if vault is None:
        return ()
    if verdict.action is Action.DELETE and vault.on_release == "deleteData":
        return (
            target.step(
                "delete", "delete the backups of", phase=Phase.TEARDOWN, usually="15 s to 2 min", needs_approval=True
            ),
        )
    if verdict.action is not Action.RELEASE:
        return ()
    if vault.on_release == "suspend":
        live = comparison.live_spec.policy
        keeps = str(target.vault.child("backupPolicies", live.address.name)) if live else ""
        return (target.step("suspend", "suspend the backups of", phase=Phase.TEARDOWN, keeps=keeps),)
    return (target.step("stop", "stop the backups of", suffix=KEEPING, phase=Phase.TEARDOWN),)


def _elsewhere(comparison: Comparison[ProtectedVmSpec]) -> Target:
    """The live item, wherever it is."""
    facts = facts_of(comparison)
    settings = comparison.live_spec.settings.address
    return Target(
        address=comparison.address,
        vault=facts.vault_id,
        machine=facts.machine_id,
        item=str(facts.item_id),
        guarded=vault_facts(comparison.situation.live, settings).resource_guard,
    )
