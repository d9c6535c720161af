"""One apply at a time between machines: the lease of a blob, renewed for as long as the apply runs.

`lock.py` keeps two processes of one machine apart; this keeps two runners apart. Whoever is killed renews no more, and
the lease ends by itself within a minute: there is nothing to break by force. A lease that is lost all the same stops
the apply, since somebody else may have begun (`docs/decisions/0025`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import msgspec

from reconciler.apply.events import Emit, LockEvent
from reconciler.apply.run import Stop
from reconciler.errors import AbsentError, AzureError, ConflictError, JournalError
from reconciler.model.counting import count

RENEW_EVERY = 20.0
"""Seconds: a lease of 60 s survives two that fail."""
AGAIN_AFTER = 4.0
"""Seconds, after a renewal that failed for another reason than that the lease is lost."""
LASTS = 50.0
"""Seconds since the last renewal was sent for which the lease is certainly ours: ten less than Azure's 60."""
_ONE_TRY = 12.0
_ASLEEP = "this machine slept, or stood still"
_SHORTEST, _LONGEST = 1.0, 16.0
"""Seconds between two looks of one who waits."""


def awake_or_asleep() -> float:
    """Seconds of a clock that is never set and goes on while the machine sleeps, as Azure's does: that of
    `time.monotonic` stands still then on Linux, and an apply would wake up with a lease that it takes for its own."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


class Holder(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who applies, as the blob's content says; the fields are those of Terraform's lock record. `who` is user@host,
    `created` aware UTC, `run` the address of the pipeline's run."""

    id: str = ""
    operation: str = ""
    who: str = ""
    version: str = ""
    created: datetime | None = None
    run: str = ""

    def __str__(self) -> str:
        parts = (
            f"{self.operation} by {self.who}" if self.who else "somebody who has not said who",
            f"since {self.created:%Y-%m-%d %H:%M:%S} UTC" if self.created else "",
            self.run,
            f"reconciler {self.version}" if self.version else "",
        )
        return ", ".join(part for part in parts if part)


class Blob(Protocol):
    """What it takes of `azure.blob_lease.LeasedBlob`."""

    async def acquire(self) -> bool: ...
    async def renew(self) -> None: ...
    async def release(self) -> None: ...
    async def write(self, record: bytes) -> None: ...
    async def read(self) -> bytes: ...
    async def leased(self) -> bool: ...


class HeldError(JournalError):
    """Somebody else holds the lock. `holder` says who, as far as it is known."""

    def __init__(self, where: str, holder: Holder, waited: float) -> None:
        super().__init__(
            "another apply holds the lock" + (f", and did for all of {count(int(waited), 'second')}" if waited else ""),
            why=f"{holder} holds {where}",
            advice="wait until it has ended (--lock-timeout 10m waits for you); the lock of one that was killed ends "
            "by itself within a minute; a restore that cannot wait goes past it with --no-lock",
        )
        self.holder = holder


def _at_once(call: Callable[[], None]) -> None:
    call()


@dataclass(frozen=True, slots=True)
class Watch:
    """What a lease needs of the process: who is told, how to stop it, and the clocks (`now` aware UTC for people,
    `seconds` that never go back nor stand still, `pause` to wait). `soon` makes a call where `emit` and `stop` belong.
    """

    emit: Emit
    stop: Stop
    now: Callable[[], datetime]
    seconds: Callable[[], float] = awake_or_asleep
    pause: Callable[[float], Awaitable[None]] = field(default=asyncio.sleep)
    soon: Callable[[Callable[[], None]], object] = _at_once

    def tell(self, state: str, where: str, message: str) -> None:
        """An event about the lock."""
        event = LockEvent(at=self.now(), state=state, lock=where, message=message)
        self.soon(lambda: self.emit(event))

    def halt(self) -> None:
        """Nothing new is started. Somebody who has asked for that is not taken to ask for more."""
        self.soon(lambda: None if self.stop.asked.is_set() else self.stop.request())


class Lease:
    """What the body of `hold_lease` can ask: `lost` says why it is not ours any more, "" while it is."""

    def __init__(self) -> None:
        self.lost = ""


@asynccontextmanager
async def hold_lease(
    blob: Blob, where: str, holder: Holder, watch: Watch, patience: float = 0.0
) -> AsyncIterator[Lease]:
    """The lock, held inside the `async with`. Raises HeldError where somebody else has it for all of `patience`
    seconds, and AzureError where nobody can tell: without it nothing is applied."""
    sent = await _await_turn(blob, where, watch, patience)
    lease = Lease()
    keeping = asyncio.ensure_future(_keep(blob, watch, lease, sent))
    keeping.add_done_callback(lambda task: _tell_end(task, watch, lease, where))
    try:
        await _introduce(blob, where, holder, watch)
        yield lease
    finally:
        keeping.cancel()
        await asyncio.wait([keeping])
        if not lease.lost:
            await _let_go(blob, where, watch)


async def whose(blob: Blob) -> Holder | None:
    """Who holds the lock right now; None where nobody does. Changes nothing."""
    return await _holder(blob) if await blob.leased() else None


async def _await_turn(blob: Blob, where: str, watch: Watch, patience: float) -> float:
    """Returns once the lease is ours: when it was asked for, in seconds of the watch."""
    began, delay, told = watch.seconds(), _SHORTEST, False
    while True:
        asked = watch.seconds()
        if await blob.acquire():
            return asked
        left = patience - (watch.seconds() - began)
        if left <= 0 or watch.stop.asked.is_set():
            raise HeldError(where, await _holder(blob), watch.seconds() - began if patience else 0.0)
        if not told:
            told = True
            watch.tell("waiting", where, f"{await _holder(blob)} holds it")
        await _pause(watch, min(delay, left), watch.stop.asked.is_set)
        delay = min(2 * delay, _LONGEST)


async def _pause(watch: Watch, seconds: float, enough: Callable[[], bool] = lambda: False) -> None:
    """Waits, looking often: at whether that is `enough`, and at the clock, which a machine that slept has not heard."""
    until = watch.seconds() + seconds
    while (left := until - watch.seconds()) > 0 and not enough():
        await watch.pause(min(left, _SHORTEST))


async def _introduce(blob: Blob, where: str, holder: Holder, watch: Watch) -> None:
    """Say in the blob who holds it; and to the person, where the one before was cut off."""
    before = await _holder(blob)
    await blob.write(msgspec.json.encode(holder))
    if before.who:
        message = f"{before} was cut off, its lease has ended by itself; what it did not get done is planned again"
        watch.tell("taken_over", where, message)


async def _keep(blob: Blob, watch: Watch, lease: Lease, sent: float) -> None:
    """Renews until it is cancelled; returns only where the lease is lost, with the reason in `lease.lost`.

    A try ends with the time for which the lease is certainly ours, and none is begun after it: whoever slept through
    that may renew what somebody else has had and given back.
    """
    wait, failed = RENEW_EVERY, _ASLEEP
    while True:
        await _pause(watch, wait)
        attempt = watch.seconds()
        left = sent + LASTS - attempt
        if left <= 0:
            lease.lost = f"it could not be renewed in time: {failed}"
            return
        try:
            async with asyncio.timeout(min(_ONE_TRY, left)):
                await blob.renew()
        except (ConflictError, AbsentError) as error:
            lease.lost = error.why or error.message
            return
        except (AzureError, TimeoutError) as error:
            failed = _why(error)
            wait = min(AGAIN_AFTER, max(0.0, sent + LASTS - watch.seconds()))
        else:
            sent, wait, failed = attempt, RENEW_EVERY, _ASLEEP


def _tell_end(task: asyncio.Task[None], watch: Watch, lease: Lease, where: str) -> None:
    """However the renewals ended, but for our own asking: nothing new is started, before anything else."""
    if task.cancelled():
        return
    error = task.exception()
    if error is not None:
        lease.lost = f"renewing it failed: {type(error).__name__}"  # its text may hold an address that is a secret
    watch.halt()
    watch.tell("lost", where, lease.lost)


async def _let_go(blob: Blob, where: str, watch: Watch) -> None:
    try:
        async with asyncio.timeout(_ONE_TRY):
            with suppress(ConflictError, AbsentError):
                await blob.write(b"")
                await blob.release()
    except (AzureError, TimeoutError) as error:
        message = f"it could not be let go, and ends by itself within a minute: {_why(error)}"
        watch.tell("left", where, message)


async def _holder(blob: Blob) -> Holder:
    """What the blob says of its holder; nothing known where it says nothing, or something that is not ours."""
    try:
        return msgspec.json.decode(await blob.read() or b"{}", type=Holder)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Holder()


def _why(error: AzureError | TimeoutError) -> str:
    return (error.why or error.message) if isinstance(error, AzureError) else "no answer in time"
