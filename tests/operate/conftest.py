"""An emulated Azure, and the person who drills and fails over in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.apply.events import Event
from reconciler.apply.lock import Holder
from reconciler.apply.run import Stop
from reconciler.azure.clients import Azure
from reconciler.azure.clouds import emulator_cloud
from reconciler.desired.validate import validate
from reconciler.emulator.emulator import Pace
from reconciler.emulator.serving import Served, running_server
from reconciler.kinds.registry import kinds
from reconciler.model.document import Declared
from reconciler.model.operation_request import OperationRequest
from reconciler.on_request import plan_operation
from reconciler.plan.plan import Plan
from reconciler.workflow import Machinery, Outcome, apply
from tests.operate.estate import CLOCK, policies

NOW = datetime.fromisoformat(CLOCK)


class Site:
    """`act` plans, approves and carries out; `witness` is told of each event, and may press Ctrl-C."""

    def __init__(self, served: Served, azure: Azure, declared: Declared, journal: Path) -> None:
        self.served, self.azure, self.declared, self.journal = served, azure, declared, journal
        self.events: list[Event] = []
        self.stop = Stop()
        self.witness: Callable[[Event], None] = lambda _: None

    async def plan(self, verb: str, target: str, **more: Any) -> Plan:
        request = OperationRequest(verb=verb, target=target, **more)  # type: ignore[arg-type]
        return await plan_operation(self.azure, self.declared, request)

    async def act(self, verb: str, target: str, **more: Any) -> Outcome:
        return await apply(self.azure, self.machinery(), lambda: self.plan(verb, target, **more), lambda _: True)

    def machinery(self) -> Machinery:
        def emit(event: Event) -> None:
            self.events.append(event)
            self.witness(event)

        return Machinery(
            emit, self.stop, self.journal, Holder(pid=1, host="here", since=NOW, run="r"), run="r", version="0"
        )

    def posts(self) -> Counter[str]:
        """What Azure accepted: `rp-shop/testFailover`."""
        return Counter(
            "/".join(entry.path.split("?")[0].split("/")[-2:])
            for entry in self.served.emulator.log.recent()
            if entry.method == "POST" and entry.status == 202
        )

    def machines(self, group: str = "rg-dr") -> list[str]:
        """Names of the VMs of a resource group."""
        bodies = self.served.emulator.world.store.list("Microsoft.Compute/virtualMachines")
        return sorted(body["name"] for body in bodies if f"/{group}/" in body["id"].lower())


@pytest.fixture
def declare(tmp_path: Path) -> Callable[..., Declared]:
    def made(documents: list[dict[str, Any]]) -> Declared:
        file = tmp_path / "policies.yaml"
        file.write_text(
            yaml.safe_dump_all([{"apiVersion": "reconciler/v1", **one} for one in documents]), encoding="utf-8"
        )
        checked = validate([file], NOW.date(), kinds())
        assert checked.declared, checked.findings
        return checked.declared

    return made


@pytest.fixture
def operating(tmp_path: Path, declare: Callable[..., Declared]) -> Callable[..., Any]:
    """`async with operating(estate) as site`: an emulator whose time jumps to the end of what is polled."""

    @asynccontextmanager
    async def open_site(estate: dict[str, Any], documents: list[dict[str, Any]] | None = None) -> AsyncIterator[Site]:
        async def no_pause(_: float) -> None:
            """Time passes in the emulator, by itself."""

        pace = Pace(speed=0, auto_advance=True)
        async with running_server(tmp_path, estate=estate, pace=pace) as served:
            cloud = emulator_cloud(served.running.endpoint, Path(served.running.ca), "header.e30.signature")
            async with Azure(cloud, clock=served.emulator.world.clock.now, pause=no_pause) as azure:
                yield Site(served, azure, declare(documents or policies()), tmp_path / "journals")

    return open_site
