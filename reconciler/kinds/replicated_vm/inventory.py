"""The live replicated VMs: one list a vault, one resource a VM, wherever in the vault its item lies now."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

from reconciler.azure.clients import Azure
from reconciler.errors import AzureError
from reconciler.kinds.located_vault import LocatedVault
from reconciler.kinds.replicated_vm.spec import NAME
from reconciler.kinds.replicated_vm.wire import facts_from, spec_from
from reconciler.kinds.replication.item import ITEMS, ItemBody
from reconciler.kinds.replication.listing import read_vaults, replication_list
from reconciler.kinds.replication.route import replication_vaults
from reconciler.kinds.resource_group import group_names
from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.casing import fold
from reconciler.model.document import Declared
from reconciler.model.live import Unreadable
from reconciler.model.replication import POLICY
from reconciler.model.resource import Resource


class Speller:
    """Addresses and names as the policies and Azure's own resources spell them: Site Recovery writes the ids of VMs in
    lower case. `groups` maps subscription ids to folded names of resource groups and their real ones."""

    def __init__(self, declared: Declared, groups: Mapping[str, Mapping[str, str]]) -> None:
        self._aliases = {known.lower(): alias for alias, known in declared.subscriptions.items()}
        self._policies = {fold(name): name for name in declared.of(POLICY)}
        self._groups = groups

    def address(self, machine: ArmId, friendly: str) -> Address:
        """A VM outside the Scope is addressed by its subscription's id."""
        alias = self._aliases.get(machine.subscription, machine.subscription)
        group = machine.resource_group
        group = self._groups.get(machine.subscription, {}).get(group.casefold(), group)
        name = friendly if fold(friendly) == fold(machine.name) else machine.name
        return Address(NAME, f"{alias}/{group}", name)

    def policy(self, name: str) -> str:
        return self._policies.get(fold(name), name)


def resource_from(body: ItemBody, vault: LocatedVault, speller: Speller) -> Resource | None:
    """One item as a resource, under the VM that the policies speak of; None for what is no VM of Azure."""
    if not body.replicates_azure:
        return None
    facts = facts_from(body, vault.arm_id)
    return Resource(
        address=speller.address(facts.home_id or facts.machine_id, body.properties.friendly_name or ""),
        spec=spec_from(body, vault.scope, speller.policy(facts.policy_name)),
        arm_id=facts.item_id,
        location=facts.primary_region,
        observed=facts,
    )


async def read_items(azure: Azure, declared: Declared) -> AsyncIterator[Resource | Unreadable]:
    """Every replicated VM of every vault that a route names, whichever container it lies in."""
    if not replication_vaults(declared):
        return
    speller = Speller(declared, await _spellings(azure, declared))

    async def read(azure: Azure, vault: LocatedVault) -> list[Resource]:
        bodies = await replication_list(azure, vault.arm_id, ITEMS, ItemBody)
        found = (resource_from(body, vault, speller) for body in bodies)
        return [resource for resource in found if resource is not None]

    async for answer in read_vaults(azure, declared, NAME, read, "the list of replicated VMs", f"{ITEMS}/read"):
        yield answer


async def _spellings(azure: Azure, declared: Declared) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for subscription_id in declared.subscriptions.values():
        try:
            found[subscription_id.lower()] = await group_names(azure, subscription_id)
        except AzureError:
            continue  # reported by the reader of resource groups; the spelling of the id has to do
    return found
