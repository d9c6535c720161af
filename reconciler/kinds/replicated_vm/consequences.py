"""What a change of a replicated VM does to its recovery points, in words and GiB."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reconciler.kinds.base import Comparison, Verdict
from reconciler.kinds.replicated_vm.spec import ReplicatedVmSpec
from reconciler.kinds.replicated_vm.verdict import facts_of, wish_of
from reconciler.model.arm_id import ArmId
from reconciler.plan.change import Action, Consequence, Effect, Reason


def replication_consequences(comparison: Comparison[ReplicatedVmSpec], verdict: Verdict) -> Iterator[Consequence]:
    """Every effect of one change."""
    if verdict.action is Action.DELETE:
        yield from _disabled(comparison)
    elif verdict.action is Action.CREATE or verdict.reason is Reason.STOPPED:
        yield _seeded(wish_of(comparison).gib)
    elif verdict.action is Action.UPDATE:
        yield from _disks(comparison)


def _seeded(gib: int) -> Consequence:
    return Consequence(
        effect=Effect.SEEDS,
        text=f"cannot be failed over before its initial replication of up to {gib} GiB has ended (usually 30 minutes "
        "and more)",
        figures={"gib_at_most": gib},
    )


def _disks(comparison: Comparison[ReplicatedVmSpec]) -> Iterator[Consequence]:
    before = {ArmId(one.disk) for one in comparison.live_spec.disks}
    after = {ArmId(one.disk) for one in comparison.wanted_spec.disks}
    if gone := before - after:
        yield Consequence(
            effect=Effect.WEAKENS,
            text=f"{_names(gone)} no longer replicated: a failover makes the VM without, and the replica is deleted",
            figures={"disks_dropped": len(gone)},
        )
    if new := after - before:
        sizes = dict(wish_of(comparison).sizes)
        gib = sum(sizes.get(disk.key, 0) for disk in new)
        yield Consequence(
            effect=Effect.SEEDS,
            text=f"{_names(new)} in recovery points once up to {gib} GiB are replicated; the others stay as they are",
            figures={"gib_at_most": gib, "disks_added": len(new)},
        )


def _disabled(comparison: Comparison[ReplicatedVmSpec]) -> Iterator[Consequence]:
    """ASR-57: what Site Recovery made in the target region is left there, and billed."""
    facts = facts_of(comparison)
    yield Consequence(
        effect=Effect.DELETES,
        text=f"deletes all recovery points in {facts.recovery_region}; replicating it again takes an initial "
        f"replication of {facts.gib} GiB",
        figures={"gib_to_seed_again": facts.gib},
    )
    replicas = [disk.replica for disk in facts.disks if disk.replica is not None]
    if replicas:
        group = replicas[0].resource_group
        yield Consequence(
            effect=Effect.NONE,
            text="what Site Recovery made may stay, billed until it is deleted by hand: replica disks "
            f"{', '.join(sorted(one.name for one in replicas))} in {group}, and what lies in the cache account",
            figures={"replica_disks_left": len(replicas)},
        )


def _names(disks: Iterable[ArmId]) -> str:
    found = sorted(disk.name for disk in disks)
    return f"disk {found[0]} is" if len(found) == 1 else f"disks {', '.join(found)} are"
