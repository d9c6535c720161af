"""azurerm_virtual_network, azurerm_subnet and azurerm_network_interface: made, read and deleted by the provider.

Bodies and api-version after the provider's source; the polling is its newer SDK's.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.terraform import requests as azurerm
from tests.emulator.terraform.client import Terraform
from tests.emulator.terraform.requests import GROUP

VERSION = "2025-01-01"
NETWORK = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/vnet"
SUBNET = f"{NETWORK}/subnets/internal"
INTERFACE = f"{GROUP}/providers/Microsoft.Network/networkInterfaces/nic"
BODIES: dict[str, dict[str, Any]] = {
    NETWORK: {
        "location": "westeurope",
        "tags": {},
        "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": []},
    },
    SUBNET: {
        "name": "internal",
        "properties": {
            "addressPrefix": "10.0.2.0/24",
            "defaultOutboundAccess": True,
            "delegations": [],
            "privateEndpointNetworkPolicies": "Disabled",
            "privateLinkServiceNetworkPolicies": "Enabled",
            "serviceEndpoints": [],
        },
    },
    INTERFACE: {
        "name": "nic",
        "location": "westeurope",
        "tags": {},
        "properties": {
            "enableAcceleratedNetworking": False,
            "enableIPForwarding": False,
            "ipConfigurations": [
                {
                    "name": "internal",
                    "properties": {
                        "primary": False,
                        "privateIPAddressVersion": "IPv4",
                        "privateIPAllocationMethod": "Dynamic",
                        "subnet": {"id": SUBNET},
                    },
                }
            ],
        },
    },
}


@pytest.fixture
def made(terraform: Terraform) -> Terraform:
    azurerm.create_group(terraform)
    for path, body in BODIES.items():
        terraform.expect(terraform.send("GET", path, VERSION), 404)
        answer = terraform.expect(terraform.send("PUT", path, VERSION, body), 200, 201)
        terraform.poll_new(answer, path, VERSION)
        made = terraform.expect(terraform.send("GET", path, VERSION), 200).body
        assert made["properties"]["provisioningState"] == "Succeeded"
    return terraform


def test_an_interface_is_read_as_it_was_declared(made: Terraform) -> None:
    read = made.expect(made.send("GET", INTERFACE, VERSION), 200).body["properties"]
    wanted = BODIES[INTERFACE]["properties"]
    assert {name: read[name] for name in wanted if name != "ipConfigurations"} == {
        name: value for name, value in wanted.items() if name != "ipConfigurations"
    }
    (configuration,) = read["ipConfigurations"]
    assert configuration["properties"]["privateIPAddress"] == "10.0.2.4"
    declared = {**wanted["ipConfigurations"][0]["properties"], "primary": True}  # the only one is
    assert {name: configuration["properties"][name] for name in declared} == declared


def test_all_of_it_can_be_destroyed_again(made: Terraform) -> None:
    for path in reversed(BODIES):
        answer = made.expect(made.send("DELETE", path, VERSION), 202)
        made.poll_new(answer, path, VERSION)
        made.expect(made.send("GET", path, VERSION), 404)
