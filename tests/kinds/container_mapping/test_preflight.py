"""What speaks against a route is told before it is taken: cache accounts and target groups."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from reconciler.kinds.base import Assignment, Expansion
from reconciler.kinds.container_mapping.preflight import check_account, check_target_group
from reconciler.kinds.replication.route import LocatedRoute, located_routes
from reconciler.model.arm_id import ArmId
from reconciler.model.document import Declared, Document
from reconciler.model.live import Live, Unreadable
from reconciler.model.machine import Machine
from reconciler.model.protection import Protection
from reconciler.model.replication import Replication
from reconciler.model.replication_site import CacheAccount, ReplicationSite
from reconciler.model.scope import Objectives, Scope
from reconciler.model.selector import Selector
from reconciler.model.source import Source
from reconciler.model.vault import Vault
from reconciler.plan.finding import Finding, Severity
from tests.kinds.conftest import NOW, PROD, TEST
from tests.kinds.container_mapping.conftest import BASE, document, route

CACHE = ArmId(BASE["cacheStorageAccount"])
GOOD = CacheAccount(CACHE, "westeurope", "StorageV2", "Standard_LRS")
HERE = Source("policies/p.yaml", 1, 1)


def declare(**changes: Any) -> Declared:
    vault = document("Vault", "rsv-dr", Vault(subscription="prod", resource_group="rg-dr", location="northeurope"))
    scope = document("Scope", "scope", Scope(subscriptions={"prod": PROD, "test": TEST}))
    return Declared(scope, (vault, route("weu-neu", changes)))


def only_route(declared: Declared) -> LocatedRoute:
    (found,) = located_routes(declared)
    return found


def told(account: CacheAccount | None, **changes: Any) -> list[Finding]:
    live = Live(state={}, site=ReplicationSite({CACHE: account}))
    return list(check_account(only_route(declare(**changes)), live))


def test_a_good_account_is_not_worth_a_word() -> None:
    assert told(GOOD) == []
    assert told(dataclasses.replace(GOOD, type="BlockBlobStorage", sku="Premium_LRS"), churn="High") == []


@pytest.mark.parametrize(
    ("account", "changes", "words"),
    [
        (None, {}, "does not exist"),
        (dataclasses.replace(GOOD, location="northeurope"), {}, "is in northeurope"),
        (dataclasses.replace(GOOD, type="FileStorage"), {}, "must be a standard StorageV2"),
        (dataclasses.replace(GOOD, type="BlockBlobStorage", sku="Premium_LRS"), {}, "must be a standard StorageV2"),
        (GOOD, {"churn": "High"}, "needs a premium BlockBlobStorage"),
        (dataclasses.replace(GOOD, blobs_kept=True), {}, "soft delete"),
        (dataclasses.replace(GOOD, shared_key=False), {}, "refuses access with its keys"),
    ],
)
def test_what_azure_refuses_minutes_later_is_an_error_now(
    account: CacheAccount | None, changes: dict[str, Any], words: str
) -> None:
    (found,) = told(account, **changes)
    assert (found.code, found.severity) == ("ASR-20", Severity.ERROR)
    assert words in found.message
    assert found.advice
    assert found.source


def test_a_closed_firewall_is_a_warning() -> None:
    (found,) = told(dataclasses.replace(GOOD, open_to_azure=False))
    assert (found.code, found.severity) == ("ASR-21", Severity.WARNING)


def test_the_account_for_the_way_back_must_be_where_the_vms_go() -> None:
    """After a failover there is no time to make one."""
    back = ArmId(str(CACHE).replace("cacheweu", "cacheneu"))
    there = dataclasses.replace(GOOD, arm_id=back, location="northeurope")
    declared = only_route(declare(failbackCacheStorageAccount=str(back)))
    for account, words in ((there, []), (dataclasses.replace(there, location="westeurope"), ["is in westeurope"])):
        live = Live(state={}, site=ReplicationSite({CACHE: GOOD, back: account}))
        found = list(check_account(declared, live))
        assert len(found) == len(words)
        for finding, said in zip(found, words, strict=True):
            assert "failbackCacheStorageAccount: storage account cacheneu" in finding.message
            assert said in finding.message


def test_an_account_that_could_not_be_read_is_not_called_missing() -> None:
    assert list(check_account(only_route(declare()), Live(state={}))) == []


def groups_told(
    groups: set[str], *, region: str = "northeurope", unread: bool = False, **changes: Any
) -> list[Finding]:
    declared = declare(**changes)
    machines = [
        Machine(ArmId(f"/subscriptions/{PROD}/resourceGroups/rg-app/vm{n}"), "prod", "rg-app", f"vm{n}", location)
        for n, location in enumerate(("westeurope", "westeurope", "uksouth"))
    ]
    protection = Protection(select=Selector(names=("*",)), aspects={})
    held: Document[Protection] = document("Protection", "p", protection)
    aspect = Replication(target_region="North Europe")
    items = tuple(Assignment(one, "replication", aspect, held, HERE, Objectives()) for one in machines)
    gap = Unreadable(kinds=("resource_group",), scope="prod", message="the groups could not be read")
    site = ReplicationSite(groups=dict.fromkeys(groups, region))
    live = Live(state={}, resource_groups=frozenset(groups), unreadable=(gap,) if unread else (), site=site)
    return list(check_target_group(only_route(declared), Expansion(declared, items, live, frozenset(), NOW)))


def test_a_target_group_that_is_not_there_is_told_once_for_its_vms() -> None:
    (found,) = groups_told({"prod/rg-app"})
    assert found.code == "ASR-12"
    assert "no resource group rg-dr in subscription prod for VMs vm0, vm1" in found.message
    assert found.advice == f"az group create --name rg-dr --location northeurope --subscription {PROD}"


def test_the_group_of_each_vm_is_looked_for_in_the_subscription_it_fails_over_to() -> None:
    pattern = {"targetResourceGroup": "{resourceGroup}-dr", "targetSubscription": "test"}
    assert groups_told({"test/rg-app-dr"}, **pattern) == []
    (found,) = groups_told({"prod/rg-app-dr"}, **pattern)
    assert "rg-app-dr in subscription test" in found.message


def test_groups_that_could_not_be_read_are_not_called_missing() -> None:
    assert groups_told(set(), unread=True) == []


def test_a_target_group_in_the_region_that_is_lost_is_told() -> None:
    (found,) = groups_told({"prod/rg-dr"}, region="westeurope")
    assert found.code == "ASR-12"
    assert "rg-dr is in westeurope, which VMs vm0, vm1 fail over from" in found.message
    assert found.advice == "name a resource group in northeurope"
    assert groups_told({"prod/rg-dr"}, region="uksouth") == []
