"""The live protected VMs: one list a vault, one resource a VM."""

from __future__ import annotations

import asyncio
import dataclasses
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime

from reconciler.azure.clients import Azure
from reconciler.azure.failures import unreadable
from reconciler.errors import AzureError
from reconciler.kinds.located_vault import LocatedVault, live_vaults
from reconciler.kinds.protected_vm.spec import STATES, Disks, ProtectedVmSpec
from reconciler.kinds.protected_vm.wire import ItemBody, disks_from, facts_from
from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.document import Declared
from reconciler.model.live import Unreadable
from reconciler.model.observed import ItemFacts, ItemState
from reconciler.model.resource import Ref, Resource

NAME = "protected_vm"
API_VERSION = "2026-05-01"
FILTER = {"$filter": "backupManagementType eq 'AzureIaasVM' and itemType eq 'VM'"}
_RANK = {
    ItemState.PROTECTED: 0,
    ItemState.FIRST_BACKUP_PENDING: 0,
    ItemState.FAILING: 0,
    ItemState.SUSPENDED: 1,
    ItemState.PAUSED: 2,
    ItemState.STOPPED: 2,
    ItemState.UNKNOWN: 3,
    ItemState.SOFT_DELETED: 4,
}
"""Of several items of one VM, the one that counts: at most one is active (BP-62)."""
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class Speller:
    """Makes specs and addresses. Equal specs are one object: thousands of VMs share a policy."""

    def __init__(self, declared: Declared) -> None:
        self._aliases = {known.lower(): alias for alias, known in declared.subscriptions.items()}
        self._policies = {name.casefold(): name for name in declared.of("BackupPolicy")}
        self._specs: dict[tuple[ArmId, str, ItemState, Disks], ProtectedVmSpec] = {}

    def address(self, machine: ArmId) -> Address:
        """A VM outside the Scope is addressed by its subscription's id."""
        subscription = machine.subscription
        alias = self._aliases.get(subscription, subscription)
        return Address(NAME, f"{alias}/{machine.resource_group}", machine.name)

    def spec(self, vault: LocatedVault, policy: str, state: ItemState, disks: Disks) -> ProtectedVmSpec:
        key = (vault.arm_id, policy, state, disks)
        known = self._specs.get(key)
        if known is None:
            name = self._policies.get(policy.casefold(), policy)
            known = self._specs[key] = ProtectedVmSpec(
                policy=Ref.of(Address("backup_policy", vault.scope, name)) if policy else None,
                settings=Ref.of(vault.settings),
                state=STATES[state],
                disks=disks,
            )
        return known


def resource_from(body: ItemBody, vault: LocatedVault, speller: Speller) -> Resource | None:
    """One item as a resource; None where it is not the protection of a VM."""
    machine = ArmId(body.properties.machine)
    if not machine.segment("virtualMachines"):
        return None
    facts = facts_from(body, vault.arm_id, machine)
    disks = disks_from(body.properties.extended_properties)
    spec = speller.spec(vault, facts.policy_name, facts.state, disks)
    return Resource(speller.address(machine), spec, facts.item_id, vault.location, observed=facts)


async def read_items(azure: Azure, declared: Declared) -> AsyncIterator[Resource | Unreadable]:
    """Every protected VM of every vault of the Scope's subscriptions, each once."""
    vaults, gaps = await live_vaults(azure, declared, NAME)
    for gap in gaps:
        yield gap
    speller = Speller(declared)
    answers = await asyncio.gather(*(_read_vault(azure, vault, speller) for vault in vaults))
    found: list[Resource] = []
    for answer in answers:
        if isinstance(answer, Unreadable):
            yield answer
        else:
            found.extend(answer)
    ours = {vault.arm_id: vault.declared for vault in vaults}
    for resource in one_per_machine(found, ours):
        yield resource


def one_per_machine(resources: list[Resource], declared: Mapping[ArmId, bool]) -> list[Resource]:
    """The item that counts for each VM; what other vaults hold of it goes to its `others`."""
    by_address: dict[Address, list[Resource]] = defaultdict(list)
    for resource in resources:
        by_address[resource.address].append(resource)

    def rank(resource: Resource) -> tuple[int, bool, float, str]:
        facts: ItemFacts = resource.observed
        newest = facts.last_recovery_point or _LONG_AGO
        return _RANK[facts.state], not declared.get(facts.vault_id), -newest.timestamp(), facts.vault_id.key

    chosen: list[Resource] = []
    for group in by_address.values():
        if len(group) == 1:
            chosen.append(group[0])
            continue
        first, *rest = sorted(group, key=rank)
        others = tuple(other.observed for other in rest)
        chosen.append(dataclasses.replace(first, observed=dataclasses.replace(first.observed, others=others)))
    return chosen


async def _read_vault(azure: Azure, vault: LocatedVault, speller: Speller) -> list[Resource] | Unreadable:
    found: list[Resource] = []
    try:
        async for body in azure.list(f"{vault.arm_id}/backupProtectedItems", API_VERSION, ItemBody, **FILTER):
            resource = resource_from(body, vault, speller)
            if resource is not None:
                found.append(resource)
    except AzureError as error:
        return unreadable(
            error,
            kinds=(NAME,),
            scope=vault.scope,
            what=f"the list of protected VMs in vault {vault.name}",
            action="Microsoft.RecoveryServices/vaults/backupProtectedItems/read",
            location=vault.location,
        )
    return found
