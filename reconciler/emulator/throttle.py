"""Throttling as ARM does it: token buckets by principal and by subscription, and hourly limits by action.

Sources: rules TH-01, TH-02 and TH-04, the recorded ``ResourceRequestsThrottled`` and the recorded remaining headers.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import msgspec

from reconciler.emulator.clock import Clock
from reconciler.emulator.failures import GATEWAY, ArmError
from reconciler.emulator.store import Store
from reconciler.emulator.traffic import action_of

_COLLECTION, _KEY = "world", "throttle"
_GLOBAL = 15  # a subscription has fifteen times what one principal has (TH-02)
_HOUR = 3600.0
_VAULTS = "microsoft.recoveryservices/vaults/"


class Rate(NamedTuple):
    """How many requests a bucket holds, and how many it wins back a second."""

    capacity: int
    refill: float


RATES = {"reads": Rate(250, 25.0), "writes": Rate(200, 10.0), "deletes": Rate(200, 10.0)}
HOURLY = {f"{_VAULTS}backupjobs/read": 450, f"{_VAULTS}write": 300, f"{_VAULTS}delete": 50}
HOURLY_VAULT_READS = 300
"""Of each other collection below a vault: what the recorded counters begin with."""


class Regime(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """``factor`` 0 is off, 1 is as ARM, 0.1 a tenth of every limit. ``hourly`` replaces limits by action."""

    factor: float = 0.0
    hourly: dict[str, int] = {}

    def __post_init__(self) -> None:
        if self.factor < 0 or any(limit < 1 for limit in self.hourly.values()):
            raise ValueError("the factor is 0 (off) or more, an hourly limit at least 1")


class Throttle:
    """Time passes for quotas on whichever clock runs faster, so that a client may wait on either.

    A client that comes again before its time waits all over (TH-04).
    """

    def __init__(self, store: Store, clock: Clock, factor: float | None) -> None:
        self._store = store
        self._clock = clock
        self._buckets: dict[tuple[str, ...], _Bucket] = {}
        self._windows: dict[tuple[str, str], _Window] = {}
        self._time = 0.0
        self._seen = self._clocks()
        kept = store.document(_COLLECTION, _KEY)
        self.regime = msgspec.convert(kept, Regime) if kept else Regime()
        if factor is not None:
            self.set(Regime(factor=factor))

    def set(self, regime: Regime) -> None:
        """Changes the limits; all buckets begin full."""
        self.regime = regime
        self._buckets.clear()
        self._windows.clear()
        self._store.put_document(_COLLECTION, _KEY, msgspec.to_builtins(regime))

    def admit(self, principal: str, method: str, path: str) -> dict[str, str]:
        """Takes one request from what is left; answers the headers that say so. Raises ArmError 429."""
        sort = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}.get(method, "writes")
        segments = path.lower().split("/")
        subscription = segments[2] if len(segments) > 2 and segments[1] == "subscriptions" else ""
        scope = "subscription" if subscription else "tenant"
        own = f"x-ms-ratelimit-remaining-{scope}-{sort}"
        whole = f"x-ms-ratelimit-remaining-{scope}-global-{sort}"
        rate = RATES[sort]
        if not self.regime.factor:
            return {own: str(rate.capacity - 1), whole: str(rate.capacity * _GLOBAL - 1)}
        now = self._pass_time()
        window = self._window(subscription, method, path, now)
        mine = self._bucket((subscription, principal, sort), rate, 1, now)
        all_ = self._bucket((subscription, sort), rate, _GLOBAL, now)
        for bucket, actor in ((mine, principal), (all_, "")):
            if wait := bucket.wait(now):
                raise _refused(sort, subscription or "tenant", actor, wait)
        headers = {own: str(mine.take()), whole: str(all_.take())}
        if window is not None:
            headers["x-ms-ratelimit-remaining-subscription-resource-requests"] = str(window.left)
        return headers

    def _window(self, subscription: str, method: str, path: str, now: float) -> _Window | None:
        action, _ = action_of(method, path)
        limit = self._hourly(action.lower())
        if limit is None:
            return None
        key = (subscription, action.lower())
        window = self._windows.get(key)
        if window is None or now >= window.ends:
            window = self._windows[key] = _Window(now + _HOUR, limit)
        if window.left == 0:
            raise _refused_action(action, limit, math.ceil(window.ends - now))
        window.left -= 1
        return window

    def _hourly(self, action: str) -> int | None:
        own = {name.lower(): limit for name, limit in self.regime.hourly.items()}
        if action in own:
            return own[action]
        limit = HOURLY.get(action)
        if limit is None and action.startswith(_VAULTS) and action.endswith("/read") and action != f"{_VAULTS}read":
            limit = HOURLY_VAULT_READS
        return None if limit is None else max(1, int(limit * self.regime.factor))

    def _bucket(self, key: tuple[str, ...], rate: Rate, times: int, now: float) -> _Bucket:
        scale = self.regime.factor * times
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = _Bucket(max(1.0, rate.capacity * scale), rate.refill * scale, now)
        bucket.fill(now)
        return bucket

    def _clocks(self) -> tuple[float, float]:
        return self._clock.now().timestamp(), self._clock.wall().timestamp()

    def _pass_time(self) -> float:
        before, self._seen = self._seen, self._clocks()
        self._time += max(0.0, *(now - then for now, then in zip(self._seen, before, strict=True)))
        return self._time


class _Bucket:
    def __init__(self, capacity: float, refill: float, now: float) -> None:
        self._capacity = self._tokens = capacity
        self._refill = refill
        self._filled = now
        self._closed_until = 0.0
        self._wait = 0

    def fill(self, now: float) -> None:
        self._tokens = min(self._capacity, self._tokens + (now - self._filled) * self._refill)
        self._filled = now

    def wait(self, now: float) -> int:
        """Seconds until the next request is let in; 0 now. Asking too early begins the wait anew."""
        if now >= self._closed_until:
            if self._tokens >= 1:
                return 0
            self._wait = max(1, math.ceil((1 - self._tokens) / self._refill))
        self._closed_until = now + self._wait
        return self._wait

    def take(self) -> int:
        self._tokens -= 1
        return int(self._tokens)


class _Window:
    def __init__(self, ends: float, left: int) -> None:
        self.ends = ends
        self.left = left


def _refused(sort: str, scope: str, actor: str, seconds: int) -> ArmError:
    who = f" actor '{actor}'" if actor else ""
    message = (
        f"Number of '{sort}' requests for subscription '{scope}'{who} exceeded. Please try again after '{seconds}' "
        "seconds after additional tokens are available. Refer to https://aka.ms/arm-throttling for additional "
        "information."
    )
    return ArmError(429, "SubscriptionRequestsThrottled", message, headers={"Retry-After": str(seconds), **GATEWAY})


def _refused_action(action: str, limit: int, seconds: int) -> ArmError:
    message = (
        f"Number of requests for action '{action}' exceeded the limit of '{limit}' for time interval '01:00:00'. "
        f"Please try again after '{seconds}' seconds."
    )
    return ArmError(429, "ResourceRequestsThrottled", message, headers={"Retry-After": str(seconds), **GATEWAY})
