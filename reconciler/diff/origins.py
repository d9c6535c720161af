"""Where each change comes from, with git as the base: this edit, an earlier merge, or somebody's hand in Azure.

Four sides at one address: the policies here, those at the base, those that were last applied, and Azure. All policies
were expanded against the same Azure, so a selector that matches other VMs than yesterday makes drift, not an edit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from reconciler.diff.closure import with_needs
from reconciler.diff.engine import sort_findings
from reconciler.diff.fields import SpecComparer
from reconciler.errors import UsageError
from reconciler.kinds.base import Kind
from reconciler.model.address import Address
from reconciler.model.counting import count
from reconciler.model.resource import Resource, Spec, State
from reconciler.plan.change import BY_TIME, Change, Reason
from reconciler.plan.finding import Finding, Severity
from reconciler.plan.plan import Plan
from reconciler.plan.provenance import Base, Origin, Provenance

WITHOUT_ORIGIN = BY_TIME | {Reason.ASKED}
"""What nobody's policies ask for: the clock does, or a person by name."""
CHOICES: Mapping[str, frozenset[Origin]] = {
    "mine": frozenset({Origin.MINE, Origin.BOTH}),
    "drift": frozenset({Origin.DRIFT}),
}
"""What `--only` can name."""


@dataclass(frozen=True, slots=True)
class Sides:
    """The desired states that a plan is told apart by, expanded against one live state. `base` is what was looked at,
    for the reader."""

    here: State
    at_base: State
    applied: State
    live: State
    base: Base


def trace(plan: Plan, sides: Sides, kinds: Iterable[Kind[Any]]) -> Plan:
    """The plan with the origin of every change but those that only the clock, or a person by name, asks for.

    At each address edited means here ≠ base, pending base ≠ applied, drifted applied ≠ Azure; of a change with fields
    only these count, and of the rest whether the resource is there. What no applied policy spoke of cannot have
    drifted, as long as somebody asks for it now.
    """
    tracer = _Tracer(sides, {kind.name: kind for kind in kinds})
    told = (change for change in (*plan.changes, *plan.deferred) if change.reason not in WITHOUT_ORIGIN)
    return msgspec.structs.replace(
        plan, base=sides.base, origins={change.address: tracer.provenance(change) for change in told}
    )


def keep_only(plan: Plan, only: str) -> Plan:
    """The plan for the changes of one origin (`mine` or `drift`; "" keeps all), and what these need.

    Raises UsageError where no origin is known: what is left out could be anything.
    """
    if not only:
        return plan
    if plan.base is None:
        raise UsageError(
            f"--only {only} needs to know where each change comes from, and nothing tells",
            why="neither a base nor the commit that was last applied is known",
            advice="name one (--base origin/main), or leave --only out",
        )
    chosen = {change.address for change in plan.of_origin(*CHOICES[only])}
    needed = with_needs(plan.changes, chosen)
    kept = tuple(change for change in plan.changes if change.address in needed)
    narrowed = msgspec.structs.replace(
        plan,
        changes=kept,
        deferred=tuple(change for change in plan.deferred if change.address in chosen),
        findings=sort_findings((*plan.findings, *_left_out(plan, kept, chosen, only))),
        origins={address: found for address, found in plan.origins.items() if address in needed},
        only=only,
    )
    return msgspec.structs.replace(narrowed, basis=narrowed.fingerprint)


class _Tracer:
    """Compares the sides at one address after another, each in the normal form of its kind."""

    def __init__(self, sides: Sides, kinds: Mapping[str, Kind[Any]]) -> None:
        self._sides = sides
        self._kinds = kinds
        self._comparer = SpecComparer()

    def provenance(self, change: Change) -> Provenance:
        """Of one change."""
        address, kind = Address.parse(change.address), self._kinds[change.kind]
        states = (self._sides.here, self._sides.at_base, self._sides.applied, self._sides.live)
        here, base, applied, live = (self._spec(kind, state.get(address)) for state in states)
        paths = tuple(field.path for field in change.fields)
        edited = self._apart(kind, base, here, paths)
        pending = self._apart(kind, applied, base, paths)
        unclaimed = applied is None and here is not None
        drifted = None if unclaimed else self._apart(kind, live, applied, paths)
        return Provenance(
            origin=_origin(edited=edited is not None, drifted=drifted is not None),
            edited=edited or (),
            pending=pending or (),
            drifted=drifted or (),
        )

    def _spec(self, kind: Kind[Any], resource: Resource | None) -> Spec | None:
        return self._comparer.normal(kind, resource.spec) if resource else None

    def _apart(
        self, kind: Kind[Any], before: Spec | None, after: Spec | None, paths: tuple[str, ...]
    ) -> tuple[str, ...] | None:
        """Which of the `paths` differ between two specs; none of them where only one is there; None: no difference that
        the change is about."""
        if before is None or after is None:
            return None if before is after else ()
        differences = [field.path for field in self._comparer.differences(kind, before, after)]
        if not paths:
            return () if differences else None
        touched = tuple(path for path in paths if any(_overlap(path, other) for other in differences))
        return touched or None


def _origin(*, edited: bool, drifted: bool) -> Origin:
    if edited:
        return Origin.BOTH if drifted else Origin.MINE
    return Origin.DRIFT if drifted else Origin.PENDING


def _overlap(one: str, other: str) -> bool:
    """Whether two paths speak of one value, or one of a part of the other."""
    short, long = sorted((one, other), key=len)
    return long.startswith(short) and (len(long) == len(short) or long[len(short)] in ".[")


def _left_out(plan: Plan, kept: tuple[Change, ...], chosen: set[str], only: str) -> Iterator[Finding]:
    staying = {change.address for change in kept} | chosen
    left = [change.address for change in (*plan.changes, *plan.deferred) if change.address not in staying]
    along = [change.address for change in kept if change.address not in chosen]
    if along:
        message = (
            f"{count(len(along), 'change')} taken along because what --only {only} keeps needs them: {_few(along)}"
        )
        yield Finding(code="taken_along", message=message, severity=Severity.INFO)
    if left:
        message = f"{count(len(left), 'change')} left out by --only {only} ({_tally(plan, left)}): {_few(left)}"
        yield Finding(code="left_out", message=message, severity=Severity.INFO)


def _tally(plan: Plan, addresses: Iterable[str]) -> str:
    """`12 drift, 3 due`."""
    found = Counter(plan.origins[address].origin.value if address in plan.origins else "due" for address in addresses)
    return ", ".join(f"{number} {name}" for name, number in sorted(found.items()))


def _few(addresses: list[str]) -> str:
    return ", ".join(addresses[:5]) + (" …" if len(addresses) > 5 else "")
