"""The tasks of a recovery plan's job as they are served: sections, and in them machines and actions (recorded)."""

from __future__ import annotations

from itertools import groupby

from reconciler.emulator.clock import stamp
from reconciler.emulator.providers.backup_names import part
from reconciler.emulator.providers.recovery_plan_steps import PLAN_SCENARIOS, Run, Step
from reconciler.emulator.providers.replication_job_bodies import show_task
from reconciler.emulator.providers.replication_names import entity_guid, guid_of, name_of
from reconciler.emulator.store import Body

_TITLES = {
    "RpSrsPrerequisitesCheck": "Prerequisites check for the recovery plan",
    "FailoverAllActionGroup": "Recovery plan failover",
    "AllActionGroup": "All groups",
    "EndRecoveryPlanTask": "Finalizing the recovery plan",
}


def show_tasks(run: Run) -> list[Body]:
    """One task a section; those of groups hold the steps of the group."""
    sections = groupby(run.steps, key=lambda step: step.section)
    return [_show_section(run, section, [*steps]) for section, steps in sections]


def _show_section(run: Run, section: str, steps: list[Step]) -> Body:
    begun = next((step.begun for step in steps if step.begun), None)
    ended = steps[-1].ended
    title = _TITLES.get(section) or run.names.get(section) or f"All groups shutdown ({len(run.jobs)})"
    errors = [_error(step) for step in steps if step.error]
    if steps[0].kind in ("check", "end"):
        details = {"instanceType": "TaskDetails"} if steps[0].kind == "check" else None
        return show_task(
            section, section, title, steps[0].state, begun=begun, ended=ended, errors=errors, details=details
        )
    children = [child for step in steps for child in _children(run, step)]
    is_shutdown = section == "ShutdownAllActionGroup"
    group = {
        "instanceType": "RecoveryPlanShutdownGroupTaskDetails" if is_shutdown else "RecoveryPlanGroupTaskDetails",
        "childTasks": children,
        "name": None,
        "groupId": None,
        "rpGroupType": "Shutdown" if is_shutdown else "BootGroup" if section.startswith("Group") else "RpFailoverTask",
    }
    return show_task(section, section, title, _state(steps), begun=begun, ended=ended, errors=errors, group=group)


def _state(steps: list[Step]) -> str:
    states = [step.state for step in steps]
    if "InProgress" in states:
        return "InProgress"
    if "NotStarted" in states:
        return "NotStarted" if states[0] == "NotStarted" else "Failed" if "Failed" in states else "InProgress"
    return "Failed" if "Failed" in states else "Succeeded"


def _children(run: Run, step: Step) -> list[Body]:
    if step.action is not None:
        return [_show_action(step, step.action)]
    return [_show_machine(run, step, item) for item in step.items]


def _show_machine(run: Run, step: Step, item: str) -> Body:
    scenario = PLAN_SCENARIOS[run.scenario]
    details = {
        "instanceType": "VirtualMachineTaskDetails",
        "jobTask": {
            "jobId": run.jobs.get(item),
            "jobFriendlyName": scenario.title,
            "targetObjectId": entity_guid(item),
            "targetObjectName": run.names.get(item, name_of(item)),
            "targetInstanceType": "Vm",
            "jobScenarioName": scenario.name,
        },
        "skippedReason": "None",
        "skippedReasonString": None,
    }
    name = run.names.get(item, name_of(item))
    task = guid_of("task", run.plan, step.section, item)
    return show_task(task, name, name, step.state, begun=step.begun, ended=step.ended, details=details)


def _show_action(step: Step, action: Body) -> Body:
    name, sent = action["actionName"], action["customDetails"]
    is_primary = sent.get("fabricLocation") == "Primary"
    details: Body
    if sent["instanceType"] == "ManualActionDetails":
        details = {
            "instanceType": "ManualActionTaskDetails",
            "name": name,
            "instructions": sent.get("description"),
            "observation": step.note.get("comments"),
        }
    elif sent["instanceType"] == "ScriptActionDetails":
        details = {
            "instanceType": "ScriptActionTaskDetails",
            "name": name,
            "path": sent.get("path"),
            "output": None,
            "isPrimarySideScript": is_primary,
        }
    else:
        runbook = str(sent.get("runbookId") or "")
        details = {
            "instanceType": "AutomationRunbookTaskDetails",
            "name": name,
            "cloudServiceName": None,
            "subscriptionId": part(runbook, "subscriptions"),
            "accountName": part(runbook, "automationAccounts"),
            "runbookId": runbook,
            "runbookName": name_of(runbook),
            "jobId": step.note.get("job"),
            "jobOutput": None,
            "isPrimarySideScript": is_primary,
        }
    errors = [_error(step)] if step.error else []
    task = guid_of("action", step.section, name, str(step.is_before))
    return show_task(task, name, name, step.state, begun=step.begun, ended=step.ended, errors=errors, details=details)


def _error(step: Step) -> Body:
    error = step.error or {}
    return {
        "serviceErrorDetails": {
            "code": str(error.get("code", "")),
            "message": error.get("message", ""),
            "possibleCauses": error.get("possibleCauses", error.get("message", "")),
            "recommendedAction": error.get("recommendedAction", "Retry the operation."),
            "activityId": guid_of("activity", step.section),
        },
        "providerErrorDetails": None,
        "errorLevel": "Error",
        "creationTime": stamp(step.ended) if step.ended else None,
        "taskId": step.section,
    }
