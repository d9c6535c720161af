"""What Site Recovery's body of a replicated VM is in our words (site-recovery.md §2 and §4).

After a reprotect its directions are swapped.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from reconciler.kinds.replicated_vm.spec import ReplicatedVmSpec, State, TargetDisk, TargetInterface
from reconciler.kinds.replication.item import DetailsBody, HealthErrorBody, ItemBody
from reconciler.kinds.replication.jobs import job_time
from reconciler.kinds.replication.route import Leg, Place, mapping_address
from reconciler.model.arm_id import ArmId
from reconciler.model.location import normalise_location
from reconciler.model.replicated import ReplicatedDiskFacts, ReplicationFacts, SourceInterface
from reconciler.model.resource import Ref

NO_DRILL_YET = "161011"
"""The health error of every VM that was never in a drill: no illness (site-recovery.md §4)."""
_GIB = 1024**3
_NONE = "None"


def state_from(body: ItemBody) -> State:
    """Both of its states must be Protected: the end of the enabling operation is not protection."""
    state = body.properties.protection_state or ""
    if state == "Protected":
        return "Protected" if body.details.vm_protection_state == "Protected" else "Seeding"
    if state.startswith("UnplannedFailover"):
        return "Protected"
    if state.startswith("InitialReplication"):
        return "Seeding"
    if state.startswith("Unprotected"):
        scenario = body.properties.current_scenario
        at_work = scenario is not None and (scenario.scenario_name or _NONE) != _NONE
        return "Seeding" if at_work else "Unfinished"
    return "Unknown"


def facts_from(body: ItemBody, vault: ArmId) -> ReplicationFacts:
    """What is seen of it."""
    properties, details = body.properties, body.details
    primary, recovery = _regions(details)
    facts = ReplicationFacts(
        vault_id=vault,
        item_id=ArmId(body.id),
        machine_id=ArmId(details.fabric_object_id or ""),
        name=body.name,
        policy_name=ArmId(properties.policy_id or "").segment("replicationPolicies"),
        primary_region=primary,
        recovery_region=recovery,
        initial_primary_region=normalise_location(details.initial_primary_fabric_location or ""),
        lifecycle_id=details.lifecycle_id or "",
        protection_state=properties.protection_state or "",
        description=properties.protection_state_description or "",
        active_location=properties.active_location or "Primary",
        test_failover_state=properties.test_failover_state or "",
        allowed_operations=properties.allowed_operations or (),
        health=properties.replication_health or "",
        health_errors=tuple(_ills(properties.health_errors or ())),
        rpo_seconds=details.rpo_in_seconds,
        rpo_calculated=job_time(details.last_rpo_calculated_time),
        last_test_failover=job_time(properties.last_successful_test_failover_time),
        since=job_time(properties.last_successful_failover_time),
        recovery_machine_id=_id(details.recovery_fabric_object_id),
        test_machine_id=_id(details.test_failover_recovery_fabric_object_id),
        initial_primary_zone=details.initial_primary_zone or "",
        primary_zone=details.primary_availability_zone or "",
        percent=details.monitoring_percentage_completion,
        interfaces=tuple(_interfaces(details)),
        disks=tuple(_disks(details)),
    )
    target = _made(details, details.recovery_azure_vm_name)
    return dataclasses.replace(
        facts,
        home_id=target if facts.reversed and target else facts.machine_id,
        target_id=target,
        test_target_id=_made(details, details.tfo_azure_vm_name) if _drills(body) else None,
    )


def spec_from(body: ItemBody, scope: str, policy: str) -> ReplicatedVmSpec:
    """What we manage of it. `scope` is that of its vault, `policy` the name as the policies spell it. The mapping is
    that of its first direction, whichever way it goes now."""
    details = body.details
    disks = details.protected_managed_disks or ()
    return ReplicatedVmSpec(
        mapping=Ref.of(mapping_address(scope, _first_leg(details), policy)),
        state=state_from(body),
        target_resource_group=details.recovery_azure_resource_group_id or "",
        zone=details.recovery_availability_zone or "",
        availability_set=details.recovery_availability_set or "",
        multi_vm_group=details.multi_vm_group_name or "",
        cache_storage_account=next((one.primary_staging_azure_storage_account_id or "" for one in disks), ""),
        disk_encryption_set=next((one.recovery_disk_encryption_set_id or "" for one in disks), ""),
        disks=tuple(TargetDisk(disk=one.disk_id, type=one.recovery_target_disk_account_type or "") for one in disks),
        target_size=details.recovery_azure_vm_size or "",
        network=details.selected_recovery_azure_network_id or "",
        test_network=details.selected_tfo_azure_network_id or "",
        nics=tuple(_targets(details)),
    )


def _id(text: str | None) -> ArmId | None:
    return ArmId(text) if text else None


def _regions(details: DetailsBody) -> tuple[str, str]:
    primary, recovery = details.primary_fabric_location or "", details.recovery_fabric_location or ""
    return normalise_location(primary), normalise_location(recovery)


def _first_leg(details: DetailsBody) -> Leg:
    """The direction in which it was first replicated: a reprotect swaps the others, and leaves this one."""
    primary, recovery = _regions(details)
    source = normalise_location(details.initial_primary_fabric_location or "") or primary
    target = normalise_location(details.initial_recovery_fabric_location or "") or recovery
    zone = details.initial_recovery_zone or details.recovery_availability_zone or ""
    zone = zone if source == target else ""
    return Leg(Place(source), Place(target, zone))


def _drills(body: ItemBody) -> bool:
    """Whether a test failover runs or is not cleaned up. Another VM may have the name of a test VM otherwise."""
    scenario = body.properties.current_scenario
    runs = scenario is not None and (scenario.scenario_name or "").startswith("TestFailover")
    return runs or (body.properties.test_failover_state or _NONE) != _NONE


def _made(details: DetailsBody, name: str | None) -> ArmId | None:
    """What a failover or a drill makes. On the way back a failover goes where it came from: that VM has the address,
    there or not."""
    group = details.recovery_azure_resource_group_id
    return ArmId(group).child("providers", "Microsoft.Compute", "virtualMachines", name) if group and name else None


def _ills(errors: tuple[HealthErrorBody, ...]) -> Iterator[str]:
    for error in errors:
        if error.error_code != NO_DRILL_YET:
            yield " ".join(part for part in (error.error_code, error.error_message) if part)


def _interfaces(details: DetailsBody) -> Iterator[SourceInterface]:
    for nic in details.vm_nics or ():
        network = ArmId(nic.source_network or "")
        yield SourceInterface(ArmId(nic.source_nic_arm_id or "").name, network, nic.primary.subnet_name or "")


def _targets(details: DetailsBody) -> Iterator[TargetInterface]:
    for nic in details.vm_nics or ():
        address = nic.primary
        yield TargetInterface(
            name=ArmId(nic.source_nic_arm_id or "").name,
            subnet=ArmId(address.recovery_subnet_name or "").name,
            address=address.recovery_static_ip_address or "",
            test_subnet=ArmId(address.tfo_subnet_name or "").name,
            test_address=address.tfo_static_ip_address or "",
        )


def _disks(details: DetailsBody) -> Iterator[ReplicatedDiskFacts]:
    for disk in details.protected_managed_disks or ():
        yield ReplicatedDiskFacts(
            disk=ArmId(disk.disk_id),
            size_gib=-(-(disk.disk_capacity_in_bytes or 0) // _GIB),
            is_os=disk.disk_type == "OperatingSystem",
            replica=_id(disk.recovery_replica_disk_id),
        )
