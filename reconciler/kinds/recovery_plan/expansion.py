"""RecoveryPlan documents, the VMs of their groups, and what is live → desired recovery plans."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import msgspec

from reconciler.kinds.base import Expansion
from reconciler.kinds.phrases import some_names
from reconciler.kinds.recovery_plan.members import (
    Groups,
    Muster,
    frozen_machines,
    replicated_address,
    vanished_machines,
)
from reconciler.kinds.recovery_plan.rules import actions_of
from reconciler.kinds.recovery_plan.spec import NAME, Around, PlanAction, PlanGroup, RecoveryPlanSpec
from reconciler.kinds.replication.route import LocatedRoute, fabric_address, located_routes
from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.casing import fold
from reconciler.model.document import Document
from reconciler.model.duration import parse_duration
from reconciler.model.recovery_plan import DOCUMENT, RecoveryAction, RecoveryPlan, RecoveryPlanFacts
from reconciler.model.resource import Ref, Resource
from reconciler.plan.finding import Finding, Severity

COLLECTION = "replicationRecoveryPlans"


def expand_plans(expansion: Expansion) -> Iterator[Resource | Finding]:
    """One resource for each RecoveryPlan, in the vault of its route. While people are at work on one of its VMs, and
    where not all VMs could be read, a plan stays as it is."""
    routes = {fold(route.name): route for route in located_routes(expansion.declared)}
    for _, document in sorted(expansion.declared.of(DOCUMENT, RecoveryPlan).items()):
        route = routes.get(fold(document.value.route))
        if route is not None:  # the rules tell of others
            yield from _expand(expansion, document, route)


def _expand(
    expansion: Expansion, document: Document[RecoveryPlan], route: LocatedRoute
) -> Iterator[Resource | Finding]:
    address = Address(NAME, route.scope, document.name)
    live = expansion.live.state.get(address)
    muster = Muster(expansion, document, route)
    facts = live.observed if live and isinstance(live.observed, RecoveryPlanFacts) else None
    frozen = frozen_machines(expansion, muster.selected(), facts)
    kept = _kept(expansion, document, address, frozen) or _kept_whole(expansion, document, address, facts)
    if kept is not None:
        yield kept
        if live is not None:
            still = msgspec.structs.replace(live.spec, machines=())
            yield dataclasses.replace(live, spec=still, source=document.source)
        return
    groups = muster.groups()
    yield from muster.findings
    zone = primary_zone(document, route, groups)
    yield from _missing_runbooks(expansion, document)
    if isinstance(zone, Finding):
        yield zone
    elif any(groups):
        yield _resource(document, route, groups, zone)


def _kept(
    expansion: Expansion, document: Document[RecoveryPlan], address: Address, frozen: Sequence[str]
) -> Finding | None:
    """Why a plan is left as it is, if it is."""
    if frozen:
        verb = "is" if len(frozen) == 1 else "are"
        return Finding(
            code="failed-over",
            message=f"{some_names(frozen)} {verb} failed over, in a drill or on the way back: the recovery plan is "
            "left as it is",
            severity=Severity.INFO,
            advice="bring the VMs home (failback, commit, reprotect) or clean up the drill; the next plan goes on then",
            source=document.source,
            address=str(address),
        )
    unread = expansion.live.unread_machines(expansion.declared.subscriptions)
    if unread:
        return Finding(
            code="cannot-tell",
            message=f"cannot tell which VMs belong to it, those of {', '.join(unread)} could not be read: the recovery "
            "plan is left as it is",
            severity=Severity.WARNING,
            advice="see why they could not be read",
            source=document.source,
            address=str(address),
        )
    return None


def _kept_whole(
    expansion: Expansion, document: Document[RecoveryPlan], address: Address, facts: RecoveryPlanFacts | None
) -> Finding | None:
    """A member that is gone where it ran stays one as long as it can be brought up."""
    gone = vanished_machines(expansion, facts)
    if facts is None or not gone:
        return None
    verb, them = ("is", "its") if len(gone) == 1 else ("are", "their")
    return Finding(
        code="orphan",
        message=f"{some_names(gone)} {verb} gone and can still be failed over with it: the recovery plan is left as it "
        "is",
        severity=Severity.WARNING,
        advice=f"fail over with: reconciler failover {document.name} --to {facts.recovery_region}; or disable {them} "
        "replication in the portal, and plan again",
        source=document.source,
        address=str(address),
    )


def primary_zone(document: Document[RecoveryPlan], route: LocatedRoute, groups: Groups) -> str | Finding:
    """From zone to zone, all VMs of a plan leave one zone (ASR-61); "" from region to region."""
    if not route.zone_to_zone:
        return ""
    zones = sorted({zone for group in groups for machine in group for zone in machine.zones[:1] or ("none",)})
    if len(zones) == 1:
        return zones[0]
    return Finding(
        code="ASR-61",
        message=f"RecoveryPlan {document.name}: its VMs are in zones {', '.join(zones)}; a plan leads from one zone to "
        "one other",
        advice="write a plan for each zone",
        source=document.at("groups"),
        rule_source="rpc",
    )


def _missing_runbooks(expansion: Expansion, document: Document[RecoveryPlan]) -> Iterator[Finding]:
    for path, action in actions_of(document.value):
        if action.runbook is not None and expansion.live.runbooks.get(ArmId(action.runbook)) is False:
            yield Finding(
                code="ASR-63",
                message=f"RecoveryPlan {document.name}, action {action.name}: there is no runbook {action.runbook}",
                advice="publish it, or correct the id: Azure would find out in the middle of a failover",
                source=document.at(*path, "runbook"),
                rule_source="rba",
            )


def _resource(document: Document[RecoveryPlan], route: LocatedRoute, groups: Groups, zone: str) -> Resource:
    plan = document.value
    spec = RecoveryPlanSpec(
        primary=Ref.of(fabric_address(route.scope, route.leg.start.region)),
        recovery=Ref.of(fabric_address(route.scope, route.leg.end.region)),
        primary_zone=zone,
        recovery_zone=route.leg.end.zone,
        groups=tuple(
            PlanGroup(
                members=tuple(str(machine.arm_id) for machine in machines),
                before=_actions(group.before),
                after=_actions(group.after),
            )
            for group, machines in zip(plan.groups, groups, strict=True)
        ),
        shutdown=Around(before=_actions(plan.shutdown.before), after=_actions(plan.shutdown.after)),
        failover=Around(before=_actions(plan.failover.before), after=_actions(plan.failover.after)),
        machines=tuple(Ref.of(replicated_address(machine)) for machines in groups for machine in machines),
    )
    return Resource(
        address=Address(NAME, route.scope, document.name),
        spec=spec,
        arm_id=route.vault.arm_id.child(COLLECTION, document.name),
        location=route.vault.location,
        source=document.source,
        origins={
            "primary": document.at("route"),
            "recovery": document.at("route"),
            "groups": document.at("groups"),
            "shutdown": document.at("shutdown"),
            "failover": document.at("failover"),
            "machines": document.at("groups"),
        },
    )


def _actions(actions: Sequence[RecoveryAction]) -> tuple[PlanAction, ...]:
    return tuple(
        PlanAction(
            name=action.name,
            runbook=action.runbook or "",
            script=action.script or "",
            manual=action.manual or "",
            side="" if action.manual else action.side,
            minutes=int(parse_duration(action.timeout).total_seconds()) // 60 if action.timeout else None,
            failover_types=action.failover_types,
            directions=action.directions,
        )
        for action in actions
    )
