"""Walks the steps of a plan: as many at once as the bounds allow, each as soon as what it needs is done."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from reconciler.apply.events import ApplySkipped, PlannedChange, Stopping
from reconciler.apply.journal import Journal
from reconciler.apply.journal_lines import Ended
from reconciler.apply.lanes import Lanes
from reconciler.apply.passage import take
from reconciler.apply.result import Ending, Result, Status, in_order
from reconciler.apply.run import Run
from reconciler.errors import JournalError
from reconciler.plan.change import Step
from reconciler.plan.graph import dependants, sorter
from reconciler.plan.plan import Plan

_BECAUSE = {
    Status.FAILED: "failed",
    Status.NEEDS_APPROVAL: "waits for approval",
    Status.OPEN: "is not known to have ended",
    Status.GOES_ON: "goes on in Azure",
}


async def execute(plan: Plan, run: Run, journal: Journal, held: Mapping[str, Ending] | None = None) -> Result:
    """Applies the plan; what fails stops only what depends on it.

    `held` maps addresses that must not be touched now to a step of an earlier run that may still run there.
    Raises PlanGraphError before anything is sent, and JournalError, after waiting for what runs, where the journal
    could no longer be written.
    """
    walk = _Walk(tuple(plan.steps()), run, journal)
    started = run.azure.now()
    for change in plan.actionable:
        run.emit(PlannedChange.of(change, started))
    walk.hold(held or {})
    await walk.go()
    result = in_order(walk.steps.values(), walk.endings.values(), stopped=run.stop.asked.is_set())
    ended = run.azure.now()
    run.emit(result.summary(ended, (ended - started).total_seconds()))
    return result


class _Walk:
    """One walk through the graph: what is queued, what runs, how each step ended."""

    def __init__(self, steps: tuple[Step, ...], run: Run, journal: Journal) -> None:
        sorter(steps)  # a circle must be told before anything is sent
        self.steps = {step.id: step for step in steps}
        self.endings: dict[str, Ending] = {}
        self._run = run
        self._journal = journal
        self._needs = {step.id: set(step.after) for step in steps}
        self._ready = [step for step in steps if not step.after]
        self._waiting = dependants(steps)
        self._place = {step.id: place for place, step in enumerate(steps)}
        self._lanes = Lanes(run.bounds)
        self._tasks: dict[asyncio.Task[Ending], Step] = {}
        self._undone_by: dict[str, tuple[Step, ...]] = {}
        for step in steps:
            if step.undoes:
                self._undone_by[step.undoes] = (*self._undone_by.get(step.undoes, ()), step)
        self._moot = {one for step in steps if step.undoes for one in step.after} - self._undone_by.keys()
        self._owed: set[str] = set()
        self._broken_off: set[str] = set()
        self._broken: JournalError | None = None

    def hold(self, held: Mapping[str, Ending]) -> None:
        """Skip the steps of these addresses, and what depends on them."""
        earlier = {address.casefold(): ending for address, ending in held.items()}
        for step in self.steps.values():
            left = earlier.get(step.address.casefold())
            if left and step.id not in self.endings:
                self._skip(step, left, because=step.id, message=left.message)

    async def go(self) -> None:
        stop = self._run.stop
        asked: asyncio.Future[Any] = asyncio.ensure_future(stop.asked.wait())
        gave_up: asyncio.Future[Any] = asyncio.ensure_future(stop.gave_up.wait())
        signals = [asked, gave_up]
        try:
            self._start_what_may()
            while self._tasks:
                done, _ = await asyncio.wait({*self._tasks, *signals}, return_when=asyncio.FIRST_COMPLETED)
                for task in [task for task in self._tasks if task in done]:
                    self._settle(task)
                for signal in [signal for signal in signals if signal in done]:
                    signals.remove(signal)
                    self._say_stopping(gave_up=signal is gave_up)
                self._start_what_may()
        finally:
            await _cancel(*self._tasks, asked, gave_up)
        if self._broken:
            raise self._broken

    def _start_what_may(self) -> None:
        """After a request to stop, only what takes back something that was begun is started."""
        if self._run.stop.gave_up.is_set():
            return
        if self._run.stop.asked.is_set():
            self._abandon()
        for step in sorted(self._ready, key=lambda step: self._place[step.id]):
            self._lanes.put(step)
        self._ready = []
        while turn := self._lanes.take():
            if turn.id in self.endings:
                self._lanes.release(turn)
                continue
            owes = self._undone_by.get(turn.id, ())
            self._owed |= {step.id for step in owes}
            self._tasks[asyncio.ensure_future(take(self._run, self._journal, turn, owes))] = turn

    def _abandon(self) -> None:
        """Nothing new is started, and what has not begun is not waited for by what must run all the same. A check of
        something that is taken back is broken off: whether it would ever end is not known."""
        running = {step.id for step in self._tasks.values()}
        for task, step in self._tasks.items():
            if step.id in self._moot - self._broken_off:
                self._broken_off.add(step.id)
                task.cancel()
        for step in self.steps.values():
            if not step.always and step.id not in running and step.id not in self.endings:
                self._end(Ending(step, Status.NOT_TRIED, "the run was stopped"))

    def _settle(self, task: asyncio.Task[Ending]) -> None:
        step = self._tasks.pop(task)
        self._lanes.release(step)
        if task.cancelled() and step.id in self._broken_off:
            self._journal.ended(step.id, Ended.SETTLED, self._run.azure.now(), "broken off: the run was stopped")
            stopped = Ending(step, Status.NOT_TRIED, "the run was stopped")
            self._skip(step, stopped, because=step.id, message=stopped.message)
            return
        if task.cancelled():
            self._end(Ending(step, Status.OPEN, "no longer waited for; the next apply takes it up"))
            return
        try:
            self._end(task.result())
        except JournalError as error:
            self._broken = self._broken or error
            self._run.stop.asked.set()

    def _end(self, ending: Ending) -> None:
        self.endings[ending.step.id] = ending
        because, message = ending.because, ending.message
        if ending.status in _BECAUSE:
            because = ending.step.id
            message = f"because {ending.step.address}: {ending.step.title} {_BECAUSE[ending.status]}"
        for step_id in self._waiting.get(ending.step.id, ()):
            if step_id in self.endings:
                continue
            step, needs = self.steps[step_id], self._needs[step_id]
            needs.discard(ending.step.id)
            if ending.status is Status.DONE or step.always:
                if not needs:
                    self._release(step, because=because)
            elif ending.status is not Status.NOT_TRIED:
                self._skip(step, ending, because=because, message=message)

    def _release(self, step: Step, *, because: str) -> None:
        """All that it waits for has ended. What takes back a step that was not begun has nothing to do."""
        undone = self.endings.get(step.undoes)
        if undone is None or undone.begun:
            self._ready.append(step)
            return
        if step.id in self._owed:
            self._journal.ended(step.id, Ended.SETTLED, self._run.azure.now(), "there is nothing to take back")
        self._skip(step, undone, because=because, message=f"{undone.step.title} was not begun")

    def _skip(self, step: Step, other: Ending, *, because: str, message: str) -> None:
        """Not now: for the sake of how the other one ended."""
        skipped = ApplySkipped(
            at=self._run.azure.now(),
            step=step.id,
            address=step.address,
            title=step.title,
            because=because,
            message=message,
        )
        self._run.emit(skipped)
        waits = other.status in (Status.GOES_ON, Status.WAITING)
        self._end(Ending(step, Status.WAITING if waits else Status.SKIPPED, message, because=because))

    def _say_stopping(self, *, gave_up: bool) -> None:
        running = tuple(step.id for step in self._tasks.values())
        self._run.emit(Stopping(at=self._run.azure.now(), running=running, gave_up=gave_up))
        if gave_up:
            for task in self._tasks:
                task.cancel()


async def _cancel(*tasks: asyncio.Future[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
