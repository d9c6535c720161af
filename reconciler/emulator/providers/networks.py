"""Virtual networks and their subnets: Microsoft.Network/virtualNetworks. Nothing is routed; addresses are given out."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

from reconciler.emulator.failures import not_found
from reconciler.emulator.operations import Operation
from reconciler.emulator.paging import list_response
from reconciler.emulator.providers.network_addresses import network_of, prefixes_of
from reconciler.emulator.providers.network_attachments import CONFIGURATIONS
from reconciler.emulator.providers.network_operations import accept
from reconciler.emulator.providers.network_resources import (
    DELETION,
    WRITE,
    NetworkCollection,
    complete_write,
    etag,
    fail_write,
    missing_reference,
    refused,
    resource_at,
)
from reconciler.emulator.providers.network_security_groups import SUBNETS
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.store import Body
from reconciler.emulator.world import World

NETWORKS = "Microsoft.Network/virtualNetworks"
_SUBNET_DEFAULTS = {
    "delegations": [],
    "privateEndpointNetworkPolicies": "Disabled",
    "privateLinkServiceNetworkPolicies": "Enabled",
}


def save_network(world: World, body: Body, existing: Body | None) -> None:
    """A PUT with ``subnets`` replaces them all; one without leaves them. Raises ArmError, with nothing changed."""
    given: dict[str, Any] = dict(body["properties"])
    prefixes = (given.get("addressSpace") or {}).get("addressPrefixes") or []
    if not prefixes:
        message = f"Virtual network {body['id']} has no address space: addressSpace.addressPrefixes is missing."
        raise refused("InvalidRequestFormat", message)
    for prefix in prefixes:
        network_of(prefix, body["id"])
    wanted = given.pop("subnets", None)
    held = world.store.list(SUBNETS, body["id"]) if existing else []
    subnets = held if wanted is None else [_subnet(world, body, one) for one in wanted]
    for position, subnet in enumerate(subnets):
        _check_subnet(body, prefixes, subnet, subnets[:position])
    kept = {subnet["id"].lower(): subnet for subnet in subnets}
    for old in held:
        _check_change(world, old, kept.get(old["id"].lower()))
    properties = {"virtualNetworkPeerings": [], "enableDdosProtection": False, **given}
    world.store.put(body["id"], NETWORKS, {**body, "properties": properties})
    for old in held:
        if old["id"].lower() not in kept:
            world.store.delete(old["id"])
    for subnet in subnets:
        _store(world, subnet)


def view_network(world: World, body: Body) -> Body:
    subnets = [view_subnet(world, subnet) for subnet in world.store.list(SUBNETS, body["id"])]
    return {**body, "properties": {**body["properties"], "subnets": subnets}}


def refuse_network(world: World, body: Body) -> None:
    for subnet in world.store.list(SUBNETS, body["id"]):
        _check_change(world, subnet, None)


def remove_network(world: World, identity: str) -> None:
    for subnet in world.store.ids(SUBNETS, identity):
        world.store.delete(subnet)
    world.store.delete(identity)


# subnets


def list_subnets(world: World, request: Request) -> Response:
    network = _network(world, request)
    return list_response(world, request, SUBNETS, network["id"], view=lambda body: view_subnet(world, body))


def get_subnet(world: World, request: Request) -> Response:
    return Response(200, view_subnet(world, resource_at(world, request)))


def put_subnet(world: World, request: Request) -> Response:
    """201 for a new one, 200 for a change of one."""
    network = _network(world, request)
    existing = world.store.get(request.path)
    given = {"name": request.params["subnet"], "properties": request.properties()}
    subnet = _subnet(world, network, given)
    others = [one for one in world.store.list(SUBNETS, network["id"]) if one["id"].lower() != subnet["id"].lower()]
    _check_subnet(network, network["properties"]["addressSpace"]["addressPrefixes"], subnet, others)
    if existing is not None:
        _check_change(world, existing, subnet)
    subnet["properties"]["provisioningState"] = "Updating"
    _store(world, subnet)
    operation = world.operations.start(
        "subnets.write", duration=WRITE, on_done=("subnets.ready", {}), resource=subnet["id"]
    )
    headers = accept(world, request, operation, network["location"])
    headers.pop("Location")  # a PUT ends at the resource itself
    return Response(200 if existing else 201, view_subnet(world, subnet), headers)


def delete_subnet(world: World, request: Request) -> Response:
    body = world.store.get(request.path)
    if body is None:
        return Response(204)
    _check_change(world, body, None)
    body["properties"]["provisioningState"] = "Deleting"
    world.store.replace(body["id"], body)
    operation = world.operations.start(
        "subnets.delete", duration=DELETION, on_done=("subnets.deleted", {}), resource=body["id"]
    )
    return Response(202, headers=accept(world, request, operation, _network(world, request)["location"]))


def complete_subnet_deletion(world: World, operation: Operation) -> None:
    world.store.delete(operation.resource)


def view_subnet(world: World, body: Body) -> Body:
    """With the IP configurations that have an address of it."""
    users = world.store.find(CONFIGURATIONS, subnet=body["id"])
    if not users:
        return body
    return {**body, "properties": {**body["properties"], "ipConfigurations": [{"id": user} for user in users]}}


def _network(world: World, request: Request) -> Body:
    identity = "/".join(request.path.split("/")[:9])
    body = world.store.get(identity)
    if body is None:
        raise not_found(identity)
    return body


def _subnet(world: World, network: Body, given: Body) -> Body:
    """A subnet as it is kept. Raises ArmError 400 for a security group that is absent or of another region."""
    identity = f"{network['id']}/subnets/{given['name']}"
    properties = {"provisioningState": "Succeeded", **_SUBNET_DEFAULTS, **(given.get("properties") or {})}
    properties["provisioningState"] = "Succeeded"
    properties.pop("ipConfigurations", None)
    guard = (properties.get("networkSecurityGroup") or {}).get("id")
    if guard and (world.store.get(guard) or {}).get("location") != network["location"]:
        raise missing_reference(guard, identity)
    return {"name": given["name"], "id": identity, "etag": etag(properties), "type": SUBNETS, "properties": properties}


def _check_subnet(network: Body, space: list[str], subnet: Body, others: list[Body]) -> None:
    """Raises ArmError 400 for prefixes outside of the network's, or that other subnets have."""
    prefixes = prefixes_of(subnet["properties"])
    wanted = [network_of(prefix, subnet["id"]) for prefix in prefixes]
    spaces = [network_of(prefix, network["id"]) for prefix in space]
    if not wanted or not all(any(one.subnet_of(whole) for whole in spaces) for one in wanted):
        message = f"Subnet '{subnet['name']}' is not valid in virtual network '{network['name']}'."
        raise refused("NetcfgInvalidSubnet", message)
    taken = [ip_network(prefix) for other in others for prefix in prefixes_of(other["properties"])]
    if any(one.overlaps(other) for one in wanted for other in taken):
        message = (
            f"Subnet '{subnet['name']}' is not valid because its IP address range overlaps with that of an existing "
            f"subnet in virtual network '{network['name']}'."
        )
        raise refused("NetcfgSubnetRangesOverlap", message)


def _check_change(world: World, before: Body, after: Body | None) -> None:
    """Raises ArmError 400 where a subnet that is in use would go, or get other prefixes."""
    users = world.store.find(CONFIGURATIONS, subnet=before["id"])
    if not users:
        return
    if after is None:
        message = (
            f"Subnet {before['name']} is in use by {', '.join(users)} and cannot be deleted. In order to delete the "
            "subnet, delete all the resources within the subnet. See aka.ms/deletesubnet."
        )
        raise refused("InUseSubnetCannotBeDeleted", message)
    if prefixes_of(before["properties"]) != prefixes_of(after["properties"]):
        message = f"Subnet {before['name']} is in use and cannot be updated."
        raise refused("InUseSubnetCannotBeUpdated", message)


def _store(world: World, subnet: Body) -> None:
    guard = (subnet["properties"].get("networkSecurityGroup") or {}).get("id")
    world.store.put(subnet["id"], SUBNETS, subnet, **({"guard": guard} if guard else {}))


_NETWORKS = NetworkCollection("virtualNetworks", (), save_network, view_network, refuse_network, remove_network)
COMPLETIONS = {
    **_NETWORKS.completions,
    "subnets.ready": complete_write,
    "subnets.ready.failed": fail_write,
    "subnets.deleted": complete_subnet_deletion,
}

_SUBNETS = "/subscriptions/{subscription}/resourceGroups/{group}/providers/" + NETWORKS + "/{network}/subnets"
ROUTES: tuple[Route, ...] = (
    *_NETWORKS.routes,
    Route("GET", _SUBNETS, list_subnets),
    Route("GET", _SUBNETS + "/{subnet}", get_subnet),
    Route("PUT", _SUBNETS + "/{subnet}", put_subnet),
    Route("DELETE", _SUBNETS + "/{subnet}", delete_subnet),
)
