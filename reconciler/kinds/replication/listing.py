"""What Site Recovery lists of a vault: one list a collection, shared by the kinds that live in it.

Ids come back with `/Subscriptions/` and networks in lower case (site-recovery.md §2): all are compared as `ArmId`.
A vault that was never used for Site Recovery answers every read with 400: there is nothing there.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import TypeVar

import msgspec

from reconciler.azure.clients import Azure
from reconciler.azure.failures import unreadable
from reconciler.errors import AzureError
from reconciler.kinds.located_vault import LocatedVault, live_vaults
from reconciler.kinds.replication.route import located_routes, replication_vaults
from reconciler.model.arm_id import ArmId
from reconciler.model.document import Declared
from reconciler.model.live import Unreadable
from reconciler.model.location import normalise_location
from reconciler.model.resource import Resource

API_VERSION = "2025-08-01"
NEVER_USED = "SubscriptionIdNotRegisteredWithSrs"
T = TypeVar("T")


class _Body(msgspec.Struct, frozen=True, rename="camel"):
    """Part of an answer: what we do not look at is left out."""


class FabricDetails(_Body, frozen=True):
    """`customDetails` of an Azure fabric."""

    instance_type: str | None = None
    location: str | None = None


class FabricProperties(_Body, frozen=True):
    custom_details: FabricDetails | None = None
    health: str | None = None


class FabricBody(_Body, frozen=True):
    """A fabric: one a region."""

    id: str
    properties: FabricProperties = FabricProperties()

    @property
    def region(self) -> str:
        """ "" for a fabric that is not Azure's."""
        details = self.properties.custom_details or FabricDetails()
        return normalise_location(details.location or "") if details.instance_type == "Azure" else ""


class ContainerProperties(_Body, frozen=True):
    protected_item_count: int | None = None


class ContainerBody(_Body, frozen=True):
    """A protection container."""

    id: str
    properties: ContainerProperties = ContainerProperties()


class MappingDetails(_Body, frozen=True):
    """`providerSpecificDetails`: how the agent on the VMs is kept up to date (ASR-41)."""

    instance_type: str | None = None
    agent_auto_update_status: str | None = None
    automation_account_arm_id: str | None = None


class MappingProperties(_Body, frozen=True):
    target_protection_container_id: str | None = None
    policy_id: str | None = None
    provider_specific_details: MappingDetails | None = None
    health: str | None = None


class MappingBody(_Body, frozen=True):
    """A container mapping, in one direction."""

    id: str
    properties: MappingProperties = MappingProperties()

    @property
    def source(self) -> ArmId:
        return ArmId(self.id).parent()

    @property
    def target(self) -> ArmId:
        return ArmId(self.properties.target_protection_container_id or "")

    @property
    def policy(self) -> str:
        """The name of the policy; "" without one."""
        return ArmId(self.properties.policy_id or "").segment("replicationPolicies")

    @property
    def update_account(self) -> str:
        """The automation account that keeps the agents up to date; "" where nothing does."""
        details = self.properties.provider_specific_details or MappingDetails()
        enabled = (details.agent_auto_update_status or "").lower() == "enabled"
        return details.automation_account_arm_id or "" if enabled else ""


class NetworkMappingProperties(_Body, frozen=True):
    primary_network_id: str | None = None
    recovery_network_id: str | None = None
    recovery_fabric_arm_id: str | None = None


class NetworkMappingBody(_Body, frozen=True):
    """A network mapping, in one direction."""

    id: str
    properties: NetworkMappingProperties = NetworkMappingProperties()


class PolicyDetails(_Body, frozen=True):
    """`providerSpecificDetails`, in minutes. `multiVmSyncStatus` goes in as Enable and comes out as Enabled."""

    instance_type: str | None = None
    recovery_point_history: int | None = None
    app_consistent_frequency_in_minutes: int | None = None
    multi_vm_sync_status: str | None = None


class PolicyProperties(_Body, frozen=True):
    provider_specific_details: PolicyDetails | None = None


class PolicyBody(_Body, frozen=True):
    """A replication policy, of any provider."""

    id: str
    properties: PolicyProperties = PolicyProperties()


async def replication_list(azure: Azure, vault: ArmId, collection: str, body: type[T]) -> tuple[T, ...]:
    """All of one collection of a vault (`replicationFabrics`); asked once a refresh, however many kinds want it.

    Empty for a vault that Site Recovery never served. Raises what the list raises, to each who asks.
    """

    async def read() -> tuple[T, ...]:
        try:
            return tuple([item async for item in azure.list(f"{vault}/{collection}", API_VERSION, body)])
        except AzureError as error:
            if is_never_used(error):
                return ()
            raise

    return await azure.shared(f"{collection}:{vault.key}", read)


def is_never_used(error: AzureError) -> bool:
    """Whether Azure says that the vault was never used for Site Recovery: 400, and not 404."""
    return error.code.lower() == NEVER_USED.lower()


async def read_vaults(
    azure: Azure,
    declared: Declared,
    kind: str,
    read: Callable[[Azure, LocatedVault], Awaitable[Iterable[Resource]]],
    what: str,
    action: str,
) -> AsyncIterator[Resource | Unreadable]:
    """What `read` finds in each vault that a route names and that is there, all at once; nothing is read without a
    route. `what` names the collection for people, `action` the role action that reading it takes."""
    if not located_routes(declared):
        return
    named = replication_vaults(declared)
    vaults, gaps = await live_vaults(azure, declared, kind)
    for gap in gaps:
        yield gap

    async def one(vault: LocatedVault) -> Iterable[Resource] | Unreadable:
        try:
            return await read(azure, vault)
        except AzureError as error:
            return unreadable(
                error,
                kinds=(kind,),
                scope=vault.scope,
                what=f"{what} of vault {vault.name}",
                action=f"Microsoft.RecoveryServices/vaults/{action}",
            )

    for answer in await asyncio.gather(*(one(vault) for vault in vaults if vault.arm_id in named)):
        if isinstance(answer, Unreadable):
            yield answer
        else:
            for resource in answer:
                yield resource
