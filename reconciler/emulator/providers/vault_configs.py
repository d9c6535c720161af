"""The small settings resources below a vault: soft delete, storage, encryption, usage (backup.md §5).

They are other views of the vault's own settings, so what one changes the other shows. The vault's etag does not move.
"""

from collections.abc import Mapping
from typing import Any

from reconciler.emulator.providers.backup_names import CONTAINERS, ITEMS, VAULT, VAULTS
from reconciler.emulator.providers.resource_guards import check_guard
from reconciler.emulator.providers.vault_settings import check_settings, merge, respell, soft_delete, weakens_security
from reconciler.emulator.providers.vaults import find_vault
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.world import World

Body = dict[str, Any]


def _child(vault: Mapping[str, Any], collection: str, name: str, properties: Body) -> Body:
    return {
        "id": f"{vault['id']}/{collection}/{name}",
        "name": name,
        "type": f"{VAULTS}/{collection}",
        "properties": properties,
    }


def _show_config(vault: Mapping[str, Any]) -> Body:
    settings = soft_delete(vault["properties"])
    properties = {
        "enhancedSecurityState": settings["enhancedSecurityState"],
        "softDeleteFeatureState": settings["softDeleteState"],
        "softDeleteRetentionPeriodInDays": settings["softDeleteRetentionPeriodInDays"],
        "isSoftDeleteFeatureStateEditable": settings["softDeleteState"] != "AlwaysON",
    }
    return _child(vault, "backupconfig", "vaultconfig", properties)


def get_config(world: World, request: Request) -> Response:
    return Response(200, _show_config(find_vault(world, request)))


def put_config(world: World, request: Request) -> Response:
    """PUT and PATCH alike change what they name, at once."""
    vault, sent = find_vault(world, request), request.properties()
    names = {
        "enhancedSecurityState": "enhancedSecurityState",
        "softDeleteFeatureState": "softDeleteState",
        "softDeleteRetentionPeriodInDays": "softDeleteRetentionPeriodInDays",
    }
    named = {ours: sent[theirs] for theirs, ours in names.items() if sent.get(theirs) is not None}
    settings = {"securitySettings": {"softDeleteSettings": {**soft_delete(vault["properties"]), **named}}}
    return Response(200, _show_config(_change(world, request, vault, settings)))


def _change(world: World, request: Request, vault: Body, settings: Body) -> Body:
    properties = merge(vault["properties"], respell(settings))
    check_settings(world, vault["id"], vault["properties"], properties)
    guarded = weakens_security(vault["properties"], properties)
    if guarded:
        check_guard(world, request, vault["id"], guarded)
    changed = {**vault, "properties": properties}
    world.store.put(vault["id"], VAULTS, changed)
    return changed


def _show_storage(world: World, vault: Mapping[str, Any]) -> Body:
    redundancy = vault["properties"]["redundancySettings"]
    storage = redundancy["standardTierStorageRedundancy"]
    properties = {
        "storageModelType": storage,
        "storageType": storage,
        "dedupState": "Disabled",
        "xcoolState": "Disabled",
        "storageTypeState": "Locked" if world.store.count(ITEMS, vault["id"]) else "Unlocked",
        "crossRegionRestoreFlag": redundancy["crossRegionRestore"] == "Enabled",
    }
    return _child(vault, "backupstorageconfig", "vaultstorageconfig", properties)


def get_storage(world: World, request: Request) -> Response:
    return Response(200, _show_storage(world, find_vault(world, request)))


def put_storage(world: World, request: Request) -> Response:
    """PUT answers 200 with the body, PATCH 204 without (recorded in 2017)."""
    vault, sent = find_vault(world, request), request.properties()
    redundancy: Body = {}
    model = sent.get("storageModelType") or sent.get("storageType")
    if model:
        redundancy["standardTierStorageRedundancy"] = model
    if sent.get("crossRegionRestoreFlag") is not None:
        redundancy["crossRegionRestore"] = "Enabled" if sent["crossRegionRestoreFlag"] else "Disabled"
    changed = _change(world, request, vault, {"redundancySettings": redundancy})
    return Response(204) if request.method == "PATCH" else Response(200, _show_storage(world, changed))


def get_encryption(world: World, request: Request) -> Response:
    properties = {
        "useSystemAssignedIdentity": True,
        "encryptionAtRestType": "MicrosoftManaged",
        "lastUpdateStatus": "NotEnabled",
        "infrastructureEncryptionState": "Disabled",
    }
    vault = find_vault(world, request)
    return Response(200, _child(vault, "backupEncryptionConfigs", "backupResourceEncryptionConfig", properties))


def get_replication_settings(world: World, request: Request) -> Response:
    """What Terraform reads of every vault; Site Recovery itself is not modelled here."""
    properties = {"vmwareToAzureProviderType": "Vmware", "vmwareToAzureReplicationType": "Unspecified"}
    return Response(200, _child(find_vault(world, request), "replicationVaultSettings", "default", properties))


def get_usages(world: World, request: Request) -> Response:
    vault = find_vault(world, request)
    counts = {
        "ProtectedItemCount": world.store.count(ITEMS, vault["id"]),
        "RegisteredContainers": world.store.count(ITEMS, vault["id"]),
        "RegisteredServers": world.store.count(CONTAINERS, vault["id"]),
    }
    usages = [
        {
            "unit": "Count",
            "currentValue": count,
            "limit": -1,
            "name": {"value": name, "localizedValue": name},
        }
        for name, count in counts.items()
    ]
    return Response(200, {"value": usages})


_CONFIG = VAULT + "/backupconfig/vaultconfig"
_STORAGE = VAULT + "/backupstorageconfig/vaultstorageconfig"

ROUTES: tuple[Route, ...] = (
    Route("GET", _CONFIG, get_config),
    Route("PUT", _CONFIG, put_config),
    Route("PATCH", _CONFIG, put_config),
    Route("GET", _STORAGE, get_storage),
    Route("PUT", _STORAGE, put_storage),
    Route("PATCH", _STORAGE, put_storage),
    Route("GET", VAULT + "/backupEncryptionConfigs/backupResourceEncryptionConfig", get_encryption),
    Route("GET", VAULT + "/replicationVaultSettings/default", get_replication_settings),
    Route("GET", VAULT + "/usages", get_usages),
)
