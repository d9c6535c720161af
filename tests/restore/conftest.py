"""What restores begin with: a VM of three disks, snapshots of it in two slots, and networks in two regions."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.apply.events import ApplyComplete, Event
from reconciler.apply.lanes import Bounds
from reconciler.apply.lock import Holder
from reconciler.apply.run import Stop
from reconciler.azure.clients import Azure
from reconciler.azure.clouds import emulator_cloud
from reconciler.azure.operations import operation_from, wait
from reconciler.emulator.emulator import Pace
from reconciler.emulator.serving import Served, running_server
from reconciler.kinds.snapshot.names import snapshot_name
from reconciler.model.document import Declared, Document
from reconciler.model.restore_request import RestoreRequest
from reconciler.model.scope import Scope
from reconciler.model.snapshot_schedule import DOCUMENT, Keep, SnapshotSchedule
from reconciler.model.source import Source
from reconciler.on_request import plan_restore
from reconciler.plan.plan import Plan
from reconciler.workflow import Machinery, Outcome, apply

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
PROD = "11111111-1111-4111-8111-111111111111"
GROUP = f"/subscriptions/{PROD}/resourceGroups/rg-app"
APP = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/app-01"
SLOT, EARLIER = "2026-03-02T06:00Z", "2026-03-02T00:00Z"
PLACES = {"os": "app-01-os", "0": "app-01-d0", "1": "app-01-d1"}


def unique_id(place: str) -> str:
    """Of a disk of app-01, as the emulator draws it from the disk's id."""
    text = f"{GROUP}/providers/Microsoft.Compute/disks/{PLACES[place]}".lower()
    return str(uuid.UUID(bytes=hashlib.md5(text.encode()).digest(), version=4))


def name_of(place: str, slot: str = SLOT) -> str:
    """The name that a snapshot of ours must have: its tags alone do not make it ours."""
    return snapshot_name(PLACES[place], unique_id(place), "six-hourly", datetime.fromisoformat(slot))


def snapshot(place: str, slot: str = SLOT, machine: str = APP, **fields: Any) -> dict[str, Any]:
    """One of our snapshots, as an estate has it."""
    tags = {
        "reconciler-schedule": "six-hourly",
        "reconciler-slot": slot,
        "reconciler-disk": unique_id(place),
        "reconciler-vm": machine,
        "reconciler-place": place,
    }
    age = NOW - datetime.fromisoformat(slot)
    found = {
        "name": name_of(place, slot),
        "resourceGroup": "rg-app",
        "disk": f"rg-app/{PLACES[place]}",
        "age": f"{int(age.total_seconds())}s",
        "tags": tags,
        **fields,
    }
    return {key: value for key, value in found.items() if value is not None}


def copy_of(original: dict[str, Any], region_group: str = "rg-dr") -> dict[str, Any]:
    """Its copy in the region of that resource group."""
    return {
        **original,
        "name": f"{original['name']}-neu",
        "resourceGroup": region_group,
        "disk": None,
        "copyOf": f"{original['resourceGroup']}/{original['name']}",
    }


@pytest.fixture
def estate() -> dict[str, Any]:
    """app-01 has two data disks and trusted launch; both slots hold all of its disks."""
    disks = [{"sizeGB": 32 * (lun + 1), "lun": lun, "name": f"app-01-d{lun}"} for lun in (0, 1)]
    return {
        "estate": "restore",
        "clock": NOW.isoformat(),
        "subscriptions": [{"id": PROD, "name": "Prod"}],
        "resourceGroups": [
            {"subscription": "Prod", "name": "rg-app", "location": "westeurope"},
            {"subscription": "Prod", "name": "rg-dr", "location": "northeurope"},
        ],
        "networks": [
            {
                "name": "vnet-app",
                "resourceGroup": "rg-app",
                "addressPrefixes": ["10.1.0.0/16"],
                "subnets": {"app": "10.1.1.0/24", "quarantine": "10.1.9.0/24"},
            },
            {
                "name": "vnet-dr",
                "resourceGroup": "rg-dr",
                "addressPrefixes": ["10.2.0.0/16"],
                "subnets": {"app": "10.2.1.0/24"},
            },
        ],
        "virtualMachines": [
            {
                "name": "app-01",
                "resourceGroup": "rg-app",
                "os": "Linux",
                "size": "Standard_D4s_v5",
                "securityType": "TrustedLaunch",
                "osDisk": {"sizeGB": 64, "name": "app-01-os"},
                "dataDisks": disks,
                "tags": {"env": "prod"},
            }
        ],
        "snapshots": [snapshot(place, slot) for slot in (EARLIER, SLOT) for place in PLACES],
    }


@pytest.fixture
def declared() -> Declared:
    """A Scope of one subscription, and the schedule."""
    source = Source("policies/scope.yaml", 1, 1)
    schedule = SnapshotSchedule(every="6h", keep=Keep(count=2))
    documents = (Document(DOCUMENT, "six-hourly", schedule, source),)
    return Declared(Document("Scope", "scope", Scope(subscriptions={"prod": PROD}), source), documents)


class Site:
    """An emulated Azure, and the person who restores in it."""

    def __init__(self, served: Served, azure: Azure, declared: Declared, journal: Path) -> None:
        self.served, self.azure, self.declared, self.journal = served, azure, declared, journal
        self.events: list[Event] = []

    async def plan(self, request: RestoreRequest) -> Plan:
        return await plan_restore(self.azure, self.declared, request)

    async def apply(self, request: RestoreRequest, saved: Plan | None = None, *, stop_after: int = 0) -> Outcome:
        """Plan, approve, carry out; `stop_after` so many steps have ended, somebody presses Ctrl-C."""
        machinery = self.machinery(stop_after)
        return await apply(self.azure, machinery, lambda: self.plan(request), lambda _: True, saved)

    def machinery(self, stop_after: int = 0) -> Machinery:
        stop, holder = Stop(), Holder(pid=1, host="here", since=NOW, run="run")
        done: list[Event] = []

        def emit(event: Event) -> None:
            self.events.append(event)
            if isinstance(event, ApplyComplete):
                done.append(event)
                if len(done) == stop_after:
                    stop.request()

        bounds = Bounds(overall=1) if stop_after else Bounds()
        return Machinery(emit, stop, self.journal, holder, run="run", version="0", bounds=bounds)

    async def write(self, method: str, path: str, body: Any = None, api_version: str = "2025-01-02") -> None:
        """One write of somebody else, waited for."""
        answer = await self.azure.send(method, path, api_version, body)
        operation = operation_from(answer.status, answer.headers, path, gone_is_success=method == "DELETE")
        if operation:
            await wait(self.azure, operation, limit=timedelta(hours=1))

    async def get(self, path: str, api_version: str = "2024-11-01") -> Any:
        return (await self.azure.send("GET", path, api_version)).body


@pytest.fixture
def restoring(tmp_path: Path, declared: Declared) -> Callable[..., Any]:
    """`async with restoring(estate) as site`: an emulator whose time jumps to the end of what is polled."""

    @asynccontextmanager
    async def open_site(estate: dict[str, Any]) -> AsyncIterator[Site]:
        pace = Pace(speed=0, auto_advance=True)
        async with running_server(tmp_path, estate=estate, pace=pace) as served:
            cloud = emulator_cloud(served.running.endpoint, Path(served.running.ca), "header.e30.signature")
            async with Azure(cloud, clock=lambda: NOW) as azure:
                yield Site(served, azure, declared, tmp_path / "journals")

    return open_site
