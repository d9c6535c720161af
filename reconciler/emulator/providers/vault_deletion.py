"""The end of a vault: what must be gone before, and the list of those that are deleted and not purged yet."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from reconciler.emulator.failures import ArmError
from reconciler.emulator.operations import Operation
from reconciler.emulator.providers.backup_names import ITEMS, VAULT, part
from reconciler.emulator.providers.backup_operations import draw_length, vault_headers
from reconciler.emulator.providers.backup_refusals import refuse
from reconciler.emulator.providers.backup_times import parse_time, wire_time
from reconciler.emulator.providers.replication_names import FABRICS
from reconciler.emulator.providers.vaults import find_vault
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.world import Completion, World

Body = dict[str, Any]

SOFT_DELETED_VAULTS_SINCE = "2024-09-30"
"""From this api-version on a vault that holds only soft-deleted items can be deleted (BP-74)."""

PURGE_AFTER = timedelta(days=14)


def delete_vault(world: World, request: Request) -> Response:
    held = find_vault(world, request)
    items = world.store.list(ITEMS, held["id"])
    active = [item for item in items if not item["properties"].get("isScheduledForDeferredDelete")]
    if active or (items and request.api_version < SOFT_DELETED_VAULTS_SINCE):
        raise _not_empty(items, soft_deleted=not active)
    fabrics = world.store.ids(FABRICS, held["id"])
    if fabrics:
        raise _not_torn_down(fabrics)
    operation = world.operations.start(
        "vault-delete",
        duration=draw_length(world, "vault-delete"),
        on_done=("vault.deleted", {"id": held["id"]}),
        resource=held["id"],
    )
    return Response(202, None, vault_headers(world, request, operation, held["id"]))


def _not_empty(items: list[Body], *, soft_deleted: bool) -> ArmError:
    names = ", ".join(item["properties"]["friendlyName"] for item in items)
    reason = (
        "there are backup items still present in soft delete state. Visit the following link for the steps to "
        f"permanently delete soft deleted items: https://aka.ms/undeletesoftdeleteditems.  : {names}."
        if soft_deleted
        else f"there are existing resources within the vault. The registered items are : {names}."
    )
    message = (
        f"Recovery Services vault cannot be deleted as {reason} Please ensure all containers have been unregistered "
        "from the vault and all private endpoints associated with the vault have been deleted, and retry operation. "
        "For more details, see https://aka.ms/AB-AA4ecq5"
    )
    return refuse("BP-74", "ServiceResourceNotEmptyWithBackendMessage", message)


def _not_torn_down(fabrics: list[str]) -> ArmError:
    """What Site Recovery has in a vault holds it as well; the code is that of backup items (inferred)."""
    names = ", ".join(fabric.rpartition("/")[2] for fabric in fabrics)
    message = (
        f"Recovery Services vault cannot be deleted as there are existing resources within the vault. : {names}. "
        "Remove all Site Recovery fabrics from the vault, and retry operation."
    )
    return refuse("BP-74", "ServiceResourceNotEmptyWithBackendMessage", message)


def list_deleted_vaults(world: World, request: Request) -> Response:
    """Vaults that were deleted in a location and are not purged yet."""
    now, location = world.clock.now(), request.params["location"].lower()
    subscription = request.params["subscription"].lower()
    gone = [
        vault
        for vault in world.store.documents("deleted-vaults")
        if vault["location"] == location
        and part(vault["id"], "subscriptions").lower() == subscription
        and parse_time(vault["properties"]["purgeAt"]) > now
    ]
    return Response(200, {"value": gone})


def _finish_deletion(world: World, operation: Operation) -> None:
    held = world.store.get(operation.arguments["id"])
    if held is None:
        return
    now = world.clock.now()
    name = f"{part(held['id'], 'resourceGroups')}_{operation.guid}"
    scope = f"/subscriptions/{part(held['id'], 'subscriptions')}/providers/Microsoft.RecoveryServices"
    gone = {
        "id": f"{scope}/locations/{held['location']}/deletedVaults/{name}",
        "name": name,
        "type": "Microsoft.RecoveryServices/locations/deletedVaults",
        "location": held["location"],
        "properties": {
            "vaultId": held["id"],
            "vaultDeletionTime": wire_time(now),
            "purgeAt": wire_time(now + PURGE_AFTER),
        },
    }
    world.store.put_document("deleted-vaults", name, gone)
    world.store.delete_under(held["id"])
    world.store.delete(held["id"])


_DELETED = "/subscriptions/{subscription}/providers/Microsoft.RecoveryServices/locations/{location}/deletedVaults"

ROUTES: tuple[Route, ...] = (
    Route("DELETE", VAULT, delete_vault),
    Route("GET", _DELETED, list_deleted_vaults),
)

COMPLETIONS: Mapping[str, Completion] = {"vault.deleted": _finish_deletion}
