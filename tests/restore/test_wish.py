"""What a restore asks for, and what speaks against it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.errors import UsageError
from reconciler.kinds.restored_disk import RestoredDiskSpec
from reconciler.kinds.restored_interface import (
    ConfigurationBody,
    ConfigurationProperties,
    IdBody,
    InterfaceBody,
    InterfaceProperties,
)
from reconciler.kinds.restored_machine import (
    AttachedDiskBody,
    HardwareBody,
    Offer,
    RestoredMachineBody,
    RestoredMachineProperties,
    RestoredMachineSpec,
    SecurityBody,
    StorageBody,
    UefiBody,
)
from reconciler.model.arm_id import ArmId
from reconciler.model.disk import Disk
from reconciler.model.document import Declared
from reconciler.model.live import Live
from reconciler.model.resource import Resource
from reconciler.model.restore_request import DiskRequest, MachineRequest
from reconciler.plan.finding import Severity
from reconciler.restore.choice import choose
from reconciler.restore.disk import wish_for_disk
from reconciler.restore.machine import wish_for_machine
from reconciler.restore.surroundings import Network, Surroundings
from reconciler.restore.wish import Wish
from tests.restore.conftest import APP, GROUP
from tests.restore.test_choice import ABROAD, COPIES, HOME, WHOLE_NEW, estate, point, snapshot

DISK = f"{GROUP}/providers/Microsoft.Compute/disks/d-0"
VNET = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/vnet-app"
NSG = f"{GROUP}/providers/Microsoft.Network/networkSecurityGroups/nsg-app"
NETWORKS = (
    Network(ArmId(VNET), HOME, ("app", "quarantine")),
    Network(ArmId(VNET.replace("rg-app", "rg-dr").replace("vnet-app", "vnet-dr")), ABROAD, ("app",)),
)


def live(*resources: Resource, sku: str = "Premium_LRS", **fields: Any) -> Live:
    disk = Disk(ArmId(DISK), "0", HOME, 64, sku, ("3",))
    return replace(estate(*resources, **fields), resource_groups=frozenset({"prod/rg-app"}), disks=(disk,))


def disk_spec(wish: Wish) -> RestoredDiskSpec:
    spec = wish.resources[0].spec
    assert isinstance(spec, RestoredDiskSpec)
    return spec


@pytest.mark.parametrize(
    ("request_fields", "facts", "expected"),
    [
        ({}, {}, ("StandardSSD_LRS", 64, "")),
        ({}, {"disk_id": DISK}, ("Premium_LRS", 64, "3")),
        ({"zone": "none"}, {"disk_id": DISK}, ("Premium_LRS", 64, "")),
        ({"sku": "PremiumV2_LRS", "zone": "2"}, {"disk_id": DISK}, ("PremiumV2_LRS", 64, "2")),
        ({"sku": "Premium_ZRS", "zone": "2"}, {}, ("Premium_ZRS", 64, "")),
        ({"size_gib": 128}, {}, ("StandardSSD_LRS", 128, "")),
    ],
)
def test_a_disk_is_as_its_source_unless_said_otherwise(
    request_fields: dict[str, Any], facts: dict[str, Any], expected: tuple[str, int, str], declared: Declared
) -> None:
    source = snapshot("0", **facts)
    wish = wish_for_disk(
        DiskRequest(snapshot="rg-app/app-01-0-02T06", name="x", **request_fields), declared, live(source)
    )
    spec = disk_spec(wish)
    assert (spec.sku, spec.size_gib, spec.zone) == expected
    assert wish.sources == (source,)


@pytest.mark.parametrize(
    ("request_fields", "facts", "codes"),
    [
        ({}, {}, []),
        ({"size_gib": 8}, {}, ["disk-too-small"]),
        ({}, {"completion": 12.0}, ["snapshot-unusable"]),
        ({"name": "no/slash"}, {}, ["restore-name"]),
        ({"name": "x" * 81}, {}, ["restore-name"]),
        ({"name": "ends-"}, {}, ["restore-name"]),
        ({"resource_group": "rg-nope"}, {}, ["resource-group-absent"]),
        ({"sku": "Premium_ZRS", "zone": "1"}, {}, ["zone-ignored"]),
        (
            {"size_gib": 8, "name": "-", "resource_group": "rg-nope"},
            {},
            ["restore-name", "resource-group-absent", "disk-too-small"],
        ),
    ],
)
def test_everything_that_speaks_against_a_disk_is_said_at_once(
    request_fields: dict[str, Any], facts: dict[str, Any], codes: list[str], declared: Declared
) -> None:
    request = DiskRequest(**{"snapshot": "app-01-0-02T06", "name": "x", **request_fields})
    wish = wish_for_disk(request, declared, live(snapshot("0", **facts)))
    assert [finding.code for finding in wish.findings if finding.severity is not Severity.INFO] == codes


def test_large_sectors_fit_no_other_type(declared: Declared) -> None:
    request = DiskRequest(snapshot="app-01-0-02T06", name="x", sku="Premium_LRS")
    wish = wish_for_disk(request, declared, live(snapshot("0", disk_id=DISK), sku="UltraSSD_LRS"))
    assert [finding.code for finding in wish.findings] == ["SN-13"]


def surroundings(**fields: Any) -> Surroundings:
    body = RestoredMachineBody(
        location="West Europe",
        zones=("2",),
        plan=Offer("byol", "firewall", "acme"),
        properties=RestoredMachineProperties(
            hardware_profile=HardwareBody("Standard_D4s_v5"),
            storage_profile=StorageBody(
                AttachedDiskBody(caching="ReadWrite"), (AttachedDiskBody(0, None, "ReadOnly"),)
            ),
            security_profile=SecurityBody("TrustedLaunch", UefiBody(True, True)),
            license_type="RHEL_BYOS",
        ),
    )
    configuration = ConfigurationBody(ConfigurationProperties(IdBody(f"{VNET.upper()}/subnets/APP")))
    interface = InterfaceBody(HOME, InterfaceProperties((configuration,), IdBody(NSG)))
    return replace(Surroundings(body, interface, NETWORKS), **fields)


def wish_for(request: MachineRequest, seen: Live, around: Surroundings, declared: Declared) -> Wish:
    return wish_for_machine(request, choose(request, declared, seen), around, declared, seen)


REQUEST = MachineRequest(machine="app-01", slot="latest", name="back")
PARTS = (snapshot("os", os_type="Linux", security_type="TrustedLaunch"), snapshot("0"))


def machine_spec(wish: Wish) -> RestoredMachineSpec:
    spec = wish.resources[-1].spec
    assert isinstance(spec, RestoredMachineSpec)
    return spec


def test_a_vm_is_as_its_source(declared: Declared) -> None:
    wish = wish_for(REQUEST, live(*PARTS), surroundings(), declared)
    assert [str(item.address).partition(".")[2] for item in wish.resources] == [
        f"prod/rg-app/back{suffix}" for suffix in ("-os", "-data-0", "-nic", "")
    ]
    spec = machine_spec(wish)
    assert (spec.size, spec.zone, spec.os_type, spec.license_type) == ("Standard_D4s_v5", "2", "Linux", "RHEL_BYOS")
    assert (spec.security_type, spec.secure_boot, spec.vtpm) == ("TrustedLaunch", True, True)
    assert spec.offer == Offer("byol", "firewall", "acme")
    assert [(disk.lun, disk.caching) for disk in spec.data_disks] == [(0, "ReadOnly")]
    assert spec.os_caching == "ReadWrite"
    assert {name for name, _ in spec.refs()} == {"os_disk", "data_disks", "network_interface"}
    interface: Any = wish.resources[-2].spec
    assert (interface.subnet, interface.security_group) == (f"{VNET}/subnets/app", NSG)


def test_in_another_region_zone_and_security_group_stay_behind(declared: Declared) -> None:
    request = MachineRequest(machine="app-01", slot="latest", name="back", region=ABROAD, subnet="vnet-dr/app")
    wish = wish_for(request, live(*COPIES, snapshot("os", os_type="Linux")), surroundings(), declared)
    assert {"security-group-left", "os-unknown"} <= {finding.code for finding in wish.findings}
    assert machine_spec(wish).zone == ""
    interface: Any = wish.resources[-2].spec
    assert interface.security_group == ""
    assert {item.location for item in wish.resources} == {ABROAD}


@pytest.mark.parametrize(
    ("subnet", "around", "words"),
    [
        ("vnet-app/nope", {}, "there is no subnet vnet-app/nope"),
        ("nope/app", {}, "there is no subnet nope/app"),
        ("vnet-dr/app", {}, "subnet vnet-dr/app is in northeurope, the VM would be in westeurope"),
        (f"{VNET}/subnets/nope", {}, "there is no subnet"),
        ("", {"interface": None}, "its subnet cannot be taken"),
        ("", {"machine": None, "interface": None}, "the VM is gone: its subnet cannot be taken"),
        ("vnet-app/app", {"unread": "denied"}, "the networks could not be read: denied"),
        (
            "vnet-app/app",
            {"networks": (*NETWORKS, replace(NETWORKS[0], arm_id=ArmId(VNET + "/x/vnet-app")))},
            "may mean 2",
        ),
    ],
)
def test_a_subnet_that_does_not_fit_stops_the_restore(
    subnet: str, around: dict[str, Any], words: str, declared: Declared
) -> None:
    request = MachineRequest(machine="app-01", slot="latest", name="back", subnet=subnet)
    wish = wish_for(request, live(*PARTS), surroundings(**around), declared)
    (found,) = (finding for finding in wish.findings if finding.code == "subnet-unknown")
    assert words in found.message
    assert found.advice


@pytest.mark.parametrize("subnet", ["vnet-app/quarantine", "VNET-APP/Quarantine", f"{VNET}/subnets/quarantine"])
def test_a_subnet_by_its_names(subnet: str, declared: Declared) -> None:
    request = MachineRequest(machine="app-01", slot="latest", name="back", subnet=subnet)
    interface: Any = wish_for(request, live(*PARTS), surroundings(), declared).resources[-2].spec
    assert interface.subnet == f"{VNET}/subnets/quarantine"


def test_of_a_vm_that_is_gone_a_restore_point_tells_the_size(declared: Declared) -> None:
    around = Surroundings(networks=NETWORKS)
    request = MachineRequest(machine=APP, slot="latest", name="back", subnet="vnet-app/app")
    wish = wish_for(request, live(point(os_type="Windows"), gone=True), around, declared)
    assert {finding.code for finding in wish.findings} == {"source-gone", "disk-type-unknown"}
    assert (machine_spec(wish).size, machine_spec(wish).os_type) == ("Standard_D2s_v5", "Windows")
    assert all(isinstance(item.spec, RestoredDiskSpec) and item.spec.from_restore_point for item in wish.resources[:2])


def test_ultra_disks_need_a_vm_that_takes_them(declared: Declared) -> None:
    parts = (PARTS[0], snapshot("0", disk_id=DISK))
    ultra = wish_for(REQUEST, live(*parts, sku="UltraSSD_LRS"), surroundings(), declared)
    plain = wish_for(REQUEST, live(*parts), surroundings(), declared)
    assert (machine_spec(ultra).ultra_ssd, machine_spec(plain).ultra_ssd) == (True, False)


def test_a_confidential_vm_cannot_be_made_of_its_disks(declared: Declared) -> None:
    around = surroundings(
        machine=RestoredMachineBody(
            HOME,
            None,
            None,
            RestoredMachineProperties(
                HardwareBody("Standard_DC2as_v5"), security_profile=SecurityBody("ConfidentialVM")
            ),
        )
    )
    wish = wish_for(REQUEST, live(*PARTS), around, declared)
    assert "security-type" in {finding.code for finding in wish.findings}


def test_what_is_not_usable_is_not_made(declared: Declared) -> None:
    request = MachineRequest(machine="app-01", slot="2026-03-02T06", name="back", partial=True)
    wish = wish_for(request, live(WHOLE_NEW[0], snapshot("0", completion=1.0)), surroundings(), declared)
    assert [item.address.name for item in wish.resources][:2] == ["back-os", "back-nic"]


def test_a_disk_of_a_restore_point_is_said_by_its_place(declared: Declared) -> None:
    source = point(os_type="Linux")
    wish = wish_for_disk(DiskRequest(snapshot=str(source.arm_id), name="x", disk="0"), declared, live(source))
    assert disk_spec(wish).source_id.endswith("/diskRestorePoints/0")
    assert disk_spec(wish).from_restore_point


@pytest.mark.parametrize(
    ("source", "disk", "words"),
    [
        (point(), "", "say which with --disk: os, 0"),
        (point(), "7", "'7' is none of them"),
        (snapshot("0"), "0", "leave --disk out"),
    ],
)
def test_which_disk_is_for_restore_points_alone(source: Resource, disk: str, words: str, declared: Declared) -> None:
    with pytest.raises(UsageError) as told:
        wish_for_disk(DiskRequest(snapshot=source.address.name, name="x", disk=disk), declared, live(source))
    assert words in str(told.value)
