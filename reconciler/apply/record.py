"""The record of an operation, for those who were not there: what was done, when, by whom, how old the data was, how
long it took, and what the checks said. Made of the plan and the events, and of nothing else."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from reconciler.apply import events
from reconciler.apply.events import Event
from reconciler.errors import JournalError
from reconciler.model.operation_request import OperationRequest
from reconciler.plan.plan import Plan

VERSION = 1
RPO = "rpo_seconds"
"""The figure of a consequence that tells how old the data is that an operation starts from."""
_LEADS = ("test-failover", "failover")
_CHECKS = ("check-running", "check-command")


class StepRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One step. `state` is planned, running, done, failed, skipped or open. `tasks` is what Azure's job said on the
    way, each thing once."""

    step: str
    title: str
    state: str = "planned"
    started: datetime | None = None
    ended: datetime | None = None
    job: str = ""
    message: str = ""
    tasks: tuple[str, ...] = ()


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """`outcome` is unfinished, succeeded, failed (nothing was done) or incomplete. `rpo_seconds` is the age of the data
    when it was planned, that of the worst VM; `rto_seconds` is measured: from the failover being sent until the last VM
    was seen to run, None where it did not come to that. Times are UTC."""

    version: int = VERSION
    operation: str
    target: str
    asked: OperationRequest
    who: str
    plan: str
    outcome: str
    started: datetime
    ended: datetime | None
    rpo_seconds: int | None
    rto_seconds: float | None
    machines: tuple[str, ...]
    checks: dict[str, str]
    steps: tuple[StepRecord, ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """What was asked for, of what (its address), and by whom."""

    request: OperationRequest
    who: str


class Scribe:
    """Takes down the events of one plan that is carried out."""

    def __init__(self, origin: Origin, plan: Plan, at: datetime) -> None:
        self._origin, self._plan, self._at = origin, plan, at
        self._summary: events.ChangeSummary | None = None
        self._steps = {step.id: StepRecord(step=step.id, title=step.title) for step in plan.steps()}
        self._verbs = {step.id: step.verb for step in plan.steps()}

    def take(self, event: Event) -> None:
        """Note one event."""
        if isinstance(event, events.ChangeSummary):
            self._summary = event
            return
        if not isinstance(event, events.StepEvent) or event.step not in self._steps:
            return
        step = self._steps[event.step]
        self._steps[event.step] = _noted(step, event)

    def record(self) -> Record:
        """As far as it has come."""
        summary = self._summary
        changes = self._plan.changes
        ages = [item.figures[RPO] for change in changes for item in change.consequences if RPO in item.figures]
        machines = (detail.after for change in changes for detail in change.details if detail.name == "vm")
        return Record(
            operation=self._origin.request.verb,
            target=changes[0].address if changes else self._origin.request.target,
            asked=self._origin.request,
            who=self._origin.who,
            plan=self._plan.digest,
            outcome=_outcome(summary),
            started=self._at,
            ended=summary.at if summary else None,
            rpo_seconds=max(ages, default=None),
            rto_seconds=self._rto(),
            machines=tuple(machines),
            checks={step.title: step.state for step in self._steps.values() if self._verbs[step.step] in _CHECKS},
            steps=tuple(self._steps.values()),
        )

    def _rto(self) -> float | None:
        begun = [step.started for step in self._of(_LEADS) if step.started]
        running = self._of(("check-running",))
        ended = [step.ended for step in running if step.state == "done" and step.ended]
        if not begun or not ended or len(ended) < len(running):
            return None
        return (max(ended) - min(begun)).total_seconds()

    def _of(self, verbs: tuple[str, ...]) -> list[StepRecord]:
        return [step for step in self._steps.values() if self._verbs[step.step] in verbs]


def _noted(step: StepRecord, event: events.StepEvent) -> StepRecord:
    """The step with what happened to it."""
    note = msgspec.structs.replace
    match event:
        case events.ApplyStart():
            return note(step, state="running", started=event.at)
        case events.ApplyAccepted():
            return note(step, job=event.job)
        case events.ApplyProgress() if event.status and event.status not in step.tasks:
            return note(step, tasks=(*step.tasks, event.status))
        case events.ApplyComplete():
            return note(step, state="done", ended=event.at)
        case events.ApplyErrored():
            why = f" ({event.why})" if event.why else ""
            return note(step, state="failed", ended=event.at, message=event.message + why)
        case events.ApplyOpen() | events.ApplyLeft() | events.ApplyApproval():
            return note(step, state="open", ended=event.at, message=event.message)
        case events.ApplySkipped():
            return note(step, state="skipped", message=event.message)
        case _:
            return step


def _outcome(summary: events.ChangeSummary | None) -> str:
    if summary is None:
        return "unfinished"
    left = summary.failed + summary.needs_approval + summary.left_open + summary.skipped + summary.not_tried
    asked = summary.going_on + summary.waiting
    return "succeeded" if not left + asked else "incomplete" if summary.done + asked else "failed"


def save(record: Record, path: Path) -> None:
    """Whole or not at all, readable by its owner only. Raises JournalError."""
    draft = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=".record-")
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n")
        Path(draft).replace(path)
    except OSError as error:
        if draft:
            Path(draft).unlink(missing_ok=True)
        raise JournalError(
            f"cannot write the record {path}",
            why=error.strerror or str(error),
            advice="name a file that you may write to with --record",
        ) from None
