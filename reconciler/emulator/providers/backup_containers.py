"""Containers, protectable items, and whether a VM is protected at all: views of VMs and items, with no state.

The list of protectable items is always up to date, so `refreshContainers` only takes its time.
"""

from collections.abc import Callable
from typing import Any

from reconciler.emulator.paging import list_response
from reconciler.emulator.providers.backup_filters import read_filter
from reconciler.emulator.providers.backup_names import (
    CONTAINER,
    CONTAINERS,
    ITEMS,
    MACHINES,
    VAULT,
    container_id,
    part,
    upper_group,
    vm_name,
)
from reconciler.emulator.providers.backup_operations import draw_length, old_style_headers
from reconciler.emulator.providers.backup_refusals import not_in_vault
from reconciler.emulator.providers.protected_item_rules import canonical_vm
from reconciler.emulator.providers.protected_item_states import Protection, read_protection
from reconciler.emulator.providers.vaults import find_vault
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.world import World

Body = dict[str, Any]


def show_container(protection: Protection) -> Body:
    """Here the resource group appears in a third casing. SoftDeleted stays after an undelete."""
    identity = container_id(protection.vault, protection.vm)
    vm_id = upper_group(protection.vm)
    properties = {
        "virtualMachineId": vm_id,
        "virtualMachineVersion": "Compute",
        "resourceGroup": part(vm_id, "resourceGroups"),
        "friendlyName": part(vm_id, "virtualMachines"),
        "backupManagementType": "AzureIaasVM",
        "registrationStatus": protection.container,
        "healthStatus": "Healthy",
        "containerType": "Microsoft.Compute/virtualMachines",
        "protectableObjectType": "Microsoft.Compute/virtualMachines",
    }
    return {"id": identity, "name": identity.rpartition("/")[2], "type": CONTAINERS, "properties": properties}


def _list_containers(world: World, request: Request, fits: Callable[[Protection], bool]) -> Response:
    vault, wanted = find_vault(world, request), read_filter(request)
    name = wanted.get("friendlyname")
    if wanted.get("backupmanagementtype", "azureiaasvm") != "azureiaasvm":
        return Response(200, {"value": []})
    kept: dict[str, Protection] = {}

    def is_wanted(body: Body) -> bool:
        protection = kept[body["id"]] = read_protection(world, body["id"])
        return fits(protection) and (name is None or body["properties"]["friendlyName"].lower() == name)

    return list_response(
        world, request, ITEMS, vault["id"], where=is_wanted, view=lambda body: show_container(kept[body["id"]])
    )


def list_containers(world: World, request: Request) -> Response:
    """`status eq 'Registered'` returns soft-deleted ones as well (backup.md §2)."""
    return _list_containers(world, request, lambda protection: protection.deleted_at is None)


def list_deleted_containers(world: World, request: Request) -> Response:
    return _list_containers(world, request, lambda protection: protection.deleted_at is not None)


def get_container(world: World, request: Request) -> Response:
    find_vault(world, request)
    for item_id in world.store.ids(ITEMS, request.path):
        return Response(200, show_container(read_protection(world, item_id)))
    raise not_in_vault(f"The container {request.params['container']}")


def list_protectable(world: World, request: Request) -> Response:
    """Every VM of the vault's subscription and region that no vault protects. Ids end in `vm;..`, names do not."""
    vault = find_vault(world, request)
    subscription = f"/subscriptions/{part(vault['id'], 'subscriptions')}"

    def is_free(machine: Body) -> bool:
        return machine["location"] == vault["location"] and not world.store.find(
            ITEMS, vm=canonical_vm(world, machine["id"])
        )

    def show(machine: Body) -> Body:
        vm_id = canonical_vm(world, machine["id"])
        name = vm_name(vm_id)
        return {
            "id": f"{container_id(vault['id'], vm_id)}/protectableItems/vm;{name}",
            "name": name,
            "type": f"{CONTAINERS}/protectableItems",
            "properties": {
                "virtualMachineId": vm_id,
                "virtualMachineVersion": "Compute",
                "resourceGroup": part(vm_id, "resourceGroups"),
                "backupManagementType": "AzureIaasVM",
                "protectableItemType": "Microsoft.Compute/virtualMachines",
                "friendlyName": machine["name"],
                "protectionState": "NotProtected",
            },
        }

    return list_response(world, request, MACHINES, subscription, where=is_free, view=show)


def refresh(world: World, request: Request) -> Response:
    vault = find_vault(world, request)
    operation = world.operations.start("refresh", duration=draw_length(world, "refresh"), resource=vault["id"])
    return Response(202, None, old_style_headers(world, request, operation, request.path.rpartition("/")[0]))


def get_backup_status(world: World, request: Request) -> Response:
    """Is this VM protected? Unlike in items, `vaultId` is a plain ARM id and the names are in lower case."""
    sent = request.body if isinstance(request.body, dict) else {}
    vm_id = canonical_vm(world, str(sent.get("resourceId", "")))
    name = vm_name(vm_id)
    status: Body = {"protectionStatus": "NotProtected"}
    named: Body = {}
    for item_id in world.store.find(ITEMS, vm=vm_id):
        protection = read_protection(world, item_id)
        if protection.deleted_at is None:
            status = {"protectionStatus": "Protected", "vaultId": protection.vault}
            named = {"policyName": protection.policy.rpartition("/")[2]}
            if protection.is_active:
                break
    return Response(
        200,
        {
            **status,
            "fabricName": "Azure",
            "containerName": f"iaasvmcontainer;{name}",
            "protectedItemName": f"vm;{name}",
            **named,
            "protectedItemsCount": 0,
            "objectType": "BackupStatusResponse",
        },
    )


def list_intents(world: World, request: Request) -> Response:
    """Automatic protection of workloads inside VMs is not modelled: there are never any."""
    find_vault(world, request)
    return Response(200, {"value": []})


_LOCATION = "/subscriptions/{subscription}/providers/Microsoft.RecoveryServices/locations/{location}"

ROUTES: tuple[Route, ...] = (
    Route("GET", VAULT + "/backupProtectionContainers", list_containers),
    Route("GET", VAULT + "/backupDeletedProtectionContainers", list_deleted_containers),
    Route("GET", CONTAINER, get_container),
    Route("GET", VAULT + "/backupProtectableItems", list_protectable),
    Route("POST", VAULT + "/backupFabrics/{fabric}/refreshContainers", refresh),
    Route("POST", _LOCATION + "/backupStatus", get_backup_status),
    Route("GET", VAULT + "/backupProtectionIntents", list_intents),
)
