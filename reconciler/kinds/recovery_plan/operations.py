"""Drills, failovers and commits of a recovery plan: one job for all of its VMs (site-recovery.md §7). A reprotection is
of each VM: that of a plan cannot carry managed disks."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from reconciler.azure.clients import Azure
from reconciler.azure.operations import Operation
from reconciler.errors import AbsentError, FailedError
from reconciler.kinds.recovery_plan.inventory import read_plan
from reconciler.kinds.replication.ids import vault_of
from reconciler.kinds.replication.item import ITEMS, ItemBody
from reconciler.kinds.replication.jobs import find_open_job
from reconciler.kinds.replication.listing import API_VERSION
from reconciler.kinds.replication.operations import (
    COMMENT,
    EVER,
    SCENARIOS,
    await_drill,
    begin_job,
    check_allowed,
    told_by_tasks,
)
from reconciler.model.arm_id import ArmId
from reconciler.plan.change import Step

if TYPE_CHECKING:
    from azure.mgmt.recoveryservicessiterecovery import models
    from azure.mgmt.recoveryservicessiterecovery.aio.operations import ReplicationRecoveryPlansOperations

VERBS = frozenset({"test-failover", "clean-up", "failover", "commit"})
_DRILL_OVER = ("", "None")


async def operate(azure: Azure, step: Step) -> Operation | None:
    """Send the write of an operation."""
    plan = ArmId(step.arguments["id"])
    place = (plan.resource_group, vault_of(plan).name, plan.name)
    if step.verb == "clean-up":
        return await _clean_up(azure, plan, place)
    check_allowed(plan, step.verb, (await read_plan(azure, plan)).properties.allowed_operations or ())
    if step.verb == "commit":
        return await begin_job(_plans(azure, plan).begin_failover_commit, *place, resource=plan)
    if step.verb == "failover":
        return await begin_job(
            _plans(azure, plan).begin_unplanned_failover, *place, resource=plan, body=_failover(step)
        )
    return await begin_job(_plans(azure, plan).begin_test_failover, *place, resource=plan, body=_test(step))


async def check_operated(azure: Azure, step: Step) -> None:
    """Raises FailedError where one of its VMs is not in the state that the step leads to."""
    plan = ArmId(step.arguments["id"])
    members = await _members(azure, plan)
    missing = [one.properties.friendly_name or one.id for one in members if not _has_reached(one, step.verb)]
    if missing:
        raise FailedError(
            f"Azure accepted it, but of recovery plan {plan.name} these are not in the state that it leads to: "
            + ", ".join(missing),
            resource=str(plan),
            advice="look at the vault's Site Recovery jobs",
        )


async def find_operation(azure: Azure, step: Step, since: datetime) -> Operation | None:
    """The job that this step may have started at or after `since`, if it still runs."""
    plan = ArmId(step.arguments["id"])
    return told_by_tasks(await find_open_job(azure, plan, SCENARIOS[step.verb], {plan.name}, since))


def _has_reached(body: ItemBody, verb: str) -> bool:
    """Whether a member is where the step with this verb leads to."""
    if verb in ("test-failover", "clean-up"):
        return _in_drill(body) is (verb == "test-failover")
    state = body.properties.protection_state or ""
    failed_over = body.properties.active_location == "Recovery" or state.startswith("UnplannedFailover")
    return failed_over and (verb == "failover" or "CommitPending" not in state)


def _in_drill(body: ItemBody) -> bool:
    return (body.properties.test_failover_state or "") not in _DRILL_OVER


async def _members(azure: Azure, plan: ArmId) -> list[ItemBody]:
    ids = set((await read_plan(azure, plan)).items)
    listed = azure.list(f"{vault_of(plan)}/{ITEMS}", API_VERSION, ItemBody)
    return [body async for body in listed if ArmId(body.id) in ids]


async def _clean_up(azure: Azure, plan: ArmId, place: tuple[str, ...]) -> Operation | None:
    """None where there is nothing to clean up (any more)."""
    from azure.mgmt.recoveryservicessiterecovery import models

    await await_drill(azure, plan, SCENARIOS["test-failover"], {plan.name})
    running = await find_open_job(azure, plan, SCENARIOS["clean-up"], {plan.name}, EVER)
    if running is not None:
        return told_by_tasks(running)
    try:
        members = await _members(azure, plan)
    except AbsentError:
        return None
    if not any(_in_drill(one) for one in members):
        return None
    check_allowed(plan, "clean-up", (await read_plan(azure, plan)).properties.allowed_operations or ())
    properties = models.RecoveryPlanTestFailoverCleanupInputProperties(comments=COMMENT)
    body = models.RecoveryPlanTestFailoverCleanupInput(properties=properties)
    return await begin_job(_plans(azure, plan).begin_test_failover_cleanup, *place, resource=plan, body=body)


def _test(step: Step) -> models.RecoveryPlanTestFailoverInput:
    from azure.mgmt.recoveryservicessiterecovery import models

    properties = models.RecoveryPlanTestFailoverInputProperties(
        failover_direction=step.arguments["direction"],
        network_type="VmNetworkAsInput",
        network_id=step.arguments["network"],
        provider_specific_details=[models.RecoveryPlanA2AFailoverInput(recovery_point_type=step.arguments["point"])],
    )
    return models.RecoveryPlanTestFailoverInput(properties=properties)


def _failover(step: Step) -> models.RecoveryPlanUnplannedFailoverInput:
    from azure.mgmt.recoveryservicessiterecovery import models

    properties = models.RecoveryPlanUnplannedFailoverInputProperties(
        failover_direction=step.arguments["direction"],
        source_site_operations="Required" if step.arguments["shutdown"] else "NotRequired",
        provider_specific_details=[models.RecoveryPlanA2AFailoverInput(recovery_point_type=step.arguments["point"])],
    )
    return models.RecoveryPlanUnplannedFailoverInput(properties=properties)


def _plans(azure: Azure, plan: ArmId) -> ReplicationRecoveryPlansOperations:
    return azure.site_recovery(plan.subscription).replication_recovery_plans
