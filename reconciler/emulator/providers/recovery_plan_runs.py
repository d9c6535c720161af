"""Recovery plans at work: step by step on the emulator's clock, with runbooks, and stops for manual actions.

A runbook or script that fails stops a test failover, and does not stop an unplanned one (documented): the job ends with
the error noted. A machine that fails stops the job.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec

from reconciler.emulator.failures import ArmError
from reconciler.emulator.operations import Operation
from reconciler.emulator.providers.automation import invoke
from reconciler.emulator.providers.recovery_plan_bodies import members_of
from reconciler.emulator.providers.recovery_plan_machines import act_on_machine, boot, runbook_context
from reconciler.emulator.providers.recovery_plan_steps import (
    FAIL_OVER_PLAN,
    PLAN_SCENARIOS,
    TEST_PLAN,
    Run,
    Step,
    is_manual,
    steps_of,
)
from reconciler.emulator.providers.recovery_plan_tasks import show_tasks
from reconciler.emulator.providers.recovery_plans import plan_target
from reconciler.emulator.providers.replica_machines import shut_down
from reconciler.emulator.providers.replication_drills import describe_copy, drill_details
from reconciler.emulator.providers.replication_item_state import begin_underway, find_item
from reconciler.emulator.providers.replication_item_state import save as save_item
from reconciler.emulator.providers.replication_jobs import (
    OPEN,
    Job,
    Standing,
    find_job,
    new_job,
    save,
    standing_of,
)
from reconciler.emulator.providers.replication_names import vault_of
from reconciler.emulator.providers.replication_scenarios import (
    COMMIT,
    FAILOVER,
    SWITCH,
    TEST_CLEANUP,
    TEST_FAILOVER,
)
from reconciler.emulator.providers.replication_work import target_of
from reconciler.emulator.router import Route
from reconciler.emulator.store import Body
from reconciler.emulator.world import Completion, World

_OF_ONE_MACHINE = {
    TEST_PLAN.name: TEST_FAILOVER,
    FAIL_OVER_PLAN.name: FAILOVER,
    "TestFailoverCleanup": TEST_CLEANUP,
    "CommitFailover": COMMIT,
    "ReprotectRecoveryPlan": SWITCH,
}


_FAILOVER_DETAILS: Mapping[str, Any] = {"instanceType": "FailoverJobDetails", "protectedItemDetails": []}


def start_run(world: World, plan: Body, run: Run) -> tuple[Job, Operation]:
    """Starts a job of a plan. Answers it, and the operation that is its first step."""
    scenario = PLAN_SCENARIOS[run.scenario]
    vault = vault_of(plan["id"])
    job = new_job(world, vault, scenario, plan_target(plan), world.new_guid())
    job.standing = Standing("InProgress")
    is_drill = run.scenario in (TEST_PLAN.name, "TestFailoverCleanup")
    details = drill_details(run.network, run.network_kind or None) if is_drill else _FAILOVER_DETAILS
    job.details = {**details, "affectedObjectDetails": {}}
    for item in members_of(world, plan):
        child = new_job(world, vault, _OF_ONE_MACHINE[run.scenario], target_of(item), world.new_guid())
        child.standing = Standing("InProgress")
        save(world, child)
        run.jobs[item.id], run.names[item.id] = child.name, item.friendly
        item.is_cleaning = run.scenario == "TestFailoverCleanup"
        begin_underway(world, item, child.scenario, child.name)
    run.steps = steps_of(plan, run)
    world.store.replace(plan["id"], {**plan, "job": job.name})
    operation = _begin_step(world, job, run)
    assert operation is not None, "the first step is the check of prerequisites"
    return job, operation


def _begin_step(world: World, job: Job, run: Run) -> Operation | None:
    """Starts the step that the run is at; None where it waits for a person, or where nothing is left."""
    now = world.clock.now()
    if run.position >= len(run.steps):
        _finish(world, job, run)
        return None
    step = run.steps[run.position]
    step.state, step.begun = "InProgress", now
    if is_manual(step):
        job.standing = Standing("Suspended")
        _keep(world, job, run)
        return None
    operation = world.operations.start(
        f"replication step {step.kind}",
        duration=timedelta(seconds=step.seconds),
        on_done=("plan.step", {"job": job.id, "position": run.position}),
        resource=run.plan,
    )
    job.step = operation.guid
    _keep(world, job, run)
    return operation


def complete_step(world: World, operation: Operation) -> None:
    """What a step comes to, and the next one."""
    job, run = _load(world, operation)
    if job is None or run is None:
        return
    step = run.steps[run.position]
    try:
        _carry_out(world, run, step)
    except ArmError as refusal:
        step.error = refusal.error()
    _end_step(world, job, run, step)


def fail_step(world: World, operation: Operation) -> None:
    """A fault that was ordered."""
    job, run = _load(world, operation)
    if job is not None and run is not None and operation.error:
        step = run.steps[run.position]
        step.error = operation.error
        _end_step(world, job, run, step)


def _load(world: World, operation: Operation) -> tuple[Job | None, Run | None]:
    """The job and run of a step; nothing, once the job was cancelled."""
    arguments = operation.arguments
    job = find_job(world, vault_of(arguments["job"]), arguments["job"].rpartition("/")[2])
    if job is None or standing_of(world, job).state not in OPEN:
        return None, None
    run = run_of(world, job)
    return (job, run) if run.position == arguments["position"] else (None, None)


def run_of(world: World, job: Job) -> Run:
    return msgspec.convert(world.store.hidden(job.id)["run"], Run)


def _carry_out(world: World, run: Run, step: Step) -> None:
    """Raises ArmError with the reason why a step failed."""
    if step.action is not None:
        details = step.action["customDetails"]
        if details["instanceType"] == "AutomationRunbookActionDetails":
            context = runbook_context(world, run, step)
            name, is_well = invoke(world, str(details.get("runbookId") or ""), {"RecoveryPlanContext": context})
            step.note = {"job": name}
            if not is_well:
                message = f"The runbook of the action {step.action['actionName']} failed."
                raise ArmError(409, "150110", message)
    elif step.kind == "shutDown" and run.shuts_down:
        for item_id in step.items:
            shut_down(world, find_item(world, item_id).vm)
    elif step.kind == "machines":
        for item_id in step.items:
            act_on_machine(world, run, find_item(world, item_id))
    elif step.kind == "boot":
        for item_id in step.items:
            boot(world, item_id)


def _end_step(world: World, job: Job, run: Run, step: Step) -> None:
    step.ended = world.clock.now()
    step.state = "Failed" if step.error else "Succeeded"
    is_forgiven = step.kind == "action" and run.scenario == FAIL_OVER_PLAN.name
    if step.error and not is_forgiven:
        _end(world, job, run, Standing("Failed", step.ended, step.error))
        return
    run.position += 1
    _begin_step(world, job, run)


def _finish(world: World, job: Job, run: Run) -> None:
    plan = world.store.get(run.plan)
    field = {TEST_PLAN.name: "lastTestFailoverTime", FAIL_OVER_PLAN.name: "lastUnplannedFailoverTime"}.get(run.scenario)
    if plan is not None and field:
        plan["times"][field] = world.clock.now().strftime("%Y-%m-%dT%H:%M:%S.%f0Z")
        world.store.replace(run.plan, plan)
    _end(world, job, run, Standing("Succeeded", world.clock.now()))


def _end(world: World, job: Job, run: Run, standing: Standing) -> None:
    """Ends the job and those of its machines, which are free again."""
    job.standing = standing
    _keep(world, job, run)
    for item_id, name in run.jobs.items():
        child = find_job(world, vault_of(run.plan), name)
        if child is not None and standing_of(world, child).state in OPEN:
            child.standing = standing
            save(world, child)
        if world.store.has(item_id):
            item = find_item(world, item_id)
            if item.underway is not None and item.underway.job.endswith(name):
                item.underway, item.is_cleaning = None, False
                save_item(world, item)


def _keep(world: World, job: Job, run: Run) -> None:
    job.shown = show_tasks(run)
    if run.scenario == TEST_PLAN.name and job.details is not None:
        drilled = (find_item(world, one) for one in run.jobs if world.store.has(one))
        job.details["protectedItemDetails"] = [describe_copy(world, item) for item in drilled if item.drill]
    save(world, job)
    world.store.hide(job.id, {"run": msgspec.to_builtins(run)})


def resume_run(world: World, job: Job, comments: str | None) -> None:
    """A person has done the manual action."""
    run = run_of(world, job)
    step = run.steps[run.position]
    step.note = {"comments": comments}
    job.standing = Standing("InProgress")
    _end_step(world, job, run, step)


def cancel_run(world: World, job: Job) -> None:
    """Nothing is undone: what was failed over stays so."""
    run = run_of(world, job)
    error: dict[str, Any] = {"code": "150003", "message": "The job was canceled."}
    _end(world, job, run, Standing("Cancelled", world.clock.now(), error))


def restart_run(world: World, job: Job) -> None:
    """From the step that failed on."""
    run = run_of(world, job)
    step = run.steps[run.position]
    step.error, step.ended = None, None
    job.standing = Standing("InProgress")
    _begin_step(world, job, run)


ROUTES: tuple[Route, ...] = ()
COMPLETIONS: Mapping[str, Completion] = {"plan.step": complete_step, "plan.step.failed": fail_step}
