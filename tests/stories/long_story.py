"""Runs of apply against one emulator through weeks of its time: with faults, with kills, and with what they promise."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import random
import runpy
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from reconciler.apply.lock import Holder
from reconciler.apply.run import Stop
from reconciler.azure.clients import Azure
from reconciler.azure.clouds import emulator_cloud
from reconciler.desired.validate import Validation, validate
from reconciler.emulator import portal
from reconciler.emulator.emulator import Pace
from reconciler.emulator.serving import Served, running_server
from reconciler.emulator.world import World
from reconciler.kinds.registry import kinds
from reconciler.workflow import Machinery, Review, Wishes, apply, make_plan
from tests.stories.long_estate import FAR, LOOK_ALIKES, POINTS, SCHEDULES, estate, policies
from tests.stories.promise import Promise

DAYS = int(os.environ.get("LONG_DAYS", "10"))
DISKS = int(os.environ.get("LONG_DISKS", "12"))
SEED = int(os.environ.get("LONG_SEED", "20261122"))
MOST_APPLIES = 12
KILLER = str(Path(__file__).parents[1] / "chaos" / "apply_once.py")
FORK = multiprocessing.get_context("forkserver")
API = "api-version=2025-01-02"
DISK, SNAPSHOT, COLLECTION = (f"Microsoft.Compute/{one}" for one in ("disks", "snapshots", "restorePointCollections"))
POINT = f"{COLLECTION}/restorePoints"
EFFECTS: tuple[dict[str, Any], ...] = (
    {"status": 429, "retryAfter": 7},
    {"status": 500},
    {"status": 503},
    {"status": 500, "after": True},
    {"reset": "before"},
    {"reset": "after"},
    {"operation": "fails", "code": "InternalError"},
    {"operation": "lost"},
    {"body": "truncated"},
)
PATHS = ("*", "*/snapshots/*", "*/snapshots", "*/disks", "*/restorePoints/*", "*operations*")

Series = tuple[str, str, str]
"""Schedule, uniqueId of the disk (of points: the VM's name), region of copies or ""."""


@dataclass
class Figures:
    """What it amounted to."""

    hours: int = 0
    runs: int = 0
    killed: int = 0
    faults: int = 0
    requests: int = 0
    asleep: int = 0
    began: float = field(default_factory=time.perf_counter)

    def told(self, promises: dict[Series, Promise]) -> str:
        every = promises.values()
        taken, dropped, missed = (sum(getattr(one, name) for one in every) for name in ("taken", "dropped", "missed"))
        return (
            f"{DAYS} days, {DISKS} disks, seed {SEED}: {self.runs:,} runs in {self.hours:,} hours, {self.asleep} hours "
            f"without one, {self.killed} killed, {self.faults:,} requests hit by faults, {self.requests:,} requests; "
            f"{taken:,} snapshots and points taken, {dropped:,} deleted, {missed:,} slots missed, "
            f"{sum(len(one.slots) for one in every):,} there at the end, at most {max(one.most for one in every)} of a "
            f"disk; {time.perf_counter() - self.began:.0f} s"
        )


@dataclass
class Story:
    """One estate, the policies beside it, and what they promise of it."""

    served: Served
    azure: Azure
    folder: Path
    chance: random.Random
    figures: Figures = field(default_factory=Figures)
    promises: dict[Series, Promise] = field(default_factory=dict)
    others: frozenset[str] = frozenset(one["name"] for one in LOOK_ALIKES)

    def __post_init__(self) -> None:
        self.policies = self.folder / "policies"
        self.policies.mkdir()
        (self.policies / "all.yaml").write_text(yaml.safe_dump_all(policies(), sort_keys=False))
        self.validation: Validation = validate([self.policies], self.now.date(), kinds())
        assert self.validation.declared, self.validation.findings
        for disk in self.world.store.list(DISK):
            self.promise(disk)
        for vm in {disk["managedBy"].rpartition("/")[2] for disk in self.world.store.list(DISK)}:
            if vm.startswith(POINTS.name):
                self.promises[POINTS.name, vm.lower(), ""] = Promise(POINTS)

    @property
    def world(self) -> World:
        return self.served.emulator.world

    @property
    def now(self) -> datetime:
        return self.world.clock.now()

    def promise(self, disk: dict[str, Any]) -> None:
        """From now on this disk has snapshots, if its VM asks for any."""
        for schedule in SCHEDULES:
            if disk["name"].startswith(f"{schedule.name}-"):
                for region in {"", schedule.region}:
                    self.promises[schedule.name, disk["properties"]["uniqueId"], region] = Promise(schedule)

    # what is in Azure

    def there(self) -> dict[Series, set[datetime]]:
        """All that is ours by its tags (of points: by those of their collection), complete and in good order."""
        found: dict[Series, set[datetime]] = {}
        for one in self.world.store.list(SNAPSHOT):
            tags, properties = one.get("tags") or {}, one["properties"]
            slot = tags.get("reconciler-slot", "")
            if one["name"] in self.others or not slot.endswith("Z"):
                continue
            assert properties["provisioningState"] == "Succeeded", one
            assert properties.get("completionPercent", 100) == 100, one
            key = tags["reconciler-schedule"], tags["reconciler-disk"], FAR if one["location"] == FAR else ""
            assert datetime.fromisoformat(slot) not in found.get(key, ()), f"twice: {one}"
            found.setdefault(key, set()).add(datetime.fromisoformat(slot))
        for one in self.world.store.list(POINT):
            collection = self.world.store.get(one["id"].partition("/restorePoints/")[0])
            assert collection is not None
            vm = collection["properties"]["source"]["id"].rpartition("/")[2].lower()
            assert one["properties"]["provisioningState"] == "Succeeded", one
            slot = datetime.strptime(f"{one['name']}+0000", "%Y%m%dT%H%MZ%z")
            found.setdefault((POINTS.name, vm, ""), set()).add(slot)
        return found

    def check(self) -> None:
        self.world.advance(timedelta(minutes=5))  # an operation that nobody could ask for ends, too
        promised = {key: promise.slots for key, promise in self.promises.items() if promise.slots}
        there = self.there()
        for key in promised.keys() | there.keys():
            wanted, found = promised.get(key, set()), there.get(key, set())
            assert found == wanted, f"{self.now} {key}: lost {wanted - found}, should be gone {found - wanted}"

    # what happens

    async def sleep(self, until: datetime) -> None:
        assert until >= self.now, "the runs of an hour took longer than that hour"
        self.world.advance(until - self.now)

    async def arm(self, method: str, identity: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Somebody's own doing in the portal, and the minute after it."""
        text = json.dumps(body) if body else None
        said = await asyncio.to_thread(portal.request, self.served.running, method, f"{identity}?{API}", text)
        assert said.status < 300, said
        self.world.advance(timedelta(minutes=1))
        return json.loads(said.text) if said.text else {}

    async def hour(self, *, faults: bool = True, dies_at: int = 0) -> None:
        """Runs until one says that all is done, and the promise of this hour."""
        self.figures.hours += 1
        rules = [self.fault() for _ in range(self.chance.choice((0, 0, 0, 1, 1, 2, 3)))] if faults else []
        for rule in rules:
            self.world.faults.add(rule)
        if dies_at:
            await self.killed(dies_at)
        for _ in range(MOST_APPLIES):
            open_ends = await self.run()
            if not open_ends:
                break
        assert not open_ends, f"{self.now}: not done after {MOST_APPLIES} applies; {rules}; {open_ends}"
        left = sum(rule["count"] for rule in self.world.faults.rules())
        self.figures.faults += sum(rule["count"] for rule in rules) - left
        self.world.faults.clear()
        for promise in self.promises.values():
            promise.keep(self.now)

    def fault(self) -> dict[str, Any]:
        rule = {**self.chance.choice(EFFECTS), "path": self.chance.choice(PATHS)}
        return {**rule, "count": self.chance.randint(1, 4), "skip": self.chance.randint(0, 12)}

    async def run(self) -> list[str]:
        """One apply; what is not done after it."""
        self.figures.runs += 1
        name = f"run-{self.figures.runs}"
        holder = Holder(pid=os.getpid(), host="here", since=self.now, run=name)
        machinery = Machinery(lambda event: None, Stop(), self.folder / "journals", holder, name, "0")
        declared = self.validation.declared
        assert declared
        outcome = await apply(
            self.azure, machinery, lambda: make_plan(self.azure, self.validation, declared, Wishes()), approve
        )
        plan, result = outcome.review.plan, outcome.result
        unread = [finding.message for finding in plan.findings if finding.severity == "error"]
        open_ends = (
            [f"{one.step.title}: {one.message}" for one in result.endings if one.status != "done"] if result else []
        )
        return [*([] if plan.complete else ["something could not be read"]), *unread, *open_ends]

    async def killed(self, dies_at: int) -> None:
        """A run of its own process that ends by SIGKILL in the middle of its writes."""
        self.figures.runs += 1
        running, says = self.served.running, self.folder / "said.json"
        order = {
            "endpoint": running.endpoint,
            "ca": running.ca,
            "token": running.token,
            "journals": str(self.folder / "journals"),
            "policies": str(self.policies),
            "run": f"run-{self.figures.runs}",
            "dies_at": dies_at,
            "says": str(says),
        }
        process = FORK.Process(target=runpy.run_path, args=(KILLER,), kwargs={"init_globals": {"order": order}})
        process.start()
        await asyncio.to_thread(process.join, 120)
        assert process.exitcode in (-9, 0), "an apply does not end"
        self.figures.killed += process.exitcode == -9


def approve(review: Review) -> bool:
    assert not review.plan.refusals, review.plan.refusals
    return True


@asynccontextmanager
async def story(folder: Path) -> AsyncIterator[Story]:
    pace = Pace(speed=0, auto_advance=True)
    async with running_server(folder, estate=estate(DISKS), pace=pace) as served:
        world = served.emulator.world

        async def pause(seconds: float) -> None:
            world.advance(timedelta(seconds=seconds))

        cloud = emulator_cloud(served.running.endpoint, Path(served.running.ca), "header.e30.signature")
        async with Azure(cloud, clock=world.clock.now, pause=pause) as azure:
            yield Story(served, azure, folder, random.Random(SEED))
