"""Recovery Services vaults: one list a subscription, shared by every kind that needs it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from reconciler.azure.clients import Azure
from reconciler.model.arm_id import ArmId
from reconciler.model.location import normalise_location

API_VERSION = "2026-07-01"


class SoftDeleteBody(msgspec.Struct, frozen=True, rename="camel"):
    """`securitySettings.softDeleteSettings`. `retention` is in days; 0 and 14 are both met where it is off."""

    soft_delete_state: str | None = None
    enhanced_security_state: str | None = None
    retention: int | None = msgspec.field(default=None, name="softDeleteRetentionPeriodInDays")


class ImmutabilityBody(msgspec.Struct, frozen=True):
    """`securitySettings.immutabilitySettings`."""

    state: str | None = None


class SecurityBody(msgspec.Struct, frozen=True, rename="camel"):
    """`properties.securitySettings`: absent for some seconds after a vault was made."""

    soft_delete_settings: SoftDeleteBody | None = None
    immutability_settings: ImmutabilityBody | None = None
    multi_user_authorization: str | None = None


class RedundancyBody(msgspec.Struct, frozen=True, rename="camel"):
    """`properties.redundancySettings`."""

    standard_tier_storage_redundancy: str | None = None
    cross_region_restore: str | None = None


class VaultProperties(msgspec.Struct, frozen=True, rename="camel"):
    """What we look at of a vault. `backup_storage_version` is V1 or V2 once anything was protected in it."""

    provisioning_state: str | None = None
    backup_storage_version: str | None = None
    security_settings: SecurityBody | None = None
    redundancy_settings: RedundancyBody | None = None


class LiveVault(msgspec.Struct, frozen=True):
    """One vault, in Azure's spelling. Fields come and go with the api-version: all may be absent."""

    id: str
    name: str
    location: str = ""
    tags: Mapping[str, str | None] | None = None
    properties: VaultProperties | None = None

    @property
    def arm_id(self) -> ArmId:
        return ArmId(self.id)

    @property
    def region(self) -> str:
        """The location, normalised: `westeurope`."""
        return normalise_location(self.location)

    def scope(self, alias: str) -> str:
        """The address scope of the vault's resource group: `alias/rg`."""
        return f"{alias}/{self.arm_id.resource_group}"


async def vault_list(azure: Azure, subscription_id: str) -> tuple[LiveVault, ...]:
    """Every vault of a subscription; asked once a refresh, however many kinds want it.

    The list leaves redundancy, soft delete and immutability out (recorded in 2024, of vaults that had all three set at
    that moment): `with_settings` reads those of one vault.
    Raises what the list raises (DeniedError, UnreachableError, ...), to each who asks.
    """

    async def read() -> tuple[LiveVault, ...]:
        path = f"/subscriptions/{subscription_id}/providers/Microsoft.RecoveryServices/vaults"
        return tuple([vault async for vault in azure.list(path, API_VERSION, LiveVault)])

    return await azure.shared(f"vaults:{subscription_id.lower()}", read)


async def with_settings(azure: Azure, vault: LiveVault) -> LiveVault:
    """A vault of the list with its settings: by itself where the list was silent about them.

    Raises what the read raises; AbsentError, too: a vault that the list still holds and that is gone by itself.
    """
    if vault.properties and vault.properties.security_settings and vault.properties.redundancy_settings:
        return vault
    return await azure.get(vault.id, API_VERSION, LiveVault)
