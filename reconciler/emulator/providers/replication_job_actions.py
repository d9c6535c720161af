"""Reading jobs, and what a person may do to one: cancel, start once more, resume after a manual action."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from reconciler.emulator.operations import Operation
from reconciler.emulator.polling import timing_headers
from reconciler.emulator.providers.backup_filters import read_filter
from reconciler.emulator.providers.backup_jobs import page_of
from reconciler.emulator.providers.backup_names import VAULT
from reconciler.emulator.providers.backup_times import parse_time
from reconciler.emulator.providers.recovery_plan_runs import cancel_run, restart_run, resume_run
from reconciler.emulator.providers.replication_item_state import begin_underway, find_item
from reconciler.emulator.providers.replication_job_bodies import show_job, show_listed_job
from reconciler.emulator.providers.replication_jobs import Job, check_used, find_job, look_below, parse, standing_of
from reconciler.emulator.providers.replication_names import ITEMS, JOB, JOBS, below, vault_id, vault_of
from reconciler.emulator.providers.replication_operations import accept
from reconciler.emulator.providers.replication_refusals import missing, refuse
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.store import Body
from reconciler.emulator.world import Completion, World

_LENGTH = timedelta(seconds=1)


def list_jobs(world: World, request: Request) -> Response:
    """Newest first. Filters are `startTime`, `endTime`, `jobStatus`, `affectedObjectTypes` and `jobName`."""
    vault, wanted = vault_id(world, request), read_filter(request)
    check_used(world, vault)
    look_below(world, vault)
    kept = (parse(body) for body in world.store.list(JOBS, vault))
    jobs = sorted((job for job in kept if _fits(world, job, wanted)), key=lambda job: (job.started, job.id))
    page = page_of(world, request, JOBS, jobs[::-1], lambda job: show_listed_job(world, job))
    return Response(200, {"nextLink": None, **page.body})


def _fits(world: World, job: Job, wanted: Mapping[str, str]) -> bool:
    told = {
        "jobstatus": standing_of(world, job).state,
        "affectedobjecttypes": job.kind,
        "jobname": job.scenario,
    }
    for name, value in told.items():
        if wanted.get(name) and value.lower() not in wanted[name].split(","):
            return False
    first, last = (_moment(wanted[name]) if name in wanted else None for name in ("starttime", "endtime"))
    return not (first and job.started < first) and not (last and job.started > last)


def _moment(text: str) -> datetime:
    """A moment of a filter. Raises 400 for what is none."""
    try:
        return parse_time(text.upper())
    except ValueError:
        raise refuse("wire", "InvalidParameter", f"The time {text} in the filter is not valid.") from None


def get_job(world: World, request: Request) -> Response:
    job = _find(world, below(world, request))
    if job.step or job.standing is None:
        operation = world.operations.get(job.step or job.name)
        if operation is not None and not operation.done:
            world.look(operation.guid, operation.end)
            job = _find(world, job.id)
    running = world.operations.get(job.step or job.name)
    return Response(200, show_job(world, job), timing_headers(world, running) if running else {})


def _find(world: World, job_id: str) -> Job:
    job = find_job(world, vault_of(job_id), job_id.rpartition("/")[2])
    if job is None:
        raise missing("Job", job_id.rpartition("/")[2])
    return job


def act(world: World, request: Request) -> Response:
    """202; what the job allows is done when the operation ends."""
    job_id, _, action = below(world, request).rpartition("/")
    job = _find(world, job_id)
    allowed = show_job(world, job)["properties"]["allowedActions"]
    if action.lower() not in (one.lower() for one in allowed):
        message = f"The action {action} is not allowed on the job {job.name}."
        listed = ", ".join(allowed) or "none"
        raise refuse("wire", "JobActionNotAllowed", message, causes=f"The job is {_state(world, job)}: {listed}.")
    arguments = {"job": job.id, "action": action.lower(), "comments": request.properties().get("comments")}
    operation = world.operations.start(
        f"replication {action}", duration=_LENGTH, on_done=("replication.jobAction", arguments), resource=job.id
    )
    return accept(world, request, job.id, operation)


def _state(world: World, job: Job) -> str:
    return standing_of(world, job).state


def complete_action(world: World, operation: Operation) -> None:
    job, action = _find(world, operation.arguments["job"]), operation.arguments["action"]
    if action == "cancel":
        cancel_run(world, job)
    elif action == "resume":
        resume_run(world, job, operation.arguments["comments"])
    elif job.shown:
        restart_run(world, job)
    else:
        _restart(world, job)


def _restart(world: World, job: Job) -> None:
    """The same operation once more, under the same name."""
    operation = world.operations.get(job.name)
    if operation is None or operation.end is None or not operation.error:
        return
    world.operations.start(
        operation.kind,
        duration=operation.end - operation.start,
        on_done=(operation.completion or "replication.unchanged", operation.arguments),
        resource=operation.resource,
        guid=operation.guid,
        extra=operation.extra,
    )
    body: Body | None = world.store.get(operation.resource)
    if body is not None and body["type"] == ITEMS:
        begin_underway(world, find_item(world, operation.resource), job.scenario, job.name)


ROUTES: tuple[Route, ...] = (
    Route("GET", VAULT + "/replicationJobs", list_jobs),
    Route("GET", JOB, get_job),
    *(Route("POST", f"{JOB}/{action}", act) for action in ("cancel", "restart", "resume")),
)
COMPLETIONS: Mapping[str, Completion] = {"replication.jobAction": complete_action}
