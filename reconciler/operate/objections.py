"""What speaks against an operation before it is begun. An error stops it; each says what to do instead."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.kinds.recovery_plan.spec import RecoveryPlanSpec
from reconciler.kinds.replication_operations import ALLOWED
from reconciler.kinds.replication_route import LocatedRoute, located_routes
from reconciler.model.arm_id import ArmId
from reconciler.model.document import Declared
from reconciler.model.live import Live
from reconciler.model.location import normalise_location
from reconciler.model.operation_request import OperationRequest
from reconciler.operate.target import Member, Target
from reconciler.plan.finding import Finding, Severity

_WRITES = {"drill": "test-failover", "cleanup": "clean-up", "failback": "failover"}


def object_to(request: OperationRequest, target: Target) -> Iterator[Finding]:
    """What holds for every operation: its members are known, and Azure allows it now (ASR-50)."""
    for item in target.missing:
        yield finding(target, "member-unknown", f"{item.name} is in the plan, and no such replicated VM was found")
    verb = _WRITES.get(request.verb, request.verb)
    if target.plan and target.plan.busy:
        yield finding(
            target,
            "ASR-50",
            f"the job {target.plan.scenario} works on it ({target.plan.scenario_status})",
            "`reconciler status` tells how far it is; wait until it has ended",
        )
        return
    if verb == "reprotect":
        for member in target.members:
            yield from _refused(target, verb, member.facts.allowed_operations, member.name)
    else:
        yield from _refused(target, verb, target.allowed, target.name)


def _refused(target: Target, verb: str, allowed: tuple[str, ...], name: str) -> Iterator[Finding]:
    if ALLOWED[verb] in allowed:
        return
    states = sorted({_state(member) for member in target.members})
    yield finding(
        target,
        "ASR-50",
        f"Azure does not allow {ALLOWED[verb]} of {name} now: it allows {', '.join(allowed) or 'nothing'} "
        f"({', '.join(states) or 'no VM'})",
        _instead(target, verb),
    )


def _state(member: Member) -> str:
    facts = member.facts
    state = facts.description or facts.protection_state or "unknown"
    return f"{member.name}: {state}"


def _instead(target: Target, verb: str) -> str:
    """The command that the state asks for."""
    name = target.name
    if any(member.facts.in_drill for member in target.members):
        return f"a drill is not cleaned up: reconciler drill --cleanup {name}"
    if "Commit" in target.allowed and verb == "failover":
        return f"it is failed over already: reconciler commit {name}"
    if any(member.facts.failed_over for member in target.members) and verb != "commit":
        return f"it is failed over: reconciler reprotect {name}"
    return "`reconciler status` tells what runs; `reconciler drift` what state its VMs are in"


def object_to_drill(request: OperationRequest, target: Target, network: str, declared: Declared) -> Iterator[Finding]:
    """A drill happens in an isolated network (ASR-52), and waits for nobody (ASR-64)."""
    if not network:
        yield finding(
            target,
            "ASR-52",
            "no network to drill in: its route has no testNetwork",
            "declare testNetwork: an isolated network in the target region; or name one with --network",
        )
    elif ArmId(network) in production_networks(target, declared):
        yield finding(
            target,
            "ASR-52",
            f"{ArmId(network).name} is a production network: VMs of a drill would meet the real ones there",
            "drill in a network that no route maps to and no replicated VM uses",
        )
    actions = list(manual_actions(target, "testFailover"))
    if actions and not request.manual:
        yield finding(
            target,
            "ASR-64",
            f"the plan stops for {len(actions)} manual action{'s' if len(actions) > 1 else ''} "
            f"({', '.join(actions)}), and nobody is there in a drill",
            "leave testFailover out of the failoverTypes of the action, or stay and resume it: --with-manual",
        )


def production_networks(target: Target, declared: Declared) -> set[ArmId]:
    """The networks that routes lead from and to, and those that its VMs are in, or would fail over to."""
    found = {
        ArmId(one) for route in located_routes(declared) for net in route.value.networks for one in (net.from_, net.to)
    }
    for member in target.members:
        found |= {nic.network for nic in member.facts.interfaces}
        found |= {ArmId(member.spec.network)} if member.spec.network else set()
    return found


def manual_actions(target: Target, failover_type: str) -> Iterator[str]:
    """Names of the manual actions that stop this plan in this type of failover, in its direction."""
    direction = "recoveryToPrimary" if target.reversed else "primaryToRecovery"
    spec = target.resource.spec
    for _, _, around in spec.sections() if isinstance(spec, RecoveryPlanSpec) else ():
        for action in (*around.before, *around.after):
            if action.manual and failover_type in action.failover_types and direction in action.directions:
                yield action.name


def object_to_failover(request: OperationRequest, target: Target) -> Iterator[Finding]:
    """Where to is said, so that nobody fails over to where the VMs run; and there and back are two commands."""
    regions = sorted({member.facts.recovery_region for member in target.members})
    wanted = normalise_location(request.to)
    if wanted and regions and regions != [wanted]:
        yield finding(
            target, "failover-region", f"it is replicated to {', '.join(regions)}, not to {wanted}", "check --to"
        )
    back = [member.name for member in target.members if member.facts.reversed]
    if request.verb == "failover" and back:
        yield finding(
            target,
            "failover-direction",
            f"{', '.join(back)}: failed over before, and replicated back",
            f"bring it home with: reconciler failback {target.name}",
        )
    if request.verb == "failback" and len(back) < len(target.members):
        there = [member.name for member in target.members if not member.facts.reversed]
        yield finding(
            target,
            "failback-direction",
            f"{', '.join(there)}: not replicated back from where it was failed over to",
            f"fail over, commit, and then: reconciler reprotect {target.name}",
        )
    actions = list(manual_actions(target, "unplannedFailover"))
    if actions:
        yield finding(
            target,
            "ASR-64",
            f"the plan stops for manual actions: {', '.join(actions)}",
            "stay: progress tells what to do; then resume the job in the portal (Site Recovery jobs)",
            Severity.WARNING,
        )


def object_to_reprotect(member: Member, target: Target, live: Live) -> Iterator[Finding]:
    """It must be committed (ASR-54), and the old VM must be there: its disks become the replicas."""
    if "Commit" in member.facts.allowed_operations:
        yield finding(
            target,
            "ASR-54",
            f"the failover of {member.name} is not committed: until then another recovery point can be chosen",
            f"when it is well: reconciler commit {target.name}",
        )
    gap = live.unread_machines([member.address.subscription])
    if member.facts.machine_id not in live.machines_by_id and not gap:
        yield finding(
            target,
            "ASR-54",
            f"the VM that {member.name} was failed over from is gone: {member.facts.machine_id}",
            "replication cannot be turned round without it: disable the replication in the portal, then protect the VM "
            "where it runs now",
        )


def way_of(member: Member, declared: Declared) -> LocatedRoute | None:
    """The declared route that a VM was first replicated along."""
    mapping = member.spec.mapping.address
    return next((route for route in located_routes(declared) if route.mapping == mapping), None)


def finding(target: Target, code: str, message: str, advice: str = "", severity: Severity = Severity.ERROR) -> Finding:
    return Finding(code=code, severity=severity, message=message, advice=advice, address=str(target.resource.address))
