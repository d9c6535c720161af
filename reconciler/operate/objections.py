"""What speaks against an operation before it is begun. An error stops it; each says what to do instead."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from reconciler.kinds.recovery_plan.spec import RecoveryPlanSpec
from reconciler.kinds.replicated_vm.spec import ReplicatedVmSpec
from reconciler.kinds.replication.operations import ALLOWED
from reconciler.kinds.replication.route import LocatedRoute, located_routes
from reconciler.model.arm_id import ArmId
from reconciler.model.document import Declared
from reconciler.model.live import Live
from reconciler.model.location import normalise_location
from reconciler.model.operation_request import OperationRequest
from reconciler.model.replicated import ReplicationFacts
from reconciler.operate.target import Member, Target
from reconciler.plan.finding import Finding, Severity

_WRITES = {"drill": "test-failover", "cleanup": "clean-up", "failback": "failover"}
_SAYS = {
    "drill": "a drill is not cleaned up",
    "commit": "it is failed over already",
    "reprotect": "it is failed over",
    "failover": "it is not failed over",
    "failback": "it is replicated back",
}
"""What the state is that asks for a command."""
_NAMED = 8
"""How many VMs a message names."""
NETWORK, ACCOUNT = "Microsoft.Network/virtualNetworks", "Microsoft.Storage/storageAccounts"


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
    """The command that the state asks for; where its VMs are in different ones, of each VM by itself."""
    asked = {member.name: _next(member, verb) for member in target.members}
    whole = set(asked.values())
    command = next(iter(whole)) if len(whole) == 1 else ""
    if command and command != verb:
        return f"{_SAYS[command.partition(' ')[0]]}: reconciler {command} {shlex.quote(target.name)}"
    if len(whole) == 1:
        return "`reconciler status` tells what runs; `reconciler drift` what state its VMs are in"
    each = [f"reconciler {command} {shlex.quote(name)}" for name, command in asked.items() if command]
    more = f" and {len(each) - _NAMED} more" if len(each) > _NAMED else ""
    return f"its VMs are in different states; go on with each by itself: {', '.join(each[:_NAMED])}{more}"


def _next(member: Member, verb: str) -> str:
    """What is to be done with one VM before, or instead of, what was asked for; "" where nothing is."""
    facts = member.facts
    if facts.in_drill:
        return "drill --cleanup"
    for operation, command in (("Commit", "commit"), ("ReverseReplicate", "reprotect")):
        if operation in facts.allowed_operations:
            return command
    if verb == "failover" and ALLOWED[verb] in facts.allowed_operations:
        return "failback" if facts.reversed else f"failover --to {facts.recovery_region}"
    return ""


def object_to_drill(
    request: OperationRequest, target: Target, network: str, declared: Declared, live: Live
) -> Iterator[Finding]:
    """A drill happens in an isolated network (ASR-52), and waits for nobody (ASR-64)."""
    if not network:
        yield finding(
            target,
            "ASR-52",
            "no network to drill in: its route has no testNetwork",
            "declare testNetwork: an isolated network in the target region; or name one with --network",
        )
    elif not names_a(NETWORK, network):
        yield finding(
            target,
            "ASR-52",
            f"{network!r} is not the ARM id of a virtual network: whether it is a production network is not known",
            f"write /subscriptions/.../resourceGroups/.../providers/{NETWORK}/...",
        )
    elif ArmId(network) in production_networks(declared, live):
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


def names_a(type_: str, text: str) -> bool:
    """Whether it is the ARM id of a resource of this type, of the resource itself, and of nothing in it."""
    where = rf"/subscriptions/[^/\s?#]+/resourceGroups/[^/\s?#]+/providers/{re.escape(type_)}/[^/\s?#]+"
    return re.fullmatch(where, str(ArmId(text)), re.IGNORECASE) is not None


def production_networks(declared: Declared, live: Live) -> set[ArmId]:
    """The networks that routes lead from and to, and those that replicated VMs are in, or would fail over to."""
    found = {
        ArmId(one) for route in located_routes(declared) for net in route.value.networks for one in (net.from_, net.to)
    }
    for resource in live.state.values():
        if isinstance(resource.observed, ReplicationFacts):
            found |= {nic.network for nic in resource.observed.interfaces}
        if isinstance(resource.spec, ReplicatedVmSpec) and resource.spec.network:
            found.add(ArmId(resource.spec.network))
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
            f"once it is failed over and committed: reconciler reprotect {target.name}",
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
