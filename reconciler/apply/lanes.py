"""Which step may start next: bounds on how many run at once, over all and per vault."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass

from reconciler.plan.change import Step


@dataclass(frozen=True, slots=True)
class Bounds:
    """`overall` steps run at once, `shared` of them in one lane (TH-06: at most 5 concurrent writes to one vault)."""

    overall: int = 16
    shared: int = 5


class Lanes:
    """Steps whose dependencies are done, in one queue a lane; a step without a lane is bound by `overall` only.

    A lane is first come, first served: an exclusive step at its head waits until the lane is empty and nobody overtakes
    it, so that a stream of shared steps cannot keep a vault's own settings waiting for ever.
    """

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._queues: dict[str, deque[Step]] = {}
        self._running: Counter[str] = Counter()
        self._closed: set[str] = set()

    def put(self, step: Step) -> None:
        """Queue a step that may start as far as its dependencies go."""
        self._queues.setdefault(step.lane or step.id, deque()).append(step)

    def take(self) -> Step | None:
        """The next step that may start now, which counts as running from here on; None where none may."""
        if self._running.total() >= self._bounds.overall:
            return None
        for lane, queue in self._queues.items():
            if self._admits(lane, queue[0]):
                step = queue.popleft()
                self._occupy(lane, step)
                return step
        return None

    def release(self, step: Step) -> None:
        """The step ended: its place is free."""
        lane = step.lane or step.id
        self._closed.discard(lane)
        self._running[lane] -= 1
        if not self._running[lane]:
            del self._running[lane]

    def _admits(self, lane: str, step: Step) -> bool:
        running = self._running[lane]
        if step.exclusive:
            return running == 0
        return lane not in self._closed and running < self._bounds.shared

    def _occupy(self, lane: str, step: Step) -> None:
        queue = self._queues.pop(lane)
        if queue:
            self._queues[lane] = queue  # to the end: lanes take turns
        self._running[lane] += 1
        if step.exclusive:
            self._closed.add(lane)
