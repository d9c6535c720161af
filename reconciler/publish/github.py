"""GitHub, and GitHub Enterprise: comments of pull requests, and issues (REST API 2022-11-28)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from reconciler.errors import PublishError
from reconciler.publish.comment import Report, first_line, fit
from reconciler.publish.http import Api, Patience
from reconciler.publish.issue import Filed, Issue, Issues, close_all, keep_open
from reconciler.publish.pipeline import needed
from reconciler.publish.sole import Comment, Comments, keep_one

_MOST_CHARACTERS = 65_536
_PULL = re.compile(r"refs/pull/(\d+)/")
_ADVICE = {
    401: "check GITHUB_TOKEN (or GH_TOKEN): it is not accepted",
    403: "give the job `permissions:` `pull-requests: write` for comments, `issues: write` for issues; a pull request "
    "from a fork gets a read-only token whatever they say",
    404: "check GITHUB_REPOSITORY and the number; a token that may not read a repository gets this answer, too",
    410: "issues are switched off in this repository",
    422: "GitHub finds the request invalid: see why",
    429: "GitHub is asked too often: run it again later",
}


class GitHub:
    """`environment` is that of GitHub Actions; `number` the pull request, where the event does not tell."""

    def __init__(self, environment: Mapping[str, str], number: int | None, patience: Patience) -> None:
        self._environment = environment
        self._number = number
        self._patience = patience
        self._repository = needed(environment, "GitHub", "GITHUB_REPOSITORY", advice="set it to owner/name")
        self._base = environment.get("GITHUB_API_URL") or "https://api.github.com"

    def comment_place(self) -> str:
        return f"pull request {self._pull()} of {self._repository} on GitHub"

    def issue_place(self) -> str:
        return f"the issues of {self._repository} on GitHub"

    def comment(self, report: Report) -> str:
        """Ours is the comment whose first line is the marker and whose author we are. The token of Actions may not ask
        who it is: then it is the one that a bot wrote."""
        api = self._api()
        place = f"/repos/{self._path}/issues/{self._pull()}/comments"
        me = _login(api)

        def ours() -> list[Comment]:
            found = api.pages(place, per_page=100)
            marked = [item for item in found if first_line(item["body"]) == report.marker and _by(item, me)]
            first = [item for item in marked if _author(item) == _author(marked[0])]
            return [Comment(f"/repos/{self._path}/issues/comments/{item['id']}", item["body"]) for item in first]

        comments = Comments(
            ours,
            add=lambda body: api.send("POST", place, {"body": body}),
            edit=lambda path, body: api.send("PATCH", path, {"body": body}),
            delete=lambda path: api.send("DELETE", path),
        )
        return keep_one(comments, fit(report.text, _MOST_CHARACTERS), self.comment_place())

    def open_issue(self, issue: Issue) -> str:
        """By label and marker, whoever opened it: only those who may write here can give an issue its label."""
        return keep_open(self._issues(issue), issue, fit(issue.report.text, _MOST_CHARACTERS))

    def close_issue(self, issue: Issue) -> str:
        return close_all(self._issues(issue), issue)

    def _issues(self, issue: Issue) -> Issues:
        api, place = self._api(), f"/repos/{self._path}/issues"

        def ours() -> list[Filed]:
            found = api.pages(place, state="open", labels=issue.label, per_page=100)
            mine = (item for item in found if "pull_request" not in item)
            marked = (item for item in mine if first_line(item["body"]) == issue.report.marker)
            return [Filed(item["number"], item["title"], _text(item)) for item in marked]

        closing = {"state": "closed", "state_reason": "completed"}
        return Issues(
            self._repository,
            ours,
            create=lambda body: self._create(api, issue, body),
            edit=lambda number, body: api.send("PATCH", f"{place}/{number}", {"title": issue.title, "body": body}),
            note=lambda number, text: api.send(
                "POST", f"{place}/{number}/comments", {"body": fit(text, _MOST_CHARACTERS)}
            ),
            close=lambda number: api.send("PATCH", f"{place}/{number}", closing),
        )

    def _create(self, api: Api, issue: Issue, body: str) -> int:
        wanted = {"title": issue.title, "body": body, "labels": [issue.label]}
        made = api.send("POST", f"/repos/{self._path}/issues", wanted).value
        number = int(made["number"])
        if issue.label not in [label["name"] for label in made.get("labels", [])]:
            raise PublishError(
                f"issue {number} of {self._repository} was opened without its label {issue.label}",
                why="GitHub drops labels of those who may not write; the next run does not find it without",
                advice=f"give the job `issues: write`, and issue {number} the label",
            )
        return number

    def _api(self) -> Api:
        token = needed(
            self._environment,
            "GitHub",
            "GITHUB_TOKEN",
            "GH_TOKEN",
            advice="in a workflow: env: GITHUB_TOKEN: ${{ github.token }}",
        )
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        return Api(self._base, headers, self._patience, advice=lambda status: _ADVICE.get(status, ""))

    @property
    def _path(self) -> str:
        return quote(self._repository)

    def _pull(self) -> int:
        number = self._number or _of_event(self._environment.get("GITHUB_EVENT_PATH", ""))
        if number:
            return number
        ref = _PULL.match(self._environment.get("GITHUB_REF", ""))
        if ref:
            return int(ref.group(1))
        raise PublishError(
            "GitHub: this run is of no pull request",
            why="neither the event (GITHUB_EVENT_PATH) nor GITHUB_REF names one",
            advice="run it on `pull_request`, or name one with --pull-request",
        )


def _of_event(path: str) -> int | None:
    """The pull request that the event is of. Raises PublishError where the file is not what GitHub writes."""
    if not path:
        return None
    try:
        event = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PublishError("GitHub: the file of GITHUB_EVENT_PATH cannot be read", why=str(error)) from error
    run = event.get("workflow_run") or {}
    candidates = (event.get("pull_request"), *(run.get("pull_requests") or []), event.get("issue"))
    return next((item["number"] for item in candidates if item and isinstance(item.get("number"), int)), None)


def _login(api: Api) -> str:
    """Our name; "" for the tokens of Actions, which may not ask."""
    try:
        return str(api.get("/user").value["login"])
    except PublishError as error:
        if error.status in (403, 404):
            return ""
        raise


def _author(item: Any) -> str:
    return str((item.get("user") or {}).get("login", ""))


def _by(item: Any, me: str) -> bool:
    return _author(item) == me if me else (item.get("user") or {}).get("type") == "Bot"


def _text(item: Any) -> str:
    return str(item["body"] or "").replace("\r\n", "\n").strip()
