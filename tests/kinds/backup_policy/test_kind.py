"""The kind backup_policy: where it is wanted, what is refused, what a change costs, and that it converges."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from reconciler.azure.clients import Azure
from reconciler.azure.operations import wait
from reconciler.diff.engine import compare
from reconciler.errors import AbsentError, FailedError
from reconciler.kinds.backup_policy.document import BackupPolicy
from reconciler.kinds.backup_policy.kind import BackupPolicyKind
from reconciler.kinds.backup_policy.spec import spec_of
from reconciler.kinds.base import Expansion, Ownership, Situation
from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.document import Declared, Document
from reconciler.model.live import Live, Unreadable
from reconciler.model.observed import ItemFacts, ItemState, VaultFacts
from reconciler.model.resource import Ref, Resource, Spec
from reconciler.plan.change import Action, Change, Effect, Step
from reconciler.plan.plan import Plan
from tests.kinds.conftest import NOW, PROD

KIND = BackupPolicyKind()
VAULT = f"/subscriptions/{PROD}/resourceGroups/rg-backup/providers/Microsoft.RecoveryServices/vaults/rsv-weu-01"
SCOPE = "prod/rg-backup/rsv-weu-01"
ADDRESS = Address("backup_policy", SCOPE, "daily-30d")
SETTINGS = Address("vault_settings", "prod/rg-backup", "rsv-weu-01")
DAILY: dict[str, Any] = {
    "tier": "Standard",
    "schedule": {"frequency": "Daily", "time": "22:00"},
    "retention": {"daily": {"days": 30}, "weekly": {"weeks": 12, "weekdays": ["Sunday"]}},
}
HOURLY: dict[str, Any] = {
    "tier": "Enhanced",
    "schedule": {"frequency": "Hourly", "windowStart": "08:00", "intervalHours": 4, "durationHours": 12},
    "retention": {"daily": {"days": 30}},
}
MakePolicy = Callable[..., Document[BackupPolicy]]


class Governed(Spec, frozen=True, kw_only=True):
    """The spec of something that follows a policy."""

    policy: Ref


def live_with(body: dict[str, Any] | None, *, vms: int = 0, state: str = "Protected", **facts: Any) -> Live:
    """The policy as `body` says it, `vms` VMs that follow it, and a vault with these facts."""
    found: dict[Address, Resource] = {}
    if body:
        spec = spec_of(msgspec.convert(body, BackupPolicy), "UTC", Ref("vault.prod/rg-backup/rsv-weu-01"))
        assert spec is not None
        found[ADDRESS] = Resource(ADDRESS, spec, observed=spec.terms)
    for number in range(vms):
        address = Address("protected_vm", "prod/rg-web", f"web-{number:02}")
        item = ItemFacts(ItemState(state), ArmId(VAULT), ArmId(f"{VAULT}/x/{number}"), ArmId(f"/vm/{number}"))
        found[address] = Resource(address, Governed(policy=Ref.of(ADDRESS)), observed=item)
    found[SETTINGS] = Resource(SETTINGS, Spec(), observed=VaultFacts("westeurope", **facts))
    return Live(state=found)


def situation(declared: Declared, live: Live, wanted: set[Address]) -> Situation:
    expansion = Expansion(declared, (), live, frozenset(wanted), NOW)
    desired = {item.address: item for item in KIND.expand(expansion) if isinstance(item, Resource)}
    return Situation(declared, desired, live, NOW)


def change_between(before: dict[str, Any], after: dict[str, Any], declared: Declared, **live: Any) -> Change:
    plan = compare(situation(declared, live_with(before, **live), {ADDRESS}), [KIND, *_silent()])
    (change,) = plan.changes
    assert change.address == str(ADDRESS)
    return change


def _silent() -> list[Any]:
    from reconciler.kinds.registry import by_name

    return [kind for name, kind in by_name().items() if name != KIND.name]


def with_retention(**tiers: Any) -> dict[str, Any]:
    return {**DAILY, "retention": {**DAILY["retention"], **tiers}}


LONGER = with_retention(daily={"days": 46})
WEEK = with_retention(daily={"days": 7})
MONTHLY = with_retention(monthly={"months": 6, "days": [1]})
YEARLY = with_retention(yearly={"years": 1, "months": ["May"], "days": [1]})
SUSPENDED = {"vms": 1, "state": "BackupsSuspended"}


def test_one_resource_for_each_vault_that_wants_it(
    policy: MakePolicy, declare: Callable[..., Declared], vault_document: Callable[..., Any]
) -> None:
    declared = declare(policy(DAILY), vault_document(), vault_document("rsv-weu-02"), vault_document("rsv-weu-03"))
    second = Address("backup_policy", "prod/rg-backup/RSV-weu-02", "DAILY-30D")
    others = {Address("backup_policy", SCOPE, "unknown"), Address("vault_settings", "prod/rg-backup", "rsv-weu-01")}
    found = situation(declared, live_with(DAILY), {second, *others}).desired
    assert sorted(str(address) for address in found) == [
        f"backup_policy.{SCOPE}/daily-30d",  # it lives there already
        "backup_policy.prod/rg-backup/rsv-weu-02/daily-30d",
    ]
    assert str(found[second].arm_id).endswith("/vaults/rsv-weu-02/backupPolicies/daily-30d")
    assert found[second].origins["retention"].line > 1


def test_the_time_zone_of_the_scope_counts_where_the_policy_says_none(
    policy: MakePolicy, scope_with: Callable[..., Declared], vault_document: Callable[..., Any]
) -> None:
    scope = scope_with(timeZone="Europe/Amsterdam").scope
    declared = Declared(scope, (policy(DAILY), vault_document()))
    (found,) = situation(declared, live_with(None), {ADDRESS}).desired.values()
    assert found.spec.schedule.time_zone == "W. Europe Standard Time"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("before", "after", "live", "effects", "says"),
    [
        (LONGER, DAILY, {"vms": 212}, ["prunes"], "up to 14 recovery points of each of 212 VMs (2,968"),
        (DAILY, LONGER, {"vms": 2}, ["strengthens"], "daily retention 30 d → 46 d"),
        (MONTHLY, DAILY, {"vms": 1}, ["prunes"], "monthly retention of 6 months dropped"),
        ({**DAILY, "instantRestore": {"days": 5}}, DAILY, {"vms": 1}, ["weakens"], "instant restore 5 d → 2 d"),
        (LONGER, DAILY, {"vms": 0}, [], ""),
        (LONGER, DAILY, {"vms": 3, "state": "ProtectionStopped"}, [], ""),
        ({**DAILY, "schedule": {"frequency": "Daily", "time": "23:00"}}, DAILY, {"vms": 3}, [], ""),
        (HOURLY, {**HOURLY, "consistency": "CrashConsistent"}, {"vms": 3}, ["weakens"], "no longer application-"),
        ({**HOURLY, "consistency": "CrashConsistent"}, HOURLY, {"vms": 3}, [], ""),
        (MONTHLY, {**MONTHLY, "tiering": {"mode": "TierRecommended"}}, {"vms": 3}, ["weakens"], "archive tier"),
    ],
)
def test_what_a_change_costs(
    before: dict[str, Any],
    after: dict[str, Any],
    live: dict[str, Any],
    effects: list[str],
    says: str,
    policy: MakePolicy,
    declare: Callable[..., Declared],
    vault_document: Callable[..., Any],
) -> None:
    change = change_between(before, after, declare(policy(after), vault_document()), **live)
    assert change.action is Action.UPDATE
    assert [item.effect for item in change.consequences] == [Effect(name) for name in effects]
    assert all(says in item.text for item in change.consequences)
    (step,) = change.steps
    assert (step.verb, step.exclusive, step.lane) == ("update", True, VAULT.casefold())


def test_less_is_a_loss_also_where_nobody_knows_for_how_many_vms(
    policy: MakePolicy, declare: Callable[..., Declared], vault_document: Callable[..., Any]
) -> None:
    gap = Unreadable(("protected_vm",), SCOPE, "the list of protected VMs in vault rsv-weu-01 could not be read")
    live = dataclasses.replace(live_with(LONGER), unreadable=(gap,))
    plan = compare(situation(declare(policy(DAILY), vault_document()), live, {ADDRESS}), [KIND, *_silent()])
    (change,) = plan.changes
    assert [item.effect for item in change.consequences] == [Effect.PRUNES, Effect.NONE]
    assert change.consequences[1].text == f"how many VMs it is for is not known: {gap.message}"


@pytest.mark.parametrize(("before", "action"), [(LONGER, Action.BLOCKED), (WEEK, Action.UPDATE)])
def test_less_waits_until_it_is_known_whether_the_vault_is_immutable(
    policy: MakePolicy, declare: Callable[..., Declared], vault_document: Callable[..., Any], before: Any, action: Any
) -> None:
    gap = Unreadable(("vault_settings",), SCOPE, "the settings of vault rsv-weu-01 could not be read")
    full = live_with(before)
    state = {address: found for address, found in full.state.items() if address.kind != "vault_settings"}
    live = dataclasses.replace(full, state=state, unreadable=(gap,))
    plan = compare(situation(declare(policy(DAILY), vault_document()), live, {ADDRESS}), [KIND, *_silent()])
    (change,) = plan.changes
    assert change.action is action


@pytest.mark.parametrize(
    ("before", "after", "live", "says"),
    [
        ({**HOURLY}, DAILY, {}, "BP-40"),
        (DAILY, HOURLY, {}, "BP-40"),
        (LONGER, DAILY, {"immutability": "Unlocked"}, "BP-81"),
        (YEARLY, DAILY, {"immutability": "Locked"}, "BP-81"),
        (DAILY, LONGER, {"immutability": "Unlocked", **SUSPENDED}, "BP-82"),
    ],
)
def test_what_azure_refuses_is_blocked_with_the_way_out(
    before: dict[str, Any],
    after: dict[str, Any],
    live: dict[str, Any],
    says: str,
    policy: MakePolicy,
    declare: Callable[..., Declared],
    vault_document: Callable[..., Any],
) -> None:
    change = change_between(before, after, declare(policy(after), vault_document()), **live)
    assert (change.action, change.steps) == (Action.BLOCKED, ())
    assert says in change.why
    assert change.manual


@pytest.mark.parametrize(
    ("after", "live"),
    [
        (LONGER, {"immutability": "Locked"}),
        ({**DAILY, "schedule": {"frequency": "Daily", "time": "23:00"}}, {"immutability": "Locked"}),
        (LONGER, {"immutability": "Disabled", **SUSPENDED}),
    ],
)
def test_what_an_immutable_vault_allows(
    after: dict[str, Any],
    live: dict[str, Any],
    policy: MakePolicy,
    declare: Callable[..., Declared],
    vault_document: Callable[..., Any],
) -> None:
    change = change_between(DAILY, after, declare(policy(after), vault_document()), **live)
    assert change.action is Action.UPDATE


@pytest.mark.parametrize(("days", "guarded"), [(14, True), (46, False)])
def test_a_resource_guard_watches_reductions(
    days: int,
    guarded: bool,
    policy: MakePolicy,
    declare: Callable[..., Declared],
    vault_document: Callable[..., Any],
) -> None:
    after = with_retention(daily={"days": days})
    change = change_between(DAILY, after, declare(policy(after), vault_document()), resource_guard=True)
    assert bool(change.steps[0].needs_approval) is guarded


@pytest.mark.parametrize(
    ("address", "ownership"),
    [
        (Address("backup_policy", SCOPE, "old-policy"), Ownership.UNMANAGED),
        (Address("backup_policy", SCOPE, "DefaultPolicy"), Ownership.IGNORED),
        (Address("backup_policy", SCOPE, "enhancedpolicy"), Ownership.IGNORED),
        (Address("backup_policy", "prod/rg-theirs/rsv-theirs", "theirs"), Ownership.IGNORED),
    ],
)
def test_ownership(
    address: Address, ownership: Ownership, declare: Callable[..., Declared], vault_document: Callable[..., Any]
) -> None:
    state = situation(declare(vault_document()), live_with(DAILY), set())
    assert KIND.ownership(Resource(address, Spec()), state) is ownership


# Against a running emulator, through the real SDK.


def prepare(estate: dict[str, Any]) -> dict[str, Any]:
    vault = {"name": "rsv-weu-01", "subscription": "Prod", "resourceGroup": "rg-backup", "location": "westeurope"}
    estate["backup"] = {"vaults": [vault]}
    return estate


async def plan_for(azure: Azure, declared: Declared) -> Plan:
    azure.forget()
    read = [item async for item in KIND.read(azure, declared)]
    live = Live({item.address: item for item in read if isinstance(item, Resource)})
    return compare(situation(declared, live, {ADDRESS}), [KIND])


async def carry_out(azure: Azure, step: Step) -> None:
    operation = await KIND.perform(azure, step)
    if operation:
        await wait(azure, operation, limit=timedelta(minutes=5))
    await KIND.verify(azure, step)


BODIES = {
    "daily": DAILY,
    "hourly": {**HOURLY, "consistency": "CrashConsistent"},
    "weekly": {
        "tier": "Standard",
        "schedule": {"frequency": "Weekly", "time": "04:30", "weekdays": ["Wednesday", "Sunday"]},
        "retention": {
            "weekly": {"weeks": 12},
            "monthly": {"months": 12, "weeks": ["Last", "First"], "weekdays": ["Sunday"]},
            "yearly": {"years": 3, "months": ["May", "January"], "weeks": ["First"], "weekdays": ["Wednesday"]},
        },
    },
    "weekly enhanced": {
        "tier": "Enhanced",
        "schedule": {"frequency": "Weekly", "time": "04:30", "weekdays": ["Sunday"], "timeZone": "Asia/Kolkata"},
        "retention": {"weekly": {"weeks": 12}},
        "instantRestore": {"days": 5},
    },
    "all of it": {
        "tier": "Enhanced",
        "schedule": {"frequency": "Daily", "time": "22:30", "timeZone": "Europe/Amsterdam"},
        "retention": {
            "daily": {"days": 30},
            "weekly": {"weeks": 12, "weekdays": ["Monday", "Sunday"]},
            "monthly": {"months": 24, "days": ["last", 15]},
            "yearly": {"years": 7, "months": ["December"], "days": ["last"]},
        },
        "instantRestore": {"days": 7, "resourceGroup": {"prefix": "rg-snapshots-", "suffix": "-weu"}},
        "tiering": {"mode": "TierAfter", "after": "4mo"},
    },
}


@pytest.mark.parametrize("name", BODIES)
async def test_created_and_then_in_step(
    name: str,
    policy: MakePolicy,
    declare: Callable[..., Declared],
    vault_document: Callable[..., Any],
    emulated: Callable[..., Any],
    estate: dict[str, Any],
) -> None:
    async with emulated(prepare(estate)) as (_, azure):
        declared = declare(policy(BODIES[name]), vault_document())
        (change,) = (await plan_for(azure, declared)).changes
        assert [step.verb for step in change.steps] == ["create"]
        with pytest.raises(AbsentError):
            await KIND.verify(azure, change.steps[0])
        await carry_out(azure, change.steps[0])
        await carry_out(azure, change.steps[0])  # sent twice, it leaves the same policy
        assert (await plan_for(azure, declared)).changes == ()


async def test_changed_behind_our_back_and_healed(
    policy: MakePolicy,
    declare: Callable[..., Declared],
    vault_document: Callable[..., Any],
    emulated: Callable[..., Any],
    estate: dict[str, Any],
) -> None:
    async with emulated(prepare(estate)) as (_, azure):
        declared = declare(policy(DAILY), vault_document())
        (change,) = (await plan_for(azure, declared)).changes
        await carry_out(azure, change.steps[0])
        path = f"{VAULT}/backupPolicies/daily-30d"
        body = (await azure.send("GET", path, "2026-05-01")).body
        body["properties"]["retentionPolicy"]["dailySchedule"]["retentionDuration"]["count"] = 7
        await azure.send("PUT", path, "2026-05-01", {"properties": body["properties"]})
        (change,) = (await plan_for(azure, declared)).changes
        assert [(field.path, field.before, field.after) for field in change.fields] == [("retention.daily.days", 7, 30)]
        with pytest.raises(FailedError, match="did not keep it as sent") as error:
            await KIND.verify(azure, change.steps[0])
        assert "retention: sent" in error.value.why
        await carry_out(azure, change.steps[0])
        assert (await plan_for(azure, declared)).changes == ()


async def test_a_vault_whose_policies_cannot_be_read_is_a_gap(
    policy: MakePolicy,
    declare: Callable[..., Declared],
    vault_document: Callable[..., Any],
    emulated: Callable[..., Any],
    estate: dict[str, Any],
) -> None:
    async with emulated(prepare(estate)) as (served, azure):
        fault = {"path": "*backupPolicies", "status": 403, "code": "AuthorizationFailed", "message": "no"}
        await asyncio.to_thread(served.running.ask, "POST", "faults", fault)
        found = [item async for item in KIND.read(azure, declare(policy(DAILY), vault_document()))]
    (gap,) = found
    assert isinstance(gap, Unreadable)
    assert (gap.kinds, gap.scope) == (("backup_policy",), SCOPE)
    assert gap.hides(ADDRESS)


async def test_built_in_policies_are_read_and_those_of_databases_are_not(
    declare: Callable[..., Declared],
    vault_document: Callable[..., Any],
    emulated: Callable[..., Any],
    estate: dict[str, Any],
) -> None:
    async with emulated(prepare(estate)) as (_, azure):
        found = [item async for item in KIND.read(azure, declare(vault_document()))]
    assert sorted(item.address.name for item in found if isinstance(item, Resource)) == [
        "DefaultPolicy",
        "EnhancedPolicy",
    ]
