"""Multi-user authorisation: a vault that is mapped to a Resource Guard refuses what the guard protects (BP-85).

A call passes when it names a request on the guard in `resourceGuardOperationRequests` and the owner of the guard has
approved; a deletion, which has no body, when `unlockDelete` was called for it before. On Azure an approval is a role on
the guard that ends after some hours; here it is a switch (`guardApproved` of an estate, the admin call `guards`), on
unless said otherwise, and the same for every caller.
"""

from datetime import timedelta
from typing import Any

from reconciler.emulator.providers.backup_names import GUARD_PROXIES, VAULT
from reconciler.emulator.providers.backup_refusals import not_in_vault, refuse_guarded
from reconciler.emulator.providers.backup_times import parse_time, wire_time
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.world import World

Body = dict[str, Any]

_APPROVALS = "guard-approvals"
UNLOCKED_FOR = timedelta(minutes=30)
_OPERATIONS = {
    "backupFabrics/protectionContainers/protectedItems/delete": "deleteProtectedItemRequests",
    "backupFabrics/protectionContainers/protectedItems/write": "updateProtectedItemRequests",
    "backupPolicies/write": "updateProtectionPolicyRequests",
    "backupconfig/write": "disableSoftDeleteRequests",
    "backupResourceGuardProxies/delete": "deleteResourceGuardProxyRequests",
}


def guard_of(world: World, vault_id: str) -> str | None:
    """The id of the guard that a vault is mapped to."""
    proxies = world.store.list(GUARD_PROXIES, vault_id)
    return str(proxies[0]["properties"]["resourceGuardResourceId"]) if proxies else None


def approve(world: World, guard: str, *, approved: bool) -> None:
    """What the owner of a guard says to those who ask."""
    world.store.put_document(_APPROVALS, guard.lower(), approved)


def _is_approved(world: World, guard: str) -> bool:
    return world.store.document(_APPROVALS, guard.lower()) is not False


def check_guard(world: World, request: Request, vault_id: str, operation: str) -> None:
    """Raises 403 for a guarded operation that brings no request of the guard, or one that is not approved."""
    guard = guard_of(world, vault_id)
    if guard is None:
        return
    sent = request.body if isinstance(request.body, dict) else {}
    requests = request.properties().get("resourceGuardOperationRequests") or sent.get("resourceGuardOperationRequests")
    if any(str(entry).lower().startswith(guard.lower()) for entry in requests or []) and _is_approved(world, guard):
        return
    raise refuse_guarded(guard, operation)


def check_unlocked(world: World, vault_id: str, resource_id: str, operation: str) -> None:
    """Raises 403 for a guarded deletion that was not unlocked before."""
    guard = guard_of(world, vault_id)
    if guard is None:
        return
    until = world.store.document("guard-unlocks", resource_id.lower())
    if until is None or parse_time(until) < world.clock.now():
        raise refuse_guarded(guard, operation)


def map_guard(world: World, vault_id: str, guard: str) -> Body:
    """Maps a vault to a guard. The answer spells `/resourcegroups/` in lower case, whatever was sent."""
    guard = guard.replace("/resourceGroups/", "/resourcegroups/")
    provider = "Microsoft.RecoveryServices/vaults"
    body: Body = {
        "id": f"{vault_id}/backupResourceGuardProxies/VaultProxy",
        "name": "VaultProxy",
        "type": GUARD_PROXIES,
        "properties": {
            "resourceGuardResourceId": guard,
            "resourceGuardOperationDetails": [
                {
                    "vaultCriticalOperation": f"{provider}/{operation}",
                    "defaultResourceRequest": f"{guard}/{kind}/default",
                }
                for operation, kind in _OPERATIONS.items()
            ],
            "lastUpdatedTime": wire_time(world.clock.now()),
            "description": "",
        },
    }
    world.store.put(body["id"], GUARD_PROXIES, body)
    return body


def list_proxies(world: World, request: Request) -> Response:
    return Response(200, {"value": world.store.list(GUARD_PROXIES, request.path.rpartition("/")[0])})


def get_proxy(world: World, request: Request) -> Response:
    body = world.store.get(request.path)
    if body is None:
        raise not_in_vault("The resource guard proxy")
    return Response(200, body)


def put_proxy(world: World, request: Request) -> Response:
    vault_id = request.path.partition("/backupResourceGuardProxies")[0]
    held = world.store.get(vault_id)
    guard = str(request.properties().get("resourceGuardResourceId", ""))
    return Response(200, map_guard(world, held["id"] if held else vault_id, guard))


def unlock_delete(world: World, request: Request) -> Response:
    vault_id = request.path.partition("/backupResourceGuardProxies")[0]
    check_guard(world, request, vault_id, "unlockDelete")
    proxy = request.path.rpartition("/")[0]
    target = (request.body or {}).get("resourceToBeDeleted") or proxy
    until = wire_time(world.clock.now() + UNLOCKED_FOR)
    world.store.put_document("guard-unlocks", str(target).lower(), until)
    return Response(200, {"unlockDeleteExpiryTime": until})


def delete_proxy(world: World, request: Request) -> Response:
    vault_id = request.path.partition("/backupResourceGuardProxies")[0]
    check_unlocked(world, vault_id, request.path, "backupResourceGuardProxies/delete")
    return Response(200, {}) if world.store.delete(request.path) else Response(204)


_PROXY = VAULT + "/backupResourceGuardProxies/{proxy}"

ROUTES: tuple[Route, ...] = (
    Route("GET", VAULT + "/backupResourceGuardProxies", list_proxies),
    Route("GET", _PROXY, get_proxy),
    Route("PUT", _PROXY, put_proxy),
    Route("DELETE", _PROXY, delete_proxy),
    Route("POST", _PROXY + "/unlockDelete", unlock_delete),
)
