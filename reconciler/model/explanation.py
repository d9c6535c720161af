"""Why one VM is protected as it is: what `explain VM` shows. Made by `desired`, shown by `render`."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.model.machine import Machine
from reconciler.model.source import Source


@dataclass(frozen=True, slots=True)
class Condition:
    """One key of a selector, and whether the VM meets it.

    `key` is as written (`tags.env`, `names`, `not`); `wanted` is what the selector asks for and `actual` what the VM
    has, both for people; `parts` are the conditions inside `all`, `any` and `not`, where `wanted` and `actual` are "".
    """

    key: str
    wanted: str
    actual: str
    met: bool
    source: Source
    parts: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A Protection or Exemption, and whether the VM matches its selector.

    `aspects` are those it gives or excuses from; `note` says what else decides: priority, reason and end, expiry.
    """

    kind: str
    name: str
    source: Source
    matched: bool
    conditions: tuple[Condition, ...]
    aspects: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What the VM gets of one aspect. `document` is the Protection or Exemption that decided, None where none did."""

    aspect: str
    outcome: str
    """"protected", "exempt", "unclear" (an overlap), "none", or "uncovered": none, and no other aspect either."""
    why: str
    document: str | None = None
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """One resulting value, in words. `source` is None where the value is a default of the program; `address` tells the
    resource: the VM's own, or one that it refers to (its backup policy)."""

    address: str
    path: str
    value: str
    source: Source | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything about one VM; candidates in order of file and line, Protections first.

    `remarks` tell what is so in Azure, whatever the policies say: that it is failed over, or what a drill made.
    """

    machine: Machine
    candidates: tuple[Candidate, ...]
    decisions: tuple[Decision, ...]
    settings: tuple[Setting, ...]
    remarks: tuple[str, ...] = ()
