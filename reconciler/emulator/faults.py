"""Faults as input: rules that make some requests, or the operations they start, go wrong.

A rule is plain JSON, knows requests by method, path and sort only, and is carried out by the gateway: a new provider
is hit by all of them without a line of its own.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any, Literal

import msgspec

from reconciler.emulator.clock import parse_span
from reconciler.emulator.store import Store
from reconciler.emulator.traffic import Sort, sort_of

_COLLECTION = "faults"
_GUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_EFFECTS = "a fault has one of status, reset, operation, page, body, stale; or a delay"


class Fault(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    """One rule. What is not given matches everything.

    It matches by ``method``, ``path`` (glob, case-insensitive) or ``path_regex``, ``sort`` (of request), and
    ``caller`` (glob on the principal or the user agent).

    Exactly one effect:

    - ``status`` with ``code``, ``message``, ``retry_after`` seconds; ``after`` true answers so only once the request
      has taken effect; 401 carries a claims challenge;
    - ``reset`` of the connection before or after the request took effect;
    - ``operation`` that the request starts fails (with ``code``, ``message``), hangs, is lost (every poll 404) or is
      forgotten (404 from its end on);
    - ``page`` of a list: ``repeats`` links to itself, ``endless`` links to ever new copies, ``foreign`` to another
      host;
    - ``body`` of the answer: ``malformed`` JSON, or ``truncated`` in the middle of the transfer;
    - ``stale`` reads of the written resource, in lists as well, that still show what was there before.

    ``delay`` (wall seconds) may stand alone or join one of them. ``count`` is how many requests it still hits (None:
    no end), ``skip`` how many matching ones pass first, ``probability`` the chance of each, drawn from ``seed`` (the
    world's, when None) and from how often this very request came: other requests in between change nothing.
    ``starts`` and ``ends`` bound it in virtual time: a moment, or a span from when the rule is added (``2h``).
    """

    id: str = ""
    method: str | None = None
    path: str | None = None
    path_regex: str | None = None
    sort: Sort | None = None
    caller: str | None = None
    status: int | None = None
    code: str = ""
    message: str = ""
    retry_after: int | None = None
    after: bool = False
    reset: Literal["before", "after"] | None = None
    operation: Literal["fails", "hangs", "lost", "forgotten"] | None = None
    page: Literal["repeats", "endless", "foreign"] | None = None
    body: Literal["malformed", "truncated"] | None = None
    stale: int | None = None
    delay: float = 0.0
    count: int | None = None
    skip: int = 0
    probability: float = 1.0
    seed: int | None = None
    starts: str | None = None
    ends: str | None = None

    def __post_init__(self) -> None:
        effects = [self.status, self.reset, self.operation, self.page, self.body, self.stale]
        given = sum(effect is not None for effect in effects)
        if given > 1 or not (given or self.delay > 0):
            raise ValueError(_EFFECTS)
        if self.status is not None and not 400 <= self.status <= 599:
            raise ValueError("the status of a fault lies between 400 and 599")
        if not 0 <= self.probability <= 1:
            raise ValueError("the probability of a fault lies between 0 and 1")
        if self.stale is not None and self.stale < 1:
            raise ValueError("stale is the number of reads that miss the write: at least 1")
        if self.path_regex is not None:
            try:
                re.compile(self.path_regex)
            except re.error as error:
                raise ValueError(f"pathRegex: {error}") from error

    def matches(self, incoming: Incoming) -> bool:
        if self.method and self.method.upper() != incoming.method:
            return False
        if self.sort and self.sort != incoming.sort:
            return False
        if self.page and incoming.sort != "list":
            return False
        if (self.operation or self.stale) and incoming.sort not in ("write", "delete"):
            return False
        if self.path and not fnmatchcase(incoming.path.lower(), self.path.lower()):
            return False
        if self.path_regex and not re.search(self.path_regex, incoming.path, re.IGNORECASE):
            return False
        return not self.caller or any(fnmatchcase(name.lower(), self.caller.lower()) for name in incoming.callers)

    def in_force(self, now: datetime) -> bool:
        return not (self.starts and now < _moment(self.starts)) and not (self.ends and now >= _moment(self.ends))


@dataclass(frozen=True, slots=True)
class Incoming:
    """What a rule can know of a request."""

    method: str
    path: str
    sort: Sort
    callers: tuple[str, ...] = ()


class Faults:
    """The rules in force, oldest first; the first that strikes wins."""

    def __init__(self, store: Store, seed: int, now: Callable[[], datetime]) -> None:
        self._store = store
        self._seed = seed
        self._now = now
        self._rules = [msgspec.convert(stored, Fault) for stored in store.documents(_COLLECTION)]
        self._asked: Counter[str] = Counter()

    def add(self, rule: dict[str, Any]) -> Fault:
        """Takes a rule as JSON. Raises msgspec.ValidationError or ValueError for an unknown field or wrong value."""
        return self.load([rule])[0]

    def load(self, rules: Iterable[dict[str, Any]]) -> list[Fault]:
        """Takes a schedule: all of it, or nothing. Raises ValueError naming every wrong rule by its place."""
        added: list[Fault] = []
        wrong: list[str] = []
        last = max((int(held.id) for held in self._rules), default=0)
        for place, rule in enumerate(rules, start=1):
            try:
                fault = _dated(msgspec.convert(rule, Fault), self._now())
            except ValueError as error:
                wrong.append(f"rule {place}: {error}")
            else:
                added.append(msgspec.structs.replace(fault, id=f"{last + place:04d}"))
        if wrong:
            raise ValueError("; ".join(wrong))
        for fault in added:
            self._rules.append(fault)
            self._keep(fault)
        return added

    def rules(self) -> list[dict[str, Any]]:
        return [msgspec.to_builtins(rule) for rule in self._rules]

    def clear(self) -> None:
        for rule in self._rules:
            self._store.delete_document(_COLLECTION, rule.id)
        self._rules.clear()
        self._asked.clear()

    def strike(self, method: str, path: str, callers: tuple[str, ...] = ()) -> Fault | None:
        """The fault that hits this request, if any; uses up one of its count."""
        if not self._rules:
            return None
        incoming, now = Incoming(method, path, sort_of(method, path), callers), self._now()
        for position, rule in enumerate(self._rules):
            if rule.count == 0 or not rule.matches(incoming) or not rule.in_force(now):
                continue
            if rule.skip:
                self._replace(position, msgspec.structs.replace(rule, skip=rule.skip - 1))
                continue
            if rule.probability < 1 and self._draw(rule, incoming) >= rule.probability:
                continue
            if rule.count is not None:
                self._replace(position, msgspec.structs.replace(rule, count=rule.count - 1))
            return rule
        return None

    def _draw(self, rule: Fault, incoming: Incoming) -> float:
        """The same number for the same rule, request and repeat: a failure can be replayed whatever runs beside it."""
        seed = self._seed if rule.seed is None else rule.seed
        key = f"{seed}/{rule.id}/{incoming.method} {_GUID.sub('*', incoming.path.lower())}"
        self._asked[key] += 1
        return random.Random(f"{key}/{self._asked[key]}").random()

    def _replace(self, position: int, rule: Fault) -> None:
        self._rules[position] = rule
        self._keep(rule)

    def _keep(self, rule: Fault) -> None:
        self._store.put_document(_COLLECTION, rule.id, msgspec.to_builtins(rule))


def _dated(fault: Fault, now: datetime) -> Fault:
    """Spans become moments when the rule is added."""
    starts, ends = (_absolute(text, now) for text in (fault.starts, fault.ends))
    return msgspec.structs.replace(fault, starts=starts, ends=ends)


def _absolute(text: str | None, now: datetime) -> str | None:
    if text is None:
        return None
    try:
        return _moment(text).isoformat()
    except ValueError:
        return (now + parse_span(text)).isoformat()


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
