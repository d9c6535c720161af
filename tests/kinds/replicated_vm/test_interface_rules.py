"""Where network interfaces go: interfaces and subnets that are not there are told before anything is begun."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.model.arm_id import ArmId
from reconciler.model.replication_site import ReplicationSite, VirtualNetwork
from tests.kinds.replicated_vm.conftest import NETWORK, NEU, ROUTE, WEU, Estate, item, machine

TEST = NETWORK.format("dr", "drill")
HERE = "a network interface of it would go to subnet {}, which virtual network {} does not have"


def network(arm_id: str, *subnets: str) -> tuple[ArmId, VirtualNetwork]:
    return ArmId(arm_id), VirtualNetwork(ArmId(arm_id), "northeurope", subnets)


@pytest.fixture
def estate() -> Estate:
    """`web-01` is replicated, `web-02` is not yet; interface web-01-nic is in subnet `default` of vnet-weu."""
    found = Estate(routes={"weu-neu": {**ROUTE, "testNetwork": TEST}})
    first, _ = found.add(machine("web-01")), found.add(machine("web-02"))
    found.items.append(item(first, details={"selectedTfoAzureNetworkId": TEST.lower()}))
    found.site = ReplicationSite(networks=dict([network(NEU, "Default", "db"), network(TEST, "lab")]))
    return found


def told(estate: Estate) -> list[str]:
    _, findings = estate.expand()
    assert {finding.severity for finding in findings if finding.code == "ASR-14"} <= {"error"}
    return [finding.message for finding in findings if finding.code == "ASR-14"]


def overrides(vm: str, **nic: Any) -> dict[str, Any]:
    return {"targetRegion": "northeurope", "overrides": [{"vm": vm, "nics": [nic]}]}


WEB_1, WEB_2 = "Protection web, VM web-01: ", "Protection web, VM web-02: "
CASES = [
    pytest.param({"targetRegion": "northeurope"}, [], id="as they are"),
    pytest.param(overrides("web-01", name="Web-01-NIC", subnet="DB", testSubnet="lab"), [], id="any casing"),
    pytest.param(overrides("web-01", name="nic"), [f"{WEB_1}it has no network interface nic"], id="no such interface"),
    pytest.param(overrides("web-02", name="nic"), [], id="interfaces not known yet"),
    pytest.param(
        overrides("web-01", name="web-01-nic", subnet="app", testSubnet="app"),
        [WEB_1 + HERE.format("app", "vnet-neu"), WEB_1 + HERE.format("app", "vnet-drill")],
        id="no such subnets",
    ),
    pytest.param(
        overrides("web-02", name="nic", subnet="app"), [WEB_2 + HERE.format("app", "vnet-neu")], id="before it is begun"
    ),
]


@pytest.mark.parametrize(("aspect", "messages"), CASES)
def test_interfaces_and_subnets_are_there(estate: Estate, aspect: dict[str, Any], messages: list[str]) -> None:
    estate.aspect = aspect
    assert told(estate) == messages


def test_a_subnet_that_has_no_namesake_needs_a_word(estate: Estate) -> None:
    """By default the subnet of the same name is taken: where there is none, the route must say which."""
    estate.site = ReplicationSite(networks=dict([network(NEU, "apps")]))
    assert told(estate) == [WEB_1 + HERE.format("default", "vnet-neu")]
    pair = {"from": WEU, "to": NEU, "subnets": {"Default": "Apps"}}
    estate.routes["weu-neu"] = {**ROUTE, "networks": [pair]}
    assert told(estate) == []


def test_a_network_that_could_not_be_read_says_nothing(estate: Estate) -> None:
    estate.site = ReplicationSite()
    estate.aspect = overrides("web-01", name="web-01-nic", subnet="app")
    assert told(estate) == []
