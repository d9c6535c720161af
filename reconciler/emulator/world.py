"""Everything a handler may touch: the estate, the time, the operations under way, faults, chance."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

import msgspec

from reconciler.emulator.clock import Clock
from reconciler.emulator.faults import Faults
from reconciler.emulator.latency import Latency, Slowness
from reconciler.emulator.operations import Operation, Operations
from reconciler.emulator.store import Store
from reconciler.emulator.throttle import Throttle

Completion = Callable[["World", Operation], None]
OnTick = Callable[["World", datetime, datetime], None]
NextDue = Callable[["World", datetime], datetime | None]

LONGEST_TICK = timedelta(days=1)


class Configuration(msgspec.Struct, frozen=True, rename="camel"):
    """How the emulator behaves where Azure leaves a choice. Page sizes go by resource type.

    ``retry_after_seconds`` sends Azure's integer ``Retry-After`` instead of ``x-ms-retry-after-ms``;
    ``polls_in_progress`` is how many polls answer InProgress before ``auto_advance`` ends an operation. ``throttle``
    (0: off, 1: as ARM) and ``latency`` replace what was kept; None leaves it.
    """

    seed: int = 1
    tenant: str = "72f98800-0000-4000-8000-00000000beef"
    page_size: int = 500
    page_sizes: dict[str, int] = {}
    retry_after_seconds: int | None = None
    polls_in_progress: int = 0
    sign_polling_urls: bool = True
    throttle: float | None = None
    latency: Latency | None = None

    def page_size_of(self, type_: str) -> int:
        return self.page_sizes.get(type_, self.page_size)


class Ticker(msgspec.Struct, frozen=True):
    """A provider's share in passing time: ``on_tick(world, after, until)`` fires what is due in (after, until].

    With ``next_due(world, after)`` the clock stops at each of its moments, so that the schedules of several providers
    and the ends of operations interleave in order of time.
    """

    on_tick: OnTick
    next_due: NextDue | None = None


class World:
    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        configuration: Configuration | None = None,
        completions: Mapping[str, Completion] | None = None,
        tickers: tuple[Ticker, ...] = (),
    ) -> None:
        self.store = store
        self.clock = clock
        self.configuration = configuration or Configuration()
        self._tickers = tickers
        starts = (store.document("world", "starts") or 0) + 1
        store.put_document("world", "starts", starts)
        self.random = random.Random(f"{self.configuration.seed}/{starts}")
        kept = store.document("world", "clock")
        if kept:
            clock.restore(kept)
        settled = store.document("world", "settled")
        self._settled = datetime.fromisoformat(settled) if settled else clock.now()
        self.faults = Faults(store, self.configuration.seed, clock.now)
        self.throttle = Throttle(store, clock, self.configuration.throttle)
        self.slowness = Slowness(store, clock, self.configuration.seed, self.configuration.latency)
        bound = {name: partial(completion, self) for name, completion in (completions or {}).items()}
        self.operations = Operations(store, clock, self.new_guid, bound)

    def new_guid(self) -> str:
        """A fresh guid; the same ones in the same order for the same seed."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def settle(self) -> None:
        """Carries out everything that is due by now, in order of time. Called before every request and on advance."""
        target = self.clock.now()
        while True:
            end = self.operations.next_end()
            due = min(filter(None, [end, *self._next_dues()]), default=None)
            moment = min(max(due or target, self._settled), target, self._settled + LONGEST_TICK)
            self._tick(moment)
            if end is not None and end <= moment:
                with self.clock.held_at(moment):
                    self.operations.finish_next()
            elif moment >= target:
                return

    def advance(self, by: timedelta) -> datetime:
        """Moves the clock and carries out what falls due on the way."""
        self.clock.advance(by)
        self.settle()
        return self.clock.now()

    def poll(self, guid: str) -> Operation | None:
        """An operation as a polling client finds it; with ``auto_advance`` the clock jumps to its end."""
        operation = self.operations.get(guid)
        if operation is None or operation.done:
            return operation
        self._await(operation.guid, operation.end, in_vain=self.configuration.polls_in_progress)
        return self.operations.get(guid)

    def look(self, awaited: str, moment: datetime | None) -> None:
        """Somebody reads what will change at ``moment`` (None: never); some clients wait by nothing else.

        Who reads once sees what is there; who reads again waits, and with ``auto_advance`` the clock jumps.
        """
        self._await(f"read {awaited}", moment, in_vain=max(1, self.configuration.polls_in_progress))

    def look_at(self, resource: str) -> None:
        """``look`` for the end of whatever is being done to a resource."""
        for operation in self.operations.running(resource):
            self.look(operation.guid, operation.end)

    def _await(self, awaited: str, moment: datetime | None, *, in_vain: int) -> None:
        if self.operations.count_poll(awaited) > in_vain and self.clock.auto_advance and moment:
            self.clock.advance_to(moment)
            self.settle()

    def commit(self) -> None:
        """Makes durable what was done, together with how far the clock has been settled."""
        clock = self.clock.state()
        if clock != self.store.document("world", "clock"):
            self.store.put_document("world", "clock", clock)
        if self.store.dirty:
            self.store.put_document("world", "settled", self._settled.isoformat())
        self.store.commit()

    def _next_dues(self) -> list[datetime | None]:
        return [ticker.next_due(self, self._settled) for ticker in self._tickers if ticker.next_due]

    def _tick(self, moment: datetime) -> None:
        if moment <= self._settled:
            return
        after, self._settled = self._settled, moment
        with self.clock.held_at(moment):
            for ticker in self._tickers:
                ticker.on_tick(self, after, moment)
