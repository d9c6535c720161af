"""An estate small enough to be killed at every byte: widgets with a level, in a cloud that polls like Azure.

The kind is a real one (`Kind` is its base class), and operations are waited for by the real `azure.operations.wait`.
"""

from __future__ import annotations

import asyncio
import copy
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest

from reconciler.apply.events import Event
from reconciler.apply.executor import execute
from reconciler.apply.journal import Journal, begun, open_steps
from reconciler.apply.journal_lines import Header
from reconciler.apply.lanes import Bounds
from reconciler.apply.result import Ending, Result
from reconciler.apply.resume import Resumed, resume
from reconciler.apply.run import Run, Stop
from reconciler.azure.clients import Answer
from reconciler.azure.operations import Operation
from reconciler.errors import FailedError, ReconcilerError
from reconciler.kinds.base import Comparison, Expansion, Kind, Rule, Verdict
from reconciler.model.resource import Resource, Spec
from reconciler.plan.change import Action, Change, Reason, Step
from reconciler.plan.finding import Finding
from reconciler.plan.plan import Plan

ENDPOINT = "https://management.widgets.example"
BEHIND = timedelta(seconds=30)
"""The cloud's own clock, against ours."""
START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


@dataclass
class Work:
    """An operation that the cloud has taken up: `polls` more answers until it ends."""

    address: str
    level: int
    polls: int
    error: str = ""
    ended: bool = False
    began: datetime = START


@dataclass
class Cloud:
    """Stands where `Azure` stands. `levels` is what exists; `sent` counts the writes that were received, by step id."""

    levels: dict[str, int] = field(default_factory=dict)
    works: dict[str, Work] = field(default_factory=dict)
    sent: Counter[str] = field(default_factory=Counter)
    clock: datetime = START
    faults: dict[str, list[ReconcilerError]] = field(default_factory=dict)
    """Step id → errors that its next writes answer with, received or not."""
    lost: set[str] = field(default_factory=set)
    """Step ids whose write takes effect although its answer is an error."""
    forgets: set[str] = field(default_factory=set)
    """Addresses that accept a write and do not keep it."""
    witness: Callable[[], None] = lambda: None
    """Called before and after everything that changes the cloud: a process could be killed right there."""
    gates: dict[str, asyncio.Event] = field(default_factory=dict)
    """Step id → its write is answered only when this is set."""
    poll_errors: list[ReconcilerError] = field(default_factory=list)

    def now(self) -> datetime:
        return self.clock

    async def pause(self, seconds: float) -> None:
        self.clock += timedelta(seconds=seconds)
        await asyncio.sleep(0)

    def receive(self, step: Step) -> str:
        """A write arrives: done at once, or taken up as an operation whose address is answered."""
        self.witness()
        self.sent[step.id] += 1
        level, polls = step.arguments["level"], step.arguments["polls"]
        url = f"{ENDPOINT}/operations/{len(self.works)}" if polls else ""
        if polls:
            self.works[url] = Work(
                step.address, level, polls, step.arguments.get("error", ""), began=self.clock - BEHIND
            )
        elif step.address not in self.forgets:
            self.levels[step.address] = level
        self.witness()
        return url

    async def exchange(self, method: str, url: str, body: Any = None) -> Answer:
        assert (method, body) == ("GET", None)
        if self.poll_errors:
            raise self.poll_errors.pop(0)
        self.witness()
        work = self.works[url]
        work.polls -= 1
        if work.polls <= 0 and not work.ended:
            work.ended = True
            if not work.error and work.address not in self.forgets:
                self.levels[work.address] = work.level
        self.witness()
        await asyncio.sleep(0)
        if not work.ended:
            return Answer(200, {}, {"status": "InProgress"})
        if work.error:
            return Answer(200, {}, {"status": "Failed", "error": {"code": work.error, "message": "it broke"}})
        return Answer(200, {}, {"status": "Succeeded"})

    def settle(self) -> None:
        """Time passes: everything that was taken up ends."""
        for work in self.works.values():
            if not work.ended:
                work.ended = True
                self.levels[work.address] = work.level

    def copy(self) -> Cloud:
        return Cloud(dict(self.levels), copy.deepcopy(self.works), Counter(self.sent), self.clock)


class WidgetSpec(Spec, frozen=True, kw_only=True):
    level: int = 0


class WidgetKind(Kind[WidgetSpec]):
    """Brings a widget to a level, one level a step."""

    name = "widget"
    title = "widget"
    spec = WidgetSpec
    rules: ClassVar[Mapping[str, Rule]] = {"level": Rule.UPDATE}

    def expand(self, expansion: Expansion) -> Iterator[Resource | Finding]:
        return iter(())

    async def read(self, azure: Any, declared: Any) -> AsyncIterator[Any]:
        for found in ():
            yield found

    def steps(self, comparison: Comparison[WidgetSpec], verdict: Verdict) -> tuple[Step, ...]:
        return ()

    async def perform(self, azure: Any, step: Step) -> Operation | None:
        cloud: Cloud = azure
        if step.id in cloud.gates:
            await cloud.gates[step.id].wait()
        await asyncio.sleep(0)
        errors = cloud.faults.get(step.id)
        if errors:
            if step.id in cloud.lost:
                cloud.receive(step)
            raise errors.pop(0)
        url = cloud.receive(step)
        return Operation(url=url, via="azure-async", resource=step.address, job="job-1") if url else None

    async def verify(self, azure: Any, step: Step) -> None:
        level = azure.levels.get(step.address, 0)
        if level != step.arguments["level"]:
            raise FailedError(f"{step.address}: level is {level}, not {step.arguments['level']}")

    async def running(self, azure: Any, step: Step, since: datetime) -> Operation | None:
        for url, work in azure.works.items():
            if (
                work.began >= since
                and not work.ended
                and (work.address, work.level) == (step.address, step.arguments["level"])
            ):
                return Operation(url=url, via="azure-async", resource=step.address)
        return None


@dataclass(frozen=True)
class Widget:
    """What is wanted of one widget. `after` names widgets that must be ready before."""

    name: str
    level: int = 1
    after: tuple[str, ...] = ()
    lane: str = ""
    exclusive: bool = False
    polls: int = 2
    error: str = ""
    always: bool = False
    undoes: str = ""
    """Name of the widget that it takes back; a plan of such widgets starts from nothing, so each has one step."""
    long: bool = False

    @property
    def address(self) -> str:
        return f"widget.shop/{self.name}"


def plan_for(widgets: tuple[Widget, ...], levels: Mapping[str, int], *, basis: str = "") -> Plan:
    """The plan that closes the difference: what `diff` does for real kinds."""
    changes = [_change(widget, widgets, levels) for widget in widgets if levels.get(widget.address, 0) < widget.level]
    return Plan(created="2026-03-01T08:00:00Z", changes=tuple(changes), basis=basis or repr(sorted(levels.items())))


def _change(widget: Widget, widgets: tuple[Widget, ...], levels: Mapping[str, int]) -> Change:
    have = levels.get(widget.address, 0)
    first_needs = tuple(
        f"{other.address}#to{other.level}"
        for other in widgets
        if other.name in widget.after and levels.get(other.address, 0) < other.level
    )
    steps = tuple(
        Step(
            id=f"{widget.address}#to{level}",
            kind="widget",
            address=widget.address,
            verb="raise",
            title=f"Raise {widget.name} to {level}",
            arguments={"level": level, "polls": widget.polls, "error": widget.error},
            lane=widget.lane,
            exclusive=widget.exclusive,
            after=first_needs if level == have + 1 else (f"{widget.address}#to{level - 1}",),
            always=widget.always,
            undoes=f"widget.shop/{widget.undoes}#to1" if widget.undoes else "",
            long=widget.long,
        )
        for level in range(have + 1, widget.level + 1)
    )
    return Change(
        address=widget.address,
        kind="widget",
        action=Action.UPDATE if have else Action.CREATE,
        reason=Reason.DIFFERS if have else Reason.NOT_IN_AZURE,
        before={"level": have} if have else None,
        after={"level": widget.level},
        basis={
            other.address: str(levels.get(other.address, "absent"))
            for other in widgets
            if other is widget or other.name in widget.after
        },
        steps=steps,
    )


@dataclass
class Shop:
    """One machine that applies: its journal folder, its cloud, and every event it saw."""

    folder: Path
    cloud: Cloud
    events: list[Event] = field(default_factory=list)
    stop: Stop = field(default_factory=Stop)
    bounds: Bounds = field(default_factory=Bounds)
    limit: timedelta = timedelta(minutes=120)
    waits: bool = True
    runs: int = 0

    def run(self) -> Run:
        kinds: dict[str, Kind[Any]] = {"widget": WidgetKind()}
        return Run(self.cloud, kinds, self.events.append, self.stop, self.bounds, self.limit, self.waits)  # type: ignore[arg-type]

    def header(self, plan: Plan) -> Header:
        self.runs += 1
        return Header(
            at=self.cloud.now() + timedelta(seconds=self.runs),
            run=f"r{self.runs}",
            plan=plan.digest,
            policies="",
            endpoint=ENDPOINT,
            pid=1,
            host="here",
            reconciler="0",
        )

    async def execute(self, plan: Plan, held: Mapping[str, Ending] | None = None) -> Result:
        with Journal.create(self.folder, self.header(plan)) as journal:
            return await execute(plan, self.run(), journal, held)

    async def resume(self) -> Resumed:
        return await resume(self.run(), open_steps(self.folder, ENDPOINT))

    async def apply(self, widgets: tuple[Widget, ...]) -> Result:
        """What the command does: take up what is left, look, plan, execute."""
        resumed = await self.resume()
        return await self.execute(plan_for(widgets, self.cloud.levels), resumed.held)

    def open_ids(self) -> list[str]:
        return [left.step.id for left in open_steps(self.folder, ENDPOINT)]

    def begun(self, plan: Plan) -> frozenset[str]:
        return begun(self.folder, ENDPOINT, plan.digest)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path / "journals", Cloud())


@pytest.fixture
def new_shop() -> Callable[[Path, Cloud], Shop]:
    return Shop


@pytest.fixture
def widget() -> Callable[..., Widget]:
    return Widget


@pytest.fixture
def plan() -> Callable[..., Plan]:
    return plan_for
