"""Five days of runs through the whole machinery: journal, edges, guards; Azure fails now and then, and nothing of
anybody else's is gone at the end."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from reconciler.apply.lock import Holder
from reconciler.apply.run import Stop
from reconciler.azure.clients import Azure
from reconciler.azure.clouds import emulator_cloud
from reconciler.desired.validate import validate
from reconciler.emulator.emulator import Pace
from reconciler.emulator.serving import Served, running_server
from reconciler.kinds.registry import kinds
from reconciler.model.keeping import kept
from reconciler.model.observed import RestorePointFacts
from reconciler.model.slots import Cadence, slot_label
from reconciler.model.snapshot_schedule import Keep
from reconciler.plan.plan import Plan
from reconciler.workflow import Machinery, Wishes, apply, look, plan_of
from tests.kinds.conftest import NOW, PROD

KEEP = Keep(count=3, daily=3)
DOCUMENTS: list[dict[str, Any]] = [
    {"kind": "Scope", "name": "story", "subscriptions": {"prod": PROD}},
    {
        "kind": "SnapshotSchedule",
        "name": "six-hourly",
        "every": "6h",
        "keep": {"count": 3, "daily": 3},
        "consistency": "restorePoint",
    },
    {"kind": "Protection", "name": "all", "select": {"tags": {"env": "prod"}}, "snapshots": {"schedule": "six-hourly"}},
]
ESTATE: dict[str, Any] = {
    "estate": "story",
    "clock": NOW.isoformat(),
    "subscriptions": [{"id": PROD, "name": "Prod"}],
    "resourceGroups": [{"subscription": "Prod", "name": "rg-app", "location": "westeurope"}],
    "virtualMachines": [
        {"name": name, "resourceGroup": "rg-app", "os": "Windows", "dataDisks": [64], "tags": {"env": "prod"}}
        for name in ("app-01", "app-02")
    ],
}
POINTS = "Microsoft.Compute/restorePointCollections/restorePoints"
SIX = Cadence(timedelta(hours=6))
FAILING = {"method": "PUT", "path": "*/restorePoints/*", "operation": "fails", "code": "InternalError", "count": 1}
UNANSWERED = {"method": "PUT", "path": "*/restorePoints/*", "reset": "after", "count": 1}
BUSY = {"method": "DELETE", "path": "*/restorePoints/*", "status": 429, "retryAfter": 5, "count": 2}


class Story:
    """One user's runs: each plans and applies, in the emulator's time."""

    def __init__(self, served: Served, azure: Azure, folder: Path) -> None:
        self.served, self.azure, self.folder = served, azure, folder
        self.runs = 0
        self.policies = folder / "policies.yaml"
        documents = [{"apiVersion": "reconciler/v1", **one} for one in DOCUMENTS]
        self.policies.write_text(yaml.safe_dump_all(documents, sort_keys=False), encoding="utf-8")

    @property
    def now(self) -> datetime:
        return self.served.emulator.world.clock.now()

    async def plan(self) -> Plan:
        checked = validate([self.policies], self.now.date(), kinds())
        assert checked.declared, checked.findings
        return plan_of(await look(self.azure, checked.declared), checked, Wishes())

    async def run(self) -> int:
        """How many of its steps ended well."""
        self.runs += 1
        holder = Holder(pid=1, host="here", since=self.now, run=f"run-{self.runs}")
        journals = self.folder / "journals"
        machinery = Machinery(lambda event: None, Stop(), journals, holder, f"run-{self.runs}", "0")
        outcome = await apply(self.azure, machinery, self.plan, lambda review: True)
        return len(outcome.result.done) if outcome.result else 0

    async def fault(self, rule: dict[str, Any]) -> None:
        await asyncio.to_thread(self.served.running.ask, "POST", "faults", rule)

    async def slots(self) -> dict[str, set[datetime]]:
        checked = validate([self.policies], self.now.date(), kinds())
        assert checked.declared
        state = (await look(self.azure, checked.declared)).situation.live.state
        found: dict[str, set[datetime]] = {}
        for one in state.values():
            if isinstance(one.observed, RestorePointFacts) and one.observed.slot:
                assert one.observed.state == "Succeeded"
                found.setdefault(one.observed.machine_id.name, set()).add(one.observed.slot)
        return found


async def test_five_days_of_runs_leave_what_the_schedule_promises(tmp_path: Path) -> None:
    async with running_server(tmp_path, estate=ESTATE, pace=Pace(speed=0, auto_advance=True)) as served:
        world = served.emulator.world

        async def pause(seconds: float) -> None:
            world.advance(timedelta(seconds=seconds))

        cloud = emulator_cloud(served.running.endpoint, Path(served.running.ca), "header.e30.signature")
        async with Azure(cloud, clock=world.clock.now, pause=pause) as azure:
            story = Story(served, azure, tmp_path)
            slots: list[datetime] = []
            for number, rule in enumerate([{}, {}, {}, FAILING, {}, UNANSWERED, {}, BUSY, FAILING, *[{}] * 11]):
                slot = NOW.replace(hour=6) + timedelta(hours=6) * number
                world.advance(max(slot + timedelta(minutes=20) - story.now, timedelta()))
                if rule:
                    await story.fault(rule)
                await story.run()
                if rule is FAILING:
                    world.advance(timedelta(minutes=100))
                    await story.run()
                slots.append(slot)
                assert (await story.plan()).changes == ()
                slots = sorted(kept(KEEP, slots, story.now))
                assert await story.slots() == {"app-01": set(slots), "app-02": set(slots)}
            await put_by_hand(story)
            world.advance(timedelta(days=9))
            await story.run()
            left = {identity.rpartition("/")[2] for identity in world.store.ids(POINTS)}
            assert left == {"before-upgrade", *map(slot_label, kept(KEEP, [*slots, SIX.slot(story.now)], story.now))}


async def put_by_hand(story: Story) -> None:
    """Somebody takes a point of their own in our collection."""
    store = story.served.emulator.world.store
    body = next(iter(store.list(POINTS)))
    identity = body["id"].rpartition("/")[0] + "/before-upgrade"
    store.put(
        identity,
        POINTS,
        {**body, "id": identity, "name": "before-upgrade"},
    )
