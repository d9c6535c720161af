"""Whatever fails leaves a machine as it was, and free; a killed emulator goes on where it was; a vault in use stays."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.emulator import estate, providers
from reconciler.emulator.clock import Clock
from reconciler.emulator.store import Store
from reconciler.emulator.world import World
from tests.emulator.site_recovery.replicator import (
    ESTATE,
    ITEM,
    MOVED,
    NORTH,
    POLICY,
    SOURCE,
    TARGET,
    VAULT,
    WEST,
    Caller,
    drill,
    failover,
    mapping,
)

PROVIDER = {"providerSpecificDetails": {"instanceType": "A2A"}}
FREE: list[tuple[str, str, dict[str, Any]]] = [
    ("PATCH", ITEM, PROVIDER),
    ("POST", f"{ITEM}/unplannedFailover", failover()),
    ("POST", f"{ITEM}/updateMobilityService", {}),
    ("POST", f"{ITEM}/resolveHealthErrors", {}),
    ("POST", f"{ITEM}/repairReplication", {}),
    ("POST", f"{ITEM}/remove", {}),
    ("DELETE", ITEM, {}),
]


def break_operations(caller: Caller, method: str, path: str) -> None:
    rule = {"method": method, "path": path, "operation": "fails", "code": "150000", "message": "No luck."}
    caller.world.faults.add(rule)


@pytest.mark.parametrize(("method", "path", "properties"), FREE)
def test_what_fails_changes_nothing(paired: Caller, method: str, path: str, properties: dict[str, Any]) -> None:
    paired.protect()
    before = paired.item()
    break_operations(paired, method, path)
    failed = paired.finish(paired.send(method, path, {"properties": properties}))
    assert (failed["status"], failed["error"]["code"]) == ("Failed", "150000")
    after = paired.item()
    assert after["allowedOperations"] == before["allowedOperations"]
    assert after["currentScenario"]["scenarioName"] == "None"
    assert paired.job(failed["name"])["errors"][0]["serviceErrorDetails"]["message"] == "No luck."
    paired.world.faults.clear()
    paired.do(method, path, properties)


def test_a_cleanup_that_fails_is_still_to_be_done(paired: Caller) -> None:
    paired.protect()
    paired.do("POST", f"{ITEM}/testFailover", drill())
    break_operations(paired, "POST", "*/testFailoverCleanup")
    failed = paired.finish(paired.send("POST", f"{ITEM}/testFailoverCleanup", {"properties": {"comments": ""}}))
    assert failed["status"] == "Failed"
    assert paired.item()["allowedOperations"] == ["TestFailoverCleanup"]
    paired.world.faults.clear()
    paired.do("POST", f"{VAULT}/replicationJobs/{failed['name']}/restart")
    paired.wait(minutes=5)
    assert paired.item()["testFailoverState"] == "None"


@pytest.mark.parametrize("action", ["failoverCommit", "switchprotection"])
def test_a_failover_that_cannot_go_on_stays_where_it_is(paired: Caller, action: str) -> None:
    paired.protect()
    paired.do("POST", f"{ITEM}/unplannedFailover", failover())
    path = f"{SOURCE}/switchprotection" if action == "switchprotection" else f"{ITEM}/failoverCommit"
    sent = paired.switch(ITEM, SOURCE, "cacheneu", "rg-App") if action == "switchprotection" else {}
    break_operations(paired, "POST", f"*/{action}")
    assert paired.finish(paired.send("POST", path, {"properties": sent}))["status"] == "Failed"
    assert paired.item()["protectionState"] == "UnplannedFailoverCommitPendingStatesBegin"
    paired.world.faults.clear()
    paired.do("POST", path, sent)


MADE: list[tuple[str, str, dict[str, Any]]] = [
    ("PUT", f"{WEST}-2", {"customDetails": {"instanceType": "Azure", "location": "uksouth"}}),
    ("PUT", f"{SOURCE}-2", {}),
    ("DELETE", mapping(SOURCE, "there"), {}),
]


@pytest.mark.parametrize(("method", "path", "properties"), MADE)
def test_topology_that_fails_is_not_made(paired: Caller, method: str, path: str, properties: dict[str, Any]) -> None:
    break_operations(paired, method, path)
    assert paired.finish(paired.send(method, path, {"properties": properties}))["status"] == "Failed"
    assert paired.send("GET", path).status == (200 if method == "DELETE" else 404)


def test_an_operation_that_hangs_holds_the_machine(paired: Caller) -> None:
    paired.protect()
    paired.world.faults.add({"path": "*/unplannedFailover", "operation": "hangs"})
    answer = paired.send("POST", f"{ITEM}/unplannedFailover", {"properties": failover()})
    paired.wait(days=1)
    assert paired.finish(answer, polls=3)["status"] == "InProgress"
    assert paired.item()["allowedOperations"] == []


def test_a_killed_emulator_goes_on_where_it_was(tmp_path: Path) -> None:
    kept = Caller(_open(tmp_path / "state.db"))
    estate.load(kept.world, ESTATE)
    kept.build_topology()
    kept.do("PUT", ITEM, kept.enabling())
    assert kept.item()["protectionState"] == "InitialReplicationInProgress"
    kept.world.commit()
    kept.world.store.close()
    again = Caller(_open(tmp_path / "state.db"))
    again.wait(hours=1)
    assert again.item()["protectionState"] == "Protected"
    assert again.get(f"{ITEM}/recoveryPoints")["value"]


def _open(path: Path) -> World:
    return World(
        store=Store(path),
        clock=Clock(estate.origin(ESTATE), speed=0),
        completions=providers.completions(),
        tickers=providers.tickers(),
    )


def test_a_vault_with_fabrics_is_not_deleted(paired: Caller) -> None:
    group = paired.send("DELETE", VAULT.partition("/providers/")[0])
    assert (group.status, group.body["error"]["code"]) == (409, "ResourceGroupDeletionBlocked")
    answer = paired.send("DELETE", VAULT)
    assert (answer.status, answer.body["error"]["code"]) == (400, "ServiceResourceNotEmptyWithBackendMessage")
    paired.do("DELETE", mapping(SOURCE, "there"))
    paired.do("DELETE", mapping(TARGET, "back"))
    for path in (SOURCE, TARGET, WEST, NORTH):
        paired.do("POST", f"{path}/remove", {})
    paired.do("DELETE", POLICY)
    assert paired.send("DELETE", VAULT).status == 202
    paired.world.advance(timedelta(minutes=1))
    assert paired.send("GET", f"{VAULT}/replicationFabrics").status == 404


def test_networks_are_not_listed_by_the_service(paired: Caller) -> None:
    assert (
        paired.get(f"{VAULT}/replicationNetworks")["value"] == paired.get(f"{WEST}/replicationNetworks")["value"] == []
    )


def test_a_moved_item_is_purged_where_it_is(paired: Caller) -> None:
    paired.protect()
    paired.fail_over()
    paired.do("POST", f"{SOURCE}/switchprotection", paired.switch(ITEM, SOURCE, "cacheneu", "rg-App"))
    assert paired.send("DELETE", ITEM).status == 204
    paired.do("DELETE", MOVED)
    assert paired.get(f"{VAULT}/replicationProtectedItems")["value"] == []
