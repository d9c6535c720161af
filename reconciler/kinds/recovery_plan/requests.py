"""Sending the writes of recovery plans, and reading them back."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from reconciler.azure.clients import Azure
from reconciler.azure.operations import Operation
from reconciler.errors import FailedError
from reconciler.kinds.recovery_plan.inventory import machines_by_item, read_items, read_plan
from reconciler.kinds.recovery_plan.spec import RecoveryPlanSpec, normal_plan
from reconciler.kinds.recovery_plan.wire import parts_from, request_groups
from reconciler.kinds.replication.ids import vault_of
from reconciler.kinds.replication.item import ItemBody
from reconciler.kinds.replication.writes import begin, check_kept
from reconciler.model.arm_id import ArmId
from reconciler.plan.change import Step

_COMPARED = ("groups", "shutdown", "failover")


async def send(azure: Azure, step: Step) -> Operation | None:
    """PUT of a new plan, PATCH of all groups of one that is there. Members are looked up now: their items may be as new
    as this run. Raises FailedError where a VM has no item."""
    from azure.mgmt.recoveryservicessiterecovery import models

    plan, spec = ArmId(step.arguments["id"]), _spec(step)
    items = await read_items(azure, vault_of(plan))
    found = _find(spec.members(), items, plan)
    groups = request_groups(spec, {machine: ArmId(item.id) for machine, item in found.items()})
    client = azure.site_recovery(plan.subscription).replication_recovery_plans
    place = (plan.resource_group, vault_of(plan).name, plan.name)
    if step.verb == "update":
        change = models.UpdateRecoveryPlanInput(properties=models.UpdateRecoveryPlanInputProperties(groups=groups))
        return await begin(client.begin_update, *place, body=change, resource=plan)
    first = next(iter(found.values()))
    zones = models.RecoveryPlanA2AInput(primary_zone=spec.primary_zone, recovery_zone=spec.recovery_zone)
    body = models.CreateRecoveryPlanInput(
        properties=models.CreateRecoveryPlanInputProperties(
            primary_fabric_id=str(ArmId(first.id).parent(2)),
            recovery_fabric_id=first.properties.recovery_fabric_id or "",
            failover_deployment_model="ResourceManager",
            groups=groups,
            provider_specific_input=[zones] if spec.recovery_zone else None,
        )
    )
    return await begin(client.begin_create, *place, body=body, resource=plan)


async def read_back(azure: Azure, step: Step) -> None:
    """The plan has these members and actions, in this order. Raises AbsentError or FailedError."""
    plan, wanted = ArmId(step.arguments["id"]), normal_plan(_spec(step))
    body = await read_plan(azure, plan)
    machines = machines_by_item(await read_items(azure, vault_of(plan)))
    groups, shutdown, failover = parts_from(body.properties.groups or (), machines)
    read = msgspec.structs.replace(wanted, groups=groups, shutdown=shutdown, failover=failover)
    found = normal_plan(read)
    check_kept(
        plan,
        "recovery plan",
        [
            f"{field}: sent {msgspec.to_builtins(getattr(wanted, field))}, "
            f"Azure has {msgspec.to_builtins(getattr(found, field))}"
            for field in _COMPARED
            if getattr(wanted, field) != getattr(found, field)
        ],
    )


def _spec(step: Step) -> RecoveryPlanSpec:
    return msgspec.convert(step.arguments["plan"], RecoveryPlanSpec)


def _find(wanted: Iterable[ArmId], items: Iterable[ItemBody], plan: ArmId) -> dict[ArmId, ItemBody]:
    by_machine = {item.machine: item for item in items}
    missing = [machine for machine in wanted if machine not in by_machine]
    if missing:
        names = ", ".join(machine.name for machine in missing)
        raise FailedError(
            f"recovery plan {plan.name} was not written: {names} not replicated in vault {vault_of(plan).name}",
            resource=str(plan),
            why="the members of a plan are replicated VMs",
            advice="run plan: it shows what became of the replication",
        )
    return {machine: by_machine[machine] for machine in wanted}
