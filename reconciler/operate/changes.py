"""An operation as a plan's changes: what is written, what is checked, what is taken back, and what it does to data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from reconciler.kinds.replication.ids import vault_of
from reconciler.model.arm_id import ArmId
from reconciler.model.duration import format_age
from reconciler.model.operation_request import OperationRequest
from reconciler.operate.points import CONSISTENT_OF_PLAN, Point
from reconciler.operate.target import Member, Target
from reconciler.plan.change import Action, Change, Consequence, Detail, Effect, Reason, Step

_VAULT = "Microsoft.RecoveryServices/vaults"
_ITEM = f"{_VAULT}/replicationFabrics/replicationProtectionContainers/replicationProtectedItems"
_PLAN = f"{_VAULT}/replicationRecoveryPlans"
_ACTIONS = {
    "test-failover": "testFailover",
    "clean-up": "testFailoverCleanup",
    "failover": "unplannedFailover",
    "commit": "failoverCommit",
}
_USUALLY = {
    "test-failover": "5 to 15 min",
    "clean-up": "3 min",
    "failover": "2 to 15 min",
    "commit": "10 s",
    "reprotect": "10 min",
    "initial-replication": "an hour and more, by the size of its disks",
}


def drill_change(request: OperationRequest, target: Target, network: str, point: Point, now: datetime) -> Change:
    """Test failover, checks of each VM, clean-up: that comes whatever happens to the others."""
    place = _region(target)
    start = _write(
        target,
        "test-failover",
        f"test failover of {target.title} to {place} in {ArmId(network).name}",
        network=network,
        point=point.sent,
        direction=_direction(target),
    )
    checks = [step for member in target.members for step in _checks(request, member, start)]
    clean = _write(
        target,
        "clean-up",
        f"clean up the test failover of {target.title}",
        after=(start.id, *(step.id for step in checks)),
        always=True,
        undoes=start.id,
    )
    details = [
        Detail(name="network", after=f"{ArmId(network).resource_group}/{ArmId(network).name}"),
        Detail(name="recoveryPoint", after=point.words),
        *_machines(target),
        *([Detail(name="check", after=request.check)] if request.check else []),
    ]
    why = f"will be tested in {place}, and cleaned up whatever comes of it; replication goes on"
    return _change(target, why, (start, *checks, clean), details, _ages(target, point, now))


def cleanup_change(target: Target) -> Change:
    """What a drill has left is taken away: somebody else's, or one whose journal is gone."""
    step = _write(target, "clean-up", f"clean up the test failover of {target.title}")
    left = [member.facts.test_machine_id for member in target.members if member.facts.test_machine_id]
    details = [Detail(name="testVm", after=f"{one.resource_group}/{one.name}") for one in left]
    return _change(target, "will be cleaned up: its test VMs are deleted", (step,), details)


def failover_change(request: OperationRequest, target: Target, point: Point, now: datetime) -> Change:
    """From now on the VMs run there, from their recovery points."""
    place = _region(target)
    home = request.verb == "failback"
    write = _write(
        target,
        "failover",
        f"fail {target.title} {'back' if home else 'over'} to {place}",
        point=point.sent,
        shutdown=request.shutdown,
        direction=_direction(target),
    )
    checks = tuple(_running(member, write, test=False) for member in target.members)
    stays = "are shut down first" if request.shutdown else "run on: shut them down where they can be reached"
    details = [
        Detail(name="recoveryPoint", after=point.words),
        Detail(name="sourceVms", after=stays),
        *_machines(target),
    ]
    lost = "what was written after the recovery point is not in it"
    if not request.shutdown:
        lost += "; VMs that run on in the source go on writing, and that is lost, too"
    consequences = [Consequence(effect=Effect.STOPS, text=f"nothing protects it in {place} until it is reprotected")]
    consequences.append(Consequence(effect=Effect.WEAKENS, text=lost))
    why = f"will be failed {'back' if home else 'over'} to {place}"
    return _change(target, why, (write, *checks), details, (*consequences, *_ages(target, point, now)))


def commit_change(target: Target) -> Change:
    """The recovery points go."""
    step = _write(target, "commit", f"commit the failover of {target.title}")
    text = "its recovery points are gone: no other one can be chosen any more (ASR-54)"
    return _change(
        target, "will have its failover committed", (step,), [], [Consequence(effect=Effect.PRUNES, text=text)]
    )


def reprotect_change(target: Target, member: Member, arguments: dict[str, Any], moved: ArmId) -> Change:
    """Replication is turned round: of each VM by itself, since a plan cannot carry its disks."""
    facts, home = member.facts, member.facts.primary_region
    write = _step(
        member,
        "reprotect",
        f"replicate {member.name} back to {home}",
        permission=f"{_VAULT}/replicationFabrics/replicationProtectionContainers/switchprotection/action",
        long=True,
        moved=str(moved),
        **arguments,
    )
    seed = _step(
        member,
        "initial-replication",
        f"wait until {member.name} is replicated to {home}",
        permission=f"{_ITEM}/read",
        after=(write.id,),
        long=True,
        id=str(moved),
    )
    old = facts.machine_id
    consequences = [
        Consequence(
            effect=Effect.SEEDS,
            text=f"up to {facts.gib:,} GiB are compared and sent back; until that is done nothing protects it",
            figures={"gib_at_most": facts.gib},
        )
    ]
    if facts.reversed:
        consequences.append(Consequence(effect=Effect.STOPS, text=f"VM {old.name} in {home} is shut down (ASR-56)"))
    else:
        gone = f"the old VM {old.name} in {old.resource_group} and its network interfaces are deleted, its disks become"
        consequences.append(Consequence(effect=Effect.DELETES, text=f"{gone} the replicas (ASR-56)"))
    details = [Detail(name="from", after=facts.recovery_region), Detail(name="to", after=home)]
    one = target if not target.plan else Target(member.resource, (member,))
    return _change(one, f"will be replicated back to {home}", (write, seed), details, consequences)


def _checks(request: OperationRequest, member: Member, start: Step) -> Iterator[Step]:
    running = _running(member, start, test=True)
    yield running
    if request.check:
        yield _step(
            member,
            "check-command",
            f"check {member.name}: {request.check}",
            after=(running.id,),
            test=True,
            command=request.check,
        )


def _running(member: Member, start: Step, *, test: bool) -> Step:
    what = f"test VM of {member.name}" if test else f"VM {member.name}"
    place = member.facts.recovery_region
    return _step(member, "check-running", f"check that {what} runs in {place}", after=(start.id,), test=test)


def _write(
    target: Target,
    verb: str,
    title: str,
    *,
    after: tuple[str, ...] = (),
    always: bool = False,
    undoes: str = "",
    **arguments: Any,
) -> Step:
    """A write to the plan as a whole, or to the one VM."""
    action = f"{_PLAN if target.plan else _ITEM}/{_ACTIONS[verb]}/action"
    address = target.resource.address
    return Step(
        id=f"{address}#{verb}",
        kind=address.kind,
        address=str(address),
        verb=verb,
        title=title,
        arguments={"id": str(target.arm_id), **arguments},
        lane=vault_of(target.arm_id).key,
        after=after,
        permission=action,
        usually=_USUALLY[verb],
        always=always,
        undoes=undoes,
    )


def _step(
    member: Member,
    verb: str,
    title: str,
    *,
    after: tuple[str, ...] = (),
    permission: str = "",
    long: bool = False,
    **arguments: Any,
) -> Step:
    """Of one VM. Checks and waiting take no place in the vault's lane."""
    facts = member.facts
    return Step(
        id=f"{member.address}#{verb}",
        kind=member.address.kind,
        address=str(member.address),
        verb=verb,
        title=title,
        arguments={"id": str(facts.item_id), **arguments},
        lane=facts.vault_id.key if verb == "reprotect" else "",
        after=after,
        permission=permission,
        usually=_USUALLY.get(verb, ""),
        long=long,
    )


def _change(
    target: Target,
    why: str,
    steps: tuple[Step, ...],
    details: Iterable[Detail],
    consequences: Iterable[Consequence] = (),
) -> Change:
    address = target.resource.address
    return Change(
        address=str(address),
        kind=address.kind,
        action=Action.UPDATE,
        reason=Reason.ASKED,
        why=why,
        details=tuple(details),
        consequences=tuple(consequences),
        steps=steps,
        lane=vault_of(target.arm_id).key,
        arm_id=str(target.arm_id),
        title="recovery plan" if target.plan else "replicated VM",
    )


def _machines(target: Target) -> Iterator[Detail]:
    """Each VM with the RPO that it has now."""
    for member in target.members:
        rpo = member.facts.rpo_seconds
        age = f"RPO {format_age(timedelta(seconds=rpo))}" if rpo is not None else "RPO unknown"
        yield Detail(name="vm", after=f"{member.name}, {age}, {member.facts.health or 'health unknown'}")


def _ages(target: Target, point: Point, now: datetime) -> tuple[Consequence, ...]:
    """How old the data is that comes along: that of the point where one is chosen, of the newest one else; none where
    Azure tells nothing."""
    if point.taken is not None:
        chosen = max(now - point.taken, timedelta(0))
        text = f"the recovery point is {format_age(chosen)} old now (RPO)"
        return (Consequence(effect=Effect.NONE, text=text, figures={"rpo_seconds": int(chosen.total_seconds())}),)
    ages = [member.facts.rpo_seconds for member in target.members if member.facts.rpo_seconds is not None]
    if not ages:
        return ()
    text = f"the newest recovery point is {format_age(timedelta(seconds=max(ages)))} old now (RPO)"
    if point.sent == CONSISTENT_OF_PLAN:
        text += "; the newest application-consistent one is as old or older, how much Azure tells of each VM only"
        return (Consequence(effect=Effect.NONE, text=text),)
    return (Consequence(effect=Effect.NONE, text=text, figures={"rpo_seconds": max(ages)}),)


def _region(target: Target) -> str:
    return ", ".join(sorted({member.facts.recovery_region for member in target.members})) or "nowhere"


def _direction(target: Target) -> str:
    """A plan keeps its ends when its VMs are replicated back."""
    return "RecoveryToPrimary" if target.reversed else "PrimaryToRecovery"
