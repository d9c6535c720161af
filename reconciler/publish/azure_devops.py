"""Azure DevOps: threads of pull requests (REST API 7.1). Of issues there is none: see `AzureDevOps.open_issue`."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn
from urllib.parse import quote

from reconciler.errors import PublishError
from reconciler.publish.comment import Report, first_line, fit
from reconciler.publish.http import Api, Patience
from reconciler.publish.issue import Issue
from reconciler.publish.pipeline import needed
from reconciler.publish.sole import Comment, Comments, keep_one

_MOST_CHARACTERS = 150_000
_VERSION = "7.1"
_ACCESS = (
    "in the step: env: SYSTEM_ACCESSTOKEN: $(System.AccessToken); and give the build service `Contribute to pull "
    "requests` on the repository"
)
_ADVICE = {
    203: _ACCESS,
    302: _ACCESS,
    401: _ACCESS,
    403: _ACCESS,
    404: "check the repository and the number; an identity that may not read a repository gets this answer, too",
    429: "Azure DevOps is asked too often: run it again later",
}
_CLOSED = 4
"""Status of a thread that asks for nothing: it blocks no merge where comments have to be resolved."""


class AzureDevOps:
    """`environment` is that of Azure Pipelines; `number` the pull request, where the pipeline does not tell."""

    def __init__(self, environment: Mapping[str, str], number: int | None, patience: Patience) -> None:
        self._environment = environment
        self._number = number
        self._patience = patience
        self._collection = needed(environment, "Azure DevOps", "SYSTEM_COLLECTIONURI").rstrip("/")
        self._project = needed(environment, "Azure DevOps", "SYSTEM_TEAMPROJECT")

    def comment_place(self) -> str:
        return f"pull request {self._pull()} of {self._project} on Azure DevOps"

    def issue_place(self) -> str:
        self._no_issues()

    def comment(self, report: Report) -> str:
        """Ours is the first comment of a thread, whose first line is the marker and whose author we are."""
        api = self._api()
        repository = quote(needed(self._environment, "Azure DevOps", "BUILD_REPOSITORY_ID"), safe="")
        path = f"/{quote(self._project)}/_apis/git/repositories/{repository}/pullRequests/{self._pull()}/threads"
        me, query = _identity(api), {"api-version": _VERSION}

        def ours() -> list[Comment]:
            threads = api.send("GET", path, query=query).value["value"]
            return [Comment(f"{path}/{place}", text) for place, text in _ours(threads, report.marker, me)]

        def add(body: str) -> None:
            comment = {"parentCommentId": 0, "content": body, "commentType": 1}
            api.send("POST", path, {"comments": [comment], "status": _CLOSED}, query)

        comments = Comments(
            ours,
            add,
            edit=lambda path, body: api.send("PATCH", path, {"content": body}, query),
            delete=lambda path: api.send("DELETE", path, query=query),
        )
        return keep_one(comments, fit(report.text, _MOST_CHARACTERS), self.comment_place())

    def open_issue(self, issue: Issue) -> str:  # noqa: ARG002 -- that of the protocol
        """Raises PublishError: which type of work item there is, which fields it demands and how it is closed depend on
        the process of the project."""
        self._no_issues()

    def close_issue(self, issue: Issue) -> str:  # noqa: ARG002 -- that of the protocol
        """Raises PublishError, as `open_issue`."""
        self._no_issues()

    def _no_issues(self) -> NoReturn:
        raise PublishError(
            "Azure DevOps has no issues, and work items are different in every project: none is opened",
            advice="let the scheduled run fail (drift exits 2), or ring with: drift --notify URL",
        )

    def _api(self) -> Api:
        tokens = ("SYSTEM_ACCESSTOKEN", "AZURE_DEVOPS_EXT_PAT")
        token = needed(self._environment, "Azure DevOps", *tokens, advice=_ACCESS)
        personal = base64.b64encode(f":{token}".encode()).decode()
        bearer = self._environment.get("SYSTEM_ACCESSTOKEN")
        headers = {"Authorization": f"Bearer {token}" if bearer else f"Basic {personal}"}
        return Api(self._collection, headers, self._patience, advice=lambda status: _ADVICE.get(status, ""))

    def _pull(self) -> int:
        told = self._environment.get("SYSTEM_PULLREQUEST_PULLREQUESTID", "")
        if self._number or told.isdecimal():
            return self._number or int(told)
        raise PublishError(
            "Azure DevOps: this run is of no pull request",
            why="SYSTEM_PULLREQUEST_PULLREQUESTID is not set",
            advice="run it by a build validation policy of the branch, or name one with --pull-request",
        )


def _identity(api: Api) -> str:
    """Our id; "" where it is not told."""
    try:
        return str(api.get("/_apis/connectionData", **{"api-version": "7.1-preview"}).value["authenticatedUser"]["id"])
    except PublishError as error:
        if error.status in (401, 403, 404):
            return ""
        raise


def _ours(threads: list[Any], marker: str, me: str) -> Iterator[tuple[str, str]]:
    """Place below the threads, and text, the oldest first. Without an identity the marker has to do: Azure DevOps lets
    nobody edit what others wrote."""
    for thread in sorted(threads, key=lambda thread: int(thread["id"])):
        comments = [] if thread.get("isDeleted") else thread.get("comments") or []
        for comment in comments[:1]:
            author = (comment.get("author") or {}).get("id", "")
            if not comment.get("isDeleted") and first_line(comment.get("content")) == marker and me in ("", author):
                yield f"{thread['id']}/comments/{comment['id']}", str(comment["content"])
