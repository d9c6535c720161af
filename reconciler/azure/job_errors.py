"""Why an operation of Site Recovery failed: its status tells a number and a sentence, its job the cause and what to do
(site-recovery.md §3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from reconciler.errors import AzureError, FailedError

if TYPE_CHECKING:
    from reconciler.azure.clients import Azure

_API_VERSION = "2025-08-01"


class ServiceErrorBody(msgspec.Struct, frozen=True, rename="camel"):
    """`serviceErrorDetails` of one error of a job."""

    code: str | None = None
    message: str | None = None
    possible_causes: str | None = None
    recommended_action: str | None = None


class JobErrorBody(msgspec.Struct, frozen=True, rename="camel"):
    """One error of a job, or of one of its tasks."""

    service_error_details: ServiceErrorBody | None = None


class TaskBody(msgspec.Struct, frozen=True, rename="camel"):
    """One task of a job."""

    friendly_name: str | None = None
    errors: tuple[JobErrorBody, ...] | None = None


class JobProperties(msgspec.Struct, frozen=True):
    """What tells why a job failed."""

    errors: tuple[JobErrorBody, ...] | None = None
    tasks: tuple[TaskBody, ...] | None = None


class JobBody(msgspec.Struct, frozen=True):
    """One job of a vault."""

    properties: JobProperties = JobProperties()


async def with_causes(azure: Azure, job: str, error: FailedError) -> FailedError:
    """The same failure with what its job says; as it was where the job cannot be read."""
    try:
        body = await azure.get(job, _API_VERSION, JobBody)
    except AzureError:
        return error
    return explain(error, body)


def explain(error: FailedError, job: JobBody) -> FailedError:
    """The same failure, with code, cause and way out as the job has them; as it was where it has none."""
    told = list(dict.fromkeys(_sentences(job.properties)))
    if not told:
        return error
    advice = next((_clean(one.recommended_action) for one in _details(job.properties) if one.recommended_action), "")
    return FailedError(
        error.message,
        code=error.code,
        resource=error.resource,
        why="\n        ".join([error.why, *told] if error.code else told),
        advice=advice or error.advice,
    )


def _details(job: JobProperties) -> Iterator[ServiceErrorBody]:
    of_tasks = (one for task in job.tasks or () for one in task.errors or ())
    for error in (*(job.errors or ()), *of_tasks):
        if error.service_error_details is not None:
            yield error.service_error_details


def _sentences(job: JobProperties) -> Iterator[str]:
    for one in _details(job):
        words = _clean(one.message)
        causes = _clean(one.possible_causes)
        text = f"{words} ({causes})" if words and causes and causes != words else words or causes
        if text:
            yield f"{one.code}: {text}" if one.code else text


def _clean(text: str | None) -> str:
    return " ".join((text or "").split())
