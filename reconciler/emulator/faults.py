"""Faults as input: rules that make some requests, or the operations they start, go wrong."""

from __future__ import annotations

import random
import re
from fnmatch import fnmatchcase
from typing import Any, Literal

import msgspec

from reconciler.emulator.store import Store

_COLLECTION = "faults"


class Fault(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    """One rule. It matches by ``method``, ``path`` (glob, case-insensitive) or ``path_regex``, and ``caller``
    (glob on the principal or the user agent); what is not given matches everything.

    Exactly one effect: ``status`` (with ``code``, ``message``, ``retry_after`` seconds; ``after`` true answers so
    only once the request has taken effect), ``reset`` of the connection before or after, ``operation`` that fails
    (with ``code`` and ``message``) or hangs; ``delay`` (wall seconds) may stand alone or join one of them.
    ``count`` is how many requests it still hits (None: no end), ``skip`` how many matching ones pass first,
    ``probability`` the chance of each, drawn from the seed.
    """

    id: str = ""
    method: str | None = None
    path: str | None = None
    path_regex: str | None = None
    caller: str | None = None
    status: int | None = None
    code: str = ""
    message: str = ""
    retry_after: int | None = None
    after: bool = False
    reset: Literal["before", "after"] | None = None
    operation: Literal["fails", "hangs"] | None = None
    delay: float = 0.0
    count: int | None = None
    skip: int = 0
    probability: float = 1.0

    def __post_init__(self) -> None:
        effects = [self.status is not None, self.reset is not None, self.operation is not None]
        if sum(effects) > 1 or not (any(effects) or self.delay > 0):
            raise ValueError("a fault has one of status, reset, operation; or a delay")
        if not 0 <= self.probability <= 1:
            raise ValueError("the probability of a fault lies between 0 and 1")
        if self.path_regex is not None:
            re.compile(self.path_regex)

    def matches(self, method: str, path: str, callers: tuple[str, ...]) -> bool:
        if self.method and self.method.upper() != method:
            return False
        if self.path and not fnmatchcase(path.lower(), self.path.lower()):
            return False
        if self.path_regex and not re.search(self.path_regex, path, re.IGNORECASE):
            return False
        return not self.caller or any(fnmatchcase(name.lower(), self.caller.lower()) for name in callers)


class Faults:
    """The rules in force, oldest first; the first that strikes wins."""

    def __init__(self, store: Store, chance: random.Random) -> None:
        self._store = store
        self._random = chance
        self._rules = [msgspec.convert(stored, Fault) for stored in store.documents(_COLLECTION)]

    def add(self, rule: dict[str, Any]) -> Fault:
        """Takes a rule as JSON. Raises msgspec.ValidationError for an unknown field or a wrong effect."""
        fault = msgspec.convert(rule, Fault)
        last = max((int(held.id) for held in self._rules), default=0)
        fault = msgspec.structs.replace(fault, id=f"{last + 1:04d}")
        self._rules.append(fault)
        self._keep(fault)
        return fault

    def rules(self) -> list[dict[str, Any]]:
        return [msgspec.to_builtins(rule) for rule in self._rules]

    def clear(self) -> None:
        for rule in self._rules:
            self._store.delete_document(_COLLECTION, rule.id)
        self._rules.clear()

    def strike(self, method: str, path: str, callers: tuple[str, ...] = ()) -> Fault | None:
        """The fault that hits this request, if any; uses up one of its count."""
        for position, rule in enumerate(self._rules):
            if rule.count == 0 or not rule.matches(method, path, callers):
                continue
            if rule.skip:
                self._replace(position, msgspec.structs.replace(rule, skip=rule.skip - 1))
                continue
            if rule.probability < 1 and self._random.random() >= rule.probability:
                continue
            if rule.count is not None:
                self._replace(position, msgspec.structs.replace(rule, count=rule.count - 1))
            return rule
        return None

    def _replace(self, position: int, rule: Fault) -> None:
        self._rules[position] = rule
        self._keep(rule)

    def _keep(self, rule: Fault) -> None:
        self._store.put_document(_COLLECTION, rule.id, msgspec.to_builtins(rule))
