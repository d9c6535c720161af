"""Against a running emulator, through the real SDK: what is decided is done, and then there is nothing left to do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from reconciler.azure.clients import Azure
from reconciler.azure.operations import wait
from reconciler.diff.engine import compare
from reconciler.errors import FailedError
from reconciler.kinds.registry import by_name, kinds
from reconciler.live.refresh import refresh
from reconciler.model.address import Address
from reconciler.model.live import Live
from reconciler.model.observed import ItemFacts, ItemState
from reconciler.plan.change import Action, Change, Reason, Step
from reconciler.plan.plan import Plan
from tests.kinds.conftest import NOW, PROD
from tests.kinds.protected_vm.conftest import Estate

KINDS = kinds()
WEB = Address("protected_vm", "prod/rg-Web", "web-01")
TEMPLATES = {
    "daily": {"tier": "Standard", "retention": {"daily": 30}},
    "short": {"tier": "Standard", "retention": {"daily": 14}},
    "enhanced": {
        "tier": "Enhanced",
        "schedule": {"frequency": "Hourly", "time": "08:00", "interval": 4, "duration": 12},
        "retention": {"daily": 30},
    },
}


def prepare(estate: dict[str, Any], *items: dict[str, Any], **vault: Any) -> dict[str, Any]:
    """One VM with two data disks, our vault with these items (or theirs, where `theirs` is set)."""
    estate["resourceGroups"] += [
        {"subscription": "Prod", "name": "rg-Web", "location": "westeurope"},
        {"subscription": "Prod", "name": "rg-theirs", "location": "westeurope"},
    ]
    estate["virtualMachines"] = [{"name": "web-01", "resourceGroup": "rg-Web", "os": "Linux", "dataDisks": [64, 64]}]
    place = {"subscription": "Prod", "location": "westeurope", "policies": list(TEMPLATES)}
    ours = [{"vm": "rg-Web/web-01", **item} for item in items if not item.get("theirs")]
    theirs = [{"vm": "rg-Web/web-01", **item} for item in items if item.get("theirs")]
    for item in theirs:
        del item["theirs"]
    estate["backup"] = {
        "policies": TEMPLATES,
        "vaults": [
            {"name": "rsv-weu-01", "resourceGroup": "rg-backup", **place, **vault, "items": ours},
            {"name": "rsv-theirs", "resourceGroup": "rg-theirs", **place, "items": theirs},
        ],
    }
    return estate


async def plan_for(azure: Azure, estate: Estate, wish: dict[str, Any] | None) -> tuple[Plan, Live]:
    live = await refresh(azure, estate.declared(), KINDS)
    estate.wishes = [(machine, wish) for machine in live.machines] if wish else []
    return compare(estate.situation(live), KINDS), live


async def carry_out(azure: Azure, step: Step) -> None:
    kind = by_name()[step.kind]
    operation = await kind.perform(azure, step)
    if operation:
        await wait(azure, operation, limit=timedelta(minutes=10))
    await kind.verify(azure, step)


async def settle(azure: Azure, estate: Estate, wish: dict[str, Any] | None) -> tuple[list[str], ItemFacts]:
    """Plan, apply, plan again: the verbs that were needed, and what the VM's item is afterwards."""
    plan, _ = await plan_for(azure, estate, wish)
    changes = {Address.parse(change.address).name: change for change in plan.actionable}
    verbs = [step.verb for change in changes.values() for step in change.steps]
    for change in sorted(changes.values(), key=lambda one: one.kind):
        for step in change.steps:
            await carry_out(azure, step)
    again, live = await plan_for(azure, estate, wish)
    assert [change.address for change in again.changes] == []
    facts = live.state[WEB].observed
    assert isinstance(facts, ItemFacts)
    return verbs, facts


@pytest.mark.parametrize(
    ("item", "wish", "verbs"),
    [
        (None, {"policy": "daily"}, ["protect"]),
        (None, {"policy": "enhanced", "disks": {"only": [0]}}, ["protect"]),
        ({"policy": "short"}, {"policy": "daily"}, ["update"]),
        ({"policy": "daily"}, {"policy": "enhanced"}, ["update"]),
        ({"policy": "daily"}, {"policy": "daily", "disks": "osOnly"}, ["update"]),
        ({"policy": "daily", "disks": {"exclude": [1]}}, {"policy": "daily"}, ["update"]),
        ({"policy": "daily", "disks": {"include": [1]}}, {"policy": "short", "disks": {"except": [1]}}, ["update"]),
        ({"state": "ProtectionStopped", "policy": "daily"}, {"policy": "daily"}, ["resume"]),
        ({"state": "SoftDeleted", "policy": "daily"}, {"policy": "short"}, ["undelete", "resume"]),
        ({"state": "IRPending", "policy": "daily"}, {"policy": "daily"}, []),
        ({"state": "ProtectionError", "policy": "daily", "failingDays": 2}, {"policy": "daily"}, []),
        ({"theirs": True, "policy": "daily"}, {"policy": "daily", "moveFrom": ["rsv-theirs"]}, ["stop", "protect"]),
        ({"theirs": True, "state": "ProtectionStopped"}, {"policy": "daily"}, ["protect"]),
    ],
)
async def test_converges(
    item: dict[str, Any] | None,
    wish: dict[str, Any],
    verbs: list[str],
    emulated: Callable[..., Any],
    estate: Estate,
    azure_estate: dict[str, Any],
) -> None:
    async with emulated(prepare(azure_estate, *([item] if item else []))) as (_, azure):
        del estate.vaults["rsv-neu-01"]
        done, facts = await settle(azure, estate, wish)
        assert done == verbs
        assert facts.vault_id.name == "rsv-weu-01"
        assert facts.state in (ItemState.PROTECTED, ItemState.FIRST_BACKUP_PENDING, ItemState.FAILING)
        assert facts.policy_name == wish["policy"]


@pytest.mark.parametrize(
    ("on_release", "vault", "verbs", "state"),
    [
        ("keep", {}, [], ItemState.PROTECTED),
        ("stopRetain", {}, ["stop"], ItemState.STOPPED),
        ("suspend", {"immutability": "Unlocked"}, ["suspend"], ItemState.SUSPENDED),
        ("deleteData", {}, ["delete"], ItemState.SOFT_DELETED),
    ],
)
async def test_released(
    on_release: str,
    vault: dict[str, Any],
    verbs: list[str],
    state: ItemState,
    emulated: Callable[..., Any],
    estate: Estate,
    azure_estate: dict[str, Any],
) -> None:
    async with emulated(prepare(azure_estate, {"policy": "daily"}, **vault)) as (_, azure):
        estate.vaults = {"rsv-weu-01": {"onRelease": on_release}}
        done, facts = await settle(azure, estate, None)
        assert (done, facts.state) == (verbs, state)


async def test_resumes_what_was_suspended(
    emulated: Callable[..., Any], estate: Estate, azure_estate: dict[str, Any]
) -> None:
    item = {"state": "BackupsSuspended", "policy": "daily"}
    async with emulated(prepare(azure_estate, item, immutability="Unlocked")) as (_, azure):
        estate.vaults = {"rsv-weu-01": {}}
        done, facts = await settle(azure, estate, {"policy": "daily"})
        assert (done, facts.state) == (["resume"], ItemState.PROTECTED)


async def test_a_guarded_step_names_the_request_that_is_approved(
    emulated: Callable[..., Any], estate: Estate, azure_estate: dict[str, Any]
) -> None:
    guard = f"/subscriptions/{PROD}/resourceGroups/rg-guard/providers/Microsoft.DataProtection/resourceGuards/guard"
    prepared = prepare(azure_estate, {"policy": "daily"}, resourceGuard=guard)
    async with emulated(prepared) as (_, azure):
        estate.vaults = {"rsv-weu-01": {"onRelease": "deleteData"}}
        plan, _ = await plan_for(azure, estate, {"policy": "short"})
        (step,) = _of_vm(plan).steps
        assert step.needs_approval.endswith("/backupResourceGuardProxies/VaultProxy")
        done, facts = await settle(azure, estate, {"policy": "short"})
        assert (done, facts.policy_name) == (["update"], "short")
        done, facts = await settle(azure, estate, None)
        assert (done, facts.state) == (["delete"], ItemState.SOFT_DELETED)


async def test_a_vault_whose_items_cannot_be_read_hides_the_vms_of_its_region(
    emulated: Callable[..., Any], estate: Estate, azure_estate: dict[str, Any]
) -> None:
    async with emulated(prepare(azure_estate, {"policy": "daily", "theirs": True})) as (served, azure):
        fault = {
            "path": "*rsv-theirs/backupProtectedItems",
            "status": 403,
            "code": "AuthorizationFailed",
            "message": "no",
        }
        await asyncio.to_thread(served.running.ask, "POST", "faults", fault)
        estate.vaults = {"rsv-weu-01": {}}
        plan, live = await plan_for(azure, estate, {"policy": "daily"})
        (gap,) = live.unreadable
        assert (gap.kinds, gap.scope, gap.location) == (("protected_vm",), "prod/rg-theirs/rsv-theirs", "westeurope")
        assert "Microsoft.RecoveryServices/vaults/backupProtectedItems/read" in gap.advice
        assert plan.unknown == (str(WEB),)
        assert not [change for change in plan.changes if change.kind == "protected_vm"]


async def test_an_old_item_does_not_speak_for_a_vault_that_cannot_be_read(
    emulated: Callable[..., Any], estate: Estate, azure_estate: dict[str, Any]
) -> None:
    """A stopped item was seen elsewhere; whether ours protects the VM is not known: nothing is done."""
    prepared = prepare(azure_estate, {"policy": "daily"}, {"state": "ProtectionStopped", "theirs": True})
    async with emulated(prepared) as (served, azure):
        fault = {
            "path": "*rsv-weu-01/backupProtectedItems",
            "status": 403,
            "code": "AuthorizationFailed",
            "message": "no",
        }
        await asyncio.to_thread(served.running.ask, "POST", "faults", fault)
        estate.vaults = {"rsv-weu-01": {}}
        plan, _ = await plan_for(azure, estate, {"policy": "daily"})
        change = _of_vm(plan)
        assert (change.action, change.reason) == (Action.BLOCKED, Reason.UNREADABLE)


async def test_what_runs_already_is_found_and_what_is_not_done_yet_is_no_success(
    emulated: Callable[..., Any], estate: Estate, azure_estate: dict[str, Any]
) -> None:
    async with emulated(prepare(azure_estate, {"policy": "short"})) as (served, azure):
        estate.vaults = {"rsv-weu-01": {}}
        plan, _ = await plan_for(azure, estate, {"policy": "daily"})
        (step,) = _of_vm(plan).steps
        kind = by_name()["protected_vm"]
        assert await kind.running(azure, step, NOW - timedelta(minutes=1)) is None
        operation = await kind.perform(azure, step)
        assert operation is not None
        assert "/operationsStatus/" in operation.url
        found = await kind.running(azure, step, NOW - timedelta(minutes=1))
        assert found is not None
        assert (found.via, found.resource) == ("job", operation.resource)
        assert await kind.running(azure, step, NOW + timedelta(days=1)) is None
        await asyncio.to_thread(served.running.ask, "POST", "clock", {"autoAdvance": False})
        azure.pause = lambda _seconds: asyncio.sleep(0)
        with pytest.raises(FailedError, match="it is not so") as error:
            await kind.verify(azure, step)
        assert "its policy is short" in error.value.why
        await asyncio.to_thread(served.running.ask, "POST", "clock", {"autoAdvance": True})
        await wait(azure, operation, limit=timedelta(minutes=5))
        await wait(azure, found, limit=timedelta(minutes=5))
        await kind.verify(azure, step)


async def test_a_vm_that_the_vault_has_not_seen_yet_is_looked_for_once(
    emulated: Callable[..., Any], estate: Estate, azure_estate: dict[str, Any]
) -> None:
    async with emulated(prepare(azure_estate)) as (served, azure):
        unseen = {"method": "PUT", "path": "*protectedItems*", "status": 400, "code": "UserErrorVmNotFoundV2"}
        await asyncio.to_thread(served.running.ask, "POST", "faults", {**unseen, "message": "VM not found", "count": 1})
        estate.vaults = {"rsv-weu-01": {}}
        done, facts = await settle(azure, estate, {"policy": "daily"})
        assert (done, facts.state) == (["protect"], ItemState.FIRST_BACKUP_PENDING)
        await asyncio.to_thread(served.running.ask, "POST", "faults", {**unseen, "message": "gone", "count": 9})
        plan, _ = await plan_for(azure, estate, {"policy": "short"})
        with pytest.raises(FailedError, match="Azure refused"):
            await carry_out(azure, _of_vm(plan).steps[0])


async def test_items_are_read_with_one_list_a_vault(
    emulated: Callable[..., Any], estate: Estate, azure_estate: dict[str, Any]
) -> None:
    async with emulated(prepare(azure_estate, {"policy": "daily"})) as (_, azure):
        before = azure.requests
        found = [item async for item in by_name()["protected_vm"].read(azure, estate.declared())]
        assert len(found) == 1
        assert azure.requests - before == 2 + 2  # vaults of two subscriptions, items of two vaults


def _of_vm(plan: Plan) -> Change:
    (change,) = [change for change in plan.changes if change.kind == "protected_vm"]
    return change


@pytest.fixture
def azure_estate() -> dict[str, Any]:
    """What the emulator begins with; `estate` is the other side here: what the policies say."""
    return {
        "estate": "protected",
        "clock": NOW.isoformat(),
        "subscriptions": [
            {"id": PROD, "name": "Prod"},
            {"id": "22222222-2222-4222-8222-222222222222", "name": "Test"},
        ],
        "resourceGroups": [{"subscription": "Prod", "name": "rg-backup", "location": "westeurope"}],
    }
