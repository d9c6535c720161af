"""Network interfaces of VMs: Microsoft.Network/networkInterfaces."""

from __future__ import annotations

import zlib

from reconciler.emulator.providers.network_addresses import (
    PUBLIC_ADDRESSES,
    addresses_of,
    check_address,
    next_address,
)
from reconciler.emulator.providers.network_attachments import CONFIGURATIONS, INTERFACES, remove_interface
from reconciler.emulator.providers.network_resources import NetworkCollection, etag, missing_reference, refused
from reconciler.emulator.providers.network_security_groups import SECURITY_GROUPS
from reconciler.emulator.store import Body
from reconciler.emulator.world import World

_FILLED = {
    "enableAcceleratedNetworking": False,
    "vnetEncryptionSupported": False,
    "enableIPForwarding": False,
    "disableTcpStateTracking": False,
}
_LAST = {
    "hostedWorkloads": [],
    "tapConfigurations": [],
    "nicType": "Standard",
    "allowPort25Out": True,
    "auxiliaryMode": "None",
    "auxiliarySku": "None",
}
_OF_THE_MACHINE = ("virtualMachine", "primary")
_TOLD = (*_OF_THE_MACHINE, "macAddress", "hostedWorkloads", "tapConfigurations")


def save_interface(world: World, body: Body, existing: Body | None) -> None:
    """Gives every IP configuration its address; one that it had stays. Raises ArmError, with nothing changed."""
    given = body["properties"]
    before = (existing or {"properties": {}})["properties"]
    wanted = given.get("ipConfigurations") or []
    if not wanted:
        message = f"Network interface {body['id']} must have at least one IP configuration."
        raise refused("NetworkInterfaceMustHaveOneIpConfiguration", message)
    configurations: list[Body] = []
    for one in wanted:
        configurations.append(_configuration(world, body, one, configurations))
    if not any(one["properties"]["primary"] for one in configurations):
        configurations[0]["properties"]["primary"] = True  # as Azure does, whatever was sent
    guard = (given.get("networkSecurityGroup") or {}).get("id")
    if guard:
        _find(world, guard, SECURITY_GROUPS, body["id"], body["location"])
    told = {name: before[name] for name in _OF_THE_MACHINE if name in before}
    suffix = f"{zlib.crc32(body['id'].lower().encode()):08x}.ax.internal.cloudapp.net"
    dns = {"dnsServers": [], "appliedDnsServers": [], **(given.get("dnsSettings") or {})}
    properties: Body = {**_FILLED, **_LAST, **given, "ipConfigurations": configurations}
    properties |= {"dnsSettings": {**dns, "internalDomainNameSuffix": suffix}, **told}
    remove_interface(world, body["id"])
    stored = {**body, "kind": "Regular", "properties": properties}
    world.store.put(body["id"], INTERFACES, stored, **({"guard": guard} if guard else {}))
    for configuration in configurations:
        _note(world, configuration)


def view_interface(_world: World, body: Body) -> Body:
    """With the hardware address that it gets from its VM."""
    properties = body["properties"]
    if "virtualMachine" not in properties:
        return body
    mac = f"000D3A{zlib.crc32(body['id'].lower().encode()) & 0xFFFFFF:06X}"
    spelled = "-".join(mac[place : place + 2] for place in range(0, 12, 2))
    return {**body, "properties": {**properties, "macAddress": spelled}}


def refuse_interface(_world: World, body: Body) -> None:
    owner = body["properties"].get("virtualMachine")
    if owner:
        message = (
            f"Network Interface {body['id']} is used by existing resource {owner['id']}. In order to delete the "
            "network interface, it must be dissociated from the resource. To learn more, see aka.ms/deletenic."
        )
        raise refused("NicInUse", message)


def _configuration(world: World, interface: Body, given: Body, siblings: list[Body]) -> Body:
    """One IP configuration with its address. Raises ArmError 400 for what it cannot refer to or have."""
    identity = f"{interface['id']}/ipConfigurations/{given['name']}"
    wanted = given.get("properties") or {}
    subnet_id = str((wanted.get("subnet") or {}).get("id") or "")
    network = _find(world, subnet_id.partition("/subnets/")[0], None, interface["id"], interface["location"])
    subnet = world.store.get(subnet_id)
    if subnet is None or network is None:
        raise missing_reference(subnet_id, interface["id"])
    public = (wanted.get("publicIPAddress") or {}).get("id")
    if public:
        _check_public(world, public, identity, interface)
    method = str(wanted.get("privateIPAllocationMethod") or "Dynamic")
    properties: Body = {
        "provisioningState": "Succeeded",
        "privateIPAddress": _address(world, subnet, identity, wanted, method, siblings),
        "privateIPAllocationMethod": method,
        **({"publicIPAddress": {"id": public}} if public else {}),
        "subnet": {"id": subnet["id"]},
        "primary": bool(wanted.get("primary")),
        "privateIPAddressVersion": "IPv4",
    }
    return {
        "name": given["name"],
        "id": identity,
        "etag": etag(properties),
        "type": CONFIGURATIONS,
        "properties": properties,
    }


def _address(world: World, subnet: Body, identity: str, wanted: Body, method: str, siblings: list[Body]) -> str:
    taken = {one: holder for one, holder in addresses_of(world, subnet["id"]).items() if holder != identity}
    taken |= {one["properties"]["privateIPAddress"]: one["id"] for one in siblings}
    if method == "Static":
        address = str(wanted.get("privateIPAddress") or "")
        if not address:
            message = f"Private static IP address of {identity} is missing."
            raise refused("StaticPrivateIPAddressMissing", message)
        check_address(subnet, taken, address, identity)
        return address
    held = world.store.get(identity) or {}
    if held.get("subnet", "").lower() == subnet["id"].lower() and held["address"] not in taken:
        return str(held["address"])
    return next_address(subnet, taken, identity)


def _check_public(world: World, public: str, identity: str, interface: Body) -> None:
    body = _find(world, public, PUBLIC_ADDRESSES, interface["id"], interface["location"])
    holder = ((body or {"properties": {}})["properties"].get("ipConfiguration") or {}).get("id", identity)
    if holder.lower() != identity.lower():
        message = (
            f"Resource {identity} is referencing public IP address {public} that is already allocated to resource "
            f"{holder}."
        )
        raise refused("PublicIPAddressInUse", message)


def _find(world: World, identity: str, type_: str | None, referrer: str, location: str) -> Body | None:
    """What is referred to. Raises ArmError 400 where there is no such thing in the region of what refers to it."""
    body = world.store.get(identity) if identity else None
    if body is None or body["location"] != location or (type_ and body["type"] != type_):
        raise missing_reference(identity, referrer)
    return body


def _note(world: World, configuration: Body) -> None:
    """Keeps what is found by subnet, and tells a public address who has it."""
    properties = configuration["properties"]
    public = (properties.get("publicIPAddress") or {}).get("id", "")
    kept = {"address": properties["privateIPAddress"], "subnet": properties["subnet"]["id"], "publicIPAddress": public}
    world.store.put(configuration["id"], CONFIGURATIONS, kept, subnet=kept["subnet"])
    address = world.store.get(public)
    if address is not None:
        address["properties"]["ipConfiguration"] = {"id": configuration["id"]}
        world.store.replace(public, address)


_INTERFACES = NetworkCollection(
    "networkInterfaces", _TOLD, save_interface, view_interface, refuse_interface, remove_interface
)
ROUTES = _INTERFACES.routes
COMPLETIONS = _INTERFACES.completions
