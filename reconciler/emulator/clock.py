"""The emulator's time: real time, faster, or standing still, and movable forward by hand."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any


class Clock:
    """``now = origin + speed x wall seconds since the start + what was advanced``; never runs backwards.

    ``speed`` 0 stands still. With ``auto_advance`` the clock jumps to the end of an operation when a client polls
    it, so nobody waits; it is on by default when the clock stands still, where nothing would ever finish otherwise.
    """

    def __init__(
        self,
        origin: datetime | None = None,
        *,
        speed: float = 1.0,
        auto_advance: bool | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._wall = wall
        self._origin = (origin or datetime.fromtimestamp(wall(), UTC)).astimezone(UTC)
        self._wall_origin = wall()
        self._speed = speed
        self._held: datetime | None = None
        self.auto_advance = speed == 0 if auto_advance is None else auto_advance

    @property
    def speed(self) -> float:
        return self._speed

    def wall(self) -> datetime:
        """The real time: what clients compare the expiry of a token with."""
        return datetime.fromtimestamp(self._wall(), UTC)

    def now(self) -> datetime:
        if self._held is not None:
            return self._held
        elapsed = max(0.0, self._wall() - self._wall_origin)
        return self._origin + timedelta(seconds=elapsed * self._speed)

    def advance(self, by: timedelta) -> datetime:
        """Moves the clock; raises ValueError for a negative span."""
        if by < timedelta(0):
            raise ValueError("the clock cannot go back")
        self._origin += by
        return self.now()

    def advance_to(self, moment: datetime) -> None:
        """Moves the clock to a moment; one that has passed already changes nothing."""
        self.advance(max(timedelta(0), moment - self.now()))

    def set_speed(self, speed: float) -> None:
        """Changes the speed from now on. ``auto_advance`` stays as it is."""
        if speed < 0:
            raise ValueError("the speed of the clock cannot be negative")
        self._origin, self._wall_origin, self._speed = self.now(), self._wall(), speed

    def wall_seconds(self, span: timedelta) -> float:
        """Wall seconds until ``span`` of virtual time has passed; 0 when the clock stands still."""
        return span.total_seconds() / self._speed if self._speed else 0.0

    @contextmanager
    def held_at(self, moment: datetime) -> Iterator[None]:
        """Makes ``now()`` answer a past moment, while what was due then is carried out."""
        before, self._held = self._held, moment
        try:
            yield
        finally:
            self._held = before

    def state(self) -> dict[str, Any]:
        """What ``restore`` needs to go on in another process, as if time had passed in between."""
        return {
            "origin": self._origin.isoformat(),
            "wallOrigin": self._wall_origin,
            "speed": self._speed,
            "autoAdvance": self.auto_advance,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._origin = datetime.fromisoformat(state["origin"])
        self._wall_origin = state["wallOrigin"]
        self._speed = state["speed"]
        self.auto_advance = state["autoAdvance"]


def stamp(moment: datetime) -> str:
    """A moment as Azure Backup and compute write it: ``2026-03-01T09:30:00.1234567Z``, seven decimals."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"


_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def parse_span(text: str) -> timedelta:
    """``90d``, ``36h``, ``1d12h``, ``15m``, ``30s``, ``2w``. Raises ValueError for anything else."""
    if not re.fullmatch(r"(\d+[smhdw])+", text):
        raise ValueError(f"'{text}' is not a span of time: write 90d, 36h, 1d12h or 15m")
    return timedelta(seconds=sum(int(n) * _UNITS[unit] for n, unit in re.findall(r"(\d+)([smhdw])", text)))
