"""Git as the base: what a branch changes, what is merged and waits, what somebody changed in Azure: three things."""

from __future__ import annotations

import json
import shutil
import signal

import pytest

from tests.stories.conftest import Story
from tests.stories.small_estate import DAILY, DEVELOPMENT, PRODUCTION, RSV_DEV, RSV_WEU, SCOPE
from tests.stories.three_way import (
    EDIT,
    EDIT_OF_DRIFT,
    MERGED,
    Team,
    copy_of,
    findings,
    spell,
)

pytestmark = pytest.mark.story
PROD_VAULT, DEV_VAULT = "vault.prod/rg-backup/rsv-weu", "vault.dev/rg-backup-dev/rsv-dev"
PROD_DAILY, DEV_DAILY = "backup_policy.prod/rg-backup/rsv-weu/daily", "backup_policy.dev/rg-backup-dev/rsv-dev/daily"
APP = "protected_vm.prod/rg-app/app-01"


def test_a_pull_request_from_the_first_apply_to_the_last(story: Story) -> None:
    team = Team(story)
    assert team.stamps() == {"rsv-weu": {}, "rsv-dev": {}}
    team.apply()
    stamps = team.stamps()
    assert stamps["rsv-weu"] == stamps["rsv-dev"]
    assert stamps["rsv-weu"]["commit"] == team.first
    story.run("drift", code=0)

    merged = team.commit(MERGED)  # merged, and nobody applies it
    waiting = story.run("drift", code=0)
    assert team.first[:10] in waiting.told, "drift says what it measures by"
    assert "1 commit since then change" in waiting.out, "and that something waits"
    team.stop_protection("app-01")
    story.run("drift", code=2)

    team.branch("owner", merged, EDIT)
    assert team.origins("--base", "main") == {APP: "drift", PROD_VAULT: "mine", DEV_VAULT: "pending"}
    plan = team.plan("--base", "main")
    assert plan["base"]["ref"] == "main"
    assert (plan["base"]["commit"], plan["base"]["applied"]) == (merged, team.first)
    entries = {entry["address"]: entry["provenance"] for entry in plan["resource_changes"]}
    assert entries[PROD_VAULT] == {"origin": "mine", "edited": ["tags.owner"]}
    assert entries[DEV_VAULT] == {"origin": "pending", "pending": ["tags.owner"]}

    team.keep(35)
    team.branch("longer", merged, EDIT_OF_DRIFT)
    assert team.origins("--base", "main") == {
        APP: "drift",
        PROD_DAILY: "both",
        DEV_DAILY: "mine",
        DEV_VAULT: "pending",
    }
    assert PROD_DAILY in [entry["address"] for entry in drift_of(story)], "a branch hides no drift"
    assert DEV_DAILY not in [entry["address"] for entry in drift_of(story)], "and adds none"

    team.history.switch("main", merged)
    team.commit({**EDIT, **EDIT_OF_DRIFT})
    assert team.origins("--base", "none") == {
        **dict.fromkeys((PROD_VAULT, DEV_VAULT, DEV_DAILY), "mine"),
        APP: "drift",
        PROD_DAILY: "both",
    }
    story.run("drift", code=2)
    mine = team.apply("--only", "mine")
    assert "1 change left out by --only mine (1 drift)" in mine.told
    assert team.stamps()["rsv-weu"]["commit"] == team.history.head, "what is left is drift, and told as such"
    assert [entry["address"] for entry in drift_of(story)] == [APP]
    team.apply("--only", "drift")
    story.run("drift", code=0)
    story.run("plan", "--detailed-exitcode", code=0)


def drift_of(story: Story) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(story.run("drift", "--format", "json").out)["resource_drift"]
    return found


def test_only_drift_leaves_the_stamp_alone(story: Story) -> None:
    team = Team(story)
    team.apply()
    team.commit(MERGED)
    team.stop_protection("app-01")
    team.apply("--only", "drift")
    assert story.writes()["PUT app-01"] >= 1
    assert team.stamps()["rsv-weu"]["commit"] == team.first
    story.run("drift", code=0)
    assert team.origins() == {DEV_VAULT: "mine"}


def test_a_saved_plan_of_one_origin_is_carried_out_as_it_is(story: Story) -> None:
    team = Team(story)
    team.apply()
    team.stop_protection("app-01")
    team.branch("owner", team.first, {"vaults.yaml": EDIT["vaults.yaml"]})
    story.run("plan", "--base", "main", "--only", "mine", "--out", "plan.json", code=0)
    assert json.loads((story.folder / "plan.json").read_text(encoding="utf-8"))["only"] == "mine"
    for option in (("--only", "mine"), ("--base", "main")):
        assert "belong to `plan --out`" in story.run("apply", "plan.json", *option, code=1).err
    story.run("apply", "plan.json", code=0, RECONCILER_BASE="main")
    assert [entry["address"] for entry in drift_of(story)] == [APP]


def test_nothing_is_stamped_but_the_whole(story: Story) -> None:
    """A part, and an apply that somebody ended before it began, say nothing of what is applied."""
    team = Team(story)
    team.apply("--target", "vault.*")
    assert team.stamps()["rsv-weu"] == {}
    team.stop_protection("app-01")
    story.run("plan", "--out", "plan.json", code=0)
    team.stop_protection("app-02")
    story.run("apply", "plan.json", code=0)
    assert team.stamps()["rsv-weu"]["commit"] == team.first, "a saved plan was the whole when it was made"


def test_whoever_was_asked_to_stop_stamps_nothing(story: Story) -> None:
    """By Ctrl-C, or by a lock that was lost: another apply may have stamped by then."""
    team = Team(story)
    team.stop_protection("app-01")
    story.run("plan", "--detailed-exitcode", code=2)
    before = story.writes()["PUT app-01"]
    story.stand_still()
    apply = story.start("apply", "--auto-approve")
    story.until(lambda: story.writes()["PUT app-01"] > before)
    apply.process.send_signal(signal.SIGINT)
    apply.line("topping")
    story.go_on()
    said = apply.end()
    assert "1 done" in said.out
    assert team.stamps()["rsv-weu"] == {}
    team.apply()
    assert team.stamps()["rsv-weu"]["commit"] == team.first


def test_a_stamp_that_cannot_be_written_is_told(story: Story) -> None:
    team = Team(story)
    fault = {"path": "*rsv-weu*tags*", "status": 403, "code": "AuthorizationFailed", "message": "no tags for you"}
    story.azure.ask("POST", "faults", fault)
    said = team.apply(code=4)
    assert "Not stamped" in said.err
    assert "rsv-weu" in said.err
    assert team.stamps()["rsv-dev"]["commit"] == team.first


def test_renamed_files_change_nothing(story: Story) -> None:
    team = Team(story)
    team.apply()
    files = {f"policies/{name}": None for name in ("scope.yaml", "vaults.yaml", "backup.yaml")}
    moved = {f"policies/{path.name}.yml": path.read_text() for path in (team.root / "policies").iterdir()}
    team.history.commit({**files, **moved})
    team.stop_protection("app-01")
    assert team.origins("--base", "HEAD~1") == {APP: "drift"}
    said = story.run("drift", code=2)
    assert "not applied yet" not in said.told


def test_a_folder_that_lay_elsewhere_is_found_and_told(story: Story) -> None:
    team = Team(story)
    team.apply()
    team.commit(MERGED)
    there = {f"policies/{path.name}": None for path in (team.root / "policies").iterdir()}
    here = {f"azure/dr/{path.name}": path.read_text() for path in (team.root / "policies").iterdir()}
    team.history.commit({**there, **here})
    story.environment["RECONCILER_POLICIES"] = str(team.root / "azure" / "dr")
    plan = team.plan("--base", "HEAD~1")
    assert "policies lay in policies there" in findings(plan)["base-elsewhere"]["message"]
    assert [entry["provenance"]["origin"] for entry in plan["resource_changes"]] == ["pending"]


def test_a_work_tree_that_is_not_committed(story: Story) -> None:
    """What is on disk counts; its stamp tells no commit, and is right as long as the same policies are there."""
    team = Team(story)
    (team.root / "policies" / "vaults.yaml").write_text(spell(MERGED["vaults.yaml"]), encoding="utf-8")
    assert team.plan("--base", "HEAD")["base"]["dirty"] is True
    team.apply()
    assert team.stamps()["rsv-weu"]["commit"] == f"{team.first}+dirty"
    story.run("drift", code=0)
    merged = team.commit(MERGED)
    story.run("drift", code=0)
    team.commit({"vaults.yaml": EDIT["vaults.yaml"]}, onto=merged)
    said = story.run("drift", code=1)
    assert "were not as committed" in said.err
    assert "apply from a clean checkout" in said.err
    assert team.origins("--base", "HEAD~1") == {PROD_VAULT: "mine"}, "the base has what was applied"
    assert "not as committed" in findings(team.plan("--base", "HEAD"))["applied-unknown"]["message"]
    assert "nothing tells" in story.run("plan", "--only", "mine", code=1).err


def test_a_shallow_clone(story: Story) -> None:
    team = Team(story)
    team.apply()
    merged = team.commit(MERGED)
    team.branch("owner", merged, EDIT)
    team.history.shorten(team.history.head)
    said = story.run("plan", "--base", "main", code=1)
    assert "shallow" in said.err
    assert "fetch" in said.err
    implied = team.plan(GITHUB_BASE_REF="main", code=0)
    assert findings(implied)["no-base"]["severity"] == "warning"
    assert "applied-unknown" in findings(implied)
    assert all("provenance" not in entry for entry in implied["resource_changes"])
    assert "shallow" in story.run("drift", code=1).err
    team.history.switch("same", team.history.head)
    team.commit({"vaults.yaml": [RSV_WEU, RSV_DEV]})
    story.run("drift", code=0)  # what was applied is known by its digest: no history is needed for it


@pytest.mark.parametrize("ref", ["mian", "0" * 40])
def test_a_base_that_is_not_there(story: Story, ref: str) -> None:
    team = Team(story)
    said = story.run("plan", "--base", ref, code=1)
    assert ref[:10] in said.err
    assert "next:" in said.err
    assert story.run("plan", code=1, RECONCILER_BASE=ref).err == said.err
    implied = team.plan(SYSTEM_PULLREQUEST_TARGETBRANCH="refs/heads/gone")
    assert "origin/gone" in findings(implied)["no-base"]["message"]


def test_the_scope_names_the_base(story: Story) -> None:
    team = Team(story)
    team.commit({"scope.yaml": [{**SCOPE, "base": "main"}]})
    team.history.switch("main", team.history.head)
    team.branch("owner", team.history.head, {"vaults.yaml": EDIT["vaults.yaml"]})
    plan = team.plan()
    assert plan["base"]["ref"] == "main"
    assert team.origins() == {PROD_VAULT: "mine", DEV_VAULT: "mine"}
    assert "base" not in team.plan("--base", "none")


def test_after_a_merge_what_is_mine_is_what_was_not_applied(story: Story) -> None:
    """The pipeline, its variables and the Scope name the branch that everything is merged into: an apply goes by none
    of them."""
    team = Team(story)
    team.commit({"scope.yaml": [{**SCOPE, "base": "main"}]})
    team.apply()
    team.commit(EDIT)
    team.history.switch("main", team.history.head)
    team.stop_protection("app-01")
    story.environment |= {"RECONCILER_BASE": "main", "GITHUB_BASE_REF": "main"}
    team.apply("--only", "mine")
    assert [entry["address"] for entry in drift_of(story)] == [APP], "what is mine came, what is drift stayed"
    assert team.stamps()["rsv-weu"]["commit"] == team.history.head


def test_a_base_that_is_not_valid(story: Story) -> None:
    team = Team(story)
    team.commit({"backup.yaml": [{**DAILY, "tier": "Bronze"}, PRODUCTION, DEVELOPMENT]})
    team.branch("mend", team.history.head, {"backup.yaml": [DAILY, PRODUCTION, DEVELOPMENT], **EDIT})
    plan = team.plan("--base", "HEAD~1")
    told = findings(plan)["no-base"]
    assert told["severity"] == "warning"
    assert "Bronze" in told["message"]
    assert all("provenance" not in entry for entry in plan["resource_changes"])


def test_a_branch_that_lacks_what_was_applied(story: Story) -> None:
    team = Team(story)
    team.apply()
    merged = team.commit(MERGED)
    team.apply()
    team.branch("old", team.first, {"vaults.yaml": [{**RSV_WEU, "tags": {"owner": "platform"}}, RSV_DEV]})
    plan = team.plan("--base", team.first)
    assert merged[:10] in findings(plan)["behind"]["message"]
    assert "rebase" in findings(plan)["behind"]["advice"]
    story.run("drift", code=0)


def test_outside_of_git(story: Story) -> None:
    """The digest alone tells what is applied, as long as it is the same; nothing is stamped anew, and no stamp lies."""
    team = Team(story)
    story.environment["RECONCILER_POLICIES"] = str(copy_of(team.root / "policies", story.folder / "archive"))
    team.apply()
    assert team.stamps()["rsv-weu"] == {}
    assert "no git repository" in story.run("plan", "--base", "main", code=1).err
    story.run("drift", code=0)
    story.run("apply", "--auto-approve", "--policies", str(team.root / "policies"), code=0)
    assert team.stamps()["rsv-weu"]["commit"] == team.first
    story.run("drift", code=0)
    (story.folder / "archive" / "vaults.yaml").write_text(spell(MERGED["vaults.yaml"]), encoding="utf-8")
    assert "no git repository to look" in story.run("drift", code=1).err
    team.apply()
    assert team.stamps()["rsv-weu"]["commit"] == ""
    story.run("drift", code=0)


def test_a_repository_that_cannot_be_read(story: Story) -> None:
    """The plan goes on without it, as long as nobody asks for a base; drift says what is the matter."""
    team = Team(story)
    team.apply()
    team.commit(MERGED)
    shutil.rmtree(team.root / ".git" / "objects")
    assert "applied-unknown" in findings(team.plan())
    assert "no-base" in findings(team.plan(GITHUB_BASE_REF="main"))
    for command in ("drift", "plan --base main"):
        said = story.run(*command.split(), code=1)
        assert "repository" in said.err
        assert "next:" in said.err


def test_azure_that_does_not_tell(story: Story) -> None:
    """Where no list of vaults can be read, nothing is told apart, and nothing is called drift for sure."""
    team = Team(story)
    team.apply()
    team.commit(MERGED)
    fault = {"path": "*/Microsoft.RecoveryServices/vaults", "status": 403, "code": "AuthorizationFailed"}
    story.azure.ask("POST", "faults", {**fault, "message": "denied"})
    plan = team.plan(code=4)
    assert "applied-unknown" in findings(plan)
    story.run("drift", code=4)
