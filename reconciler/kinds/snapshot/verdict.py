"""What a difference of a snapshot leads to: taken, copied, changed, or gone because its time is over."""

from __future__ import annotations

from reconciler.kinds.base import Comparison, Verdict
from reconciler.kinds.snapshot.coming import Coming
from reconciler.kinds.snapshot.retention import Expiry
from reconciler.kinds.snapshot.spec import SnapshotSpec
from reconciler.model.slots import spell_slot
from reconciler.plan.change import Action, Reason


def judge_snapshot(comparison: Comparison[SnapshotSpec]) -> Verdict | None:
    """None where the generic verdict says enough: the settings about export differ."""
    if comparison.desired is None:
        return None
    seen = comparison.desired.observed
    if isinstance(seen, Expiry):
        return Verdict(Action.DELETE, Reason.EXPIRED, _ended(seen))
    if not isinstance(seen, Coming):
        return None
    if seen.obstacle:
        return seen.obstacle.verdict()
    copy = f" in {seen.region}" if seen.region else ""
    if comparison.live is not None:
        what = "the copy" if seen.region else "the snapshot"
        return Verdict(
            Action.UPDATE,
            Reason.DUE,
            f"{what} of slot {spell_slot(seen.slot)}{copy} failed: it holds nothing, and is made again",
        )
    if seen.previous is None:
        first = f"schedule {seen.schedule} has no {'copy' if seen.region else 'snapshot'} of the disk{copy} yet"
        return Verdict(Action.CREATE, Reason.FIRST, first)
    of = f"slot {spell_slot(seen.slot)} of schedule {seen.schedule}"
    return Verdict(Action.CREATE, Reason.DUE, f"{of} has no copy{copy} yet" if seen.region else f"{of} is due")


def _ended(seen: Expiry) -> str:
    if seen.failed:
        return f"slot {spell_slot(seen.slot)} failed: it holds nothing"
    if seen.pruned:
        return f"schedule {seen.schedule} keeps less than when it was taken: {seen.keeps}"
    return f"retention has ended: schedule {seen.schedule} keeps {seen.keeps}"
