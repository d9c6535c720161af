"""An estate that is there already: `adopt` writes its policies, and `plan` on them is empty."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.desired.schema import write as write_schemas
from reconciler.emulator.generate import Generation, generate
from reconciler.kinds.registry import kinds
from tests.stories.conftest import REPOSITORY, SAMPLE_POLICIES, Said, Story
from tests.stories.small_estate import DEV, PROD, VAULT, item, machine, small
from tests.stories.test_least_privilege import given

pytestmark = pytest.mark.story

BOTH = ("--subscription", f"{PROD}=prod", "--subscription", f"{DEV}=dev")
DISASTER = REPOSITORY / "demo" / "disaster"
DISASTER_PROD = "3b9d6c1e-7f20-4c58-8a41-5e0f9a7c0201"
SAMPLE_PROD, SAMPLE_DEV = "6d1f0a52-4c1e-4a6b-9f3d-2b7c5e8a0101", "6d1f0a52-4c1e-4a6b-9f3d-2b7c5e8a0202"
SAMPLES = ("--subscription", f"{SAMPLE_PROD}=prod", "--subscription", f"{SAMPLE_DEV}=dev")


def adopt(story: Story, *subscriptions: str, code: int = 0, out: str = "adopted") -> tuple[Said, dict[str, list[Any]]]:
    """What it said, and the documents that it wrote, by kind. A plan on them is empty, and Azure was only read."""
    story.azure.clear_requests()
    said = story.run("adopt", *subscriptions, "--out", out, code=code)
    assert {entry["method"] for entry in story.azure.requests()} == {"GET"}
    folder = story.folder / out
    story.environment["RECONCILER_POLICIES"] = str(folder)
    story.run("validate", code=0)
    plan = json.loads(story.run("plan", "--format", "json", "--detailed-exitcode", code=0).out)
    assert plan["resource_changes"] == []
    return said, documents(folder)


def documents(folder: Path) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for path in sorted(folder.rglob("*.yaml")):
        for one in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            found.setdefault(one["kind"], []).append(one)
    return found


def names(found: dict[str, list[Any]], kind: str) -> list[str]:
    return sorted(one["name"] for one in found.get(kind, []))


def contents(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_the_sample_as_it_is(sample: Story) -> None:
    said, found = adopt(sample, *SAMPLES, code=4)
    assert names(found, "BackupPolicy") == ["daily-30d", "daily-7d", "dba-90d", "dev-14d", "enhanced-4h"]
    assert "DefaultPolicy is not the same in the vaults" in said.err
    assert "backup of VM web-03 stays unmanaged" in said.err
    assert "its backups are stopped" in said.err
    assert "17 VMs without protection" in said.err
    daily = (sample.folder / "adopted" / "protections" / "daily-30d.yaml").read_text(encoding="utf-8")
    assert "Of 11 VMs # that `not` leaves out 8 have no backup in any policy here." in " ".join(daily.split())
    assert "Exemption" not in found


def test_the_sample_after_an_apply_of_its_policies(sample: Story) -> None:
    """What people once wrote comes back, or something as simple. One round of snapshots says nothing of its cadence."""
    sample.run("apply", "--auto-approve", code=0)
    _, found = adopt(sample, *SAMPLES, code=4)
    selectors = {one["backup"]["policy"]: one["select"] for one in found["Protection"] if "disks" not in one["backup"]}
    assert selectors["dev-14d"] == {"tags": {"env": "dev", "tier": ["build", "mgmt", "web"]}}
    wide, but = selectors["enhanced-4h"]["all"]
    assert wide == {"tags": {"tier": ["db", "sap"]}}
    assert [one.rpartition("/")[2] for one in but["not"]["ids"]] == ["pg-01", "sql-02"]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_generated_estate_has_few_and_simple_policies(story: Story, seed: int) -> None:
    estate = generate(Generation(vms=1000, seed=seed))
    story.begin(estate)
    given_ids = [part for one in estate["subscriptions"] for part in ("--subscription", one["id"])]
    said, found = adopt(story, *given_ids)
    assert len(found["Protection"]) == 3
    assert "A plan on them is empty" in said.out
    assert sum("all" in one["select"] or "tags" in one["select"] for one in found["Protection"]) == 3
    again = story.run("adopt", *given_ids, "--out", "again", code=0)
    assert contents(story.folder / "again") == contents(story.folder / "adopted")
    assert again.out.replace("again", "adopted") == said.out


def test_files_that_are_there_are_never_touched(story: Story) -> None:
    story.begin(small(item("app-01")))
    (story.folder / "mine").mkdir()
    (story.folder / "mine" / "notes.txt").write_text("mine")
    said = story.run("adopt", *BOTH, "--out", "mine", code=1)
    assert "mine is not empty: notes.txt" in said.err
    assert contents(story.folder / "mine") == {"notes.txt": "mine"}


def test_an_editor_finds_the_schemas_where_they_are(story: Story) -> None:
    story.begin(small(item("app-01")))
    write_schemas(story.folder / "schemas", kinds())
    _, found = adopt(story, *BOTH)
    assert found["Protection"]
    for name, text in contents(story.folder / "adopted").items():
        line, _, _ = text.partition("\n")
        schema = line.removeprefix("# yaml-language-server: $schema=")
        assert (story.folder / "adopted" / name).parent.joinpath(schema).resolve().is_file(), name


def test_a_vm_of_tomorrow_goes_where_those_like_it_are(sample: Story) -> None:
    """Its tags protect it; and not in the vault of the database team, which only comes first by name."""
    adopt(sample, *SAMPLES, code=4)
    estate = yaml.safe_load((REPOSITORY / "reconciler" / "emulator" / "estates" / "sample.yaml").read_text("utf-8"))
    tags = {"env": "prod", "tier": "web", "app": "portal"}
    estate["virtualMachines"].append({"name": "web-09", "resourceGroup": "rg-web-prod", "os": "Linux", "tags": tags})
    sample.begin(estate)
    plan = json.loads(sample.run("plan", "--format", "json", code=0).out)
    (change,) = plan["resource_changes"]
    assert change["address"] == "protected_vm.prod/rg-web-prod/web-09"
    assert "rsv-prod-weu/daily-30d" in json.dumps(change["change"]["after"])


def test_what_is_only_half_read_is_not_written(story: Story) -> None:
    estate = given("plan", small(item("app-01")))
    estate["roleAssignments"] = [one for one in estate["roleAssignments"] if DEV not in one["scope"]]
    story.begin(estate)
    said = story.run("adopt", *BOTH, "--out", "adopted", code=1)
    assert "nothing was written: the estate could not be read whole" in said.err
    assert not (story.folder / "adopted").exists()
    said, _ = adopt(story, *BOTH[:2])
    assert "A plan on them is empty" in said.out


def test_what_only_some_may_read_is_told_and_left_out(story: Story) -> None:
    """Backups are adopted by whoever may not see snapshots; the exit code says that there is more."""
    estate = given("plan", small(item("app-01")))
    for one in estate["roleAssignments"]:
        one["notActions"] = ["Microsoft.Compute/snapshots/read"]
    story.begin(estate)
    said = story.run("adopt", *BOTH, "--out", "adopted", code=4)
    assert "the list of snapshots in subscription prod" in said.err
    assert "What could not be read is not in them." in said.out
    assert names(documents(story.folder / "adopted"), "Protection") == ["daily"]


def test_an_estate_without_protection_is_a_scope(story: Story) -> None:
    estate = small()
    estate["backup"]["vaults"] = estate["backup"]["vaults"][:1]
    story.begin(estate)
    said, found = adopt(story, *BOTH)
    assert list(found) == ["Scope"]
    assert "4 VMs without protection" in said.err
    assert "the vault holds no VM; it is not written" in said.err


def test_the_role_to_plan_is_enough(story: Story) -> None:
    story.begin(given("plan", small(item("app-01"), item("app-02"))))
    _, found = adopt(story, *BOTH)
    assert names(found, "Protection") == ["daily"]


def test_one_name_with_two_contents(story: Story) -> None:
    """Two vaults whose policies share a name and nothing else: the smaller vault stays unmanaged, and is told."""
    estate = small(item("app-01"), item("app-02"))
    story.begin(estate)
    daily = json.loads(story.arm("GET", f"{VAULT}/backupPolicies/daily").text)
    daily["properties"]["retentionPolicy"]["dailySchedule"]["retentionDuration"]["count"] = 45
    story.arm("PUT", f"{VAULT}/backupPolicies/daily", daily["properties"])
    said, found = adopt(story, *BOTH, code=4)
    assert names(found, "Vault") == ["rsv-weu"]
    assert [one["retention"] for one in found["BackupPolicy"]] == [{"daily": {"days": 45}}]
    assert "vault.dev/rg-backup-dev/rsv-dev" in said.err
    assert "this vault and its 1 VM stay unmanaged" in said.err


def test_schedules_are_read_back_from_what_they_made(sample: Story) -> None:
    sample.run("apply", "--auto-approve", code=0)
    said, found = adopt(sample, *SAMPLES, code=4, out="early")
    assert "its cadence cannot be read" in said.err
    assert "SnapshotSchedule" not in found
    sample.environment["RECONCILER_POLICIES"] = str(SAMPLE_POLICIES)
    for _ in range(4):
        sample.azure.advance("6h")
        sample.run("apply", "--auto-approve", code=0)
    _, found = adopt(sample, *SAMPLES)
    schedules = {one["name"]: one for one in found["SnapshotSchedule"]}
    assert (schedules["six-hourly"]["every"], schedules["six-hourly"]["keep"]) == ("6h", {"count": 4, "daily": 7})
    assert schedules["database-twice-daily"]["consistency"] == "restorePoint"
    assert schedules["database-twice-daily"]["every"] == "12h"


def test_replication_and_recovery_plans(story: Story) -> None:
    """The estate of the disaster drill: routes, what fails over together, and in which order."""
    story.begin(yaml.safe_load((DISASTER / "estate.yaml").read_text(encoding="utf-8")))
    story.environment["RECONCILER_POLICIES"] = str(DISASTER / "policies")
    story.run("apply", "--auto-approve", code=0)
    said, found = adopt(story, "--subscription", f"{DISASTER_PROD}=prod")
    assert "for 12 of 12 VMs" in said.out
    assert names(found, "ReplicationRoute") == ["uksouth-to-northeurope", "westeurope-to-northeurope"]
    (plan,) = found["RecoveryPlan"]
    assert [group["members"]["tags"]["tier"] for group in plan["groups"]] == ["db", "app", "web"]
    assert plan["groups"][2]["after"][0]["name"] == "switch-dns"
    story.environment["RECONCILER_POLICIES"] = str(DISASTER / "policies")
    story.run("failover", "shop", "--to", "northeurope", "--confirm", "shop", code=0)
    said, found = adopt(story, "--subscription", f"{DISASTER_PROD}=prod", code=4, out="meanwhile")
    assert [one["select"] for one in found["Protection"]] == [{"tags": {"app": "ledger"}}]
    assert "RecoveryPlan" not in found
    assert said.err.count("bring it home or clean up the drill, and adopt again") == 6


def test_what_the_comparison_still_finds_is_left_out(story: Story) -> None:
    """One VM whose disks fail over to another type than those of its route: no route says both."""
    estate = yaml.safe_load((DISASTER / "estate.yaml").read_text(encoding="utf-8"))
    for one in estate["virtualMachines"]:
        if one["name"].startswith("shop-web"):
            one["osDisk"] = {"sizeGB": 64, "sku": "Standard_LRS"}
    story.begin(estate)
    story.environment["RECONCILER_POLICIES"] = str(DISASTER / "policies")
    story.run("apply", "--auto-approve", code=0)
    compute = f"/subscriptions/{DISASTER_PROD}/resourceGroups/rg-shop/providers/Microsoft.Compute"
    story.arm("POST", f"{compute}/virtualMachines/shop-app-01/deallocate?api-version=2024-07-01")
    story.azure.advance("30m")
    disk = f"{compute}/disks/shop-app-01_DataDisk_0?api-version=2025-01-02"
    story.arm("PATCH", disk, sku={"name": "Standard_LRS"})
    said, found = adopt(story, "--subscription", f"{DISASTER_PROD}=prod", code=4)
    assert "replicated_vm.prod/rg-shop/shop-app-01: warning: not-adopted" in said.err
    assert "for 11 of 12 VMs" in said.out
    assert "RecoveryPlan" not in found, "one of its VMs is not in the policies"


def test_what_breaks_a_rule_of_ours_is_left_out(story: Story) -> None:
    """Azure lets a vault be that it would not make any more."""
    story.begin(small(item("app-01"), name="9-rsv"))
    said, found = adopt(story, *BOTH, code=4)
    assert "Vault 9-rsv would break a rule, so it is not written (BP-11" in said.err
    assert names(found, "Vault") == ["rsv-dev"]
    assert [one["select"] for one in found["Protection"]] == [{"tags": {"env": "dev"}}]


HOSTILE = ("a\n- b", "*", "x: {y", "\u202eevil", "'; DROP", "yes", "22:00", "${{ secrets.X }}", "<script>")


def test_hostile_names_stay_names(story: Story) -> None:
    machines = [machine(f"odd-{place}", tags={"kind": text, "env": "odd"}) for place, text in enumerate(HOSTILE)]
    estate = small(*(item(f"odd-{place}", "daily" if place % 2 else "short") for place in range(len(HOSTILE))))
    estate["virtualMachines"] += machines
    story.begin(estate)
    said, found = adopt(story, *BOTH)
    assert "\u202e" not in said.told
    assert len(found["Protection"]) >= 2
    for content in contents(story.folder / "adopted").values():
        assert all(line.isprintable() for line in content.split("\n"))
