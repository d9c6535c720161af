"""Recorded requests of Site Recovery, sent again as the one story that they are, and what else was kept of traffic.

The recordings are not in this repository; where they are absent, nothing here runs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from reconciler.emulator.router import Response
from tests.emulator.recorded.recordings import REPLICATION, Exchange, exchanges
from tests.emulator.recorded.replay import differences
from tests.emulator.site_recovery.replicator import (
    ITEM,
    SOURCE,
    VAULT,
    Answer,
    Caller,
    failover,
    make_world,
    network_id,
)

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
_PLATFORM_TAG = "platformsettings.host_environment.service.platform_optedin_for_rootcerts"
_NETWORK = {"subnets": {"default": "10.67.0.0/24"}, "addressPrefixes": ["10.67.0.0/16"]}
ESTATE: dict[str, Any] = {
    "estate": "recorded",
    "clock": "2023-01-16T08:00:00Z",
    "subscriptions": [{"id": SUBSCRIPTION, "name": "S"}],
    "resourceGroups": [
        {"subscription": "S", "name": "CliTeraformVaultRG", "location": "eastus2"},
        {"subscription": "S", "name": "CliTerraformVMRG", "location": "eastus"},
        {"subscription": "S", "name": "clitest.rg.siterecovery.000001", "location": "eastus"},
    ],
    "virtualMachines": [
        {
            "name": "CliVM2",
            "resourceGroup": "CliTerraformVMRG",
            "os": "Windows",
            "size": "Standard_DS1_v2",
            "upperCase": False,
            "tags": {"azsecpack": "nonprod", _PLATFORM_TAG: "true"},
            "osDisk": {"sizeGB": 127, "name": "CliVM2_OsDisk_1_80694d2fed274d0ca369121bd4fd635b"},
        },
        {"name": "vm000002", "resourceGroup": "clitest.rg.siterecovery.000001", "upperCase": False},
    ],
    "networks": [
        {"name": "CliTerraformVMRG-vnet", "resourceGroup": "CliTerraformVMRG", **_NETWORK},
        {
            "name": "cli-test-vnet-A2A-2",
            "resourceGroup": "CliTeraformVaultRG",
            "addressPrefixes": ["10.68.0.0/16"],
            "subnets": {"MySubnet": "10.68.0.0/24"},
        },
    ],
    "storageAccounts": [
        {"name": "cliteststoragea2a1", "resourceGroup": "CliTeraformVaultRG", "location": "eastus"},
        {"name": "cliteststoragea2a2", "resourceGroup": "CliTerraformVMRG", "location": "eastus2"},
    ],
    "siteRecovery": [{"vault": "CliTerraformVault", "resourceGroup": "CliTeraformVaultRG"}],
}

Told = tuple[str, int] | timedelta | str
REVERSE = "the way back is mapped (by a request that was not kept)"
UNTIL_PROTECTED = "the machine is Protected in reverse"
STORY: list[Told] = [
    *((("fabric", number)) for number in range(4)),
    ("policy", 0),
    ("policy", 1),
    *((("protection_container", number)) for number in range(4)),
    ("container_mapping", 0),
    ("container_mapping", 1),
    ("protection_container", 4),
    ("protection_container", 5),
    REVERSE,
    *((("network_mapping", number)) for number in range(3)),
    ("enable_protection", 0),
    timedelta(seconds=7),
    ("enable_protection", 1),
    ("protected_item_states", 0),
    timedelta(minutes=10),
    ("enable_protection", 2),
    ("protected_item_states", 1),
    timedelta(minutes=5),
    ("enable_protection", 3),
    ("protected_item_states", 2),
    timedelta(minutes=5),
    ("enable_protection", 4),
    ("protected_item_states", 3),
    *((("recovery_plan", number)) for number in range(3)),
    ("failover_commit_reprotect_failback", 0),
    ("failover_commit_reprotect_failback", 2),
    ("failover_commit_reprotect_failback", 3),
    UNTIL_PROTECTED,
    ("failover_commit_reprotect_failback", 6),
    ("recovery_plan", 4),
    ("recovery_plan", 5),
    ("disable_and_purge", 1),
    ("container_mapping", 7),
    ("container_mapping", 8),
    ("protection_container", 7),
    ("protection_container", 8),
    ("policy", 6),
    ("fabric", 5),
    ("fabric", 6),
]
ELSEWHERE = {
    # what the story leaves out, and where it is
    "lro_envelope": "test_an_operation_is_polled_as_recorded",
    "jobs_list": "test_jobs_are_told_as_recorded",
    "replication_eligibility": "test_eligibility_is_told_as_recorded",
    "update_protected_item": "test_a_change_is_accepted_as_recorded",
    "disable_and_purge": "#2 is recovery_plan#4",
}
EXPLAINED = {
    # what differs, and why
    r"header (date|strict-.*|x-content-type-options|x-ms-.*|x-go-azure.*) is there": "recorders leave them out",
    r"header content-length is missing": "of the connection",
    r"body.properties.providerSpecificDetails.churnOptionSelected is there": "a field of later versions",
    r"body.properties.customDetails.containerIds\[\] is missing": "these fabrics were there before the recording",
}


def recorded(file: str, number: int) -> Exchange:
    return next(one for one in exchanges() if one.file == f"asr/{file}" and one.number == number)


def replay(caller: Caller, exchange: Exchange) -> Answer:
    query = exchange.query or "api-version=2022-08-01"
    return caller.send(exchange.method, f"{exchange.path}?{query}", exchange.sent)


def told_otherwise(exchange: Exchange, answer: Answer) -> list[str]:
    return [*differences(exchange, Response(answer.status, answer.body, dict(answer.headers)))]


def unexplained(exchange: Exchange, answer: Answer) -> list[str]:
    found = told_otherwise(exchange, answer)
    return [f"{exchange.name}: {text}" for text in found if not any(re.fullmatch(one, text) for one in EXPLAINED)]


@pytest.fixture
def cloud() -> Caller:
    return Caller(make_world(ESTATE))


def wait_for(caller: Caller, answer: Answer) -> None:
    caller.world.clock.auto_advance = True
    assert caller.finish(answer)["status"] == "Succeeded", answer
    caller.world.clock.auto_advance = False


def map_back(caller: Caller) -> Answer:
    """The reverse of a recorded mapping."""
    there = recorded("container_mapping", 0)
    body = json.loads(json.dumps(there.sent).replace("A2A-2", "A2A-1"))
    return caller.send("PUT", there.path.replace("A2A-1", "A2A-2"), body)


def tell(caller: Caller) -> Iterator[tuple[Exchange, Answer]]:
    """The whole story: each recorded request and its answer."""
    caller.world.clock.auto_advance = False
    for told in STORY:
        if isinstance(told, timedelta):
            caller.world.advance(told)
        elif told == UNTIL_PROTECTED:
            caller.world.advance(timedelta(hours=1))
        elif told == REVERSE:
            wait_for(caller, map_back(caller))
        else:
            exchange = recorded(str(told[0]), int(told[1]))
            answer = replay(caller, exchange)
            yield exchange, answer
            if answer.status == 202:
                wait_for(caller, answer)


def test_the_story_is_answered_as_it_was(cloud: Caller) -> None:
    found = [text for exchange, answer in tell(cloud) for text in unexplained(exchange, answer)]
    assert not found, "\n".join(found)


def test_every_explained_difference_still_exists(cloud: Caller) -> None:
    found = [text for exchange, answer in tell(cloud) for text in told_otherwise(exchange, answer)]
    assert not [one for one in EXPLAINED if not any(re.fullmatch(one, text) for text in found)]


def test_every_recorded_exchange_has_its_place() -> None:
    sent = {told for told in STORY if isinstance(told, tuple)}
    left = {one.file.removeprefix("asr/") for one in exchanges() if one.file.startswith("asr/")}
    missing = {
        one.name
        for one in exchanges()
        if one.file.startswith("asr/") and (one.file.removeprefix("asr/"), one.number) not in sent
    }
    assert {name.removeprefix("asr/").partition("#")[0] for name in missing} == ELSEWHERE.keys()
    assert left >= {file for file, _ in sent}


def test_an_operation_is_polled_as_recorded(cloud: Caller) -> None:
    cloud.world.clock.auto_advance = False
    answer = replay(cloud, recorded("lro_envelope", 0))
    assert not unexplained(recorded("lro_envelope", 0), answer)
    url = urlsplit(answer.headers["azure-asyncoperation"])
    for number, seconds in ((1, 30), (2, 31), (3, 31)):
        cloud.wait(seconds=seconds)
        status = cloud.send("GET", f"{url.path}?{url.query}")
        assert not unexplained(recorded("lro_envelope", number), status)
    assert not unexplained(recorded("lro_envelope", 4), replay(cloud, recorded("lro_envelope", 4)))


def test_a_failed_operation_is_told_as_recorded(paired: Caller) -> None:
    failed = paired.finish(paired.send("PUT", ITEM, {"properties": paired.enabling("off-01")}))
    theirs = recorded("lro_envelope", 5).body
    assert failed.keys() == theirs.keys()
    assert failed["error"] == theirs["error"]


def test_jobs_are_told_as_recorded(paired: Caller) -> None:
    paired.protect()
    theirs = {one["properties"]["scenarioName"]: one for one in recorded("jobs_list", 0).body["value"]}
    ours = {one["properties"]["scenarioName"]: one for one in paired.get(f"{VAULT}/replicationJobs")["value"]}
    assert ours.keys() == theirs.keys()
    for scenario, job in theirs.items():
        assert ours[scenario]["properties"].keys() == job["properties"].keys()
        for field in ("friendlyName", "state", "stateDescription", "targetInstanceType"):
            if not job["properties"][field].startswith("{"):
                assert ours[scenario]["properties"][field] == job["properties"][field], (scenario, field)


def test_eligibility_is_told_as_recorded(cloud: Caller) -> None:
    for number in (0, 1):
        exchange = recorded("replication_eligibility", number)
        assert not unexplained(exchange, replay(cloud, exchange))


def test_a_change_is_accepted_as_recorded(paired: Caller) -> None:
    exchange = recorded("update_protected_item", 0)
    paired.protect()
    nic = paired.item()["providerSpecificDetails"]["vmNics"][0]
    sent = json.loads(json.dumps(exchange.sent))
    properties = sent["properties"]
    properties["selectedRecoveryAzureNetworkId"] = network_id("vnet-neu", "rg-DR")
    properties["vmNics"][0] |= {"nicId": nic["nicId"], "recoveryNicResourceGroupName": "rg-DR"}
    properties["vmNics"][0]["ipConfigs"][0] |= {
        "ipConfigName": nic["ipConfigs"][0]["name"],
        "recoverySubnetName": "apps",
    }
    answer = paired.send("PATCH", ITEM, sent)
    assert not [text for text in unexplained(exchange, answer) if "retry-after is missing" not in text]
    paired.finish(answer)
    assert paired.item()["providerSpecificDetails"]["vmNics"][0]["recoveryNicName"] == "A2ArecNICName330"


# what was kept of real traffic with values left out


def kept(file: str, number: int) -> Any:
    document = json.loads((REPLICATION / f"{file}.json").read_text(encoding="utf-8"))
    return document["exchanges"][number]["response"]["body"]


def tasks_of(job: dict[str, Any]) -> list[tuple[str, ...]]:
    """What is told of each task, but for the values that were not kept."""
    names = ("taskId", "friendlyName", "state", "stateDescription")
    return [tuple("" if task[name].startswith("{") else task[name] for name in names) for task in job["tasks"]]


def masked(ours: list[tuple[str, ...]], theirs: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    return [
        tuple(own if known else "" for own, known in zip(one, other, strict=True))
        for one, other in zip(ours, theirs, strict=True)
    ]


JOBS = [
    # the recorded job, and what makes one like it
    (1, "unplannedFailover"),
    (2, "switchprotection"),
    (3, "update"),
]


@pytest.mark.parametrize(("number", "action"), JOBS)
def test_tasks_are_those_that_were_recorded(paired: Caller, number: int, action: str) -> None:
    paired.protect()
    if action == "update":
        status = paired.do("PATCH", ITEM, {"recoveryAzureVMSize": "Standard_D2s_v5", "providerSpecificDetails": {}})
    else:
        status = paired.do("POST", f"{ITEM}/unplannedFailover", failover(shut_down=True))
    if action == "switchprotection":
        paired.do("POST", f"{ITEM}/failoverCommit")
        status = paired.do("POST", f"{SOURCE}/{action}", paired.switch(ITEM, SOURCE, "cacheneu", "rg-App"))
    ours, theirs = paired.job(status["name"]), kept("job_details", number)["properties"]
    assert (ours["scenarioName"], ours["friendlyName"], ours["state"]) == tuple(
        theirs[name] for name in ("scenarioName", "friendlyName", "state")
    )
    recorded_tasks = tasks_of(theirs)
    assert masked(tasks_of(ours), recorded_tasks) == recorded_tasks
    assert ours["tasks"][0].keys() == theirs["tasks"][0].keys()


def test_a_missing_fabric_is_told_as_in_a_real_answer(paired: Caller) -> None:
    theirs = kept("errors", 0)["error"]
    ours = paired.send("GET", f"{VAULT}/replicationFabrics/primary-fabric").body["error"]
    for drawn in ("activityId", "clientRequestId"):
        assert ours["details"][0].pop(drawn)
        theirs["details"][0].pop(drawn)
    assert ours == theirs


COMPOSED = [
    ("test_failover_and_cleanup", 1),
    ("test_failover_and_cleanup", 3),
    ("test_failover_and_cleanup", 4),
    ("failover_commit_reprotect_failback", 1),
    ("failover_commit_reprotect_failback", 4),
]


@pytest.mark.parametrize(("file", "number"), COMPOSED)
def test_composed_bodies_have_the_fields_that_are_served(paired: Caller, file: str, number: int) -> None:
    paired.protect()
    ours, theirs = paired.item(), kept(file, number)["properties"]
    assert theirs.keys() - {"lastSuccessfulTestFailoverTime"} == ours.keys()
    details, served = theirs["providerSpecificDetails"], ours["providerSpecificDetails"]
    assert details.keys() == served.keys() - {"churnOptionSelected"}
    for field in ("protectedManagedDisks", "vmNics"):
        assert details[field][0].keys() == served[field][0].keys()
