"""What a snapshot costs in size, and what goes with an expired one. Azure does not tell how much of a disk is used."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.kinds.base import Comparison, Verdict
from reconciler.kinds.snapshot.coming import Coming
from reconciler.kinds.snapshot.retention import Expiry
from reconciler.kinds.snapshot.spec import SnapshotSpec
from reconciler.model.duration import format_age
from reconciler.model.slots import spell_slot
from reconciler.plan.change import Consequence, Effect


def snapshot_consequences(comparison: Comparison[SnapshotSpec], verdict: Verdict) -> Iterator[Consequence]:  # noqa: ARG001
    """Of a snapshot that is made, its size at most; of one that goes, its age."""
    seen = comparison.desired.observed if comparison.desired else None
    if isinstance(seen, Coming):
        yield _stored(comparison, seen)
    elif isinstance(seen, Expiry):
        yield _lost(seen, format_age(comparison.situation.now - seen.slot))
    elif comparison.changed("network_access_policy", "public_network_access"):
        yield Consequence(effect=Effect.NONE, text="what it holds stays as it is; who may export it changes")


def _stored(comparison: Comparison[SnapshotSpec], seen: Coming) -> Consequence:
    """Incremental ones are billed by what changed, all others by what is used of the disk (SN-03)."""
    most = seen.disk.size_gib
    where = f" in {seen.region}" if seen.region else ""
    if seen.whole:
        first = f"the first of this disk{where}: " if comparison.wanted_spec.incremental else ""
        text = f"{first}a full copy, up to {most:,} GiB (Azure bills what is used)"
        return Consequence(effect=Effect.SEEDS, text=text, figures={"gib_at_most": most})
    if seen.previous is None:
        last = f"copy of the disk{where}" if seen.region else "incremental snapshot of the disk"
        return Consequence(effect=Effect.NONE, text=f"only what changed since the last {last}")
    since = f"the {'copy' if seen.region else 'snapshot'} of {spell_slot(seen.previous)}"
    text = f"only what changed since {since} ({format_age(seen.slot - seen.previous)})"
    return Consequence(effect=Effect.NONE, text=text)


def _lost(seen: Expiry, age: str) -> Consequence:
    if seen.pruned:
        return Consequence(
            effect=Effect.PRUNES,
            text=f"prunes what would be kept if the schedule had not been changed ({age} old)",
            figures={"recovery_points_pruned": 1},
        )
    if seen.failed:
        return Consequence(effect=Effect.NONE, text="nothing is lost: it failed")
    return Consequence(effect=Effect.NONE, text=f"{age} old; the others stay whole without it")
