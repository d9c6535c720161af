"""Vaults that defend themselves, and releases: nothing is lost that nobody asked for by name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.stories.conftest import Story
from tests.stories.small_estate import (
    DAILY,
    DEVELOPMENT,
    POLICIES,
    PROD,
    PRODUCTION,
    RSV_DEV,
    RSV_WEU,
    SCOPE,
    VAULT,
    item,
    item_path,
    machine,
    machine_path,
    small,
)

pytestmark = pytest.mark.story
GUARD = f"/subscriptions/{PROD}/resourceGroups/rg-guard/providers/Microsoft.DataProtection/resourceGuards/guard"
IN_STEP = tuple(item(f"app-0{number}") for number in (1, 2, 3))
FEWER: dict[str, Any] = {**PRODUCTION, "select": {"names": ["app-01", "app-02"]}}
"""A Protection that has dropped app-03."""


def properties(story: Story, name: str) -> dict[str, Any]:
    """What Azure holds of a protected VM."""
    found: dict[str, Any] = json.loads(story.arm("GET", item_path(name)).text)["properties"]
    return found


def test_a_resource_guard_holds_back_one_step_which_is_not_retried(story: Story) -> None:
    """The owner of the guard has not approved: Azure answers 403. What does not depend on it goes on."""
    shorter = {**DAILY, "retention": {"daily": {"days": 7}}}
    story.begin(
        small(item("app-01", "short"), *IN_STEP[1:], resourceGuard=GUARD, guardApproved=False),
        *(SCOPE, RSV_WEU, RSV_DEV, shorter, PRODUCTION, DEVELOPMENT),
    )
    planned = story.run("plan", "--allow", "G104=2", "--out", "plan.json", code=0)
    assert "Resource Guard" in planned.out, "the plan says what will need approval"
    said = story.run("apply", "plan.json", code=4)
    assert "waits for approval" in said.told
    assert story.sent("PUT", "daily", 403) == 1
    assert story.writes() == {"PUT daily": 1}, "that of the other vault; app-01 waits for the policy"
    story.azure.approve(GUARD)
    story.run("apply", "--auto-approve", "--allow", "G104=1", code=0)
    assert story.writes() == {"PUT daily": 2, "PUT app-01": 1}


def test_an_immutable_vault_keeps_what_it_has(story: Story) -> None:
    """A shorter retention is blocked before anything is sent, with the way out; what is left is done."""
    story.begin(small(*IN_STEP[:2], immutability="Unlocked"), *POLICIES)
    story.write(SCOPE, RSV_WEU, {**DAILY, "retention": {"daily": {"days": 14}}}, PRODUCTION)
    document = json.loads(story.run("plan", "--format", "json").out)
    actions = {change["address"].rpartition(".")[2]: change for change in document["resource_changes"]}
    policy = actions["prod/rg-backup/rsv-weu/daily"]
    assert policy["change"]["actions"] == ["blocked"]
    assert "immutable" in policy["why"]
    assert policy["manual"]
    assert policy["steps"] == []
    story.run("apply", "--auto-approve")
    assert story.sent("PUT", "daily") == 0


def test_locking_a_vault_for_ever_takes_the_name_of_its_guard(story: Story) -> None:
    story.begin(small(*IN_STEP), SCOPE, {**RSV_WEU, "immutability": "Locked"}, DAILY, PRODUCTION)
    assert "G105" in story.run("apply", "--auto-approve", code=3).err
    assert story.writes() == {}
    story.run("apply", "--auto-approve", "--allow", "G105", code=0)
    assert story.writes() == {"PATCH rsv-weu": 2}
    story.write(SCOPE, {**RSV_WEU, "immutability": "Disabled"}, DAILY, PRODUCTION)
    blocked = story.run("plan", "--allow", "G104=1").out
    assert "Locked for ever" in blocked


def test_a_vm_that_the_policies_drop_is_kept_as_it_is_by_default(story: Story) -> None:
    story.begin(small(*IN_STEP), SCOPE, RSV_WEU, DAILY, FEWER)
    said = story.run("plan", "--detailed-exitcode", code=0).out
    assert "app-03" in said
    assert "keep" in said
    story.run("apply", "--auto-approve", code=0)
    assert story.writes() == {}
    assert properties(story, "app-03")["protectionState"] == "Protected"


def test_released_with_every_recovery_point(story: Story) -> None:
    story.begin(small(*IN_STEP), SCOPE, {**RSV_WEU, "onRelease": "stopRetain"}, DAILY, FEWER)
    story.run("apply", "--auto-approve", code=0)
    assert properties(story, "app-03")["protectionState"] == "ProtectionStopped"
    points = json.loads(story.arm("GET", f"{item_path('app-03')}/recoveryPoints").text)["value"]
    assert len(points) >= 25
    assert "No changes." in story.run("plan", "--detailed-exitcode", code=0).out


def test_backups_are_deleted_only_when_the_vault_and_the_person_say_so(story: Story) -> None:
    story.begin(small(*IN_STEP), SCOPE, {**RSV_WEU, "onRelease": "deleteData"}, DAILY, FEWER)
    refused = story.run("apply", "--auto-approve", code=3)
    assert "G103" in refused.err
    assert "--allow G103=1" in refused.err
    assert story.writes() == {}
    story.run("apply", "--auto-approve", "--allow", "G103=1", code=0)
    assert story.writes() == {"DELETE app-03": 1}
    assert "No changes." in story.run("plan", "--detailed-exitcode", code=0).out

    story.write(SCOPE, {**RSV_WEU, "onRelease": "deleteData"}, DAILY, PRODUCTION)
    undone = story.run("plan", code=0).out
    assert "app-03 will be undeleted" in undone
    story.run("apply", "--auto-approve", code=0)
    assert properties(story, "app-03")["policyName"] == "daily"
    assert "No changes." in story.run("plan", "--detailed-exitcode", code=0).out


def test_too_many_releases_at_once_are_refused(story: Story) -> None:
    """A selector that suddenly matches less must not stop the backups of an estate."""
    many = tuple(machine(f"web-{number:02}") for number in range(1, 11))
    estate = small(*IN_STEP, *(item(one["name"]) for one in many), machines=many)
    story.begin(estate, SCOPE, {**RSV_WEU, "onRelease": "stopRetain"}, DAILY, FEWER)
    said = story.run("apply", "--auto-approve", code=3).err
    assert "G102" in said
    assert "11 of 13" in said
    assert story.writes() == {}


def test_moved_out_of_a_foreign_vault_only_when_the_policies_say_so(story: Story) -> None:
    theirs = {
        "name": "rsv-theirs",
        "subscription": "Production",
        "resourceGroup": "rg-theirs",
        "location": "westeurope",
        "items": [item("app-03")],
    }
    estate = small(*IN_STEP[:2])
    estate["backup"]["vaults"].append(theirs)
    story.begin(estate, SCOPE, RSV_WEU, DAILY, PRODUCTION)
    assert "rsv-theirs" in story.run("plan", "--detailed-exitcode", code=0).out
    moving = {**PRODUCTION, "backup": {"policy": "daily", "moveFrom": ["rsv-theirs"]}}
    story.write(SCOPE, RSV_WEU, DAILY, moving)
    story.run("apply", "--auto-approve", code=0)
    assert story.writes() == {"PUT app-03": 2}, "stopped there, protected here"
    foreign = item_path("app-03", vault=VAULT.replace("rg-backup", "rg-theirs").replace("rsv-weu", "rsv-theirs"))
    assert json.loads(story.arm("GET", foreign).text)["properties"]["protectionState"] == "ProtectionStopped"
    assert json.loads(story.arm("GET", f"{foreign}/recoveryPoints").text)["value"]
    assert "No changes." in story.run("plan", "--detailed-exitcode", code=0).out


def test_the_estate_changes_and_the_policies_stay(story: Story) -> None:
    """A VM appears and is protected; one goes and its backups stay; one whose backups were deleted gets them back."""
    story.begin(small(*IN_STEP), SCOPE, RSV_WEU, DAILY, PRODUCTION)
    assert "No drift." in story.run("drift", code=0).out
    body = json.loads(story.arm("GET", f"{machine_path('app-01')}?api-version=2024-07-01").text)
    copy = {key: body[key] for key in ("location", "tags")}
    profile = {
        "hardwareProfile": {"vmSize": "Standard_B2s"},
        "storageProfile": {"osDisk": {"createOption": "FromImage", "osType": "Linux"}},
    }
    story.arm("PUT", f"{machine_path('app-04')}?api-version=2024-07-01", profile, **copy)
    story.arm("DELETE", f"{machine_path('app-02')}?api-version=2024-07-01")
    story.arm("DELETE", item_path("app-03"))
    story.azure.advance("15m")
    told = story.run("drift", code=2).out
    assert "app-04" in told
    assert "the VM is gone" in told
    changes = json.loads(story.run("drift", "--format", "json", code=2).out)["resource_drift"]
    verdicts = {change["address"].rpartition("/")[2]: change["change"]["actions"] for change in changes}
    assert verdicts == {"app-03": ["undelete"], "app-04": ["create"]}
    story.azure.clear_requests()
    story.run("apply", "--auto-approve", code=0)
    assert story.writes() == {"PUT app-03": 2, "PUT app-04": 1}
    again = story.run("plan", "--detailed-exitcode", code=0).out
    assert "app-02" in again, "its backups are told of, and left alone"
    assert properties(story, "app-02")["protectionState"] != "ProtectionStopped"


def test_an_objective_that_is_missed_although_nothing_differs(story: Story) -> None:
    """Three days of failing backups: the configuration is in step, the outcome is not."""
    promising = {**SCOPE, "defaults": {"objectives": {"rpo": "36h"}}}
    story.begin(small(*IN_STEP), promising, RSV_WEU, DAILY, PRODUCTION)
    assert "objective" not in story.run("drift", code=0).out
    failing = {"method": "BACKUP", "path": "*;app-02", "operation": "fails", "code": "ExtensionSnapshotFailedNoNetwork"}
    story.azure.add_fault(failing)
    story.azure.advance("3d")
    told = story.run("drift", code=0).out
    assert "no successful backup for 3 d" in told
    assert "ExtensionSnapshotFailedNoNetwork" in told
    assert "promised is 36h" in told
    findings = json.loads(story.run("drift", "--format", "json", code=0).out)["findings"]
    missed = {one["code"] for one in findings if one.get("address", "").endswith("app-02")}
    assert missed == {"backups-failing", "rpo-missed"}
    said = story.run("drift", "--fail-on", "objectives", code=2)
    assert "Counted as drift, as --fail-on asks: objectives." in said.told
    story.run("drift", "--fail-on", "uncovered", code=2)
    story.azure.clear_faults()
    story.azure.advance("1d")
    assert "promised is 36h" not in story.run("drift", code=0).out
