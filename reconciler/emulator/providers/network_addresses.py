"""Private addresses of subnets, and public addresses: Microsoft.Network/publicIPAddresses."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network, ip_address, ip_network

from reconciler.emulator.providers.network_attachments import CONFIGURATIONS
from reconciler.emulator.providers.network_resources import NetworkCollection, refused
from reconciler.emulator.store import Body
from reconciler.emulator.world import World

PUBLIC_ADDRESSES = "Microsoft.Network/publicIPAddresses"
RESERVED = 4
"""Azure keeps the first four addresses of a subnet, and the last one."""
_PUBLIC = IPv4Address("198.18.0.0")  # of the range that is set aside for tests of devices


def network_of(prefix: str, resource: str) -> IPv4Network:
    """Raises ArmError 400 for what is no IPv4 prefix."""
    try:
        return IPv4Network(prefix)
    except ValueError as error:
        message = (
            f"Address prefix {prefix} of resource {resource} is not formatted correctly. It should follow CIDR "
            "notation, for example 10.0.0.0/24."
        )
        raise refused("InvalidAddressPrefixFormat", message) from error


def prefixes_of(properties: Mapping[str, object]) -> list[str]:
    """Of a subnet, which tells one prefix or several."""
    several = properties.get("addressPrefixes")
    single = properties.get("addressPrefix")
    if isinstance(several, list) and several:
        return [str(prefix) for prefix in several]
    return [str(single)] if single else []


def addresses_of(world: World, subnet: str) -> dict[str, str]:
    """The addresses of a subnet that are taken, and which configuration has each."""
    ids = world.store.find(CONFIGURATIONS, subnet=subnet)
    return {str((world.store.get(identity) or {}).get("address")): identity for identity in ids}


def next_address(subnet: Body, taken: Mapping[str, str], configuration: str) -> str:
    """The lowest address that is free. Raises ArmError 400 for a subnet that is full."""
    prefixes = prefixes_of(subnet["properties"])
    for prefix in prefixes:
        network = ip_network(prefix)
        for number in range(RESERVED, network.num_addresses - 1):
            if (address := str(network[number])) not in taken:
                return address
    message = (
        f"Subnet {subnet['name']} with address prefix {', '.join(prefixes)} does not have enough capacity for 1 IP "
        f"addresses, as {configuration} wants one."
    )
    raise refused("SubnetIsFull", message)


def check_address(subnet: Body, taken: Mapping[str, str], wanted: str, configuration: str) -> None:
    """Raises ArmError 400 for an address that is outside of the subnet, reserved, or taken."""
    try:
        address = ip_address(wanted)
    except ValueError as error:
        raise refused("InvalidIPAddressFormat", f"{wanted} of {configuration} is no IP address.") from error
    networks = [ip_network(prefix) for prefix in prefixes_of(subnet["properties"])]
    network = next((one for one in networks if address in one), None)
    if network is None:
        prefixes = ", ".join(str(one) for one in networks)
        message = f"Private static IP address {wanted} does not belong to the range of subnet prefix {prefixes}."
        raise refused("PrivateIPAddressNotInSubnet", message)
    position = int(address) - int(network.network_address)
    if position < RESERVED or position == network.num_addresses - 1:
        message = f"Private static IP address {wanted} falls within reserved IP range of subnet prefix {network}."
        raise refused("PrivateIPAddressInReservedRange", message)
    if holder := taken.get(wanted):
        message = (
            f"IP configuration {configuration} is using the private IP address {wanted} which is already allocated to "
            f"resource {holder}."
        )
        raise refused("PrivateIPAddressIsAllocated", message)


# public addresses


def save_public(world: World, body: Body, existing: Body | None) -> None:
    before = (existing or {"properties": {}})["properties"]
    sku = {"name": "Basic", "tier": "Regional", **(body.get("sku") or (existing or {}).get("sku") or {})}
    given = body["properties"]
    method = given.get("publicIPAllocationMethod") or ("Static" if sku["name"] == "Standard" else "Dynamic")
    properties: Body = {
        "publicIPAddressVersion": "IPv4",
        "idleTimeoutInMinutes": 4,
        "ipTags": [],
        **given,
        "publicIPAllocationMethod": method,
    }
    if "ipConfiguration" in before:
        properties["ipConfiguration"] = before["ipConfiguration"]
    world.store.put(body["id"], PUBLIC_ADDRESSES, {**body, "sku": sku, "properties": properties})


def view_public(_world: World, body: Body) -> Body:
    """A static address is there at once, a dynamic one once something has it."""
    properties = body["properties"]
    if properties["publicIPAllocationMethod"] != "Static" and "ipConfiguration" not in properties:
        return body
    address = str(_PUBLIC + zlib.crc32(body["id"].lower().encode()) % (1 << 17))
    return {**body, "properties": {**properties, "ipAddress": address}}


def refuse_public(_world: World, body: Body) -> None:
    holder = body["properties"].get("ipConfiguration")
    if holder:
        message = (
            f"Public IP address {body['id']} can not be deleted since it is still allocated to resource "
            f"{holder['id']}. In order to delete the public IP, disassociate/detach the Public IP address from the "
            "resource. To learn how to do this, see aka.ms/deletepublicip."
        )
        raise refused("PublicIPAddressCannotBeDeleted", message)


def remove_public(world: World, identity: str) -> None:
    world.store.delete(identity)


_PUBLIC_ADDRESSES = NetworkCollection(
    "publicIPAddresses", ("ipAddress", "ipConfiguration"), save_public, view_public, refuse_public, remove_public
)
ROUTES = _PUBLIC_ADDRESSES.routes
COMPLETIONS = _PUBLIC_ADDRESSES.completions
