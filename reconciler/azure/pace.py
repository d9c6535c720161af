"""The speed at which we ask: bounded concurrency, the remaining-quota headers, and what a 429 said (TH-01, TH-04)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from urllib.parse import urlsplit

Pause = Callable[[float], Awaitable[None]]
OnWait = Callable[[float, str], None]

_LOW = 25
"""Requests left in a bucket below which we slow down to its refill rate."""
_REFILL = {"reads": 25.0, "writes": 10.0, "deletes": 10.0}
"""Requests a second by which ARM refills a bucket (TH-01)."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """What ARM counts requests by: the subscription and the sort of operation."""

    subscription: str
    sort: str


class Pace:
    """Shared by every request of one door to Azure.

    `requests` counts everything that was sent, retries included. `on_wait` is told of every wait and its reason.
    """

    def __init__(self, parallel: int, pause: Pause, on_wait: OnWait | None, time: Callable[[], float]) -> None:
        self.requests = 0
        self._slots = asyncio.Semaphore(parallel)
        self._pause = pause
        self._on_wait = on_wait
        self._time = time
        self._remaining: dict[Bucket, int] = {}
        self._held: dict[str, float] = {}

    def slot(self) -> AbstractAsyncContextManager[None]:
        """One of the places for requests under way."""
        return self._slots

    async def wait(self, seconds: float, why: str) -> None:
        """Waits, and says so first."""
        if seconds <= 0:
            return
        if self._on_wait:
            self._on_wait(seconds, why)
        await self._pause(seconds)

    async def await_turn(self, method: str, url: str) -> None:
        """Waits where the quota is nearly used up, or where an earlier answer asked for quiet."""
        held = self._held.get(lane(method, url), 0.0) - self._time()
        if held > 0:
            await self.wait(held, "Azure asked to wait before more requests of this sort")
        bucket = bucket_of(method, url)
        left = self._remaining.get(bucket)
        if left is not None and left < _LOW:
            del self._remaining[bucket]
            seconds = (_LOW - left) / _REFILL[bucket.sort]
            await self.wait(seconds, f"{left} {bucket.sort} left in the quota of subscription {bucket.subscription}")

    def note(self, method: str, url: str, headers: Mapping[str, str]) -> None:
        """Remembers what an answer says of the quota."""
        bucket = bucket_of(method, url)
        left = headers.get(f"x-ms-ratelimit-remaining-subscription-{bucket.sort}", "")
        if left.lstrip("-").isdigit():
            self._remaining[bucket] = int(left)

    def hold(self, method: str, url: str, seconds: float) -> None:
        """No more requests of this sort for a while: retrying early renews the wait (TH-04)."""
        key = lane(method, url)
        self._held[key] = max(self._held.get(key, 0.0), self._time() + seconds)


def bucket_of(method: str, url: str) -> Bucket:
    """The quota that a request counts against."""
    segments = urlsplit(url).path.lower().split("/")
    subscription = segments[2] if len(segments) > 2 and segments[1] == "subscriptions" else ""
    sort = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}.get(method.upper(), "writes")
    return Bucket(subscription, sort)


def lane(method: str, url: str) -> str:
    """Subscription, resource type and sort: what Azure's own message calls the action that is limited."""
    path = urlsplit(url).path.lower()
    bucket = bucket_of(method, url)
    segments = path.rpartition("/providers/")[2].split("/")
    kind = "/".join([segments[0], *segments[1::2]])
    return f"{bucket.subscription}:{bucket.sort}:{kind}"
