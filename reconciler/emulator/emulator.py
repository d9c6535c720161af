"""One emulated cloud: a world, the gateway in front of it, and the log of what was asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from reconciler.emulator import estate as estates
from reconciler.emulator import providers
from reconciler.emulator.clock import Clock
from reconciler.emulator.gateway import Gateway
from reconciler.emulator.request_log import RequestLog
from reconciler.emulator.store import Store
from reconciler.emulator.world import Configuration, World

Estate = dict[str, Any]


class Pace(msgspec.Struct, frozen=True, rename="camel"):
    """How time passes: ``speed`` 0 stands still; ``auto_advance`` jumps to the end of what a client polls."""

    speed: float = 1.0
    auto_advance: bool = True


class Emulator:
    """``folder`` None keeps everything in memory. A folder that holds an estate goes on with it, or ``replace``s it.

    A ``pace`` that is given replaces the one that was kept. Raises estate.EstateError when the estate is wrong.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        estate: Estate | None = None,
        configuration: Configuration | None = None,
        pace: Pace | None = None,
        replace: bool = False,
    ) -> None:
        self.configuration = configuration or Configuration()
        self.pace = pace or Pace()
        self.log = RequestLog(folder)
        self._router = providers.router()
        self._store = Store(folder / "state.db" if folder else None)
        self.world = self._make_world(self._store, {})
        self.gateway = Gateway(self.world, self._router)
        if replace or not self.estate_name:
            self.reset(estate or {})
        elif pace is not None:
            self.world.clock.set_speed(pace.speed)
            self.world.clock.auto_advance = pace.auto_advance

    @property
    def estate_name(self) -> str:
        return str(self._store.document("world", "estate") or "")

    def reset(self, estate: Estate) -> None:
        """Forgets everything, time and faults included, and begins with an estate.

        Raises estate.EstateError, and changes nothing, when the estate is wrong.
        """
        with self._store.successor() as fresh:
            world = self._make_world(fresh, estate)
            estates.load(world, estate)
            fresh.put_document("world", "estate", str(estate.get("estate", "empty")))
        self._store, self.world = fresh, world
        self.gateway = Gateway(world, self._router)
        self.log.clear()
        world.commit()

    def close(self) -> None:
        self.world.commit()
        self._store.close()
        self.log.close()

    def _make_world(self, store: Store, estate: Estate) -> World:
        clock = Clock(estates.origin(estate), speed=self.pace.speed, auto_advance=self.pace.auto_advance)
        return World(
            store=store,
            clock=clock,
            configuration=self.configuration,
            completions=providers.completions(),
            tickers=providers.tickers(),
        )
