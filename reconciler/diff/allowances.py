"""Lifting guards: `--allow G103=2`. Works on a fresh plan and on a saved one alike."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping

import msgspec

from reconciler.diff.guards import GUARDS
from reconciler.errors import UsageError
from reconciler.plan.plan import Plan, Refusal

Allowances = Mapping[str, int | None]
"""Guard code → the number of changes that are let through; None where the guard takes no number."""


def parse_allowances(texts: Iterable[str]) -> Allowances:
    """`("G103=2", "g105")` → `{"G103": 2, "G105": None}`. Raises UsageError that says what to write instead."""
    found: dict[str, int | None] = {}
    for text in texts:
        code, number = _parse(text)
        if code in found:
            raise UsageError(f"--allow names {code} twice", advice="name each guard once")
        found[code] = number
    return found


def lift(plan: Plan, allowances: Allowances) -> Plan:
    """The plan without the refusals that are allowed. One that is allowed for fewer changes than there are stays, and
    says both numbers."""
    kept: list[Refusal] = []
    lifted: list[str] = []
    for refusal in plan.refusals:
        number = allowances.get(refusal.code)
        if refusal.code not in allowances:
            kept.append(refusal)
        elif number is None or number >= refusal.count:
            lifted.append(refusal.code if number is None else f"{refusal.code}={number}")
        else:
            message = (
                f"{refusal.message}; --allow {refusal.code}={number} lets {number} through, there are {refusal.count}"
            )
            kept.append(msgspec.structs.replace(refusal, message=message))
    return msgspec.structs.replace(plan, refusals=tuple(kept), allowed=(*plan.allowed, *lifted))


def _parse(text: str) -> tuple[str, int | None]:
    name, equals, number = text.strip().partition("=")
    known = {guard.code: guard for guard in GUARDS}
    guard = known.get(name.strip().upper())
    if guard is None:
        close = difflib.get_close_matches(name.strip().upper(), known, n=1, cutoff=0.7)
        listed = ", ".join(f"{item.code} ({item.title})" for item in GUARDS)
        raise UsageError(
            f"--allow {text!r}: there is no guard {name!r}",
            advice=f"did you mean {close[0]}? The guards are {listed}" if close else f"the guards are {listed}",
        )
    if not equals and guard.counted:
        raise UsageError(
            f"--allow {text!r}: {guard.code} ({guard.title}) takes the number of changes that you accept",
            why="the number keeps a later, larger plan from passing",
            advice=f"write --allow {guard.code}=N with the number that the plan says",
        )
    if equals and not re.fullmatch(r"[1-9][0-9]{0,8}", number.strip()):
        raise UsageError(f"--allow {text!r}: {number!r} is not a number of changes", advice=f"write {guard.code}=2")
    return guard.code, int(number) if equals and guard.counted else None
