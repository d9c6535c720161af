"""A client that asks and waits as Terraform's azurerm provider does: its two SDKs have different ideas of an operation.

Both raise `BrokenError` where the provider fails, panics or waits for ever. Nothing here sleeps: a wait moves the
emulator's clock by as much, and is kept for the test to look at.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from reconciler.emulator.certificates import client_tls
from reconciler.emulator.remote import Running

USER_AGENT = "HashiCorp Terraform/1.13.0 (+https://www.terraform.io) terraform-provider-azurerm/5.2.0"
NEW_SDK_WAIT, AUTOREST_WAIT = 10, 30
"""Seconds between polls where the answer names none."""
MOST_POLLS = 50
_FINISHED = ("Succeeded", "Failed", "Canceled")


class BrokenError(Exception):
    """The provider would not get over this answer."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: Any
    length: int


@dataclass
class Terraform:
    """Requests with the provider's headers. ``log`` holds what was sent: method, path, api-version, status."""

    running: Running
    token: str
    log: list[tuple[str, str, str, int]] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def send(self, method: str, path: str, version: str, body: Any = None) -> Answer:
        separator = "&" if "?" in path else "?"
        return self.exchange(method, f"{quote(path, safe='/;?&=$')}{separator}api-version={version}", body)

    def exchange(self, method: str, target: str, body: Any = None, *, form: str | None = None) -> Answer:
        address = urlsplit(self.running.endpoint)
        tls = client_tls(Path(self.running.ca))
        connection = http.client.HTTPSConnection(address.hostname or "", address.port, timeout=30, context=tls)
        headers = {"Authorization": f"Bearer {self.token}", "User-Agent": USER_AGENT, "Accept": "application/json"}
        headers["Content-Type"] = "application/json; charset=utf-8" if form is None else FORM
        content = form.encode() if form is not None else b"" if body is None else json.dumps(body).encode()
        connection.request(method, target, body=content, headers=headers)
        answer = connection.getresponse()
        read = answer.read()
        connection.close()
        path, _, query = target.partition("?")
        version = query.partition("api-version=")[2].partition("&")[0]
        self.log.append((method, path, version, answer.status))
        told = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, told, json.loads(read) if read.strip() else None, len(read))

    def expect(self, answer: Answer, *statuses: int) -> Answer:
        if answer.status not in statuses:
            raise BrokenError(f"{self.log[-1]}: expected {statuses}, got {answer.status}: {answer.body}")
        return answer

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        if seconds:
            self.running.advance(f"{round(seconds)}s")

    def poll_new(self, first: Answer, resource: str, version: str) -> None:
        """The newer SDK (vaults, groups): path and query of the URL on the ARM host; only 200 with a status ends it."""
        url = first.headers.get("azure-asyncoperation") or first.headers.get("location")
        target = _on_this_host(url) if url else f"{resource}?api-version={version}"
        answer = first
        for _ in range(MOST_POLLS):
            self.wait(_new_sdk_wait(answer))
            answer = self.exchange("GET", target)
            if answer.status == 202 and "azure-asyncoperation" not in first.headers:
                continue
            if answer.status != 200:
                raise BrokenError(f"{target}: a poll answered {answer.status}")
            if answer.length == 0:
                return
            body = answer.body if isinstance(answer.body, dict) else {}
            status = body.get("status") or (body.get("properties") or {}).get("provisioningState")
            if status is None:
                raise BrokenError(f"{target}: neither status nor provisioningState: {body}")
            if status in _FINISHED:
                if status != "Succeeded":
                    raise BrokenError(f"{target}: {body}")
                return
        raise BrokenError(f"{target}: does not end")

    def poll_deletion(self, first: Answer, resource: str, version: str) -> None:
        """The newer SDK after a DELETE of a vault: the resource itself, until it answers 404."""
        for _ in range(MOST_POLLS):
            self.wait(_new_sdk_wait(first))
            answer = self.send("GET", resource, version)
            if answer.status == 404:
                return
            self.expect(answer, 200)
        raise BrokenError(f"{resource}: is never gone")

    def poll_autorest(self, first: Answer) -> None:
        """go-autorest (protected items): an absolute URL, a JSON object with `status` in every poll."""
        url = first.headers.get("azure-asyncoperation") or first.headers.get("location") or ""
        if not url.startswith("https://"):
            raise BrokenError(f"the polling URL is not absolute: {url!r}")
        answer = first
        for _ in range(MOST_POLLS):
            self.wait(_autorest_wait(answer))
            answer = self.expect(self.exchange("GET", _on_this_host(url)), 200, 202)
            if not isinstance(answer.body, dict) or "status" not in answer.body:
                raise BrokenError(f"{url}: a poll without a status: {answer.body}")
            if answer.body["status"] in _FINISHED:
                if answer.body["status"] != "Succeeded":
                    raise BrokenError(f"{url}: {answer.body}")
                return
        raise BrokenError(f"{url}: does not end")

    def until(self, path: str, version: str, holds: Callable[[Answer], bool]) -> Answer:
        """What the provider itself waits for after a write or deletion, every 10 s."""
        for _ in range(MOST_POLLS):
            self.wait(NEW_SDK_WAIT)
            answer = self.send("GET", path, version)
            if holds(answer):
                return answer
        raise BrokenError(f"{path}: never comes to what is waited for")


FORM = "application/x-www-form-urlencoded"


def _on_this_host(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def _new_sdk_wait(answer: Answer) -> float:
    """An integer Retry-After counts, a fraction does not; a header of the server's may say not to wait at all."""
    if answer.headers.get("x-go-azure-sdk-skip-polling-delay") == "true":
        return 0
    told = answer.headers.get("retry-after", "")
    return int(told) if told.isdecimal() else NEW_SDK_WAIT


def _autorest_wait(answer: Answer) -> float:
    """A Retry-After that is no number ends in a panic of the provider."""
    told = answer.headers.get("retry-after")
    if told is None:
        return AUTOREST_WAIT
    try:
        return float(told)
    except ValueError as error:
        raise BrokenError(f"Retry-After {told!r} is no number") from error
