"""What happens during an apply, as one stream: progress display, plain lines and JSON lines all read it.

The JSON form keeps the names of Terraform's machine-readable UI where the meaning is the same (`type`, `@level`,
`@message`, `@timestamp`, `planned_change`, `apply_start`, …), so that log pipelines made for one read the other.
Events can be published: they never carry an operation's polling URL, which is signed (that stays in the journal).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, ClassVar, TypeAlias

import msgspec

from reconciler.model.duration import format_age
from reconciler.plan.change import Action, Change

FORMAT = "1.2"
"""Version of the event stream; a new minor version adds fields or types, a new major one changes them."""


class Event(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", rename={"at": "@timestamp"}
):
    """Something that happened at a time (aware UTC). `text` is the line that people read."""

    level: ClassVar[str] = "info"
    at: datetime

    @property
    def text(self) -> str:
        return str(self.__struct_config__.tag)


Emit: TypeAlias = Callable[[Event], None]
"""Where events go. It must not raise and must not block."""


class Version(Event, frozen=True, kw_only=True, tag="version"):
    """First of the stream: who writes it, and in which form."""

    reconciler: str
    ui: str = FORMAT

    @property
    def text(self) -> str:
        return f"reconciler {self.reconciler}"


class PlannedStep(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One step to come: what it waits for (`after`, step ids) and which vault's lane it takes."""

    step: str
    title: str
    after: tuple[str, ...] = ()
    lane: str = ""
    exclusive: bool = False
    usually: str = ""


class PlannedChange(Event, frozen=True, kw_only=True, tag="planned_change"):
    """One change that this run is about to make, with its steps."""

    address: str
    action: Action
    reason: str
    steps: tuple[PlannedStep, ...]

    @classmethod
    def of(cls, change: Change, at: datetime) -> PlannedChange:
        steps = tuple(
            PlannedStep(
                step=step.id,
                title=step.title,
                after=step.after,
                lane=step.lane,
                exclusive=step.exclusive,
                usually=step.usually,
            )
            for step in change.steps
        )
        return cls(at=at, address=change.address, action=change.action, reason=str(change.reason), steps=steps)

    @property
    def text(self) -> str:
        return f"{self.address}: {self.action} planned"


class StepEvent(Event, frozen=True, kw_only=True):
    """Something that happened to one step."""

    step: str
    address: str
    title: str


class ApplyStart(StepEvent, frozen=True, kw_only=True, tag="apply_start"):
    """The step's write is about to be sent; or, `resumed`, a step of an earlier run is taken up again."""

    resumed: bool = False

    @property
    def text(self) -> str:
        return f"{self.address}: {self.title} {'(resumed) ' if self.resumed else ''}..."


class ApplyAccepted(StepEvent, frozen=True, kw_only=True, tag="apply_accepted"):
    """Azure accepted the write and works on it. `job` is Azure's job id, where it tells one."""

    job: str = ""

    @property
    def text(self) -> str:
        return f"{self.address}: accepted{f', job {self.job}' if self.job else ''}"


class ApplyProgress(StepEvent, frozen=True, kw_only=True, tag="apply_progress"):
    """Azure was asked, and is still at it. `status` is its own word."""

    elapsed_seconds: float
    status: str = ""

    @property
    def text(self) -> str:
        status = f", {self.status}" if self.status else ""
        return f"{self.address}: {self.title} still runs ({_span(self.elapsed_seconds)}{status})"


class ApplyComplete(StepEvent, frozen=True, kw_only=True, tag="apply_complete"):
    """Done, and read back as written."""

    elapsed_seconds: float

    @property
    def text(self) -> str:
        return f"{self.address}: {self.title} done ({_span(self.elapsed_seconds)})"


class ApplyErrored(StepEvent, frozen=True, kw_only=True, tag="apply_errored"):
    """Azure refused it, it failed on the way, or it reads back otherwise. `code` is Azure's own, where it gave one."""

    level: ClassVar[str] = "error"
    elapsed_seconds: float
    message: str
    code: str = ""
    why: str = ""
    advice: str = ""

    @property
    def text(self) -> str:
        head = f"{self.address}: {self.title} failed ({_span(self.elapsed_seconds)}): {self.message}"
        return "\n".join((head, *_reasons(self.why, self.advice)))


class ApplyApproval(StepEvent, frozen=True, kw_only=True, tag="apply_approval"):
    """A Resource Guard wants somebody's approval first; it is not tried again in this run (BP-86)."""

    level: ClassVar[str] = "warn"
    message: str
    guard: str = ""
    advice: str = ""

    @property
    def text(self) -> str:
        guard = f" (Resource Guard {self.guard})" if self.guard else ""
        head = f"{self.address}: {self.title} waits for approval{guard}: {self.message}"
        return "\n".join((head, *_reasons("", self.advice)))


class ApplyOpen(StepEvent, frozen=True, kw_only=True, tag="apply_open"):
    """It may still run, or have been received, in Azure: the journal keeps it, and the next apply looks first."""

    level: ClassVar[str] = "warn"
    elapsed_seconds: float
    message: str
    advice: str = ""

    @property
    def text(self) -> str:
        head = f"{self.address}: {self.title} left open ({_span(self.elapsed_seconds)}): {self.message}"
        return "\n".join((head, *_reasons("", self.advice)))


class ApplyLeft(StepEvent, frozen=True, kw_only=True, tag="apply_left"):
    """Azure accepted it and works on; nobody waits for it, as `--no-wait` asks. The journal keeps it (since 1.1)."""

    elapsed_seconds: float
    message: str
    advice: str = ""

    @property
    def text(self) -> str:
        head = f"{self.address}: {self.title} goes on in Azure ({_span(self.elapsed_seconds)}): {self.message}"
        return "\n".join((head, *_reasons("", self.advice)))


class ApplySettled(StepEvent, frozen=True, kw_only=True, tag="apply_settled"):
    """A step of an earlier run is not running in Azure (any more); the new plan tells what is left of it to do."""

    message: str

    @property
    def text(self) -> str:
        return f"{self.address}: {self.title}: {self.message}"


class ApplySkipped(StepEvent, frozen=True, kw_only=True, tag="apply_skipped"):
    """Not started, because a step that it needs did not get done. `because` is that step's id."""

    level: ClassVar[str] = "warn"
    because: str
    message: str

    @property
    def text(self) -> str:
        return f"{self.address}: {self.title} skipped: {self.message}"


class Stopping(Event, frozen=True, kw_only=True, tag="stopping"):
    """Somebody asked to stop: nothing new is started. `gave_up` means that running steps are no longer waited for."""

    level: ClassVar[str] = "warn"
    running: tuple[str, ...]
    gave_up: bool = False

    @property
    def text(self) -> str:
        count = f"{len(self.running)} running step{'' if len(self.running) == 1 else 's'}"
        if self.gave_up:
            return f"No longer waiting for {count}; the journal keeps them, the next apply takes them up."
        return f"Stopping: nothing new is started, waiting for {count}. Once more to stop waiting."


class LockEvent(Event, frozen=True, kw_only=True, tag="lock"):
    """What became of the lock between machines: `state` is `waiting`, `taken_over` (from one that was cut off), `lost`
    (nothing new is started) or `left` (to end by itself). `lock` is its address, without what is secret in it."""

    level: ClassVar[str] = "warn"
    state: str
    lock: str
    message: str

    @property
    def text(self) -> str:
        words = {
            "waiting": "Waiting for the lock",
            "taken_over": "Took over the lock",
            "lost": "Lost the lock: nothing new is started; run it again",
            "left": "The lock is left behind",
        }
        return f"{words.get(self.state, self.state)} ({self.lock}): {self.message}"


class ChangeSummary(Event, frozen=True, kw_only=True, tag="change_summary"):
    """Last of the stream: how many steps ended how. `going_on` are those that were left as `--no-wait` asks, `waiting`
    those that need them and nothing else (both since 1.1)."""

    done: int
    going_on: int = 0
    waiting: int = 0
    failed: int = 0
    needs_approval: int = 0
    left_open: int = 0
    skipped: int = 0
    not_tried: int = 0
    elapsed_seconds: float = 0.0

    @property
    def text(self) -> str:
        asked = ((self.going_on, "going on in Azure"), (self.waiting, "waiting for what goes on"))
        wrong = (
            (self.failed, "failed"),
            (self.needs_approval, "waiting for approval"),
            (self.left_open, "left open"),
            (self.skipped, "skipped"),
            (self.not_tried, "not tried"),
        )
        parts = [f"{self.done} done", *(f"{count} {word}" for count, word in (*asked, *wrong) if count)]
        accepted = "Apply accepted" if self.going_on or self.waiting else "Apply complete"
        verdict = "Apply incomplete" if any(count for count, _ in wrong) else accepted
        return f"{verdict}: {', '.join(parts)} ({_span(self.elapsed_seconds)})."


def encode(event: Event) -> bytes:
    """One JSON object, no newline: the event with `@level`, `@message` and `@module` before it."""
    body: dict[str, Any] = {"@level": event.level, "@message": event.text, "@module": "reconciler"}
    body.update(msgspec.to_builtins(event))
    return msgspec.json.encode(body)


def _span(seconds: float) -> str:
    return format_age(timedelta(seconds=int(seconds)))


def _reasons(why: str, advice: str) -> list[str]:
    return [f"  {label} {text}" for label, text in (("why: ", why), ("next:", advice)) if text]
