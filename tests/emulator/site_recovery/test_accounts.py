"""Storage and automation accounts, and estates with machines that are replicated already."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any
from urllib.parse import urlsplit

import pytest

from reconciler.emulator.estate import EstateError
from tests.emulator.site_recovery.replicator import ESTATE, GROUPS, SUBSCRIPTION, Caller

STORAGE = f"{GROUPS}/rg-App/providers/Microsoft.Storage/storageAccounts"
AUTOMATION = f"{GROUPS}/rg-DR/providers/Microsoft.Automation/automationAccounts"
BODY = {"location": "West Europe", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}, "properties": {}}


def test_a_storage_account_is_made_in_a_while(caller: Caller) -> None:
    caller.world.clock.auto_advance = False
    answer = caller.send("PUT", f"{STORAGE}/fresh", BODY)
    assert (answer.status, answer.body) == (202, None)
    url = urlsplit(answer.headers["location"])
    assert caller.send("GET", f"{url.path}?{url.query}").status == 202
    caller.wait(minutes=1)
    assert caller.get(f"{url.path}?{url.query}")["properties"]["provisioningState"] == "Succeeded"
    again = caller.send("PUT", f"{STORAGE}/fresh", {**BODY, "tags": {"a": "b"}})
    assert (again.status, again.body["tags"]) == (200, {"a": "b"})
    assert caller.send("PATCH", f"{STORAGE}/fresh", {"tags": {}}).body["tags"] == {}
    names = [
        one["name"]
        for one in caller.get(f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Storage/storageAccounts")["value"]
    ]
    assert {"fresh", "cacheneu"} <= {*names}
    assert [caller.send("DELETE", f"{STORAGE}/fresh").status for _ in range(2)] == [200, 204]
    assert caller.send("GET", f"{STORAGE}/fresh").status == 404


REFUSED: list[tuple[str, dict[str, Any], int, str]] = [
    ("UPPER", BODY, 400, "AccountNameInvalid"),
    ("ab", BODY, 400, "AccountNameInvalid"),
    ("cacheneu", BODY, 409, "StorageAccountAlreadyTaken"),
    ("fresh", {**BODY, "location": ""}, 400, "LocationRequired"),
    ("fresh", {**BODY, "kind": "Tape"}, 400, "InvalidRequestPropertyValue"),
]


@pytest.mark.parametrize(("name", "body", "status", "code"), REFUSED)
def test_refused_accounts(caller: Caller, name: str, body: dict[str, Any], status: int, code: str) -> None:
    answer = caller.send("PUT", f"{STORAGE}/{name}", body)
    assert (answer.status, answer.body["error"]["code"]) == (status, code)


def test_soft_delete_of_blobs_is_a_setting(caller: Caller) -> None:
    path = f"{STORAGE}/cacheweu/blobServices"
    assert caller.get(f"{path}/default")["properties"]["deleteRetentionPolicy"] == {"enabled": False}
    kept = {"deleteRetentionPolicy": {"enabled": True, "days": 7}}
    assert caller.send("PUT", f"{path}/default", {"properties": kept}).status == 200
    assert caller.get(path)["value"][0]["properties"]["deleteRetentionPolicy"] == kept["deleteRetentionPolicy"]


def test_automation_accounts_and_their_runbooks(caller: Caller) -> None:
    assert [one["name"] for one in caller.get(AUTOMATION)["value"]] == ["auto"]
    assert [one["name"] for one in caller.get(f"{AUTOMATION}/auto/runbooks")["value"]] == ["broken", "update-dns"]
    assert caller.send("PUT", f"{AUTOMATION}/more", {"location": "northeurope"}).status == 201
    assert caller.send("PUT", f"{AUTOMATION}/more/runbooks/one", {"properties": {}}).status == 201
    assert caller.get(f"{AUTOMATION}/more/runbooks/one")["properties"]["state"] == "Published"
    assert caller.send("DELETE", f"{AUTOMATION}/more").status == 200
    assert caller.send("GET", f"{AUTOMATION}/more/runbooks/one").status == 404


VAULT = f"{GROUPS}/rg-DR/providers/Microsoft.RecoveryServices/vaults/rsv-dr"
REPLICATED: dict[str, Any] = {
    "vault": "rsv-dr",
    "resourceGroup": "rg-DR",
    "policies": {"day": {"retentionHours": 24, "appConsistentHours": 4}},
    "routes": [{"from": "westeurope", "to": "northeurope", "policy": "day", "networks": {"vnet-weu": "vnet-neu"}}],
    "machines": [{"vm": "rg-App/web-01", "to": "northeurope", "resourceGroup": "rg-DR", "cache": "cacheweu"}],
    "plans": [{"name": "rp-web", "from": "westeurope", "to": "northeurope", "groups": [["web-01"]]}],
}


def replicated(**machine: Any) -> dict[str, Any]:
    document = deepcopy(ESTATE)
    document["siteRecovery"] = [deepcopy(REPLICATED)]
    document["siteRecovery"][0]["machines"][0] |= machine
    return document


STATES = [
    ({}, "Protected", "None", "Warning"),
    ({"drilledDaysAgo": 10}, "Protected", "None", "Normal"),
    ({"state": "InitialReplication"}, "InitialReplicationInProgress", "None", "Normal"),
    ({"state": "TestFailover"}, "Protected", "WaitingForCompletion", "Warning"),
    ({"state": "FailedOver", "failedOverDaysAgo": 2}, "UnplannedFailoverCommitPendingStatesBegin", "None", "Normal"),
    ({"state": "Committed"}, "UnplannedFailoverCommitted", "None", "Normal"),
]


@pytest.mark.parametrize(("machine", "state", "drill", "health"), STATES)
def test_an_estate_begins_in_any_state(
    caller_of: Callable[[dict[str, Any]], Caller], machine: dict[str, Any], state: str, drill: str, health: str
) -> None:
    caller = caller_of(replicated(**machine))
    item = caller.get(f"{VAULT}/replicationProtectedItems")["value"][0]["properties"]
    assert (item["protectionState"], item["testFailoverState"], item["failoverHealth"]) == (state, drill, health)
    assert caller.get(f"{VAULT}/replicationRecoveryPlans/rp-web")["properties"]["groups"]
    names = [one["name"] for one in caller.get(f"{VAULT}/replicationFabrics")["value"]]
    assert names == ["asr-a2a-default-northeurope", "asr-a2a-default-westeurope"]


def test_two_regions_go_to_a_third(caller_of: Callable[[dict[str, Any]], Caller]) -> None:
    """One vault, one policy, a route from each region; a plan has one source only (ASR-61)."""
    document = replicated()
    document["resourceGroups"].append({"subscription": "Tests", "name": "rg-East", "location": "eastus2"})
    document["virtualMachines"] += [
        {"name": name, "resourceGroup": "rg-East", "osDisk": {"sizeGB": 32}} for name in ("east-01", "web-01")
    ]
    document["storageAccounts"].append({"name": "cacheeast", "resourceGroup": "rg-East"})
    vault = document["siteRecovery"][0]
    vault["routes"].append({"from": "eastus2", "to": "northeurope", "policy": "day"})
    vault["machines"] += [
        {"vm": f"rg-East/{name}", "to": "northeurope", "resourceGroup": "rg-DR", "cache": "cacheeast"}
        for name in ("east-01", "web-01")
    ]
    caller = caller_of(document)
    items = caller.get(f"{VAULT}/replicationProtectedItems")["value"]
    sources = sorted((one["name"], one["properties"]["primaryFabricFriendlyName"]) for one in items)
    assert sources == [("east-01", "East US 2"), ("web-01", "East US 2"), ("web-01", "West Europe")]
    groups: list[dict[str, Any]] = [
        {"groupType": "Boot", "replicationProtectedItems": [{"id": one["id"]} for one in items]}
    ]
    fabrics = f"{VAULT}/replicationFabrics/asr-a2a-default"
    plan = {"primaryFabricId": f"{fabrics}-eastus2", "recoveryFabricId": f"{fabrics}-northeurope", "groups": groups}
    answer = caller.send("PUT", f"{VAULT}/replicationRecoveryPlans/rp-both", {"properties": plan})
    assert (answer.code, answer.rule) == ("InvalidRecoveryPlanItem", "ASR-61")
    groups[0]["replicationProtectedItems"] = [{"id": one["id"]} for one in items if "eastus2" in one["id"]]
    caller.do("PUT", f"{VAULT}/replicationRecoveryPlans/rp-both", plan)


def test_an_estate_may_have_a_machine_without_new_points(caller_of: Callable[[dict[str, Any]], Caller]) -> None:
    caller = caller_of(replicated(stalledHours=3))
    item = caller.get(f"{VAULT}/replicationProtectedItems")["value"][0]["properties"]
    assert item["replicationHealth"] == "Critical"
    assert item["providerSpecificDetails"]["rpoInSeconds"] >= 3 * 3600
    caller.wait(hours=1)
    later = caller.get(f"{VAULT}/replicationProtectedItems")["value"][0]["properties"]
    assert later["providerSpecificDetails"]["rpoInSeconds"] >= 4 * 3600


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"vm": "rg-App/none"}, "there is no virtual machine rg-App/none"),
    ({"cache": "none"}, "exactly one Microsoft.Storage/storageAccounts none"),
    ({"cache": "cacheneu"}, "is not in West Europe"),
    ({"to": "uksouth"}, "no route leads from"),
    ({"colour": "red"}, "colour"),
]


@pytest.mark.parametrize(("machine", "message"), WRONG)
def test_an_estate_that_is_wrong_says_where(
    caller_of: Callable[[dict[str, Any]], Caller], machine: dict[str, Any], message: str
) -> None:
    with pytest.raises(EstateError, match=message):
        caller_of(replicated(**machine))
