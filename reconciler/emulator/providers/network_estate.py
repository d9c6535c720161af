"""The ``networks`` section of an estate, and the network interfaces of the VMs in them.

An estate without this section has VMs whose interfaces do not exist, so that one of 100,000 VMs starts as fast as ever.
"""

from __future__ import annotations

from typing import Any

import msgspec

from reconciler.emulator.failures import ArmError
from reconciler.emulator.providers.compute import MACHINES
from reconciler.emulator.providers.compute_estate import declared_group
from reconciler.emulator.providers.network_attachments import INTERFACES, bind_interfaces, interface_references
from reconciler.emulator.providers.network_interfaces import save_interface
from reconciler.emulator.providers.network_resources import derived_guid, etag
from reconciler.emulator.providers.networks import NETWORKS, save_network
from reconciler.emulator.router import Route
from reconciler.emulator.store import Body
from reconciler.emulator.world import World


class NetworkShape(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A line of an estate's ``networks``. VMs of its region go to the first of its ``subnets`` (name -> prefix), but
    for a network whose ``machines`` is false.
    """

    name: str
    resource_group: str
    address_prefixes: list[str]
    subnets: dict[str, str]
    location: str | None = None
    subscription: str | None = None
    tags: dict[str, str] | None = None
    machines: bool = True


class _Places:
    """Where machines go: to a network of their own resource group, else to the first of their region."""

    def __init__(self) -> None:
        self._by_group: dict[tuple[str, str], str] = {}
        self._by_region: dict[tuple[str, str], str] = {}

    def add(self, group: str, location: str, subnet: str) -> None:
        self._by_group.setdefault((group.lower(), location), subnet)
        self._by_region.setdefault((group.split("/")[2].lower(), location), subnet)

    def find(self, machine: Body) -> str | None:
        group = machine["id"].partition("/providers/")[0].lower()
        found = self._by_group.get((group, machine["location"]))
        return found or self._by_region.get((group.split("/")[2], machine["location"]))


def seed_networks(world: World, section: Any) -> None:
    """Networks with their subnets, and an interface for every VM that one of them takes. Raises ValueError."""
    places = _Places()
    for shape in msgspec.convert(section, list[NetworkShape]):
        group = declared_group(world, shape.name, shape.resource_group, shape.subscription)
        location = shape.location or group["location"]
        try:
            subnet = _add_network(world, shape, group["id"], location)
        except ArmError as error:
            raise ValueError(f"{shape.name}: {error.message}") from error
        if shape.machines:
            places.add(group["id"], location, subnet)
    for machine in world.store.list(MACHINES):
        subnet_id = places.find(machine)
        if subnet_id is not None:
            _connect(world, machine, subnet_id)


def _add_network(world: World, shape: NetworkShape, group: str, location: str) -> str:
    """Answers the id of its first subnet."""
    if not shape.subnets:
        raise ValueError(f"{shape.name}: a network of an estate has at least one subnet")
    subnets = [{"name": name, "properties": {"addressPrefix": prefix}} for name, prefix in shape.subnets.items()]
    properties = {"addressSpace": {"addressPrefixes": shape.address_prefixes}, "subnets": subnets}
    body = _seeded(f"{group}/providers/{NETWORKS}/{shape.name}", location, properties)
    save_network(world, {**body, **({"tags": shape.tags} if shape.tags is not None else {})}, None)
    return f"{body['id']}/subnets/{next(iter(shape.subnets))}"


def _connect(world: World, machine: Body, subnet: str) -> None:
    for reference in interface_references(machine):
        configuration = {"name": "ipconfig1", "properties": {"subnet": {"id": subnet}}}
        body = _seeded(reference["id"], machine["location"], {"ipConfigurations": [configuration]})
        save_interface(world, body, None)
    bind_interfaces(world, machine, None)


def _seeded(identity: str, location: str, properties: Body) -> Body:
    return {
        "name": identity.rpartition("/")[2],
        "id": identity,
        "etag": etag(properties),
        "type": NETWORKS if "/virtualNetworks/" in identity else INTERFACES,
        "location": location,
        "properties": {**properties, "provisioningState": "Succeeded", "resourceGuid": derived_guid(identity.encode())},
    }


ROUTES: tuple[Route, ...] = ()
SEEDS = {"networks": seed_networks}
