"""Network interfaces of a replicated machine: what Site Recovery tells of them, and those that it makes.

They are told only once the machine is Protected, and until they were changed unset fields are null; then they are ""
or [] (recorded: enable_protection, update_protected_item).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.emulator.providers.network_attachments import INTERFACES, interface_references
from reconciler.emulator.providers.network_interfaces import save_interface
from reconciler.emulator.providers.network_resources import etag
from reconciler.emulator.providers.network_security_groups import SUBNETS
from reconciler.emulator.providers.replication_item_state import Item
from reconciler.emulator.providers.replication_names import guid_of, name_of, same, subscription_of
from reconciler.emulator.providers.replication_networks import mapped_network
from reconciler.emulator.store import Body
from reconciler.emulator.world import World

_UNSET_WHEN_CHANGED = {
    "recoveryNetworkSecurityGroupId": "",
    "tfoNetworkSecurityGroupId": "",
    "recoveryNicName": "",
    "recoveryNicResourceGroupName": "",
    "tfoRecoveryNicName": "",
    "tfoRecoveryNicResourceGroupName": "",
    "recoveryPublicIPAddressId": "",
    "tfoPublicIPAddressId": "",
    "tfoStaticIPAddress": "",
    "recoveryLBBackendAddressPoolIds": [],
    "tfoLBBackendAddressPoolIds": [],
}
_SENT_OTHERWISE = {"tfoNicName": "tfoRecoveryNicName", "tfoNicResourceGroupName": "tfoRecoveryNicResourceGroupName"}


def describe_interfaces(world: World, item: Item) -> None:
    """Fills in the interfaces of a machine that became Protected, and the network that they go to."""
    machine = world.store.get(item.vm)
    found = (world.store.get(str(entry["id"])) for entry in interface_references(machine))
    item.nics = [_describe(world, item, interface) for interface in found if interface is not None]
    if item.nics:
        item.placement.network = item.nics[0]["recoveryVMNetworkId"] or item.placement.network


def _describe(world: World, item: Item, interface: Body) -> Body:
    configurations = interface["properties"]["ipConfigurations"]
    source = str(configurations[0]["properties"]["subnet"]["id"]).partition("/subnets/")[0]
    fabric, target = (one.partition("/replicationProtectionContainers/")[0] for one in (item.id, item.target))
    own = source if same(fabric, target) else None  # from zone to zone the machine stays in its network
    network = item.placement.network or mapped_network(world, fabric, source, target) or own
    return {
        "nicId": guid_of("interface", item.id, interface["id"]),
        "replicaNicId": None,
        "sourceNicArmId": interface["id"],
        "vMNetworkName": source,
        "recoveryVMNetworkId": network,
        "ipConfigs": [_describe_address(world, item, network, one) for one in configurations],
        "selectionType": "SelectedByUserOverride" if item.placement.network else "SelectedByDefault",
        "recoveryNetworkSecurityGroupId": None,
        "enableAcceleratedNetworkingOnRecovery": bool(interface["properties"].get("enableAcceleratedNetworking")),
        "tfoVMNetworkId": None,
        "tfoNetworkSecurityGroupId": None,
        "enableAcceleratedNetworkingOnTfo": None,
        "recoveryNicName": None,
        "recoveryNicResourceGroupName": None,
        "reuseExistingNic": False,
        "tfoRecoveryNicName": None,
        "tfoRecoveryNicResourceGroupName": None,
        "tfoReuseExistingNic": False,
        "targetNicName": None,
    }


def _describe_address(world: World, item: Item, network: str | None, configuration: Mapping[str, Any]) -> Body:
    properties = configuration["properties"]
    subnet = name_of(properties["subnet"]["id"])
    return {
        "name": configuration["name"],
        "isPrimary": bool(properties.get("primary")),
        "subnetName": subnet,
        "staticIPAddress": properties.get("privateIPAddress"),
        "ipAddressType": properties.get("privateIPAllocationMethod"),
        "isSeletedForFailover": True,
        "recoverySubnetName": name_of(subnet_in(world, network, item.placement.subnet or subnet) or "") or None,
        "recoveryStaticIPAddress": "",
        "recoveryIPAddressType": "Dynamic",
        "recoveryPublicIPAddressId": None,
        "recoveryLBBackendAddressPoolIds": None,
        "tfoSubnetName": None,
        "tfoStaticIPAddress": None,
        "tfoPublicIPAddressId": None,
        "tfoLBBackendAddressPoolIds": None,
    }


def subnet_in(world: World, network: str | None, name: str) -> str | None:
    """The subnet of that name, or else the first one of a network; None without any."""
    ids = world.store.ids(SUBNETS, network) if network else []
    return next((one for one in ids if name_of(one).lower() == name.lower()), ids[0] if ids else None)


def change_interfaces(item: Item, sent: list[Mapping[str, Any]], network: str | None) -> None:
    """Lays what was sent over the interfaces. One that is not sent loses its place in the network."""
    wanted = {str(one.get("nicId", "")).lower(): one for one in sent}
    for nic in item.nics:
        one = wanted.get(nic["nicId"].lower())
        nic["recoveryVMNetworkId"] = network.lower() if network and one is not None else None
        nic["selectionType"] = str((one or {}).get("selectionType") or "SelectedByUser")
        _overlay(nic, one or {})
        addresses = {str(each.get("ipConfigName", "")).lower(): each for each in (one or {}).get("ipConfigs") or []}
        for address in nic["ipConfigs"]:
            _overlay(address, addresses.get(address["name"].lower(), {}))
            address["recoverySubnetName"] = name_of(address["recoverySubnetName"] or "") or None
            address["recoveryIPAddressType"] = "Static" if address["recoveryStaticIPAddress"] else "Dynamic"


def _overlay(shown: Body, sent: Mapping[str, Any]) -> None:
    for name, value in sent.items():
        served = _SENT_OTHERWISE.get(name, name)
        if served in shown and served not in ("nicId", "name", "ipConfigs", "selectionType"):
            shown[served] = value
    for name, unset in _UNSET_WHEN_CHANGED.items():
        if name in shown and shown[name] is None:
            shown[name] = unset


class Wiring:
    """Where a machine that is being made is put: into a drill's network, or where it was said to go."""

    def __init__(self, world: World, item: Item, machine: Body, test_network: str | None = None) -> None:
        self._world, self._item, self._machine, self._test = world, item, machine, test_network

    def make_interfaces(self) -> list[Body]:
        """The references of the machine's network profile. Raises ArmError for an address that cannot be had."""
        made = [(nic, self._make(nic)) for nic in self._item.nics]
        references = [interface for _, interface in made if interface]
        return [{"id": one, "properties": {"primary": number == 0}} for number, one in enumerate(references)]

    def _make(self, nic: Body) -> str | None:
        network = self._test or nic["recoveryVMNetworkId"]
        if not network:
            return None
        prefix = "tfo" if self._test else "recovery"
        name = nic["tfoRecoveryNicName" if self._test else "recoveryNicName"] or self._default_name(nic)
        identity = f"{self._group(nic)}/providers/{INTERFACES}/{name}"
        if nic["tfoReuseExistingNic" if self._test else "reuseExistingNic"] and self._world.store.has(identity):
            return identity
        guard = nic[f"{prefix}NetworkSecurityGroupId"]
        properties: Body = {
            "provisioningState": "Succeeded",
            "resourceGuid": self._world.new_guid(),
            "enableAcceleratedNetworking": bool(nic["enableAcceleratedNetworkingOnRecovery"]),
            **({"networkSecurityGroup": {"id": guard}} if guard else {}),
            "ipConfigurations": [self._address(network, prefix, one) for one in nic["ipConfigs"]],
        }
        body: Body = {
            "name": name,
            "id": identity,
            "etag": etag(properties),
            "type": INTERFACES,
            "location": self._machine["location"],
            "properties": properties,
        }
        save_interface(self._world, body, self._world.store.get(identity))
        return identity

    def _default_name(self, nic: Body) -> str:
        own = name_of(nic["sourceNicArmId"])
        return f"{own}-ASRtest" if self._test else own

    def _group(self, nic: Body) -> str:
        name = nic["tfoRecoveryNicResourceGroupName" if self._test else "recoveryNicResourceGroupName"]
        return f"/subscriptions/{subscription_of(self._item.group)}/resourceGroups/{name}" if name else self._item.group

    def _address(self, network: str, prefix: str, one: Body) -> Body:
        wanted = one[f"{prefix}SubnetName"] or one["recoverySubnetName"] or one["subnetName"]
        static = one[f"{prefix}StaticIPAddress"]
        method = {"privateIPAllocationMethod": "Static", "privateIPAddress": static} if static else {}
        public = one[f"{prefix}PublicIPAddressId"]
        return {
            "name": one["name"],
            "properties": {
                "subnet": {"id": subnet_in(self._world, network, wanted) or f"{network}/subnets/{wanted}"},
                "primary": one["isPrimary"],
                **method,
                **({"publicIPAddress": {"id": public}} if public else {}),
            },
        }
