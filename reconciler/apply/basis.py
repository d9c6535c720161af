"""Whether a saved plan still fits: Azure and the policies must be what it was made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from reconciler.errors import StalePlanError
from reconciler.model.counting import count
from reconciler.plan.change import ABSENT, BY_TIME, OF_A_SLOT, Change, Effect
from reconciler.plan.finding import Finding, Severity
from reconciler.plan.plan import Plan

_NAMED = 10
"""How many differences the message names."""


def check_basis(saved: Plan, fresh: Plan, begun: frozenset[str] = frozenset()) -> Plan:
    """The plan to run in place of `saved`, which `fresh` was made to check, with the same targets and policies.

    Each of its changes must rest on the same live values as then; what else has changed in the estate is not its
    business. When an earlier run has `begun` some of its addresses (see `journal.begun`), those may be done or half
    done but must not ask for anything worse, and what is left is run. What was only due and is no longer as planned,
    since its slot is over, is left out with what waits for it; where a part of Azure could not be read this time, that
    may be the reason, and what is run is incomplete. By a clock that is wrong none of that can be told: the plan then
    comes back with that error. Raises StalePlanError naming what differs.
    """
    if not saved.basis or any(not change.basis for change in saved.actionable):
        raise _stale(["the live values that it rests on were not recorded"])
    if saved.policies != fresh.policies:
        raise _stale(["the policies are not the ones it was made from"])
    wrong_clock = tuple(finding for finding in fresh.errors if finding.code == "clock")
    if wrong_clock and any(change.reason in OF_A_SLOT for change in saved.actionable):
        return msgspec.structs.replace(saved, findings=(*saved.findings, *wrong_clock))
    begun = _with_what_came_along(saved, begun)
    held = (change for change in fresh.deferred if change.reason in BY_TIME)  # by a guard that knows less of the person
    now = {change.address.casefold(): change for change in (*held, *fresh.changes)}
    differences: list[str] = []
    kept: list[Change] = []
    overtaken: set[str] = set()
    for planned in saved.actionable:
        key = planned.address.casefold()
        current = now.get(key)
        difference = _worse(planned, current) if key in begun else _difference(planned, current, begun)
        if difference and planned.reason in OF_A_SLOT:
            overtaken.add(planned.address)
        elif difference:
            differences.append(difference)
        elif current:
            kept.append(current)
    overtaken = _with_waiting(saved, overtaken)
    kept = [change for change in kept if change.address not in overtaken]
    if begun:
        differences += _new_needs(kept)
    if differences:
        raise _stale(differences)
    rest = _without(saved, overtaken, fresh)
    if overtaken and not rest.actionable:
        unread = "" if rest.complete else ", or could not be read"
        raise _stale([f"all that it would do was due when it was made, and is not so any more{unread}"])
    if not begun:
        return rest
    return msgspec.structs.replace(rest, changes=tuple(kept), deferred=(), basis=fresh.basis, created=fresh.created)


def _without(saved: Plan, overtaken: set[str], fresh: Plan) -> Plan:
    """The saved plan itself, or what the clock has left of it."""
    if not overtaken:
        return saved
    there = {change.address for change in fresh.changes}
    blind = not fresh.complete and not overtaken <= there
    told = Finding(
        code="overtaken",
        message=f"{count(len(overtaken), 'change')} of the saved plan left out: due when it was made, not so any more"
        + (", or hidden by what could not be read" if blind else ""),
        severity=Severity.INFO,
        advice="run plan again once it can be read" if blind else "the next plan makes what is due then",
    )
    changes = tuple(change for change in saved.changes if change.address not in overtaken)
    unread = (finding for finding in fresh.findings if blind and finding.code == "unreadable")
    rest = msgspec.structs.replace(
        saved,
        changes=changes,
        findings=(*saved.findings, *unread, told),
        complete=saved.complete and not blind,
    )
    return msgspec.structs.replace(rest, basis=rest.fingerprint)


def _with_waiting(saved: Plan, addresses: set[str]) -> set[str]:
    """These addresses, and all whose steps wait for theirs."""
    owner = {step.id: change.address for change in saved.actionable for step in change.steps}
    found = set(addresses)
    while waiting := {
        change.address
        for change in saved.actionable
        if change.address not in found and any(owner[needed] in found for s in change.steps for needed in s.after)
    }:
        found |= waiting
    return found


def _with_what_came_along(saved: Plan, begun: Iterable[str]) -> frozenset[str]:
    """The begun addresses, case-folded, and what rests on one that was not there yet: it cannot be as it was planned,
    since Azure gives a new vault settings of its own accord."""
    known = {address.casefold() for address in begun}
    before = -1
    while len(known) > before:
        before = len(known)
        known |= {
            change.address.casefold()
            for change in saved.actionable
            if any(value == ABSENT and address.casefold() in known for address, value in change.basis.items())
        }
    return frozenset(known)


def _difference(planned: Change, current: Change | None, begun: frozenset[str]) -> str:
    if current is None:
        return f"{planned.address}: was to {planned.action}, now needs nothing or cannot be read"
    if current.action is not planned.action:
        return f"{planned.address}: was to {planned.action}, is now to {current.action}"
    if (current.before, current.after) != (planned.before, planned.after):
        fields = sorted(_changed_keys(planned.before, current.before) | _changed_keys(planned.after, current.after))
        return f"{planned.address}: {', '.join(fields) or 'it'} changed since"
    others = sorted(
        address for address in _changed_keys(planned.basis, current.basis) if address.casefold() not in begun
    )
    if others:
        return f"{planned.address}: {', '.join(others)} changed since"
    if current.effect is not planned.effect:
        return f"{planned.address}: its effect on the data was '{planned.effect}', is now '{current.effect}'"
    if _writes(current) != _writes(planned):
        return f"{planned.address}: takes other steps now"
    return ""


def _new_needs(kept: list[Change]) -> list[str]:
    held = {step.id for change in kept for step in change.steps}
    return [
        f"{change.address}: now needs {needed} first"
        for change in kept
        for step in change.steps
        for needed in step.after
        if needed not in held
    ]


def _worse(planned: Change, current: Change | None) -> str:
    if current is None:
        return ""
    order = list(Effect)
    if current.after != planned.after:
        return f"{planned.address}: is to become something else than planned"
    if order.index(current.effect) > order.index(planned.effect):
        return f"{planned.address}: its effect on the data was '{planned.effect}', is now '{current.effect}'"
    return ""


def _writes(change: Change) -> list[tuple[str, bytes]]:
    """What the steps send, as it is saved; what they wait for is another matter."""
    return [(step.id, msgspec.json.encode(step.arguments, order="deterministic")) for step in change.steps]


def _changed_keys(before: Mapping[str, object] | None, after: Mapping[str, object] | None) -> set[str]:
    left, right = before or {}, after or {}
    return {key for key in {*left, *right} if left.get(key) != right.get(key)}


def _stale(differences: list[str]) -> StalePlanError:
    shown = differences[:_NAMED]
    if len(differences) > _NAMED:
        shown.append(f"and {len(differences) - _NAMED} more")
    return StalePlanError(
        "the saved plan no longer fits: " + "; ".join(shown),
        why="a plan is only applied to what it was made for",
        advice="plan again and review what changed",
    )
