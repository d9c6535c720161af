"""The writes that close a difference. A delete knows which snapshot it means: by its uniqueId, not by its name."""

from __future__ import annotations

from typing import Any

from reconciler.kinds.base import Comparison, Verdict
from reconciler.kinds.snapshot.coming import Coming
from reconciler.kinds.snapshot.retention import Expiry
from reconciler.kinds.snapshot.spec import NAME, SnapshotSpec, snapshot_id
from reconciler.model.arm_id import ArmId
from reconciler.model.observed import SnapshotFacts
from reconciler.model.slots import spell_slot
from reconciler.plan.change import Action, Phase, Step

WRITE = "Microsoft.Compute/snapshots/write"
DELETE = "Microsoft.Compute/snapshots/delete"


def snapshot_steps(comparison: Comparison[SnapshotSpec], verdict: Verdict) -> tuple[Step, ...]:
    """In order: what failed is discarded, then taken or copied again."""
    desired = comparison.desired
    if desired is None or verdict.action not in (Action.CREATE, Action.UPDATE, Action.DELETE):
        return ()
    seen = desired.observed
    if isinstance(seen, Expiry):
        return (_delete(comparison, seen.facts, "delete", copy=seen.copy),)
    if isinstance(seen, Coming):
        discard: tuple[Step, ...] = ()
        if comparison.live is not None:
            discard = (_delete(comparison, comparison.live.observed, "discard"),)
        return (*discard, _copy(comparison, seen) if seen.region else _create(comparison, seen))
    return (_update(comparison, seen),)


def _create(comparison: Comparison[SnapshotSpec], seen: Coming) -> Step:
    spec = comparison.wanted_spec
    return _step(
        comparison,
        "create",
        f"take the snapshot of disk {seen.disk.arm_id.name} for slot {spell_slot(seen.slot)}",
        lane=seen.disk.arm_id.key,
        usually="minutes to hours" if seen.background else "a few seconds",
        long=seen.background,
        **_made(spec),
        incremental=spec.incremental,
        disk=spec.disk,
        disk_unique_id=seen.disk.unique_id,
        background=seen.background,
    )


def _copy(comparison: Comparison[SnapshotSpec], seen: Coming) -> Step:
    spec = comparison.wanted_spec
    assert spec.source is not None
    source = snapshot_id(spec.source.address, comparison.situation.declared)
    return _step(
        comparison,
        "copy",
        f"copy the snapshot of disk {seen.disk.arm_id.name} for slot {spell_slot(seen.slot)} to {seen.region}",
        lane=seen.disk.arm_id.key,
        usually="minutes to hours",
        long=True,
        **_made(spec),
        source=str(source),
        disk_unique_id=seen.disk.unique_id,
    )


def _update(comparison: Comparison[SnapshotSpec], facts: SnapshotFacts) -> Step:
    return _step(
        comparison,
        "update",
        f"change who may export snapshot {comparison.address.name}",
        lane=_lane(facts),
        usually="a few seconds",
        unique_id=facts.unique_id,
        **_export(comparison.wanted_spec),
    )


def _delete(comparison: Comparison[SnapshotSpec], facts: SnapshotFacts, verb: str, copy: str = "") -> Step:
    """`copy`: where its copy in another region would be; it is looked at before anything is deleted."""
    return _step(
        comparison,
        verb,
        f"delete {'the failed ' if verb == 'discard' else ''}snapshot {comparison.address.name}",
        phase=Phase.SETUP if verb == "discard" else Phase.TEARDOWN,
        lane=_lane(facts),
        permission=DELETE,
        usually="a few seconds",
        schedule=facts.schedule,
        slot=spell_slot(facts.slot) if facts.slot else "",
        disk_unique_id=facts.disk_unique_id,
        unique_id=facts.unique_id,
        copy=copy,
    )


def _made(spec: SnapshotSpec) -> dict[str, Any]:
    return {"location": spec.location, "sku": spec.sku, "tags": dict(spec.tags), **_export(spec)}


def _export(spec: SnapshotSpec) -> dict[str, Any]:
    return {
        "network_access_policy": spec.network_access_policy,
        "disk_access": spec.disk_access,
        "public_network_access": spec.public_network_access,
    }


def _lane(facts: SnapshotFacts) -> str:
    """One write at a time for each disk, its copies included; of a copy whose disk nobody knows any longer, its own."""
    return ArmId(facts.disk_id).key if facts.disk_id else facts.arm_id.key


def _step(
    comparison: Comparison[SnapshotSpec],
    verb: str,
    title: str,
    *,
    lane: str,
    usually: str,
    phase: Phase = Phase.SETUP,
    permission: str = WRITE,
    long: bool = False,
    **arguments: Any,
) -> Step:
    where = comparison.live or comparison.desired
    assert where is not None
    return Step(
        id=f"{comparison.address}#{verb}",
        kind=NAME,
        address=str(comparison.address),
        verb=verb,
        title=title,
        arguments={"id": str(where.arm_id), **arguments},
        phase=phase,
        lane=lane,
        exclusive=True,
        permission=permission,
        usually=usually,
        long=long,
    )
