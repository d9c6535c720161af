"""Drift has an author: the Activity Log names who wrote last to what is not as it was declared."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.stories.conftest import REPOSITORY, Story
from tests.stories.small_estate import POLICIES, PROD, VAULT, item, item_path, protection, small

pytestmark = pytest.mark.story

ALICE = "alice@example.com"
PIPELINE = "5e6f7a8b-0000-4000-8000-00000000c1c1"
ITEMS = (item("app-01"), item("app-02"), item("app-03"))
RIGHT = "Microsoft.Insights/eventtypes/values/read"


def drift_by_two(story: Story, **estate: Any) -> None:
    """Alice gives one VM another policy, a pipeline stops the backups of another."""
    story.begin({**small(*ITEMS), **estate}, *POLICIES)
    short = f"{VAULT}/backupPolicies/short"
    story.arm("PUT", item_path("app-01"), protection("app-01", policyId=short), caller=ALICE)
    stopped = protection("app-02", policyId="", protectionState="ProtectionStopped")
    story.arm("PUT", item_path("app-02"), stopped, caller=PIPELINE)


def test_drift_names_a_person_and_another_pipeline(story: Story) -> None:
    drift_by_two(story)
    said = story.run("drift", code=2).out
    assert f"UTC by {ALICE}: Microsoft.RecoveryServices/vaults/backupFabrics/" in said
    assert f"UTC by {PIPELINE}: " in said
    assert "az monitor activity-log list" not in said
    found = json.loads(story.run("drift", "--format", "json", code=2).out)["resource_drift"]
    writers = {entry["address"]: entry["last_writes"]["writes"][0] for entry in found if "last_writes" in entry}
    assert {address.rpartition("/")[2]: write["caller"] for address, write in writers.items()} == {
        "app-01": ALICE,
        "app-02": PIPELINE,
    }
    assert all(write["operation"].endswith("/protectedItems/write") for write in writers.values())
    assert all(write["correlation_id"] for write in writers.values())


def test_who_may_not_read_the_log_still_sees_the_drift(story: Story) -> None:
    role = json.loads((REPOSITORY / "docs" / "roles" / "plan.json").read_text(encoding="utf-8"))
    actions = [*(action for action in role["Actions"] if action != RIGHT), "*/write"]
    assert len(actions) == len(role["Actions"])
    subscriptions = small()["subscriptions"]
    held = [{"scope": f"/subscriptions/{one['id']}", "actions": actions, "notActions": []} for one in subscriptions]
    drift_by_two(story, roleAssignments=held)
    said = story.run("drift", code=2).out
    assert f"your identity may not read the Activity Log ({RIGHT}) of subscription {PROD}" in said
    assert ALICE not in said


def test_after_ninety_days_nobody_knows(story: Story) -> None:
    drift_by_two(story)
    story.azure.advance("91d")
    said = story.run("drift", code=2).out
    told = "Who changed 2 resources is not known: nothing in the Activity Log of the last 90 days"
    assert said.count(told) == said.count("last 90 days") == 1, "said once, not of each"


def test_a_vm_that_is_protected_no_more_names_who_deleted_its_backups(story: Story) -> None:
    """Its item is gone, and was where it will be again. Of a VM that never had one nothing is told."""
    story.begin(small(item("app-01"), item("app-02"), softDelete={"state": "Disabled"}), *POLICIES)
    story.arm("DELETE", item_path("app-01"), caller=ALICE)
    story.azure.advance("1h")
    found = json.loads(story.run("drift", "--format", "json", code=2).out)["resource_drift"]
    told = {entry["address"].rpartition("/")[2]: entry.get("last_writes") for entry in found}
    assert told["app-01"]["writes"][0]["operation"].endswith("/protectedItems/delete")
    assert told["app-01"]["writes"][0]["caller"] == ALICE
    assert told["app-03"] is None


def test_nobody_is_asked_about_who_does_not_want_to_know(story: Story) -> None:
    drift_by_two(story)
    said = story.run("drift", "--no-activity-log", code=2).out
    assert ALICE not in said
    assert "az monitor activity-log list" in said
    assert not [entry for entry in story.azure.requests() if "eventtypes" in entry["path"]]


def test_nothing_is_asked_where_nothing_drifted(story: Story) -> None:
    story.begin(small(*ITEMS), *POLICIES)
    story.run("apply", "--auto-approve", code=0)
    story.run("drift", code=0)
    story.run("plan", code=0)
    assert not [entry for entry in story.azure.requests() if "eventtypes" in entry["path"]]


def test_a_name_on_the_command_line_is_the_caller(story: Story) -> None:
    story.begin(small(*ITEMS), *POLICIES)
    body = json.dumps({"properties": protection("app-01", policyId=f"{VAULT}/backupPolicies/short")})
    path = f"{item_path('app-01')}?api-version=2026-05-01"
    story.run("emulator", "arm", "PUT", path, "--body", body, "--as", "carol@example.com", code=0)
    assert "by carol@example.com: " in story.run("drift", code=2).out
