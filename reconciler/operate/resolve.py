"""From a request to a plan: what was asked for, found in Azure, as changes that the executor can carry out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from reconciler.azure.clients import Azure
from reconciler.errors import UsageError
from reconciler.kinds.replication.ids import policy_id
from reconciler.kinds.replication.item import ITEMS
from reconciler.kinds.replication.route import Leg, LocatedRoute, container_address, located_routes
from reconciler.model.arm_id import ArmId
from reconciler.model.document import Declared
from reconciler.model.live import Live
from reconciler.model.operation_request import OperationRequest
from reconciler.operate import changes
from reconciler.operate.objections import (
    ACCOUNT,
    finding,
    names_a,
    object_to,
    object_to_drill,
    object_to_failover,
    object_to_reprotect,
    way_of,
)
from reconciler.operate.points import choose_point
from reconciler.operate.target import Member, Target, find_target
from reconciler.plan.change import Change
from reconciler.plan.finding import Finding, Severity


@dataclass(frozen=True, slots=True)
class Undertaking:
    """What a request comes to. An error among the `findings` stops it."""

    target: Target
    changes: tuple[Change, ...]
    findings: tuple[Finding, ...]


async def resolve(azure: Azure, declared: Declared, live: Live, request: OperationRequest) -> Undertaking:
    """Raises UsageError where the target or the recovery point is not found, and what reading the points raises."""
    target = find_target(request.target, declared, live)
    if request.verb == "cleanup" and not any(member.facts.in_drill for member in target.members):
        return Undertaking(target, (), ())
    if request.verb == "reprotect":
        return _turn_round(request, target, declared, live)
    findings = [*object_to(request, target)]
    network = ""
    if request.verb == "drill":
        network = request.network or _test_network(target, declared)
        findings += object_to_drill(request, target, network, declared, live)
        findings += _network_there(target, network, live)
    elif request.verb in ("failover", "failback"):
        findings += object_to_failover(request, target)
    if any(one.severity is Severity.ERROR for one in findings):
        return Undertaking(target, (), tuple(findings))
    return Undertaking(target, (await _change(azure, request, target, network),), tuple(findings))


async def _change(azure: Azure, request: OperationRequest, target: Target, network: str) -> Change:
    if request.verb == "cleanup":
        return changes.cleanup_change(target)
    if request.verb == "commit":
        return changes.commit_change(target)
    point = await choose_point(azure, request.point, target)
    if request.verb == "drill":
        return changes.drill_change(request, target, str(ArmId(network)), point, azure.now())
    return changes.failover_change(request, target, point, azure.now())


def _turn_round(request: OperationRequest, target: Target, declared: Declared, live: Live) -> Undertaking:
    """Of a plan those VMs that are failed over: the others are turned round already, or were never away."""
    away = tuple(member for member in target.members if member.facts.failed_over)
    left = [member for member in target.members if away and member not in away]
    target = replace(target, members=away or target.members)
    findings = [*object_to(request, target)]
    for member in left:
        said = f"{member.name} is not failed over: it is replicated to {member.facts.recovery_region}, and stays so"
        findings.append(finding(target, "not-failed-over", said, severity=Severity.INFO))
    made = [_reprotect(request, target, member, declared, live) for member in target.members]
    findings += [item for one in made if isinstance(one, tuple) for item in one]
    if any(one.severity is Severity.ERROR for one in findings):
        return Undertaking(target, (), tuple(findings))
    return Undertaking(target, tuple(one for one in made if isinstance(one, Change)), tuple(findings))


def _test_network(target: Target, declared: Declared) -> str:
    """The one test network of the routes of its VMs; "" for none. Raises UsageError for several."""
    found = {}
    for member in target.members:
        route = way_of(member, declared)
        if route is not None and route.value.test_network:
            found[ArmId(route.value.test_network)] = route.value.test_network
    if len(found) > 1:
        raise UsageError(
            f"the VMs of {target.title} have {len(found)} test networks: {', '.join(sorted(map(str, found)))}",
            advice="name one with --network",
        )
    return next(iter(found.values()), "")


def _network_there(target: Target, network: str, live: Live) -> Iterator[Finding]:
    """What is known of a declared network; one that was named is Azure's to judge."""
    if not network or ArmId(network) not in live.site.networks:
        return
    there = live.site.networks[ArmId(network)]
    if there is None:
        yield finding(target, "ASR-52", f"the test network does not exist: {network}", "create it, without a peering")
        return
    elsewhere = sorted({one.facts.recovery_region for one in target.members} - {there.location})
    if elsewhere:
        yield finding(
            target,
            "ASR-52",
            f"the test network {there.arm_id.name} is in {there.location}, the VMs come up in {', '.join(elsewhere)}",
            "name one in that region with --network",
        )


def _reprotect(
    request: OperationRequest, target: Target, member: Member, declared: Declared, live: Live
) -> Change | tuple[Finding, ...]:
    """The change, or all that speaks against it."""
    objections = [*object_to_reprotect(member, target, live)]
    route = way_of(member, declared)
    if route is None:
        said = f"no declared route leads from {member.facts.primary_region} to {member.facts.recovery_region} any more"
        objections.append(finding(target, "ASR-54", f"{member.name}: {said}", "declare it again, with its policy"))
        return tuple(objections)
    facts = member.facts
    now = route.leg if facts.reversed else route.leg.back
    mapping = route.mapping if facts.reversed else route.way_back
    container = live.state.get(container_address(route.scope, now.start))
    if mapping not in live.state or container is None or container.arm_id is None:
        said = f"the container mapping back is missing: {mapping}"
        objections.append(finding(target, "ASR-54", said, "`reconciler apply` makes it; then reprotect"))
    account = request.account or _account(route, now, declared, reversed_=facts.reversed)
    if not account:
        objections.append(
            finding(
                target,
                "ASR-20",
                f"{member.name}: no cache storage account in {now.start.region} is known",
                f"declare it as failbackCacheStorageAccount of ReplicationRoute {route.name}, or name it here: "
                "--cache-account",
            )
        )
    elif not names_a(ACCOUNT, account):
        advice = f"write /subscriptions/.../resourceGroups/.../providers/{ACCOUNT}/..."
        objections.append(finding(target, "ASR-20", f"{account!r} is not the ARM id of a storage account", advice))
    running = facts.recovery_machine_id
    if running is None and facts.failed_over:
        objections.append(finding(target, "ASR-54", f"{member.name}: Azure does not tell which VM runs now"))
    if objections or container is None or container.arm_id is None or running is None:
        return tuple(objections)
    arguments = _switch(member, route, account, running, live)
    return changes.reprotect_change(target, member, arguments, container.arm_id.child(ITEMS, facts.item_id.name))


def _switch(member: Member, route: LocatedRoute, account: str, running: ArmId, live: Live) -> dict[str, Any]:
    """What the step sends. The VM goes back to the resource group and the zone that it came from."""
    facts = member.facts
    old = live.machines_by_id.get(facts.machine_id)
    spelled = old.arm_id if old else facts.machine_id
    return {
        "machine": str(running),
        "container": str(facts.item_id.parent()),
        "policy": str(policy_id(live, route.vault, route.policy)),
        "group": f"/subscriptions/{spelled.subscription}/resourceGroups/{spelled.resource_group}",
        "zone": old.zones[0] if old and old.zones and route.zone_to_zone else "",
        "account": account,
    }


def _account(route: LocatedRoute, now: Leg, declared: Declared, *, reversed_: bool) -> str:
    """The cache account where the VM runs now: what the route names for the way back, or that of a route which begins
    there."""
    if reversed_:
        return route.value.cache_storage_account
    if route.value.failback_cache_storage_account is not None:
        return route.value.failback_cache_storage_account
    back = (one for one in located_routes(declared) if one.leg == now and one.vault.arm_id == route.vault.arm_id)
    return next((one.value.cache_storage_account for one in back), "")
