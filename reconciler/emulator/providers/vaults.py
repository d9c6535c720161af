"""Recovery Services vaults: create, read, change (backup.md §1, §5)."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from reconciler.emulator.failures import GATEWAY, ArmError, bad_request, not_found
from reconciler.emulator.operations import Operation
from reconciler.emulator.paging import list_response
from reconciler.emulator.providers.backup_names import VAULT, VAULTS, draw, part
from reconciler.emulator.providers.backup_operations import draw_length, vault_headers
from reconciler.emulator.providers.backup_policy_defaults import create_default_policies
from reconciler.emulator.providers.backup_times import wire_time
from reconciler.emulator.providers.resource_guards import check_guard
from reconciler.emulator.providers.vault_settings import (
    DEFAULTS,
    check_settings,
    late_until,
    merge,
    respell,
    secure_score,
    show_listed_vault,
    show_vault,
    weakens_security,
)
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.world import Completion, World

Body = dict[str, Any]

VAULT_NAME = re.compile(r"[a-zA-Z][-a-zA-Z0-9]{1,49}")


def find_vault(world: World, request: Request) -> Body:
    """The stored vault that a request is below. Raises 404 ResourceNotFound from the gateway."""
    params = request.params
    vault_id = (
        f"/subscriptions/{params['subscription']}/resourceGroups/{params['group']}/providers/{VAULTS}/{params['vault']}"
    )
    body = world.store.get(vault_id)
    if body is None:
        raise not_found(vault_id)
    return body


def list_vaults(world: World, request: Request) -> Response:
    scope = request.path.partition("/providers/")[0]
    return list_response(world, request, VAULTS, scope, view=lambda body: show_listed_vault(world, body))


def get_vault(world: World, request: Request) -> Response:
    held = find_vault(world, request)
    late = late_until(world, held["id"])
    if late is not None:
        world.look(f"{held['id']}, late fields", late)
        held = find_vault(world, request)
    return Response(200, show_vault(world, held))


def put_vault(world: World, request: Request) -> Response:
    """201 and `Provisioning` for a new vault; 200 for one that is there, whose unsent settings stay."""
    sent = request.body if isinstance(request.body, dict) else {}
    held = world.store.get(request.path)
    if not VAULT_NAME.fullmatch(request.params["vault"]):
        raise bad_request("InvalidResourceName", f"Resource name {request.params['vault']} is invalid.")
    if held is None:
        return _create(world, request, sent)
    if str(sent.get("location", "")).replace(" ", "").lower() != held["location"]:
        raise _elsewhere(held, str(sent.get("location")))
    properties = merge(held["properties"], respell(request.properties()))
    _check_change(world, request, held, properties)
    operation = _start_update(world, held, {**sent, "properties": request.properties()}, replace=True)
    body = show_vault(world, _apply(held, sent, world, replace=True))
    return Response(200, body, vault_headers(world, request, operation, held["id"]))


def _create(world: World, request: Request, sent: Body) -> Response:
    if not sent.get("location") or not (sent.get("sku") or {}).get("name"):
        raise bad_request("InvalidRestApiParameter", "location and sku parameters are needed to create a vault.")
    properties = merge(DEFAULTS, {**respell(request.properties()), "provisioningState": "Provisioning"})
    check_settings(world, request.path, None, properties)
    body = new_vault(world, request.path, sent, properties)
    operation = world.operations.start(
        "vault-create",
        duration=draw_length(world, "vault-create"),
        on_done=("vault.created", {"id": body["id"]}),
        resource=body["id"],
    )
    score, level = secure_score({**properties, "securitySettings": _soft_delete_only(properties)})
    shown = {**body, "properties": {**properties, "secureScore": score, "bcdrSecurityLevel": level}}
    if "securitySettings" in properties:
        unset = {"softDeleteSettings": None, "multiUserAuthorization": "Invalid"}
        shown["properties"]["securitySettings"] = {**unset, **properties["securitySettings"]}
    return Response(201, shown, vault_headers(world, request, operation, body["id"]))


def _soft_delete_only(properties: Body) -> Body:
    """What the score of a new vault counts; immutability is counted a moment later."""
    settings = properties.get("securitySettings") or {}
    return {key: value for key, value in settings.items() if key == "softDeleteSettings"}


def new_vault(
    world: World, vault_id: str, sent: Mapping[str, Any], properties: Body, *, created: datetime | None = None
) -> Body:
    """Stores a vault and its built-in policies; the estate makes its vaults with it too."""
    moment = created or world.clock.now()
    body: Body = {
        "location": str(sent["location"]).replace(" ", "").lower(),
        "name": vault_id.rpartition("/")[2],
        "etag": _etag(world),
        "properties": properties,
        "id": vault_id,
        "type": VAULTS,
        "sku": sent.get("sku") or {"name": "RS0", "tier": "Standard"},
    }
    if sent.get("identity"):
        body["identity"] = respell_identity(sent["identity"])
    if sent.get("tags"):
        body["tags"] = dict(sent["tags"])
    hidden = {"created": wire_time(moment), "sentSecurity": "securitySettings" in properties}
    world.store.put(vault_id, VAULTS, body, hidden=hidden)
    create_default_policies(world, vault_id, moment)
    return body


def patch_vault(world: World, request: Request) -> Response:
    """202, but 200 at once when only the identity goes or becomes system-assigned (75 of 629 recorded)."""
    held = find_vault(world, request)
    sent = request.body if isinstance(request.body, dict) else {}
    properties = merge(held["properties"], respell(request.properties()))
    _check_change(world, request, held, properties)
    kind = str((sent.get("identity") or {}).get("type", "")).lower()
    if set(sent) == {"identity"} and kind in ("none", "systemassigned"):
        body = _apply(held, sent, world)
        world.store.put(held["id"], VAULTS, body)
        return Response(200, show_vault(world, body))
    operation = _start_update(world, held, sent)
    return Response(202, None, vault_headers(world, request, operation, held["id"]))


def _check_change(world: World, request: Request, held: Body, properties: Body) -> None:
    check_settings(world, held["id"], held["properties"], properties)
    guarded = weakens_security(held["properties"], properties)
    if guarded:
        check_guard(world, request, held["id"], guarded)


def _start_update(world: World, held: Body, sent: Body, *, replace: bool = False) -> Operation:
    return world.operations.start(
        "vault-update",
        duration=draw_length(world, "vault-update"),
        on_done=("vault.updated", {"id": held["id"], "sent": sent, "replace": replace}),
        resource=held["id"],
    )


def _apply(held: Body, sent: Mapping[str, Any], world: World, *, replace: bool = False) -> Body:
    """The vault after a PATCH, or after a PUT (`replace`), which takes tags away that it does not name."""
    body = dict(held)
    body["properties"] = merge(held["properties"], respell(sent.get("properties") or {}))
    body["properties"].pop("resourceGuardOperationRequests", None)
    body["etag"] = _etag(world)
    if replace or "tags" in sent:
        body["tags"] = dict(sent.get("tags") or {})
    if "sku" in sent:
        body["sku"] = sent["sku"]
    if sent.get("identity"):
        body["identity"] = respell_identity(sent["identity"])
    return body


def respell_identity(sent: Mapping[str, Any]) -> Body:
    """`systemassigned,userassigned` comes back as `SystemAssigned, UserAssigned`; ids of identities in lower case."""
    names = {"systemassigned": "SystemAssigned", "userassigned": "UserAssigned", "none": "None"}
    words = [word.strip().lower() for word in str(sent.get("type", "None")).split(",")]
    identity: Body = {"type": ", ".join(names.get(word, word) for word in words)}
    if "systemassigned" in words:
        seed = draw(*sent)
        identity |= {"principalId": _guid(seed), "tenantId": _guid(seed + 1)}
    if sent.get("userAssignedIdentities"):
        identity["userAssignedIdentities"] = {
            key.lower(): {"clientId": _guid(draw(key)), "principalId": _guid(draw(key) + 1)}
            for key in sent["userAssignedIdentities"]
        }
    return identity


def _guid(number: int) -> str:
    return f"{number % 2**32:08x}-0000-4000-8000-{number:012x}"


def _elsewhere(held: Body, location: str) -> ArmError:
    group = part(held["id"], "resourceGroups")
    message = (
        f"The resource '{held['name']}' already exists in location '{held['location']}' in resource group '{group}'. "
        f"A resource with the same name cannot be created in location '{location}'. "
        "Please select a new resource name."
    )
    return ArmError(409, "InvalidResourceLocation", message, headers=GATEWAY)


def _finish_creation(world: World, operation: Operation) -> None:
    body = world.store.get(operation.arguments["id"])
    if body is not None:
        body["properties"]["provisioningState"] = "Succeeded"
        world.store.put(body["id"], VAULTS, {**body, "etag": _etag(world)})


def _finish_update(world: World, operation: Operation) -> None:
    held = world.store.get(operation.arguments["id"])
    if held is not None:
        arguments = operation.arguments
        world.store.put(held["id"], VAULTS, _apply(held, arguments["sent"], world, replace=arguments["replace"]))


def _etag(world: World) -> str:
    return f"W/\"datetime'{quote(wire_time(world.clock.now()), safe='')}'\""


_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}"

ROUTES: tuple[Route, ...] = (
    Route("GET", f"/subscriptions/{{subscription}}/providers/{VAULTS}", list_vaults),
    Route("GET", f"{_GROUP}/providers/{VAULTS}", list_vaults),
    Route("GET", VAULT, get_vault),
    Route("PUT", VAULT, put_vault),
    Route("PATCH", VAULT, patch_vault),
)

COMPLETIONS: Mapping[str, Completion] = {
    "vault.created": _finish_creation,
    "vault.updated": _finish_update,
}
