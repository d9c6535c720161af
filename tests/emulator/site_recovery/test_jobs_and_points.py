"""Jobs in lists and one by one, results of operations, recovery points as they grow old, and settings of a vault."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urlsplit

import pytest

from tests.emulator.site_recovery.replicator import ITEM, POLICY, SOURCE, VAULT, WEST, Caller, drill, policy

JOBS = f"{VAULT}/replicationJobs"


def scenarios(caller: Caller, query: str = "") -> list[str]:
    return [one["properties"]["scenarioName"] for one in caller.get(f"{JOBS}{query}")["value"]]


def test_jobs_are_listed_newest_first_and_without_tasks(paired: Caller) -> None:
    paired.protect()
    listed = paired.get(JOBS)["value"]
    assert [one["properties"]["scenarioName"] for one in listed[:2]] == ["PrimaryIrCompletion", "EnableDr"]
    assert listed[-1]["properties"]["scenarioName"] == "AddProtectionProfile"
    assert all((one["properties"]["tasks"], one["properties"]["activityId"]) == ([], None) for one in listed)
    enabling = paired.job(listed[1]["name"])
    assert [task["state"] for task in enabling["tasks"]] == ["Succeeded"] * 5
    assert enabling["targetObjectName"] == "web-01"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?$filter=jobName eq 'EnableDr'", ["EnableDr"]),
        ("?$filter=jobStatus eq 'Failed'", []),
        (
            "?$filter=affectedObjectTypes eq 'ProtectionEntity' and jobStatus eq 'Succeeded,Failed'",
            ["PrimaryIrCompletion", "EnableDr"],
        ),
        ("?$filter=startTime eq '2030-01-01T00:00:00Z'", []),
    ],
)
def test_jobs_are_filtered(paired: Caller, query: str, found: list[str]) -> None:
    paired.protect()
    assert scenarios(paired, query) == found


def test_a_page_of_jobs_leads_to_the_next(paired: Caller) -> None:
    paired.world.configuration = type(paired.world.configuration)(page_size=3)
    first = paired.get(JOBS)
    assert len(first["value"]) == 3
    url = urlsplit(first["nextLink"])
    second = paired.get(f"{url.path}?{url.query}")
    assert not {one["name"] for one in first["value"]} & {one["name"] for one in second["value"]}


@pytest.mark.parametrize("collection", ["replicationProtectedItems", "replicationProtectionContainers"])
def test_a_list_leads_to_its_next_page(paired: Caller, collection: str) -> None:
    for vm in ("web-01", "APP-02"):
        paired.protect(vm)
    paired.world.configuration = type(paired.world.configuration)(page_size=1)
    first = paired.get(f"{VAULT}/{collection}")
    url = urlsplit(first["nextLink"])
    last = paired.get(f"{url.path}?{url.query}")
    assert [len(first["value"]), len(last["value"]), last["nextLink"]] == [1, 1, None]
    assert first["value"][0]["id"] != last["value"][0]["id"]


def test_tasks_go_on_with_the_clock(paired: Caller) -> None:
    paired.world.clock.auto_advance = False
    answer = paired.send("PUT", ITEM, {"properties": paired.enabling()})
    name = answer.headers["x-ms-request-id"].rpartition("/")[2]
    states = []
    for _ in range(3):
        states.append([task["state"] for task in paired.job(name)["tasks"]])
        paired.wait(seconds=150)
    assert states[0] == ["InProgress", *["NotStarted"] * 4]
    assert states[1][:2] == ["Succeeded", "InProgress"]
    assert states[2][2] == "InProgress"
    assert paired.job(name)["tasks"][4]["startTime"] != "0001-01-01T00:00:00"


def test_results_are_the_resource_or_nothing(paired: Caller) -> None:
    answer = paired.send(
        "PATCH", POLICY, {"properties": {"replicationProviderSettings": policy(recoveryPointHistory=60)}}
    )
    url = urlsplit(answer.headers["location"])
    paired.world.clock.auto_advance = False
    assert paired.send("GET", f"{url.path}?{url.query}").status == 202
    paired.wait(seconds=2)
    assert paired.get(f"{url.path}?{url.query}")["name"] == "day"
    gone = paired.send("POST", f"{WEST}/replicationProtectionContainers/none/remove")
    assert gone.status == 204
    failed = paired.send(
        "PATCH", POLICY, {"properties": {"replicationProviderSettings": policy(recoveryPointHistory=99_999)}}
    )
    paired.wait(seconds=2)
    url = urlsplit(failed.headers["location"])
    assert paired.send("GET", f"{url.path}?{url.query}").body["error"]["code"] == "150261"
    assert paired.send("GET", f"{VAULT}/replicationOperationStatus/none").status == 404


def test_every_write_tells_where_to_ask(paired: Caller) -> None:
    answer = paired.send("PUT", SOURCE, {"properties": {}})
    name = answer.headers["x-ms-request-id"].rpartition("/")[2]
    assert urlsplit(answer.headers["azure-asyncoperation"]).path.startswith("/Subscriptions/")
    assert urlsplit(answer.headers["azure-asyncoperation"]).path.endswith(f"/replicationOperationStatus/{name}")
    assert urlsplit(answer.headers["location"]).path.endswith(f"/c-weu/operationresults/{name}")
    assert not answer.body
    shown = paired.finish(answer)
    assert (shown["id"], shown["properties"], shown["percentComplete"]) == (None, None, None)
    assert shown["endTime"].endswith(".0000000Z")


def test_points_are_thinned_out_with_age(paired: Caller) -> None:
    paired.do(
        "PATCH",
        POLICY,
        {"replicationProviderSettings": policy(recoveryPointHistory=21_600, appConsistentFrequencyInMinutes=240)},
    )
    paired.protect()
    paired.wait(days=20)
    points = paired.get(f"{ITEM}/recoveryPoints")["value"]
    now = paired.world.clock.now()
    ages = [now - datetime.fromisoformat(point["properties"]["recoveryPointTime"]) for point in points]
    assert ages == sorted(ages)
    assert max(ages) <= timedelta(days=15)
    within = {
        hours: sum(low * 3600 < age.total_seconds() <= hours * 3600 for age in ages)
        for low, hours in ((0, 2), (2, 24), (24, 168), (168, 360))
    }
    assert 22 <= within[2] <= 24
    assert 20 <= within[24] <= 23
    assert 70 <= within[168] <= 73
    assert 46 <= within[360] <= 49
    kinds = {point["properties"]["recoveryPointType"] for point in points}
    assert kinds == {"AppConsistent", "CrashConsistent"}
    one = paired.get(points[-1]["id"])
    assert one == points[-1]


@pytest.mark.parametrize(("history", "most"), [(0, 1), (60, 14)])
def test_a_short_retention_keeps_few(paired: Caller, history: int, most: int) -> None:
    paired.do("PATCH", POLICY, {"replicationProviderSettings": policy(recoveryPointHistory=history)})
    paired.protect()
    paired.wait(days=1)
    assert 1 <= len(paired.get(f"{ITEM}/recoveryPoints")["value"]) <= most


def test_a_point_that_is_gone_cannot_be_used(paired: Caller) -> None:
    paired.protect()
    old = paired.get(f"{ITEM}/recoveryPoints")["value"][-1]["id"]
    paired.wait(days=3)
    answer = paired.send("POST", f"{ITEM}/testFailover", {"properties": drill(recoveryPointId=old)})
    assert (answer.status, answer.code) == (404, "RecoveryPointArmEntityMissing")


def test_alerts_are_set_at_once(paired: Caller) -> None:
    path = f"{VAULT}/replicationAlertSettings/defaultAlertSetting"
    assert paired.send("GET", path).status == 404
    sent = {"sendToOwners": "Send", "customEmailAddresses": ["ops@example.com"], "locale": "en-GB"}
    assert paired.send("PUT", path, {"properties": sent}).body["properties"] == sent
    assert paired.get(f"{VAULT}/replicationAlertSettings")["value"] == [paired.get(path)]


def test_health_counts_what_there_is(paired: Caller) -> None:
    paired.protect()
    health = paired.get(f"{VAULT}/replicationVaultHealth")["properties"]
    assert health["fabricsHealth"]["categorizedResourceCounts"] == {"Normal": 2}
    assert [issue["summaryCode"] for issue in health["protectedItemsHealth"]["issues"]] == ["161011"]
    paired.do("POST", f"{ITEM}/resolveHealthErrors", {"healthErrors": [{"healthErrorId": "6:8010"}]})
    assert paired.item()["healthErrors"]  # its cause is still there
