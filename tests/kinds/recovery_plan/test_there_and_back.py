"""A plan that is failed over and back, with every kind in the picture: nothing is done, and the last plan is empty."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.azure.clients import Azure
from reconciler.azure.operations import operation_from, wait
from reconciler.desired.validate import validate
from reconciler.kinds.registry import kinds
from reconciler.plan.plan import Plan
from reconciler.workflow import Wishes, make_plan
from tests.kinds.conftest import NOW, PROD, Estate
from tests.kinds.recovery_plan.conftest import GROUPS, VAULT
from tests.kinds.recovery_plan.test_emulated import estate as estate  # noqa: PLC0414  # the fixture

PLAN = VAULT.child("replicationRecoveryPlans", "rp-shop")
POLICIES: list[dict[str, Any]] = [
    {"kind": "Scope", "name": "shop", "subscriptions": {"prod": PROD}},
    {"kind": "Vault", "name": "rsv-dr", "subscription": "prod", "resourceGroup": "rg-dr", "location": "northeurope"},
    {"kind": "ReplicationPolicy", "name": "day"},
    {
        "kind": "ReplicationRoute",
        "name": "weu-neu",
        "from": "westeurope",
        "to": "northeurope",
        "vault": "rsv-dr",
        "policy": "day",
        "targetResourceGroup": "rg-dr",
        "cacheStorageAccount": f"/subscriptions/{PROD}/resourceGroups/rg-app/providers/Microsoft.Storage/"
        "storageAccounts/cacheweu",
    },
    {
        "kind": "Protection",
        "name": "shop",
        "select": {"tags": {"tier": "*"}},
        "replication": {"targetRegion": "northeurope"},
    },
    {"kind": "RecoveryPlan", "name": "rp-shop", "route": "weu-neu", "groups": GROUPS},
]


def fail_over(direction: str) -> dict[str, Any]:
    return {
        "failoverDirection": direction,
        "sourceSiteOperations": "NotRequired",
        "providerSpecificDetails": [{"instanceType": "A2A", "recoveryPointType": "Latest"}],
    }


WAY: list[tuple[str, dict[str, Any] | None]] = [
    ("unplannedFailover", fail_over("PrimaryToRecovery")),
    ("failoverCommit", None),
    ("reProtect", None),
    ("unplannedFailover", fail_over("RecoveryToPrimary")),
    ("failoverCommit", None),
    ("reProtect", None),
]


async def act(azure: Azure, served: Any, verb: str, properties: dict[str, Any] | None) -> None:
    """What a person does in the portal."""
    body = {"properties": properties} if properties else None
    answer = await azure.send("POST", f"{PLAN}/{verb}", "2025-08-01", body)
    operation = operation_from(answer.status, answer.headers, str(PLAN))
    assert operation is not None
    await wait(azure, operation, limit=timedelta(hours=9))
    served.emulator.world.advance(timedelta(hours=1))


@pytest.fixture
def planning(tmp_path: Path) -> Callable[[Azure], Any]:
    file = tmp_path / "policies.yaml"
    file.write_text(yaml.safe_dump_all([{"apiVersion": "reconciler/v1", **one} for one in POLICIES]), encoding="utf-8")
    checked = validate([file], NOW.date(), kinds())
    assert checked.declared, checked.findings
    declared = checked.declared

    async def make(azure: Azure) -> Plan:
        return await make_plan(azure, checked, declared, Wishes())

    return make


async def test_over_and_back_nothing_is_touched_and_the_last_plan_is_empty(
    emulated: Callable[..., Any], estate: Estate, planning: Callable[[Azure], Any]
) -> None:
    estate["storageAccounts"].append({"name": "cacheneu", "resourceGroup": "rg-dr"})
    names = [["sql-01"], ["app-01", "web-01", "web-02"]]
    estate["siteRecovery"][0]["plans"] = [
        {"name": "rp-shop", "from": "westeurope", "to": "northeurope", "groups": names}
    ]
    async with emulated(estate) as (served, azure):
        assert (await planning(azure)).changes == ()
        for number, (verb, properties) in enumerate(WAY, 1):
            await act(azure, served, verb, properties)
            plan = await planning(azure)
            assert plan.changes == (), verb
            assert plan.errors == (), verb
            told = {finding.code for finding in plan.findings if finding.topic != "objectives"}
            assert ("failed-over" in told) == (number < len(WAY)), verb
    assert "left-behind" in told
