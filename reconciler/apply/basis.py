"""Whether a saved plan still fits: Azure and the policies must be what it was made from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from reconciler.errors import StalePlanError
from reconciler.plan.change import Change, Effect
from reconciler.plan.plan import Plan

_NAMED = 10
"""How many differences the message names."""


def check_basis(saved: Plan, fresh: Plan, begun: frozenset[str] = frozenset()) -> Plan:
    """The plan to run in place of `saved`, which `fresh` was made to check, with the same targets and policies.

    As long as nothing of it was done, both must rest on the same live values, and `saved` itself is run. When an
    earlier run has `begun` some of its addresses (see `journal.begun`), Azure differs by what that run did: then the
    changes not yet begun must be the same, those begun may be done or half done but must not ask for anything worse,
    and what is left of them is run. Raises StalePlanError naming what differs.
    """
    if not saved.basis or not fresh.basis:
        raise _stale(["the live values that it rests on were not recorded"])
    if saved.policies != fresh.policies:
        raise _stale(["the policies are not the ones it was made from"])
    if saved.complete and not fresh.complete:
        raise _stale(["not everything it was made from could be read again"])
    if not begun:
        if saved.basis == fresh.basis:
            return saved
        differences = list(_differences(saved, fresh))
        raise _stale(differences or ["values behind its consequences changed (recovery points, vault settings)"])
    return _remaining(saved, fresh, frozenset(address.casefold() for address in begun))


def _remaining(saved: Plan, fresh: Plan, begun: frozenset[str]) -> Plan:
    now = _by_address(fresh)
    differences: list[str] = []
    kept: list[Change] = []
    for planned in saved.actionable:
        key = planned.address.casefold()
        current = now.get(key)
        difference = _worse(planned, current) if key in begun else _difference(planned, current)
        if difference:
            differences.append(difference)
        elif current:
            kept.append(current)
    held = {step.id for change in kept for step in change.steps}
    differences += [
        f"{change.address}: now needs {needed} first"
        for change in kept
        for step in change.steps
        for needed in step.after
        if needed not in held
    ]
    if differences:
        raise _stale(differences)
    return msgspec.structs.replace(saved, changes=tuple(kept), deferred=(), basis=fresh.basis, created=fresh.created)


def _differences(saved: Plan, fresh: Plan) -> Iterator[str]:
    now, planned = _by_address(fresh), _by_address(saved)
    for key, change in planned.items():
        if difference := _difference(change, now.get(key)):
            yield difference
    for key, change in now.items():
        if key not in planned:
            yield f"{change.address}: now to {change.action}, was not in the plan"


def _difference(planned: Change, current: Change | None) -> str:
    if current is None:
        return f"{planned.address}: was to {planned.action}, now needs nothing or cannot be read"
    if current.action is not planned.action:
        return f"{planned.address}: was to {planned.action}, is now to {current.action}"
    if (current.before, current.after) != (planned.before, planned.after):
        fields = sorted(_changed_keys(planned.before, current.before) | _changed_keys(planned.after, current.after))
        return f"{planned.address}: {', '.join(fields) or 'it'} changed since"
    if current.effect is not planned.effect:
        return f"{planned.address}: its effect on the data was '{planned.effect}', is now '{current.effect}'"
    if _writes(current) != _writes(planned):
        return f"{planned.address}: takes other steps now"
    return ""


def _worse(planned: Change, current: Change | None) -> str:
    if current is None:
        return ""
    order = list(Effect)
    if current.after != planned.after:
        return f"{planned.address}: is to become something else than planned"
    if order.index(current.effect) > order.index(planned.effect):
        return f"{planned.address}: its effect on the data was '{planned.effect}', is now '{current.effect}'"
    return ""


def _writes(change: Change) -> list[tuple[str, object]]:
    """What the steps send; what they wait for is another matter."""
    return [(step.id, step.arguments) for step in change.steps]


def _changed_keys(before: Mapping[str, object] | None, after: Mapping[str, object] | None) -> set[str]:
    left, right = before or {}, after or {}
    return {key for key in {*left, *right} if left.get(key) != right.get(key)}


def _by_address(plan: Plan) -> dict[str, Change]:
    return {change.address.casefold(): change for change in plan.changes}


def _stale(differences: list[str]) -> StalePlanError:
    shown = differences[:_NAMED]
    if len(differences) > _NAMED:
        shown.append(f"and {len(differences) - _NAMED} more")
    return StalePlanError(
        "the saved plan no longer fits: " + "; ".join(shown),
        why="a plan is only applied to what it was made for",
        advice="plan again and review what changed",
    )
