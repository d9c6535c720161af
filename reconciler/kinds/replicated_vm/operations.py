"""Drills, failovers, commits and reprotections of one replicated VM (site-recovery.md §4, §7; recorded: the failover
and its way back), and the checks of the VMs that they make."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from reconciler.azure.clients import Azure
from reconciler.azure.operations import Operation
from reconciler.errors import AbsentError, FailedError
from reconciler.kinds.made_machine import check_running, read_addresses, read_machine, run_check
from reconciler.kinds.replicated_vm.wire import facts_from
from reconciler.kinds.replication.ids import vault_of
from reconciler.kinds.replication.item import ItemBody
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
from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.replicated import ReplicationFacts
from reconciler.plan.change import Step

if TYPE_CHECKING:
    from azure.mgmt.recoveryservicessiterecovery.aio.operations import ReplicationProtectedItemsOperations

CHECKS = ("check-running", "check-command")
VERBS = frozenset({*SCENARIOS, *CHECKS})


async def operate(azure: Azure, step: Step) -> Operation | None:
    """Send the write of an operation. Checks write nothing: they are made where a write is read back."""
    if step.verb in CHECKS:
        return None
    item = ArmId(step.arguments["id"])
    if step.verb == "clean-up":
        return await _clean_up(azure, step, item)
    facts = await read_facts(azure, item)
    check_allowed(item, step.verb, facts.allowed_operations)
    if step.verb == "reprotect":
        return await _reprotect(azure, step, facts)
    if step.verb == "commit":
        return await begin_job(_items(azure, item).begin_failover_commit, *_path(item), resource=item)
    if step.verb == "failover":
        return await _fail_over(azure, step, item)
    return await _test(azure, step, item)


async def check_operated(azure: Azure, step: Step) -> None:
    """Raises FailedError where the VM is not in the state that the step leads to, or a check fails."""
    item = ArmId(step.arguments["moved"] if step.verb == "reprotect" else step.arguments["id"])
    try:
        facts = await read_facts(azure, item)
    except AbsentError:
        if step.verb == "clean-up":
            return
        raise
    if step.verb in CHECKS:
        await _check(azure, step, facts)
        return
    reached = {
        "test-failover": facts.in_drill,
        "clean-up": not facts.in_drill,
        "failover": facts.failed_over,
        "commit": facts.failed_over and "Commit" not in facts.allowed_operations,
        "reprotect": facts.machine_id == ArmId(step.arguments.get("machine", "")),
    }
    if not reached[step.verb]:
        raise FailedError(
            f"Azure accepted it, but {facts.name} is not in the state that it leads to",
            resource=str(item),
            why=f"{facts.protection_state} ({facts.description}), test failover {facts.test_failover_state or 'None'}",
            advice="look at the vault's Site Recovery jobs",
        )


async def find_operation(azure: Azure, step: Step, since: datetime) -> Operation | None:
    """The job that this step may have started at or after `since`, if it still runs."""
    scenario, item = SCENARIOS.get(step.verb), ArmId(step.arguments["id"])
    if scenario is None:
        return None
    return told_by_tasks(await find_open_job(azure, item, scenario, _names(step, item), since))


async def read_facts(azure: Azure, item: ArmId) -> ReplicationFacts:
    """One item as it is now. Raises AbsentError."""
    return facts_from(await azure.get(str(item), API_VERSION, ItemBody), vault_of(item))


def _names(step: Step, item: ArmId) -> set[str]:
    return {Address.parse(step.address).name, item.name, step.arguments.get("friendly", item.name)}


async def _test(azure: Azure, step: Step, item: ArmId) -> Operation | None:
    from azure.mgmt.recoveryservicessiterecovery import models

    properties = models.TestFailoverInputProperties(
        failover_direction="PrimaryToRecovery",
        network_type="VmNetworkAsInput",
        network_id=step.arguments["network"],
        provider_specific_details=models.A2ATestFailoverInput(recovery_point_id=step.arguments["point"] or None),
    )
    body = models.TestFailoverInput(properties=properties)
    return await begin_job(_items(azure, item).begin_test_failover, *_path(item), resource=item, body=body)


async def _clean_up(azure: Azure, step: Step, item: ArmId) -> Operation | None:
    """None where there is nothing to clean up (any more)."""
    from azure.mgmt.recoveryservicessiterecovery import models

    names = _names(step, item)
    await await_drill(azure, item, SCENARIOS["test-failover"], names)
    try:
        facts = await read_facts(azure, item)
    except AbsentError:
        return None
    running = await find_open_job(azure, item, SCENARIOS["clean-up"], names, EVER)
    if running is not None or not facts.in_drill:
        return told_by_tasks(running)
    check_allowed(item, step.verb, facts.allowed_operations)
    properties = models.TestFailoverCleanupInputProperties(comments=COMMENT)
    body = models.TestFailoverCleanupInput(properties=properties)
    return await begin_job(_items(azure, item).begin_test_failover_cleanup, *_path(item), resource=item, body=body)


async def _fail_over(azure: Azure, step: Step, item: ArmId) -> Operation | None:
    """Back or forth, the direction of an item is always from its primary: a reprotect swaps the ends (§4)."""
    from azure.mgmt.recoveryservicessiterecovery import models

    properties = models.UnplannedFailoverInputProperties(
        failover_direction="PrimaryToRecovery",
        source_site_operations="Required" if step.arguments["shutdown"] else "NotRequired",
        provider_specific_details=models.A2AUnplannedFailoverInput(recovery_point_id=step.arguments["point"] or None),
    )
    body = models.UnplannedFailoverInput(properties=properties)
    return await begin_job(_items(azure, item).begin_unplanned_failover, *_path(item), resource=item, body=body)


async def _reprotect(azure: Azure, step: Step, facts: ReplicationFacts) -> Operation | None:
    """`switchprotection` of the container: `reProtect` cannot carry managed disks (§4). The disks are those of the VM
    that runs now."""
    from azure.mgmt.recoveryservicessiterecovery import models

    item, arguments = facts.item_id, step.arguments
    machine = await read_machine(azure, ArmId(arguments["machine"]))
    details = models.A2ASwitchProtectionInput(
        recovery_container_id=arguments["container"],
        policy_id=arguments["policy"],
        recovery_resource_group_id=arguments["group"],
        recovery_availability_zone=arguments["zone"] or None,
        vm_managed_disks=[
            models.A2AVmManagedDiskInputDetails(
                disk_id=disk,
                primary_staging_azure_storage_account_id=arguments["account"],
                recovery_resource_group_id=arguments["group"],
            )
            for disk in machine.disks
        ],
    )
    properties = models.SwitchProtectionInputProperties(
        replication_protected_item_name=item.name, provider_specific_details=details
    )
    body = models.SwitchProtectionInput(properties=properties)
    call = azure.site_recovery(item.subscription).replication_protection_containers.begin_switch_protection
    return await begin_job(call, *_path(item)[:-1], resource=item, body=body)


async def _check(azure: Azure, step: Step, facts: ReplicationFacts) -> None:
    """Of the test VM while there is one, else of the VM that was failed over to."""
    made = facts.test_machine_id if step.arguments["test"] else facts.recovery_machine_id
    machine = await check_running(azure, made, facts.machine_id.name)
    if step.verb == "check-running":
        return
    addresses = await read_addresses(azure, machine)
    variables = {
        "RECONCILER_VM": Address.parse(step.address).name,
        "RECONCILER_TEST_VM": machine.name,
        "RECONCILER_TEST_VM_ID": str(machine),
        "RECONCILER_TEST_ADDRESS": addresses[0] if addresses else "",
    }
    await run_check(step.arguments["command"], variables, machine.name)


def _items(azure: Azure, item: ArmId) -> ReplicationProtectedItemsOperations:
    return azure.site_recovery(item.subscription).replication_protected_items


def _path(item: ArmId) -> tuple[Any, ...]:
    segments = ("vaults", "replicationFabrics", "replicationProtectionContainers", "replicationProtectedItems")
    return (item.resource_group, *(item.segment(name) for name in segments))
