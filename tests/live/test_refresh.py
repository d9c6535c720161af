"""The refresh: everything at once, gaps instead of absences."""

from __future__ import annotations

import asyncio

import pytest
from azure.core.exceptions import ClientAuthenticationError

from reconciler.errors import DeniedError
from reconciler.kinds.protected_vm.document import Backup
from reconciler.kinds.vault.kind import VaultKind
from reconciler.kinds.vault_settings.kind import VaultSettingsKind
from reconciler.live.refresh import refresh
from reconciler.model.address import Address
from reconciler.model.document import Declared, Document
from reconciler.model.live import Live
from reconciler.model.protection import Protection
from reconciler.model.selector import Selector
from reconciler.model.source import Source
from reconciler.model.vault import Vault
from tests.live.conftest import PROD, TEST

KINDS = (VaultSettingsKind(), VaultKind())


def declare(alias: str, name: str) -> Document[Vault]:
    vault = Vault(subscription=alias, resource_group="rg-App", location="westeurope")
    return Document("Vault", name, vault, Source("policies/vaults.yaml", 1, 1))


def moving(vault: str) -> Document[Protection]:
    value = Protection(select=Selector(), aspects={"backup": Backup(policy="daily", move_from=(vault,))})
    return Document("Protection", "all", value, Source("policies/all.yaml", 1, 1))


def settings(live: Live) -> list[Address]:
    return [address for address in live.state if address.kind == "vault_settings"]


async def fault(served, **rule):
    await asyncio.to_thread(served.running.ask, "POST", "faults", rule)


async def test_everything_is_read_with_one_list_each(emulated, estate, declared):
    async with emulated(estate) as (_, azure):
        live = await refresh(azure, declared, KINDS)
    assert [f"{one.scope}/{one.name}" for one in live.machines] == [
        f"{alias}/rg-App/vm-{number}" for alias in ("prod", "test") for number in range(3)
    ]
    assert live.resource_groups == {"prod/rg-app", "test/rg-app"}
    assert {str(address) for address in live.state} == {f"vault.{alias}/rg-App/rsv-01" for alias in ("prod", "test")}
    assert live.unreadable == ()
    assert live.requests == 6  # machines, groups and vaults of two subscriptions


async def test_settings_are_read_of_vaults_that_are_declared_or_moved_from(emulated, estate, declared):
    estate["backup"]["vaults"][1]["name"] = "rsv-02"
    ours = Declared(declared.scope, (declare("prod", "rsv-01"),))
    async with emulated(estate) as (_, azure):
        alone = await refresh(azure, ours, KINDS)
        both = await refresh(azure, Declared(declared.scope, (*ours.documents, moving("RSV-02"))), KINDS)
    assert [str(found) for found in settings(alone)] == ["vault_settings.prod/rg-App/rsv-01"]
    assert alone.requests == 7
    assert len(settings(both)) == 2


async def test_a_vault_that_cannot_be_read_hides_its_own_settings_and_no_more(emulated, estate, declared):
    estate["backup"]["vaults"][1]["name"] = "rsv-02"
    ours = Declared(declared.scope, (declare("prod", "rsv-01"), declare("test", "rsv-02")))
    async with emulated(estate) as (served, azure):
        await fault(served, path="*/vaults/rsv-01", status=500, code="InternalServerError", message="oh no")
        live = await refresh(azure, ours, KINDS)
    assert {str(address) for address in live.state} == {
        "vault.prod/rg-App/rsv-01",
        "vault.test/rg-App/rsv-02",
        "vault_settings.test/rg-App/rsv-02",
    }
    (gap,) = live.unreadable
    assert (gap.kinds, gap.scope) == (("vault_settings",), "prod/rg-App/rsv-01")
    assert gap.message == "the settings of vault rsv-01 could not be read"
    assert live.hides(Address("vault_settings", "prod/rg-App", "rsv-01"))
    assert not live.hides(Address("vault_settings", "prod/rg-App", "rsv-03"))


async def test_a_second_refresh_asks_again(emulated, estate, declared):
    async with emulated(estate) as (_, azure):
        first = await refresh(azure, declared, KINDS)
        second = await refresh(azure, declared, KINDS)
    assert first == second


async def test_a_denied_subscription_hides_only_itself(emulated, estate, declared):
    async with emulated(estate) as (served, azure):
        await fault(served, path=f"/subscriptions/{TEST}/*", status=403, code="AuthorizationFailed", message="no")
        live = await refresh(azure, declared, KINDS)
    assert {one.subscription for one in live.machines} == {"prod"}
    assert {address.subscription for address in live.state} == {"prod"}
    assert {gap.scope for gap in live.unreadable} == {"test"}
    assert {kind for gap in live.unreadable for kind in gap.kinds} == {
        "virtual_machine",
        "resource_group",
        "vault",
        "vault_settings",
    }
    assert all("/read" in gap.advice for gap in live.unreadable)
    assert live.hides(Address("vault", "test/rg-App", "rsv-01"))
    assert not live.hides(Address("vault", "prod/rg-App", "rsv-01"))
    assert live.unread_machines(["prod", "test"]) == ("test",)


async def test_kinds_that_share_a_list_share_its_gap(emulated, estate, declared):
    async with emulated(estate) as (served, azure):
        await fault(served, path="*/vaults", status=500, code="InternalServerError", message="oh no")
        live = await refresh(azure, declared, KINDS)
    assert [(gap.scope, gap.kinds) for gap in live.unreadable] == [
        ("prod", ("vault_settings", "vault")),
        ("test", ("vault_settings", "vault")),
    ]
    assert "oh no" in live.unreadable[0].why
    assert len(live.machines) == 6


async def test_a_list_that_breaks_on_its_second_page_is_a_gap_not_a_short_list(emulated, estate, declared):
    estate["virtualMachines"] = [
        {"subscription": "Prod", "name": f"vm-{number:04}", "resourceGroup": "rg-App", "os": "Linux"}
        for number in range(700)
    ]
    async with emulated(estate) as (served, azure):
        await fault(served, path=f"*{PROD}*/virtualMachines", skip=1, status=403, code="AuthorizationFailed")
        live = await refresh(azure, declared, KINDS)
    assert live.unread_machines(["prod", "test"]) == ("prod",)
    assert live.machines == ()


async def test_a_hiccup_is_no_gap(emulated, estate, declared):
    async with emulated(estate) as (served, azure):
        await fault(served, path="*/virtualMachines", status=429, retryAfter=324, count=2)
        await fault(served, path="*/vaults", reset="before", count=1)
        live = await refresh(azure, declared, KINDS)
    assert live.unreadable == ()
    assert len(live.machines) == 6


class Nobody:
    async def get_token(self, *scopes, **options):
        raise ClientAuthenticationError("DefaultAzureCredential failed to retrieve a token")

    async def close(self):
        """Nothing is open."""


async def test_without_credentials_there_is_no_live_state_at_all(emulated, estate, declared):
    async with emulated(estate, credential=Nobody()) as (_, azure):
        with pytest.raises(DeniedError, match="no Azure credentials"):
            await refresh(azure, declared, KINDS)
