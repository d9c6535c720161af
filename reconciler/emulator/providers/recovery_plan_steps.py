"""The steps of a recovery plan's job, in the order in which they are carried out (recorded: job_details).

Groups run one after the other, the machines of a group together; actions run in their order before and after a group's
machines, where the failover's type and direction are among those that they are for.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal

import msgspec

from reconciler.emulator.providers.replication_scenarios import (
    COMMIT,
    FAILOVER,
    SHUTDOWN_SECONDS,
    SWITCH,
    TEST_CLEANUP,
    TEST_FAILOVER,
    Scenario,
)
from reconciler.emulator.store import Body

Kind = Literal["check", "shutDown", "machines", "boot", "action", "end"]
State = Literal["NotStarted", "InProgress", "Succeeded", "Failed", "Other"]

TEST_PLAN = Scenario("TestFailover", "Test failover", "RecoveryPlan", TEST_FAILOVER.seconds)
FAIL_OVER_PLAN = Scenario("UnplannedFailover", "Failover", "RecoveryPlan", FAILOVER.seconds)
CLEAN_PLAN = Scenario("TestFailoverCleanup", "Test failover cleanup", "RecoveryPlan", TEST_CLEANUP.seconds)
COMMIT_PLAN = Scenario("CommitFailover", "Commit", "RecoveryPlan", COMMIT.seconds)
REPROTECT_PLAN = Scenario("ReprotectRecoveryPlan", "Reprotect", "RecoveryPlan", SWITCH.seconds)
PLAN_SCENARIOS = {one.name: one for one in (TEST_PLAN, FAIL_OVER_PLAN, CLEAN_PLAN, COMMIT_PLAN, REPROTECT_PLAN)}

_CHECK, _BOOT, _RUNBOOK, _SCRIPT, _END = 10.0, 25.0, 45.0, 30.0, 3.0


class Step(msgspec.Struct):
    """One step. ``section`` is the task that it is shown in, ``group`` the number of a boot group (0: all machines)."""

    kind: Kind
    section: str
    seconds: float
    group: int = 0
    items: list[str] = []
    action: dict[str, Any] | None = None
    is_before: bool = False
    state: State = "NotStarted"
    begun: datetime | None = None
    ended: datetime | None = None
    error: dict[str, Any] | None = None
    note: dict[str, Any] = {}


class Run(msgspec.Struct):
    """What a job of a plan has done and has still to do."""

    plan: str
    plan_name: str
    scenario: str
    steps: list[Step]
    direction: str = "PrimaryToRecovery"
    network: str | None = None
    network_kind: str = ""
    point_kind: str = "Latest"
    shuts_down: bool = False
    position: int = 0
    jobs: dict[str, str] = {}
    names: dict[str, str] = {}

    @property
    def is_failover(self) -> bool:
        return self.scenario in (TEST_PLAN.name, FAIL_OVER_PLAN.name)


def steps_of(plan: Body, run: Run) -> list[Step]:
    """The steps of a run over a plan."""
    members = [member["id"] for group in plan["groups"] for member in group["replicationProtectedItems"]]
    steps = [Step("check", "RpSrsPrerequisitesCheck", _CHECK)]
    if run.is_failover:
        for number, group in enumerate(plan["groups"][2:], 1):
            run.names[f"Group{number}"] = f"Group {number}: Start ({len(group['replicationProtectedItems'])})"
        steps += _failover_steps(plan, run, members)
    else:
        steps.append(Step("machines", "AllActionGroup", PLAN_SCENARIOS[run.scenario].seconds, items=members))
    return [*steps, Step("end", "EndRecoveryPlanTask", _END)]


def _failover_steps(plan: Body, run: Run, members: list[str]) -> Iterator[Step]:
    shutdown, failover, *boot = plan["groups"]
    stop = Step("shutDown", "ShutdownAllActionGroup", SHUTDOWN_SECONDS if run.shuts_down else 1, items=members)
    yield from _around(
        shutdown, "ShutdownAllActionGroup", 0, run, stop if run.scenario == FAIL_OVER_PLAN.name else None
    )
    seconds = PLAN_SCENARIOS[run.scenario].seconds
    machines = Step("machines", "FailoverAllActionGroup", seconds, items=members)
    yield from _around(failover, "FailoverAllActionGroup", 0, run, machines)
    for number, group in enumerate(boot, 1):
        own = [member["id"] for member in group["replicationProtectedItems"]]
        start = Step("boot", f"Group{number}", _BOOT, group=number, items=own)
        yield from _around(group, f"Group{number}", number, run, start)


def _around(group: Body, section: str, number: int, run: Run, middle: Step | None) -> Iterator[Step]:
    yield from _actions(group["startGroupActions"], section, number, run, is_before=True)
    if middle is not None:
        yield middle
    yield from _actions(group["endGroupActions"], section, number, run, is_before=False)


def _actions(actions: list[Body], section: str, number: int, run: Run, *, is_before: bool) -> Iterator[Step]:
    for action in actions:
        if run.scenario in action["failoverTypes"] and run.direction in action["failoverDirections"]:
            is_runbook = action["customDetails"]["instanceType"] == "AutomationRunbookActionDetails"
            seconds = _RUNBOOK if is_runbook else _SCRIPT
            yield Step("action", section, seconds, group=number, action=action, is_before=is_before)


def is_manual(step: Step) -> bool:
    """Whether a step waits for a person."""
    return step.action is not None and step.action["customDetails"]["instanceType"] == "ManualActionDetails"
