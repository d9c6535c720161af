"""Vault settings: floors, one-way streets, the order of the writes, and their effect on backups."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from reconciler.azure.operations import wait
from reconciler.errors import FailedError, GuardedError
from reconciler.kinds.base import Ownership, Situation, Verdict
from reconciler.kinds.vault_settings.kind import VaultSettingsKind
from reconciler.kinds.vault_settings.spec import VaultSettingsSpec
from reconciler.kinds.vault_settings.steps import immutability_path
from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.live import Live
from reconciler.model.observed import VaultFacts
from reconciler.model.resource import Ref, Resource
from reconciler.plan.change import Action, Effect, Reason, Step
from tests.kinds.conftest import NOW, PROD

KIND = VaultSettingsKind()
VAULT = f"/subscriptions/{PROD}/resourceGroups/rg-backup/providers/Microsoft.RecoveryServices/vaults/rsv-weu-01"
ADDRESS = Address("vault_settings", "prod/rg-backup", "rsv-weu-01")
REF = Ref("vault.prod/rg-backup/rsv-weu-01")


def live_with(*, locked=False, guard=False, **settings):
    spec = VaultSettingsSpec(vault=REF, **settings)
    facts = VaultFacts("westeurope", spec.immutability, locked, guard, spec.soft_delete_days)
    return Live(state={ADDRESS: Resource(ADDRESS, spec, ArmId(VAULT), "westeurope", facts)})


def soft(state, days=14):
    return {"softDelete": {"state": state, "days": days}}


NOTHING_TO_DO = [
    ({}, {"redundancy": "ZoneRedundant", "soft_delete": "AlwaysOn", "immutability": "Unlocked"}),
    ({}, {"soft_delete": "Off", "soft_delete_days": 0}),
    ({}, {"cross_region_restore": True, "locked": True}),
    (soft("On", 14), {"soft_delete_days": 60}),
    (soft("On", 14), {"soft_delete": "AlwaysOn", "soft_delete_days": 30}),
    (soft("AlwaysOn", 14), {"soft_delete": "AlwaysOn", "soft_delete_days": 180}),
    ({"immutability": "Unlocked"}, {"immutability": "Locked"}),
    ({"immutability": "Disabled"}, {}),
    ({"redundancy": "LocallyRedundant"}, {"redundancy": "LocallyRedundant", "locked": True}),
]


@pytest.mark.parametrize(("fields", "live"), NOTHING_TO_DO)
def test_what_is_left_out_or_exceeded_is_no_difference(vault_document, declare, compare, fields, live):
    comparison = compare(KIND, declare(vault_document(**fields)), live_with(**live))
    assert comparison.fields == ()


BLOCKED = [
    ({"redundancy": "ZoneRedundant"}, {"locked": True}, "BP-90"),
    ({"crossRegionRestore": False}, {"cross_region_restore": True}, "BP-91"),
    ({"crossRegionRestore": True}, {"redundancy": "LocallyRedundant"}, "BP-91"),
    ({"immutability": "Disabled"}, {"immutability": "Locked"}, "BP-80"),
]


@pytest.mark.parametrize(("fields", "live", "rule"), BLOCKED)
def test_no_way_back_is_blocked_with_the_way_out(vault_document, declare, compare, fields, live, rule):
    verdict = KIND.judge(compare(KIND, declare(vault_document(**fields)), live_with(**live)))
    assert verdict.action is Action.BLOCKED
    assert rule in verdict.why
    assert verdict.manual


CHANGES = [
    ({"redundancy": "ZoneRedundant"}, {}, ["set-redundancy"], Effect.NONE),
    ({"redundancy": "GeoRedundant"}, {"redundancy": "LocallyRedundant"}, ["set-redundancy"], Effect.STRENGTHENS),
    ({"crossRegionRestore": True}, {"locked": True}, ["set-redundancy"], Effect.IRREVERSIBLE),
    (soft("On", 30), {}, ["set-soft-delete"], Effect.STRENGTHENS),
    (soft("On"), {"soft_delete": "Off", "soft_delete_days": 0}, ["set-soft-delete"], Effect.STRENGTHENS),
    (soft("AlwaysOn"), {}, ["set-soft-delete"], Effect.IRREVERSIBLE),
    ({"immutability": "Unlocked"}, {}, ["set-immutability-unlocked"], Effect.STRENGTHENS),
    (
        {"immutability": "Locked"},
        {},
        ["set-immutability-unlocked", "set-immutability-locked"],
        Effect.IRREVERSIBLE,
    ),
    ({"immutability": "Locked"}, {"immutability": "Unlocked"}, ["set-immutability-locked"], Effect.IRREVERSIBLE),
    ({"immutability": "Disabled"}, {"immutability": "Unlocked"}, ["set-immutability-disabled"], Effect.WEAKENS),
    (
        {**soft("AlwaysOn", 90), "immutability": "Unlocked", "redundancy": "LocallyRedundant"},
        {},
        ["set-redundancy", "set-soft-delete", "set-immutability-unlocked"],
        Effect.IRREVERSIBLE,
    ),
]


@pytest.mark.parametrize(("fields", "live", "verbs", "effect"), CHANGES)
def test_steps_and_their_effect(vault_document, declare, compare, fields, live, verbs, effect):
    comparison = compare(KIND, declare(vault_document(**fields)), live_with(**live))
    assert comparison.fields
    assert KIND.judge(comparison) is None
    verdict = Verdict(Action.UPDATE, Reason.DIFFERS)
    steps = KIND.steps(comparison, verdict)
    assert [step.id.rpartition("#")[2] for step in steps] == verbs
    assert all(step.exclusive and step.lane == VAULT.casefold() and not step.needs_approval for step in steps)
    order = list(Effect)
    effects = [consequence.effect for consequence in KIND.consequences(comparison, verdict)]
    assert max(effects, key=order.index) is effect


def test_locked_never_comes_straight_from_disabled():
    assert immutability_path("Disabled", "Locked") == ("Unlocked", "Locked")
    assert immutability_path("Unlocked", "Locked") == ("Locked",)
    assert immutability_path("Locked", "Locked") == ()


def test_a_resource_guard_watches_over_the_way_back(vault_document, declare, compare):
    declared = declare(vault_document(immutability="Disabled"))
    comparison = compare(KIND, declared, live_with(guard=True, immutability="Unlocked"))
    (step,) = KIND.steps(comparison, Verdict(Action.UPDATE, Reason.DIFFERS))
    assert step.needs_approval.endswith("/backupResourceGuardProxies/VaultProxy")


def test_figures_of_a_longer_soft_delete(vault_document, declare, compare):
    comparison = compare(KIND, declare(vault_document(**soft("On", 30))), live_with())
    (consequence,) = KIND.consequences(comparison, Verdict(Action.UPDATE, Reason.DIFFERS))
    assert consequence.figures == {"soft_delete_days": 30, "billed_days": 16}


def test_the_reference_is_the_edge(vault_document, declare, compare):
    comparison = compare(KIND, declare(vault_document()))
    assert [(name, ref.address) for name, ref in comparison.wanted_spec.refs()] == [("vault", REF.address)]


def test_settings_of_a_foreign_vault_are_not_worth_a_word(declare):
    live = live_with()
    assert KIND.ownership(live.state[ADDRESS], Situation(declare(), {}, live, NOW)) is Ownership.IGNORED


def with_vault(estate, **settings):
    vault = {"name": "rsv-weu-01", "subscription": "Prod", "resourceGroup": "rg-backup", "location": "westeurope"}
    estate["backup"] = {"vaults": [{**vault, **settings}]}
    return estate


async def see(azure, declared):
    azure.forget()
    found = [item async for item in KIND.read(azure, declared)]
    return Live(state={item.address: item for item in found if isinstance(item, Resource)})


APPLIED = [
    {"redundancy": "LocallyRedundant"},
    {"redundancy": "GeoRedundant", "crossRegionRestore": True},
    soft("AlwaysOn", 30),
    {"immutability": "Locked"},
    {**soft("On", 90), "immutability": "Unlocked", "redundancy": "ZoneRedundant"},
]


@pytest.mark.parametrize("fields", APPLIED)
async def test_applied_and_then_in_step(vault_document, declare, compare, emulated, estate, fields):
    async with emulated(with_vault(estate)) as (_, azure):
        declared = declare(vault_document(**fields))
        comparison = compare(KIND, declared, await see(azure, declared))
        for step in KIND.steps(comparison, Verdict(Action.UPDATE, Reason.DIFFERS)):
            operation = await KIND.perform(azure, step)
            if operation:
                await wait(azure, operation, limit=timedelta(minutes=5))
            await KIND.verify(azure, step)
        after = compare(KIND, declared, await see(azure, declared))
        assert after.live is not None
        assert after.fields == ()


async def test_one_list_serves_both_kinds(vault_document, declare, emulated, estate):
    from reconciler.kinds.vault.kind import VaultKind

    async with emulated(with_vault(estate, immutability="Locked", softDelete={"state": "AlwaysON", "days": 60})) as (
        _,
        azure,
    ):
        declared = declare(vault_document())
        live = await see(azure, declared)
        asked = azure.requests
        vaults = [item async for item in VaultKind().read(azure, declared)]
        assert azure.requests == asked == 3  # two lists, and the settings of the one vault
    (settings,) = live.state.values()
    assert [str(item.address) for item in vaults] == ["vault.prod/rg-backup/rsv-weu-01"]
    assert settings.spec == VaultSettingsSpec(
        vault=REF, immutability="Locked", soft_delete="AlwaysOn", soft_delete_days=60
    )
    assert settings.observed == VaultFacts("westeurope", "Locked", False, False, 60)


async def test_a_write_that_did_not_take_is_said(vault_document, declare, compare, emulated, estate):
    pauses = []

    async def pause(seconds):
        pauses.append(seconds)

    async with emulated(with_vault(estate), pause=pause) as (_, azure):
        declared = declare(vault_document(**soft("On", 30)))
        comparison = compare(KIND, declared, await see(azure, declared))
        (step,) = KIND.steps(comparison, Verdict(Action.UPDATE, Reason.DIFFERS))
        with pytest.raises(FailedError, match="soft_delete_days is 14, not 30"):
            await KIND.verify(azure, step)
    assert pauses == sorted(pauses)
    assert sum(pauses) == 180


async def test_guarded_steps_come_back_as_such(vault_document, declare, compare, emulated, estate):
    guard = f"/subscriptions/{PROD}/resourceGroups/rg-guard/providers/Microsoft.DataProtection/resourceGuards/guard"
    async with emulated(with_vault(estate, immutability="Unlocked", resourceGuard=guard)) as (_, azure):
        declared = declare(vault_document(immutability="Disabled"))
        comparison = compare(KIND, declared, await see(azure, declared))
        assert comparison.live.observed.resource_guard
        (step,) = KIND.steps(comparison, Verdict(Action.UPDATE, Reason.DIFFERS))
        with pytest.raises(GuardedError):
            await KIND.perform(azure, step)


def test_steps_survive_the_plan_file(vault_document, declare, compare):
    comparison = compare(KIND, declare(vault_document(**soft("AlwaysOn", 30), immutability="Locked")))
    steps = KIND.steps(comparison, Verdict(Action.CREATE, Reason.NOT_IN_AZURE))
    assert len(steps) == 4
    assert [msgspec.json.decode(msgspec.json.encode(step), type=Step) for step in steps] == list(steps)
