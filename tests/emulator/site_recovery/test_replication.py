"""The life of a replicated machine: two clocks, drills, failovers, reprotection, and its changes in place."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from tests.emulator.site_recovery.replicator import (
    GROUPS,
    ITEM,
    MOVED,
    SOURCE,
    TARGET,
    VAULT,
    Caller,
    account_id,
    disk,
    drill,
    failover,
    machine_id,
    network_id,
)

TEST_VM = f"{GROUPS}/rg-DR/providers/Microsoft.Compute/virtualMachines/web-01-test"
COPY = f"{GROUPS}/rg-DR/providers/Microsoft.Compute/virtualMachines/web-01"
OPEN = ["UnplannedFailover", "DisableProtection", "TestFailover"]


def test_the_operation_ends_long_before_the_machine_is_protected(paired: Caller) -> None:
    answer = paired.send("PUT", ITEM, {"properties": paired.enabling()})
    assert answer.headers["x-ms-request-id"].startswith(
        f"/Subscriptions{VAULT.removeprefix('/subscriptions')}/replicationJobs/"
    )
    enabling = paired.item()
    assert (enabling["protectionState"], enabling["allowedOperations"]) == ("UnprotectedStatesBegin", [])
    assert enabling["currentScenario"]["scenarioName"] == "EnableDr"
    assert paired.finish(answer)["status"] == "Succeeded"
    copying = paired.item()
    assert copying["protectionState"] == "InitialReplicationInProgress"
    assert copying["allowedOperations"] == ["DisableProtection"]
    details = copying["providerSpecificDetails"]
    assert (details["vmNics"], details["rpoInSeconds"], details["lifecycleId"]) == ([], None, None)
    assert details["fabricObjectId"] == machine_id("web-01").lower()
    waiting = paired.until("InitialReplicationRecoveryCompletionPending")
    assert waiting["providerSpecificDetails"]["vmProtectionState"] == "UnprotectedStatesBegin"
    protected = paired.until("Protected")
    assert protected["allowedOperations"] == OPEN
    assert protected["failoverHealth"] == "Warning"
    assert [error["errorCode"] for error in protected["healthErrors"]] == ["161011"]
    details = protected["providerSpecificDetails"]
    assert details["lifecycleId"]
    assert details["vmSyncedConfigDetails"]["tags"] == {"env": "test"}
    nic = details["vmNics"][0]
    assert nic["recoveryVMNetworkId"] == network_id("vnet-neu", "rg-DR").lower()
    assert nic["ipConfigs"][0]["recoverySubnetName"] == "apps"


def test_the_copy_takes_as_long_as_there_are_gibibytes(paired: Caller) -> None:
    paired.do("PUT", ITEM, paired.enabling())
    enabled = paired.world.clock.now()
    paired.world.clock.auto_advance = False
    paired.wait(seconds=7 * 56 - 1)
    assert paired.item()["protectionState"] == "InitialReplicationInProgress"
    assert paired.item()["providerSpecificDetails"]["monitoringPercentageCompletion"] == 99
    paired.wait(seconds=2)
    assert paired.item()["protectionState"] == "InitialReplicationRecoveryCompletionPending"
    paired.world.clock.auto_advance = True
    paired.until("Protected")
    assert (paired.world.clock.now() - enabled).total_seconds() == 7 * 56 + 300
    assert {"disks/web-01_DataDisk_0-ASRReplica"} <= set(paired.names("rg-DR"))


def test_who_reads_lists_only_sees_the_end_as_well(paired: Caller) -> None:
    paired.do("PUT", ITEM, paired.enabling())
    states = [
        paired.get(f"{VAULT}/replicationProtectedItems")["value"][0]["properties"]["protectionState"] for _ in range(8)
    ]
    assert states[0] == "InitialReplicationInProgress"
    assert states[-1] == "Protected"


def test_the_rpo_moves_within_bounds(paired: Caller) -> None:
    paired.protect()
    seen = set()
    for _ in range(30):
        paired.wait(minutes=7)
        details = paired.item()["providerSpecificDetails"]
        assert 0 <= details["rpoInSeconds"] <= 390
        reckoned = datetime.fromisoformat(details["lastRpoCalculatedTime"])
        assert (paired.world.clock.now() - reckoned).total_seconds() < 60
        seen.add(details["rpoInSeconds"])
    assert len(seen) > 3


def test_a_drill_appears_beside_the_machine_and_goes(paired: Caller) -> None:
    paired.protect()
    before = paired.names("rg-DR")
    status = paired.do("POST", f"{ITEM}/testFailover", drill())
    told = paired.job(status["name"])["customDetails"]
    assert (told["networkName"], told["networkType"]) == ("vnet-test", "VmNetworkAsInput")
    assert [one["testVmName"] for one in told["protectedItemDetails"]] == [TEST_VM]
    assert told["protectedItemDetails"][0]["recoveryPointTime"]
    drilled = paired.item()
    assert drilled["testFailoverState"] == "WaitingForCompletion"
    assert drilled["protectionStateDescription"] == "Cleanup test failover pending"
    assert drilled["allowedOperations"] == ["TestFailoverCleanup"]
    assert (
        drilled["failoverRecoveryPointId"].rpartition("/")[0]
        == f"/Subscriptions{ITEM.removeprefix('/subscriptions')}/recoveryPoints"
    )
    machine = paired.get(TEST_VM)
    nic = machine["properties"]["networkProfile"]["networkInterfaces"][0]["id"]
    subnet = paired.get(nic)["properties"]["ipConfigurations"][0]["properties"]["subnet"]["id"]
    assert subnet == f"{network_id('vnet-test', 'rg-DR')}/subnets/drill"
    assert machine["properties"]["storageProfile"]["osDisk"]["name"].endswith("-ASRtest")
    assert len(machine["properties"]["storageProfile"]["dataDisks"]) == 2
    assert paired.get(machine_id("web-01"))["properties"]["provisioningState"] == "Succeeded"
    cleanup = paired.send("POST", f"{ITEM}/testFailoverCleanup", {"properties": {"comments": "done"}})
    assert paired.item()["testFailoverState"] == "MarkedForDeletion"
    assert paired.finish(cleanup)["status"] == "Succeeded"
    clean = paired.item()
    assert (clean["testFailoverState"], clean["allowedOperations"]) == ("None", OPEN)
    assert (clean["failoverHealth"], clean["healthErrors"]) == ("Normal", [])
    assert clean["lastSuccessfulTestFailoverTime"]
    assert paired.names("rg-DR") == before


def test_a_drill_without_a_network(paired: Caller) -> None:
    paired.protect()
    paired.do("POST", f"{ITEM}/testFailover", drill(None))
    assert paired.get(TEST_VM)["properties"]["networkProfile"]["networkInterfaces"] == []


def test_a_drill_that_fails_leaves_its_machine_and_does_not_count(paired: Caller) -> None:
    paired.protect()
    paired.world.faults.add(
        {"path": "*/testFailover", "operation": "fails", "code": "28031", "message": "No capacity."}
    )
    failed = paired.finish(paired.send("POST", f"{ITEM}/testFailover", {"properties": drill()}))
    assert (failed["status"], failed["error"]["code"]) == ("Failed", "28031")
    assert paired.item()["allowedOperations"] == ["TestFailoverCleanup"]
    assert paired.send("GET", TEST_VM).status == 200
    paired.world.faults.clear()
    paired.do("POST", f"{ITEM}/testFailoverCleanup", {"comments": ""})
    assert paired.send("GET", TEST_VM).status == 404
    assert "lastSuccessfulTestFailoverTime" not in paired.item()


@pytest.mark.parametrize("shut_down", [False, True])
def test_a_failover_makes_the_machine_and_leaves_the_source(paired: Caller, shut_down: bool) -> None:
    paired.protect()
    started = paired.world.clock.now()
    status = paired.do("POST", f"{ITEM}/unplannedFailover", failover(shut_down=shut_down))
    assert (paired.world.clock.now() - started).total_seconds() == (203 if shut_down else 140)
    item = paired.item()
    assert item["protectionState"] == "UnplannedFailoverCommitPendingStatesBegin"
    assert item["activeLocation"] == "Recovery"
    assert "Commit" in item["allowedOperations"]
    copy = paired.get(COPY)
    assert copy["properties"]["storageProfile"]["osDisk"]["createOption"] == "Attach"
    assert copy["tags"] == {"env": "test"}
    assert "osProfile" not in copy["properties"]
    view = paired.get(f"{machine_id('web-01')}/instanceView")
    power = next(one["code"] for one in view["statuses"] if one["code"].startswith("PowerState/"))
    assert power == ("PowerState/deallocated" if shut_down else "PowerState/running")
    states = {task["taskId"]: task["state"] for task in paired.job(status["name"])["tasks"]}
    assert states["ShutdownVmOnPrimaryForUFO"] == ("Succeeded" if shut_down else "Other")


def test_the_point_may_be_changed_until_the_commit(paired: Caller) -> None:
    paired.protect()
    paired.wait(hours=1)
    points = paired.get(f"{ITEM}/recoveryPoints")["value"]
    paired.do("POST", f"{ITEM}/unplannedFailover", failover(point=points[0]["id"]))
    before = paired.get(COPY)["properties"]["vmId"]
    details = {"recoveryPointId": points[3]["id"], "providerSpecificDetails": {"instanceType": "A2A"}}
    paired.do("POST", f"{ITEM}/applyRecoveryPoint", details)
    assert paired.item()["failoverRecoveryPointId"] == points[3]["id"]
    assert paired.get(COPY)["properties"]["vmId"] != before
    paired.do("POST", f"{ITEM}/failoverCommit")
    assert paired.item()["protectionState"] == "UnplannedFailoverCommitted"
    assert paired.get(f"{ITEM}/recoveryPoints")["value"] == []


def test_a_reprotection_moves_the_item_and_swaps_its_directions(paired: Caller) -> None:
    paired.protect()
    before = paired.item()["providerSpecificDetails"]
    paired.fail_over()
    sent = paired.switch(ITEM, SOURCE, "cacheneu", "rg-App")
    status = paired.do("POST", f"{SOURCE}/switchprotection", sent)
    job = paired.job(status["name"])
    assert job["scenarioName"] == "SwitchReplicationGroupProtection"
    assert job["customDetails"]["newReplicationProtectedItemId"].lower() == MOVED.lower()
    assert paired.send("GET", ITEM).status == 404
    moved = paired.until("Protected", MOVED)
    details = moved["providerSpecificDetails"]
    assert (moved["primaryFabricFriendlyName"], moved["recoveryFabricFriendlyName"]) == ("North Europe", "West Europe")
    assert moved["activeLocation"] == "Primary"
    for kept in ("lifecycleId", "multiVmGroupId", "initialPrimaryFabricLocation", "initialRecoveryFabricLocation"):
        assert details[kept] == before[kept]
    assert details["fabricObjectId"] == COPY.lower()
    assert details["recoveryAzureResourceGroupId"] == f"{GROUPS}/rg-App"
    replica = details["protectedManagedDisks"][0]
    assert replica["recoveryReplicaDiskId"].endswith(f"/{replica['diskName'].lower()}-ASRReplica")
    assert replica["recoveryOrignalTargetDiskId"] == ""
    assert details["selectedRecoveryAzureNetworkId"] == network_id("vnet-weu", "rg-App").lower()
    assert paired.send("GET", machine_id("web-01")).status == 404  # its disks are replicas now


def test_home_again(paired: Caller) -> None:
    paired.protect()
    lifecycle = paired.item()["providerSpecificDetails"]["lifecycleId"]
    paired.fail_over(shut_down=True)
    paired.do("POST", f"{SOURCE}/switchprotection", paired.switch(ITEM, SOURCE, "cacheneu", "rg-App"))
    paired.until("Protected", MOVED)
    paired.fail_over(MOVED, shut_down=True)
    assert paired.get(machine_id("web-01"))["location"] == "westeurope"
    paired.do("POST", f"{TARGET}/switchprotection", paired.switch(MOVED, TARGET, "cacheweu", "rg-DR"))
    home = paired.until("Protected")
    assert home["providerSpecificDetails"]["lifecycleId"] == lifecycle
    assert home["providerSpecificDetails"]["fabricObjectId"] == machine_id("web-01").lower()
    paired.fail_over()  # the machine that was left shut down in the target region does not stand in the way


def test_a_switch_commits_what_was_not_committed(paired: Caller) -> None:
    paired.protect()
    paired.do("POST", f"{ITEM}/unplannedFailover", failover())
    status = paired.do("POST", f"{SOURCE}/switchprotection", paired.switch(ITEM, SOURCE, "cacheneu", "rg-App"))
    states = {task["taskId"]: task["state"] for task in paired.job(status["name"])["tasks"]}
    assert states["CommitFailoverTask"] == "Succeeded"


def test_a_machine_whose_origin_is_gone_cannot_be_reprotected(paired: Caller) -> None:
    paired.protect()
    paired.fail_over()
    answer = paired.send("DELETE", machine_id("web-01"))
    assert answer.status == 202
    paired.wait(minutes=5)
    sent = paired.switch(ITEM, SOURCE, "cacheneu", "rg-App")
    failed = paired.finish(paired.send("POST", f"{SOURCE}/switchprotection", {"properties": sent}))
    assert failed["status"] == "Failed"
    assert "was deleted" in paired.job(failed["name"])["errors"][0]["serviceErrorDetails"]["possibleCauses"]
    assert "ReverseReplicate" in paired.item()["allowedOperations"]


def test_one_job_at_a_time(paired: Caller) -> None:
    paired.protect()
    first = paired.send("POST", f"{ITEM}/updateMobilityService", {"properties": {"runAsAccountId": ""}})
    second = paired.finish(paired.send("POST", f"{ITEM}/remove", {"properties": {}}))
    assert (second["status"], second["error"]["code"]) == ("Failed", "532")
    assert paired.finish(first)["status"] == "Succeeded"
    assert paired.item()["allowedOperations"] == OPEN


def test_a_change_flips_what_is_unset_and_lower_cases_networks(paired: Caller) -> None:
    paired.protect()
    nic = paired.item()["providerSpecificDetails"]["vmNics"][0]
    assert nic["recoveryNetworkSecurityGroupId"] is None
    wanted = {
        "nicId": nic["nicId"],
        "ipConfigs": [
            {
                "ipConfigName": nic["ipConfigs"][0]["name"],
                "isPrimary": True,
                "isSeletedForFailover": True,
                "recoverySubnetName": "first",
                "recoveryStaticIPAddress": "10.2.1.40",
            }
        ],
        "selectionType": "SelectedByUser",
        "recoveryNicName": "web-01-dr",
    }
    change = {
        "recoveryAzureVMName": "web-01-dr",
        "recoveryAzureVMSize": "Standard_D4s_v5",
        "selectedRecoveryAzureNetworkId": network_id("vnet-neu", "rg-DR"),
        "selectedTfoAzureNetworkId": network_id("vnet-test", "rg-DR"),
        "vmNics": [wanted],
        "providerSpecificDetails": {"instanceType": "A2A", "tfoAzureVMName": "drill-01"},
    }
    paired.do("PATCH", ITEM, change)
    details = paired.item()["providerSpecificDetails"]
    changed = details["vmNics"][0]
    assert changed["recoveryNetworkSecurityGroupId"] == ""
    assert changed["ipConfigs"][0]["recoveryLBBackendAddressPoolIds"] == []
    assert changed["selectionType"] == "SelectedByUser"
    assert details["selectedRecoveryAzureNetworkId"] == network_id("vnet-neu", "rg-DR").lower()
    paired.do("POST", f"{ITEM}/testFailover", drill(None) | {"networkType": "VmNetworkAsInput"})
    assert "virtualMachines/drill-01" in paired.names("rg-DR")
    paired.do("POST", f"{ITEM}/testFailoverCleanup", {"comments": ""})
    paired.fail_over()
    copy = paired.get(f"{COPY}-dr")
    assert copy["properties"]["hardwareProfile"]["vmSize"] == "Standard_D4s_v5"
    interface = paired.get(f"{GROUPS}/rg-DR/providers/Microsoft.Network/networkInterfaces/web-01-dr")
    assert interface["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"] == "10.2.1.40"


def test_what_is_not_sent_again_is_lost(paired: Caller) -> None:
    """Networks and interfaces: a change that names neither leaves the machine without (Terraform's experience)."""
    paired.protect()
    paired.do(
        "PATCH", ITEM, {"recoveryAzureVMSize": "Standard_D4s_v5", "providerSpecificDetails": {"instanceType": "A2A"}}
    )
    details = paired.item()["providerSpecificDetails"]
    assert details["selectedRecoveryAzureNetworkId"] is None
    assert details["vmNics"][0]["recoveryVMNetworkId"] is None


def test_disks_come_and_go_in_place(paired: Caller) -> None:
    disks = paired.enabling()["providerSpecificDetails"]["vmManagedDisks"]
    paired.protect(vmManagedDisks=disks[:2])
    details = paired.item()["providerSpecificDetails"]
    assert details["unprotectedDisks"] == [{"diskLunId": 1, "diskAutoProtectionStatus": "Disabled"}]
    more = {"providerSpecificDetails": {"instanceType": "A2A", "vmManagedDisks": disks[2:]}}
    paired.do("POST", f"{ITEM}/addDisks", more)
    states = [one["diskState"] for one in paired.item()["providerSpecificDetails"]["protectedManagedDisks"]]
    assert states == ["Protected", "Protected", "InitialReplicationPending"]
    assert paired.item()["protectionState"] == "Protected"
    assert "disks/web-01_DataDisk_1-ASRReplica" in paired.names("rg-DR")
    paired.wait(seconds=7 * 8)
    states = [one["diskState"] for one in paired.item()["providerSpecificDetails"]["protectedManagedDisks"]]
    assert states == ["Protected"] * 3
    gone = {"providerSpecificDetails": {"instanceType": "A2A", "vmManagedDisksIds": [disks[1]["diskId"]]}}
    paired.do("POST", f"{ITEM}/removeDisks", gone)
    assert "disks/web-01_DataDisk_0-ASRReplica" not in paired.names("rg-DR")
    assert len(paired.item()["providerSpecificDetails"]["protectedManagedDisks"]) == 2


def test_the_agent_is_updated(paired: Caller) -> None:
    paired.protect()
    before = paired.item()["providerSpecificDetails"]["agentVersion"]
    paired.do("POST", f"{ITEM}/updateMobilityService", {"runAsAccountId": ""})
    assert paired.item()["providerSpecificDetails"]["agentVersion"] > before


@pytest.mark.parametrize("way", ["disable", "purge"])
def test_the_end_leaves_replicas_behind(paired: Caller, way: str) -> None:
    paired.protect()
    if way == "purge":
        paired.do("DELETE", ITEM)
    else:
        reason = {
            "disableProtectionReason": "NotSpecified",
            "replicationProviderInput": {"instanceType": "DisableProtectionProviderSpecificInput"},
        }
        paired.do("POST", f"{ITEM}/remove", reason)
    assert paired.send("GET", ITEM).status == 404
    assert "disks/web-01_DataDisk_0-ASRReplica" in paired.names("rg-DR")
    assert paired.send("DELETE", ITEM).status == 204
    assert paired.send("POST", f"{ITEM}/remove").status == 204
    paired.protect()  # and can be replicated again


def test_a_machine_that_is_gone_is_critical(paired: Caller) -> None:
    paired.protect()
    assert paired.item()["replicationHealth"] == "Normal"
    paired.send("DELETE", machine_id("web-01"))
    paired.wait(minutes=5)
    assert paired.item()["replicationHealth"] == "Critical"
    health = paired.get(f"{VAULT}/replicationVaultHealth")["properties"]["protectedItemsHealth"]
    assert health["categorizedResourceCounts"] == {"Critical": 1}
    paired.fail_over()  # what a failover is for
    assert paired.get(COPY)["location"] == "northeurope"


@pytest.mark.parametrize(("account", "stalls"), [("cacheweu", True), ("fastweu", False)])
def test_a_machine_that_writes_too_much_has_no_new_points(paired: Caller, account: str, stalls: bool) -> None:
    """54 MiB a second with a standard cache account, 100 with a premium one (ASR-33)."""
    busy = paired.enabling()["providerSpecificDetails"]["vmManagedDisks"][1]["diskId"]
    paired.world.store.hide(busy, {"churnGiBPerDay": 70 * 86_400 / 1024})
    paired.protect(account=account)
    paired.wait(hours=4)
    item = paired.item()
    assert item["replicationHealth"] == ("Critical" if stalls else "Normal")
    assert (item["providerSpecificDetails"]["rpoInSeconds"] > 4 * 3600) is stalls
    if stalls:
        paired.do("POST", f"{ITEM}/removeDisks", {"providerSpecificDetails": {"vmManagedDisksIds": [busy]}})
        assert paired.item()["replicationHealth"] == "Normal"


def test_a_disk_that_is_not_replicated_outlives_the_reprotection(paired: Caller) -> None:
    disks = paired.enabling()["providerSpecificDetails"]["vmManagedDisks"]
    paired.protect(vmManagedDisks=disks[:2])
    paired.fail_over()
    assert len(paired.get(COPY)["properties"]["storageProfile"]["dataDisks"]) == 1
    paired.do("POST", f"{SOURCE}/switchprotection", paired.switch(ITEM, SOURCE, "cacheneu", "rg-App"))
    assert paired.get(disks[2]["diskId"])["properties"]["diskState"] == "Unattached"
    assert paired.send("GET", disks[1]["diskId"]).status == 404


def test_high_churn_hangs_on_the_account(paired: Caller) -> None:
    paired.protect(account="fastweu")
    assert paired.item()["providerSpecificDetails"]["churnOptionSelected"] == "High"


def test_machines_of_a_group_share_its_guid(paired: Caller) -> None:
    first, second = (paired.protect(vm, multiVmGroupName="pair") for vm in ("web-01", "APP-02"))
    one, other = (paired.item(path)["providerSpecificDetails"] for path in (first, second))
    assert one["multiVmGroupId"] == other["multiVmGroupId"]
    assert one["multiVmGroupCreateOption"] == "UserSpecified"
    point = paired.get(f"{first}/recoveryPoints")["value"][0]["properties"]["providerSpecificDetails"]
    assert point["recoveryPointSyncType"] == "MultiVmSyncRecoveryPoint"


def test_machines_of_a_group_fail_over_together(paired: Caller) -> None:
    first, second = (paired.protect(vm, multiVmGroupName="pair") for vm in ("web-01", "APP-02"))
    answer = paired.send("POST", f"{first}/unplannedFailover", {"properties": failover()})
    assert [paired.item(path)["currentScenario"]["scenarioName"] for path in (first, second)] == [
        "UnplannedFailover"
    ] * 2
    assert paired.finish(answer)["status"] == "Succeeded"
    assert {paired.item(path)["activeLocation"] for path in (first, second)} == {"Recovery"}
    paired.do("POST", f"{first}/failoverCommit")
    assert paired.item(second)["protectionState"] == "UnplannedFailoverCommitPendingStatesBegin"


def test_a_group_with_a_drilled_machine_stays_together(paired: Caller) -> None:
    first, second = (paired.protect(vm, multiVmGroupName="pair") for vm in ("web-01", "APP-02"))
    paired.do("POST", f"{second}/testFailover", drill())
    answer = paired.send("POST", f"{first}/unplannedFailover", {"properties": failover()})
    assert (answer.code, answer.rule) == ("OperationNotAllowed", "ASR-50")


def test_a_second_request_for_the_same_item_changes_nothing(paired: Caller) -> None:
    paired.protect()
    before: Any = paired.item()["providerSpecificDetails"]["lifecycleId"]
    paired.do("PUT", ITEM, paired.enabling())
    assert paired.item()["providerSpecificDetails"]["lifecycleId"] == before
    assert paired.item()["allowedOperations"] == OPEN


def test_disks_of_another_account_are_named_as_they_were_sent(paired: Caller) -> None:
    paired.protect()
    shown = paired.item()["providerSpecificDetails"]["protectedManagedDisks"][0]
    sent = disk(shown["diskId"], "cacheweu", "rg-DR")
    assert shown["diskId"] == shown["diskId"].lower()
    assert (
        shown["primaryStagingAzureStorageAccountId"]
        == account_id("cacheweu")
        == sent["primaryStagingAzureStorageAccountId"]
    )
