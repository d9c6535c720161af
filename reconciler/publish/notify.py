"""Ringing: an alert to a webhook. Its address is a secret, of which only the host is ever shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from reconciler.errors import PublishError
from reconciler.publish.alert import Alert, generic, slack, teams
from reconciler.publish.http import Patience, check_address, host_of, open_session, request

SHAPES: Mapping[str, Callable[[Alert], Any]] = {"generic": generic, "slack": slack, "teams": teams}
_CHATS = {
    "slack": ("hooks.slack.com", "hooks.slack-gov.com"),
    "teams": (
        "logic.azure.com",
        "api.powerplatform.com",
        "powerautomate.com",
        "flow.microsoft.com",
        "webhook.office.com",
    ),
}
"""Shape → hosts, and what is below them. Workflows have had addresses at api.powerplatform.com since November 2025."""
PATIENCE = Patience(retries=2, backoff=1.0, longest=3, connect=3.0, read=5.0)
"""Three attempts, half a minute at most."""


def check_webhook(url: str) -> str:
    """The address, where it can be one. Raises PublishError."""
    return check_address(url, "the address to notify")


def shape_for(url: str, form: str) -> Callable[[Alert], Any]:
    """`form` is a name in SHAPES, or `auto`: by the host."""
    if form != "auto":
        return SHAPES[form]
    host = (urlsplit(url).hostname or "").lower()
    for shape, hosts in _CHATS.items():
        if any(host == known or host.endswith(f".{known}") for known in hosts):
            return SHAPES[shape]
    return generic


def notify(url: str, form: str, alert: Alert, patience: Patience = PATIENCE) -> None:
    """Post it; sent again where the answer is lost: twice told is better than not. Raises PublishError."""
    body = shape_for(url, form)(alert)
    session = open_session(patience, repeatable=("POST",))
    status = request(session, patience, "POST", check_webhook(url), body, {}).status_code
    if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        gone = status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
        raise PublishError(
            f"{host_of(url)} answered {status}",
            advice="make a new webhook and set its address: this one is gone or closed" if gone else "",
            status=status,
        )
