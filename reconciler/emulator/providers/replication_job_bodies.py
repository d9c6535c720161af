"""Replication jobs as they are served: a list without tasks, one job with them (recorded: jobs_list, job_details)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.emulator.clock import stamp
from reconciler.emulator.providers.replication_jobs import OPEN, Job, Standing, standing_of
from reconciler.emulator.providers.replication_names import guid_of
from reconciler.emulator.providers.replication_scenarios import RESTARTABLE
from reconciler.emulator.store import Body
from reconciler.emulator.world import World

NEVER = "0001-01-01T00:00:00"
"""The times of a task that has not begun, without a zone."""

_DESCRIPTIONS = {"Succeeded": "Completed", "Suspended": "WaitingForManualAction"}


def whole(moment: datetime) -> str:
    """Ends are told in whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def show_listed_job(world: World, job: Job) -> Body:
    """An entry of a list: ``activityId`` null, no tasks."""
    shown = show_job(world, job)
    shown["properties"] |= {"activityId": None, "tasks": []}
    return shown


def show_job(world: World, job: Job) -> Body:
    standing = standing_of(world, job)
    properties: Body = {
        "activityId": f"{guid_of('activity', job.name)} ActivityId: {guid_of('client', job.name)}",
        "scenarioName": job.scenario,
        "friendlyName": job.title,
        "state": standing.state,
        "stateDescription": _DESCRIPTIONS.get(standing.state, standing.state),
        "tasks": job.shown or list(_tasks(world, job, standing)),
        "errors": [show_error(job, standing)] if standing.error else [],
        "startTime": stamp(job.started),
    }
    if standing.ended is not None:
        properties["endTime"] = whole(standing.ended)
    properties |= {
        "allowedActions": _actions(job, standing),
        "targetObjectId": job.target.id,
        "targetObjectName": job.target.name,
        "targetInstanceType": job.kind,
        "customDetails": job.details,
    }
    return {"id": job.id, "name": job.name, "type": job.type, "properties": properties}


def _actions(job: Job, standing: Standing) -> list[str]:
    if standing.state == "Suspended":
        return ["Resume", "Cancel"]
    if standing.state == "InProgress":
        return ["Cancel"] if job.kind == "RecoveryPlan" and job.shown else []
    can_restart = job.scenario in RESTARTABLE or (job.shown and job.scenario != "TestFailover")
    return ["Restart"] if standing.state == "Failed" and can_restart else []


def show_error(job: Job, standing: Standing) -> Body:
    """The cause of a failure, which the operation itself does not tell."""
    error: Mapping[str, Any] = standing.error or {}
    return {
        "serviceErrorDetails": {
            "code": str(error.get("code", "")),
            "message": error.get("message", ""),
            "possibleCauses": error.get("possibleCauses", error.get("message", "")),
            "recommendedAction": error.get("recommendedAction", "Retry the operation."),
            "activityId": guid_of("activity", job.name),
        },
        "providerErrorDetails": None,
        "errorLevel": "Error",
        "creationTime": stamp(standing.ended or job.started),
        "taskId": error.get("task") or (job.tasks[-1].id if job.tasks else ""),
    }


def _tasks(world: World, job: Job, standing: Standing) -> Iterator[Body]:
    """The tasks of a job of one operation, each with its share of the operation's length."""
    operation = world.operations.get(job.name)
    end = standing.ended or (operation.end if operation else None) or job.started + timedelta(minutes=5)
    whole_share = sum(task.share for task in job.tasks if not task.skipped) or 1.0
    now, begun = world.clock.now(), job.started
    failed_at = show_error(job, standing)["taskId"] if standing.error else ""
    over = False
    for task in job.tasks:
        length = timedelta(0) if task.skipped else (end - job.started) * (task.share / whole_share)
        done = begun + length
        state = "Other" if task.skipped else _task_state(standing, now, begun, done)
        if over:
            state = "NotStarted"
        elif task.id == failed_at:
            state, over = "Failed", True
        errors = [show_error(job, standing)] if state == "Failed" else []
        yield show_task(task.id, task.name, task.title, state, begun=begun, ended=done, errors=errors)
        begun = done


def _task_state(standing: Standing, now: datetime, begun: datetime, done: datetime) -> str:
    if standing.state not in OPEN:
        return "Succeeded"
    if now < begun:
        return "NotStarted"
    return "Succeeded" if now >= done else "InProgress"


def show_task(
    task_id: str,
    name: str,
    title: str,
    state: str,
    *,
    begun: datetime | None = None,
    ended: datetime | None = None,
    errors: list[Body] | None = None,
    details: Body | None = None,
    group: Body | None = None,
) -> Body:
    """One task. State ``Other`` is a skipped one."""
    is_begun = state != "NotStarted" and begun is not None
    is_over = state in ("Succeeded", "Failed", "Other") and ended is not None
    return {
        "taskId": task_id,
        "name": name,
        "startTime": stamp(begun) if is_begun and begun else NEVER,
        "endTime": whole(ended) if is_over and ended else NEVER,
        "allowedActions": [],
        "friendlyName": title,
        "state": state,
        "stateDescription": "Skipped" if state == "Other" else state,
        "taskType": "GroupTask" if group else "Task",
        "customDetails": details,
        "groupTaskCustomDetails": group,
        "errors": errors or [],
    }
