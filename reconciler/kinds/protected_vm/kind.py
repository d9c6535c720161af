"""The kind `protected_vm`: Azure Backup of one VM. Protection is changed, resumed or released; it is never replaced."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from datetime import datetime
from typing import ClassVar

from reconciler.azure.clients import Azure
from reconciler.azure.operations import Operation
from reconciler.kinds.adoption import Adopted, AdoptedEstate
from reconciler.kinds.base import Aspect, Comparison, Expansion, Kind, Ownership, Quota, Rule, Situation, Verdict
from reconciler.kinds.located_vault import declared_vaults
from reconciler.kinds.phrases import Phrase
from reconciler.kinds.protected_vm.adoption import adopt_backups
from reconciler.kinds.protected_vm.consequences import protection_consequences
from reconciler.kinds.protected_vm.document import Backup
from reconciler.kinds.protected_vm.expansion import expand_backups
from reconciler.kinds.protected_vm.inventory import NAME, read_items
from reconciler.kinds.protected_vm.jobs import find_running
from reconciler.kinds.protected_vm.outcome import judge_outcome
from reconciler.kinds.protected_vm.phrase import protection_phrases, protection_summary
from reconciler.kinds.protected_vm.requests import ItemPath, read_back, send
from reconciler.kinds.protected_vm.rules import check_backup
from reconciler.kinds.protected_vm.spec import Disks, ProtectedVmSpec, normal_disks
from reconciler.kinds.protected_vm.steps import protection_steps
from reconciler.kinds.protected_vm.verdict import judge_protection
from reconciler.model.arm_id import ArmId
from reconciler.model.document import Declared
from reconciler.model.live import Unreadable
from reconciler.model.observed import ItemFacts, ItemState
from reconciler.model.resource import Resource
from reconciler.model.scope import Objectives
from reconciler.plan.change import Change, Consequence, Step
from reconciler.plan.finding import Finding


class ProtectedVmKind(Kind[ProtectedVmSpec]):
    """One VM in one vault under one policy. No step ever deletes recovery points but a release with `deleteData`."""

    name = NAME
    title = "protected VM"
    spec = ProtectedVmSpec
    rules: ClassVar[Mapping[str, Rule]] = {
        "policy": Rule.UPDATE,
        "settings": Rule.UPDATE,
        "state": Rule.UPDATE,
        "disks": Rule.UPDATE,
    }
    order_only = frozenset({"settings"})  # a VM is better protected in a vault whose settings are stuck than nowhere
    aspect = Aspect(
        "backup",
        Backup,
        {"policy": "BackupPolicy", "vault": "Vault"},
        check_backup,
        "Azure Backup: the policy, and where to protect.",
    )
    per_machine = True
    quota = Quota.CONFIGURATIONS

    def expand(self, expansion: Expansion) -> Iterator[Resource | Finding]:
        return expand_backups(expansion)

    def adopt(self, estate: AdoptedEstate) -> Iterator[Adopted]:
        return adopt_backups(estate)

    def read(self, azure: Azure, declared: Declared) -> AsyncIterator[Resource | Unreadable]:
        return read_items(azure, declared)

    def normalise(self, spec: ProtectedVmSpec) -> ProtectedVmSpec:
        disks = spec.disks
        if disks.mode in ("all", "osOnly"):
            wanted = Disks(mode=disks.mode)
        else:
            wanted = normal_disks(included=disks.mode == "only", luns=disks.luns)
        if wanted == disks:
            return spec
        return ProtectedVmSpec(policy=spec.policy, settings=spec.settings, state=spec.state, disks=wanted)

    def judge(self, comparison: Comparison[ProtectedVmSpec]) -> Verdict | None:
        return judge_protection(comparison)

    def ownership(self, resource: Resource, situation: Situation) -> Ownership:
        """Ours until the policies dropped it: active, in a declared vault, under a declared policy, its VM still there.

        Backups of a VM that is gone are never released: that is when they are needed. `expand` reports them, and those
        in vaults of other people.
        """
        facts = resource.observed
        if not isinstance(facts, ItemFacts) or facts.vault_id not in declared_vaults(situation.declared):
            return Ownership.IGNORED
        if facts.machine_id not in situation.live.machines_by_id or facts.state is ItemState.SOFT_DELETED:
            return Ownership.IGNORED
        known = {name.casefold() for name in situation.declared.of("BackupPolicy")}
        active = facts.state in (ItemState.PROTECTED, ItemState.FIRST_BACKUP_PENDING, ItemState.FAILING)
        return Ownership.RELEASED if active and facts.policy_name.casefold() in known else Ownership.UNMANAGED

    def steps(self, comparison: Comparison[ProtectedVmSpec], verdict: Verdict) -> tuple[Step, ...]:
        return protection_steps(comparison, verdict)

    def consequences(self, comparison: Comparison[ProtectedVmSpec], verdict: Verdict) -> tuple[Consequence, ...]:
        return tuple(protection_consequences(comparison, verdict))

    def describe(self, spec: ProtectedVmSpec) -> Iterator[Phrase]:
        return protection_phrases(spec)

    def summarise(self, spec: ProtectedVmSpec) -> str:
        return protection_summary(spec)

    def outcome(self, resource: Resource, objectives: Objectives, now: datetime) -> Iterable[Finding]:
        return judge_outcome(resource, objectives, now)

    def logged_at(self, change: Change) -> ArmId | None:
        """Of a VM that is no longer protected: where its item was, and will be again."""
        new = (ItemPath.of(step).arm_id for step in change.steps if step.verb == "protect")
        return super().logged_at(change) or next(new, None)

    async def perform(self, azure: Azure, step: Step) -> Operation | None:
        return await send(azure, step)

    async def verify(self, azure: Azure, step: Step) -> None:
        await read_back(azure, step)

    async def running(self, azure: Azure, step: Step, since: datetime) -> Operation | None:
        return await find_running(azure, step, since)
