"""Sending the writes of replicated VMs, by the wire tables (site-recovery.md §3 to §5), and reading them back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from reconciler.azure.clients import Azure
from reconciler.azure.operations import Operation
from reconciler.errors import AbsentError, FailedError
from reconciler.kinds.replicated_vm.eligibility import check_eligible
from reconciler.kinds.replicated_vm.interface_requests import interface_inputs
from reconciler.kinds.replicated_vm.spec import ReplicatedVmSpec, TargetDisk, normal_spec
from reconciler.kinds.replicated_vm.wire import facts_from, spec_from, state_from
from reconciler.kinds.replicated_vm.wish import Destination
from reconciler.kinds.replication.ids import vault_of
from reconciler.kinds.replication.item import ItemBody
from reconciler.kinds.replication.listing import API_VERSION
from reconciler.kinds.replication.writes import begin, check_kept
from reconciler.model.arm_id import ArmId
from reconciler.model.casing import fold
from reconciler.plan.change import Step

if TYPE_CHECKING:
    from azure.mgmt.recoveryservicessiterecovery.aio.operations import ReplicationProtectedItemsOperations

CONFIGURING = ("networks", "update")
_BEGUN = ("Protected", "Seeding")
_KEPT = {
    "recoveryBootDiagStorageAccountId": "recovery_boot_diag_storage_account_id",
    "recoveryCapacityReservationGroupId": "recovery_capacity_reservation_group_id",
    "recoveryProximityPlacementGroupId": "recovery_proximity_placement_group_id",
    "recoveryVirtualMachineScaleSetId": "recovery_virtual_machine_scale_set_id",
    "tfoAzureVMName": "tfo_azure_vm_name",
}
"""What people may have set and policies say nothing of, as it is read and as it is sent again."""


async def send(azure: Azure, step: Step) -> Operation | None:
    """The write of one step; None where Azure has it already. `initial-replication` writes nothing: it waits."""
    item = ArmId(step.arguments["id"])
    if step.verb == "initial-replication":
        url = f"{azure.cloud.resource_manager.rstrip('/')}{item}?api-version={API_VERSION}"
        return Operation(url=url, via="protection", resource=str(item))
    if step.verb == "enable":
        return await _enable(azure, step, item)
    if step.verb == "disable":
        return await _disable(azure, item)
    if step.verb in CONFIGURING:
        return await _configure(azure, step, item)
    return await _change_disks(azure, step, item)


async def read_back(azure: Azure, step: Step) -> None:
    """GET and compare. Raises AbsentError, or FailedError with what is not as written."""
    item = ArmId(step.arguments["id"])
    try:
        body = await azure.get(str(item), API_VERSION, ItemBody)
    except AbsentError:
        if step.verb == "disable":
            return
        raise
    check_kept(item, "the replication of", _differences(step, body))


def _differences(step: Step, body: ItemBody) -> list[str]:
    state = state_from(body)
    if step.verb == "disable":
        return ["it is still there"]
    if step.verb == "initial-replication":
        return [] if state == "Protected" else [f"its state is {body.properties.protection_state}"]
    held = {ArmId(one.disk) for one in spec_from(body, "-", "-").disks}
    sent = {ArmId(_disk_id(one)) for one in step.arguments["disks"]}
    if step.verb == "enable":
        found = [] if state in _BEGUN else [f"its state is {body.properties.protection_state}"]
        if ArmId(body.properties.policy_id or "") != ArmId(step.arguments["policy"]):
            found.append(f"its policy is {body.properties.policy_id or 'none'}")
        return found + _disks_differ(held == sent, held)
    if step.verb == "add-disks":
        return _disks_differ(sent <= held, held)
    if step.verb == "remove-disks":
        return _disks_differ(not sent & held, held)
    return [f"its {name} is another" for name in _unset(step, body)] + _unknown_interfaces(step, body)


def _disk_id(sent: str | Mapping[str, str]) -> str:
    return sent if isinstance(sent, str) else sent["disk"]


def _disks_differ(same: bool, held: set[ArmId]) -> list[str]:
    return [] if same else [f"it replicates {', '.join(sorted(disk.name for disk in held)) or 'no disk'}"]


def wanted_spec(step: Step, body: ItemBody) -> tuple[ReplicatedVmSpec, ReplicatedVmSpec]:
    """What the item is now, and what it is to be: the destination laid over it. Both in normal form."""
    destination = msgspec.convert(step.arguments["destination"], Destination)
    retyped = {ArmId(one["disk"]): one["type"] for one in step.arguments["disks"]}
    held, facts = spec_from(body, "-", "-"), facts_from(body, vault_of(ArmId(body.id)))
    disks = tuple(TargetDisk(disk=one.disk, type=retyped.get(ArmId(one.disk), one.type)) for one in held.disks)
    wanted = msgspec.structs.replace(
        held,
        target_size=destination.size_over(held.target_size),
        network=destination.network(facts.interfaces) or held.network,
        test_network=destination.test_network or held.test_network,
        nics=destination.interfaces(facts.interfaces, held.nics),
        disks=disks,
    )
    return normal_spec(held), normal_spec(wanted)


def _unset(step: Step, body: ItemBody) -> list[str]:
    held, wanted = wanted_spec(step, body)
    return [name for name in wanted.__struct_fields__ if getattr(held, name) != getattr(wanted, name)]


def _unknown_interfaces(step: Step, body: ItemBody) -> list[str]:
    """Interfaces that only the policies know. Before a VM is protected, Azure does not tell which it has."""
    known = {fold(one.name): one.name for one in facts_from(body, vault_of(ArmId(body.id))).interfaces}
    destination = msgspec.convert(step.arguments["destination"], Destination)
    return [
        f"it has no network interface {nic.name}, only {', '.join(sorted(known.values())) or 'none'}"
        for nic in destination.nics
        if fold(nic.name) not in known
    ]


async def _enable(azure: Azure, step: Step, item: ArmId) -> Operation | None:
    """What Azure says against the VM is asked first: enabling would fail with it after minutes."""
    from azure.mgmt.recoveryservicessiterecovery import models

    if await _has_begun(azure, item):
        return None
    arguments = step.arguments
    await check_eligible(azure, ArmId(arguments["machine"]))
    details = models.A2AEnableProtectionInput(
        fabric_object_id=arguments["machine"],
        recovery_container_id=arguments["container"],
        recovery_resource_group_id=arguments["group"],
        recovery_availability_zone=arguments["zone"] or None,
        recovery_availability_set_id=arguments["availability_set"] or None,
        recovery_azure_network_id=arguments["network"] or None,
        multi_vm_group_name=arguments["multi_vm_group"] or None,
        auto_protection_of_data_disk="Disabled",
        vm_managed_disks=[_disk_input(arguments, one) for one in arguments["disks"]],
    )
    properties = models.EnableProtectionInputProperties(
        policy_id=arguments["policy"], provider_specific_details=details
    )
    body = models.EnableProtectionInput(properties=properties)
    return await begin(_operations(azure, item).begin_create, *_path(item), body=body, resource=item)


async def _has_begun(azure: Azure, item: ArmId) -> bool:
    try:
        body = await azure.get(str(item), API_VERSION, ItemBody)
    except AbsentError:
        return False
    except FailedError as error:
        if error.code.lower() == "subscriptionidnotregisteredwithsrs":
            return False
        raise
    return state_from(body) in _BEGUN


def _disk_input(arguments: Mapping[str, Any], disk: Mapping[str, str]) -> Any:
    """The replica is of the type that the disk will have: data written there is what a failover attaches."""
    from azure.mgmt.recoveryservicessiterecovery import models

    return models.A2AVmManagedDiskInputDetails(
        disk_id=disk["disk"],
        primary_staging_azure_storage_account_id=arguments["account"],
        recovery_resource_group_id=arguments["group"],
        recovery_replica_disk_account_type=disk["type"] or None,
        recovery_target_disk_account_type=disk["type"] or None,
        recovery_disk_encryption_set_id=arguments["encryption_set"] or None,
    )


def set_by_hand(shown: Mapping[str, Any]) -> dict[str, Any]:
    """Settings that no policy speaks of, to be sent again with the others: whether Azure keeps what is not sent is not
    known."""
    return {sent: shown[read] for read, sent in _KEPT.items() if shown.get(read)}


async def _configure(azure: Azure, step: Step, item: ArmId) -> Operation | None:
    """PATCH, with every interface and both networks: what is not sent is cleared (site-recovery.md §5)."""
    from azure.mgmt.recoveryservicessiterecovery import models

    raw: dict[str, Any] = await azure.get(str(item), API_VERSION, dict)
    body = msgspec.convert(raw, ItemBody)
    held, wanted = wanted_spec(step, body)
    if held == wanted:
        return None
    types = {ArmId(one.disk): one.type for one in wanted.disks}
    before = {ArmId(one.disk): one.type for one in held.disks}
    details = body.details
    change = models.A2AUpdateReplicationProtectedItemInput(
        recovery_availability_zone=details.recovery_availability_zone or None,
        managed_disk_update_details=[
            models.A2AVmManagedDiskUpdateDetails(disk_id=str(disk), recovery_target_disk_account_type=type_)
            for disk, type_ in types.items()
            if before[disk] != type_
        ],
        **set_by_hand(raw["properties"]["providerSpecificDetails"]),
    )
    destination = msgspec.convert(step.arguments["destination"], Destination)
    network = destination.network(facts_from(body, vault_of(item)).interfaces)
    properties = models.UpdateReplicationProtectedItemInputProperties(
        recovery_azure_vm_name=details.recovery_azure_vm_name,
        recovery_azure_vm_size=destination.size or details.recovery_azure_vm_size,
        selected_recovery_azure_network_id=network or details.selected_recovery_azure_network_id,
        selected_tfo_azure_network_id=destination.test_network or details.selected_tfo_azure_network_id,
        recovery_availability_set_id=details.recovery_availability_set or None,
        vm_nics=interface_inputs(raw, destination, body),
        provider_specific_details=change,
    )
    sent = models.UpdateReplicationProtectedItemInput(properties=properties)
    return await begin(_operations(azure, item).begin_update, *_path(item), body=sent, resource=item)


async def _change_disks(azure: Azure, step: Step, item: ArmId) -> Operation | None:
    """`addDisks` or `removeDisks`, of those that are not there, or still there."""
    from azure.mgmt.recoveryservicessiterecovery import models

    body = await azure.get(str(item), API_VERSION, ItemBody)
    held = {ArmId(one.disk) for one in spec_from(body, "-", "-").disks}
    operations, arguments = _operations(azure, item), step.arguments
    if step.verb == "add-disks":
        new = [one for one in arguments["disks"] if ArmId(one["disk"]) not in held]
        adding = models.A2AAddDisksInput(vm_managed_disks=[_disk_input(arguments, one) for one in new])
        wanted = models.AddDisksInput(properties=models.AddDisksInputProperties(provider_specific_details=adding))
        call = operations.begin_add_disks
        return await begin(call, *_path(item), body=wanted, resource=item) if new else None
    gone = [one for one in arguments["disks"] if ArmId(one) in held]
    removing = models.A2ARemoveDisksInput(vm_managed_disks_ids=gone)
    unwanted = models.RemoveDisksInput(properties=models.RemoveDisksInputProperties(provider_specific_details=removing))
    call_off = operations.begin_remove_disks
    return await begin(call_off, *_path(item), body=unwanted, resource=item) if gone else None


async def _disable(azure: Azure, item: ArmId) -> Operation | None:
    """POST remove: takes the agent off the VM, too. Purging would leave it there (site-recovery.md §5)."""
    from azure.mgmt.recoveryservicessiterecovery import models

    properties = models.DisableProtectionInputProperties(
        disable_protection_reason="NotSpecified",
        replication_provider_input=models.DisableProtectionProviderSpecificInput(
            instance_type="DisableProtectionProviderSpecificInput"
        ),
    )
    body = models.DisableProtectionInput(properties=properties)
    return await begin(_operations(azure, item).begin_delete, *_path(item), body=body, resource=item)


def _operations(azure: Azure, item: ArmId) -> ReplicationProtectedItemsOperations:
    return azure.site_recovery(item.subscription).replication_protected_items


def _path(item: ArmId) -> tuple[str, ...]:
    segments = ("vaults", "replicationFabrics", "replicationProtectionContainers", "replicationProtectedItems")
    return (item.resource_group, *(item.segment(name) for name in segments))
