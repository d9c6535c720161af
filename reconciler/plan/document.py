"""The JSON of a plan.

Names are those of Terraform's JSON plan where the meaning is the same: rules written for it (OPA, conftest) find
`resource_changes[].change.actions` and `applyable` where they look for them. The rest is ours. What can be worked out
(`applyable`, `checks`, `data_effect`) is written for readers and not read back.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from reconciler.model.restore_request import RestoreRequest
from reconciler.model.source import Source
from reconciler.plan.change import Action, Change, Consequence, Detail, FieldChange, Reason, Step
from reconciler.plan.finding import Finding
from reconciler.plan.plan import Plan, Refusal
from reconciler.plan.provenance import Base, LastWrites, Provenance

FORMAT_VERSION = "1.2"
"""Readers must refuse an unknown major; a higher minor only adds fields."""


class ChangeValues(msgspec.Struct, frozen=True, kw_only=True):
    """Terraform's `change`: `actions` is a list there, so it is one here."""

    actions: Annotated[tuple[Action, ...], Meta(min_length=1)]
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


class ResourceChange(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of `resource_changes` and of `deferred`."""

    address: str
    type: str
    change: ChangeValues
    action_reason: Reason
    why: str
    data_effect: str
    consequences: tuple[Consequence, ...]
    fields: tuple[FieldChange, ...]
    details: tuple[Detail, ...]
    summary: str
    steps: tuple[Step, ...]
    source: Source | None
    lane: str
    manual: str
    arm_id: str
    title: str
    protects: bool
    basis: dict[str, str]
    provenance: Provenance | msgspec.UnsetType = msgspec.UNSET
    last_writes: LastWrites | msgspec.UnsetType = msgspec.UNSET


class PlanDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The whole file. `checksum` covers everything else in it; `digest` what `Plan.digest` covers."""

    format_version: str
    timestamp: str
    applyable: bool
    complete: bool
    errored: bool
    resource_changes: tuple[ResourceChange, ...]
    resource_drift: tuple[ResourceChange, ...]
    checks: tuple[dict[str, Any], ...]
    deferred: tuple[ResourceChange, ...]
    findings: tuple[Finding, ...]
    refusals: tuple[Refusal, ...]
    allowed: tuple[str, ...]
    unchanged: int
    machines: int
    unknown: tuple[str, ...]
    targets: tuple[str, ...]
    excludes: tuple[str, ...]
    policies: str
    basis: str
    digest: str
    due: tuple[ResourceChange, ...] = ()
    restore: RestoreRequest | msgspec.UnsetType = msgspec.UNSET
    base: Base | msgspec.UnsetType = msgspec.UNSET
    only: str | msgspec.UnsetType = msgspec.UNSET
    checksum: str = ""


def entries(plan: Plan, changes: Iterable[Change]) -> tuple[ResourceChange, ...]:
    """These changes of the plan, each with what the plan says of it elsewhere."""
    return tuple(_resource_change(plan, change) for change in changes)


def _resource_change(plan: Plan, change: Change) -> ResourceChange:
    return ResourceChange(
        address=change.address,
        type=change.kind,
        change=ChangeValues(actions=(change.action,), before=change.before, after=change.after),
        action_reason=change.reason,
        why=change.why,
        data_effect=change.effect.value,
        consequences=change.consequences,
        fields=change.fields,
        details=change.details,
        summary=change.summary,
        steps=change.steps,
        source=change.source,
        lane=change.lane,
        manual=change.manual,
        arm_id=change.arm_id,
        title=change.title,
        protects=change.protects,
        basis=change.basis,
        provenance=plan.origins.get(change.address, msgspec.UNSET),
        last_writes=plan.last_writes.get(change.address, msgspec.UNSET),
    )


def change_of(entry: ResourceChange) -> Change:
    """The change that an entry was made from."""
    return Change(
        address=entry.address,
        kind=entry.type,
        action=entry.change.actions[0],
        reason=entry.action_reason,
        why=entry.why,
        before=entry.change.before,
        after=entry.change.after,
        fields=entry.fields,
        details=entry.details,
        summary=entry.summary,
        consequences=entry.consequences,
        steps=entry.steps,
        source=entry.source,
        lane=entry.lane,
        manual=entry.manual,
        arm_id=entry.arm_id,
        title=entry.title,
        protects=entry.protects,
        basis=entry.basis,
    )


def check_of(refusal: Refusal) -> dict[str, Any]:
    """A refusal in the shape of Terraform's `checks`."""
    problem = {"message": refusal.message}
    return {
        "address": {"kind": "guard", "name": refusal.code, "to_display": f"guard {refusal.code}: {refusal.title}"},
        "status": "fail",
        "instances": [
            {"address": {"to_display": address}, "status": "fail", "problems": [problem]}
            for address in refusal.addresses
        ],
    }
