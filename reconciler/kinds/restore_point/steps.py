"""The writes that close a difference, and what they mean for what can be restored."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from reconciler.kinds.base import Comparison, Verdict
from reconciler.kinds.owned_collections import POINT
from reconciler.kinds.restore_point.due import facts_of
from reconciler.kinds.restore_point.spec import Due, Expiry, RestorePointSpec
from reconciler.model.duration import format_age
from reconciler.model.slots import spell_slot
from reconciler.plan.change import Action, Consequence, Effect, Phase, Reason, Step

WRITE = "Microsoft.Compute/restorePointCollections/restorePoints/write"
DELETE = "Microsoft.Compute/restorePointCollections/restorePoints/delete"
_MODES = {"ApplicationConsistent": "application-consistent", "CrashConsistent": "crash-consistent"}


def judge_point(comparison: Comparison[RestorePointSpec]) -> Verdict | None:
    """Due, expired, or to be taken again; None leaves it to the engine."""
    if comparison.desired is None:
        return None
    wanted = comparison.desired.observed
    if isinstance(wanted, Expiry):
        return Verdict(Action.DELETE, Reason.EXPIRED, wanted.why)
    if not isinstance(wanted, Due):
        return None
    if wanted.obstacle:
        return wanted.obstacle.verdict()
    due = f"slot {spell_slot(wanted.slot)} of schedule {wanted.schedule} has none"
    if comparison.live is not None:
        return Verdict(Action.UPDATE, Reason.DUE, f"{due}: Azure could not take it, so it is deleted and taken again")
    if wanted.previous is None:
        return Verdict(Action.CREATE, Reason.FIRST, f"{due}, nor has any other")
    return Verdict(Action.CREATE, Reason.DUE, due)


def point_steps(comparison: Comparison[RestorePointSpec], verdict: Verdict) -> tuple[Step, ...]:
    """In order: what is deleted, what is taken."""
    if comparison.desired is None:
        return ()
    steps = []
    if comparison.live is not None and verdict.action in (Action.DELETE, Action.UPDATE):
        steps.append(_delete(comparison, Phase.TEARDOWN if verdict.action is Action.DELETE else Phase.SETUP))
    if isinstance(comparison.desired.observed, Due):
        steps.append(_take(comparison, comparison.desired.observed))
    return tuple(steps)


def _delete(comparison: Comparison[RestorePointSpec], phase: Phase) -> Step:
    """Of one that failed and is taken again, a part of taking it: those that expire wait for its end."""
    assert comparison.live is not None
    facts = facts_of(comparison.live)
    return Step(
        id=f"{comparison.address}#delete",
        kind=POINT,
        address=str(comparison.address),
        verb="delete",
        title=f"delete restore point {facts.arm_id.name} of {facts.machine_id.name}",
        arguments={"point": str(facts.arm_id), "schedule": facts.schedule},
        phase=phase,
        lane=facts.machine_id.key,
        exclusive=True,
        permission=DELETE,
        usually="under a minute",
    )


def _take(comparison: Comparison[RestorePointSpec], due: Due) -> Step:
    return Step(
        id=f"{comparison.address}#take",
        kind=POINT,
        address=str(comparison.address),
        verb="take",
        title=f"take restore point {due.arm_id.name} of {due.machine.name}",
        arguments={
            "point": str(due.arm_id),
            "consistency": comparison.wanted_spec.consistency,
            "excluded": list(due.excluded),
        },
        lane=due.machine.arm_id.key,
        exclusive=True,
        permission=WRITE,
        usually="5 to 20 minutes",
    )


def point_consequences(comparison: Comparison[RestorePointSpec]) -> Iterator[Consequence]:
    """Size of what is taken; age of what goes, and whether it goes because the retention was shortened."""
    wanted = comparison.desired.observed if comparison.desired else None
    now = comparison.situation.now
    if isinstance(wanted, Due):
        yield _stored(wanted)
    elif isinstance(wanted, Expiry) and comparison.live is not None:
        facts = facts_of(comparison.live)
        age = format_age(now - (facts.slot or facts.created))
        if wanted.failed:
            yield Consequence(effect=Effect.NONE, text="nothing is lost: it failed")
        elif wanted.pruned:
            yield Consequence(
                effect=Effect.PRUNES,
                text=f"prunes what would be kept if the schedule had not been changed ({age} old)",
                figures={"recovery_points_pruned": 1},
            )
        else:
            yield Consequence(effect=Effect.NONE, text=f"{age} old; the others stay whole without it")


def _stored(due: Due) -> Consequence:
    if due.previous is None:
        return Consequence(
            effect=Effect.SEEDS,
            text=f"the first of this VM: full copies of its disks, up to {due.gib_at_most:,} GiB (Azure bills what is "
            "used)",
            figures={"gib_at_most": due.gib_at_most},
        )
    span = format_age(max(due.slot - due.previous, timedelta()))
    return Consequence(
        effect=Effect.NONE,
        text=f"only what changed since the one of {spell_slot(due.previous)} ({span})",
    )


def say_point(spec: RestorePointSpec) -> str:
    """`of all disks, application-consistent`."""
    luns = ", ".join(str(lun) for lun in spec.excluded)
    disks = f"all disks but {luns}" if luns else "all disks"
    return f"of {disks}, {_MODES.get(spec.consistency, spec.consistency)}"
