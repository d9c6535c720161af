"""Long-running operations of Site Recovery: 202 without a body, two addresses and a job (recorded: lro_envelope)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from string import punctuation
from urllib.parse import quote

from reconciler.emulator.clock import stamp
from reconciler.emulator.operations import Operation
from reconciler.emulator.polling import timing_headers
from reconciler.emulator.providers.backup_names import VAULT
from reconciler.emulator.providers.replication_jobs import OPEN, Standing, State, find_job, standing_of
from reconciler.emulator.providers.replication_names import vault_id, vault_of
from reconciler.emulator.providers.replication_refusals import another_job, missing
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.store import Body
from reconciler.emulator.world import Completion, World

_STATUSES = {"Succeeded": "Succeeded", "Failed": "Failed", "Cancelled": "Canceled"}


def accept(world: World, request: Request, resource: str, operation: Operation, *, name: str = "") -> Response:
    """202 for what was done to ``resource``. ``name`` is the job's where the operation is only its first step."""
    name = name or operation.guid
    vault, version = vault_of(resource), f"?api-version={request.api_version}"
    headers = {
        "azure-asyncoperation": f"{_absolute(request, vault)}/replicationOperationStatus/{name}{version}",
        "location": f"{_absolute(request, resource)}/operationresults/{name}{version}",
        "x-ms-request-id": quote(f"{vault}/replicationJobs/{name}", safe=punctuation),
    }
    return Response(202, None, headers | timing_headers(world, operation))


def _absolute(request: Request, path: str) -> str:
    return request.base_url + quote(path, safe=punctuation)


def get_status(world: World, request: Request) -> Response:
    """``percentComplete`` is always null; what failed is told by a number and a sentence."""
    operation, standing, started = poll(world, request)
    headers = waiting_headers(world, operation) if standing.state in OPEN else {}
    return Response(200, _show(request.params["operation"], started, standing), headers)


def waiting_headers(world: World, operation: Operation) -> dict[str, str]:
    """How long to wait before the next poll; a second where only a person can go on."""
    configured = world.configuration.retry_after_seconds
    idle = {"x-ms-retry-after-ms": "1000"} if configured is None else {"Retry-After": str(configured)}
    return timing_headers(world, operation) or idle


def poll(world: World, request: Request) -> tuple[Operation, Standing, datetime]:
    """The operation that a request asks for, where it stands now that the client has waited, and its start.

    Of a job with several steps it is the step that is under way. Raises 404 for a name that stands for none.
    """
    vault, name = vault_id(world, request), request.params["operation"]
    job = find_job(world, vault, name)
    operation = world.poll(job.step if job and job.step else name)
    if operation is None:
        raise missing("Operation", name)
    job = find_job(world, vault, name)
    if job is not None:
        return operation, standing_of(world, job), job.started
    state: State = "InProgress" if not operation.done else "Failed" if operation.error else "Succeeded"
    return operation, Standing(state, operation.end if operation.done else None, operation.error), operation.start


def _show(name: str, started: datetime, standing: Standing) -> Body:
    error = standing.error
    ended = standing.ended
    return {
        "error": {"code": str(error["code"]), "message": error["message"], "details": None} if error else None,
        "id": None,
        "name": name,
        "properties": None,
        "status": _STATUSES.get(standing.state, "InProgress"),
        "startTime": stamp(started),
        "endTime": ended.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.0000000Z") if ended else None,
        "percentComplete": None,
    }


def store_body(world: World, operation: Operation) -> None:
    """What most creations and changes come to: the resource is as the arguments say."""
    body = operation.arguments["body"]
    world.store.put(body["id"], body["type"], body)


def remove_body(world: World, operation: Operation) -> None:
    world.store.delete_under(operation.resource)
    world.store.delete(operation.resource)


def do_nothing(_world: World, _operation: Operation) -> None:
    """What was asked for was there already."""


def refuse_busy(_world: World, _operation: Operation) -> None:
    raise another_job()


ROUTES: tuple[Route, ...] = (Route("GET", VAULT + "/replicationOperationStatus/{operation}", get_status),)
COMPLETIONS: Mapping[str, Completion] = {
    "replication.stored": store_body,
    "replication.removed": remove_body,
    "replication.unchanged": do_nothing,
    "replication.busy": refuse_busy,
}
