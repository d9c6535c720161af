"""The Azure pipelines do what they promise: preview, merge, nights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from reconciler.plan.file import load, save
from tests.pipelines.azure_devops import TOKEN, AzureDevOps, Job
from tests.publish.conftest import FakeAzureDevOps, Reply, Served, serve
from tests.stories.conftest import Story
from tests.stories.small_estate import DAILY, DEVELOPMENT, PRODUCTION
from tests.stories.three_way import EDIT, MERGED, Team

pytestmark = pytest.mark.story
SHORTER = {"backup.yaml": [{**DAILY, "retention": {"daily": {"days": 14}}}, PRODUCTION, DEVELOPMENT]}
ON_MAIN = {"Build.Reason": "IndividualCI", "Build.SourceBranch": "refs/heads/main"}


@dataclass
class Shop:
    team: Team
    devops: AzureDevOps
    page: FakeAzureDevOps
    served: Served

    def preview(self, files: dict[str, Any], *, fork: bool = False) -> dict[str, Job]:
        """A push to the branch of pull request 7; what is checked out is its merge with main."""
        head = self.team.branch("topic", self.team.first, files)
        self.team.history.switch("merge", self.team.first)
        variables = {
            "Build.Reason": "PullRequest",
            "Build.SourceBranch": "refs/pull/7/merge",
            "System.PullRequest.IsFork": str(fork),
            "System.PullRequest.PullRequestId": "7",
            "System.PullRequest.TargetBranch": "refs/heads/main",
        }
        return self.devops.run("preview.yml", self.team.commit(files, head), variables)

    def on_main(self, files: dict[str, Any] | None = None) -> str:
        self.team.history.switch("main")
        return self.team.commit(files) if files else self.team.history.head


@pytest.fixture
def shop(story: Story) -> Iterator[Shop]:
    team = Team(story)
    team.apply()
    page = FakeAzureDevOps()
    with serve(page) as served:
        page.base = served.base
        yield Shop(team, AzureDevOps(story, team.history, served.base), page, served)


def results(jobs: dict[str, Job]) -> dict[str, str]:
    return {name: job.result for name, job in jobs.items()}


def test_a_pull_request_has_one_comment_and_a_fork_is_only_validated(shop: Shop) -> None:
    shop.team.stop_protection("app-01")
    jobs = shop.preview({**EDIT, **SHORTER})
    assert results(jobs) == {"validate": "success", "plan": "success"}, jobs["plan"].told
    [[comment]] = [thread["comments"] for thread in shop.page.threads]
    assert "### Yours: this branch against origin/main" in comment["content"]
    assert "### Drift: changed in Azure" in comment["content"]
    assert "Refused by G104" in comment["content"], "told, and no failure: the merge can lift it"

    sent, asked = len(shop.served.sent), len(shop.team.story.azure.requests())
    jobs = shop.preview(EDIT, fork=True)
    assert results(jobs) == {"validate": "success", "plan": "skipped"}
    assert jobs["validate"].connections == []
    assert not [ran for ran in jobs["validate"].ran if TOKEN in ran.environment.values()]
    assert (len(shop.served.sent), len(shop.team.story.azure.requests())) == (sent, asked)


def test_a_merge_is_planned_approved_and_applied_by_its_digest(shop: Shop) -> None:
    def swap(environment: str, artefacts: Path) -> bool:
        file = artefacts / "reconciler-plan" / "plan.json"
        save(msgspec.structs.replace(load(file), allowed=("G104=99",)), file)
        return True

    before = shop.team.stamps()
    shop.devops.approve = swap
    jobs = shop.devops.run("apply.yml", shop.on_main(MERGED), ON_MAIN)
    assert results(jobs) == {"plan": "success", "apply": "failure"}
    assert "is not the plan that --digest names" in jobs["apply"].told
    assert shop.team.stamps() == before

    asked: list[str] = []
    shop.devops.approve = lambda environment, artefacts: asked.append(environment) is None
    commit = shop.on_main()
    jobs = shop.devops.run("apply.yml", commit, ON_MAIN)
    assert results(jobs) == {"plan": "success", "apply": "success"}, jobs["apply"].told
    assert (jobs["plan"].connections, jobs["apply"].connections) == (["reconciler-plan"], ["reconciler-apply"])
    assert asked == ["reconciler-production"]
    assert jobs["plan"].summary.startswith("<!-- reconciler:plan -->")
    assert {stamp["commit"] for stamp in shop.team.stamps().values()} == {commit}

    commit = shop.on_main(SHORTER)
    assert results(shop.devops.run("apply.yml", commit, ON_MAIN)) == {"plan": "failure", "apply": "skipped"}
    shop.devops.approve = lambda environment, artefacts: False
    jobs = shop.devops.run("apply.yml", commit, ON_MAIN, allow="G104=99  G101=99")
    assert results(jobs) == {"plan": "success", "apply": "rejected"}
    elsewhere = {**ON_MAIN, "Build.SourceBranch": "refs/heads/topic"}
    assert results(shop.devops.run("apply.yml", commit, elsewhere)) == {"plan": "skipped", "apply": "skipped"}


def test_a_night_fails_and_rings_where_there_is_drift(shop: Shop) -> None:
    night = {"Build.Reason": "Schedule", "Build.SourceBranch": "refs/heads/main"}
    job = shop.devops.run("drift.yml", shop.on_main(), night)["drift"]
    assert job.result == "success", "the variable RECONCILER_NOTIFY is not set, and that is no error"
    shop.team.stop_protection("app-01")
    with serve(lambda sent: Reply(200)) as bell:
        shop.devops.secrets = {"RECONCILER_NOTIFY": f"{bell.base}/verysecret"}
        job = shop.devops.run("drift.yml", shop.on_main(), night)["drift"]
        assert job.result == "failure"
        assert "app-01" in job.summary
        assert [sent.body["exit_code"] for sent in bell.sent] == [2]
        assert "verysecret" not in job.told
