"""Twelve VMs in two regions, replicated to a third: set up, kept in step, failed over by people and left alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reconciler.emulator.estate import read
from tests.stories.conftest import REPOSITORY, Story

pytestmark = pytest.mark.story
ESTATE = REPOSITORY / "demo/disaster/estate.yaml"
POLICIES = REPOSITORY / "demo/disaster/policies"
SUBSCRIPTION = "/subscriptions/3b9d6c1e-7f20-4c58-8a41-5e0f9a7c0201"
VAULT = f"{SUBSCRIPTION}/resourceGroups/rg-recovery/providers/Microsoft.RecoveryServices/vaults/rsv-recovery"
PLAN = f"{VAULT}/replicationRecoveryPlans/shop"
COMPUTE = f"{SUBSCRIPTION}/resourceGroups/rg-shop/providers/Microsoft.Compute"
SHOP = ("shop-db-01", "shop-db-02", "shop-app-01", "shop-app-02", "shop-web-01", "shop-web-02")
LEDGER = ("ledger-db-01", "ledger-db-02", "ledger-app-01", "ledger-app-02", "ledger-app-03", "ledger-batch-01")


def begin(story: Story, **more: Any) -> None:
    """The estate of the demo, as nobody has touched it; `more` are sections of an estate."""
    story.begin({**read(ESTATE), **more})
    story.environment["RECONCILER_POLICIES"] = str(POLICIES)


def replicated(drilled: int | None = 10, **states: dict[str, Any]) -> dict[str, Any]:
    """What an apply makes of it, weeks later: `states` are fields of single VMs, their names with underscores."""
    machines = [
        {
            "vm": f"rg-{app}/{name}",
            "to": "northeurope",
            "resourceGroup": f"rg-{app}-dr",
            "cache": cache,
            **({} if drilled is None else {"drilledDaysAgo": drilled}),
            **states.get(name.replace("-", "_"), {}),
        }
        for app, cache, names in (("shop", "stcacheshopweu", SHOP), ("ledger", "stcacheledgeruks", LEDGER))
        for name in names
    ]
    vault = {
        "vault": "rsv-recovery",
        "resourceGroup": "rg-recovery",
        "policies": {"day": {"retentionHours": 24, "appConsistentHours": 4}},
        "routes": [
            {"from": "westeurope", "to": "northeurope", "policy": "day", "networks": {"vnet-shop": "vnet-dr"}},
            {"from": "uksouth", "to": "northeurope", "policy": "day", "networks": {"vnet-ledger": "vnet-dr"}},
        ],
        "machines": machines,
    }
    return {"siteRecovery": [vault]}


def in_step(story: Story) -> str:
    said = story.run("plan", "--detailed-exitcode", code=0).out
    assert "No changes. Azure matches the policies (30 resources" in said
    return said


def settle(story: Story) -> None:
    """The recovery plan is made, and the network for drills is said of every VM."""
    story.run("apply", "--auto-approve", "--allow", "G101=12", code=0)


def arm(story: Story, method: str, path: str, properties: dict[str, Any] | None = None) -> None:
    """Somebody at work in the portal, until it is done."""
    story.arm(method, f"{path}?api-version=2025-08-01", properties)
    story.azure.advance("3h")


def test_nothing_replicated_and_an_hour_later_everything_is(story: Story) -> None:
    begin(story)
    assert "0 errors" in story.run("validate", str(POLICIES), code=0).told
    planned = story.run("plan", "--detailed-exitcode", "--out", "plan.json", code=2).out
    for words in (
        "Plan: 12 to protect, 18 to create; 0 unchanged.",
        "cannot be failed over before its initial replication of up to 896 GiB in all has ended",
        "groups[2].after: switch-dns (runbook",
    ):
        assert words in planned
    assert story.writes() == {}, "planning writes nothing"

    applied = story.run("apply", "plan.json", code=0).out
    assert "Apply complete: 54 done" in applied
    for name in (*SHOP, *LEDGER):
        assert f"done     wait until {name} is replicated to northeurope" in applied
    assert applied.index("done     wait until shop-web-02") < applied.index("started  create recovery plan shop")
    assert {name: count for name, count in story.repeated().items() if not name.startswith("PATCH")} == {}

    told = in_step(story)
    assert "no test failover has succeeded yet; promised is one every 180d" in told, "a new one is Protected, not ill"
    assert story.run("drift", code=0).out.count("No drift.") == 1
    explained = story.run("explain", "shop-web-01", code=0).out
    assert "targetResourceGroup: rg-shop-dr" in explained
    assert "recovery.yaml:" in explained


def test_what_somebody_set_up_before_is_reused(story: Story) -> None:
    """Under the portal's names: only the recovery plan is missing, and what is not in the way stays as it is."""
    begin(story, **replicated())
    settle(story)
    assert {name for name in story.writes() if name.startswith("PUT")} == {"PUT shop"}
    in_step(story)


def test_a_new_disk_is_replicated_in_place(story: Story) -> None:
    begin(story, **replicated())
    settle(story)
    disk = f"{COMPUTE}/disks/shop-db-01-logs"
    made = {"creationData": {"createOption": "Empty"}, "diskSizeGB": 512}
    story.arm("PUT", f"{disk}?api-version=2025-01-02", made, location="westeurope", sku={"name": "Premium_LRS"})
    attach = f"{COMPUTE}/virtualMachines/shop-db-01/attachDetachDataDisks?api-version=2025-04-01"
    story.arm("POST", attach, dataDisksToAttach=[{"diskId": disk}])
    story.azure.advance("5m")

    planned = story.run("plan", "--detailed-exitcode", code=2).out
    assert "replicated_vm.prod/rg-shop/shop-db-01" in planned
    assert "512 GiB" in planned
    applied = story.run("apply", "--auto-approve", code=0).out
    assert "Apply complete: 1 done" in applied
    in_step(story)


def test_what_is_promised_is_looked_at(story: Story) -> None:
    """The RPO of each VM, and the age of its last drill."""
    begin(
        story,
        **replicated(shop_web_01={"stalledHours": 5}, shop_db_01={"drilledDaysAgo": 200, "protectedDaysAgo": 300}),
    )
    settle(story)
    told = json.loads(story.run("drift", "--format", "json", code=0).out)
    missed = {entry["code"]: entry["address"] for entry in told["findings"] if entry.get("topic") == "objectives"}
    assert missed == {
        "replication-rpo-missed": "replicated_vm.prod/rg-shop/shop-web-01",
        "replication-ill": "replicated_vm.prod/rg-shop/shop-web-01",
        "drill-overdue": "replicated_vm.prod/rg-shop/shop-db-01",
    }
