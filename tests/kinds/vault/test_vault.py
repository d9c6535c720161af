"""Vaults: what is made of documents and of lists, what is done about a difference, and what never is."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import msgspec
import pytest

from reconciler.azure.operations import wait
from reconciler.azure.vault_list import LiveVault
from reconciler.errors import AbsentError, AzureError, FailedError
from reconciler.kinds.base import Expansion, Ownership, Situation, Verdict
from reconciler.kinds.vault.kind import VaultKind, VaultSpec
from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.live import Live, Unreadable
from reconciler.model.resource import Resource
from reconciler.plan.change import Action, Reason
from tests.kinds.conftest import NOW, PROD, TEST

KIND = VaultKind()
VAULT = f"/subscriptions/{PROD}/resourceGroups/rg-backup/providers/Microsoft.RecoveryServices/vaults/rsv-weu-01"
ADDRESS = Address("vault", "prod/rg-backup", "rsv-weu-01")


def live_with(location="westeurope", **tags):
    resource = Resource(ADDRESS, VaultSpec(location=location, tags=tags), ArmId(VAULT), location)
    return Live(state={ADDRESS: resource}, resource_groups=frozenset({"prod/rg-backup"}))


async def test_a_document_becomes_one_vault(vault_document, declare, compare):
    comparison = compare(KIND, declare(vault_document(location="West Europe", tags={"owner": "platform"})))
    assert comparison.desired.spec == VaultSpec(location="westeurope", tags={"owner": "platform"})
    assert comparison.address == ADDRESS
    assert comparison.desired.arm_id == ArmId(VAULT)
    assert set(comparison.desired.origins) == set(KIND.rules)


def test_a_document_of_an_unknown_subscription_becomes_nothing(vault_document, declare):
    declared = declare(vault_document(subscription="nowhere"))
    assert list(KIND.expand(Expansion(declared, (), Live(state={}), frozenset(), NOW))) == []


def test_normalise_is_idempotent():
    once = KIND.normalise(VaultSpec(location="West Europe", tags={"b": "2", "a": "1"}))
    assert once == KIND.normalise(once) == VaultSpec(location="westeurope", tags={"a": "1", "b": "2"})


def test_a_missing_resource_group_blocks_and_says_what_to_type(vault_document, declare, compare):
    nothing = Live(state={}, resource_groups=frozenset({"test/rg-backup"}))
    verdict = KIND.judge(compare(KIND, declare(vault_document()), nothing))
    assert verdict.action is Action.BLOCKED
    assert "rg-backup does not exist" in verdict.why
    assert verdict.manual == f"az group create --name rg-backup --location westeurope --subscription {PROD}"


def test_an_unread_list_of_groups_blocks_nothing(vault_document, declare, compare):
    gap = Unreadable(kinds=("resource_group",), scope="prod", message="denied")
    unread = Live(state={}, unreadable=(gap,))
    assert KIND.judge(compare(KIND, declare(vault_document()), unread)) is None


def test_casing_of_the_group_does_not_count(vault_document, declare, compare):
    assert KIND.judge(compare(KIND, declare(vault_document(resourceGroup="RG-Backup")))) is None


def test_a_vault_in_another_region_is_blocked(vault_document, declare, compare):
    verdict = KIND.judge(compare(KIND, declare(vault_document()), live_with("northeurope")))
    assert verdict.action is Action.BLOCKED
    assert "northeurope" in verdict.why
    assert "another name" in verdict.manual


def test_a_vault_nobody_declared_is_left_alone(declare):
    live = live_with()
    situation = Situation(declare(), {}, live, NOW)
    assert KIND.ownership(live.state[ADDRESS], situation) is Ownership.UNMANAGED


@pytest.mark.parametrize(
    ("tags", "seen"),
    [
        (None, {}),
        ({}, {}),
        ({"hidden-link": "platform", "OWNER": "platform"}, {"owner": "platform"}),
        ({"owner": None}, {"owner": ""}),
        ({"Owner": "other"}, {"owner": "other"}),
    ],
)
async def test_only_declared_tags_are_seen(vault_document, declare, emulated, estate, tags, seen):
    document = vault_document(tags={"owner": "platform"})
    body = {"id": VAULT.upper(), "name": "RSV-WEU-01", "location": "West Europe", "tags": tags}
    azure = Lists({f"vaults:{PROD}": (msgspec.convert(body, LiveVault),)})
    (found,) = [item async for item in KIND.read(azure, declare(document)) if item.address == ADDRESS]
    assert found.spec == VaultSpec(location="westeurope", tags=seen)


class Lists:
    """A door that has every shared list already."""

    def __init__(self, lists):
        self._lists = lists

    async def shared(self, key, read):
        return self._lists.get(key, ())


async def test_a_subscription_that_is_denied_hides_only_itself(vault_document, declare, emulated, estate):
    estate["backup"] = {
        "vaults": [
            {"name": "rsv-weu-01", "subscription": "Prod", "resourceGroup": "rg-backup", "location": "westeurope"}
        ]
    }
    async with emulated(estate) as (served, azure):
        fault = {"path": f"*{TEST}*vaults", "status": 403, "code": "AuthorizationFailed", "message": "denied"}
        await asyncio.to_thread(served.running.ask, "POST", "faults", fault)
        found = [item async for item in KIND.read(azure, declare(vault_document()))]
    resources = [item for item in found if isinstance(item, Resource)]
    (gap,) = [item for item in found if isinstance(item, Unreadable)]
    assert [str(item.address) for item in resources] == ["vault.prod/rg-backup/rsv-weu-01"]
    assert gap.scope == "test"
    assert "Microsoft.RecoveryServices/vaults/read" in gap.advice


async def apply(azure, comparison):
    verdict = KIND.judge(comparison)
    assert verdict is None
    action = Action.UPDATE if comparison.live else Action.CREATE
    for step in KIND.steps(comparison, Verdict(action, Reason.DIFFERS)):
        operation = await KIND.perform(azure, step)
        if operation:
            await wait(azure, operation, limit=timedelta(minutes=5))
        await KIND.verify(azure, step)


async def see(azure, declared):
    azure.forget()
    found = [item async for item in KIND.read(azure, declared)]
    return Live(
        state={item.address: item for item in found if isinstance(item, Resource)},
        resource_groups=frozenset({"prod/rg-backup"}),
    )


async def test_created_tagged_and_then_in_step(vault_document, declare, compare, emulated, estate):
    async with emulated(estate) as (_, azure):
        declared = declare(vault_document(tags={"owner": "platform"}))
        await apply(azure, compare(KIND, declared, await see(azure, declared)))
        assert compare(KIND, declared, await see(azure, declared)).fields == ()

        tags = f"{VAULT}/providers/Microsoft.Resources/tags/default"
        body = {"operation": "Merge", "properties": {"tags": {"cost": "42", "owner": "somebody"}}}
        await azure.send("PATCH", tags, "2021-04-01", body)
        comparison = compare(KIND, declared, await see(azure, declared))
        assert [change.path for change in comparison.fields] == ["tags"]
        await apply(azure, comparison)
        assert compare(KIND, declared, await see(azure, declared)).fields == ()
        vault = await azure.get(VAULT, "2026-07-01", LiveVault)
        assert vault.tags == {"cost": "42", "owner": "platform"}


async def test_a_step_can_be_sent_twice_and_found_again(vault_document, declare, compare, emulated, estate):
    async with emulated(estate) as (_, azure):
        declared = declare(vault_document())
        comparison = compare(KIND, declared, await see(azure, declared))
        (step,) = KIND.steps(comparison, Verdict(Action.CREATE, Reason.NOT_IN_AZURE))
        assert await KIND.running(azure, step, NOW) is None
        with pytest.raises(AbsentError):
            await KIND.verify(azure, step)
        first = await KIND.perform(azure, step)
        assert first.via == "azure-async"
        again = await KIND.running(azure, step, NOW)
        assert again.via == "resource"
        await wait(azure, first, limit=timedelta(minutes=5))
        assert (await wait(azure, again, limit=timedelta(minutes=5)))["name"] == "rsv-weu-01"
        assert await KIND.running(azure, step, NOW) is None
        second = await KIND.perform(azure, step)
        if second:
            await wait(azure, second, limit=timedelta(minutes=5))
        await KIND.verify(azure, step)
        wrong = msgspec.structs.replace(step, arguments={**step.arguments, "location": "northeurope"})
        with pytest.raises(FailedError, match="location"):
            await KIND.verify(azure, wrong)
        with pytest.raises(AzureError) as caught:
            await KIND.perform(azure, wrong)
        assert "deletedVaults" in caught.value.advice


def test_steps_name_their_lane_and_permission(vault_document, declare, compare):
    comparison = compare(KIND, declare(vault_document()))
    (step,) = KIND.steps(comparison, Verdict(Action.CREATE, Reason.NOT_IN_AZURE))
    assert step.id == "vault.prod/rg-backup/rsv-weu-01#create"
    assert step.lane == VAULT.casefold()
    assert step.exclusive
    assert step.permission == "Microsoft.RecoveryServices/vaults/write"
    assert msgspec.json.decode(msgspec.json.encode(step), type=type(step)) == step
