"""What the Activity Log keeps of every write: who sent it, when, and what came of it. 90 days, in packed pages.

A long run sends hundreds of thousands of writes; a full page of them takes a tenth of what it says.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec

from reconciler.emulator.store import Store

KEPT = timedelta(days=90)
_COLLECTION = "activity"
_SPAN = ("activity-span", "pages")
_PER_PAGE = 32
_MOST_PAGES = 10_000


class Activity(msgspec.Struct, frozen=True, array_like=True):
    """One write. ``operations`` are the guids of what it started; ``number`` tells apart those of one moment."""

    number: int
    at: datetime
    method: str
    resource: str
    action: str
    caller: str
    status: int
    correlation: str
    client_request: str = ""
    claims: dict[str, str] = {}
    operations: tuple[str, ...] = ()


_decode = msgspec.json.Decoder(list[Activity]).decode


def keep(store: Store, activity: Activity) -> None:
    """Adds one, the newest so far, and lets go of pages that are older than 90 days."""
    first, last = _span(store)
    page = store.document(_COLLECTION, _key(last)) or {}
    told = page.get("entries", [])
    if len(told) == _PER_PAGE:
        packed = base64.b64encode(zlib.compress(msgspec.json.encode(told), 6)).decode()
        store.put_document(_COLLECTION, _key(last), {"until": page["until"], "packed": packed})
        last, told = last + 1, []
        first = _prune(store, first, last, activity.at - KEPT)
        store.put_document(*_SPAN, [first, last])
    entry = msgspec.structs.replace(activity, number=last * _PER_PAGE + len(told))
    store.put_document(_COLLECTION, _key(last), {"until": activity.at, "entries": [*told, entry]})


def activities(store: Store, since: datetime, until: datetime) -> Iterator[Activity]:
    """The writes from one moment to another, the newest first."""
    first, last = _span(store)
    for number in range(last, first - 1, -1):
        page = store.document(_COLLECTION, _key(number))
        if page is None or datetime.fromisoformat(page["until"]) < since:
            return
        for found in reversed(_unpack(page)):
            if since <= found.at <= until:
                yield found


def _span(store: Store) -> tuple[int, int]:
    first, last = store.document(*_SPAN) or (0, 0)
    return first, last


def _prune(store: Store, first: int, last: int, before: datetime) -> int:
    while first < last:
        page = store.document(_COLLECTION, _key(first))
        if last - first < _MOST_PAGES and page is not None and datetime.fromisoformat(page["until"]) >= before:
            break
        store.delete_document(_COLLECTION, _key(first))
        first += 1
    return first


def _unpack(page: dict[str, Any]) -> list[Activity]:
    if "packed" in page:
        return _decode(zlib.decompress(base64.b64decode(page["packed"])))
    return msgspec.convert(page["entries"], list[Activity])


def _key(number: int) -> str:
    return f"{number:08d}"
