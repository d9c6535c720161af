"""The live recovery plans: one list a vault, and one GET for each that is declared, because the list omits groups."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping

from reconciler.azure.clients import Azure
from reconciler.errors import AbsentError
from reconciler.kinds.adoption import is_survey
from reconciler.kinds.located_vault import LocatedVault
from reconciler.kinds.recovery_plan.expansion import COLLECTION
from reconciler.kinds.recovery_plan.members import REPLICATED
from reconciler.kinds.recovery_plan.spec import NAME, RecoveryPlanSpec
from reconciler.kinds.recovery_plan.wire import PlanBody, parts_from
from reconciler.kinds.replication.ids import FABRICS
from reconciler.kinds.replication.item import ITEMS, ItemBody
from reconciler.kinds.replication.listing import API_VERSION, FabricBody, read_vaults, replication_list
from reconciler.kinds.replication.route import fabric_address, located_routes
from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.casing import fold
from reconciler.model.document import Declared
from reconciler.model.live import Unreadable
from reconciler.model.recovery_plan import DOCUMENT, RecoveryPlan, RecoveryPlanFacts
from reconciler.model.resource import Ref, Resource


async def read_plans(azure: Azure, declared: Declared) -> AsyncIterator[Resource | Unreadable]:
    """The plans of every vault that a route names. Those that no policy declares are told without their groups."""

    async def read(azure: Azure, vault: LocatedVault) -> Iterable[Resource]:
        return await _read_vault(azure, vault, declared)

    async for answer in read_vaults(azure, declared, NAME, read, "the list of recovery plans", f"{COLLECTION}/read"):
        yield answer


async def read_items(azure: Azure, vault: ArmId) -> list[ItemBody]:
    """The protected items of a vault as they are now."""
    return [body async for body in azure.list(f"{vault}/{ITEMS}", API_VERSION, ItemBody)]


async def read_plan(azure: Azure, plan: ArmId) -> PlanBody:
    """One plan with its groups. Raises AbsentError where there is none."""
    return await azure.get(str(plan), API_VERSION, PlanBody)


def machines_by_item(items: Iterable[ItemBody]) -> dict[ArmId, ArmId]:
    return {ArmId(item.id): item.machine for item in items}


async def _read_vault(azure: Azure, vault: LocatedVault, declared: Declared) -> list[Resource]:
    listed = await replication_list(azure, vault.arm_id, COLLECTION, PlanBody)
    names = _declared_in(vault, declared)
    whole_vault = any(
        is_survey(route.value) for route in located_routes(declared) if route.vault.arm_id == vault.arm_id
    )
    ours = [body for body in listed if whole_vault or fold(body.name) in names]
    if not listed:
        return []
    fabrics = await replication_list(azure, vault.arm_id, FABRICS, FabricBody)
    regions = {ArmId(body.id): body.region for body in fabrics}
    items = machines_by_item(await replication_list(azure, vault.arm_id, ITEMS, ItemBody) if ours else ())
    whole = await asyncio.gather(*(_whole(azure, body) for body in ours))
    others = (body for body in listed if body not in ours)
    bodies = (*(body for body in whole if body is not None), *others)
    return [_resource(body, vault, names.get(fold(body.name), body.name), regions, items, declared) for body in bodies]


async def _whole(azure: Azure, body: PlanBody) -> PlanBody | None:
    """None for one that went while it was listed."""
    try:
        return await read_plan(azure, ArmId(body.id))
    except AbsentError:
        return None


def _declared_in(vault: LocatedVault, declared: Declared) -> dict[str, str]:
    """The plans that the policies declare in a vault: folded names and real ones."""
    routes = {fold(route.name) for route in located_routes(declared) if route.vault.arm_id == vault.arm_id}
    plans = declared.of(DOCUMENT, RecoveryPlan).items()
    return {fold(name): name for name, document in plans if fold(document.value.route) in routes}


def _resource(
    body: PlanBody,
    vault: LocatedVault,
    name: str,
    regions: Mapping[ArmId, str],
    machines: Mapping[ArmId, ArmId],
    declared: Declared,
) -> Resource:
    properties = body.properties
    ends = [ArmId(text or "") for text in (properties.primary_fabric_id, properties.recovery_fabric_id)]
    primary, recovery = (regions.get(end) or end.name or "none" for end in ends)
    groups, shutdown, failover = parts_from(properties.groups or (), machines)
    items = body.items
    spec = RecoveryPlanSpec(
        primary=Ref.of(fabric_address(vault.scope, primary)),
        recovery=Ref.of(fabric_address(vault.scope, recovery)),
        primary_zone=properties.zones.primary_zone or "",
        recovery_zone=properties.zones.recovery_zone or "",
        groups=groups,
        shutdown=shutdown,
        failover=failover,
        machines=tuple(Ref.of(_replicated(machines[item], declared)) for item in items if item in machines),
    )
    scenario = properties.current_scenario
    facts = RecoveryPlanFacts(
        plan_id=ArmId(body.id),
        vault_id=vault.arm_id,
        primary_region=primary,
        recovery_region=recovery,
        items=items,
        allowed_operations=properties.allowed_operations or (),
        scenario=(scenario.scenario_name or "") if scenario else "",
        scenario_status=properties.current_scenario_status or "",
        job_id=(scenario.job_id or "") if scenario else "",
        last_test_failover=properties.last_test_failover_time,
        last_failover=properties.last_unplanned_failover_time,
    )
    return Resource(Address(NAME, vault.scope, name), spec, ArmId(body.id), vault.location, observed=facts)


def _replicated(machine: ArmId, declared: Declared) -> Address:
    """A VM outside the Scope is addressed by its subscription's id."""
    alias = declared.alias(machine.subscription) or machine.subscription
    return Address(REPLICATED, f"{alias}/{machine.resource_group}", machine.name)
