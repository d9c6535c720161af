"""How long answers take: by sort of request, in real time for benchmarks or in virtual time for stories."""

from __future__ import annotations

import random
import re
from collections import Counter
from datetime import timedelta
from typing import Any, Literal

import msgspec

from reconciler.emulator.clock import Clock
from reconciler.emulator.store import Store
from reconciler.emulator.traffic import SORTS, Sort

_COLLECTION, _KEY = "world", "latency"


class Latency(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Milliseconds by sort of request. ``jitter`` 0.3 draws each from 70 to 130 per cent of it.

    On the wall clock the answer is held back; on the virtual clock time moves on before the request is looked at,
    and nobody waits.
    """

    clock: Literal["wall", "virtual"] = "wall"
    read: float = 0.0
    list: float = 0.0
    write: float = 0.0
    delete: float = 0.0
    poll: float = 0.0
    jitter: float = 0.0

    def __post_init__(self) -> None:
        if any(getattr(self, sort) < 0 for sort in SORTS) or not 0 <= self.jitter <= 1:
            raise ValueError("a latency is 0 ms or more, its jitter lies between 0 and 1")

    @classmethod
    def uniform(cls, milliseconds: float) -> Latency:
        """The same for every request."""
        return msgspec.convert(dict.fromkeys(SORTS, milliseconds), cls)

    @classmethod
    def parse(cls, given: Any) -> Latency:
        """``80ms``, ``1.5s``, ``off``, a number of milliseconds, or a profile as JSON. Raises ValueError."""
        if isinstance(given, dict):
            return msgspec.convert(given, cls)
        found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s)?", str(given).strip())
        if given == "off" or found is None:
            if given == "off":
                return cls()
            raise ValueError(f"'{given}' is not a latency: write 80ms, 1.5s or off")
        return cls.uniform(float(found[1]) * (1000 if found[2] == "s" else 1))


class Slowness:
    """The latency in force. The n-th request of a sort takes the same time in every run with the same seed."""

    def __init__(self, store: Store, clock: Clock, seed: int, wanted: Latency | None) -> None:
        self._store = store
        self._clock = clock
        self._seed = seed
        self._asked: Counter[Sort] = Counter()
        kept = store.document(_COLLECTION, _KEY)
        self.latency = msgspec.convert(kept, Latency) if kept else Latency()
        if wanted is not None:
            self.set(wanted)

    def set(self, latency: Latency) -> None:
        self.latency = latency
        self._asked.clear()
        self._store.put_document(_COLLECTION, _KEY, msgspec.to_builtins(latency))

    def spend(self, sort: Sort) -> float:
        """Wall seconds to hold the answer back; virtual time is moved on at once."""
        milliseconds: float = getattr(self.latency, sort)
        if not milliseconds:
            return 0.0
        self._asked[sort] += 1
        if self.latency.jitter:
            chance = random.Random(f"{self._seed}/{sort}/{self._asked[sort]}")
            milliseconds *= 1 + self.latency.jitter * chance.uniform(-1, 1)
        if self.latency.clock == "wall":
            return milliseconds / 1000
        self._clock.advance(timedelta(milliseconds=milliseconds))
        return 0.0
