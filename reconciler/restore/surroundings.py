"""What a restored VM is put into: what its source was like, and the networks there are. Read one by one: a restore is
of one VM."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

import msgspec

from reconciler.azure.clients import Azure
from reconciler.errors import AbsentError, AzureError
from reconciler.kinds import restored_interface, restored_machine
from reconciler.kinds.restored_interface import InterfaceBody
from reconciler.kinds.restored_machine import RestoredMachineBody
from reconciler.model.arm_id import ArmId
from reconciler.model.location import normalise_location


class SubnetBody(msgspec.Struct, frozen=True):
    """One of `properties.subnets`."""

    name: str = ""


class NetworkProperties(msgspec.Struct, frozen=True):
    """What we look at of a virtual network."""

    subnets: tuple[SubnetBody, ...] | None = None


class NetworkBody(msgspec.Struct, frozen=True):
    """One virtual network."""

    id: str
    location: str = ""
    properties: NetworkProperties = NetworkProperties()


@dataclass(frozen=True, slots=True)
class Network:
    """A virtual network and the names of its subnets."""

    arm_id: ArmId
    location: str
    subnets: tuple[str, ...]

    def subnet(self, name: str) -> str:
        """ARM id of the subnet of that name, in any casing; "" where there is none."""
        found = next((known for known in self.subnets if known.casefold() == name.casefold()), "")
        return str(self.arm_id.child("subnets", found)) if found else ""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """`machine` is the source VM as it is now, None where it is gone; `interface` its first network interface;
    `networks` those of its subscription, and the one that was named by ARM id. `unread` says what could not be read."""

    machine: RestoredMachineBody | None = None
    interface: InterfaceBody | None = None
    networks: tuple[Network, ...] = ()
    unread: str = ""

    @property
    def region(self) -> str:
        """Of the source VM, "" where it is gone."""
        return normalise_location(self.machine.location) if self.machine else ""


async def read_surroundings(azure: Azure, machine: ArmId, subnet: str) -> Surroundings:
    """The source VM, its network interface, and the networks. Networks that may not be read are told, not fatal.

    Raises what the read of the VM raises, but for AbsentError.
    """
    source: RestoredMachineBody | None = None
    interface: InterfaceBody | None = None
    with contextlib.suppress(AbsentError):
        source = await azure.get(str(machine), restored_machine.API_VERSION, RestoredMachineBody)
    profile = source.properties.network_profile if source else None
    first = profile.network_interfaces[0].id if profile and profile.network_interfaces else ""
    try:
        if first:
            with contextlib.suppress(AbsentError):  # a subnet that is named needs none
                interface = await azure.get(first, restored_interface.API_VERSION, InterfaceBody)
        named = subnet or (interface.subnet if interface else "")
        return Surroundings(source, interface, await _networks(azure, machine.subscription, named))
    except AzureError as error:
        return Surroundings(source, interface, (), error.message)


async def _networks(azure: Azure, subscription: str, subnet: str) -> tuple[Network, ...]:
    path = f"/subscriptions/{subscription}/providers/Microsoft.Network/virtualNetworks"
    found = [_network(body) async for body in azure.list(path, restored_interface.API_VERSION, NetworkBody)]
    named = ArmId(subnet).parent() if subnet.startswith("/") else None
    if named is not None and all(network.arm_id != named for network in found):
        with contextlib.suppress(AbsentError):  # told as a subnet that is not there
            found.append(_network(await azure.get(str(named), restored_interface.API_VERSION, NetworkBody)))
    return tuple(found)


def _network(body: NetworkBody) -> Network:
    subnets = tuple(subnet.name for subnet in body.properties.subnets or ())
    return Network(ArmId(body.id), normalise_location(body.location), subnets)
