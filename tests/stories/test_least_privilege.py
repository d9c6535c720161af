"""The two role definitions that the README hands out: one to plan, one to apply, and not a right more."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reconciler.emulator.estate import SAMPLE, read
from tests.stories.conftest import REPOSITORY, Story
from tests.stories.small_estate import CLOCK, DAILY, PRODUCTION, RSV_WEU, SCOPE, item, small
from tests.stories.three_way import IN_STEP, Team

pytestmark = pytest.mark.story


def given(role: str, estate: dict[str, Any]) -> dict[str, Any]:
    """The estate, where the identity holds this role on every subscription and nothing else."""
    definition = json.loads((REPOSITORY / "docs" / "roles" / f"{role}.json").read_text(encoding="utf-8"))
    assignments = [
        {
            "scope": f"/subscriptions/{subscription['id']}",
            "actions": definition["Actions"],
            "notActions": definition["NotActions"],
        }
        for subscription in estate["subscriptions"]
    ]
    return {**estate, "clock": CLOCK, "roleAssignments": assignments}


def test_the_role_to_plan_plans_and_cannot_apply(sample: Story) -> None:
    sample.begin(given("plan", read(SAMPLE)))
    sample.run("plan", "--detailed-exitcode", code=2)
    sample.run("drift", code=2)
    assert "protected by production-web-and-apps" in sample.run("explain", "web-01", code=0).out
    said = sample.run("apply", "--auto-approve", code=1)
    assert "Microsoft.RecoveryServices/vaults/backupPolicies/write" in said.told
    assert "nothing was changed" in said.err
    sent = {entry["method"] for entry in sample.azure.requests()}
    assert sent == {"GET"}, "refused before the first write"


def test_the_role_to_apply_brings_the_whole_sample_in_step(sample: Story) -> None:
    sample.begin(given("apply", read(SAMPLE)))
    sample.run("apply", "--auto-approve", code=0)
    sample.run("plan", "--detailed-exitcode", code=0)
    assert 403 not in {entry["status"] for entry in sample.azure.requests()}


def test_the_role_to_apply_leaves_its_stamp(story: Story) -> None:
    team = Team(story)
    story.azure.reset(estate=given("apply", small(*IN_STEP)))
    team.apply()
    story.run("drift", code=0)
    assert 403 not in {entry["status"] for entry in story.azure.requests()}
    assert team.stamps()["rsv-weu"]["commit"] == team.first


def test_the_role_to_apply_cannot_delete_backups(story: Story) -> None:
    """Even where the policies and the person ask for it, it takes an action that has to be added to the role."""
    estate = given("apply", small(item("app-01"), item("app-02"), item("app-03")))
    one = {**PRODUCTION, "select": {"names": ["app-01", "app-02"]}}
    story.begin(estate, SCOPE, {**RSV_WEU, "onRelease": "deleteData"}, DAILY, one)
    said = story.run("apply", "--auto-approve", "--allow", "G103=1", code=1)
    assert "protectedItems/delete" in said.told
    assert story.writes() == {}
