"""Network security groups: Microsoft.Network/networkSecurityGroups. No traffic is filtered."""

from __future__ import annotations

from reconciler.emulator.providers.network_attachments import INTERFACES
from reconciler.emulator.providers.network_resources import NetworkCollection, etag, refused
from reconciler.emulator.store import Body
from reconciler.emulator.world import World

SECURITY_GROUPS = "Microsoft.Network/networkSecurityGroups"
SUBNETS = "Microsoft.Network/virtualNetworks/subnets"
_TOLD = ("defaultSecurityRules", "networkInterfaces", "subnets")
_DEFAULTS = (  # name, priority, access, direction, source, destination
    ("AllowVnetInBound", 65000, "Allow", "Inbound", "VirtualNetwork", "VirtualNetwork"),
    ("AllowAzureLoadBalancerInBound", 65001, "Allow", "Inbound", "AzureLoadBalancer", "*"),
    ("DenyAllInBound", 65500, "Deny", "Inbound", "*", "*"),
    ("AllowVnetOutBound", 65000, "Allow", "Outbound", "VirtualNetwork", "VirtualNetwork"),
    ("AllowInternetOutBound", 65001, "Allow", "Outbound", "*", "Internet"),
    ("DenyAllOutBound", 65500, "Deny", "Outbound", "*", "*"),
)


def save_group(world: World, body: Body, _existing: Body | None) -> None:
    rules = [_rule(body["id"], given) for given in body["properties"].get("securityRules") or []]
    world.store.put(body["id"], SECURITY_GROUPS, {**body, "properties": {**body["properties"], "securityRules": rules}})


def view_group(world: World, body: Body) -> Body:
    """With its default rules, and what it is used by."""
    used: Body = {}
    for name, type_ in (("networkInterfaces", INTERFACES), ("subnets", SUBNETS)):
        if ids := world.store.find(type_, guard=body["id"]):
            used[name] = [{"id": identity} for identity in ids]
    defaults = [_default_rule(body, *rule) for rule in _DEFAULTS]
    return {**body, "properties": {**body["properties"], "defaultSecurityRules": defaults, **used}}


def refuse_group(world: World, body: Body) -> None:
    users = [identity for type_ in (INTERFACES, SUBNETS) for identity in world.store.find(type_, guard=body["id"])]
    if users:
        message = (
            f"Network security group {body['id']} cannot be deleted because it is in use by the following resources: "
            f"{', '.join(users)}. In order to delete the Network security group, remove the association with the "
            "resource(s). To learn how to do this, see aka.ms/deletensg."
        )
        raise refused("InUseNetworkSecurityGroupCannotBeDeleted", message)


def remove_group(world: World, identity: str) -> None:
    world.store.delete(identity)


def _rule(group: str, given: Body) -> Body:
    properties = {"provisioningState": "Succeeded", **(given.get("properties") or {})}
    for several in ("sourcePortRanges", "destinationPortRanges", "sourceAddressPrefixes", "destinationAddressPrefixes"):
        properties.setdefault(several, [])
    return {
        "name": given["name"],
        "id": f"{group}/securityRules/{given['name']}",
        "etag": etag(given),
        "type": f"{SECURITY_GROUPS}/securityRules",
        "properties": properties,
    }


def _default_rule(
    group: Body, name: str, priority: int, access: str, direction: str, source: str, destination: str
) -> Body:
    properties = {
        "provisioningState": "Succeeded",
        "protocol": "*",
        "sourcePortRange": "*",
        "destinationPortRange": "*",
        "sourceAddressPrefix": source,
        "destinationAddressPrefix": destination,
        "access": access,
        "priority": priority,
        "direction": direction,
        "sourcePortRanges": [],
        "destinationPortRanges": [],
        "sourceAddressPrefixes": [],
        "destinationAddressPrefixes": [],
    }
    return {
        "name": name,
        "id": f"{group['id']}/defaultSecurityRules/{name}",
        "etag": group["etag"],
        "type": f"{SECURITY_GROUPS}/defaultSecurityRules",
        "properties": properties,
    }


_GROUPS = NetworkCollection("networkSecurityGroups", _TOLD, save_group, view_group, refuse_group, remove_group)
ROUTES = _GROUPS.routes
COMPLETIONS = _GROUPS.completions
