"""Twelve VMs in two regions, replicated to a third: set up, kept in step, failed over by people and left alone."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Mapping
from typing import Any

import pytest

from reconciler.emulator.estate import read
from tests.stories.conftest import REPOSITORY, Story

pytestmark = pytest.mark.story
ESTATE = REPOSITORY / "demo/disaster/estate.yaml"
POLICIES = REPOSITORY / "demo/disaster/policies"
SUBSCRIPTION = "/subscriptions/3b9d6c1e-7f20-4c58-8a41-5e0f9a7c0201"
COMPUTE = f"{SUBSCRIPTION}/resourceGroups/rg-shop/providers/Microsoft.Compute"
SHOP = ("shop-db-01", "shop-db-02", "shop-app-01", "shop-app-02", "shop-web-01", "shop-web-02")
LEDGER = ("ledger-db-01", "ledger-db-02", "ledger-app-01", "ledger-app-02", "ledger-app-03", "ledger-batch-01")


def begin(story: Story, **more: Any) -> None:
    """The estate of the demo, as nobody has touched it; `more` are sections of an estate."""
    story.begin({**read(ESTATE), **more})
    policies = shutil.copytree(POLICIES, story.folder / "disaster", dirs_exist_ok=True)  # outside of git
    story.environment["RECONCILER_POLICIES"] = str(policies)


def replicated(states: Mapping[str, dict[str, Any]] | None = None, *, drilled: int | None = 10) -> dict[str, Any]:
    """What an apply makes of it, weeks later: `states` are fields of single VMs."""
    machines = [
        {
            "vm": f"rg-{app}/{name}",
            "to": "northeurope",
            "resourceGroup": f"rg-{app}-dr",
            "cache": cache,
            **({} if drilled is None else {"drilledDaysAgo": drilled}),
            **(states or {}).get(name, {}),
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


def settle(story: Story, allow: str = "G101=12") -> None:
    """The recovery plan is made, and the network for drills is said of every VM."""
    story.run("apply", "--auto-approve", "--allow", allow, code=0)


def confirmed(story: Story, verb: str, *more: str) -> str:
    """An operation on the recovery plan, by somebody who types its name."""
    return story.run(verb, "shop", *more, "--confirm", "shop", code=0).told


def shop_machines(story: Story, group: str) -> list[str]:
    """The VMs that are there, test VMs among them."""
    path = f"{SUBSCRIPTION}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines"
    listed = json.loads(story.arm("GET", f"{path}?api-version=2025-04-01").text)
    return sorted(one["name"] for one in listed["value"])


def runbooks(story: Story) -> int:
    return len(story.azure.invocations())


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
    assert "no test failover has succeeded since its replication began; promised is one every 180d" in told, (
        "a new one is Protected, not ill"
    )
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
        **replicated(
            {"shop-web-01": {"stalledHours": 5}, "shop-db-01": {"drilledDaysAgo": 200, "protectedDaysAgo": 300}}
        ),
    )
    settle(story)
    told = json.loads(story.run("drift", "--format", "json", code=0).out)
    missed = {entry["code"]: entry["address"] for entry in told["findings"] if entry.get("topic") == "objectives"}
    assert missed == {
        "replication-rpo-missed": "replicated_vm.prod/rg-shop/shop-web-01",
        "replication-ill": "replicated_vm.prod/rg-shop/shop-web-01",
        "drill-overdue": "replicated_vm.prod/rg-shop/shop-db-01",
    }


def left_alone(story: Story, *told: str) -> None:
    """Whatever is asked, nothing is written, and it is said why."""
    before = story.writes()
    for command in (("drift",), ("plan", "--detailed-exitcode"), ("apply", "--auto-approve")):
        said = story.run(*command, code=0).told
        for words in told:
            assert words in said, command
    assert story.writes() == before


def test_a_drill_then_a_failover_and_the_way_home(story: Story) -> None:
    """What the demo tells: nobody but people touches what has failed over, and the last plan is empty."""
    begin(story, **replicated(drilled=None))
    settle(story)
    assert "drill-overdue" in story.run("drift", code=0).out

    done = confirmed(story, "drill", "--check", 'test "$RECONCILER_TEST_ADDRESS"')
    assert "Apply complete: 14 done" in done
    kept = json.loads(next((story.folder / "journals/records").glob("*-drill-shop.json")).read_text(encoding="utf-8"))
    assert (kept["outcome"], set(kept["checks"].values())) == ("succeeded", {"done"})
    assert any(" of 6: " in task for task in kept["steps"][0]["tasks"])
    assert (runbooks(story), shop_machines(story, "rg-shop-dr")) == (1, [])
    told = in_step(story)
    assert "replicated_vm.prod/rg-ledger/ledger-db-01" in told, "that was not drilled"
    assert "replicated_vm.prod/rg-shop/" not in told

    done = confirmed(story, "failover", "--to", "northeurope")
    assert "what was written after the recovery point is not in it" in done
    assert (runbooks(story), shop_machines(story, "rg-shop-dr")) == (2, sorted(SHOP))
    left_alone(story, "failed over since 2026-11-23", "reconciler commit NAME, then reconciler reprotect NAME")
    explained = story.run("explain", "shop-web-01", code=0).out
    assert "now: failed over since 2026-11-23" in explained
    assert "now: made by a failover or a drill of prod/rg-shop/shop-web-01" in explained
    confirmed(story, "commit")
    left_alone(story, "failed over since 2026-11-23", "reconciler reprotect NAME")

    done = confirmed(story, "reprotect")
    assert "the old VM shop-db-01 in rg-shop and its network interfaces are deleted" in done
    assert shop_machines(story, "rg-shop") == []
    left_alone(story, "it runs in northeurope and is replicated back to westeurope", "reconciler failback NAME")

    confirmed(story, "failback")
    left_alone(story, "failed back since 2026-11-23")
    confirmed(story, "commit")
    confirmed(story, "reprotect")
    assert shop_machines(story, "rg-shop") == sorted(SHOP)
    healed = story.run("apply", "--auto-approve", code=0).out
    forgotten = "the protection of 6 VMs will be updated: testNetwork vnet-drill"
    assert forgotten in healed, "Azure forgets the network for drills on the way"
    in_step(story)


def test_policies_that_forget_what_is_failed_over_do_not_touch_it(story: Story) -> None:
    """Neither another size nor a plan of other groups nor a release is written while people are at work."""
    begin(story, **replicated({name: {"state": "Committed"} for name in SHOP}))
    settle(story, "G101=6")
    text = (POLICIES / "recovery.yaml").read_text(encoding="utf-8")
    assert text.count("    - tags: {app: shop}\n") == 1
    (story.policies / "policies.yaml").write_text(
        text.replace("    - tags: {app: shop}\n", "").replace("{app: shop, tier: db}", "{app: shop}"), encoding="utf-8"
    )
    story.environment["RECONCILER_POLICIES"] = str(story.policies)
    before = story.writes()
    for command in ("drift", "plan", "apply --auto-approve"):
        assert "failed over since" in story.run(*command.split()).told
    assert story.writes() == before
    assert shop_machines(story, "rg-shop-dr") == sorted(SHOP)


def test_killed_while_the_test_vms_run(story: Story) -> None:
    """They cost money, and one of them may think it is the real one: the next run takes them away."""
    begin(story, **replicated())
    settle(story)
    story.azure.add_fault({"method": "GET", "path": "*/virtualMachines/shop-db-01-test", "delay": 5.0})
    drill = story.start("drill", "shop", "--confirm", "shop")
    drill.line("started  check that test VM of shop-db-01 runs")
    drill.kill()
    assert drill.process.returncode == -signal.SIGKILL
    story.azure.clear_faults()
    assert shop_machines(story, "rg-shop-dr") == sorted(f"{name}-test" for name in SHOP)
    drifted = story.run("drift", code=0).out
    assert "a test failover is not cleaned up" in drifted
    assert "reconciler drill --cleanup NAME" in drifted
    assert "clean up the test failover of recovery plan shop" in story.run("apply", "--auto-approve", code=0).out
    assert shop_machines(story, "rg-shop-dr") == []
    in_step(story)


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_goes_wrong_on_the_way_nothing_is_made_twice(story: Story, seed: int) -> None:
    """Answers that are lost, failures of the service, throttling, and a kill in the middle."""
    begin(story)
    text = (POLICIES / "recovery.yaml").read_text(encoding="utf-8")
    # what the kill left to set of VMs that were enabled is an update of each
    wide = "limits: {updatesPerVault: {percent: 100, count: 12}}\nsubscriptions:\n"
    (story.policies / "policies.yaml").write_text(text.replace("subscriptions:\n", wide, 1), encoding="utf-8")
    story.environment["RECONCILER_POLICIES"] = str(story.policies)
    chance = {"probability": 0.1, "seed": seed}
    story.azure.load_faults(
        [
            {"sort": "write", "reset": "after", **chance},
            {"sort": "write", "status": 503, "after": True, **chance},
            {"sort": "read", "status": 500, **chance},
            {"sort": "list", "status": 429, "retryAfter": 1, **chance},
            {"sort": "poll", "reset": "before", **chance},
        ]
    )
    apply = story.start("apply", "--auto-approve")
    story.until(lambda: sum(story.writes()[f"PUT {name}"] for name in named(story)) >= 3)
    apply.kill()
    for _ in range(6):
        if story.run("apply", "--auto-approve").code == 0:
            break
    story.azure.clear_faults()
    story.run("apply", "--auto-approve", code=0)
    assert {name: count for name, count in story.repeated().items() if name.startswith("PUT")} == {}
    in_step(story)


def named(story: Story) -> set[str]:
    """The names of the replicated items that were sent."""
    return {
        entry["path"].rpartition("/")[2].lower()
        for entry in story.azure.requests()
        if entry["method"] == "PUT" and "/replicationProtectedItems/" in entry["path"]
    }
