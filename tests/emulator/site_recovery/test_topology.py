"""Policies, fabrics, containers and mappings: what is there when, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.site_recovery.replicator import (
    GROUPS,
    NORTH,
    POLICY,
    SOURCE,
    TARGET,
    VAULT,
    WEST,
    Caller,
    mapping,
    network_mapping,
    networks,
    pair,
    policy,
)

AUTOMATION = f"{GROUPS}/rg-DR/providers/Microsoft.Automation/automationAccounts"
COLLECTIONS = (
    "replicationPolicies",
    "replicationFabrics",
    "replicationProtectionContainers",
    "replicationProtectionContainerMappings",
    "replicationNetworkMappings",
    "replicationProtectedItems",
    "replicationJobs",
    "replicationRecoveryPlans",
    "replicationVaultHealth",
)


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_a_vault_that_was_never_used_answers_400_to_any_read(caller: Caller, collection: str) -> None:
    answer = caller.send("GET", f"{VAULT}/{collection}")
    assert (answer.status, answer.code) == (400, "SubscriptionIdNotRegisteredWithSrs")
    caller.do("PUT", POLICY, {"providerSpecificInput": policy()})
    assert caller.send("GET", f"{VAULT}/{collection}").status == 200


def test_topology_is_told_in_the_spelling_of_the_service(paired: Caller) -> None:
    assert paired.get(WEST)["id"].startswith("/Subscriptions/")
    assert paired.get(WEST)["properties"]["friendlyName"] == "West Europe"
    assert len(paired.get(WEST)["properties"]["customDetails"]["containerIds"]) == 1
    roles = {
        one["name"]: one["properties"]["role"]
        for one in paired.get(f"{VAULT}/replicationProtectionContainers")["value"]
    }
    assert roles == {"c-weu": "Primary", "c-neu": "Primary"}
    shown = paired.get(mapping(SOURCE, "there"))["properties"]
    assert shown["policyFriendlyName"] == "day"
    assert shown["providerSpecificDetails"]["automationAccountAuthenticationType"] == "RunAsAccount"
    mapped = paired.get(network_mapping(WEST, "there"))["properties"]
    assert mapped["primaryNetworkId"].endswith(
        "/resourcegroups/rg-app/providers/microsoft.network/virtualnetworks/vnet-weu"
    )
    assert mapped["recoveryNetworkFriendlyName"] == "vnet-neu"


def test_a_container_is_recovery_before_the_way_back_is_mapped(caller: Caller) -> None:
    caller.do("PUT", POLICY, {"providerSpecificInput": policy()})
    for fabric, container, region in ((WEST, SOURCE, "westeurope"), (NORTH, TARGET, "northeurope")):
        caller.do("PUT", fabric, {"customDetails": {"instanceType": "Azure", "location": region}})
        caller.do("PUT", container, {})
    assert caller.get(SOURCE)["properties"]["pairingStatus"] == "NotPaired"
    caller.do("PUT", mapping(SOURCE, "there"), pair(TARGET))
    assert caller.get(SOURCE)["properties"]["role"] == "Primary"
    assert caller.get(TARGET)["properties"]["role"] == "Recovery"


def test_fabrics_are_made_one_after_the_other(caller: Caller) -> None:
    first = caller.send(
        "PUT", WEST, {"properties": {"customDetails": {"instanceType": "Azure", "location": "West Europe"}}}
    )
    second = caller.send(
        "PUT", NORTH, {"properties": {"customDetails": {"instanceType": "Azure", "location": "northeurope"}}}
    )
    failed = caller.finish(second)
    assert (failed["status"], failed["error"]["code"]) == ("Failed", "532")
    assert caller.finish(first)["status"] == "Succeeded"
    assert [one["name"] for one in caller.get(f"{VAULT}/replicationFabrics")["value"]] == ["weu"]


def test_what_is_there_is_left_as_it_is(paired: Caller) -> None:
    paired.do("PUT", WEST, {"customDetails": {"instanceType": "Azure", "location": "westeurope"}})
    paired.do("PUT", SOURCE, {})
    paired.do("PUT", mapping(SOURCE, "there"), pair(TARGET))
    assert len(paired.get(f"{VAULT}/replicationProtectionContainerMappings")["value"]) == 2


POLICIES: list[tuple[dict[str, Any], str]] = [
    # what is wrong, the cause that the job tells
    ({"recoveryPointHistory": 21_601}, "between 0 and 21600 minutes"),
    ({"recoveryPointHistory": -1}, "between 0 and 21600 minutes"),
    ({"appConsistentFrequencyInMinutes": 59}, "can't be less than 60 minutes"),
    ({"appConsistentFrequencyInMinutes": 721}, "can't be more than 720 minutes"),
    ({"recoveryPointHistory": 0, "appConsistentFrequencyInMinutes": 60}, "more than the recovery point retention"),
    ({"recoveryPointHistory": 60, "appConsistentFrequencyInMinutes": 120}, "more than the recovery point retention"),
    ({"crashConsistentFrequencyInMinutes": 10}, "must be 5 minutes"),
]


@pytest.mark.parametrize(("wrong", "cause"), POLICIES)
def test_a_policy_out_of_range_is_accepted_and_fails(caller: Caller, wrong: dict[str, Any], cause: str) -> None:
    failed = caller.finish(caller.send("PUT", POLICY, {"properties": {"providerSpecificInput": policy(**wrong)}}))
    assert failed["error"] == {"code": "150261", "message": "Replication policy creation failed.", "details": None}
    errors = caller.job(failed["name"])["errors"]
    assert cause in errors[0]["serviceErrorDetails"]["possibleCauses"]
    assert caller.send("GET", POLICY).status == 404


@pytest.mark.parametrize(
    "edge", [{"recoveryPointHistory": 21_600, "appConsistentFrequencyInMinutes": 720}, {"recoveryPointHistory": 0}]
)
def test_a_policy_at_the_edges_is_made(caller: Caller, edge: dict[str, Any]) -> None:
    caller.do("PUT", POLICY, {"providerSpecificInput": policy(**edge)})
    assert caller.get(POLICY)["properties"]["providerSpecificDetails"]["multiVmSyncStatus"] == "Enabled"


def test_a_policy_is_changed_in_place_by_another_word(paired: Caller) -> None:
    paired.do(
        "PATCH", POLICY, {"replicationProviderSettings": policy(recoveryPointHistory=4320, multiVmSyncStatus="Disable")}
    )
    details = paired.get(POLICY)["properties"]["providerSpecificDetails"]
    assert (details["recoveryPointHistory"], details["multiVmSyncStatus"]) == (4320, "Disabled")


AGENT = {"agentAutoUpdateStatus": "Enabled", "automationAccountAuthenticationType": "SystemAssignedIdentity"}
REFUSED: list[tuple[str, str, str, dict[str, Any], str]] = [
    ("wire", "PUT", POLICY, {"providerSpecificInput": policy(instanceType="InMage")}, "ProviderNotSupported"),
    ("ASR-03", "PUT", POLICY, {"providerSpecificInput": policy(multiVmSyncStatus="Enabled")}, "InvalidParameter"),
    ("ASR-05", "DELETE", POLICY, {}, "PolicyInUse"),
    (
        "ASR-10",
        "PUT",
        f"{WEST}-x",
        {"customDetails": {"instanceType": "Azure", "location": "atlantis"}},
        "InvalidFabricLocation",
    ),
    (
        "wire",
        "PUT",
        f"{WEST}-x",
        {"customDetails": {"instanceType": "Azure", "location": "westeurope"}},
        "FabricAlreadyExists",
    ),
    (
        "wire",
        "PUT",
        WEST,
        {"customDetails": {"instanceType": "Azure", "location": "uksouth"}},
        "FabricLocationMismatch",
    ),
    ("wire", "DELETE", WEST, {}, "FabricInUse"),
    ("wire", "POST", f"{SOURCE}/remove", {}, "ProtectionContainerInUse"),
    ("ASR-10", "PUT", mapping(SOURCE, "self"), pair(SOURCE), "InvalidTargetProtectionContainer"),
    ("wire", "PUT", mapping(SOURCE, "there"), {**pair(TARGET), "policyId": f"{POLICY}-2"}, "PolicyArmEntityMissing"),
    (
        "ASR-41",
        "PUT",
        mapping(SOURCE, "there"),
        pair(TARGET, **AGENT, automationAccountArmId=f"{AUTOMATION}/none"),
        "AutomationAccountNotFound",
    ),
    (
        "ASR-14",
        "PUT",
        network_mapping(WEST, "x"),
        networks("vnet-neu", "rg-DR", "vnet-neu", "rg-DR", "neu"),
        "NetworkLocationMismatch",
    ),
    (
        "ASR-14",
        "PUT",
        network_mapping(WEST, "x"),
        networks("none", "rg-App", "vnet-neu", "rg-DR", "neu"),
        "NetworkNotFound",
    ),
    (
        "wire",
        "PUT",
        network_mapping(WEST, "x"),
        networks("vnet-weu", "rg-App", "vnet-neu", "rg-DR", "no"),
        "FabricArmEntityMissing",
    ),
    ("wire", "GET", f"{WEST}-x", {}, "FabricArmEntityMissing"),
    ("wire", "GET", f"{SOURCE}-x", {}, "ProtectionContainerArmEntityMissing"),
    ("wire", "GET", mapping(SOURCE, "x"), {}, "ProtectionContainerMappingArmEntityMissing"),
]


@pytest.mark.parametrize(("rule", "method", "path", "properties", "code"), REFUSED)
def test_refused(paired: Caller, rule: str, method: str, path: str, properties: dict[str, Any], code: str) -> None:
    answer = paired.send(method, path, {"properties": properties} if method in ("PUT", "POST") else None)
    assert answer.code == code, answer
    assert answer.status == (404 if code.endswith("EntityMissing") else 400)
    assert rule == "wire" or answer.rule == rule


def test_restricted_pairs_are_not_mapped(caller: Caller) -> None:
    """Brazil South is a source only, Brazil Southeast a target only (ASR-10)."""
    caller.do("PUT", POLICY, {"providerSpecificInput": policy()})
    containers = {}
    for region in ("brazilsouth", "brazilsoutheast"):
        fabric = f"{VAULT}/replicationFabrics/{region}"
        containers[region] = f"{fabric}/replicationProtectionContainers/c"
        caller.do("PUT", fabric, {"customDetails": {"instanceType": "Azure", "location": region}})
        caller.do("PUT", containers[region], {})
    caller.do("PUT", mapping(containers["brazilsouth"], "out"), pair(containers["brazilsoutheast"]))
    back = caller.send(
        "PUT", mapping(containers["brazilsoutheast"], "in"), {"properties": pair(containers["brazilsouth"])}
    )
    assert (back.code, back.rule) == ("RegionPairNotSupported", "ASR-10")


def test_agents_are_updated_by_an_automation_account_of_the_vault(paired: Caller) -> None:
    agent = {"instanceType": "A2A", **AGENT, "automationAccountArmId": f"{AUTOMATION}/auto"}
    paired.do("PATCH", mapping(SOURCE, "there"), {"providerSpecificInput": agent})
    details = paired.get(mapping(SOURCE, "there"))["properties"]["providerSpecificDetails"]
    assert details["agentAutoUpdateStatus"] == "Enabled"
    assert details["scheduleName"]
    paired.send("PUT", f"{AUTOMATION}/other", {"location": "northeurope"})
    second = {"properties": {"providerSpecificInput": {**agent, "automationAccountArmId": f"{AUTOMATION}/other"}}}
    answer = paired.send("PATCH", mapping(TARGET, "back"), second)
    assert (answer.code, answer.rule) == ("AutomationAccountConflict", "ASR-41")


def test_topology_is_torn_down_from_the_inside(paired: Caller) -> None:
    paired.do("POST", f"{mapping(SOURCE, 'there')}/remove", {"providerSpecificInput": {"instanceType": "A2A"}})
    paired.do("DELETE", mapping(TARGET, "back"))
    for container in (SOURCE, TARGET):
        paired.do("POST", f"{container}/remove")
    paired.do("DELETE", POLICY)
    paired.do("POST", f"{WEST}/remove")  # network mappings do not hold it
    paired.do("DELETE", NORTH)
    assert paired.get(f"{VAULT}/replicationFabrics")["value"] == []
    for path in (POLICY, WEST, mapping(SOURCE, "there"), network_mapping(WEST, "there")):
        assert paired.send("DELETE", path).status == 204
    assert paired.send("POST", f"{SOURCE}/remove").status == 204
