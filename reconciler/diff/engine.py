"""Desired and live → Plan. Dumb and generic: both sides are one type, normalised by the kind, compared field by field.

What was read and differs becomes a change, what could not be read stays unknown, what no policy asks for is released
or reported. Guards, limits and targets are put on afterwards, each in a module of its own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

import msgspec

from reconciler.diff.basis import Fingerprints
from reconciler.diff.edges import link, spread_blocks
from reconciler.diff.fields import SpecComparer
from reconciler.diff.judgement import Draft, draft
from reconciler.diff.outcomes import outcomes
from reconciler.diff.ownership import unclaimed, unmanaged, unselected
from reconciler.diff.unknown import report_unreadable
from reconciler.kinds.base import Assignment, Comparison, Kind, Ownership, Situation
from reconciler.model.address import Address
from reconciler.model.live import Unreadable
from reconciler.model.resource import Resource
from reconciler.plan.finding import Finding, Severity
from reconciler.plan.plan import Plan

Kinds = Mapping[str, Kind[Any]]


@dataclass
class Assessment:
    """What the comparison of one situation has brought so far."""

    situation: Situation
    kinds: Kinds
    comparer: SpecComparer
    fingerprints: Fingerprints
    drafts: dict[Address, Draft] = field(default_factory=dict)
    unknown: dict[Address, Unreadable] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def decide(self, desired: Resource | None, live: Resource | None) -> None:
        """Compare one resource, in normal form, and note what the kind makes of it."""
        resource = desired or live
        assert resource is not None
        kind = self.kinds[resource.address.kind]
        wanted = self.comparer.normal(kind, desired.spec) if desired else None
        found = self.comparer.normal(kind, live.spec) if live else None
        if wanted == found:
            return
        fields = self.comparer.differences(kind, found, wanted) if wanted and found else ()
        if wanted and found and not fields:
            return
        comparison: Comparison[Any] = Comparison(
            address=resource.address,
            desired=dataclasses.replace(desired, spec=wanted) if desired and wanted else None,
            live=dataclasses.replace(live, spec=found) if live and found else None,
            fields=fields,
            situation=self.situation,
        )
        outcome = draft(kind, comparison, self.comparer, self.fingerprints)
        if isinstance(outcome, Finding):
            self.findings.append(outcome)
        elif outcome is not None:
            self.drafts[resource.address] = outcome


def compare(
    situation: Situation,
    kinds: Iterable[Kind[Any]],
    findings: Iterable[Finding] = (),
    *,
    assignments: Iterable[Assignment] = (),
    policies: str = "",
) -> Plan:
    """The plan before guards, limits and targets. `findings` are those of the desired side; `assignments` say which
    objectives each VM was promised; `policies` is the digest of the policy files.

    Deterministic: the same situation gives the same plan, whatever order things were read in.
    """
    by_name = {kind.name: kind for kind in kinds}
    assignments = tuple(assignments)
    so_far = Assessment(situation, by_name, SpecComparer(), Fingerprints(situation.live.state), findings=[*findings])
    _assess_desired(so_far)
    untouched = len(situation.desired) - len(so_far.drafts) - len(so_far.unknown)
    _assess_unclaimed(so_far, assignments)
    spread_blocks(so_far.drafts, so_far.unknown)
    changes = sorted(link(so_far.drafts), key=lambda change: Address.parse(change.address).key)
    so_far.findings.extend(outcomes(situation, by_name, assignments))
    so_far.findings.extend(report_unreadable(situation.live, so_far.unknown))
    plan = Plan(
        created=situation.now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        changes=tuple(changes),
        findings=sort_findings(so_far.findings),
        unchanged=untouched,
        complete=not situation.live.unreadable,
        policies=policies,
        unknown=tuple(str(address) for address in sorted(so_far.unknown)),
        machines=len(situation.live.machines),
    )
    return msgspec.structs.replace(plan, basis=plan.fingerprint)


def sort_findings(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Worst first, then by code, place and resource; each finding once."""
    ranks = {severity: rank for rank, severity in enumerate(Severity)}
    keyed = {
        (ranks[item.severity], item.code, item.source is None, str(item.source), item.address, item.message): item
        for item in findings
    }
    return tuple(keyed[key] for key in sorted(keyed))


def _assess_desired(so_far: Assessment) -> None:
    live = so_far.situation.live
    for address, resource in so_far.situation.desired.items():
        found = live.state.get(address)
        gap = None if found else live.hides(address, resource.location)
        if gap:
            so_far.unknown[address] = gap
        else:
            so_far.decide(resource, found)


def _assess_unclaimed(so_far: Assessment, assignments: Iterable[Assignment]) -> None:
    """What no policy asks for. A VM that one asks for and that could not be placed is none of these: the errors on it
    are told already."""
    asked = {(item.aspect, Address("", item.machine.scope, item.machine.name)) for item in assignments}
    for resource, ownership in unclaimed(so_far.situation, so_far.kinds):
        kind = so_far.kinds[resource.address.kind]
        place = Address("", resource.address.scope, resource.address.name)
        if kind.per_machine and kind.aspect and (kind.aspect.name, place) in asked:
            continue
        gap = unselected(kind, resource, so_far.situation.live)
        if ownership is Ownership.IGNORED:
            continue
        if gap:
            so_far.unknown[resource.address] = gap
        elif ownership is Ownership.RELEASED:
            so_far.decide(None, resource)
        else:
            so_far.findings.append(unmanaged(resource))
