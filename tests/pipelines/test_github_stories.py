"""The GitHub workflows do what they promise: preview, merge, nights."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from reconciler.plan.file import load, save
from tests.pipelines.github import TOKEN, Event, GitHub
from tests.pipelines.shell import Machine
from tests.publish.conftest import FakeGitHub, Reply, Served, serve
from tests.stories.conftest import REPOSITORY, Story
from tests.stories.small_estate import DAILY, DEVELOPMENT, PRODUCTION
from tests.stories.three_way import EDIT, MERGED, Team

pytestmark = pytest.mark.story
IDS = {"AZURE_TENANT_ID": "tenant", "AZURE_CLIENT_ID": "reads", "AZURE_APPLY_CLIENT_ID": "writes"}
SHORTER = {"backup.yaml": [{**DAILY, "retention": {"daily": {"days": 14}}}, PRODUCTION, DEVELOPMENT]}
MAIN = "refs/heads/main"


@dataclass
class Shop:
    """A team, its repository on GitHub, and what GitHub shows."""

    team: Team
    github: GitHub
    page: FakeGitHub
    served: Served

    def pull_request(self, files: dict[str, Any], *, fork: bool = False) -> Event:
        """Somebody pushes to the branch of pull request 7; what is checked out is its merge with main."""
        main = self.main
        head = self.team.branch("topic", main, files)
        self.team.history.switch("merge", main)
        merge = self.team.commit(files, head)
        repository = {"full_name": "stranger/estate" if fork else "acme/estate"}
        payload = {"pull_request": {"number": 7, "head": {"repo": repository}}}
        return Event("pull_request", "refs/pull/7/merge", merge, "main", payload)

    def push(self, files: dict[str, Any]) -> Event:
        """Somebody merges."""
        self.team.history.switch("main")
        return Event("push", MAIN, self.team.commit(files))

    @property
    def main(self) -> str:
        return str(self.team.history.repo.refs[b"refs/heads/main"].decode())

    def night(self) -> Event:
        return Event("schedule", MAIN, self.main)


@pytest.fixture
def shop(story: Story) -> Iterator[Shop]:
    """What was merged first is applied."""
    team = Team(story)
    team.apply()
    page = FakeGitHub()
    with serve(page) as served:
        page.base = served.base
        yield Shop(team, GitHub(story, team.history, served.base, IDS), page, served)


def test_a_pull_request_has_one_comment_that_follows_its_pushes(shop: Shop) -> None:
    shop.team.stop_protection("app-01")
    writes = shop.team.story.writes()
    jobs = shop.github.run("preview.yml", shop.pull_request(EDIT))
    assert {name: job.result for name, job in jobs.items()} == {"validate": "success", "plan": "success"}
    [comment] = shop.page.comments
    first = comment["body"]
    assert first.startswith("<!-- reconciler:plan -->\n")
    assert "### Yours: this branch against origin/main" in first
    assert "### Drift: changed in Azure" in first
    assert first.strip() == jobs["plan"].summary.strip()
    assert shop.github.alerts.keys() == {"reconciler/validate/", "reconciler/plan/"}
    names = {path.name for path in shop.github.artefact("reconciler-preview").iterdir()}
    assert names == {"plan.json", "report.md", "report.html", "report.sarif", "report.xml"}
    assert all(TOKEN not in job.told for job in jobs.values())
    assert shop.team.story.writes() == writes, "a preview writes nothing to Azure"

    shop.github.run("preview.yml", shop.pull_request({**EDIT, **SHORTER}))
    [comment] = shop.page.comments
    assert "Refused by G104" in comment["body"], "the second push is told in the same comment"

    jobs = shop.github.run("preview.yml", shop.pull_request({"vaults.yaml": [{"kind": "Vault", "name": "rsv-weu"}]}))
    assert {name: job.result for name, job in jobs.items()} == {"validate": "failure", "plan": "failure"}
    [comment] = shop.page.comments
    assert "## There is no plan: it could not be made" in comment["body"], "the plan of the push before does not stay"
    assert "policies/vaults.yaml:" in comment["body"]
    assert shop.github.alerts["reconciler/validate/"], "and the diff shows where"


def test_a_fork_is_validated_and_gets_nothing_else(shop: Shop) -> None:
    shop.github.secrets = {"RECONCILER_NOTIFY": "https://hooks.example.com/verysecret"}
    requests = len(shop.team.story.azure.requests())
    jobs = shop.github.run("preview.yml", shop.pull_request(EDIT, fork=True))
    assert {name: job.result for name, job in jobs.items()} == {"validate": "success", "plan": "skipped"}
    assert [action for action, _ in jobs["validate"].used] == [
        "actions/checkout",
        "reconciler/reconciler",
        "actions/setup-python",
    ]
    for ran in jobs["validate"].ran:
        assert not [value for value in ran.environment.values() if "verysecret" in value or value in IDS.values()]
    assert "Valid: 3 files" in jobs["validate"].told
    assert shop.served.sent == []
    assert len(shop.team.story.azure.requests()) == requests, "Azure was not asked for anything"


def test_a_merge_is_planned_approved_and_applied_and_no_other_plan_is(shop: Shop) -> None:
    def swap(environment: str, artefacts: Path) -> bool:
        """Whole and loadable, but with a guard lifted that nobody was asked about."""
        file = artefacts / "reconciler-plan" / "plan.json"
        save(msgspec.structs.replace(load(file), allowed=("G104=99",)), file)
        return True

    shop.github.approve = swap
    before, writes, event = shop.team.stamps(), shop.team.story.writes(), shop.push(MERGED)
    jobs = shop.github.run("apply.yml", event)
    assert (jobs["plan"].result, jobs["apply"].result) == ("success", "failure")
    assert "is not the plan that --digest names; nothing was changed" in jobs["apply"].told
    assert (shop.team.stamps(), shop.team.story.writes()) == (before, writes)

    asked: list[str] = []
    shop.github.approve = lambda environment, artefacts: asked.append(environment) is None
    jobs = shop.github.run("apply.yml", event)
    assert {name: job.result for name, job in jobs.items()} == {"plan": "success", "apply": "success"}
    assert asked == ["production"]
    identities = [given["client-id"] for job in jobs.values() for action, given in job.used if action == "azure/login"]
    assert identities == ["reads", "writes"]
    assert {stamp["commit"] for stamp in shop.team.stamps().values()} == {event.commit}
    assert list(shop.github.artefact("reconciler-journal").iterdir()), "the journal outlives the machine"
    assert shop.team.story.run("drift").code == 0
    for job in jobs.values():
        assert job.machine
        *pinned, ours = job.machine.installed
        assert [install[-3:-1] for install in pinned] == [["--require-hashes", "-r"]]
        assert Path(pinned[0][-1]).is_file()
        assert ours[-3:] == ["--no-deps", "--no-build-isolation", str(REPOSITORY)]


def test_without_approval_or_with_a_guard_in_the_way_nothing_is_applied(shop: Shop) -> None:
    before = shop.team.stamps()
    shop.github.approve = lambda environment, artefacts: False
    assert shop.github.run("apply.yml", shop.push(MERGED))["apply"].ran == []
    shop.github.approve = lambda environment, artefacts: True
    jobs = shop.github.run("apply.yml", shop.push(SHORTER))
    assert (jobs["plan"].result, jobs["apply"].result) == ("failure", "skipped")
    assert "add --allow G104=" in jobs["plan"].told
    assert shop.team.stamps() == before

    by_hand = Event("workflow_dispatch", MAIN, shop.main, inputs={"allow": "G104=99  G101=99"})
    jobs = shop.github.run("apply.yml", by_hand)
    assert (jobs["plan"].result, jobs["apply"].result) == ("success", "success")
    assert {stamp["commit"] for stamp in shop.team.stamps().values()} == {shop.main}
    elsewhere = Event("workflow_dispatch", "refs/heads/topic", shop.main, inputs={"allow": "G104=99"})
    assert {job.result for job in shop.github.run("apply.yml", elsewhere).values()} == {"skipped"}


def test_a_drift_is_one_issue_until_it_is_healed_and_a_night_that_cannot_tell_rings(shop: Shop) -> None:
    shop.team.stop_protection("app-01")
    assert shop.github.run("drift.yml", shop.night())["drift"].result == "success"
    [issue] = shop.page.issues
    assert (issue["state"], "app-01" in issue["body"]) == ("open", True)
    assert issue["title"] == "Nightly drift check needs attention"

    shop.team.stop_protection("app-02")
    shop.github.run("drift.yml", shop.night())
    [issue] = shop.page.issues
    assert "app-02" in issue["body"]
    assert len(shop.page.notes[issue["number"]]) == 1, "whoever watches it is told what is new"

    shop.team.apply()
    assert shop.github.run("drift.yml", shop.night())["drift"].result == "success"
    [issue] = shop.page.issues
    assert issue["state"] == "closed"

    with serve(lambda sent: Reply(200)) as bell:
        shop.github.secrets = {"RECONCILER_NOTIFY": f"{bell.base}/verysecret"}
        shop.team.story.environment["RECONCILER_CLOUD"] = "https://127.0.0.1:9"
        job = shop.github.run("drift.yml", shop.night())["drift"]
        assert job.result == "failure"
        assert "not known whether Azure is as the policies say" in job.told
        [_, issue] = shop.page.issues
        assert "Not known whether Azure is as the policies say" in issue["body"]
        assert [sent.body["exit_code"] for sent in bell.sent] == [1]
        assert "verysecret" not in job.told + json.dumps(shop.page.issues)


def test_an_argument_is_one_argument_whatever_stands_in_it(story: Story, tmp_path: Path) -> None:
    """Lines of `arguments` and words of `allow` reach the command as they are: no shell reads them."""
    machine = Machine.of(story, tmp_path / "machine")
    spy = tmp_path / "machine" / "tools" / "reconciler"
    spy.write_text('#!/bin/bash\nprintf "<%s>\\n" "$@"\n')
    spy.chmod(0o755)
    files = {name: str(tmp_path / name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    given = {
        "COMMAND": "plan",
        "ARGUMENTS": "--target\nvm.*; touch broken $(touch broken) `touch broken`\n\n--detailed-exitcode\n",
        "ALLOW": " G104=3  * $(touch broken)",
        "BASE": "origin/a b",
        "REPORTS": "reports",
        "ACCEPT": "0",
    }
    script = f'bash "{REPOSITORY}/pipelines/github/run.sh"'
    ran = machine.bash("run", script, {**files, **given}, cwd=tmp_path)
    assert ran.code == 0, ran.out
    told = ran.out.splitlines()
    assert told[0] == "<plan>"
    assert told[-8:] == [
        "<--target>",
        "<vm.*; touch broken $(touch broken) `touch broken`>",
        "<--detailed-exitcode>",
        "<--base=origin/a b>",
        "<--allow=G104=3>",
        "<--allow=*>",
        "<--allow=$(touch>",
        "<--allow=broken)>",
    ]
    assert not (tmp_path / "broken").exists()
    refused = machine.bash("run", script, {**files, **given, "COMMAND": "plan; touch broken"}, cwd=tmp_path)
    assert refused.code == 1
    assert not (tmp_path / "broken").exists()
