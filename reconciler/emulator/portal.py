"""One raw ARM request to a running emulator: what somebody in the portal or with curl would do."""

from __future__ import annotations

import http.client
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, urlsplit

import msgspec

from reconciler.emulator.bearer import token_in_name_of
from reconciler.emulator.certificates import client_tls
from reconciler.emulator.remote import EmulatorError, Running


class Said(NamedTuple):
    """The status, and the body as indented JSON ("" where there is none)."""

    status: int
    text: str


SOMEBODY = "somebody@example.com"


def request(running: Running, method: str, path: str, body: str | None = None, *, caller: str = SOMEBODY) -> Said:
    """Sends ``path`` (with its query) as it is, in the name of ``caller``: a user principal name, or the id of an
    application. Raises EmulatorError when the server does not answer."""
    address = urlsplit(running.endpoint)
    connection = http.client.HTTPSConnection(
        address.hostname or "localhost", address.port, timeout=60.0, context=client_tls(Path(running.ca))
    )
    headers = {"Authorization": f"Bearer {token_in_name_of(caller)}", "Content-Type": "application/json"}
    try:
        connection.request(method, quote(path, safe="/?&=;:,$%@'()*+~-._"), body=body, headers=headers)
        answer = connection.getresponse()
        content = answer.read()
    except (http.client.HTTPException, OSError) as error:
        raise EmulatorError(f"{running.endpoint} does not answer: {error}") from error
    finally:
        connection.close()
    try:
        text = msgspec.json.format(content, indent=2).decode() if content.strip() else ""
    except msgspec.DecodeError:
        text = content.decode("utf-8", "replace")
    return Said(answer.status, text)
