"""Every answer that a test gets from an emulator is held against its description."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote

from reconciler.emulator.gateway import Call, Gateway, Outcome
from tests.emulator.recorded.shape import Book

ENTRIES = 25  # of a list: the rest of a long one is like them


@cache
def book() -> Book:
    return Book()


class Witness:
    """``seen`` holds the answers (request line, status) that went by, ``differences`` what was wrong with them."""

    def __init__(self, book: Book) -> None:
        self.seen: set[tuple[str, int]] = set()
        self.differences: set[str] = set()
        self._book = book

    def look(self, call: Call, outcome: Outcome) -> None:
        response = outcome.response
        operation = self._book.find(call.method, unquote(call.target.partition("?")[0]))
        if operation is None or outcome.reset:
            return
        body = response.body
        if isinstance(body, bytes) and body:
            try:
                body = json.loads(body)
            except ValueError:
                self.differences.add(f"{operation.request} {response.status}: the body is not JSON")
                return
        self.seen.add((operation.request, response.status))
        checked = self._book.check(operation, response.status, response.headers, _shortened(body), "served")
        self.differences.update(checked)


def _shortened(body: Any) -> Any:
    """A body as it comes off the wire, and of a long list its first entries."""
    decoded = json.loads(json.dumps(body)) if isinstance(body, dict | list) else body or None
    if isinstance(decoded, dict) and isinstance(decoded.get("value"), list):
        return {**decoded, "value": decoded["value"][:ENTRIES]}
    return decoded


@contextmanager
def watching() -> Iterator[Witness]:
    """Watches all gateways of this process."""
    witness = Witness(book())
    answer = Gateway.answer

    def watched(self: Gateway, call: Call) -> Outcome:
        outcome = answer(self, call)
        witness.look(call, outcome)
        return outcome

    with patch.object(Gateway, "answer", watched):
        yield witness
