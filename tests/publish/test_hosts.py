"""One comment, one issue: made, found again among others, edited, and never somebody else's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import PublishError
from reconciler.publish.comment import Report
from reconciler.publish.host import Host, host_of
from reconciler.publish.issue import Issue
from tests.publish.conftest import (
    AT_ONCE,
    MARKER,
    TOKEN,
    FakeAzureDevOps,
    FakeGitHub,
    FakeGitLab,
    Reply,
    Served,
    serve,
)

REPORT = Report(MARKER, f"{MARKER}\n## Two changes\n\nat 2026-03-02T06:00:00Z\n")
NEWER = Report(MARKER, f"{MARKER}\n## Two changes\n\nat 2026-03-03T06:00:00Z\n")
OTHER = Report(MARKER, f"{MARKER}\n## Three changes\n\nat 2026-03-03T06:00:00Z\n")
HEALED = Report(MARKER, f"{MARKER}\n## No drift.\n")
ENVIRONMENT = {
    "github": {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "acme/estate", "GITHUB_REF": "refs/pull/7/merge"},
    "gitlab": {"GITLAB_CI": "true", "CI_PROJECT_ID": "42", "CI_MERGE_REQUEST_IID": "7"},
    "azure-devops": {
        "TF_BUILD": "True",
        "SYSTEM_TEAMPROJECT": "Cloud Platform",
        "BUILD_REPOSITORY_ID": "estate",
        "SYSTEM_PULLREQUEST_PULLREQUESTID": "7",
    },
}
ADDRESS = {"github": "GITHUB_API_URL", "gitlab": "CI_API_V4_URL", "azure-devops": "SYSTEM_COLLECTIONURI"}
SECRET = {"github": "GITHUB_TOKEN", "gitlab": "GITLAB_TOKEN", "azure-devops": "SYSTEM_ACCESSTOKEN"}
Fake = FakeGitHub | FakeGitLab | FakeAzureDevOps


@dataclass
class Meeting:
    """A host, and the fake behind it."""

    name: str
    fake: Any
    served: Served
    environment: dict[str, str]

    @property
    def host(self) -> Host:
        return host_of("auto", self.environment, patience=AT_ONCE)

    def texts(self) -> list[str]:
        if isinstance(self.fake, FakeAzureDevOps):
            return [thread["comments"][0]["content"] for thread in self.fake.threads]
        return [item["body"] for item in self.fake.comments]

    def write(self, body: str, who: str) -> None:
        """A comment that was there before: by `us`, or by `them`."""
        ours = who == "us"
        if isinstance(self.fake, FakeAzureDevOps):
            author = {"id": self.fake.me if ours else "alice"}
            comment = {"id": 1, "content": body, "author": author}
            self.fake.threads.append({"id": 50 + len(self.fake.threads), "comments": [comment]})
        elif isinstance(self.fake, FakeGitLab):
            author = {"id": self.fake.me if ours else 1}
            self.fake.comments.append({"id": 100 + len(self.fake.comments), "body": body, "author": author})
        else:
            author = self.fake.author if ours else {"login": "alice", "type": "User"}
            self.fake.comments.append({"id": 100 + len(self.fake.comments), "body": body, "user": author})


@pytest.fixture(params=["github", "github-person", "gitlab", "azure-devops"])
def meeting(request: pytest.FixtureRequest) -> Iterator[Meeting]:
    name = request.param.removesuffix("-person")
    fake: Fake = {"github": FakeGitHub, "gitlab": FakeGitLab, "azure-devops": FakeAzureDevOps}[name]()
    if isinstance(fake, FakeGitHub) and request.param != name:
        fake.login = "platform-bot"
    with serve(fake) as served:
        fake.base = served.base
        environment = {**ENVIRONMENT[name], ADDRESS[name]: served.base, SECRET[name]: TOKEN}
        yield Meeting(name, fake, served, environment)


@pytest.fixture
def tracker(meeting: Meeting) -> Meeting:
    """One that has issues."""
    if meeting.name == "azure-devops":
        with pytest.raises(PublishError, match="has no issues"):
            meeting.host.open_issue(Issue(REPORT, "Drift"))
        with pytest.raises(PublishError, match="drift --notify"):
            meeting.host.close_issue(Issue(REPORT, "Drift"))
        meeting.fake, meeting.name = FakeGitHub(), "github"
        meeting.served.answer, meeting.fake.base = meeting.fake, meeting.served.base
        meeting.environment = {
            **ENVIRONMENT["github"],
            "GITHUB_API_URL": meeting.served.base,
            "GITHUB_TOKEN": TOKEN,
        }
    return meeting


def test_the_second_run_edits_the_comment_of_the_first(meeting: Meeting) -> None:
    assert meeting.host.comment(REPORT).startswith("commented on")
    assert meeting.host.comment(OTHER).startswith("edited the comment")
    assert meeting.host.comment(OTHER).endswith("says so already")
    assert meeting.texts() == [OTHER.text]
    assert len(meeting.served.writes) == 2


def test_two_runs_at_once_leave_one_comment(meeting: Meeting) -> None:
    """The other run looked before ours wrote, and writes just before ours looks again."""
    answer, writing = meeting.served.answer, []

    def between(sent: Any) -> Reply:
        reply = answer(sent)
        if sent.method == "POST" and not writing:
            writing.append(sent)
            meeting.write(NEWER.text, "us")
        return reply

    meeting.served.answer = between
    meeting.host.comment(OTHER)
    assert meeting.texts() == [OTHER.text]


def test_what_an_earlier_race_left_is_deleted(meeting: Meeting) -> None:
    meeting.write(REPORT.text, "us")
    meeting.write(REPORT.text, "them")
    meeting.write(NEWER.text, "us")
    assert meeting.host.comment(OTHER).startswith("edited the comment")
    assert meeting.texts() == [OTHER.text, REPORT.text]


def test_a_double_that_the_other_run_deleted_first_is_no_failure(meeting: Meeting) -> None:
    meeting.write(OTHER.text, "us")
    meeting.write(REPORT.text, "us")
    answer = meeting.served.answer
    meeting.served.answer = lambda sent: Reply(404, {"message": "no"}) if sent.method == "DELETE" else answer(sent)
    assert meeting.host.comment(OTHER).endswith("says so already")


def test_it_is_found_behind_many_others(meeting: Meeting) -> None:
    for number in range(5):
        meeting.write(f"comment {number}", "them")
    meeting.write(REPORT.text, "us")
    meeting.write("thanks", "them")
    meeting.host.comment(OTHER)
    assert meeting.texts() == [*(f"comment {number}" for number in range(5)), OTHER.text, "thanks"]


@pytest.mark.parametrize(
    ("there", "who"),
    [
        (f"> {MARKER}\n> ## Two changes\n\nwhat is this?", "them"),
        (f"look:\n{MARKER}", "us"),
        (REPORT.text, "them"),
        ("<!-- reconciler:drift -->\n## Drift", "us"),
        ("", "us"),
    ],
)
def test_what_is_not_ours_stays(meeting: Meeting, there: str, who: str) -> None:
    meeting.write(there, who)
    meeting.host.comment(OTHER)
    assert meeting.texts() == [there, OTHER.text]


def test_threads_of_azure_devops_block_no_merge_and_deleted_ones_stay_deleted() -> None:
    fake = FakeAzureDevOps()
    fake.threads = [
        {"id": 1, "isDeleted": True, "comments": [{"id": 1, "content": REPORT.text, "author": {"id": fake.me}}]}
    ]
    with serve(fake) as served:
        environment = {
            **ENVIRONMENT["azure-devops"],
            "SYSTEM_COLLECTIONURI": f"{served.base}/",
            "AZURE_DEVOPS_EXT_PAT": TOKEN,
        }
        host_of("azure-devops", environment, patience=AT_ONCE).comment(OTHER)
    assert [thread.get("status") for thread in fake.threads] == [None, 4]


def test_a_merge_request_of_a_fork_is_commented_on_where_it_is() -> None:
    fake = FakeGitLab()
    with serve(fake) as served:
        environment = {
            **ENVIRONMENT["gitlab"],
            "CI_API_V4_URL": served.base,
            "GITLAB_TOKEN": TOKEN,
            "CI_PROJECT_ID": "99",
            "CI_MERGE_REQUEST_PROJECT_ID": "42",
        }
        host_of("auto", environment, patience=AT_ONCE).comment(REPORT)
    assert [item["body"] for item in fake.comments] == [REPORT.text]


def test_what_is_too_long_for_github_is_cut() -> None:
    fake = FakeGitHub()
    with serve(fake) as served:
        environment = {**ENVIRONMENT["github"], "GITHUB_API_URL": served.base, "GITHUB_TOKEN": TOKEN}
        long = Report(MARKER, MARKER + "\n<details>\n\n```diff\n" + "+ a line\n" * 9_000 + "```\n</details>\n")
        host_of("auto", environment, patience=AT_ONCE).comment(long)
    [body] = [item["body"] for item in fake.comments]
    assert len(body) <= 65_536
    assert "```\n\n</details>\n\n\n**The rest is left out" in body


def test_the_issue_of_a_drift_lives_until_it_is_healed(tracker: Meeting) -> None:
    host, fake = tracker.host, tracker.fake
    assert host.open_issue(Issue(REPORT, "Drift")).startswith("opened issue 11")
    assert host.open_issue(Issue(REPORT, "Drift")).endswith("tells the same")
    assert host.open_issue(Issue(NEWER, "Drift")).endswith("tells the same")
    assert fake.notes == {}, "the hour alone is no news"
    assert host.open_issue(Issue(OTHER, "Drift")).startswith("updated issue 11")
    assert fake.notes == {11: ["What is reported above has changed: Three changes"]}
    assert fake.issues[0].get("body", fake.issues[0].get("description")) == OTHER.text
    assert host.close_issue(Issue(HEALED, "Drift")).startswith("closed issue 11")
    assert fake.notes[11][-1] == "Closed: No drift."
    assert fake.issues[0]["state"] == "closed"
    assert "nothing to close" in host.close_issue(Issue(HEALED, "Drift"))
    assert host.open_issue(Issue(REPORT, "Drift")).startswith("opened issue 12"), "a closed issue is never reopened"


def test_issues_without_our_marker_or_label_are_left_alone(tracker: Meeting) -> None:
    host, fake = tracker.host, tracker.fake
    host.open_issue(Issue(Report("<!-- reconciler:other -->", "<!-- reconciler:other -->\nx"), "Other"))
    host.open_issue(Issue(REPORT, "Unlike", label="something"))
    before = json.dumps(fake.issues)
    assert "nothing to close" in host.close_issue(Issue(HEALED, "Drift"))
    assert json.dumps(fake.issues) == before


def test_an_issue_without_its_label_is_told() -> None:
    fake = FakeGitHub()
    fake.drops_labels = True
    with serve(fake) as served:
        environment = {**ENVIRONMENT["github"], "GITHUB_API_URL": served.base, "GITHUB_TOKEN": TOKEN}
        with pytest.raises(PublishError, match="without its label reconciler-drift"):
            host_of("auto", environment, patience=AT_ONCE).open_issue(Issue(REPORT, "Drift"))


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_what_passes_is_waited_for(meeting: Meeting, status: int) -> None:
    meeting.served.first = [Reply(status, {"message": "later"}, {"Retry-After": "0"})] * 2
    meeting.host.comment(REPORT)
    assert meeting.texts() == [REPORT.text]


def test_a_limit_on_writing_is_waited_for(meeting: Meeting) -> None:
    """GitHub's secondary limit answers 403 with Retry-After; 429 is everybody's. Nothing was written then."""
    answer, limited = meeting.served.answer, [Reply(403, {}, {"Retry-After": "0"}), Reply(429, {})]
    meeting.served.answer = lambda sent: limited.pop() if limited and sent.method == "POST" else answer(sent)
    meeting.host.comment(REPORT)
    assert meeting.texts() == [REPORT.text]
    assert len(meeting.served.writes) == 3


@pytest.mark.parametrize(
    "limited",
    [
        Reply(403, {"message": "You have exceeded a secondary rate limit."}),
        Reply(403, {"message": "API rate limit exceeded"}, {"x-ratelimit-remaining": "0"}),
    ],
)
def test_a_limit_without_a_time_to_wait_is_not_told_as_a_missing_right(limited: Reply) -> None:
    fake = FakeGitHub()
    fake.login = "platform-bot"
    with serve(lambda sent: limited if sent.method == "POST" else fake(sent)) as served:
        environment = {**ENVIRONMENT["github"], "GITHUB_API_URL": served.base, "GITHUB_TOKEN": TOKEN}
        with pytest.raises(PublishError) as refused:
            host_of("auto", environment, patience=AT_ONCE).comment(REPORT)
    assert refused.value.advice == "GitHub is asked too often: run it again later"


def test_a_comment_that_may_have_been_made_is_not_made_twice(meeting: Meeting) -> None:
    answer = meeting.served.answer

    def made_and_lost(sent: Any) -> Reply:
        reply = answer(sent)
        return Reply(502, {"message": "bad gateway"}) if sent.method == "POST" else reply

    meeting.served.answer = made_and_lost
    with pytest.raises(PublishError, match="looks first whether it was done"):
        meeting.host.comment(REPORT)
    meeting.served.answer = answer
    assert meeting.host.comment(REPORT).endswith("says so already")
    assert meeting.texts() == [REPORT.text]


@pytest.mark.parametrize("status", [401, 403, 404, 422, 500])
def test_refusals_say_what_to_do_and_no_secret(meeting: Meeting, status: int) -> None:
    meeting.served.first = [Reply(status, {"message": "no"})] * 9
    with pytest.raises(PublishError) as refused:
        meeting.host.comment(REPORT)
    assert TOKEN not in str(refused.value)
    assert f"answered {status}" in str(refused.value)
    assert refused.value.advice or status == 500 or meeting.name == "azure-devops"


def test_a_wrong_token_is_not_taken_elsewhere(meeting: Meeting) -> None:
    meeting.environment[SECRET[meeting.name]] = "wrong"
    with pytest.raises(PublishError) as refused:
        meeting.host.comment(REPORT)
    assert "wrong" not in str(refused.value)
    assert meeting.served.writes == []


@pytest.mark.parametrize("name", ["github", "gitlab", "azure-devops"])
@pytest.mark.parametrize("lacking", ["token", "number"])
def test_what_is_lacking_is_named(name: str, lacking: str, tmp_path: Path) -> None:
    environment = {**ENVIRONMENT[name], ADDRESS[name]: "https://host.invalid", SECRET[name]: TOKEN}
    number = {"github": "GITHUB_REF", "gitlab": "CI_MERGE_REQUEST_IID"}.get(name, "SYSTEM_PULLREQUEST_PULLREQUESTID")
    variable = SECRET[name] if lacking == "token" else number
    del environment[variable]
    with pytest.raises(PublishError, match=variable):
        host_of("auto", environment, patience=AT_ONCE).comment(REPORT)


@pytest.mark.parametrize(
    "event",
    [
        {"pull_request": {"number": 7}, "number": 7},
        {"workflow_run": {"pull_requests": [{"number": 7}]}},
        {"issue": {"number": 7}},
    ],
)
def test_the_event_names_the_pull_request(tmp_path: Path, event: dict[str, Any]) -> None:
    file = tmp_path / "event.json"
    file.write_text(json.dumps(event))
    environment = {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "acme/estate", "GITHUB_EVENT_PATH": str(file)}
    assert host_of("auto", environment).comment_place() == "pull request 7 of acme/estate on GitHub"


def test_azure_pipelines_comment_where_the_repository_is() -> None:
    pipeline = {**ENVIRONMENT["azure-devops"], "SYSTEM_COLLECTIONURI": "https://dev.azure.com/acme/"}
    assert host_of("auto", pipeline).comment_place() == "pull request 7 of Cloud Platform on Azure DevOps"
    there = {**pipeline, "BUILD_REPOSITORY_PROVIDER": "GitHub", "GITHUB_REPOSITORY": "acme/estate"}
    assert host_of("auto", there, 7).comment_place() == "pull request 7 of acme/estate on GitHub"


def test_a_renamed_repository_is_followed_on_the_same_host_only() -> None:
    fake = FakeGitHub()

    with serve(fake) as served:

        def renamed(sent: Any) -> Reply:
            if sent.path.startswith("/repos/acme/old"):
                path = sent.path.replace("/acme/old", "/acme/estate")
                return Reply(307, {"message": "Moved"}, {"Location": f"{served.base}{path}"})
            return fake(sent)

        served.answer = renamed
        environment = {**ENVIRONMENT["github"], "GITHUB_API_URL": served.base, "GITHUB_TOKEN": TOKEN}
        host = host_of("auto", {**environment, "GITHUB_REPOSITORY": "acme/old"}, patience=AT_ONCE)
        host.comment(REPORT)
        assert [item["body"] for item in fake.comments] == [REPORT.text]
        served.answer = lambda sent: Reply(302, None, {"Location": "https://elsewhere.example.com/x?token=t"})
        with pytest.raises(PublishError, match=r"redirects to elsewhere\.example\.com: not followed"):
            host.comment(REPORT)


@pytest.mark.parametrize("base", ["http://github.example.com/api/v3", "ftp://host", "host", "https://[broken"])
def test_tokens_are_never_sent_in_the_clear(base: str) -> None:
    environment = {**ENVIRONMENT["github"], "GITHUB_API_URL": base, "GITHUB_TOKEN": TOKEN}
    with pytest.raises(PublishError, match="https://"):
        host_of("auto", environment).comment(REPORT)


def test_a_host_that_is_not_there_is_told_by_name() -> None:
    environment = {**ENVIRONMENT["github"], "GITHUB_API_URL": "http://127.0.0.1:9/path", "GITHUB_TOKEN": TOKEN}
    with pytest.raises(PublishError, match=r"127\.0\.0\.1 cannot be reached"):
        host_of("auto", environment, patience=AT_ONCE).comment(REPORT)
