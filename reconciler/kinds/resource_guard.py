"""Resource Guards: a write that one guards must name the request that its owner approves (BP-85, BP-86)."""

from __future__ import annotations

import msgspec

from reconciler.azure.clients import Azure
from reconciler.errors import AbsentError
from reconciler.model.arm_id import ArmId

API_VERSION = "2026-05-01"
UPDATE_POLICY = "Microsoft.RecoveryServices/vaults/backupPolicies/write"
UPDATE_ITEM = "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/write"
DELETE_ITEM = "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/delete"


class GuardedOperation(msgspec.Struct, frozen=True, rename="camel"):
    """One operation of the vault that the guard watches."""

    vault_critical_operation: str = ""
    default_resource_request: str = ""


class ProxyProperties(msgspec.Struct, frozen=True, rename="camel"):
    """Which operations the mapped guard watches; those excluded in the guard are not in the list."""

    resource_guard_operation_details: tuple[GuardedOperation, ...] | None = None


class ProxyBody(msgspec.Struct, frozen=True):
    """A vault's mapping to a Resource Guard."""

    properties: ProxyProperties | None = None


def guard_proxy(vault: ArmId) -> ArmId:
    """The vault's mapping to its guard: there is one, and it always has this name."""
    return vault.child("backupResourceGuardProxies", "VaultProxy")


async def guard_requests(azure: Azure, vault: ArmId, operation: str) -> list[str]:
    """The request ids to send with `operation`; empty where no guard is mapped or it does not watch this one."""
    try:
        proxy = await azure.get(str(guard_proxy(vault)), API_VERSION, ProxyBody)
    except AbsentError:
        return []
    details = (proxy.properties.resource_guard_operation_details if proxy.properties else None) or ()
    wanted = operation.casefold()
    return [
        item.default_resource_request
        for item in details
        if item.vault_critical_operation.casefold() == wanted and item.default_resource_request
    ]
