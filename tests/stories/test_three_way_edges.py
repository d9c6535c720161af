"""Corners of git as the base: branches that lag, commits that are gone, plans of another checkout, repositories that
share a vault."""

from __future__ import annotations

from typing import Any

import pytest

from tests.desired.history import History
from tests.stories.conftest import Story
from tests.stories.small_estate import DAILY, DEV, DEVELOPMENT, PRODUCTION, RSV_DEV, RSV_WEU, SCOPE, VAULT
from tests.stories.three_way import EDIT, EDIT_OF_DRIFT, Team, findings, spell

pytestmark = pytest.mark.story
PROD_VAULT = "vault.prod/rg-backup/rsv-weu"
PROD_DAILY, DEV_DAILY = "backup_policy.prod/rg-backup/rsv-weu/daily", "backup_policy.dev/rg-backup-dev/rsv-dev/daily"
HOURLY: dict[str, Any] = {"kind": "SnapshotSchedule", "name": "often", "every": "6h", "keep": {"count": 4}}


def test_a_branch_that_lags_is_not_told_that_the_next_apply_does_it_anyway(story: Story) -> None:
    """What main has and this branch lacks is applied already: only an apply from here would change it."""
    team = Team(story)
    team.apply()
    team.commit(EDIT_OF_DRIFT)
    team.apply()
    team.branch("owner", team.first, EDIT)
    said = story.run("plan", "--base", "main", code=3)
    assert "Outdated: applied since, and not in these policies" in said.out
    assert "merged, not applied yet" not in said.out
    assert "2 more changes are outdated" in said.out
    plan = team.plan("--base", "main", code=3)
    assert plan["base"]["behind"] is True
    assert "an apply of them would take it back" in findings(plan)["behind"]["message"]


def test_a_file_that_is_moved_and_edited(story: Story) -> None:
    team = Team(story)
    team.apply()
    team.history.switch("moved", team.first)
    moved = {"policies/vaults.yaml": None, "policies/backup.yaml": None}
    documents = [DEVELOPMENT, RSV_DEV, DAILY, {**RSV_WEU, "tags": {"owner": "platform"}}, PRODUCTION]
    team.history.commit({**moved, "policies/deep/all.yaml": spell(documents)})
    assert team.origins("--base", "main") == {PROD_VAULT: "mine"}


def test_the_first_snapshots_of_a_schedule_belong_to_whoever_writes_it(story: Story) -> None:
    team = Team(story)
    team.apply()
    wanted = {**PRODUCTION, "snapshots": {"schedule": "often"}}
    team.branch("snapshots", team.first, {"backup.yaml": [DAILY, HOURLY, wanted, DEVELOPMENT]})
    assert set(team.origins("--base", "main").values()) == {"mine"}
    team.apply("--only", "mine")
    assert team.stamps()["rsv-weu"]["commit"] == team.history.head


def test_a_plan_that_was_saved_in_another_checkout(story: Story) -> None:
    team = Team(story)
    team.apply()
    stamps = team.stamps()
    edited = team.branch("edit", team.first, EDIT)
    story.run("plan", "--base", "main", "--out", "plan.json", code=0)
    team.history.detach(team.first)
    said = story.run("apply", "plan.json", code=3)
    assert "the policies are not the ones it was made from" in said.err
    assert team.stamps() == stamps
    team.history.detach(edited)
    story.run("apply", "plan.json", code=0)
    assert team.stamps()["rsv-weu"]["commit"] == edited


def test_the_applied_commit_is_gone_for_good(story: Story) -> None:
    """Rebased away, say: the night refuses and names the way out, and that way works."""
    team = Team(story)
    team.apply()
    lost = {
        "reconciler-commit": "d" * 40,
        "reconciler-policies": "e" * 64,
        "reconciler-applied": "2026-03-02T08:05:00Z",
    }
    story.arm("PATCH", f"{VAULT}/providers/Microsoft.Resources/tags/default", {"tags": lost}, operation="Merge")
    said = story.run("drift", code=1)
    assert "the policies that were last applied (commit dddddddddd" in said.err
    assert "apply the policies here" in said.err
    told = findings(team.plan())
    assert "vault rsv-dev says commit" in told["stamp-disputed"]["message"]
    assert "applied-unknown" in told
    team.apply()
    story.run("drift", code=0)


def test_two_repositories_that_share_a_vault(story: Story) -> None:
    """Each apply says what it has applied; neither takes the other's word for its own."""
    team = Team(story)
    team.apply()
    theirs = History(story.folder / "theirs")
    scope = {**SCOPE, "subscriptions": {"dev": DEV}}
    theirs.commit({"policies/all.yaml": spell([scope, RSV_DEV, DAILY, DEVELOPMENT])})
    ours = story.environment["RECONCILER_POLICIES"]
    story.environment["RECONCILER_POLICIES"] = str(story.folder / "theirs" / "policies")
    assert "of another repository" in story.run("drift", code=1).err
    team.apply()
    story.run("drift", code=0)
    story.environment["RECONCILER_POLICIES"] = ours
    assert "of another repository" in story.run("drift", code=1).err
    assert "stamp-disputed" in findings(team.plan())


def test_rolled_back(story: Story) -> None:
    """An older commit is applied once more: that is an edit of whoever does it, and drift is measured by it then."""
    team = Team(story)
    team.apply()
    team.commit(EDIT_OF_DRIFT)
    team.apply()
    team.history.detach(team.first)
    assert team.origins(code=3) == {PROD_DAILY: "mine", DEV_DAILY: "mine"}
    team.apply("--allow", "G104=2")
    assert team.stamps()["rsv-dev"]["commit"] == team.first
    story.run("drift", code=0)
