"""Recovery plans: three groups with a runbook and a manual action, and what is refused of a plan."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.emulator.providers.automation import invocations
from tests.emulator.site_recovery.replicator import (
    GROUPS,
    ITEM,
    MOVED,
    NORTH,
    POLICY,
    SOURCE,
    SUBSCRIPTION,
    TARGET,
    VAULT,
    WEST,
    Caller,
    network_id,
    policy,
)

PLAN = f"{VAULT}/replicationRecoveryPlans/rp-shop"
APP = f"{SOURCE}/replicationProtectedItems/APP-02"
RUNBOOKS = f"{GROUPS}/rg-DR/providers/Microsoft.Automation/automationAccounts/auto/runbooks"
ALWAYS = {
    "failoverTypes": ["TestFailover", "UnplannedFailover"],
    "failoverDirections": ["PrimaryToRecovery", "RecoveryToPrimary"],
}


def runbook(name: str = "update-dns", **more: Any) -> dict[str, Any]:
    details = {
        "instanceType": "AutomationRunbookActionDetails",
        "runbookId": f"{RUNBOOKS}/{name}",
        "timeout": "PT10M",
        "fabricLocation": "Recovery",
    }
    return {"actionName": name, **ALWAYS, "customDetails": details, **more}


def manual(**more: Any) -> dict[str, Any]:
    details = {"instanceType": "ManualActionDetails", "description": "Is the database up?"}
    return {"actionName": "gate", **ALWAYS, "customDetails": details, **more}


def boot(*items: str, before: Any = (), after: Any = ()) -> dict[str, Any]:
    members = [{"id": item, "virtualMachineId": "/whatever"} for item in items]
    return {
        "groupType": "Boot",
        "replicationProtectedItems": members,
        "startGroupActions": [*before],
        "endGroupActions": [*after],
    }


def plan(*groups: dict[str, Any]) -> dict[str, Any]:
    return {
        "primaryFabricId": WEST,
        "recoveryFabricId": NORTH,
        "failoverDeploymentModel": "ResourceManager",
        "groups": [*groups],
    }


def input_of(*, test: bool = False, point: str = "LatestProcessed") -> dict[str, Any]:
    details = [{"instanceType": "A2A", "recoveryPointType": point}]
    common = {"failoverDirection": "PrimaryToRecovery", "providerSpecificDetails": details}
    if test:
        return {**common, "networkType": "VmNetworkAsInput", "networkId": network_id("vnet-test", "rg-DR")}
    return {**common, "sourceSiteOperations": "Required"}


@pytest.fixture
def protected(paired: Caller) -> Caller:
    """Two machines that are Protected."""
    for vm in ("web-01", "APP-02"):
        paired.do("PUT", f"{SOURCE}/replicationProtectedItems/{vm}", paired.enabling(vm))
    paired.until("Protected")
    paired.until("Protected", APP)
    return paired


def start(caller: Caller, action: str, properties: dict[str, Any]) -> tuple[Any, str]:
    """Starts an action and polls it to its end, or to where a person has to go on."""
    answer = caller.send("POST", f"{PLAN}/{action}", {"properties": properties})
    status = caller.finish(answer)
    return status, answer.headers["x-ms-request-id"].rpartition("/")[2]


def sections(job: dict[str, Any]) -> dict[str, str]:
    return {task["taskId"]: task["state"] for task in job["tasks"]}


def children(job: dict[str, Any], section: str) -> list[tuple[str, str]]:
    task = next(one for one in job["tasks"] if one["taskId"] == section)
    return [(child["name"], child["state"]) for child in task["groupTaskCustomDetails"]["childTasks"]]


def power(caller: Caller, vm: str) -> str:
    view = caller.get(f"{GROUPS}/rg-DR/providers/Microsoft.Compute/virtualMachines/{vm}/instanceView")
    return str(next(one["code"] for one in view["statuses"] if one["code"].startswith("PowerState/")))


def test_groups_are_added_in_front_and_lists_leave_them_out(protected: Caller) -> None:
    protected.do("PUT", PLAN, plan(boot(ITEM)))
    shown = protected.get(PLAN)["properties"]
    assert [group["groupType"] for group in shown["groups"]] == ["Shutdown", "Failover", "Boot"]
    member = shown["groups"][2]["replicationProtectedItems"][0]
    assert member["virtualMachineId"] == protected.item()["healthErrors"][0]["entityId"]
    assert shown["allowedOperations"] == ["UnplannedFailover", "TestFailover"]
    assert protected.get(f"{VAULT}/replicationRecoveryPlans")["value"][0]["properties"]["groups"] == []


def test_a_drill_with_a_runbook_and_a_manual_action(protected: Caller) -> None:
    groups = (
        boot(APP, after=[runbook()]),
        boot(ITEM, before=[manual()]),
        boot(after=[runbook("broken", failoverTypes=["PlannedFailover"])]),
    )
    protected.do("PUT", PLAN, plan(*groups))
    before = protected.names("rg-DR")
    status, name = start(protected, "testFailover", input_of(test=True))
    assert status["status"] == "InProgress"  # until a person goes on
    job = protected.job(name)
    assert (job["state"], job["allowedActions"]) == ("Suspended", ["Resume", "Cancel"])
    assert sections(job) == {
        "RpSrsPrerequisitesCheck": "Succeeded",
        "FailoverAllActionGroup": "Succeeded",
        "Group1": "Succeeded",
        "Group2": "InProgress",
        "Group3": "NotStarted",
        "EndRecoveryPlanTask": "NotStarted",
    }
    assert children(job, "Group1") == [("APP-02", "Succeeded"), ("update-dns", "Succeeded")]
    assert children(job, "Group2") == [("gate", "InProgress"), ("web-01", "NotStarted")]
    assert (power(protected, "APP-02-test"), power(protected, "web-01-test")) == (
        "PowerState/running",
        "PowerState/stopped",
    )
    assert protected.get(PLAN)["properties"]["allowedOperations"] == []
    assert protected.get(PLAN)["properties"]["currentScenario"]["scenarioName"] == "TestFailover"
    refused = protected.send("PATCH", PLAN, {"properties": {"groups": [boot(ITEM)]}})
    assert refused.code == "RecoveryPlanBusy"
    protected.do("POST", f"{VAULT}/replicationJobs/{name}/resume", {"comments": "it is"})
    protected.wait(minutes=2)
    job = protected.job(name)
    assert set(sections(job).values()) == {"Succeeded"}
    copies = [one["testVmFriendlyName"] for one in job["customDetails"]["protectedItemDetails"]]
    assert copies == ["APP-02-test", "web-01-test"]
    gate = next(one for one in job["tasks"] if one["taskId"] == "Group2")["groupTaskCustomDetails"]["childTasks"][0]
    assert gate["customDetails"]["observation"] == "it is"
    assert power(protected, "web-01-test") == "PowerState/running"
    assert protected.get(PLAN)["properties"]["allowedOperations"] == ["TestFailoverCleanup"]
    protected.do("POST", f"{PLAN}/testFailoverCleanup", {"comments": "done"})
    assert protected.names("rg-DR") == before
    assert protected.get(PLAN)["properties"]["lastTestFailoverTime"]
    assert all(protected.item(path)["lastSuccessfulTestFailoverTime"] for path in (ITEM, APP))


def test_a_runbook_is_told_what_it_runs_for(protected: Caller) -> None:
    protected.do("PUT", PLAN, plan(boot(APP, before=[runbook()], after=[runbook()])))
    start(protected, "testFailover", input_of(test=True))
    before, after = [one["RecoveryPlanContext"] for one in invocations(protected.world)]
    assert (before["RecoveryPlanName"], before["FailoverType"], before["GroupId"]) == ("rp-shop", "Test", "1")
    assert before["FailoverDirection"] == "PrimaryToSecondary"
    assert [(one["RoleName"], one["ResourceGroupName"]) for one in before["VmMap"].values()] == [("", "")]
    assert [(one["RoleName"], one["ResourceGroupName"]) for one in after["VmMap"].values()] == [
        ("APP-02-test", "rg-DR")
    ]
    jobs = protected.get(f"{RUNBOOKS.rpartition('/')[0]}/jobs")["value"]
    assert [job["properties"]["status"] for job in jobs] == ["Completed", "Completed"]


def test_over_and_back(protected: Caller) -> None:
    protected.do("PUT", PLAN, plan(boot(APP), boot(ITEM, after=[runbook()])))
    status, name = start(protected, "unplannedFailover", input_of())
    assert status["status"] == "Succeeded"
    assert [*sections(protected.job(name))] == [
        "RpSrsPrerequisitesCheck",
        "ShutdownAllActionGroup",
        "FailoverAllActionGroup",
        "Group1",
        "Group2",
        "EndRecoveryPlanTask",
    ]
    children_jobs = {
        one["properties"]["targetObjectName"]
        for one in protected.get(f"{VAULT}/replicationJobs?$filter=jobName eq 'UnplannedFailover'")["value"]
    }
    assert children_jobs == {"rp-shop", "web-01", "APP-02"}
    protected.do("POST", f"{PLAN}/failoverCommit")
    assert protected.get(PLAN)["properties"]["allowedOperations"] == ["ReverseReplicate"]
    protected.do("POST", f"{PLAN}/reProtect")
    protected.until("Protected", MOVED)
    members = [
        one["id"] for group in protected.get(PLAN)["properties"]["groups"] for one in group["replicationProtectedItems"]
    ]
    assert all(f"{TARGET.rpartition('/')[2]}/" in member for member in members)
    protected.until("Protected", f"{TARGET}/replicationProtectedItems/APP-02")
    status, _ = start(protected, "unplannedFailover", {**input_of(), "failoverDirection": "RecoveryToPrimary"})
    assert status["status"] == "Succeeded"
    assert [one["RecoveryPlanContext"]["FailoverDirection"] for one in invocations(protected.world)] == [
        "PrimaryToSecondary",
        "SecondaryToPrimary",
    ]


@pytest.mark.parametrize(("action", "ends"), [("testFailover", "Failed"), ("unplannedFailover", "Succeeded")])
def test_a_runbook_that_fails(protected: Caller, action: str, ends: str) -> None:
    protected.do("PUT", PLAN, plan(boot(APP, before=[runbook("broken")])))
    status, name = start(protected, action, input_of(test=action == "testFailover"))
    assert status["status"] == ends
    assert ("broken", "Failed") in children(protected.job(name), "Group1")


def test_a_runbook_that_is_not_there(protected: Caller) -> None:
    protected.do("PUT", PLAN, plan(boot(APP, before=[runbook("later")])))
    status, _ = start(protected, "testFailover", input_of(test=True))
    assert (status["status"], status["error"]["code"]) == ("Failed", "ResourceNotFound")
    assert power(protected, "APP-02-test") == "PowerState/stopped"
    assert protected.get(PLAN)["properties"]["allowedOperations"] == ["TestFailoverCleanup"]


def test_a_job_can_be_cancelled_while_it_waits(protected: Caller) -> None:
    protected.do("PUT", PLAN, plan(boot(APP, before=[manual()])))
    _, name = start(protected, "testFailover", input_of(test=True))
    protected.do("POST", f"{VAULT}/replicationJobs/{name}/cancel")
    assert protected.job(name)["state"] == "Cancelled"
    assert protected.get(f"{VAULT}/replicationOperationStatus/{name}")["status"] == "Canceled"
    assert protected.get(PLAN)["properties"]["allowedOperations"] == ["TestFailoverCleanup"]
    answer = protected.send("POST", f"{VAULT}/replicationJobs/{name}/resume", {"properties": {"comments": ""}})
    assert answer.code == "JobActionNotAllowed"


def test_a_fault_fails_the_job_and_frees_the_machines(protected: Caller) -> None:
    protected.do("PUT", PLAN, plan(boot(APP)))
    protected.world.faults.add({"path": "*/testFailover", "operation": "fails", "code": "28031", "message": "No."})
    status, name = start(protected, "testFailover", input_of(test=True))
    assert (status["status"], status["error"]["code"]) == ("Failed", "28031")
    assert protected.job(name)["state"] == "Failed"
    assert "TestFailover" in protected.item(APP)["allowedOperations"]


def test_points_by_their_kind(protected: Caller) -> None:
    protected.do("PUT", PLAN, plan(boot(APP)))
    status, name = start(protected, "testFailover", input_of(test=True, point="LatestApplicationConsistent"))
    assert status["status"] == "Failed"  # the policy takes none
    cause = protected.job(name)["errors"][0]["serviceErrorDetails"]["possibleCauses"]
    assert "LatestApplicationConsistent" in cause


def test_a_failover_goes_on_from_the_step_that_failed(protected: Caller) -> None:
    protected.do("PUT", PLAN, plan(boot(APP, after=[runbook()])))
    status, name = start(protected, "unplannedFailover", input_of(point="LatestApplicationConsistent"))
    assert status["status"] == "Failed"
    assert protected.job(name)["allowedActions"] == ["Restart"]
    protected.do("PATCH", POLICY, {"replicationProviderSettings": policy(appConsistentFrequencyInMinutes=60)})
    protected.wait(hours=2)
    protected.do("POST", f"{VAULT}/replicationJobs/{name}/restart")
    protected.wait(minutes=10)
    assert protected.job(name)["state"] == "Succeeded"
    assert protected.item(APP)["activeLocation"] == "Recovery"
    assert len(invocations(protected.world)) == 1


def test_an_item_of_a_plan_is_not_disabled(protected: Caller) -> None:
    protected.do("PUT", PLAN, plan(boot(ITEM)))
    assert protected.send("DELETE", ITEM).code == "ProtectedItemInRecoveryPlan"
    protected.do("PATCH", PLAN, {"groups": [boot(APP)]})
    protected.do("DELETE", ITEM)
    protected.do("DELETE", PLAN)
    assert protected.send("DELETE", PLAN).status == 204


SHUTDOWN: dict[str, Any] = {"groupType": "Shutdown"}
NAMELESS = "/subscriptions/22222222-2222-4222-8222-222222222222/resourceGroups/g/providers/Microsoft.Automation"
ELSEWHERE = f"{NAMELESS}/automationAccounts/a/runbooks/r"
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("ASR-60", plan(), "InvalidRecoveryPlanGroup"),
    ("ASR-60", plan(*(boot() for _ in range(8))), "InvalidRecoveryPlanGroup"),
    ("ASR-61", {**plan(boot(ITEM)), "recoveryFabricId": WEST}, "InvalidRecoveryPlanFabrics"),
    ("ASR-61", plan(boot(ITEM), boot(ITEM)), "DuplicateRecoveryPlanItem"),
    ("ASR-61", {**plan(boot(ITEM)), "failoverDeploymentModel": "Classic"}, "InvalidDeploymentModel"),
    ("ASR-62", plan(SHUTDOWN, SHUTDOWN, boot(ITEM)), "InvalidRecoveryPlanGroup"),
    ("ASR-62", plan(boot(ITEM), SHUTDOWN), "InvalidRecoveryPlanGroup"),
    ("ASR-62", plan({**boot(ITEM), "groupType": "Failover"}, boot(APP)), "InvalidRecoveryPlanGroup"),
    ("ASR-62", plan({**boot(ITEM), "groupType": "Start"}), "InvalidRecoveryPlanGroup"),
    ("ASR-63", plan(boot(ITEM, before=[runbook(failoverTypes=[])])), "InvalidRecoveryPlanAction"),
    ("ASR-63", plan(boot(ITEM, before=[runbook(failoverDirections=["Sideways"])])), "InvalidRecoveryPlanAction"),
    ("ASR-63", plan(boot(ITEM, before=[runbook(customDetails={"instanceType": "X"})])), "InvalidRecoveryPlanAction"),
    (
        "ASR-63",
        plan(
            boot(
                ITEM,
                before=[manual(customDetails={"instanceType": "ManualActionDetails", "fabricLocation": "Primary"})],
            )
        ),
        "InvalidRecoveryPlanAction",
    ),
    (
        "ASR-63",
        plan(
            boot(
                ITEM,
                before=[
                    runbook(
                        customDetails={
                            "instanceType": "AutomationRunbookActionDetails",
                            "runbookId": ELSEWHERE,
                            "fabricLocation": "Primary",
                        }
                    )
                ],
            )
        ),
        "InvalidRecoveryPlanAction",
    ),
    ("wire", plan(boot(f"{ITEM}-x")), "ReplicationProtectedItemArmEntityMissing"),
]


@pytest.mark.parametrize(("rule", "properties", "code"), REFUSED)
def test_refused_plans(protected: Caller, rule: str, properties: dict[str, Any], code: str) -> None:
    answer = protected.send("PUT", PLAN, {"properties": properties})
    assert (answer.code, answer.rule) == (code, rule), answer.body
    assert protected.send("GET", PLAN).status == 404


@pytest.mark.parametrize("name", ["ab", "1plan", "plan-", "plan_a", "p" * 66])
def test_refused_names(protected: Caller, name: str) -> None:
    answer = protected.send("PUT", f"{VAULT}/replicationRecoveryPlans/{name}", {"properties": plan(boot(ITEM))})
    assert (answer.code, answer.rule) == ("InvalidRecoveryPlanName", "ASR-60")


ACTIONS: list[tuple[str, dict[str, Any], str]] = [
    ("plannedFailover", input_of(), "PlannedFailoverNotSupported"),
    ("failoverCommit", {}, "OperationNotAllowed"),
    ("reProtect", {}, "OperationNotAllowed"),
    ("testFailoverCleanup", {}, "OperationNotAllowed"),
    ("testFailover", {**input_of(test=True), "networkId": None}, "TestNetworkMissing"),
    ("testFailover", {**input_of(test=True), "providerSpecificDetails": []}, "InvalidRecoveryPointType"),
    ("unplannedFailover", {**input_of(), "failoverDirection": "Sideways"}, "InvalidFailoverDirection"),
]


@pytest.mark.parametrize(("action", "properties", "code"), ACTIONS)
def test_refused_actions(protected: Caller, action: str, properties: dict[str, Any], code: str) -> None:
    protected.do("PUT", PLAN, plan(boot(ITEM)))
    assert protected.send("POST", f"{PLAN}/{action}", {"properties": properties}).code == code


def test_a_plan_keeps_what_it_was_given(protected: Caller) -> None:
    """The order of groups and actions is theirs who wrote it."""
    actions = [runbook(), manual(), runbook("broken")]
    protected.do("PUT", PLAN, plan(boot(APP), boot(ITEM, before=actions)))
    group = protected.get(PLAN)["properties"]["groups"][3]
    assert group["startGroupActions"] == actions
    assert SUBSCRIPTION in group["startGroupActions"][0]["customDetails"]["runbookId"]
    changed = protected.send(
        "PUT", PLAN, {"properties": {**plan(boot(ITEM)), "primaryFabricId": NORTH, "recoveryFabricId": WEST}}
    )
    assert changed.code == "RecoveryPlanAlreadyExists"
