"""Live recovery plans → RecoveryPlan documents. Azure does not name the groups, so they are numbered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reconciler.kinds.adoption import Adopted, AdoptedEstate, Chosen, Written, not_adopted
from reconciler.kinds.recovery_plan.spec import DIRECTIONS, FAILOVER_TYPES, NAME, Around, PlanAction, RecoveryPlanSpec
from reconciler.model.arm_id import ArmId
from reconciler.model.casing import fold
from reconciler.model.recovery_plan import DOCUMENT
from reconciler.model.resource import Resource


def adopt_plans(estate: AdoptedEstate) -> Iterator[Adopted]:
    """One document for each plan all of whose VMs are written, along one route."""
    taken: set[str] = set()
    for resource in estate.resources(NAME):
        address, spec = resource.address, resource.spec
        assert isinstance(spec, RecoveryPlanSpec)
        routes = {estate.along.get(member, "") for member in spec.members()}
        if fold(address.name) in taken:
            why = "another recovery plan has its name"
        elif not routes:
            why = "it has no VM"
        elif "" in routes:
            why = "not all of its VMs are written with their replication"
        elif len(routes) > 1:
            why = f"its VMs take several routes ({', '.join(sorted(routes))}), and a RecoveryPlan names one"
        else:
            taken.add(fold(address.name))
            (route,) = routes
            yield Written(DOCUMENT, address.name, _value(spec, route), _origin(resource))
            continue
        yield not_adopted(address, f"{why}; the recovery plan stays as it is, unmanaged")


def _value(spec: RecoveryPlanSpec, route: str) -> dict[str, Any]:
    groups: list[dict[str, Any]] = []
    for number, group in enumerate(spec.groups, start=1):
        members = frozenset(ArmId(member) for member in group.members)
        said: dict[str, Any] = {"name": f"group-{number}", "members": Chosen(members)}
        groups.append({**said, **_around(group)} | ({} if members else {"allowEmpty": True}))
    value: dict[str, Any] = {"route": route, "groups": groups}
    for key, around in (("shutdown", spec.shutdown), ("failover", spec.failover)):
        if actions := _around(around):
            value[key] = actions
    return value


def _around(around: Around) -> dict[str, Any]:
    found = {"before": [_action(one) for one in around.before], "after": [_action(one) for one in around.after]}
    return {key: actions for key, actions in found.items() if actions}


def _action(action: PlanAction) -> dict[str, Any]:
    value: dict[str, Any] = {"name": action.name, action.what: action.runbook or action.script or action.manual}
    if action.minutes is not None:
        value["timeout"] = f"{action.minutes}m"
    if action.side not in ("", "recovery"):
        value["side"] = action.side
    if set(action.failover_types) != set(FAILOVER_TYPES):
        value["failoverTypes"] = list(action.failover_types)
    if set(action.directions) != set(DIRECTIONS):
        value["directions"] = list(action.directions)
    return value


def _origin(resource: Resource) -> str:
    return f"Found in vault {resource.address.scope.rpartition('/')[2]}."
