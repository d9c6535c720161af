"""GitLab: notes of merge requests, and issues (REST API v4)."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from reconciler.errors import PublishError
from reconciler.publish.comment import Report, first_line, fit
from reconciler.publish.http import Api, Patience
from reconciler.publish.issue import Filed, Issue, Issues, close_all, keep_open
from reconciler.publish.pipeline import needed
from reconciler.publish.sole import Comment, Comments, keep_one

_MOST_CHARACTERS = 1_000_000
_ACCESS = (
    "make a project or group access token with scope `api` and role Reporter, and set it as the masked variable "
    "GITLAB_TOKEN; CI_JOB_TOKEN may not write notes or issues"
)
_ADVICE = {
    401: "check GITLAB_TOKEN: it is not accepted, or has run out",
    403: _ACCESS,
    404: "check the project and the number; a token that may not read a project gets this answer, too",
    422: "GitLab finds the request invalid: see why",
    429: "GitLab is asked too often: run it again later",
}


class GitLab:
    """`environment` is that of GitLab CI; `number` the merge request (its iid), where the pipeline does not tell."""

    def __init__(self, environment: Mapping[str, str], number: int | None, patience: Patience) -> None:
        self._environment = environment
        self._number = number
        self._patience = patience
        self._base = environment.get("CI_API_V4_URL") or "https://gitlab.com/api/v4"

    def comment_place(self) -> str:
        return f"merge request {self._merge()} of {self._merge_project} on GitLab"

    def issue_place(self) -> str:
        return f"the issues of {self._project} on GitLab"

    def comment(self, report: Report) -> str:
        """Ours is the note whose first line is the marker and whose author we are."""
        api = self._api()
        notes = f"/projects/{quote(self._merge_project, safe='')}/merge_requests/{self._merge()}/notes"
        me = api.get("/user").value["id"]

        def ours() -> list[Comment]:
            found = api.pages(notes, per_page=100, sort="asc", order_by="created_at")
            mine = (item for item in found if not item.get("system") and (item.get("author") or {}).get("id") == me)
            marked = (item for item in mine if first_line(item["body"]) == report.marker)
            return [Comment(f"{notes}/{item['id']}", item["body"]) for item in marked]

        comments = Comments(
            ours,
            add=lambda body: api.send("POST", notes, {"body": body}),
            edit=lambda path, body: api.send("PUT", path, {"body": body}),
            delete=lambda path: api.send("DELETE", path),
        )
        return keep_one(comments, fit(report.text, _MOST_CHARACTERS), self.comment_place())

    def open_issue(self, issue: Issue) -> str:
        """By label and marker, whoever opened it: only those who may plan here can give an issue its label."""
        return keep_open(self._issues(issue), issue, fit(issue.report.text, _MOST_CHARACTERS))

    def close_issue(self, issue: Issue) -> str:
        return close_all(self._issues(issue), issue)

    def _issues(self, issue: Issue) -> Issues:
        api, place = self._api(), f"/projects/{quote(self._project, safe='')}/issues"

        def ours() -> list[Filed]:
            found = api.pages(place, state="opened", labels=issue.label, per_page=100)
            marked = (item for item in found if first_line(item["description"]) == issue.report.marker)
            return [Filed(item["iid"], item["title"], str(item["description"] or "").strip()) for item in marked]

        def create(body: str) -> int:
            wanted = {"title": issue.title, "description": body, "labels": issue.label}
            return int(api.send("POST", place, wanted).value["iid"])

        return Issues(
            self._project,
            ours,
            create,
            edit=lambda number, body: api.send("PUT", f"{place}/{number}", {"title": issue.title, "description": body}),
            note=lambda number, text: api.send("POST", f"{place}/{number}/notes", {"body": text}),
            close=lambda number: api.send("PUT", f"{place}/{number}", {"state_event": "close"}),
        )

    def _api(self) -> Api:
        token = needed(self._environment, "GitLab", "GITLAB_TOKEN", advice=_ACCESS)
        headers = {"PRIVATE-TOKEN": token}
        return Api(self._base, headers, self._patience, advice=lambda status: _ADVICE.get(status, ""))

    @property
    def _project(self) -> str:
        return needed(self._environment, "GitLab", "CI_PROJECT_ID")

    @property
    def _merge_project(self) -> str:
        """Where the merge request is: that of a fork runs in the fork, and is to be commented on in its target."""
        return needed(self._environment, "GitLab", "CI_MERGE_REQUEST_PROJECT_ID", "CI_PROJECT_ID")

    def _merge(self) -> int:
        told = self._environment.get("CI_MERGE_REQUEST_IID", "")
        if self._number or told.isdecimal():
            return self._number or int(told)
        raise PublishError(
            "GitLab: this pipeline is of no merge request",
            why="CI_MERGE_REQUEST_IID is not set",
            advice="run the job with: rules: - if: $CI_PIPELINE_SOURCE == 'merge_request_event'; or name one with "
            "--pull-request",
        )
