"""From a comparison to a change: the kind's verdict, the generic one behind it, and everything that hangs on it."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from reconciler.diff.basis import Fingerprints
from reconciler.diff.fields import SpecComparer, fields_named
from reconciler.kinds.base import Comparison, Kind, Rule, Verdict
from reconciler.model.address import Address
from reconciler.model.resource import Resource, Spec
from reconciler.plan.change import Action, Change, FieldChange, Reason
from reconciler.plan.finding import Finding, Severity


@dataclass(frozen=True, slots=True)
class Draft:
    """A change that does not know the others yet. `needs` is what the resource will refer to, `uses` what it refers to
    in Azure now; `can_do_without` are the needs that only order (`Kind.order_only`)."""

    change: Change
    needs: frozenset[Address]
    uses: frozenset[Address]
    can_do_without: frozenset[Address] = frozenset()


def judge(kind: Kind[Any], comparison: Comparison[Any]) -> Verdict:
    """The kind's verdict, or the generic one. A field that cannot change blocks whatever the kind says."""
    verdict = kind.judge(comparison)
    if verdict is not None and verdict.action in (Action.BLOCKED, Action.NO_OP):
        return verdict
    if comparison.desired is None:
        return verdict or Verdict(Action.RELEASE, Reason.NOT_DECLARED, "no policy asks for it any longer")
    if comparison.live is None:
        return verdict or Verdict(Action.CREATE, Reason.NOT_IN_AZURE, "not in Azure yet")
    forbidden = _forbidden(kind.rules, comparison.fields)
    if forbidden:
        names = ", ".join(fields_named(forbidden))
        return Verdict(
            Action.BLOCKED,
            Reason.CANNOT_CHANGE,
            f"Azure cannot change {names} of a {kind.title} in place, and it is never replaced",
            f"set {names} in the policies to what Azure has, or make a new {kind.title} under another name",
        )
    return verdict or Verdict(Action.UPDATE, Reason.DIFFERS, f"differs in {', '.join(fields_named(comparison.fields))}")


def draft(
    kind: Kind[Any], comparison: Comparison[Any], comparer: SpecComparer, fingerprints: Fingerprints
) -> Draft | Finding | None:
    """The change that a comparison leads to, a finding where the kind lets things be and says why, or nothing."""
    verdict = judge(kind, comparison)
    if verdict.action is Action.NO_OP:
        return _let_be(comparison, verdict)
    wanted = comparison.desired.spec if comparison.desired else None
    live = comparison.live.spec if comparison.live else None
    needs, uses = _refs(wanted), _refs(live)
    acting = verdict.action is not Action.BLOCKED
    steps = kind.steps(comparison, verdict) if acting else ()
    resource = comparison.desired or comparison.live
    assert resource is not None
    change = Change(
        address=str(comparison.address),
        kind=kind.name,
        action=verdict.action,
        reason=verdict.reason,
        why=verdict.why,
        before=comparer.plain(live) if live else None,
        after=comparer.plain(wanted) if wanted and verdict.action is not Action.DELETE else None,
        fields=comparison.fields,
        details=() if verdict.action is Action.DELETE else comparer.details(kind, comparison.live, comparison.desired),
        summary=kind.summarise(wanted) if wanted and not live else "",
        consequences=kind.consequences(comparison, verdict) if acting else (),
        steps=steps,
        source=resource.source,
        lane=steps[-1].lane if steps else "",
        manual=verdict.manual,
        arm_id=_arm_id(comparison),
        title=kind.title,
        protects=kind.per_machine,
        basis=fingerprints.among({comparison.address, *needs, *uses}) if acting else {},
    )
    return Draft(change, needs, uses, _refs(wanted, kind.order_only))


def block(change: Change, reason: Reason, why: str, manual: str) -> Change:
    """The same difference, refused: nothing is done about it."""
    return msgspec.structs.replace(
        change, action=Action.BLOCKED, reason=reason, why=why, manual=manual, steps=(), consequences=(), basis={}
    )


def _let_be(comparison: Comparison[Any], verdict: Verdict) -> Finding | None:
    if not verdict.why:
        return None
    return Finding(
        code=verdict.reason.value,
        message=verdict.why,
        severity=Severity.INFO,
        advice=verdict.manual,
        source=comparison.desired.source if comparison.desired else None,
        address=str(comparison.address),
    )


def _forbidden(rules: Mapping[str, Rule], fields: tuple[FieldChange, ...]) -> tuple[FieldChange, ...]:
    return tuple(change for change in fields if rules[next(fields_named((change,)))] is Rule.FORBID)


def _arm_id(comparison: Comparison[Any]) -> str:
    places: tuple[Resource | None, ...] = (comparison.live, comparison.desired)
    return next((str(place.arm_id) for place in places if place and place.arm_id), "")


def _refs(spec: Spec | None, among: Container[str] | None = None) -> frozenset[Address]:
    """What the fields of a spec refer to; only those `among` the names, where given."""
    found = spec.refs() if spec else ()
    return frozenset(ref.address for name, ref in found if among is None or name in among)
