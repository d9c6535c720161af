"""Subscriptions, resource groups, resource lists and provider registrations: Microsoft.Resources."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import msgspec

from reconciler.emulator.failures import GATEWAY, ArmError, bad_request, group_not_found, subscription_not_found
from reconciler.emulator.operations import Operation
from reconciler.emulator.paging import list_response
from reconciler.emulator.polling import polling_headers, timing_headers
from reconciler.emulator.providers.deleted_machines import remember_machines
from reconciler.emulator.providers.resource_lists import tag_filter
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.store import Body
from reconciler.emulator.world import World

SUBSCRIPTIONS = "Microsoft.Resources/subscriptions"
GROUPS = "Microsoft.Resources/resourceGroups"
PROTECTED_ITEMS = "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems"
REPLICATION_FABRICS = "Microsoft.RecoveryServices/vaults/replicationFabrics"
NAMESPACES = (
    "Microsoft.Automation",
    "Microsoft.Compute",
    "Microsoft.Network",
    "Microsoft.RecoveryServices",
    "Microsoft.Resources",
    "Microsoft.Storage",
)
LOCATIONS = {"westeurope": "West Europe", "northeurope": "North Europe", "eastus2": "East US 2"}
GROUP_DELETION = timedelta(seconds=45)


# subscriptions


def list_subscriptions(world: World, _request: Request) -> Response:
    bodies = world.store.list(SUBSCRIPTIONS)
    return Response(200, {"value": bodies, "count": {"type": "Total", "value": len(bodies)}})


def get_subscription(world: World, request: Request) -> Response:
    body = world.store.get(f"/subscriptions/{request.params['subscription']}")
    if body is None:
        raise subscription_not_found(request.params["subscription"])
    return Response(200, body)


def list_tenants(world: World, _request: Request) -> Response:
    tenant = world.configuration.tenant
    return Response(200, {"value": [{"id": f"/tenants/{tenant}", "tenantId": tenant, "displayName": "Emulator"}]})


def list_locations(_world: World, request: Request) -> Response:
    scope = f"/subscriptions/{request.params['subscription']}"
    value = [
        {"id": f"{scope}/locations/{name}", "name": name, "type": "Region", "displayName": display}
        for name, display in LOCATIONS.items()
    ]
    return Response(200, {"value": value})


# resource groups


def group_id(world: World, request: Request) -> str:
    """The id of the request's resource group in its own casing. Raises ArmError 404 when it does not exist."""
    asked = f"/subscriptions/{request.params['subscription']}/resourceGroups/{request.params['group']}"
    body = world.store.get(asked)
    if body is None:
        raise group_not_found(request.params["group"])
    return str(body["id"])


def list_groups(world: World, request: Request) -> Response:
    scope = f"/subscriptions/{request.params['subscription']}"
    return list_response(world, request, GROUPS, scope, where=tag_filter(request))


def get_group(world: World, request: Request) -> Response:
    return Response(200, world.store.get(group_id(world, request)))


def has_group(world: World, request: Request) -> Response:
    found = world.store.has(request.path)
    return Response(204) if found else Response(404, headers=GATEWAY)


def put_group(world: World, request: Request) -> Response:
    body = request.body or {}
    existing = world.store.get(request.path)
    location = str(body.get("location", "")).replace(" ", "").lower()
    if not location:
        raise bad_request("LocationRequired", "The location property is required for this definition.")
    if existing and existing["location"] != location:
        message = (
            f"Invalid resource group location '{location}'. The Resource group already exists in location "
            f"'{existing['location']}'."
        )
        raise ArmError(409, "InvalidResourceGroupLocation", message)
    subscription, name = request.params["subscription"], request.params["group"]
    identity = existing["id"] if existing else f"/subscriptions/{subscription}/resourceGroups/{name}"
    made = group_body(identity, location, body.get("tags"))
    world.store.put(identity, GROUPS, made)
    return Response(200 if existing else 201, made)


def patch_group(world: World, request: Request) -> Response:
    body = world.store.get(group_id(world, request)) or {}
    if "tags" in (request.body or {}):
        body["tags"] = request.body["tags"]
    world.store.put(body["id"], GROUPS, body)
    return Response(200, body)


def delete_group(world: World, request: Request) -> Response:
    """202 and a Location; a vault in it that has protected items, or fabrics, keeps the group alive, with 409."""
    identity = group_id(world, request)
    items = [*world.store.ids(PROTECTED_ITEMS, identity), *world.store.ids(REPLICATION_FABRICS, identity)]
    if items:
        vault = "/".join(items[0].split("/")[:9])
        message = f"Deletion of resource group '{request.params['group']}' failed as resources with identifiers "
        raise ArmError(409, "ResourceGroupDeletionBlocked", f"{message}'{vault}' could not be deleted.")
    body = world.store.get(identity) or {}
    body["properties"] = {"provisioningState": "Deleting"}
    world.store.put(identity, GROUPS, body)
    operation = world.operations.start(
        "deleteResourceGroup",
        duration=GROUP_DELETION,
        on_done=("resourceGroup.deleted", {"id": identity}),
        resource=identity,
    )
    subscription = request.params["subscription"]
    location = f"/subscriptions/{subscription}/operationresults/{operation.guid}?api-version={request.api_version}"
    return Response(202, headers=polling_headers(world, request, operation=operation, location=location))


def poll_deletion(world: World, request: Request) -> Response:
    operation = world.poll(request.params["operation"])
    if operation is None:
        raise ArmError(404, "OperationNotFound", "The operation could not be found.", headers=GATEWAY)
    if operation.error:
        raise ArmError(409, operation.error["code"], operation.error["message"])
    if operation.done:
        return Response(200)
    again = f"{request.base_url}{request.path}?api-version={request.api_version}"
    return Response(202, headers={"Location": again, **timing_headers(world, operation)})


def complete_group_deletion(world: World, operation: Operation) -> None:
    remember_machines(world, operation.arguments["id"])
    world.store.delete_under(operation.arguments["id"])
    world.store.delete(operation.arguments["id"])


def group_body(identity: str, location: str, tags: dict[str, str] | None) -> Body:
    body: Body = {"id": identity, "name": identity.rsplit("/", 1)[-1], "type": GROUPS, "location": location}
    if tags is not None:
        body["tags"] = tags
    return {**body, "properties": {"provisioningState": "Succeeded"}}


# provider registrations


def list_providers(_world: World, request: Request) -> Response:
    subscription = request.params["subscription"]
    return Response(200, {"value": [_registration(subscription, namespace) for namespace in NAMESPACES]})


def get_provider(_world: World, request: Request) -> Response:
    return Response(200, _registration(request.params["subscription"], request.params["namespace"]))


def _registration(subscription: str, namespace: str) -> Body:
    return {
        "id": f"/subscriptions/{subscription}/providers/{quote(namespace)}",
        "namespace": namespace,
        "registrationPolicy": "RegistrationRequired",
        "resourceTypes": [],
        "registrationState": "Registered",
    }


# estates


class SubscriptionShape(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    name: str
    state: str = "Enabled"


class GroupShape(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    subscription: str
    name: str
    location: str
    tags: dict[str, str] | None = None


def seed_subscriptions(world: World, section: Any) -> None:
    tenant = world.configuration.tenant
    for shape in msgspec.convert(section, list[SubscriptionShape]):
        identity = f"/subscriptions/{shape.id}"
        body = {
            "id": identity,
            "authorizationSource": "RoleBased",
            "managedByTenants": [],
            "subscriptionId": shape.id,
            "tenantId": tenant,
            "displayName": shape.name,
            "state": shape.state,
            "subscriptionPolicies": {
                "locationPlacementId": "Public_2014-09-01",
                "quotaId": "EnterpriseAgreement_2014-09-01",
                "spendingLimit": "Off",
            },
        }
        world.store.put(identity, SUBSCRIPTIONS, body, name=shape.name)


def subscription_scope(world: World, name_or_id: str) -> str:
    """``/subscriptions/{id}`` of an estate's subscription, by display name or id. Raises ValueError."""
    if world.store.has(f"/subscriptions/{name_or_id}"):
        return f"/subscriptions/{name_or_id}"
    named = world.store.find(SUBSCRIPTIONS, name=name_or_id)
    if not named:
        raise ValueError(f"there is no subscription '{name_or_id}' in this estate")
    return named[0]


def seed_groups(world: World, section: Any) -> None:
    for shape in msgspec.convert(section, list[GroupShape]):
        identity = f"{subscription_scope(world, shape.subscription)}/resourceGroups/{shape.name}"
        world.store.put(identity, GROUPS, group_body(identity, shape.location, shape.tags), name=shape.name)


SEEDS = {"subscriptions": seed_subscriptions, "resourceGroups": seed_groups}
COMPLETIONS = {"resourceGroup.deleted": complete_group_deletion}

_S = "/subscriptions/{subscription}"
_G = _S + "/resourceGroups/{group}"
ROUTES: tuple[Route, ...] = (
    Route("GET", "/subscriptions", list_subscriptions),
    Route("GET", _S, get_subscription),
    Route("GET", "/tenants", list_tenants),
    Route("GET", _S + "/locations", list_locations),
    Route("GET", _S + "/resourceGroups", list_groups),
    Route("GET", _G, get_group),
    Route("HEAD", _G, has_group),
    Route("PUT", _G, put_group),
    Route("PATCH", _G, patch_group),
    Route("DELETE", _G, delete_group),
    Route("GET", _S + "/operationresults/{operation}", poll_deletion),
    Route("GET", _S + "/providers", list_providers),
    Route("GET", _S + "/providers/{namespace}", get_provider),
    Route("POST", _S + "/providers/{namespace}/register", get_provider),
)
