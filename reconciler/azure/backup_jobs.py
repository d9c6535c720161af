"""Jobs of Azure Backup: how far one is, and why it failed (backup.md §6). A list tells no tasks; one job does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

_AT_WORK = frozenset({"inprogress", "cancelling"})


class TaskBody(msgspec.Struct, frozen=True, rename="camel"):
    """One of `extendedInfo.tasksList`: `taskExecutionDetails` as `62 GBs / 127 GBs Transferred`, where said."""

    task_id: str | None = None
    status: str | None = None
    task_execution_details: str | None = None


class ExtendedBody(msgspec.Struct, frozen=True, rename="camel"):
    """`extendedInfo`. Everything in `propertyBag` is text; one of its keys ends in a blank."""

    tasks_list: tuple[TaskBody, ...] | None = None
    property_bag: dict[str, str | None] | None = None
    internal_property_bag: dict[str, str | None] | None = None
    progress_percentage: float | None = None


class ErrorBody(msgspec.Struct, frozen=True, rename="camel"):
    """One of `errorDetails`."""

    error_code: int | None = None
    error_title: str | None = None
    error_string: str | None = None
    recommendations: tuple[str, ...] | None = None


class JobProperties(msgspec.Struct, frozen=True, rename="camel"):
    """What we look at of a job."""

    entity_friendly_name: str = ""
    operation: str = ""
    status: str = ""
    start_time: datetime | None = None
    error_details: tuple[ErrorBody, ...] | None = None
    extended_info: ExtendedBody | None = None


class JobBody(msgspec.Struct, frozen=True):
    """One backup job."""

    id: str = ""
    name: str = ""
    properties: JobProperties = JobProperties()

    @property
    def running(self) -> bool:
        return self.properties.status.lower() in _AT_WORK

    @property
    def completed(self) -> bool:
        return self.properties.status.lower() in ("completed", "completedwithwarnings")

    def told(self, key: str) -> str:
        """What the property bag says under `key`, "" where it says nothing."""
        bag = self.properties.extended_info.property_bag if self.properties.extended_info else None
        return (bag or {}).get(key) or ""


def job_named(body: Mapping[str, Any]) -> str:
    """The id of the job that an operation's last answer hands over to; "" where it names none."""
    properties = body.get("properties")
    return str(properties.get("jobId") or "") if isinstance(properties, Mapping) else ""


def job_progress(body: Mapping[str, Any]) -> str:
    """`37 %, task 1 of 2: Transfer data from vault (23 GBs / 62 GBs Transferred)`; "" where the job tells no tasks.
    Never raises."""
    try:
        told = msgspec.convert(body, JobBody).properties.extended_info
    except msgspec.ValidationError:
        return ""
    tasks = (told.tasks_list if told else None) or ()
    current = next(((n, task) for n, task in enumerate(tasks, 1) if (task.status or "").lower() in _AT_WORK), None)
    if told is None or current is None:
        return ""
    number, task = current
    share = f"{told.progress_percentage:.0f} %, " if told.progress_percentage else ""
    details = f" ({task.task_execution_details})" if task.task_execution_details else ""
    return f"{share}task {number} of {len(tasks)}: {task.task_id or '?'}{details}"


def job_complaint(body: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    """Why a job failed, in the envelope that ARM has for errors, and what Azure recommends. Never raises."""
    try:
        errors = msgspec.convert(body, JobBody).properties.error_details or ()
    except msgspec.ValidationError:
        errors = ()
    if not errors:
        return {}, ""
    first = errors[0]
    code = first.error_title or str(first.error_code or "")
    advice = " ".join(first.recommendations or ())
    return {"error": {"code": code, "message": first.error_string or ""}}, advice
