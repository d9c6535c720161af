"""The GitLab pipeline does what it promises: preview, merge, nights."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from reconciler.plan.file import load, save
from tests.pipelines.gitlab import Event, GitLab
from tests.publish.conftest import TOKEN, FakeGitLab, Served, serve
from tests.stories.conftest import Story
from tests.stories.small_estate import DAILY, DEVELOPMENT, PRODUCTION
from tests.stories.three_way import EDIT, MERGED, Team

pytestmark = pytest.mark.story
SHORTER = {"backup.yaml": [{**DAILY, "retention": {"daily": {"days": 14}}}, PRODUCTION, DEVELOPMENT]}
IDS = {"AZURE_TENANT_ID": "tenant", "RECONCILER_PLAN_CLIENT_ID": "reads", "RECONCILER_APPLY_CLIENT_ID": "writes"}
CHANGED = ("policies/vaults.yaml",)


@dataclass
class Shop:
    team: Team
    gitlab: GitLab
    page: FakeGitLab
    served: Served
    main: str = field(default="")

    def merge_request(self, files: dict[str, Any], source: str = "42", project: str = "42") -> Event:
        """A push to the branch of merge request 7, from project `source`; its pipeline runs in `project`."""
        head = self.team.branch("topic", self.team.first, files)
        variables = {
            "CI_PIPELINE_SOURCE": "merge_request_event",
            "CI_PROJECT_ID": project,
            "CI_MERGE_REQUEST_IID": "7",
            "CI_MERGE_REQUEST_PROJECT_ID": "42",
            "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": source,
            "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
            "CI_MERGE_REQUEST_DIFF_BASE_SHA": self.team.first,
        }
        return Event(head, variables, CHANGED)

    def on_main(self, source: str, files: dict[str, Any] | None = None, **by_hand: str) -> Event:
        self.team.history.switch("main")
        commit = self.team.commit(files) if files else self.team.history.head
        variables = {"CI_PIPELINE_SOURCE": source, "CI_PROJECT_ID": "42", "CI_COMMIT_BRANCH": "main"}
        return Event(commit, variables, CHANGED if files else (), by_hand)


@pytest.fixture
def shop(story: Story) -> Iterator[Shop]:
    team = Team(story)
    team.apply()
    page = FakeGitLab()
    with serve(page) as served:
        page.base = served.base
        gitlab = GitLab(story, team.history, served.base, {**IDS, "GITLAB_TOKEN": TOKEN})
        yield Shop(team, gitlab, page, served)


def results(jobs: dict[str, Any]) -> dict[str, str]:
    return {name: job.result for name, job in jobs.items()}


def test_a_merge_request_has_one_comment_and_a_fork_is_only_validated(shop: Shop) -> None:
    shop.team.stop_protection("app-01")
    jobs = shop.gitlab.run(shop.merge_request({**EDIT, **SHORTER}))
    assert results(jobs) == {"validate": "success", "preview": "success"}, jobs["preview"].ran
    [first] = [comment["body"] for comment in shop.page.comments]
    assert "### Yours: this branch against origin/main" in first
    assert "### Drift: changed in Azure" in first
    assert "Refused by G104" in first, "told, and no failure: the merge can lift it"
    assert jobs["preview"].ran.environment["IDENTITY"] == "reads"

    sent, asked = len(shop.served.sent), len(shop.team.story.azure.requests())
    assert results(shop.gitlab.run(shop.merge_request(EDIT, source="99"))) == {"validate": "success"}
    shop.gitlab.variables = {}
    jobs = shop.gitlab.run(shop.merge_request(EDIT, source="99", project="99"))
    assert results(jobs) == {"validate": "success"}
    assert "AZURE_ID_TOKEN" not in jobs["validate"].ran.environment
    assert TOKEN not in jobs["validate"].ran.environment.values()
    assert (len(shop.served.sent), len(shop.team.story.azure.requests())) == (sent, asked)


def test_a_merge_is_planned_clicked_and_applied_by_its_digest(shop: Shop) -> None:
    def swap(job: str, artefacts: Path) -> bool:
        file = artefacts / "plan" / "reconciler-reports" / "plan.json"
        save(msgspec.structs.replace(load(file), allowed=("G104=99",)), file)
        return True

    before = shop.team.stamps()
    shop.gitlab.click = swap
    jobs = shop.gitlab.run(shop.on_main("push", MERGED))
    assert results(jobs) == {"plan": "success", "apply": "failure"}
    assert "is not the plan that --digest names" in jobs["apply"].ran.out
    assert shop.team.stamps() == before

    shop.gitlab.click = lambda job, artefacts: True
    event = shop.on_main("web")
    jobs = shop.gitlab.run(event)
    assert results(jobs) == {"plan": "success", "apply": "success"}
    assert (jobs["plan"].ran.environment["IDENTITY"], jobs["apply"].ran.environment["IDENTITY"]) == ("reads", "writes")
    assert {stamp["commit"] for stamp in shop.team.stamps().values()} == {event.commit}

    assert results(shop.gitlab.run(shop.on_main("push", SHORTER))) == {"plan": "failure", "apply": "skipped"}
    shop.gitlab.click = lambda job, artefacts: False
    jobs = shop.gitlab.run(shop.on_main("web", ALLOW="G104=99  G101=99"))
    assert results(jobs) == {"plan": "success", "apply": "manual"}


def test_nights_keep_one_issue(shop: Shop) -> None:
    shop.team.stop_protection("app-01")
    assert results(shop.gitlab.run(shop.on_main("schedule"))) == {"drift": "success"}
    [issue] = shop.page.issues
    assert (issue["state"], "app-01" in issue["description"]) == ("opened", True)
    shop.team.apply()
    shop.gitlab.run(shop.on_main("schedule"))
    assert issue["state"] == "closed"
    shop.team.story.environment["RECONCILER_CLOUD"] = "https://127.0.0.1:9"
    jobs = shop.gitlab.run(shop.on_main("schedule"))
    assert results(jobs) == {"drift": "failure"}
    assert [one["state"] for one in shop.page.issues] == ["closed", "opened"]
    assert TOKEN not in json.dumps(shop.page.issues) + jobs["drift"].ran.out
