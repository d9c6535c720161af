"""Both kinds against the emulator through the real SDK: plan, carry out, plan again, as time passes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from reconciler.azure.clients import Azure
from reconciler.azure.operations import wait
from reconciler.diff.engine import compare
from reconciler.emulator.serving import Served
from reconciler.errors import FailedError
from reconciler.kinds.base import Expansion, Kind, Situation
from reconciler.kinds.owned_collections import KEEP, SCHEDULE
from reconciler.kinds.restore_point.kind import RestorePointKind
from reconciler.kinds.restore_point_collection.kind import RestorePointCollectionKind
from reconciler.live.refresh import refresh
from reconciler.model.address import Address
from reconciler.model.document import Document
from reconciler.model.live import Live
from reconciler.model.observed import RestorePointFacts
from reconciler.model.resource import Resource
from reconciler.model.snapshot_schedule import SnapshotSchedule
from reconciler.plan.change import Action, Effect, Reason, Step
from reconciler.plan.finding import Finding
from reconciler.plan.graph import order
from reconciler.plan.plan import Plan
from tests.kinds.conftest import PROD
from tests.kinds.restore_point.conftest import assign, declared, schedule

KINDS: tuple[Kind[Any], ...] = (RestorePointKind(), RestorePointCollectionKind())
GROUP = f"/subscriptions/{PROD}/resourceGroups/rg-app/providers/Microsoft.Compute"
HOUR = timedelta(hours=1)


@pytest.fixture
def vms(estate: dict[str, Any]) -> dict[str, Any]:
    """The estate of the kinds with two VMs of three disks."""
    names = ("app-01", "app-02")
    machines = [{"name": name, "resourceGroup": "rg-app", "os": "Linux", "dataDisks": [64, 64]} for name in names]
    group = {"subscription": "Prod", "name": "rg-app", "location": "westeurope"}
    return {**estate, "resourceGroups": [*estate["resourceGroups"], group], "virtualMachines": machines}


class Run:
    """What a user's run does, for these two kinds alone: the emulator's clock is its clock."""

    def __init__(self, served: Served, azure: Azure, *documents: Document[SnapshotSchedule]) -> None:
        self.served, self.azure, self.documents = served, azure, documents
        self.selected = True

    @property
    def now(self) -> datetime:
        return self.served.emulator.world.clock.now()

    def advance(self, span: timedelta) -> None:
        self.served.emulator.world.advance(span)

    async def look(self) -> Live:
        return await refresh(self.azure, declared(*self.documents), KINDS)

    async def plan(self) -> Plan:
        live, policies = await self.look(), declared(*self.documents)
        names = [one.name for one in self.documents]
        assignments = tuple(assign(one, to=names[0]) for one in live.machines) if self.selected else ()
        state: dict[Address, Resource] = {}
        findings: list[Finding] = []
        for kind in KINDS:
            wanted = {ref.address for one in state.values() for _, ref in one.spec.refs()} - state.keys()
            for item in kind.expand(Expansion(policies, assignments, live, frozenset(wanted), self.now)):
                if isinstance(item, Finding):
                    findings.append(item)
                else:
                    state[item.address] = item
        return compare(Situation(policies, state, live, self.now), KINDS, findings)

    async def apply(self, plan: Plan) -> list[str]:
        done = []
        for step in order([step for change in plan.changes for step in change.steps]):
            await self.carry_out(step)
            done.append(step.id.rpartition("#")[2])
        return done

    async def carry_out(self, step: Step) -> None:
        kind = next(one for one in KINDS if one.name == step.kind)
        operation = await kind.perform(self.azure, step)
        if operation is not None:
            await wait(self.azure, operation, limit=HOUR)
        await kind.verify(self.azure, step)

    async def points(self) -> list[RestorePointFacts]:
        state = (await self.look()).state
        return [one.observed for _, one in sorted(state.items()) if isinstance(one.observed, RestorePointFacts)]


Start = Callable[..., Any]


async def test_points_are_taken_kept_and_expire_and_the_next_plan_is_empty(
    emulated: Start, vms: dict[str, Any]
) -> None:
    async with emulated(vms) as (served, azure):
        run = Run(served, azure, schedule(keep={"count": 2}))
        plan = await run.plan()
        assert {(one.kind, one.action, one.reason) for one in plan.changes} == {
            ("restore_point", Action.CREATE, Reason.FIRST),
            ("restore_point_collection", Action.CREATE, Reason.NOT_IN_AZURE),
        }
        assert await run.apply(plan) == ["create", "create", "take", "take"]
        assert (await run.plan()).changes == ()
        for _ in range(2):
            run.advance(6 * HOUR)
            plan = await run.plan()
            await run.apply(plan)
            again = await run.plan()
            assert (again.changes, again.findings) == ((), ())
        assert {one.reason for one in plan.changes} == {Reason.DUE, Reason.EXPIRED}
        assert {one.effect for one in plan.changes} == {Effect.NONE}
        points = await run.points()
        assert [one.arm_id.name for one in points] == ["20260302T1200Z", "20260302T1800Z"] * 2
        assert {one.consistency for one in points} == {"FileSystemConsistent"}
        first = points[0]
        assert [(disk.place, disk.size_gib) for disk in first.disks] == [("os", 64), ("0", 64), ("1", 64)]
        assert all(first.arm_id.key in disk.arm_id.key for disk in first.disks)


async def test_a_shorter_keep_is_told_before_it_prunes_and_the_tag_follows(
    emulated: Start, vms: dict[str, Any]
) -> None:
    async with emulated(vms) as (served, azure):
        run = Run(served, azure, schedule())
        for _ in range(3):
            await run.apply(await run.plan())
            run.advance(6 * HOUR)
        run.documents = (schedule(keep={"count": 2}),)
        plan = await run.plan()
        effects = sorted((one.kind, one.action.value, one.effect.value) for one in plan.changes)
        assert effects == [
            ("restore_point", "create", "none"),
            ("restore_point", "create", "none"),
            *[("restore_point", "delete", "none")] * 2,
            *[("restore_point", "delete", "prunes")] * 2,
            *[("restore_point_collection", "update", "weakens")] * 2,
        ]
        await run.apply(plan)
        assert (await run.plan()).changes == ()
        assert {one.keep for one in await run.points()} == {'{"count":2}'}


async def test_crash_consistency_and_disks_left_out_are_as_asked_for(emulated: Start, vms: dict[str, Any]) -> None:
    async with emulated(vms) as (served, azure):
        run = Run(served, azure, schedule(restorePointMode="CrashConsistent", disks={"except": [1]}))
        await run.apply(await run.plan())
        points = await run.points()
        assert {one.consistency for one in points} == {"CrashConsistent"}
        assert {tuple(disk.place for disk in one.disks) for one in points} == {("os", "0")}
        assert (await run.plan()).changes == ()


async def test_the_same_step_twice_takes_one_point(emulated: Start, vms: dict[str, Any]) -> None:
    async with emulated(vms) as (served, azure):
        run = Run(served, azure, schedule())
        plan = await run.plan()
        await run.apply(plan)
        await run.apply(plan)
        assert len(await run.points()) == 2


async def test_a_point_that_is_being_taken_is_found_again(emulated: Start, vms: dict[str, Any]) -> None:
    async with emulated(vms) as (served, azure):
        run = Run(served, azure, schedule())
        steps = order([step for change in (await run.plan()).changes for step in change.steps])
        await run.carry_out(steps[0])
        await run.carry_out(steps[1])
        kind, take = KINDS[0], steps[2]
        assert await kind.running(azure, take, run.now) is None
        await asyncio.to_thread(served.running.ask, "POST", "clock", {"autoAdvance": False})
        first = await kind.perform(azure, take)
        second = await kind.perform(azure, take)
        found = await kind.running(azure, take, run.now)
        verbs = [step.verb for change in (await run.plan()).changes for step in change.steps]
        await asyncio.to_thread(served.running.ask, "POST", "clock", {"autoAdvance": True})
        assert verbs == ["take"]  # of the other VM
        assert second == found
        for operation in (first, second):
            assert operation is not None
            await wait(azure, operation, limit=HOUR)
        await kind.verify(azure, take)


async def test_a_point_that_azure_could_not_take_is_deleted_and_taken_again(
    emulated: Start, vms: dict[str, Any]
) -> None:
    async with emulated(vms) as (served, azure):
        run = Run(served, azure, schedule())
        await run.apply(await run.plan())
        store = served.emulator.world.store
        body = store.get((await run.points())[0].arm_id.key) or {}
        body["properties"]["provisioningState"] = "Failed"
        store.replace(body["id"], body)
        run.advance(4 * HOUR - timedelta(minutes=30))
        (change,) = (await run.plan()).changes
        assert (change.action, change.reason) == (Action.UPDATE, Reason.DUE)
        assert [step.verb for step in change.steps] == ["delete", "take"]
        await run.apply(await run.plan())
        assert {one.state for one in await run.points()} == {"Succeeded"}
        assert (await run.plan()).changes == ()


async def test_what_is_no_longer_ours_is_not_deleted(emulated: Start, vms: dict[str, Any]) -> None:
    async with emulated(vms) as (served, azure):
        run = Run(served, azure, schedule(keep={"count": 1}))
        await run.apply(await run.plan())
        run.advance(6 * HOUR)
        plan = await run.plan()
        deletes = [step for change in plan.changes for step in change.steps if step.verb == "delete"]
        world = served.emulator.world
        for step in deletes:
            body = world.store.get(step.arguments["point"].rpartition("/restorePoints/")[0]) or {}
            body["tags"] = {"somebody": "else"}
            world.store.replace(body["id"], body)
        for step in deletes:
            with pytest.raises(FailedError, match="no longer ours"):
                await run.carry_out(step)
        assert await run.points() == []  # of ours


async def test_a_collection_of_somebody_else_is_not_taken_over(emulated: Start, vms: dict[str, Any]) -> None:
    async with emulated(vms) as (served, azure):
        run = Run(served, azure, schedule())
        plan = await run.plan()
        create = next(step for change in plan.changes for step in change.steps if step.verb == "create")
        await run.carry_out(create)
        body = served.emulator.world.store.get(create.arguments["id"]) or {}
        body["tags"] = {}
        served.emulator.world.store.replace(body["id"], body)
        with pytest.raises(FailedError, match="not ours"):
            await run.carry_out(create)


async def test_new_collections_carry_our_tags_and_the_vms_and_others_stay(emulated: Start, vms: dict[str, Any]) -> None:
    vms["virtualMachines"][0]["tags"] = {"env": "prod"}
    async with emulated(vms) as (served, azure):
        run = Run(served, azure, schedule(tags={"purpose": "rollback"}))
        await run.apply(await run.plan())
        store = served.emulator.world.store
        home = (await run.points())[0].arm_id.parent()
        body = store.get(home.key) or {}
        assert body["tags"] == {
            SCHEDULE: "six-hourly",
            KEEP: '{"count":3}',
            "reconciler-vm": f"{GROUP}/virtualMachines/app-01",
            "purpose": "rollback",
            "env": "prod",
        }
        body["tags"] |= {"cost": "42"}
        store.replace(body["id"], body)
        run.documents = (schedule(keep={"count": 9}),)
        await run.apply(await run.plan())
        after = (store.get(home.key) or {})["tags"]
        assert (after["cost"], after[KEEP]) == ("42", '{"count":9}')


async def test_a_collection_that_cannot_be_read_hides_its_points_and_no_others(
    emulated: Start, vms: dict[str, Any]
) -> None:
    async with emulated(vms) as (served, azure):
        run = Run(served, azure, schedule(keep={"count": 1}))
        await run.apply(await run.plan())
        run.advance(6 * HOUR)
        home = (await run.points())[0].arm_id.parent()
        fault = {"method": "GET", "path": f"*/{home.name}", "status": 403, "code": "AuthorizationFailed"}
        await asyncio.to_thread(served.running.ask, "POST", "faults", fault)
        plan = await run.plan()
        assert not plan.complete
        verbs = sorted(step.verb for change in plan.changes for step in change.steps)
        assert verbs == ["delete", "take"]
