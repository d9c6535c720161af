"""How far a job of Site Recovery is: the task that it is at, out of how many (site-recovery.md §3, §7)."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

_AT_WORK = frozenset({"inprogress", "suspended"})
_OVER = frozenset({"succeeded", "other", "skipped"})


class TaskDetails(msgspec.Struct, frozen=True, rename="camel"):
    """`customDetails` of a task: the instructions of a manual action."""

    instance_type: str | None = None
    instructions: str | None = None


class GroupDetails(msgspec.Struct, frozen=True, rename="camel"):
    """`groupTaskCustomDetails`: what a group of a recovery plan consists of."""

    child_tasks: tuple[Task, ...] | None = None


class Task(msgspec.Struct, frozen=True, rename="camel"):
    """One task of a job. State Other: left out."""

    friendly_name: str | None = None
    name: str | None = None
    state: str | None = None
    custom_details: TaskDetails | None = None
    group_task_custom_details: GroupDetails | None = None

    @property
    def children(self) -> tuple[Task, ...]:
        details = self.group_task_custom_details
        return (details.child_tasks if details else None) or ()


class JobProperties(msgspec.Struct, frozen=True, rename="camel"):
    """A list tells no tasks; one job does."""

    scenario_name: str | None = None
    friendly_name: str | None = None
    state: str | None = None
    start_time: str | None = None
    target_object_name: str | None = None
    tasks: tuple[Task, ...] | None = None


class JobBody(msgspec.Struct, frozen=True):
    """One job of Site Recovery."""

    id: str = ""
    name: str = ""
    properties: JobProperties = JobProperties()


def progress(body: object) -> str:
    """`task 3 of 5: Create the test virtual machine`; "" where the job tells no tasks. Never raises."""
    try:
        return progress_of(msgspec.convert(body, JobBody))
    except msgspec.ValidationError:
        return ""


def progress_of(job: JobBody) -> str:
    """The same of a decoded job. What waits for a person is told with what that person must do."""
    tasks = job.properties.tasks or ()
    number, current = next(((number, task) for number, task in enumerate(tasks, 1) if _at_work(task)), (0, None))
    if current is None:
        done = sum(_is(task, _OVER) for task in tasks)
        return f"{done} of {len(tasks)} tasks done" if tasks else ""
    waiting = next((task for task in _within(current) if _manual(task) and _at_work(task)), None)
    if waiting is not None and waiting.custom_details is not None:
        return f"waits for manual action {_title(waiting)!r}: {waiting.custom_details.instructions or 'see the portal'}"
    below = [_title(task) for task in current.children if _at_work(task)]
    inner = f" ({', '.join(below[:3])}{', …' if len(below) > 3 else ''})" if below else ""
    return f"task {number} of {len(tasks)}: {_title(current)}{inner}"


def _within(task: Task) -> Iterator[Task]:
    yield task
    for child in task.children:
        yield from _within(child)


def _manual(task: Task) -> bool:
    details = task.custom_details
    return details is not None and (details.instance_type or "").startswith("Manual")


def _at_work(task: Task) -> bool:
    return _is(task, _AT_WORK) or any(_at_work(child) for child in task.children)


def _is(task: Task, states: frozenset[str]) -> bool:
    return (task.state or "").lower() in states


def _title(task: Task) -> str:
    return task.friendly_name or task.name or "?"
