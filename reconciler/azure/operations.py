"""Long-running operations: what Azure answers to a write, and waiting for its end (backup.md §1, TH-09).

An `Operation` is plain data. It is written to the journal, and a later run waits for it again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from reconciler.azure.backup_jobs import job_complaint, job_named, job_progress
from reconciler.azure.failures import complaint, guarded, is_guarded, refusal
from reconciler.azure.job_errors import with_causes
from reconciler.azure.job_progress import progress
from reconciler.errors import AbsentError, FailedError, OperationTimeoutError, UnreachableError

if TYPE_CHECKING:
    from reconciler.azure.clients import Answer, Azure

OnPoll = Callable[[str], None]

_ENDED_WELL = frozenset({"succeeded", "completed", "completedwithwarnings"})
_ENDED_BADLY = frozenset({"failed", "canceled", "cancelled", "aborted", "invalid"})
_FIRST_WAIT, _LAST_WAIT, _GROWTH = 2.0, 30.0, 1.5
"""Seconds between polls where Azure asks for none: most operations on backups end within 2 to 60 seconds."""
_SIGNATURE = re.compile(r"([?&])(?:t|c|s|h)=[^&]*")


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """A write that Azure accepted and has not ended.

    `url` is polled as it was given: ARM signs it. `via` is how to read the answer: a status document, a result that
    stays 202 until it is there, the resource's own `provisioningState`, a backup job, the resource's
    `completionPercent` (SN-12), or a replicated VM's two states, which become Protected long after the operation that
    enabled it has ended (site-recovery.md §4); or a job of Site Recovery, for the sake of its tasks. `resource` is the
    ARM id that was written.
    `gone_is_success`: a 404 means that the delete is done (the address of a deleted vault's operation goes with it).
    `background`: the resource's address, where its data is still copied after the operation has ended; it is waited
    for until that is complete, also when Azure has forgotten the operation meanwhile.
    `causes`: the job of Site Recovery that tells more than the operation does, should it fail.
    `then_job`: the address of the backup job that goes on where the operation ends within seconds, with `{job}` for the
    id that its last answer names: a restore (backup.md §6). `asks` is the body that the job is asked for with, by POST:
    that is how the secondary region has it.
    """

    url: str
    via: Literal["azure-async", "location", "resource", "job", "completion", "protection", "replication-job"]
    resource: str
    gone_is_success: bool = False
    job: str = ""
    background: str = ""
    causes: str = ""
    then_job: str = ""
    asks: dict[str, str] = {}


class Accepted:
    """Keeps status and headers of a typed client's answer: pass it as `raw_response_hook`, then ask for `operation`."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}

    def __call__(self, response: Any) -> None:
        http = response.http_response
        self.status = http.status_code
        self.headers = {name.lower(): value for name, value in http.headers.items()}

    def operation(self, resource: str, *, state: str = "", gone_is_success: bool = False) -> Operation | None:
        """See `operation_from`."""
        return operation_from(self.status, self.headers, resource, state=state, gone_is_success=gone_is_success)


def operation_from(
    status: int,
    headers: Mapping[str, str],
    resource: str,
    *,
    state: str = "",
    gone_is_success: bool = False,
    api_version: str = "",
) -> Operation | None:
    """What to wait for after a write, or None when it is done.

    `state` is the `provisioningState` in the answer's body; without a polling header it makes the resource itself the
    thing to poll, with `api_version`.
    """
    known = {name.lower(): value for name, value in headers.items()}
    url = known.get("azure-asyncoperation", "")
    if url and status in (200, 201, 202):
        return Operation(url=url, via="azure-async", resource=resource, gone_is_success=gone_is_success)
    url = known.get("location", "")
    if url and status == 202:
        return Operation(url=url, via="location", resource=resource, gone_is_success=gone_is_success)
    if api_version and state and state.lower() not in _ENDED_WELL | _ENDED_BADLY:
        return Operation(url=f"{resource}?api-version={api_version}", via="resource", resource=resource)
    return None


async def wait(
    azure: Azure, operation: Operation, *, limit: timedelta, on_poll: OnPoll | None = None
) -> Mapping[str, Any]:
    """Polls until the operation has ended; answers the last body ({} where there is none).

    `limit` counts the time spent waiting between polls. `on_poll` is told the state of each poll. Safe to call again
    for an operation of an earlier run. Raises FailedError with Azure's own code and words where it failed,
    OperationTimeoutError after `limit` (it may still end), and what the door raises where it cannot be asked.
    """
    try:
        body = await _poll(azure, operation, limit, on_poll)
    except FailedError as error:
        if not operation.causes:
            raise
        raise await with_causes(azure, operation.causes, error) from error
    if operation.then_job and operation.via != "job":
        return await _poll(azure, _job_after(operation, body), limit, on_poll)
    if not operation.background:
        return body
    copying = Operation(url=operation.background, via="completion", resource=operation.resource)
    return await _poll(azure, copying, limit, on_poll)


def _job_after(operation: Operation, body: Mapping[str, Any]) -> Operation:
    job = job_named(body)
    if not job:
        raise FailedError(
            f"the operation on {operation.resource} has ended and names no job",
            resource=operation.resource,
            why="what it began runs as a job of the vault, and Azure did not say which",
            advice="run this again: it looks for the job",
        )
    asks = {name: text.replace("{job}", job) for name, text in operation.asks.items()}
    url = operation.then_job.replace("{job}", job)
    return Operation(url=url, via="job", resource=operation.resource, job=job, asks=asks)


async def _poll(azure: Azure, operation: Operation, limit: timedelta, on_poll: OnPoll | None) -> Mapping[str, Any]:
    url, waited, usual = operation.url, 0.0, _FIRST_WAIT
    while True:
        delay: float | None = None
        try:
            job = operation.via == "job" and operation.asks
            answer = await (azure.exchange("POST", url, operation.asks) if job else azure.exchange("GET", url))
        except UnreachableError as error:
            state, last = "no answer", str(error)
        else:
            ended, state = _read(answer, operation)
            if ended is not None:
                return ended
            last = state
            delay = retry_after(answer.headers, azure.now())
            url = _next_url(answer, operation, url)
        if on_poll:
            on_poll(state)
        if waited >= limit.total_seconds():
            raise _timed_out(operation, limit, last)
        if delay is None:
            delay, usual = usual, min(usual * _GROWTH, _LAST_WAIT)
        delay = max(delay, 0.02)
        waited += delay
        await azure.pause(delay)


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds to wait before the next poll, or None where Azure does not say; `headers` have lower-case names."""
    text = headers.get("retry-after", "").strip()
    if text:
        try:
            return max(0.0, float(text))
        except ValueError:
            try:
                moment = parsedate_to_datetime(text)
            except ValueError:
                return None
            return max(0.0, (moment.astimezone(UTC) - now).total_seconds())
    text = headers.get("x-ms-retry-after-ms", "").strip()
    return int(text) / 1000 if text.isdigit() else None


def _read(answer: Answer, operation: Operation) -> tuple[Mapping[str, Any] | None, str]:
    """The final body where it has ended, and the state in a word. Raises where it ended badly."""
    body: Mapping[str, Any] = answer.body if isinstance(answer.body, Mapping) else {}
    if answer.status >= 400:
        return _read_refusal(answer, operation), f"HTTP {answer.status}"
    if operation.via == "completion":
        return _read_completion(body, operation)
    if operation.via == "protection":
        return _read_protection(body, operation)
    state = _state(body, operation)
    if state.lower() in _ENDED_BADLY:
        raise _failed(body, state, operation)
    if answer.status == 204 or state.lower() in _ENDED_WELL:
        return body, state or "Succeeded"
    if answer.status != 202 and not state and operation.via != "azure-async":
        return body, "Succeeded"
    if answer.status == 200 and not body:
        return body, "Succeeded"
    tell = {"replication-job": progress, "job": job_progress}.get(operation.via)
    return None, (tell(body) if tell else "") or state or "InProgress"


def _read_refusal(answer: Answer, operation: Operation) -> Mapping[str, Any] | None:
    """5xx and 429 hit polls more than anything else and say nothing of the operation: go on polling (backup.md §7)."""
    if answer.status >= 500 or answer.status == 429:
        return None
    error = refusal(answer.status, answer.body, operation.resource)
    if answer.status == 404 and (operation.gone_is_success or operation.background):
        return {}
    if isinstance(error, AbsentError):
        raise FailedError(
            f"Azure no longer knows the operation on {operation.resource}",
            code=error.code,
            resource=operation.resource,
            why=error.why,
            advice="run plan: it shows whether the change took effect",
        )
    raise error


def _read_completion(body: Mapping[str, Any], operation: Operation) -> tuple[Mapping[str, Any] | None, str]:
    """A snapshot's data is there at 100; the field appears only after the operation that made it has ended."""
    properties = body.get("properties")
    known: Mapping[str, Any] = properties if isinstance(properties, Mapping) else {}
    state, error = str(known.get("provisioningState") or ""), known.get("copyCompletionError")
    if isinstance(error, Mapping):
        said = {"code": error.get("errorCode"), "message": error.get("errorMessage")}
        raise _failed({"error": said}, "Failed", operation)
    if state.lower() in _ENDED_BADLY:
        raise _failed(body, state, operation)
    percent = known.get("completionPercent")
    if not isinstance(percent, (int, float)):
        return None, state or "InProgress"
    return (body, "Succeeded") if percent >= 100 else (None, f"{percent:.0f} % copied")


def _read_protection(body: Mapping[str, Any], operation: Operation) -> tuple[Mapping[str, Any] | None, str]:
    """Both states Protected is the end. Unprotected with nothing at work on it: enabling has failed meanwhile."""
    properties = body.get("properties")
    known: Mapping[str, Any] = properties if isinstance(properties, Mapping) else {}
    details, scenario = (known.get(name) or {} for name in ("providerSpecificDetails", "currentScenario"))
    state = str(known.get("protectionState") or "")
    if state == details.get("vmProtectionState") == "Protected":
        return body, "Protected"
    words = str(known.get("protectionStateDescription") or state or "InProgress")
    if state.startswith("Unprotected") and scenario.get("scenarioName") in (None, "None"):
        raise _failed({"error": {"code": state, "message": words}}, "Failed", operation)
    percent = details.get("monitoringPercentageCompletion")
    return None, f"{words}, {percent} %" if isinstance(percent, (int, float)) and percent else words


def _state(body: Mapping[str, Any], operation: Operation) -> str:
    field = {"resource": "provisioningState", "job": "status", "replication-job": "state"}.get(operation.via)
    if field:
        properties = body.get("properties")
        return str(properties.get(field) or "") if isinstance(properties, Mapping) else ""
    return str(body.get("status") or "")


def _failed(body: Mapping[str, Any], state: str, operation: Operation) -> FailedError:
    envelope, advice = job_complaint(body) if operation.via == "job" else ({}, "")
    said = complaint(envelope or body)
    if is_guarded(said):
        return guarded(said, operation.resource)  # type: ignore[return-value]  # a sibling; both are AzureError
    return FailedError(
        f"the operation on {operation.resource} ended as {state}",
        code=said.code,
        resource=operation.resource,
        why=f"{said.code}: {said.message}" if said.message else said.code or "Azure gave no reason",
        advice=advice,
    )


def _next_url(answer: Answer, operation: Operation, url: str) -> str:
    """Azure repeats the address with another signature; the newest one is good for longest."""
    header = {"azure-async": "azure-asyncoperation", "location": "location"}.get(operation.via, "")
    return answer.headers.get(header) or url


def _timed_out(operation: Operation, limit: timedelta, last: str) -> OperationTimeoutError:
    return OperationTimeoutError(
        f"the operation on {operation.resource} has not ended within {limit}",
        resource=operation.resource,
        why=f"last answer: {last}; asked at {_SIGNATURE.sub('', operation.url)}",
        advice="it may still end: run apply again, which goes on waiting for it",
    )
