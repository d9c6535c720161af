"""Replication jobs: every write of Site Recovery is one, under the name of its operation (site-recovery.md §3, §4).

The job of one operation is in the state of that operation. The jobs that a recovery plan carries out, step by step,
keep their own state.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from reconciler.emulator.operations import Operation
from reconciler.emulator.providers.replication_names import FABRICS, JOBS, POLICIES, vault_of
from reconciler.emulator.providers.replication_refusals import never_used
from reconciler.emulator.providers.replication_scenarios import Scenario, Task
from reconciler.emulator.store import Body
from reconciler.emulator.world import World

State = Literal["NotStarted", "InProgress", "Suspended", "Succeeded", "Failed", "Cancelled"]
OPEN: tuple[State, ...] = ("NotStarted", "InProgress", "Suspended")


class Target(msgspec.Struct, frozen=True):
    """What a job works on: the inner id and the name that it shows."""

    id: str
    name: str


class Standing(msgspec.Struct, frozen=True):
    """Where a job stands. ``error`` is what its operation failed with."""

    state: State
    ended: datetime | None = None
    error: dict[str, Any] | None = None


class Job(msgspec.Struct):
    """A kept job. ``standing`` None: that of the operation of this name. ``shown`` are tasks in their final form."""

    id: str
    name: str
    scenario: str
    title: str
    kind: str
    target: Target
    started: datetime
    tasks: list[Task] = []
    details: dict[str, Any] | None = None
    standing: Standing | None = None
    shown: list[dict[str, Any]] = []
    step: str = ""
    type: str = JOBS


class Work(msgspec.Struct, frozen=True):
    """What a job does in the end: a registered completion, its arguments, and the resource that is worked on.

    ``skips`` are the ids of tasks that are left out.
    """

    completion: str
    arguments: dict[str, Any]
    resource: str
    seconds: float | None = None
    details: dict[str, Any] | None = None
    skips: tuple[str, ...] = ()


def begin(world: World, scenario: Scenario, target: Target, work: Work) -> Operation:
    """Starts the operation of a job and notes the job."""
    operation = world.operations.start(
        f"replication {scenario.name}",
        duration=timedelta(seconds=scenario.seconds if work.seconds is None else work.seconds),
        on_done=(work.completion, work.arguments),
        resource=work.resource,
    )
    job = new_job(world, vault_of(work.resource), scenario, target, operation.guid)
    job.details = work.details
    job.tasks = [msgspec.structs.replace(task, skipped=task.id in work.skips) for task in job.tasks]
    save(world, job)
    return operation


def new_job(world: World, vault: str, scenario: Scenario, target: Target, name: str) -> Job:
    """A job that begins now; not kept yet."""
    return Job(
        id=f"{vault}/replicationJobs/{name}",
        name=name,
        scenario=scenario.name,
        title=scenario.title,
        kind=scenario.kind,
        target=target,
        started=world.clock.now(),
        tasks=[*scenario.tasks],
    )


def record(world: World, vault: str, scenario: Scenario, target: Target) -> Job:
    """A job of the service's own that is over in a moment."""
    job = new_job(world, vault, scenario, target, world.new_guid())
    job.standing = Standing("Succeeded", job.started + timedelta(seconds=scenario.seconds))
    save(world, job)
    return job


def save(world: World, job: Job) -> None:
    world.store.put(job.id, JOBS, msgspec.to_builtins(job))


def parse(body: Body) -> Job:
    return msgspec.convert(body, Job)


def find_job(world: World, vault: str, name: str) -> Job | None:
    body = world.store.get(f"{vault}/replicationJobs/{name}")
    return parse(body) if body else None


def standing_of(world: World, job: Job) -> Standing:
    """The state of a job now."""
    if job.standing is not None:
        return job.standing
    operation = world.operations.get(job.name)
    if operation is None or not operation.done:
        return Standing("InProgress")
    return Standing("Failed" if operation.error else "Succeeded", operation.end, operation.error)


def is_free(world: World, resource: str) -> bool:
    """Whether no job works on a resource just now."""
    return not any(found.kind.startswith("replication ") for found in world.operations.running(resource))


def open_jobs(world: World, vault: str, scenario: Scenario) -> list[Job]:
    """Jobs of one scenario in a vault that are not over."""
    kept = (parse(body) for body in world.store.list(JOBS, vault, where=lambda body: body["scenario"] == scenario.name))
    return [job for job in kept if standing_of(world, job).state in OPEN]


def check_used(world: World, vault: str) -> None:
    """Raises 400 for a read of a vault in which Site Recovery never did anything."""
    if not any(world.store.count(type_, vault) for type_ in (JOBS, FABRICS, POLICIES)):
        raise never_used()


def look_below(world: World, vault: str) -> None:
    """A client that reads a list again waits for what is under way in the vault: the next end is looked for."""
    for operation in world.operations.running_below(vault)[:1]:
        world.look(f"list {operation.guid}", operation.end)
