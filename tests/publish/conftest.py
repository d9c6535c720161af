"""Code hosts to talk to: small servers on loopback that answer as the hosts' documented REST APIs do."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from reconciler.publish.http import Patience

AT_ONCE = Patience(retries=3, backoff=0.0, longest=0, connect=5.0, read=5.0)
TOKEN = "ghs_verysecret"
MARKER = "<!-- reconciler:plan -->"
PAGE = 2
"""Entries of a page, whatever is asked for: hosts may give fewer."""


@dataclass(frozen=True)
class Sent:
    """A request as it came in."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    headers: dict[str, str]


@dataclass(frozen=True)
class Reply:
    status: int = 200
    value: Any = None
    headers: dict[str, str] = field(default_factory=dict)


Answering = Callable[[Sent], Reply]


class Served:
    """One server. `first` are replies that are given, one a request, before it answers as itself."""

    def __init__(self, answer: Answering) -> None:
        self.answer = answer
        self.sent: list[Sent] = []
        self.first: list[Reply] = []
        self.base = ""

    def take(self, sent: Sent) -> Reply:
        self.sent.append(sent)
        return self.first.pop(0) if self.first else self.answer(sent)

    @property
    def writes(self) -> list[str]:
        return [f"{sent.method} {sent.path}" for sent in self.sent if sent.method != "GET"]


@contextmanager
def serve(answer: Answering) -> Iterator[Served]:
    served = Served(answer)

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = json.loads(raw) if raw else None
            reply = served.take(Sent(self.command, unquote(parts.path), query, body, dict(self.headers)))
            content = b"" if reply.value is None else json.dumps(reply.value).encode()
            self.send_response(reply.status)
            for name, value in {**reply.headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815 -- names of http.server

        def log_message(self, *arguments: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.base = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def page(items: list[Any], sent: Sent, base: str) -> Reply:
    """A page, and the link to the next, as GitHub and GitLab write it."""
    number = int(sent.query.get("page", "1"))
    query = "&".join(f"{name}={value}" for name, value in sent.query.items() if name != "page")
    following = f'<{base}{sent.path}?{query}&page={number + 1}>; rel="next"'
    more = len(items) > number * PAGE
    return Reply(200, items[(number - 1) * PAGE : number * PAGE], {"Link": following} if more else {})


class FakeGitHub:
    """Comments and issues of acme/estate. `login` is who the token is of, "" for the token of Actions."""

    def __init__(self) -> None:
        self.login = ""
        self.comments: list[dict[str, Any]] = []
        self.issues: list[dict[str, Any]] = []
        self.notes: dict[int, list[str]] = {}
        self.base = ""
        self.drops_labels = False

    @property
    def author(self) -> dict[str, str]:
        return {"login": self.login, "type": "User"} if self.login else {"login": "github-actions[bot]", "type": "Bot"}

    def __call__(self, sent: Sent) -> Reply:
        if sent.headers.get("Authorization") != f"Bearer {TOKEN}":
            return Reply(401, {"message": "Bad credentials"})
        if sent.path == "/user":
            denied = Reply(403, {"message": "Resource not accessible by integration"})
            return Reply(200, {"login": self.login}) if self.login else denied
        match sent.method, sent.path.removeprefix("/repos/acme/estate").split("/")[1:]:
            case "GET", ["issues", "7", "comments"]:
                return page(self.comments, sent, self.base)
            case "POST", ["issues", "7", "comments"]:
                return self._comment(sent.body["body"])
            case "PATCH", ["issues", "comments", number]:
                found = next(item for item in self.comments if item["id"] == int(number))
                return Reply(200, found | self._set(found, sent.body))
            case "DELETE", ["issues", "comments", number]:
                self.comments = [item for item in self.comments if item["id"] != int(number)]
                return Reply(204)
            case "GET", ["issues"]:
                wanted = [item for item in self.issues if item["state"] == sent.query["state"]]
                label = sent.query["labels"]
                return page([item for item in wanted if {"name": label} in item["labels"]], sent, self.base)
            case "POST", ["issues"]:
                return self._open(sent.body)
            case "PATCH", ["issues", number]:
                found = next(item for item in self.issues if item["number"] == int(number))
                return Reply(200, found | self._set(found, sent.body))
            case "POST", ["issues", number, "comments"]:
                self.notes.setdefault(int(number), []).append(sent.body["body"])
                return Reply(201, {"id": 1})
        return Reply(404, {"message": "Not Found"})

    @staticmethod
    def _set(found: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
        found.update(values)
        return values

    def _comment(self, body: str) -> Reply:
        if len(body) > 65_536:
            return Reply(422, {"message": "Validation Failed", "errors": ["body is too long"]})
        self.comments.append({"id": 100 + len(self.comments), "body": body, "user": self.author})
        return Reply(201, self.comments[-1])

    def _open(self, body: dict[str, Any]) -> Reply:
        labels = [] if self.drops_labels else [{"name": name} for name in body["labels"]]
        made = {"number": 11 + len(self.issues), "title": body["title"], "body": body["body"], "state": "open"}
        self.issues.append({**made, "labels": labels, "user": self.author})
        return Reply(201, self.issues[-1])


class FakeGitLab:
    """Notes of merge request 7 of project 42, and its issues."""

    def __init__(self) -> None:
        self.me = 5
        self.comments: list[dict[str, Any]] = []
        self.issues: list[dict[str, Any]] = []
        self.notes: dict[int, list[str]] = {}
        self.base = ""

    def __call__(self, sent: Sent) -> Reply:
        if sent.headers.get("PRIVATE-TOKEN") != TOKEN:
            return Reply(401, {"message": "401 Unauthorized"})
        if sent.path == "/user":
            return Reply(200, {"id": self.me, "username": "project_42_bot"})
        match sent.method, sent.path.removeprefix("/projects/42").split("/")[1:]:
            case "GET", ["merge_requests", "7", "notes"]:
                return page(self.comments, sent, self.base)
            case "POST", ["merge_requests", "7", "notes"]:
                self.comments.append({"id": 100 + len(self.comments), "author": {"id": self.me}, **sent.body})
                return Reply(201, self.comments[-1])
            case "PUT", ["merge_requests", "7", "notes", number]:
                found = next(item for item in self.comments if item["id"] == int(number))
                found.update(sent.body)
                return Reply(200, found)
            case "DELETE", ["merge_requests", "7", "notes", number]:
                self.comments = [item for item in self.comments if item["id"] != int(number)]
                return Reply(204)
            case "GET", ["issues"]:
                wanted = [item for item in self.issues if item["state"] == sent.query["state"]]
                return page([item for item in wanted if sent.query["labels"] in item["labels"]], sent, self.base)
            case "POST", ["issues"]:
                made = {"iid": 11 + len(self.issues), "state": "opened", **sent.body}
                self.issues.append({**made, "labels": sent.body["labels"].split(",")})
                return Reply(201, self.issues[-1])
            case "PUT", ["issues", number]:
                found = next(item for item in self.issues if item["iid"] == int(number))
                found.update({"state": "closed"} if sent.body.get("state_event") == "close" else sent.body)
                return Reply(200, found)
            case "POST", ["issues", number, "notes"]:
                self.notes.setdefault(int(number), []).append(sent.body["body"])
                return Reply(201, {"id": 1})
        return Reply(404, {"message": "404 Not found"})


class FakeAzureDevOps:
    """Threads of pull request 7 in the repository `estate` of a project with a space in its name."""

    def __init__(self) -> None:
        self.me = "build-service"
        self.threads: list[dict[str, Any]] = []
        self.accepted = {f"Bearer {TOKEN}", f"Basic {base64.b64encode(f':{TOKEN}'.encode()).decode()}"}
        self.base = ""

    def __call__(self, sent: Sent) -> Reply:
        if sent.headers.get("Authorization") not in self.accepted:
            return Reply(302, None, {"Location": "https://login.example.com/signin?reply_to=here"})
        if sent.path == "/_apis/connectionData":
            return Reply(200, {"authenticatedUser": {"id": self.me}})
        if sent.query.get("api-version") != "7.1":
            return Reply(400, {"message": "No api-version was supplied"})
        prefix = "/Cloud Platform/_apis/git/repositories/estate/pullRequests/7/threads"
        match sent.method, sent.path.removeprefix(prefix).split("/"):
            case "GET", [""]:
                return Reply(200, {"value": self.threads, "count": len(self.threads)})
            case "POST", [""]:
                comments = [{**item, "id": 1, "author": {"id": self.me}} for item in sent.body["comments"]]
                self.threads.append({"id": 50 + len(self.threads), "status": sent.body["status"], "comments": comments})
                return Reply(200, self.threads[-1])
            case "PATCH", ["", thread, "comments", number]:
                found = next(item for item in self.threads if item["id"] == int(thread))["comments"][int(number) - 1]
                if found["author"]["id"] != self.me:
                    return Reply(403, {"message": "TF401444: not yours"})
                found.update(sent.body)
                return Reply(200, found)
            case "DELETE", ["", thread, "comments", _]:
                self.threads = [item for item in self.threads if item["id"] != int(thread)]
                return Reply(200)
        return Reply(404, {"message": "TF401180: not found"})


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback is never reached by a proxy of the machine."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")


@pytest.fixture
def report_file(tmp_path: Path) -> Path:
    file = tmp_path / "plan.md"
    file.write_text(f"{MARKER}\n## Apply would make 2 changes\n\nat 2026-03-02T06:00:00Z\n", encoding="utf-8")
    return file
