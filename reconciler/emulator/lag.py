"""Eventual consistency: a write that the next reads do not show yet, whatever provider it went to."""

from __future__ import annotations

from collections.abc import Callable

from reconciler.emulator.failures import ArmError
from reconciler.emulator.index import normal
from reconciler.emulator.router import Response
from reconciler.emulator.store import Entry
from reconciler.emulator.world import World

Handle = Callable[[], Response]


class Lag:
    """Resources as they were before their last write, each for a number of reads more.

    A read counts when the old state makes it answer otherwise: a GET of the resource, or a list that holds it. What
    an operation writes later is missed as well, for reads count only once something has changed.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._before: dict[str, tuple[Entry | None, int]] = {}

    def remember(self, path: str, reads: int) -> None:
        """Called before the write of ``path`` is carried out."""
        key = normal(path)
        self._before[key] = (self._world.store.entry(key), reads)

    def catch_up(self) -> None:
        """From here on every read shows what is there."""
        self._before.clear()

    def answer(self, handle: Handle) -> Response:
        """What a read answers that does not know of the newest writes. Raises ArmError as ``handle`` does."""
        answer = _attempt(handle)
        for key, (before, left) in list(self._before.items()):
            late = self._as_before(key, before, handle)
            if late is None or _told(late) == _told(answer):
                continue
            answer = late
            if left > 1:
                self._before[key] = (before, left - 1)
            else:
                del self._before[key]
        if isinstance(answer, ArmError):
            raise answer
        return answer

    def _as_before(self, key: str, before: Entry | None, handle: Handle) -> Response | ArmError | None:
        store, clock = self._world.store, self._world.clock
        current = store.entry(key)
        if current == before:
            return None
        jumps, clock.auto_advance = clock.auto_advance, False
        store.show(key, before)
        try:
            return _attempt(handle)
        finally:
            store.show(key, current)
            clock.auto_advance = jumps


def _attempt(handle: Handle) -> Response | ArmError:
    try:
        return handle()
    except ArmError as refusal:
        return refusal


def _told(answer: Response | ArmError) -> tuple[int, object]:
    return answer.status, answer.body() if isinstance(answer, ArmError) else answer.body
