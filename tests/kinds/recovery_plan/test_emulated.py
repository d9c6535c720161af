"""Reading, writing and reading back against the emulator, with the real SDK."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from reconciler.azure.clients import Azure
from reconciler.azure.operations import wait
from reconciler.diff.engine import compare
from reconciler.errors import FailedError
from reconciler.kinds.base import Situation
from reconciler.kinds.recovery_plan.kind import RecoveryPlanKind
from reconciler.kinds.replicated_vm.kind import ReplicatedVmKind
from reconciler.kinds.runbook import read_runbooks
from reconciler.live.refresh import refresh
from reconciler.model.arm_id import ArmId
from reconciler.model.live import Live, Unreadable
from reconciler.model.recovery_plan import RecoveryPlanFacts
from reconciler.model.resource import Resource
from reconciler.plan.plan import Plan
from tests.kinds.conftest import NOW, PROD, Estate
from tests.kinds.recovery_plan.conftest import ADDRESS, GROUPS, MACHINES, RUNBOOK, SQL, VAULT, World

KIND = RecoveryPlanKind()
Emulated = Callable[..., Any]
DNS = {"name": "dns", "runbook": RUNBOOK, "timeout": "90m"}
ASK = {"name": "ask", "manual": "ask the owner"}


@pytest.fixture
def estate() -> Estate:
    """The VMs of the conftest, replicated to North Europe."""
    return {
        "estate": "plans",
        "clock": NOW.isoformat(),
        "subscriptions": [{"id": PROD, "name": "Prod"}],
        "resourceGroups": [
            {"subscription": "Prod", "name": "rg-app", "location": "westeurope"},
            {"subscription": "Prod", "name": "rg-dr", "location": "northeurope"},
        ],
        "virtualMachines": [
            {"name": one.name, "resourceGroup": "rg-app", "os": "Linux", "tags": dict(one.tags)} for one in MACHINES
        ],
        "storageAccounts": [{"name": "cacheweu", "resourceGroup": "rg-app"}],
        "automationAccounts": [{"name": "aa", "resourceGroup": "rg-dr", "runbooks": ["Set-Dns"]}],
        "siteRecovery": [
            {
                "vault": "rsv-dr",
                "resourceGroup": "rg-dr",
                "policies": {"day": {}},
                "routes": [{"from": "westeurope", "to": "northeurope", "policy": "day"}],
                "machines": [
                    {"vm": f"rg-app/{one.name}", "to": "northeurope", "resourceGroup": "rg-dr", "cache": "cacheweu"}
                    for one in MACHINES
                ],
            }
        ],
    }


async def read(azure: Azure, world: World) -> list[Resource]:
    azure.forget()
    found = [one async for one in KIND.read(azure, world.declared())]
    assert [one for one in found if isinstance(one, Unreadable)] == []
    return [one for one in found if isinstance(one, Resource)]


async def plan(azure: Azure, world: World) -> Plan:
    """What the kind would do, with nothing but recovery plans in the picture."""
    live = {one.address: one for one in await read(azure, world)}
    expansion = dataclasses.replace(world, live=tuple(live.values())).expansion()
    desired = {one.address: one for one in KIND.expand(expansion) if isinstance(one, Resource)}
    return compare(Situation(expansion.declared, desired, Live(live, tuple(world.machines)), NOW), (KIND,))


async def carry_out(azure: Azure, world: World) -> list[str]:
    """The steps of a plan, each sent, waited for and read back. Answers what was done."""
    done = []
    for step in (await plan(azure, world)).steps():
        operation = await KIND.perform(azure, step)
        assert operation is not None
        await wait(azure, operation, limit=timedelta(minutes=10))
        await KIND.verify(azure, step)
        done.append(step.id)
    return done


async def test_a_plan_is_made_and_then_there_is_nothing_to_do(emulated: Emulated, estate: Estate) -> None:
    front = {**GROUPS[1], "before": [ASK], "after": [DNS, ASK | {"name": "ask again"}]}
    world = World(groups=[GROUPS[0], front], plan={"shutdown": {"before": [DNS | {"name": "stop", "side": "primary"}]}})
    async with emulated(estate) as (_, azure):
        assert await carry_out(azure, world) == [f"{ADDRESS}#create"]
        assert (await plan(azure, world)).changes == ()
        (found,) = await read(azure, world)
        facts = found.observed
        assert isinstance(facts, RecoveryPlanFacts)
        assert (facts.primary_region, facts.recovery_region, facts.busy) == ("westeurope", "northeurope", False)
        assert facts.allowed_operations == ("UnplannedFailover", "TestFailover")
        assert len(facts.items) == len(MACHINES)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"groups": [GROUPS[1], GROUPS[0]]}, id="another order of groups"),
        pytest.param(
            {"groups": [*GROUPS, {"name": "x", "members": {"names": ["x"]}, "allowEmpty": True}]}, id="another group"
        ),
        pytest.param({"groups": [GROUPS[0]]}, id="fewer VMs"),
        pytest.param({"plan": {"failover": {"after": [ASK, DNS]}}}, id="another order of actions"),
        pytest.param({"plan": {"failover": {"after": [DNS | {"timeout": "2d"}, ASK]}}}, id="another timeout"),
        pytest.param(
            {"plan": {"failover": {"after": [DNS | {"failoverTypes": ["testFailover"]}, ASK]}}},
            id="another failover type",
        ),
        pytest.param({"plan": {"failover": {"after": [DNS | {"side": "primary"}, ASK]}}}, id="the other side"),
    ],
)
async def test_what_differs_is_changed_in_place(emulated: Emulated, estate: Estate, change: dict[str, Any]) -> None:
    before = World(plan={"failover": {"after": [DNS, ASK]}})
    after = dataclasses.replace(before, **change)
    async with emulated(estate) as (_, azure):
        await carry_out(azure, before)
        assert await carry_out(azure, after) == [f"{ADDRESS}#update"]
        assert (await plan(azure, after)).changes == ()


async def test_who_joins_and_who_leaves_is_told(emulated: Emulated, estate: Estate) -> None:
    async with emulated(estate) as (_, azure):
        (created,) = (await plan(azure, World())).changes
        assert [item.text for item in created.consequences] == [
            "VMs sql-01, app-01, web-01, web-02 fail over with this plan from now on"
        ]
        await carry_out(azure, World())
        (changed,) = (await plan(azure, World(groups=[GROUPS[1]]))).changes
        assert [(item.effect, item.text) for item in changed.consequences] == [
            ("weakens", "VM sql-01 no longer fails over with this plan")
        ]
        assert [(item.name, item.before, item.after) for item in changed.details] == [
            ("groups[0].members", "sql-01", "app-01, web-01, web-02"),
            ("groups[1].members", "app-01, web-01, web-02", ""),
        ]


async def test_a_plan_that_somebody_made_is_taken_over_where_it_is_the_same(emulated: Emulated, estate: Estate) -> None:
    names = [[one.name for one in group] for group in ([SQL], MACHINES[:3])]
    estate["siteRecovery"][0]["plans"] = [
        {"name": "RP-SHOP", "from": "westeurope", "to": "northeurope", "groups": names},
        {"name": "theirs", "from": "westeurope", "to": "northeurope", "groups": names[:1]},
    ]
    async with emulated(estate) as (_, azure):
        found = await plan(azure, World())
        assert found.changes == ()
        assert [(item.code, item.address) for item in found.findings] == [
            ("unmanaged", "recovery_plan.prod/rg-dr/rsv-dr/theirs")
        ]


async def test_a_plan_of_other_regions_is_never_replaced(emulated: Emulated, estate: Estate) -> None:
    estate["resourceGroups"].append({"subscription": "Prod", "name": "rg-frc", "location": "francecentral"})
    site = estate["siteRecovery"][0]
    site["routes"].append({"from": "westeurope", "to": "francecentral", "policy": "day"})
    site["plans"] = [{"name": "rp-shop", "from": "westeurope", "to": "francecentral", "groups": [[]]}]
    async with emulated(estate) as (_, azure):
        (change,) = (await plan(azure, World())).changes
        assert (change.action, change.steps) == ("blocked", ())
        assert "cannot change recovery" in change.why


async def test_a_plan_that_a_job_works_on_waits(emulated: Emulated, estate: Estate) -> None:
    world = World(plan={"shutdown": {"before": [ASK]}})
    async with emulated(estate) as (_, azure):
        await carry_out(azure, world)
        path = f"{VAULT}/replicationRecoveryPlans/rp-shop/unplannedFailover"
        details = [{"instanceType": "A2A", "recoveryPointType": "Latest"}]
        body = {"failoverDirection": "PrimaryToRecovery", "sourceSiteOperations": "NotRequired"}
        await azure.send("POST", path, "2025-08-01", {"properties": {**body, "providerSpecificDetails": details}})
        (change,) = (await plan(azure, World())).changes
        assert (change.action, change.steps) == ("blocked", ())
        assert change.why.startswith("the job ")
        assert "has ended, then plan again" in change.manual


async def test_a_vm_that_is_not_replicated_any_more_stops_the_write_before_azure_does(
    emulated: Emulated, estate: Estate
) -> None:
    estate["siteRecovery"][0]["machines"].pop()
    async with emulated(estate) as (_, azure):
        (step,) = (await plan(azure, World())).steps()
        with pytest.raises(FailedError, match="sql-01 not replicated in vault rsv-dr"):
            await KIND.perform(azure, step)


async def test_a_write_that_was_cut_off_is_found_again(emulated: Emulated, estate: Estate) -> None:
    async with emulated(estate) as (_, azure):
        (step,) = (await plan(azure, World())).steps()
        assert await KIND.running(azure, step, NOW) is None
        sent = await KIND.perform(azure, step)
        found = await KIND.running(azure, step, NOW)
        assert sent is not None
        assert found is not None
        assert found.job == sent.job
        await wait(azure, found, limit=timedelta(minutes=10))
        await KIND.verify(azure, step)
        assert await KIND.running(azure, step, NOW) is None


async def test_a_vault_without_plans_costs_one_request(emulated: Emulated, estate: Estate) -> None:
    async with emulated(estate) as (_, azure):
        before = azure.requests
        assert await read(azure, World()) == []
        assert azure.requests - before == 2  # the vaults, and their plans


async def test_replicated_vms_are_listed_once_for_them_and_their_plans(emulated: Emulated, estate: Estate) -> None:
    async with emulated(estate) as (served, azure):
        await carry_out(azure, World())
        served.emulator.log.clear()
        live = await refresh(azure, World().declared(), (KIND, ReplicatedVmKind()))
        assert Counter(address.kind for address in live.state) == {"recovery_plan": 1, "replicated_vm": 4}
        paths = Counter(request.path.rpartition("/")[2] for request in served.emulator.log.recent())
    assert paths["replicationProtectedItems"] == 1
    assert (paths["replicationRecoveryPlans"], paths["rp-shop"]) == (1, 1)


async def test_which_runbooks_are_there(emulated: Emulated, estate: Estate) -> None:
    gone = RUNBOOK.replace("Set-Dns", "gone")
    world = World(plan={"failover": {"after": [DNS, DNS | {"name": "two", "runbook": gone}]}})
    async with emulated(estate) as (_, azure):
        found = await read_runbooks(azure, world.declared())
    assert found == ({ArmId(RUNBOOK): True, ArmId(gone): False}, [])
