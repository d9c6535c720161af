"""Taking up what earlier runs left open, so that nothing is sent a second time while the first still runs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.apply.events import ApplyComplete, ApplySettled, ApplyStart, Stopping
from reconciler.apply.journal import Journal, OpenStep
from reconciler.apply.journal_lines import Ended
from reconciler.apply.passage import attend, take
from reconciler.apply.result import UNKNOWN, Ending, Status
from reconciler.apply.run import CLOCK_SKEW, Run
from reconciler.errors import AbsentError, AzureError, FailedError
from reconciler.model.duration import format_age


@dataclass(frozen=True, slots=True)
class Resumed:
    """What became of the open steps. After this the estate is read and planned anew.

    `held` maps addresses to the step that may still run there, for which they must not be touched now.
    """

    endings: tuple[Ending, ...]

    @property
    def held(self) -> Mapping[str, Ending]:
        """Where several are left at one address, one whose end is in doubt counts before one that goes on."""
        return {ending.step.address: ending for ending in (*self.going_on, *self.in_doubt)}

    @property
    def going_on(self) -> tuple[Ending, ...]:
        """Left once more, as `--no-wait` asks."""
        return tuple(ending for ending in self.endings if ending.status is Status.GOES_ON)

    @property
    def in_doubt(self) -> tuple[Ending, ...]:
        return tuple(ending for ending in self.endings if ending.status is Status.OPEN)


async def resume(run: Run, left: Iterable[OpenStep]) -> Resumed:
    """Waits for every open step of earlier runs and notes in their journals how each ended.

    An accepted operation is waited for again. A step of which it is in doubt whether Azure received it is looked for
    (`Kind.running`, then `Kind.verify`); when there is no trace of it, it is left to the new plan. Then what is owed is
    paid: what was begun is taken back, and is not waited for by itself; what was to be checked of it is not checked any
    more. When asked to stop, the rest stays open.
    """
    every = list(left)
    debts = [_Debt.of(step, every) for step in every if step.owed]
    left_alone = [step for debt in debts for step in (debt.begun, *debt.moot)]
    open_steps = [step for step in every if not step.owed and step not in left_alone]
    limit = asyncio.Semaphore(run.bounds.overall)
    with ExitStack() as stack:
        paths = {step.journal for step in every}
        journals: dict[Path, Journal] = {path: stack.enter_context(Journal.reopen(path)) for path in paths}

        async def one(left: OpenStep) -> Ending:
            async with limit:
                return await _take_up(run, journals[left.journal], left)

        tasks = {asyncio.ensure_future(one(left)): left for left in open_steps}
        asked = asyncio.ensure_future(run.stop.asked.wait())
        try:
            await _until_all_done(tasks, asked)
            if asked.done() and not all(task.done() for task in tasks):
                running = tuple(left.step.id for task, left in tasks.items() if not task.done())
                run.emit(Stopping(at=run.azure.now(), running=running, gave_up=True))
        finally:
            for future in (*tasks, asked):
                future.cancel()
            await asyncio.gather(*tasks, asked, return_exceptions=True)
        endings = [_ending(task, left) for task, left in tasks.items()]
        for debt in debts:
            endings += await _pay(run, journals[debt.owed.journal], debt, endings)
    return Resumed(tuple(endings))


@dataclass(frozen=True, slots=True)
class _Debt:
    """`begun` is the step to be taken back, where Azure had accepted it and its end is not known. `moot` are those that
    were made of what it began, and cut off: a person's own check is not run a second time, by somebody else."""

    owed: OpenStep
    begun: OpenStep | None
    moot: tuple[OpenStep, ...]

    @classmethod
    def of(cls, owed: OpenStep, every: Iterable[OpenStep]) -> _Debt:
        same = [one for one in every if one.journal == owed.journal and one.step.id in owed.step.after]
        undone = [one for one in same if one.step.id == owed.step.undoes]
        begun = next((one for one in undone if one.operation is not None), None)
        return cls(owed, begun, tuple(one for one in same if one not in undone))


async def _pay(run: Run, journal: Journal, debt: _Debt, endings: Iterable[Ending]) -> list[Ending]:
    """What an earlier run owes, and what nobody waits for any more."""
    dropped = [_drop(run, journal, left) for left in debt.moot]
    return [*dropped, *await _take_back(run, journal, debt, endings)]


def _drop(run: Run, journal: Journal, left: OpenStep) -> Ending:
    message = "it was cut off, and what it was made of is taken back"
    journal.ended(left.step.id, Ended.SETTLED, run.azure.now(), message)
    return Ending(left.step, Status.NOT_TRIED, message)


async def _take_back(run: Run, journal: Journal, debt: _Debt, endings: Iterable[Ending]) -> list[Ending]:
    """Take back what an earlier run began; nothing, where that turns out never to have begun."""
    step = debt.owed.step
    undone = next((ending for ending in endings if ending.step.id == step.undoes), None)
    if undone is not None and undone.status is Status.NOT_TRIED:
        message = f"{undone.step.title} was not begun: there is nothing to take back"
        journal.ended(step.id, Ended.SETTLED, run.azure.now(), message)
        return [Ending(step, Status.NOT_TRIED, message)]
    if run.stop.asked.is_set() or (undone is not None and undone.status in UNKNOWN):
        paid = Ending(step, Status.OPEN, "an earlier run owes it; the next apply does it")
    elif debt.owed.operation is None:
        paid = await take(run, journal, step)
    else:
        at = run.azure.now()
        run.emit(ApplyStart(at=at, step=step.id, address=step.address, title=step.title, resumed=True))
        paid = await attend(run, journal, step, debt.owed.operation, debt.owed.since)
    if debt.begun is None:
        return [paid]
    if paid.status is not Status.DONE:
        status = Status.GOES_ON if paid.status is Status.GOES_ON else Status.OPEN
        return [Ending(debt.begun.step, status, "it is not taken back yet"), paid]
    journal.ended(debt.begun.step.id, Ended.SETTLED, run.azure.now(), "taken back")
    return [Ending(debt.begun.step, Status.NOT_TRIED, "taken back"), paid]


async def _take_up(run: Run, journal: Journal, left: OpenStep) -> Ending:
    step, operation = left.step, left.operation
    at = run.azure.now()
    run.emit(ApplyStart(at=at, step=step.id, address=step.address, title=step.title, resumed=True))
    if operation is not None:
        return await attend(run, journal, step, operation, left.since)
    try:
        operation = await run.kind(step).running(run.azure, step, left.since - CLOCK_SKEW)
    except AzureError as error:
        return Ending(step, Status.OPEN, f"an earlier apply may have started it: {error.message}", error.advice)
    if operation is not None:
        journal.accepted(step.id, operation, run.azure.now())
        return await attend(run, journal, step, operation, left.since)
    return await _look(run, journal, left)


async def _look(run: Run, journal: Journal, left: OpenStep) -> Ending:
    """Nothing is seen to run. Azure does not show every write under way, so its effect is looked for, too, for as long
    as the kind gives it to appear; only when it does not is the step left to the new plan."""
    step, at = left.step, run.azure.now()
    try:
        await run.kind(step).verify(run.azure, step)
    except (FailedError, AbsentError):
        message = f"does not run in Azure (an earlier apply was about to start it {format_age(at - left.since)} ago)"
        journal.ended(step.id, Ended.SETTLED, run.azure.now(), message)
        settled = ApplySettled(at=at, step=step.id, address=step.address, title=step.title, message=message)
        run.emit(settled)
        return Ending(step, Status.NOT_TRIED, message)
    except AzureError as error:
        return Ending(step, Status.OPEN, f"an earlier apply may have started it: {error.message}", error.advice)
    journal.ended(step.id, Ended.DONE, run.azure.now())
    elapsed = (at - left.since).total_seconds()
    run.emit(ApplyComplete(at=at, step=step.id, address=step.address, title=step.title, elapsed_seconds=elapsed))
    return Ending(step, Status.DONE)


async def _until_all_done(tasks: Iterable[asyncio.Future[Any]], asked: asyncio.Future[Any]) -> None:
    pending = set(tasks)
    while pending and not asked.done():
        done, _ = await asyncio.wait({*pending, asked}, return_when=asyncio.FIRST_COMPLETED)
        pending -= done


def _ending(task: asyncio.Task[Ending], left: OpenStep) -> Ending:
    if task.cancelled():
        return Ending(left.step, Status.OPEN, "an earlier apply started it, and it was not waited for")
    return task.result()
