"""Assignments → desired protected VMs, and what is live that nobody can act on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator

from reconciler.kinds.base import Assignment, Expansion
from reconciler.kinds.located_vault import LocatedVault, declared_vaults
from reconciler.kinds.protected_vm.document import Backup
from reconciler.kinds.protected_vm.inventory import NAME
from reconciler.kinds.protected_vm.machine_rules import VMS_PER_POLICY, check_machines
from reconciler.kinds.protected_vm.placement import ACTIVE, Placement, machine_address
from reconciler.kinds.protected_vm.spec import Disks, ProtectedVmSpec, disks_written
from reconciler.model.address import Address
from reconciler.model.observed import ItemFacts
from reconciler.model.resource import Ref, Resource
from reconciler.plan.finding import Finding, Severity


def expand_backups(expansion: Expansion) -> Iterator[Resource | Finding]:
    """One desired resource for each VM that can be placed, then everything the reader must know."""
    placement = Placement.of(expansion)
    addressed = {machine_address(item.machine): item for item in expansion.assignments if item.aspect == "backup"}
    names = {name.casefold(): name for name in expansion.declared.of("BackupPolicy")}
    specs: dict[tuple[str, str, Disks], ProtectedVmSpec] = {}
    per_policy: Counter[Ref] = Counter()
    ordered = sorted(addressed, key=lambda one: one.key)
    for address in ordered:
        item = addressed[address]
        vault = placement.place(item, expansion.live.state.get(address))
        if vault is None:
            continue
        aspect: Backup = item.value
        key = (vault.scope, names.get(aspect.policy.casefold(), aspect.policy), disks_written(aspect.disks))
        spec = specs.get(key) or specs.setdefault(key, _spec(vault, key[1], key[2]))
        if spec.policy:
            per_policy[spec.policy] += 1
        yield _resource(address, item, vault, spec)
    yield from placement.findings()
    yield from check_machines((addressed[address] for address in ordered), expansion.declared)
    yield from _crowded_policies(per_policy)
    yield from _unassigned(expansion, addressed.keys())


def _spec(vault: LocatedVault, policy: str, disks: Disks) -> ProtectedVmSpec:
    return ProtectedVmSpec(
        policy=Ref.of(Address("backup_policy", vault.scope, policy)),
        settings=Ref.of(vault.settings),
        disks=disks,
    )


def _resource(address: Address, item: Assignment, vault: LocatedVault, spec: ProtectedVmSpec) -> Resource:
    document = item.protection
    return Resource(
        address=address,
        spec=spec,
        location=vault.location,
        observed=item.machine,
        source=item.source,
        origins={
            "policy": document.at("backup", "policy"),
            "settings": document.at("backup", "vault"),
            "disks": document.at("backup", "disks"),
        },
    )


def _crowded_policies(per_policy: Counter[Ref]) -> Iterator[Finding]:
    for policy, count in per_policy.items():
        if count > VMS_PER_POLICY:
            yield Finding(
                code="BP-52",
                message=f"{count} VMs follow policy {policy.address.name}: Azure's pages recommend {VMS_PER_POLICY} "
                "for one policy, its CLI allows 1000",
                severity=Severity.DOUBT,
                advice="backups that begin together may wait for each other; spread them over more policies",
                address=str(policy),
                rule_source="vmfaq, cli",
            )


def _unassigned(expansion: Expansion, assigned: Collection[Address]) -> Iterator[Finding]:
    """Items of VMs that are gone, in vaults that are not ours, or of subscriptions that we do not speak of."""
    vaults = declared_vaults(expansion.declared)
    unread = {alias.casefold() for alias in expansion.live.unread_machines(expansion.declared.subscriptions)}
    aliases = {alias.casefold() for alias in expansion.declared.subscriptions}
    outside: Counter[str] = Counter()
    for address, resource in sorted(expansion.live.state.items()):
        if address.kind != NAME or address in assigned or not isinstance(resource.observed, ItemFacts):
            continue
        facts = resource.observed
        alias = address.subscription.casefold()
        if alias not in aliases:
            outside[facts.vault_id.name] += 1
        elif facts.machine_id not in expansion.live.machines_by_id and alias not in unread:
            yield _orphan(resource, facts)
        elif facts.vault_id not in vaults and facts.state in ACTIVE:
            yield Finding(
                code="unmanaged",
                message=f"protected in vault {facts.vault_id.name}, which no policy declares; it is left as it is",
                severity=Severity.INFO,
                address=str(address),
                topic="unmanaged",
            )
    for vault, count in outside.items():
        yield Finding(
            code="outside-scope",
            message=f"vault {vault} protects {count} VMs of subscriptions that the Scope does not name: ignored",
            severity=Severity.INFO,
            advice="add those subscriptions to the Scope to manage them",
            topic="unmanaged",
        )


def _orphan(resource: Resource, facts: ItemFacts) -> Finding:
    points = (
        f"newest recovery point of {facts.last_recovery_point:%Y-%m-%d}" if facts.last_recovery_point else "no point"
    )
    return Finding(
        code="orphan",
        message=f"the VM is gone and vault {facts.vault_id.name} still holds its backups ({points}); they are left "
        "as they are",
        severity=Severity.WARNING,
        advice="restore the VM from them, or stop the protection by hand: it is billed, and its backups fail",
        address=str(resource.address),
    )
