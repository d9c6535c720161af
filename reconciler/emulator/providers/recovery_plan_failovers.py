"""The actions of a recovery plan: test failover, cleanup, failover, commit, reprotect, each as one job."""

from __future__ import annotations

from typing import Any

from reconciler.emulator.providers.recovery_plan_bodies import members_of, plan_operations
from reconciler.emulator.providers.recovery_plan_runs import start_run
from reconciler.emulator.providers.recovery_plan_steps import (
    CLEAN_PLAN,
    COMMIT_PLAN,
    FAIL_OVER_PLAN,
    REPROTECT_PLAN,
    TEST_PLAN,
    Run,
)
from reconciler.emulator.providers.recovery_plans import find_plan
from reconciler.emulator.providers.replication_drills import test_network
from reconciler.emulator.providers.replication_names import PLAN, below
from reconciler.emulator.providers.replication_operations import accept
from reconciler.emulator.providers.replication_refusals import refuse
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.store import Body
from reconciler.emulator.world import World

POINT_KINDS = ("Latest", "LatestProcessed", "LatestApplicationConsistent", "LatestCrashConsistent")
_ACTIONS = {
    "testFailover": ("TestFailover", TEST_PLAN.name, "Test failover"),
    "testFailoverCleanup": ("TestFailoverCleanup", CLEAN_PLAN.name, "Test failover cleanup"),
    "unplannedFailover": ("UnplannedFailover", FAIL_OVER_PLAN.name, "Failover"),
    "failoverCommit": ("Commit", COMMIT_PLAN.name, "Commit"),
    "reProtect": ("ReverseReplicate", REPROTECT_PLAN.name, "Reprotect"),
}


def act(world: World, request: Request) -> Response:
    """202 for what all machines of a plan allow (ASR-50). The name of the job is that of the operation."""
    plan_id, _, action = below(world, request).rpartition("/")
    plan, properties = find_plan(world, plan_id), request.properties()
    operation, scenario, title = next(value for name, value in _ACTIONS.items() if name.lower() == action.lower())
    _check(world, plan, operation, title)
    run = Run(plan=plan["id"], plan_name=plan["name"], scenario=scenario, steps=[])
    if run.is_failover:
        _read(world, plan, run, properties)
    job, first = start_run(world, plan, run)
    return accept(world, request, plan["id"], first, name=job.name)


def _check(world: World, plan: Body, operation: str, title: str) -> None:
    allowed = plan_operations(world, plan)
    if operation in allowed:
        return
    states = sorted({f"{item.friendly} ({item.phase})" for item in members_of(world, plan)})
    causes = f"Allowed now: {', '.join(allowed) or 'nothing'}. Machines: {', '.join(states) or 'none'}."
    message = f"{title} is not allowed on the recovery plan {plan['name']} in its current state."
    raise refuse("ASR-50", "OperationNotAllowed", message, causes=causes)


def _read(world: World, plan: Body, run: Run, properties: dict[str, Any]) -> None:
    """The input of a failover. Raises 400 for what no machine of the plan could do."""
    run.direction = str(properties.get("failoverDirection") or "")
    if run.direction not in ("PrimaryToRecovery", "RecoveryToPrimary"):
        raise refuse("ASR-50", "InvalidFailoverDirection", f"The failover direction {run.direction} is not valid.")
    sent: list[dict[str, Any]] = properties.get("providerSpecificDetails") or []
    given = next((one for one in sent if one.get("instanceType") == "A2A"), {})
    run.point_kind = str(given.get("recoveryPointType") or "")
    if run.point_kind not in POINT_KINDS:
        message = f"The recovery point type must be one of {', '.join(POINT_KINDS)}."
        raise refuse("ASR-51", "InvalidRecoveryPointType", message)
    run.shuts_down = properties.get("sourceSiteOperations") == "Required"
    run.network_kind, run.network = str(properties.get("networkType") or ""), properties.get("networkId")
    if run.scenario == TEST_PLAN.name:
        for item in members_of(world, plan):
            test_network(world, item, properties)


def refuse_planned(world: World, request: Request) -> Response:
    """A2A has none (ASR-50)."""
    plan = find_plan(world, below(world, request).rpartition("/")[0])
    message = f"Planned failover is not supported for the recovery plan {plan['name']}."
    raise refuse("ASR-50", "PlannedFailoverNotSupported", message, action="Use unplanned failover.")


ROUTES: tuple[Route, ...] = (
    *(Route("POST", f"{PLAN}/{action}", act) for action in _ACTIONS),
    Route("POST", PLAN + "/plannedFailover", refuse_planned),
)
