"""What the service refuses, and what it accepts and fails with: each rule once, and its edge."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from reconciler.emulator.providers import replication_item_rules, replication_support
from tests.emulator.site_recovery.replicator import (
    ESTATE,
    GROUPS,
    ITEM,
    NORTH,
    SOURCE,
    TARGET,
    Caller,
    drill,
    failover,
    machine_id,
    mapping,
    network_id,
    pair,
)

GROUP = f"{GROUPS}/rg-DR"
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    # the rule in the header, the call, the code of the cause
    ("ASR-58", {"fabricObjectId": machine_id("none")}, "VirtualMachineNotFound"),
    ("ASR-10", {"fabricObjectId": machine_id("far-01")}, "VirtualMachineLocationMismatch"),
    ("ASR-12", {"recoveryResourceGroupId": f"{GROUPS}/none"}, "RecoveryResourceGroupNotFound"),
    ("ASR-12", {"recoveryResourceGroupId": f"{GROUPS}/rg-App"}, "RecoveryResourceGroupInSourceRegion"),
    ("ASR-14", {"recoveryAzureNetworkId": network_id("vnet-weu", "rg-App")}, "NetworkLocationMismatch"),
    ("ASR-14", {"recoveryAzureNetworkId": network_id("none", "rg-DR")}, "NetworkNotFound"),
    ("ASR-15", {"recoveryAvailabilityZone": "1", "recoveryAvailabilitySetId": f"{GROUP}/as"}, "InvalidAvailability"),
    ("ASR-20", {"account": "cacheneu"}, "InvalidStagingStorageAccount"),
    ("ASR-20", {"account": "none"}, "InvalidStagingStorageAccount"),
    ("wire", {"vmManagedDisks": []}, "VMDisksMissing"),
    ("wire", {"instanceType": "InMage"}, "ProviderNotSupported"),
    ("wire", {"recoveryContainerId": f"{TARGET}-x"}, "ProtectionContainerArmEntityMissing"),
]
FAILING: list[tuple[dict[str, Any], str, str]] = [
    # the call, what the job says, the task that failed
    ({"vm": "off-01"}, "is not running", "InstallMobilityServiceTask"),
    ({"vm": "arm-01"}, "ARM64", "EnableDrPrerequisitesCheck"),
    ({"account": "keepsweu"}, "Soft delete for blobs", "EnableReplicationTask"),
    ({"account": "filesweu"}, "kind FileStorage", "EnableReplicationTask"),
]


@pytest.mark.parametrize(("rule", "call", "code"), REFUSED)
def test_refused_at_once(paired: Caller, rule: str, call: dict[str, Any], code: str) -> None:
    answer = paired.send("PUT", ITEM, {"properties": paired.enabling(**call)})
    assert (answer.code, answer.rule) == (code, rule), answer.body
    assert paired.send("GET", ITEM).status == 404


@pytest.mark.parametrize(("call", "cause", "task"), FAILING)
def test_accepted_and_failed(paired: Caller, call: dict[str, Any], cause: str, task: str) -> None:
    failed = paired.finish(paired.send("PUT", ITEM, {"properties": paired.enabling(**call)}))
    message = "Protection couldn't be enabled for the virtual machine."
    assert failed["error"] == {"code": "45005", "message": message, "details": None}
    job = paired.job(failed["name"])
    assert (job["scenarioName"], job["state"], job["allowedActions"]) == ("EnableDr", "Failed", ["Restart"])
    assert cause in job["errors"][0]["serviceErrorDetails"]["possibleCauses"]
    assert [one["taskId"] for one in job["tasks"] if one["state"] == "Failed"] == [task]
    left = paired.item()
    assert (left["replicationHealth"], left["allowedOperations"]) == ("Critical", ["DisableProtection"])


def test_what_failed_can_be_tried_again(paired: Caller) -> None:
    paired.finish(paired.send("PUT", ITEM, {"properties": paired.enabling(account="keepsweu")}))
    paired.do("PUT", ITEM, paired.enabling())
    assert paired.until("Protected")["replicationHealth"] == "Normal"


def test_the_job_can_be_started_once_more(paired: Caller) -> None:
    failed = paired.finish(paired.send("PUT", ITEM, {"properties": paired.enabling(account="keepsweu")}))
    services = f"{GROUPS}/rg-App/providers/Microsoft.Storage/storageAccounts/keepsweu/blobServices/default"
    paired.send("PUT", services, {"properties": {"deleteRetentionPolicy": {"enabled": False}}})
    paired.do(
        "POST", f"{paired.get(ITEM)['id'].partition('/replicationFabrics')[0]}/replicationJobs/{failed['name']}/restart"
    )
    paired.until("Protected")
    assert paired.job(failed["name"])["state"] == "Succeeded"


def test_a_machine_is_replicated_once(paired: Caller) -> None:
    paired.protect()
    answer = paired.send("PUT", f"{ITEM}-again", {"properties": paired.enabling()})
    assert (answer.code, answer.rule) == ("VirtualMachineAlreadyProtected", "ASR-13")


def test_containers_must_be_mapped_with_the_policy(paired: Caller) -> None:
    paired.do("DELETE", mapping(SOURCE, "there"))
    assert paired.send("PUT", ITEM, {"properties": paired.enabling()}).code == "ProtectionContainerNotPaired"
    paired.do("PUT", mapping(SOURCE, "there"), pair(TARGET))
    paired.protect()
    answer = paired.send("POST", f"{mapping(SOURCE, 'there')}/remove", {"properties": {}})
    assert answer.code == "ProtectionContainerMappingInUse"


def test_the_vault_is_not_in_the_source_region(caller_of: Callable[[dict[str, Any]], Caller]) -> None:
    document = deepcopy(ESTATE)
    document["siteRecovery"][0]["location"] = "westeurope"
    caller = caller_of(document)
    caller.build_topology()
    answer = caller.send("PUT", ITEM, {"properties": caller.enabling()})
    assert (answer.code, answer.rule) == ("VaultInSourceRegion", "ASR-11")


def test_from_zone_to_zone(paired: Caller) -> None:
    """One fabric with two containers; the zone must be another one than the machine's (ASR-16)."""
    other = f"{SOURCE}-zone"
    paired.do("PUT", other, {})
    paired.do("PUT", mapping(SOURCE, "zones"), pair(other))
    path = f"{SOURCE}/replicationProtectedItems/zone-01"
    place = {"recoveryContainerId": other, "recoveryResourceGroupId": f"{GROUPS}/rg-Zone"}
    refused: list[tuple[dict[str, Any], str]] = [
        ({"recoveryAvailabilityZone": "1"}, "InvalidRecoveryAvailabilityZone"),
        ({}, "InvalidRecoveryAvailabilityZone"),
        (
            {"recoveryAvailabilityZone": "2", "recoveryResourceGroupId": f"{GROUPS}/rg-App"},
            "RecoveryResourceGroupIsSource",
        ),
    ]
    for change, code in refused:
        sent = paired.enabling("zone-01", **{**place, **change})
        assert paired.send("PUT", path, {"properties": sent}).code == code
    paired.do("PUT", path, paired.enabling("zone-01", **place, recoveryAvailabilityZone="2"))
    details = paired.until("Protected", path)["providerSpecificDetails"]
    assert (details["primaryAvailabilityZone"], details["recoveryAvailabilityZone"]) == ("1", "2")
    own = network_id("vnet-weu", "rg-App")
    assert details["vmNics"][0]["recoveryVMNetworkId"] == own
    drilled = {**drill(), "networkId": own}
    assert paired.send("POST", f"{path}/testFailover", {"properties": drilled}).code == "InvalidTestNetwork"
    paired.do("POST", f"{path}/unplannedFailover", failover())
    copy = paired.get(f"{GROUPS}/rg-Zone/providers/Microsoft.Compute/virtualMachines/zone-01")
    assert (copy["location"], copy["zones"]) == ("westeurope", ["2"])


def test_a_group_has_sixteen_machines(paired: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replication_item_rules, "LARGEST_TEAM", 1)
    paired.protect(multiVmGroupName="pair")
    sent = paired.enabling("APP-02", multiVmGroupName="pair")
    answer = paired.send("PUT", f"{SOURCE}/replicationProtectedItems/APP-02", {"properties": sent})
    assert (answer.code, answer.rule) == ("MultiVmGroupFull", "ASR-40")


def test_disks_of_a_subscription_are_counted(paired: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replication_support, "MOST_DISKS", 3)
    paired.protect()
    path = f"{SOURCE}/replicationProtectedItems/APP-02"
    failed = paired.finish(paired.send("PUT", path, {"properties": paired.enabling("APP-02")}))
    cause = paired.job(failed["name"])["errors"][0]["serviceErrorDetails"]["possibleCauses"]
    assert "at most 3 are supported" in cause


DISKS: list[tuple[dict[str, Any], str]] = [
    # what a disk is, what is said of it
    ({"properties.diskSizeGB": 40_000}, "at most 32768 GiB"),
    ({"properties.maxShares": 2}, "is shared"),
]


@pytest.mark.parametrize(("change", "message"), DISKS)
def test_a_disk_that_cannot_be_replicated_may_be_left_out(paired: Caller, change: dict[str, Any], message: str) -> None:
    sent = paired.enabling()
    wrong = sent["providerSpecificDetails"]["vmManagedDisks"][2]["diskId"]
    body: Any = paired.world.store.get(wrong)
    for path, value in change.items():
        body["properties"][path.partition(".")[2]] = value
    paired.world.store.replace(wrong, body)
    results = paired.get(f"{machine_id('web-01')}/providers/Microsoft.RecoveryServices/replicationEligibilityResults")
    assert message in results["value"][0]["properties"]["errors"][0]["message"]
    failed = paired.finish(paired.send("PUT", ITEM, {"properties": sent}))
    assert message in paired.job(failed["name"])["errors"][0]["serviceErrorDetails"]["possibleCauses"]
    sent["providerSpecificDetails"]["vmManagedDisks"].pop()
    paired.do("PUT", ITEM, sent)
    paired.until("Protected")


@pytest.mark.parametrize(("vm", "codes"), [("web-01", []), ("arm-01", ["A2AProcessorArchitectureNotSupported"])])
def test_eligibility_is_asked_of_the_machine(paired: Caller, vm: str, codes: list[str]) -> None:
    scope = f"{machine_id(vm)}/providers/Microsoft.RecoveryServices/replicationEligibilityResults"
    one = paired.get(f"{scope}/default")
    assert [error["code"] for error in one["properties"]["errors"]] == codes
    listed = paired.get(scope)
    assert [entry["name"] for entry in listed["value"]] == ["default"]
    assert "nextLink" not in listed


def test_eligibility_of_a_machine_that_is_gone_is_404(paired: Caller) -> None:
    scope = f"{machine_id('none')}/providers/Microsoft.RecoveryServices/replicationEligibilityResults/default"
    assert paired.send("GET", scope).status == 404


ACTIONS: list[tuple[str, dict[str, Any], str]] = [
    ("plannedFailover", failover(), "PlannedFailoverNotSupported"),
    ("reProtect", {"failoverDirection": "RecoveryToPrimary"}, "VMDisksMissing"),
    ("failoverCommit", {}, "OperationNotAllowed"),
    ("failoverCancel", {}, "OperationNotAllowed"),
    ("testFailoverCleanup", {}, "OperationNotAllowed"),
    ("applyRecoveryPoint", {}, "OperationNotAllowed"),
    ("unplannedFailover", {**failover(), "failoverDirection": "RecoveryToPrimary"}, "InvalidFailoverDirection"),
    ("unplannedFailover", failover(point=f"{ITEM}/recoveryPoints/none"), "RecoveryPointArmEntityMissing"),
    ("testFailover", {**drill(), "networkId": None}, "TestNetworkMissing"),
    ("testFailover", {**drill(), "networkId": network_id("vnet-weu", "rg-App")}, "NetworkLocationMismatch"),
    ("testFailover", {**drill(), "networkId": network_id("none", "rg-DR")}, "NetworkNotFound"),
    ("addDisks", {"providerSpecificDetails": {"vmManagedDisks": []}}, "VMDisksMissing"),
    ("removeDisks", {"providerSpecificDetails": {"vmManagedDisksIds": ["/none"]}}, "VMDiskNotFound"),
]


@pytest.mark.parametrize(("action", "properties", "code"), ACTIONS)
def test_actions_that_a_protected_machine_does_not_allow(
    paired: Caller, action: str, properties: dict[str, Any], code: str
) -> None:
    paired.protect()
    assert paired.send("POST", f"{ITEM}/{action}", {"properties": properties}).code == code


@pytest.mark.parametrize("action", ["testFailover", "unplannedFailover", "remove"])
def test_only_the_cleanup_is_allowed_after_a_drill(paired: Caller, action: str) -> None:
    paired.protect()
    paired.do("POST", f"{ITEM}/testFailover", drill())
    properties = drill() if action == "testFailover" else failover()
    answer = paired.send("POST", f"{ITEM}/{action}", {"properties": properties})
    assert (answer.status, answer.code) == (400, "OperationNotAllowed")


SWITCHES: list[tuple[str, dict[str, Any], str]] = [
    ("wire", {"vmManagedDisks": []}, "VMDisksMissing"),
    ("ASR-20", {"account": "cacheweu"}, "InvalidStagingStorageAccount"),
    ("ASR-12", {"recoveryResourceGroupId": f"{GROUPS}/rg-DR"}, "RecoveryResourceGroupInSourceRegion"),
    ("wire", {"recoveryContainerId": f"{SOURCE}-x"}, "ProtectionContainerArmEntityMissing"),
]


@pytest.mark.parametrize(("rule", "change", "code"), SWITCHES)
def test_refused_reprotections(paired: Caller, rule: str, change: dict[str, Any], code: str) -> None:
    paired.protect()
    paired.fail_over()
    sent = paired.switch(ITEM, SOURCE, change.get("account", "cacheneu"), "rg-App")
    sent["providerSpecificDetails"] |= {name: value for name, value in change.items() if name != "account"}
    answer = paired.send("POST", f"{SOURCE}/switchprotection", {"properties": sent})
    assert (answer.code, answer.rule) == (code, rule)


def test_a_reprotection_needs_the_way_back(paired: Caller) -> None:
    paired.protect()
    paired.fail_over()
    paired.do("DELETE", mapping(TARGET, "back"))
    sent = paired.switch(ITEM, SOURCE, "cacheneu", "rg-App")
    answer = paired.send("POST", f"{SOURCE}/switchprotection", {"properties": sent})
    assert (answer.code, answer.rule) == ("ProtectionContainerNotPaired", "ASR-54")


def test_a_container_with_items_is_not_removed(paired: Caller) -> None:
    paired.protect()
    for path in (f"{SOURCE}/remove", f"{NORTH}/remove"):
        assert paired.send("POST", path, {"properties": {}}).status == 400
