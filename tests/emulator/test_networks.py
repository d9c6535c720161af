"""Virtual networks, interfaces, public addresses and security groups, by raw requests."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reconciler.emulator import estate as estates
from reconciler.emulator.emulator import Emulator

SUBSCRIPTION = "11111111-1111-4111-8111-111111111111"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-app/providers"
NETWORK = f"{GROUP}/Microsoft.Network"
VNET, SUBNET = f"{NETWORK}/virtualNetworks/vnet", f"{NETWORK}/virtualNetworks/vnet/subnets/default"
NIC, PIP, NSG = (
    f"{NETWORK}/{name}" for name in ("networkInterfaces/n", "publicIPAddresses/p", "networkSecurityGroups/s")
)
VM = f"{GROUP}/Microsoft.Compute/virtualMachines/vm"


@pytest.fixture
def end(ask, world):
    """Ends whatever operation an answer began; answers its status body."""
    world.clock.auto_advance = False

    def run(outcome) -> dict[str, Any]:
        assert outcome.response.status in (200, 201, 202), outcome.response.body
        url = outcome.response.headers["Azure-AsyncOperation"].removeprefix("https://localhost:9443")
        assert "/providers/Microsoft.Network/locations/" in url
        assert ask("GET", url).response.body == {"status": "InProgress"}
        world.advance(world.operations.get(url.split("?")[0].rpartition("/")[2]).end - world.clock.now())
        return ask("GET", url).response.body

    return run


def network(*subnets: tuple[str, str], location: str = "westeurope", space: str = "10.0.0.0/16") -> dict[str, Any]:
    listed = [{"name": name, "properties": {"addressPrefix": prefix}} for name, prefix in subnets]
    return {"location": location, "properties": {"addressSpace": {"addressPrefixes": [space]}, "subnets": listed}}


def interface(*configurations: dict[str, Any], location: str = "westeurope", **properties: Any) -> dict[str, Any]:
    listed = [
        {"name": f"ip{number}", "properties": {"subnet": {"id": SUBNET}, **one}}
        for number, one in enumerate(configurations or ({},))
    ]
    return {"location": location, "properties": {"ipConfigurations": listed, **properties}}


def public(identity: str) -> dict[str, Any]:
    return {"publicIPAddress": {"id": identity}}


def subnet(prefix: str) -> dict[str, Any]:
    return {"properties": {"addressPrefix": prefix}}


def static(address: str) -> dict[str, Any]:
    return {"privateIPAllocationMethod": "Static", "privateIPAddress": address}


@pytest.fixture
def vnet(ask, end) -> None:
    """A network with the subnets ``default`` (10.0.0.0/28) and ``other``."""
    wanted = network(("default", "10.0.0.0/28"), ("other", "10.0.1.0/24"))
    assert end(ask("PUT", VNET, wanted)) == {"status": "Succeeded"}


def read(ask, identity: str) -> dict[str, Any]:
    body = ask("GET", identity).response.body
    return json.loads(body) if isinstance(body, bytes) else body


def address_of(ask, nic: str, number: int = 0) -> str:
    return read(ask, nic)["properties"]["ipConfigurations"][number]["properties"]["privateIPAddress"]


def test_an_interface_gets_the_lowest_free_address_and_keeps_it(ask, end, vnet):
    for number in range(3):
        assert end(ask("PUT", f"{NIC}{number}", interface())) == {"status": "Succeeded"}
    assert [address_of(ask, f"{NIC}{number}") for number in range(3)] == ["10.0.0.4", "10.0.0.5", "10.0.0.6"]
    end(ask("DELETE", f"{NIC}0"))
    end(ask("PUT", f"{NIC}2", {**interface(), "tags": {"a": "b"}}))
    assert address_of(ask, f"{NIC}2") == "10.0.0.6"
    end(ask("PUT", f"{NIC}3", interface()))
    assert address_of(ask, f"{NIC}3") == "10.0.0.4"


def test_a_subnet_tells_who_has_its_addresses(ask, end, vnet):
    end(ask("PUT", NIC, interface({}, static("10.0.0.9"))))
    users = [user["id"] for user in read(ask, SUBNET)["properties"]["ipConfigurations"]]
    assert users == [f"{NIC}/ipConfigurations/ip0", f"{NIC}/ipConfigurations/ip1"]
    subnets = {one["name"]: one["properties"] for one in read(ask, VNET)["properties"]["subnets"]}
    assert ("ipConfigurations" in subnets["default"], "ipConfigurations" in subnets["other"]) == (True, False)
    configurations = read(ask, NIC)["properties"]["ipConfigurations"]
    assert [one["properties"]["primary"] for one in configurations] == [True, False]


def test_a_full_subnet(ask, end, vnet):
    end(ask("PUT", NIC, interface(*({} for _ in range(11)))))
    assert address_of(ask, NIC, 10) == "10.0.0.14"
    response = ask("PUT", f"{NIC}x", interface()).response
    assert (response.status, response.body["error"]["code"]) == (400, "SubnetIsFull")


REFUSED: list[tuple[str, str, dict[str, Any], int, str]] = [
    ("no location", VNET, {"properties": {}}, 400, "LocationRequired"),
    ("no address space", f"{VNET}x", {"location": "westeurope", "properties": {}}, 400, "InvalidRequestFormat"),
    ("no prefix", f"{VNET}x", network(space="ten"), 400, "InvalidAddressPrefixFormat"),
    ("a subnet outside", f"{VNET}x", network(("a", "10.1.0.0/24")), 400, "NetcfgInvalidSubnet"),
    ("overlap", f"{VNET}x", network(("a", "10.0.0.0/24"), ("b", "10.0.0.128/25")), 400, "NetcfgSubnetRangesOverlap"),
    (
        "overlap of one",
        f"{SUBNET}x",
        subnet("10.0.1.0/25"),
        400,
        "NetcfgSubnetRangesOverlap",
    ),
    ("one outside", f"{SUBNET}x", subnet("10.1.1.0/25"), 400, "NetcfgInvalidSubnet"),
    ("no network", f"{VNET}x/subnets/a", subnet("10.0.1.0/25"), 404, "ResourceNotFound"),
    ("moved", VNET, network(location="northeurope"), 409, "InvalidResourceLocation"),
    ("a used subnet goes", VNET, network(("other", "10.0.1.0/24")), 400, "InUseSubnetCannotBeDeleted"),
    (
        "a used subnet moves",
        SUBNET,
        subnet("10.0.2.0/24"),
        400,
        "InUseSubnetCannotBeUpdated",
    ),
    ("no configuration", f"{NIC}x", {"location": "westeurope"}, 400, "NetworkInterfaceMustHaveOneIpConfiguration"),
    ("no subnet", f"{NIC}x", interface({"subnet": {"id": f"{SUBNET}x"}}), 400, "InvalidResourceReference"),
    ("in another region", f"{NIC}x", interface(location="northeurope"), 400, "InvalidResourceReference"),
    ("no such guard", f"{NIC}x", interface(networkSecurityGroup={"id": NSG}), 400, "InvalidResourceReference"),
    (
        "no public address",
        f"{NIC}x",
        interface({"publicIPAddress": {"id": f"{PIP}x"}}),
        400,
        "InvalidResourceReference",
    ),
    ("another's public address", f"{NIC}x", interface(public(PIP)), 400, "PublicIPAddressInUse"),
    ("outside", f"{NIC}x", interface(static("10.0.1.4")), 400, "PrivateIPAddressNotInSubnet"),
    ("reserved", f"{NIC}x", interface(static("10.0.0.3")), 400, "PrivateIPAddressInReservedRange"),
    ("broadcast", f"{NIC}x", interface(static("10.0.0.15")), 400, "PrivateIPAddressInReservedRange"),
    ("taken", f"{NIC}x", interface(static("10.0.0.4")), 400, "PrivateIPAddressIsAllocated"),
    ("twice", f"{NIC}x", interface(static("10.0.0.8"), static("10.0.0.8")), 400, "PrivateIPAddressIsAllocated"),
    ("no address", f"{NIC}x", interface({"privateIPAllocationMethod": "Static"}), 400, "StaticPrivateIPAddressMissing"),
]


@pytest.fixture
def used(ask, end, vnet) -> None:
    """An interface with 10.0.0.4 and a public address."""
    end(ask("PUT", PIP, {"location": "westeurope", "sku": {"name": "Standard"}}))
    end(ask("PUT", NIC, interface(public(PIP))))


@pytest.mark.parametrize(
    ("target", "body", "status", "code"), [one[1:] for one in REFUSED], ids=[one[0] for one in REFUSED]
)
def test_refusals_change_nothing(ask, world, used, target, body, status, code):
    before = [read(ask, identity) for identity in (VNET, SUBNET, NIC, PIP)]
    size = world.store.size()
    response = ask("PUT", target, body).response
    assert (response.status, response.body["error"]["code"]) == (status, code), response.body
    assert [read(ask, identity) for identity in (VNET, SUBNET, NIC, PIP)] == before
    assert world.store.size() == size


def test_what_is_used_cannot_be_deleted(ask, end, used):
    end(ask("PUT", NSG, {"location": "westeurope"}))
    end(ask("PUT", NIC, interface(public(PIP), networkSecurityGroup={"id": NSG})))
    codes = [ask("DELETE", identity).response.body["error"]["code"] for identity in (VNET, SUBNET, PIP, NSG)]
    assert codes == [
        "InUseSubnetCannotBeDeleted",
        "InUseSubnetCannotBeDeleted",
        "PublicIPAddressCannotBeDeleted",
        "InUseNetworkSecurityGroupCannotBeDeleted",
    ]
    for identity in (NIC, PIP, NSG, SUBNET, VNET):
        deleting = ask("DELETE", identity)
        result = deleting.response.headers["Location"].removeprefix("https://localhost:9443")
        assert ask("GET", result).response.status == 202
        assert end(deleting) == {"status": "Succeeded"}
        assert ask("GET", result).response.status == 204
        assert ask("GET", identity).response.status == 404
        assert ask("DELETE", identity).response.status == 204


def test_public_addresses_know_who_has_them(ask, end, used):
    first = read(ask, PIP)
    assert first["properties"]["ipConfiguration"] == {"id": f"{NIC}/ipConfigurations/ip0"}
    assert first["properties"]["publicIPAllocationMethod"] == "Static"
    end(ask("PUT", f"{PIP}2", {"location": "westeurope"}))
    assert "ipAddress" not in read(ask, f"{PIP}2")["properties"]
    end(ask("PUT", NIC, interface(public(f"{PIP}2"))))
    assert "ipConfiguration" not in read(ask, PIP)["properties"]
    assert read(ask, f"{PIP}2")["properties"]["ipAddress"] != first["properties"]["ipAddress"]


def test_a_security_group_has_default_rules_and_tells_its_users(ask, end, vnet):
    rule = {"name": "ssh", "properties": {"priority": 100, "access": "Allow", "direction": "Inbound"}}
    end(ask("PUT", NSG, {"location": "westeurope", "properties": {"securityRules": [rule]}}))
    guarded = {"properties": {"addressPrefix": "10.0.0.0/28", "networkSecurityGroup": {"id": NSG}}}
    end(ask("PUT", SUBNET, guarded))
    properties = read(ask, NSG)["properties"]
    assert [one["name"] for one in properties["securityRules"]] == ["ssh"]
    assert len(properties["defaultSecurityRules"]) == 6
    assert (properties["subnets"], "networkInterfaces" in properties) == ([{"id": SUBNET}], False)


def test_tags_change_at_once(ask, end, used):
    for identity in (VNET, NIC, PIP):
        before = read(ask, identity)
        changed = ask("PATCH", identity, {"tags": {"env": "test"}}).response
        assert (changed.status, changed.body["tags"]) == (200, {"env": "test"})
        after = read(ask, identity)
        assert {**after, "etag": "", "tags": None} == {**before, "etag": "", "tags": None}
        assert after["etag"] != before["etag"]


def test_a_network_without_subnets_in_a_put_keeps_them(ask, end, used):
    body = {"location": "westeurope", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/8"]}}}
    end(ask("PUT", VNET, body))
    assert [one["name"] for one in read(ask, VNET)["properties"]["subnets"]] == ["default", "other"]


def test_what_was_read_can_be_written_and_changes_nothing(ask, end, used):
    end(ask("PUT", NSG, {"location": "westeurope"}))
    end(ask("PUT", NIC, interface(public(PIP), networkSecurityGroup={"id": NSG})))
    ask("PUT", VM, machine({"id": NIC}))
    before = [read(ask, identity) for identity in (VNET, NIC, PIP, NSG)]
    for body in before:
        end(ask("PUT", body["id"], body))
    after = [read(ask, body["id"]) for body in before]
    assert [without_etags(body) for body in after] == [without_etags(body) for body in before]


def without_etags(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_etags(inner) for name, inner in value.items() if name != "etag"}
    return [without_etags(inner) for inner in value] if isinstance(value, list) else value


def test_lists(ask, end, used):
    collections = ("virtualNetworks", "networkInterfaces", "publicIPAddresses", "networkSecurityGroups")
    for scope in (NETWORK, f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Network"):
        counts = [len(read(ask, f"{scope}/{name}")["value"]) for name in collections]
        assert counts == [1, 1, 1, 0]
    assert len(read(ask, f"{VNET}/subnets")["value"]) == 2


# VMs and their interfaces


def machine(*references: dict[str, Any], location: str = "westeurope") -> dict[str, Any]:
    properties = {"hardwareProfile": {"vmSize": "Standard_B2s"}}
    return {
        "location": location,
        "properties": {**properties, "networkProfile": {"networkInterfaces": list(references)}},
    }


def test_an_interface_follows_its_vm(ask, end, used):
    ask("PUT", VM, machine({"id": NIC}))
    properties = read(ask, NIC)["properties"]
    assert (properties["virtualMachine"], properties["primary"]) == ({"id": VM}, True)
    assert properties["macAddress"].startswith("00-0D-3A-")
    in_use = ask("DELETE", NIC).response
    assert (in_use.status, in_use.body["error"]["code"]) == (400, "NicInUse")
    taken = ask("PUT", f"{VM}2", machine({"id": NIC})).response
    assert (taken.status, taken.body["error"]["code"]) == (400, "NicInUse")
    ask("PATCH", VM, {"properties": {"networkProfile": {"networkInterfaces": []}}})
    assert "virtualMachine" not in read(ask, NIC)["properties"]
    assert ask("PUT", f"{VM}2", machine({"id": NIC})).response.status == 201


def test_an_interface_of_another_region_is_not_found(ask, used):
    response = ask("PUT", VM, machine({"id": NIC}, location="northeurope")).response
    assert (response.status, response.body["error"]["code"]) == (400, "InvalidResourceReference")
    assert ask("GET", VM).response.status == 404


@pytest.mark.parametrize(("option", "stays"), [("Detach", True), ("Delete", False), (None, True)])
def test_interfaces_go_with_their_vm_or_stay(ask, world, used, option, stays):
    properties = {"deleteOption": option} if option else {}
    ask("PUT", VM, machine({"id": NIC, "properties": properties}))
    ask("DELETE", VM)
    while end := world.operations.next_end():
        world.advance(end - world.clock.now())
    assert (ask("GET", NIC).response.status == 200) is stays
    assert ("ipConfiguration" in read(ask, PIP)["properties"]) is stays
    if stays:
        assert "virtualMachine" not in read(ask, NIC)["properties"]


# estates

ESTATE: dict[str, Any] = {
    "subscriptions": [{"id": SUBSCRIPTION, "name": "Tests"}],
    "resourceGroups": [
        {"subscription": "Tests", "name": name, "location": location}
        for name, location in (("rg-app", "westeurope"), ("rg-net", "westeurope"), ("rg-far", "eastus2"))
    ],
    "virtualMachines": [
        {"name": "near", "resourceGroup": "rg-app", "upperCase": True},
        {"name": "mine", "resourceGroup": "rg-net"},
        {"name": "far", "resourceGroup": "rg-far"},
    ],
    "networks": [
        {"name": "hub", "resourceGroup": "rg-app", "addressPrefixes": ["10.1.0.0/16"], "subnets": {"a": "10.1.0.0/24"}},
        {"name": "own", "resourceGroup": "rg-net", "addressPrefixes": ["10.2.0.0/16"], "subnets": {"b": "10.2.0.0/24"}},
    ],
}


def test_vms_of_an_estate_are_in_its_networks():
    world = Emulator(estate=ESTATE).world
    found = {body["name"]: body["properties"] for body in world.store.list("Microsoft.Network/networkInterfaces")}
    assert sorted(found) == ["mine-nic", "near-nic"]
    addresses = [found[name]["ipConfigurations"][0]["properties"]["privateIPAddress"] for name in sorted(found)]
    assert addresses == ["10.2.0.4", "10.1.0.4"]
    assert found["near-nic"]["virtualMachine"]["id"].endswith(
        "/RG-APP/providers/Microsoft.Compute/virtualMachines/near"
    )


def test_a_network_of_an_estate_may_be_for_others():
    apart = [{**network, "machines": False} for network in ESTATE["networks"]]
    store = Emulator(estate={**ESTATE, "networks": apart}).world.store
    counts = [store.count(f"Microsoft.Network/{name}") for name in ("virtualNetworks", "networkInterfaces")]
    assert counts == [2, 0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"subnets": {}}, "at least one subnet"),
        ({"subnets": {"a": "10.9.0.0/24"}}, "is not valid in virtual network"),
        ({"resourceGroup": "rg-none"}, "there is no resource group rg-none"),
    ],
)
def test_a_wrong_network_of_an_estate_is_told(change, message):
    wrong = {**ESTATE, "networks": [{**ESTATE["networks"][0], **change}]}
    with pytest.raises(estates.EstateError, match=message):
        Emulator(estate=wrong)
