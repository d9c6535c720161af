"""Backup jobs: those of configuration are kept, those of runs are computed from the items (backup.md §6)."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote

from reconciler.emulator.failures import bad_request
from reconciler.emulator.operations import Operation
from reconciler.emulator.providers.backup_failures import CANCELLED, DEFAULT_FAILURE, VM_NOT_FOUND, describe_job_error
from reconciler.emulator.providers.backup_filters import read_date, read_filter
from reconciler.emulator.providers.backup_job_bodies import job_body
from reconciler.emulator.providers.backup_job_ids import is_marked, read_run_guid, run_guid
from reconciler.emulator.providers.backup_names import ITEMS, JOBS, VAULT, part
from reconciler.emulator.providers.backup_refusals import not_in_vault
from reconciler.emulator.providers.backup_runs import COMPLETED, FAILED, ON_DEMAND, VM_GONE, WITH_WARNINGS
from reconciler.emulator.providers.backup_schedule import DAY
from reconciler.emulator.providers.backup_tasks import Span, running_states, show_tasks
from reconciler.emulator.providers.backup_times import (
    from_epoch,
    iso_duration,
    parse_time,
    us_time,
    wire_time,
)
from reconciler.emulator.providers.protected_item_rules import split_disks
from reconciler.emulator.providers.protected_item_states import (
    Protection,
    read_protection,
    retention_of,
)
from reconciler.emulator.providers.restore_jobs import read_restore, show_restore
from reconciler.emulator.providers.vaults import find_vault
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.world import World

Body = dict[str, Any]
Entry = TypeVar("Entry")

RUNNING = 7
"""In place of a run's outcome while it goes on."""

STATUSES = {
    RUNNING: "InProgress",
    COMPLETED: "Completed",
    WITH_WARNINGS: "CompletedWithWarnings",
    FAILED: "Failed",
    VM_GONE: "Failed",
}


@dataclass(frozen=True)
class Run:
    """One backup of one item, finished or not."""

    item_id: str
    protection: Protection
    scheduled: int
    outcome: int

    @property
    def start(self) -> datetime:
        return from_epoch(self.protection.start_of(self.scheduled))

    @property
    def end(self) -> datetime:
        return from_epoch(self.protection.end_of(self.scheduled))


def open_job(world: World, vault_id: str, vm_id: str, operation: Operation, kind: str, bag: Mapping[str, str]) -> None:
    """Keeps the job of a configuration; its state is that of the operation."""
    body = job_body(vault_id, str(operation.job), vm_id, kind)
    body["properties"]["startTime"] = wire_time(operation.start)
    hidden = {"operation": operation.guid, "bag": {"VM Name": part(vm_id, "virtualMachines"), **bag}}
    world.store.put(body["id"], JOBS, body, hidden=hidden)


def _show_kept(world: World, body: Body, *, full: bool) -> Body:
    """A job that is stored: of a restore, or of a configuration."""
    kept = read_restore(world, body["id"])
    return show_restore(world, body, kept, full=full) if kept else _show_configuration(world, body, full=full)


def _show_configuration(world: World, body: Body, *, full: bool) -> Body:
    hidden = world.store.hidden(body["id"])
    operation = world.operations.get(hidden["operation"])
    properties = body["properties"]
    if operation is not None:
        ended = operation.end if operation.done and operation.end else world.clock.now()
        properties["duration"] = iso_duration(ended - operation.start)
        properties["status"] = {"Succeeded": "Completed"}.get(operation.status, operation.status)
        if operation.done:
            properties["endTime"] = wire_time(ended)
        if operation.error:
            properties["errorDetails"] = [describe_job_error(str(operation.error.get("code")))]
    if full:
        properties["extendedInfo"] = {"tasksList": [], "propertyBag": hidden["bag"]}
    return body


def _show_run(world: World, run: Run, *, full: bool) -> Body:
    """`actionsInfo` stays on finished jobs; `extendedInfo` comes only with a GET of the job itself."""
    protection = run.protection
    body = job_body(protection.vault, run_guid(protection, run.scheduled), protection.vm, "Backup")
    is_running = run.outcome == RUNNING
    properties = {"jobType": "AzureIaaSVMJob", "actionsInfo": ["Cancellable"], **body["properties"]}
    properties["duration"] = iso_duration((world.clock.now() if is_running else run.end) - run.start)
    properties["startTime"] = wire_time(run.start)
    properties["status"] = STATUSES[run.outcome]
    if not is_running:
        properties["endTime"] = wire_time(run.end)
    title = {VM_GONE: VM_NOT_FOUND, WITH_WARNINGS: CANCELLED, FAILED: protection.failure or DEFAULT_FAILURE}
    if run.outcome in title:
        properties["errorDetails"] = [describe_job_error(title[run.outcome])]
    if full:
        properties["extendedInfo"] = _show_details(world, run)
    return {**body, "properties": properties}


def _show_details(world: World, run: Run) -> Body:
    span = Span(run.start, run.end, world.clock.now())
    states = {
        RUNNING: running_states(span),
        COMPLETED: ("Completed", "Completed"),
        WITH_WARNINGS: ("Completed", "Cancelled"),
    }
    expiry = run.protection.expires.get(str(run.scheduled), run.scheduled + 30 * DAY)
    bag = {
        "VM Name": part(run.protection.vm, "virtualMachines"),
        "Recovery Point Expiry Time in UTC": us_time(from_epoch(expiry)),
    }
    if run.outcome == COMPLETED:
        bag |= {"Backup Size": "1024 MB", **_show_selection(world, run.protection)}
    tasks = show_tasks(span, *states.get(run.outcome, ("Failed", "NotStarted")))
    return {"tasksList": tasks, "propertyBag": bag, "internalPropertyBag": {"IsInstantRpJob": "True"}}


def _show_selection(world: World, protection: Protection) -> Body:
    """Which disks were backed up, if not all."""
    machine = world.store.get(protection.vm)
    if machine is None or protection.disks is None:
        return {}
    kept, left_out = split_disks(machine, protection.disks)
    names = {"Backed-up disk(s)": kept, "Excluded disk(s)": left_out}
    return {title: "; ".join(disk["name"] for disk in disks) for title, disks in names.items() if disks}


def runs_of(world: World, vault_id: str) -> Iterator[Run]:
    for item_id in world.store.ids(ITEMS, vault_id):
        yield from item_runs(world, item_id, read_protection(world, item_id))


def item_runs(world: World, item_id: str, protection: Protection) -> Iterator[Run]:
    """Finished runs, backups on demand under way, and a scheduled one that has started and not ended."""
    for run in protection.runs:
        yield Run(item_id, protection, run >> 3, run & ~ON_DEMAND & 7)
    for start in protection.pending:
        yield Run(item_id, protection, start, RUNNING)
    retention = retention_of(world, protection.policy) if protection.is_active else None
    if retention is not None:
        following = retention.schedule.next_run(protection.cursor)
        if protection.start_of(following) <= world.clock.now().timestamp():
            yield Run(item_id, protection, following, RUNNING)


def list_jobs(world: World, request: Request) -> Response:
    """Newest first. `$filter` knows status, operation, jobId, startTime and endTime. Only the page is rendered."""
    vault = find_vault(world, request)
    wanted = read_filter(request)
    first = read_date(wanted["starttime"]).timestamp() if "starttime" in wanted else 0.0
    last = read_date(wanted["endtime"]).timestamp() if "endtime" in wanted else math.inf
    entries: list[tuple[float, Run | Body]] = []
    for body in world.store.list(JOBS, vault["id"]):
        job = _show_kept(world, body, full=False)
        entries.append((parse_time(job["properties"]["startTime"]).timestamp(), job))
    entries += [(run.protection.start_of(run.scheduled), run) for run in runs_of(world, vault["id"])]
    fitting = [entry for entry in entries if first <= entry[0] <= last and _fits(entry[1], wanted)]
    fitting.sort(key=lambda entry: entry[0], reverse=True)

    def show(entry: tuple[float, Run | Body]) -> Body:
        return _show_run(world, entry[1], full=False) if isinstance(entry[1], Run) else entry[1]

    return page_of(world, request, JOBS, fitting, show)


def _fits(job: Run | Body, wanted: Mapping[str, str]) -> bool:
    if isinstance(job, Run):
        status, operation = STATUSES[job.outcome], "Backup"
    else:
        status, operation = job["properties"]["status"], job["properties"]["operation"]
    if status.lower() != wanted.get("status", status.lower()):
        return False
    if operation.lower() != wanted.get("operation", operation.lower()):
        return False
    if "jobid" not in wanted:
        return True
    name = run_guid(job.protection, job.scheduled) if isinstance(job, Run) else job["name"]
    return wanted["jobid"] == str(name)


def page_of(
    world: World, request: Request, type_: str, entries: list[Entry], show: Callable[[Entry], Body]
) -> Response:
    """A page of a list that is computed; its token is the number of entries before it."""
    token = request.query.get("$skiptoken", "0")
    if not token.isdecimal():
        raise bad_request("InvalidSkipToken", "The provided $skiptoken is not valid.")
    first, size = int(token), world.configuration.page_size_of(type_)
    answer: Body = {"value": [show(entry) for entry in entries[first : first + size]]}
    if first + size < len(entries):
        query = {**request.query, "$skiptoken": str(first + size)}
        text = "&".join(f"{quote(key, safe='$-')}={quote(value, safe='')}" for key, value in query.items())
        answer["nextLink"] = f"{request.base_url}{quote(request.path, safe='/;()')}?{text}"
    return Response(200, answer)


def find_run(world: World, vault_id: str, guid: str) -> Run | None:
    marked = read_run_guid(guid)
    if marked is None:
        return None
    mark, scheduled = marked
    for item_id in world.store.ids(ITEMS, vault_id):
        protection = read_protection(world, item_id)
        if is_marked(protection, mark):
            return next((run for run in item_runs(world, item_id, protection) if run.scheduled == scheduled), None)
    return None


def look_at_job(world: World, key: str) -> None:
    """Who asks for a stored job again waits for the end of its operation, unless that no longer matters."""
    hidden = world.store.hidden(key)
    operation = world.operations.get(hidden["operation"])
    if operation is not None and not operation.done and not hidden.get("cancelled"):
        world.look(key.rpartition("/")[2].lower(), operation.end)


def get_job(world: World, request: Request) -> Response:
    """A repeated read of a job that is under way is a poll: the Azure CLI waits by it."""
    vault = find_vault(world, request)
    guid = request.params["job"]
    body = world.store.get(request.path)
    if body is not None:
        look_at_job(world, body["id"])
        return Response(200, _show_kept(world, body, full=True))
    run = find_run(world, vault["id"], guid)
    if run is not None and run.outcome == RUNNING:
        world.look(guid.lower(), run.end)
        run = find_run(world, vault["id"], guid)
    if run is None:
        raise not_in_vault(f"The job {guid}")
    return Response(200, _show_run(world, run, full=True))


ROUTES: tuple[Route, ...] = (
    Route("GET", VAULT + "/backupJobs", list_jobs),
    Route("GET", VAULT + "/backupJobs/{job}", get_job),
)
