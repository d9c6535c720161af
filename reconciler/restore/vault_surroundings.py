"""What a restore from a vault rests on: the vault, the staging account, the VM as it is now. Read one by one: a restore
is of one VM."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

import msgspec

from reconciler.azure.clients import Azure
from reconciler.azure.vault_list import API_VERSION as VAULT_VERSION
from reconciler.errors import AbsentError, AzureError
from reconciler.kinds.vault_restore.kind import MACHINE_VERSION
from reconciler.model.arm_id import ArmId
from reconciler.model.location import normalise_location
from reconciler.restore.secondary_region import secondary_region

_ACCOUNTS_VERSION = "2023-05-01"


class RedundancyBody(msgspec.Struct, frozen=True, rename="camel"):
    """`redundancySettings`."""

    standard_tier_storage_redundancy: str | None = None
    cross_region_restore: str | None = None


class CrossSubscriptionBody(msgspec.Struct, frozen=True, rename="camel"):
    """`crossSubscriptionRestoreSettings`."""

    cross_subscription_restore_state: str | None = None


class RestoreSettingsBody(msgspec.Struct, frozen=True, rename="camel"):
    """`restoreSettings`."""

    cross_subscription_restore_settings: CrossSubscriptionBody | None = None


class VaultProperties(msgspec.Struct, frozen=True, rename="camel"):
    """What counts of a vault for a restore."""

    redundancy_settings: RedundancyBody | None = None
    restore_settings: RestoreSettingsBody | None = None
    encryption: msgspec.Raw | None = None


class VaultBody(msgspec.Struct, frozen=True):
    """One vault."""

    location: str
    properties: VaultProperties = VaultProperties()


class AccountBody(msgspec.Struct, frozen=True):
    """One storage account."""

    id: str
    location: str = ""


class StatusBody(msgspec.Struct, frozen=True):
    """One of `instanceView.statuses`."""

    code: str = ""


class ViewBody(msgspec.Struct, frozen=True):
    """`instanceView`."""

    statuses: tuple[StatusBody, ...] | None = None


class MachineProperties(msgspec.Struct, frozen=True, rename="camel"):
    """Whether the VM runs."""

    instance_view: ViewBody | None = None


class MachineBody(msgspec.Struct, frozen=True):
    """One VM, with its instance view."""

    properties: MachineProperties = MachineProperties()


@dataclass(frozen=True, slots=True)
class VaultSurroundings:
    """`accounts` are the storage accounts by ARM id, with their regions; `power` is `running`, `deallocated` and the
    like of the VM itself, "" where it is gone. `unread` says what could not be read."""

    vault: ArmId
    location: str
    redundancy: str = ""
    across_regions: bool = False
    across_subscriptions: str = ""
    own_key: bool = False
    accounts: tuple[tuple[ArmId, str], ...] = ()
    power: str = ""
    unread: str = ""

    @property
    def secondary(self) -> str:
        """The region of its copies."""
        return secondary_region(self.location)


async def read_vault_surroundings(azure: Azure, vault: ArmId, machine: ArmId, staging: str) -> VaultSurroundings:
    """The vault, the storage accounts of its subscription and the one that was named by id, and the VM's power state.
    Storage accounts that may not be read are told, not fatal. Raises what the reads of vault and VM raise."""
    body = await azure.get(str(vault), VAULT_VERSION, VaultBody)
    redundancy = body.properties.redundancy_settings or RedundancyBody()
    settings = (body.properties.restore_settings or RestoreSettingsBody()).cross_subscription_restore_settings
    accounts: tuple[tuple[ArmId, str], ...] = ()
    unread = ""
    try:
        accounts = await _accounts(azure, vault.subscription, staging)
    except AzureError as error:
        unread = error.message
    return VaultSurroundings(
        vault=vault,
        location=normalise_location(body.location),
        redundancy=redundancy.standard_tier_storage_redundancy or "",
        across_regions=redundancy.cross_region_restore == "Enabled",
        across_subscriptions=(settings.cross_subscription_restore_state if settings else "") or "",
        own_key=body.properties.encryption is not None,
        accounts=accounts,
        power=await _power(azure, machine),
        unread=unread,
    )


async def _accounts(azure: Azure, subscription: str, staging: str) -> tuple[tuple[ArmId, str], ...]:
    if staging.startswith("/"):
        with contextlib.suppress(AbsentError):  # told as an account that is not there
            one = await azure.get(staging, _ACCOUNTS_VERSION, AccountBody)
            return ((ArmId(one.id), normalise_location(one.location)),)
        return ()
    path = f"/subscriptions/{subscription}/providers/Microsoft.Storage/storageAccounts"
    found = [one async for one in azure.list(path, _ACCOUNTS_VERSION, AccountBody)]
    return tuple((ArmId(one.id), normalise_location(one.location)) for one in found)


async def _power(azure: Azure, machine: ArmId) -> str:
    try:
        body = await azure.get(str(machine), MACHINE_VERSION, MachineBody, **{"$expand": "instanceView"})
    except AbsentError:
        return ""
    view = body.properties.instance_view or ViewBody()
    codes = (status.code.partition("/") for status in view.statuses or ())
    return next((state for name, _, state in codes if name == "PowerState"), "unknown")
