"""The passage of one step: noted, sent, accepted, waited for, read back, noted again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from enum import Enum

from reconciler.apply.events import (
    ApplyAccepted,
    ApplyApproval,
    ApplyComplete,
    ApplyErrored,
    ApplyLeft,
    ApplyOpen,
    ApplyProgress,
    ApplyStart,
)
from reconciler.apply.journal import Journal
from reconciler.apply.journal_lines import Ended
from reconciler.apply.result import Ending, Status
from reconciler.apply.run import CLOCK_SKEW, Run
from reconciler.azure.operations import Operation, wait
from reconciler.errors import (
    AbsentError,
    AzureError,
    ConflictError,
    DoubtfulError,
    FailedError,
    GuardedError,
    OperationTimeoutError,
    UnreachableError,
)
from reconciler.plan.change import Step

_AGAIN = timedelta(seconds=10)
_LOOKS = (5.0, 15.0, 45.0)
"""Seconds to the second look after each try. Azure was seen to accept the repeat of a PUT 5 s after its 504."""
_MAY_RUN = "it may still run in Azure"


async def take(run: Run, journal: Journal, step: Step, owes: tuple[Step, ...] = ()) -> Ending:
    """Runs one step to its ending; every failure that Azure can cause is an ending, not an exception. `owes` are the
    steps that take it back: they are promised before it is sent.

    Raises JournalError, with nothing sent, where the journal cannot be written.
    """
    started = run.azure.now()
    for owed in owes:
        journal.owing(owed, started)
    journal.starting(step, started)
    run.emit(ApplyStart(at=started, step=step.id, address=step.address, title=step.title))
    try:
        operation = await _send(run, step, started)
    except UnreachableError as error:
        return _left_open(run, step, started, error, "whether Azure received it is not known")
    except AzureError as error:
        ending = _ended(run, journal, step, started, error)
        return replace(ending, refused=not isinstance(error, DoubtfulError))
    if operation is not None:
        journal.accepted(step.id, operation, run.azure.now())
        accepted = ApplyAccepted(
            at=run.azure.now(), step=step.id, address=step.address, title=step.title, job=operation.job
        )
        run.emit(accepted)
    return await attend(run, journal, step, operation, started)


async def attend(run: Run, journal: Journal, step: Step, operation: Operation | None, started: datetime) -> Ending:
    """From acceptance to the ending: waits for the operation, of this run or of an earlier one, and reads back."""
    leaves = step.long and not run.waits
    limit = timedelta(0) if leaves else run.limit
    try:
        if operation is not None:
            await wait(run.azure, operation, limit=limit, on_poll=_Poll(run, step, started))
    except OperationTimeoutError as error:
        return _left_behind(run, step, started) if leaves else _left_open(run, step, started, error, _MAY_RUN)
    except (FailedError, GuardedError) as error:
        return _ended(run, journal, step, started, error)
    except AzureError as error:  # it was accepted: that we cannot ask, or no longer wait, does not end it
        return _left_open(run, step, started, error, _MAY_RUN)
    try:
        await run.kind(step).verify(run.azure, step)
    except AzureError as error:
        return _ended(run, journal, step, started, error)
    return _done(run, journal, step, started)


async def _send(run: Run, step: Step, started: datetime) -> Operation | None:
    """Sends the write. An answer that leaves it open whether it took effect (a dropped connection, a 5xx, and the
    conflict that a repeated write meets while the first one runs) is followed by looks at what Azure runs and at what
    it has: found, it goes on from there; not found after a while, it is sent again; at last the error stands."""
    kind, doubtful = run.kind(step), False
    for pause in (*_LOOKS, None):
        try:
            return await kind.perform(run.azure, step)
        except GuardedError:
            raise
        except (UnreachableError, ConflictError, FailedError) as error:
            doubtful = doubtful or isinstance(error, (UnreachableError, DoubtfulError))
            try:
                trace = await _look(run, step, started, pause if doubtful else None)
            except AzureError:
                raise error from None
            if isinstance(trace, Operation):
                return trace
            if doubtful and trace is _Trace.DONE:
                return None
            if not doubtful or pause is None:
                raise
    raise AssertionError("the last look has no pause after it")


class _Trace(Enum):
    NONE = "nothing is seen of the write"
    DONE = "what it writes is there"


async def _look(run: Run, step: Step, started: datetime, pause: float | None) -> Operation | _Trace:
    """What is to be seen of a write whose answer is in doubt: at once, and after `pause` seconds (jobs show late)."""
    kind = run.kind(step)
    for wait_first in (0.0, pause):
        if wait_first is None:
            break
        if wait_first:
            await run.azure.pause(wait_first)
        found = await kind.running(run.azure, step, started - CLOCK_SKEW)
        if found is not None:
            return found
    try:
        await kind.verify(run.azure, step)
    except (FailedError, AbsentError):
        return _Trace.NONE
    return _Trace.DONE


class _Poll:
    """Tells of an operation's polls: each new state at once, the same one again every ten seconds."""

    def __init__(self, run: Run, step: Step, started: datetime) -> None:
        self._run, self._step, self._started = run, step, started
        self._told: tuple[str, datetime] | None = None

    def __call__(self, status: str) -> None:
        at = self._run.azure.now()
        if self._told and self._told[0] == status and at - self._told[1] < _AGAIN:
            return
        self._told = (status, at)
        progress = ApplyProgress(
            at=at,
            step=self._step.id,
            address=self._step.address,
            title=self._step.title,
            elapsed_seconds=(at - self._started).total_seconds(),
            status=status,
        )
        self._run.emit(progress)


def _done(run: Run, journal: Journal, step: Step, started: datetime) -> Ending:
    at = run.azure.now()
    journal.ended(step.id, Ended.DONE, at)
    elapsed = (at - started).total_seconds()
    run.emit(ApplyComplete(at=at, step=step.id, address=step.address, title=step.title, elapsed_seconds=elapsed))
    return Ending(step, Status.DONE)


def _ended(run: Run, journal: Journal, step: Step, started: datetime, error: AzureError) -> Ending:
    at = run.azure.now()
    if isinstance(error, GuardedError):
        journal.ended(step.id, Ended.NEEDS_APPROVAL, at, error.message)
        approval = ApplyApproval(
            at=at,
            step=step.id,
            address=step.address,
            title=step.title,
            message=error.message,
            guard=step.needs_approval,
            advice=error.advice,
        )
        run.emit(approval)
        return Ending(step, Status.NEEDS_APPROVAL, error.message, error.advice)
    journal.ended(step.id, Ended.FAILED, at, error.message)
    errored = ApplyErrored(
        at=at,
        step=step.id,
        address=step.address,
        title=step.title,
        elapsed_seconds=(at - started).total_seconds(),
        message=error.message,
        code=error.code,
        why=error.why,
        advice=error.advice,
    )
    run.emit(errored)
    return Ending(step, Status.FAILED, error.message, error.advice, overtaken=isinstance(error, ConflictError))


def _left_behind(run: Run, step: Step, started: datetime) -> Ending:
    """As it was asked for: Azure works on, and nobody waits."""
    message = "Azure has accepted it and works on it; it was asked not to wait for that"
    advice = "`reconciler status` tells how far it is; the next apply takes it up"
    return _leave(run, started, ApplyLeft, Ending(step, Status.GOES_ON, message, advice))


def _left_open(run: Run, step: Step, started: datetime, error: AzureError, doubt: str) -> Ending:
    advice = "run apply again: it looks in Azure before it sends anything"
    return _leave(run, started, ApplyOpen, Ending(step, Status.OPEN, f"{error.message}; {doubt}", advice))


def _leave(run: Run, started: datetime, event: type[ApplyLeft | ApplyOpen], ending: Ending) -> Ending:
    """Tells of a step that is no longer waited for."""
    at, step = run.azure.now(), ending.step
    left = event(
        at=at,
        step=step.id,
        address=step.address,
        title=step.title,
        elapsed_seconds=(at - started).total_seconds(),
        message=ending.message,
        advice=ending.advice,
    )
    run.emit(left)
    return ending
