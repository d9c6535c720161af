"""Against a running emulator, through the real SDK: what is sent, what is refused, what is taken up again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.azure.clients import Azure
from reconciler.azure.clouds import emulator_cloud
from reconciler.azure.operations import wait
from reconciler.desired.validate import validate
from reconciler.emulator.emulator import Pace
from reconciler.emulator.serving import Served, running_server
from reconciler.errors import FailedError
from reconciler.kinds.registry import by_name, kinds
from reconciler.model.observed import SnapshotFacts
from reconciler.plan.change import Reason, Step
from reconciler.plan.graph import order
from reconciler.plan.plan import Plan
from reconciler.workflow import Wishes, look, plan_of
from tests.kinds.conftest import NOW, PROD

GROUP = f"/subscriptions/{PROD}/resourceGroups/rg-app"
SNAPSHOTS = f"{GROUP}/providers/Microsoft.Compute/snapshots"
ESTATE = {
    "estate": "snapshots",
    "clock": NOW.isoformat(),
    "subscriptions": [{"id": PROD, "name": "Prod"}],
    "resourceGroups": [
        {"subscription": "Prod", "name": "rg-app", "location": "westeurope"},
        {"subscription": "Prod", "name": "rg-copies", "location": "northeurope"},
    ],
    "virtualMachines": [{"name": "db-01", "resourceGroup": "rg-app", "osDisk": {"name": "db-01-os", "sizeGB": 64}}],
}
SCHEDULE = {"kind": "SnapshotSchedule", "name": "six-hourly", "every": "6h", "keep": {"count": 1}}
COPIED = {"copyTo": {"region": "northeurope", "resourceGroup": "rg-copies"}}


@dataclass
class Shop:
    """An emulator, the door to it, and one VM's disk whose snapshots are declared."""

    served: Served
    azure: Azure
    folder: Path
    schedule: dict[str, Any]
    scope: dict[str, Any] = field(default_factory=dict)

    async def plan(self, wishes: Wishes | None = None, /, **more: Any) -> Plan:
        """As things are now, the schedule as it was given and `more` laid over it."""
        documents = [
            {"kind": "Scope", "name": "s", "subscriptions": {"prod": PROD}, **self.scope},
            {**SCHEDULE, **self.schedule, **more},
            {"kind": "Protection", "name": "all", "select": {"names": ["*"]}, "snapshots": {"schedule": "six-hourly"}},
        ]
        path = self.folder / "policies.yaml"
        path.write_text(yaml.safe_dump_all([{"apiVersion": "reconciler/v1", **one} for one in documents]))
        checked = validate([path], NOW.date(), kinds())
        assert checked.declared, checked.findings
        return plan_of(await look(self.azure, checked.declared), checked, wishes or Wishes())

    async def apply(self, plan: Plan) -> list[str]:
        """Every step, one after the other; the verbs."""
        steps = order(plan.steps())
        for step in steps:
            await self.carry_out(step)
        return [step.verb for step in steps]

    async def carry_out(self, step: Step) -> None:
        kind = by_name()[step.kind]
        operation = await kind.perform(self.azure, step)
        if operation:
            await wait(self.azure, operation, limit=timedelta(hours=12))
        await kind.verify(self.azure, step)

    def change(self, identity: str, tags: dict[str, str] | None = None, **properties: Any) -> None:
        """Somebody else changes a snapshot."""
        store = self.served.emulator.world.store
        body = store.get(identity)
        assert body is not None
        body["properties"] |= properties
        store.replace(identity, {**body, "tags": body["tags"] if tags is None else tags})

    def advance(self, **span: float) -> None:
        self.served.emulator.world.advance(timedelta(**span))

    def writes(self) -> list[str]:
        recent = self.served.emulator.log.recent()
        return [f"{one.method} {one.path.rsplit('/', 1)[-1]}" for one in recent if one.method != "GET"]


@asynccontextmanager
async def opened(folder: Path, **schedule: Any) -> AsyncIterator[Shop]:
    async with running_server(folder, estate=ESTATE, pace=Pace(speed=0, auto_advance=True)) as served:
        world = served.emulator.world

        async def pause(seconds: float) -> None:
            world.advance(timedelta(seconds=seconds))

        cloud = emulator_cloud(served.running.endpoint, Path(served.running.ca), "header.e30.signature")
        async with Azure(cloud, clock=world.clock.now, pause=pause) as azure:
            yield Shop(served, azure, folder, schedule)


async def test_slot_after_slot_one_comes_and_one_goes(tmp_path: Path) -> None:
    async with opened(tmp_path) as shop:
        assert await shop.apply(await shop.plan()) == ["create"]
        assert (await shop.plan()).empty
        shop.advance(hours=6)
        plan = await shop.plan()
        assert [(one.action, one.reason) for one in plan.changes] == [
            ("delete", Reason.EXPIRED),
            ("create", Reason.DUE),
        ]
        assert await shop.apply(plan) == ["create", "delete"]
        assert (await shop.plan()).empty


async def test_what_failed_is_discarded_and_made_again(tmp_path: Path) -> None:
    async with opened(tmp_path, **COPIED) as shop:
        await shop.apply(await shop.plan())
        shop.advance(hours=6)
        plan = await shop.plan()
        create, copy = [step for step in order(plan.steps()) if step.verb in ("create", "copy")]
        await shop.carry_out(create)
        await shop.carry_out(copy)
        shop.change(create.arguments["id"], provisioningState="Failed")
        error = {"errorCode": "Broken", "errorMessage": "it broke"}
        shop.change(copy.arguments["id"], copyCompletionError=error, completionPercent=30.0)
        again = await shop.plan()
        assert {change.reason for change in again.changes if change.action == "update"} == {Reason.DUE}
        assert await shop.apply(again) == ["discard", "create", "delete", "discard", "copy", "delete"]
        assert (await shop.plan()).empty


async def expiring(shop: Shop) -> Step:
    """The step that deletes the older of two."""
    await shop.apply(await shop.plan())
    shop.advance(hours=6)
    plan = await shop.plan()
    steps = {step.verb: step for step in plan.steps() if "northeurope" not in step.arguments["id"]}
    for step in order(plan.steps()):
        if step.verb != "delete":
            await shop.carry_out(step)
    return steps["delete"]


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        ({"tags": {}}, "no longer those of our snapshot"),
        ({"tags": {"reconciler-schedule": "other"}}, "no longer those of our snapshot"),
        ({"uniqueId": "another"}, "another uniqueId"),
        ({"diskState": "ActiveSAS"}, "being exported"),
        ({"creationData": {"createOption": "Copy", "sourceUniqueId": "another"}}, "of another disk"),
    ],
)
async def test_a_delete_looks_again_before_it_is_sent(tmp_path: Path, seen: dict[str, Any], why: str) -> None:
    async with opened(tmp_path) as shop:
        step = await expiring(shop)
        shop.change(step.arguments["id"], **seen)
        shop.served.emulator.log.clear()
        with pytest.raises(FailedError) as raised:
            await shop.carry_out(step)
        assert why in raised.value.why
        assert shop.writes() == []


async def test_the_source_of_a_copy_that_is_not_complete_is_not_deleted(tmp_path: Path) -> None:
    async with opened(tmp_path, **COPIED) as shop:
        step = await expiring(shop)
        shop.change(step.arguments["copy"], completionPercent=99.0)
        with pytest.raises(FailedError, match="not as it was") as raised:
            await shop.carry_out(step)
        assert "complete to 99 %" in raised.value.why
        shop.change(step.arguments["copy"], completionPercent=100.0)
        await shop.carry_out(step)


async def test_what_is_gone_is_deleted(tmp_path: Path) -> None:
    async with opened(tmp_path) as shop:
        step = await expiring(shop)
        await shop.carry_out(step)
        shop.served.emulator.log.clear()
        await shop.carry_out(step)
        assert shop.writes() == []


async def test_two_runs_take_one(tmp_path: Path) -> None:
    async with opened(tmp_path) as shop:
        (step,) = (await shop.plan()).steps()
        kind = by_name()[step.kind]
        first = await kind.perform(shop.azure, step)
        second = await kind.perform(shop.azure, step)
        assert first is not None
        assert second is not None
        await wait(shop.azure, second, limit=timedelta(minutes=5))
        await kind.verify(shop.azure, step)
        await shop.carry_out(step)
        assert [text for text in shop.writes() if text.startswith("PUT")] == [f"PUT {step.address.rsplit('/', 1)[-1]}"]


async def test_nobody_elses_snapshot_is_written_over(tmp_path: Path) -> None:
    async with opened(tmp_path) as shop:
        (step,) = (await shop.plan()).steps()
        await shop.carry_out(step)
        shop.change(step.arguments["id"], tags={"made": "by hand"})
        shop.served.emulator.log.clear()
        with pytest.raises(FailedError, match="its tags are not ours"):
            await shop.carry_out(step)
        assert shop.writes() == []
        found = await shop.plan()
        assert found.empty
        assert "snapshot-name-taken" in [item.code for item in found.findings]


async def test_a_copy_that_a_killed_run_began_is_taken_up(tmp_path: Path) -> None:
    async with opened(tmp_path, **COPIED) as shop:
        create, copy = order((await shop.plan()).steps())
        await shop.carry_out(create)
        kind = by_name()[copy.kind]
        accepted = await kind.perform(shop.azure, copy)
        assert accepted is not None
        assert accepted.background
        seen = await kind.running(shop.azure, copy, NOW)
        assert seen is not None
        assert seen.via == "completion"
        await wait(shop.azure, seen, limit=timedelta(hours=12))
        await kind.verify(shop.azure, copy)
        assert await kind.running(shop.azure, copy, NOW) is None
        assert (await shop.plan()).empty


async def test_a_copy_knows_its_source_and_its_disk(tmp_path: Path) -> None:
    async with opened(tmp_path, **COPIED) as shop:
        create, copy = order((await shop.plan()).steps())
        await shop.carry_out(create)
        await shop.carry_out(copy)
        store = shop.served.emulator.world.store
        body = store.get(copy.arguments["id"])
        source = store.get(create.arguments["id"])
        assert body is not None
        assert source is not None
        assert body["tags"]["reconciler-source"] == source["properties"]["uniqueId"]
        live = [
            resource.observed
            async for resource in by_name()["snapshot"].read(shop.azure, declared_of(shop))
            if not hasattr(resource, "kinds")
        ]
        facts = {one.copy_of is not None: one for one in live if isinstance(one, SnapshotFacts)}
        assert facts[True].disk_id == facts[False].disk_id
        assert (facts[True].place, facts[True].slot) == ("os", facts[False].slot)
        shop.change(create.arguments["id"], provisioningState="Failed")
        store.delete(copy.arguments["id"])
        with pytest.raises(FailedError, match="cannot be copied now"):
            await shop.carry_out(copy)


def declared_of(shop: Shop) -> Any:
    declared = validate([shop.folder / "policies.yaml"], NOW.date(), kinds()).declared
    assert declared
    return declared


async def test_who_may_export_is_changed_in_place(tmp_path: Path) -> None:
    access = f"{GROUP}/providers/Microsoft.Compute/diskAccesses/da"
    async with opened(tmp_path) as shop:
        await shop.apply(await shop.plan())
        closed = {"networkAccessPolicy": "AllowPrivate", "diskAccess": access, "publicNetworkAccess": "Disabled"}
        plan = await shop.plan(**closed)
        assert await shop.apply(plan) == ["update"]
        assert (await shop.plan(**closed)).empty
        assert await shop.apply(await shop.plan(networkAccessPolicy="DenyAll")) == ["update"]
        assert (await shop.plan(networkAccessPolicy="DenyAll")).empty


async def test_a_list_that_cannot_be_read_plans_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as shop:
        await shop.apply(await shop.plan())
        shop.advance(hours=12)
        fault = {"method": "GET", "path": f"/subscriptions/{PROD}/providers/Microsoft.Compute/snapshots", "status": 403}
        shop.served.emulator.world.faults.add(fault)
        plan = await shop.plan()
        assert (plan.changes, plan.complete, len(plan.unknown)) == ((), False, 1)


async def test_nothing_is_asked_where_no_schedule_is_declared(tmp_path: Path) -> None:
    async with opened(tmp_path) as shop:
        await shop.plan()
        path = shop.folder / "policies.yaml"
        kept = [one for one in yaml.safe_load_all(path.read_text()) if one["kind"] == "Scope"]
        path.write_text(yaml.safe_dump_all(kept))
        shop.served.emulator.log.clear()
        await look(shop.azure, declared_of(shop))
        asked = [one.path.lower() for one in shop.served.emulator.log.recent()]
        assert asked
        assert not any("/snapshots" in path or "/disks" in path for path in asked)
