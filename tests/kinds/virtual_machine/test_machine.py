"""VMs as the list answers them, oddities included, become what selectors and rules need."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from reconciler.kinds.virtual_machine import MachineBody, machine, read_machines
from reconciler.model.machine import OsType
from tests.kinds.conftest import PROD

GROUPS = {"rg-web": "rg-Web"}


def body(group: str = "RG-WEB", name: str = "vm-Web-01", **more: Any) -> MachineBody:
    """A VM in the recorded shape: group upper-cased in the id, another casing in the ids of its disks."""
    where = f"/subscriptions/{PROD}/resourceGroups"
    written = {
        "name": name,
        "id": f"{where}/{group}/providers/Microsoft.Compute/virtualMachines/{name}",
        "type": "Microsoft.Compute/virtualMachines",
        "location": "westeurope",
        "tags": {"env": "prod"},
        "identity": {"type": "SystemAssigned"},
        "properties": {
            "hardwareProfile": {"vmSize": "Standard_D2s_v5"},
            "provisioningState": "Succeeded",
            "storageProfile": {
                "imageReference": {"publisher": "Canonical", "offer": "0001", "sku": "22_04", "version": "latest"},
                "osDisk": {
                    "osType": "Linux",
                    "managedDisk": {"storageAccountType": "Premium_LRS", "id": f"{where}/rg-web/providers/x/disks/os"},
                    "diskSizeGB": 30,
                },
                "dataDisks": [
                    {"lun": 3, "createOption": "Attach", "managedDisk": {"id": f"{where}/rg-web/providers/x/disks/d"}},
                    {"lun": 0, "managedDisk": {"storageAccountType": "UltraSSD_LRS", "id": "x"}, "toBeDetached": False},
                ],
                "diskControllerType": "SCSI",
            },
            "osProfile": {"computerName": "web", "secrets": []},
        },
        **more,
    }
    return msgspec.json.decode(msgspec.json.encode(written), type=MachineBody)


def with_properties(**properties: Any) -> MachineBody:
    return body(properties=properties)


def test_a_machine():
    found = machine(body(), "prod", GROUPS)
    assert (found.subscription, found.name, found.location) == ("prod", "vm-Web-01", "westeurope")
    assert (found.os_type, found.size, found.security_type) == (OsType.LINUX, "Standard_D2s_v5", "Standard")
    assert found.data_disks == (0, 3)
    assert found.disk_types == ("Premium_LRS", "UltraSSD_LRS")
    assert found.tags == {"env": "prod"}


def test_the_groups_own_casing_wins_over_the_lists():
    assert machine(body(), "prod", GROUPS).scope == "prod/rg-Web"
    assert machine(body(), "prod", {}).scope == "prod/RG-WEB"
    assert machine(body(), "prod", GROUPS).arm_id == machine(body("rg-web", "VM-WEB-01"), "prod", {}).arm_id


def test_a_non_ascii_group_is_percent_encoded_in_ids_only():
    found = machine(body("B%C3%BCro-Z%C3%BCrich"), "prod", {})
    assert found.resource_group == "Büro-Zürich"
    assert found.arm_id == machine(body("Büro-Zürich"), "prod", {}).arm_id


@pytest.mark.parametrize(
    ("written", "seen"), [(None, {}), ({}, {}), ({"a": None, "B": ""}, {"a": "", "B": ""}), ({"k": "v"}, {"k": "v"})]
)
def test_tags(written, seen):
    assert machine(body(tags=written), "prod", {}).tags == seen


@pytest.mark.parametrize(
    ("os_type", "seen"),
    [("Windows", OsType.WINDOWS), ("linux", OsType.LINUX), (None, OsType.UNKNOWN), ("Plan9", OsType.UNKNOWN)],
)
def test_os_types(os_type, seen):
    storage = {"osDisk": {"osType": os_type}, "dataDisks": None}
    assert machine(with_properties(storageProfile=storage), "prod", {}).os_type is seen


@pytest.mark.parametrize("kind", ["TrustedLaunch", "ConfidentialVM"])
def test_security_types(kind):
    found = machine(with_properties(securityProfile={"securityType": kind, "uefiSettings": {}}), "prod", {})
    assert found.security_type == kind


@pytest.mark.parametrize("properties", [None, {}, {"storageProfile": {}}, {"storageProfile": {"osDisk": None}}])
def test_a_machine_that_says_little(properties):
    found = machine(body(properties=properties, location="North Europe", zones=["1", "3"]), "prod", {})
    assert (found.location, found.zones, found.data_disks, found.disk_types) == ("northeurope", ("1", "3"), (), ())


async def test_two_subscriptions_with_the_same_names(declare, emulated, estate):
    estate["resourceGroups"] = [
        {"subscription": name, "name": "rg-Web", "location": "westeurope"} for name in ("Prod", "Test")
    ]
    estate["virtualMachines"] = [
        {"subscription": name, "name": "vm-01", "resourceGroup": "rg-Web", "os": "Linux", "upperCase": True}
        for name in ("Prod", "Test")
    ]
    async with emulated(estate) as (_, azure):
        machines, gaps = await read_machines(azure, declare())
    assert gaps == []
    assert sorted(found.scope for found in machines) == ["prod/rg-Web", "test/rg-Web"]
    assert {"/resourceGroups/RG-WEB/" in str(found.arm_id) for found in machines} == {True}
    assert len({found.arm_id for found in machines}) == 2
