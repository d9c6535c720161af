"""A replicated machine as it is served (recorded: enable_protection, protected_item_states, the end of failbacks)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from reconciler.emulator.clock import stamp
from reconciler.emulator.providers.replication_item_health import health_errors, worst
from reconciler.emulator.providers.replication_item_state import STATES, Disk, Item, allowed_operations, parse
from reconciler.emulator.providers.replication_names import (
    guid_of,
    location_of,
    name_of,
    parent_of,
    region_name,
    vault_of,
)
from reconciler.emulator.providers.replication_points import rpo
from reconciler.emulator.store import Body
from reconciler.emulator.world import World

UNSET_SCENARIO = "1753-01-01T01:01:01Z"
_REPLICATING = ("copying", "finalizing")


def show_item(world: World, body: Body) -> Body:
    """A kept item as GET and LIST answer it now."""
    item = parse(body)
    return {"id": item.id, "name": item.name, "type": item.type, "properties": _properties(world, item)}


def _properties(world: World, item: Item) -> Body:
    state = STATES[item.phase]
    source, container = parent_of(item.id), name_of(parent_of(item.id))
    fabric, target_fabric = (part.partition("/replicationProtectionContainers/")[0] for part in (source, item.target))
    errors = health_errors(world, item)
    properties: Body = {
        "friendlyName": item.friendly,
        "protectedItemType": "",
        "protectableItemId": None,
        "recoveryServicesProviderId": f"{fabric}/replicationRecoveryServicesProviders/{guid_of('provider', fabric)}",
        "primaryFabricFriendlyName": region_name(location_of(world, item.id)),
        "primaryFabricProvider": "AzureFabric",
        "recoveryFabricFriendlyName": region_name(location_of(world, item.target)),
        "recoveryFabricId": target_fabric,
        "primaryProtectionContainerFriendlyName": container,
        "recoveryProtectionContainerFriendlyName": name_of(item.target),
        "protectionState": state.protection,
        "protectionStateDescription": "Cleanup test failover pending" if _is_drilled(item) else state.description,
        "activeLocation": "Recovery" if item.phase in ("failedOver", "committed") else "Primary",
        "testFailoverState": _drill_state(item)[0],
        "testFailoverStateDescription": _drill_state(item)[1],
        "switchProviderState": "None",
        "switchProviderStateDescription": None,
        "allowedOperations": allowed_operations(item),
        "replicationHealth": worst([error for error in errors if error["errorCategory"] == "Replication"]),
        "failoverHealth": worst([error for error in errors if error["errorCategory"] == "TestFailover"]),
        "healthErrors": errors,
        "policyId": item.policy,
        "policyFriendlyName": name_of(item.policy),
        "currentScenario": _scenario(item),
        "failoverRecoveryPointId": _point_used(item),
        "providerSpecificDetails": _details(world, item),
        "recoveryContainerId": item.target,
        "eventCorrelationId": guid_of("events", item.id),
    }
    if item.last_drill is not None:
        properties["lastSuccessfulTestFailoverTime"] = stamp(item.last_drill)
    if item.failover is not None:
        properties["lastSuccessfulFailoverTime"] = stamp(item.failover.made)
    return properties


def _is_drilled(item: Item) -> bool:
    return item.drill is not None and not item.is_cleaning


def _drill_state(item: Item) -> tuple[str, str]:
    if item.is_cleaning:
        return "MarkedForDeletion", "Cleaning up test environment"
    return ("WaitingForCompletion", "Waiting for user input") if item.drill else ("None", "None")


def _scenario(item: Item) -> Body:
    if item.underway is None:
        none = f"{vault_of(item.id)}/replicationJobs/None"
        return {"scenarioName": "None", "jobId": none, "startTime": UNSET_SCENARIO}
    return {
        "scenarioName": item.underway.name,
        "jobId": item.underway.job,
        "startTime": stamp(item.underway.started),
    }


def _point_used(item: Item) -> str | None:
    if item.failover is not None and item.phase == "failedOver":
        return item.failover.point
    return item.drill.point if item.drill and not item.is_cleaning else None


def _details(world: World, item: Item) -> Body:
    state = STATES[item.phase]
    return {
        "instanceType": "A2A",
        "fabricObjectId": item.vm.lower(),
        "initialPrimaryZone": item.origin.primary_zone,
        "initialPrimaryFabricLocation": item.origin.primary,
        "initialRecoveryZone": item.origin.recovery_zone,
        "initialPrimaryExtendedLocation": None,
        "initialRecoveryExtendedLocation": None,
        "initialRecoveryFabricLocation": item.origin.recovery,
        "multiVmGroupId": item.team,
        "multiVmGroupName": item.team_name,
        "multiVmGroupCreateOption": "UserSpecified" if item.team_name else "AutoCreated",
        "managementId": guid_of("management", item.id, item.vm),
        "protectedDisks": None,
        "unprotectedDisks": _unprotected(world, item),
        "protectedManagedDisks": [_show_disk(item, disk, world.clock.now()) for disk in item.disks],
        "primaryFabricLocation": location_of(world, item.id),
        "recoveryFabricLocation": location_of(world, item.target),
        "osType": item.os,
        "recoveryCloudService": None,
        "vmNics": item.nics,
        "vmSyncedConfigDetails": {"tags": item.tags, "inputEndpoints": []},
        "recoveryFabricObjectId": item.failover.machine.lower() if item.failover else None,
        "vmProtectionState": state.machine,
        "vmProtectionStateDescription": state.machine_description,
        "lifecycleId": item.lifecycle,
        "testFailoverRecoveryFabricObjectId": item.drill.machine if item.drill and not item.is_cleaning else None,
        "primaryAvailabilityZone": _zone(world, item.vm),
        "primaryExtendedLocation": None,
        "recoveryExtendedLocation": None,
        "vmEncryptionType": "NotEncrypted",
        "autoProtectionOfDataDisk": item.auto_protect,
        "churnOptionSelected": item.churn,
        **_show_placement(world, item),
        **_show_agent(item, world.clock.now()),
    }


def _show_placement(world: World, item: Item) -> Body:
    """The network is told only once the machine was Protected."""
    placement = item.placement
    return {
        "recoveryAzureResourceGroupId": item.group,
        "recoveryAzureVMName": placement.machine_name,
        "recoveryAzureVMSize": placement.size,
        "tfoAzureVMName": placement.test_name,
        "recoveryAzureGeneration": "V2" if _is_second_generation(world, item) else "V1",
        "selectedRecoveryAzureNetworkId": None if item.lifecycle is None else placement.network,
        "selectedTfoAzureNetworkId": placement.test_network,
        "recoveryAvailabilitySet": placement.availability_set,
        "recoveryAvailabilityZone": placement.zone,
        "recoveryProximityPlacementGroupId": placement.proximity_group,
        "recoveryVirtualMachineScaleSetId": placement.scale_set,
        "recoveryCapacityReservationGroupId": placement.capacity_group,
        "recoveryBootDiagStorageAccountId": placement.boot_account,
    }


def _show_agent(item: Item, now: datetime) -> Body:
    """What the agent in the machine tells: its version, its heartbeat, how far it is, how far behind."""
    reckoned, percentage = rpo(item, now), _percentage(item, now)
    return {
        "monitoringPercentageCompletion": percentage,
        "monitoringJobType": "InitialReplication" if percentage is not None else None,
        "lastHeartbeat": stamp(item.stalled or now.replace(second=0, microsecond=0)),
        "agentVersion": item.agent,
        "agentExpiryDate": "9999-12-31T23:59:59.9999999",
        "isReplicationAgentUpdateRequired": False,
        "agentCertificateExpiryDate": None if item.lifecycle is None else _in_years(item.since, 3),
        "isReplicationAgentCertificateUpdateRequired": False,
        "rpoInSeconds": reckoned[0] if reckoned else None,
        "lastRpoCalculatedTime": stamp(reckoned[1]) if reckoned else None,
    }


def _percentage(item: Item, now: datetime) -> int | None:
    """Moves while the disks are copied, and is then left where it was: no progress once the item is Protected."""
    if item.phase == "copying" and item.until is not None:
        done = (now - item.since) / (item.until - item.since)
        return int(done * 100) if done > 0.1 else None
    return item.percentage


def _in_years(moment: datetime, years: int) -> str:
    day = 28 if (moment.month, moment.day) == (2, 29) else moment.day
    return moment.replace(year=moment.year + years, day=day, microsecond=0).strftime("%Y-%m-%dT%H:%M:%SZ")


def _zone(world: World, vm: str) -> str | None:
    zones = (world.store.get(vm) or {}).get("zones") or [None]
    return str(zones[0]) if zones[0] else None


def _is_second_generation(world: World, item: Item) -> bool:
    disk: Any = next((world.store.get(disk.id) for disk in item.disks if disk.is_os), None)
    return bool(disk) and disk["properties"].get("hyperVGeneration") == "V2"


def _unprotected(world: World, item: Item) -> list[Body] | None:
    """Data disks of the machine that are not replicated; null where there are none (recorded)."""
    profile = (world.store.get(item.vm) or {}).get("properties", {}).get("storageProfile", {})
    kept = {disk.id.lower() for disk in item.disks}
    left = [disk for disk in profile.get("dataDisks", []) if disk["managedDisk"]["id"].lower() not in kept]
    shown = [{"diskLunId": disk["lun"], "diskAutoProtectionStatus": item.auto_protect} for disk in left]
    return shown if shown and item.phase == "protected" else None


def _show_disk(item: Item, disk: Disk, now: datetime) -> Body:
    copying = item.phase in _REPLICATING or disk.pending
    percentage = _percentage(item, now) if item.phase in _REPLICATING else None
    started = disk.pending or percentage is not None
    return {
        "diskId": disk.id.lower(),
        "recoveryResourceGroupId": disk.group,
        "recoveryTargetDiskId": disk.target,
        "recoveryReplicaDiskId": disk.replica,
        "recoveryOrignalTargetDiskId": disk.former_target,
        "recoveryReplicaDiskAccountType": disk.replica_type,
        "recoveryTargetDiskAccountType": disk.target_type,
        "recoveryDiskEncryptionSetId": disk.encryption_set,
        "primaryDiskEncryptionSetId": None,
        "diskName": disk.name,
        "diskCapacityInBytes": disk.size,
        "primaryStagingAzureStorageAccountId": disk.staging,
        "diskType": "OperatingSystem" if disk.is_os else "Data",
        "resyncRequired": False,
        "monitoringPercentageCompletion": None,
        "monitoringJobType": "InitialReplication" if copying and started else None,
        "dataPendingInStagingStorageAccountInMB": 0.0,
        "dataPendingAtSourceAgentInMB": 1.234375 if item.phase == "protected" else 0.7265625 if started else 0.0,
        "diskState": "InitialReplicationPending" if copying or item.phase == "enabling" else "Protected",
        "allowedDiskLevelOperation": [],
        "isDiskEncrypted": False,
        "secretIdentifier": None,
        "dekKeyVaultArmId": None,
        "isDiskKeyEncrypted": False,
        "keyIdentifier": None,
        "kekKeyVaultArmId": None,
        "failoverDiskName": disk.failover_name,
        "tfoDiskName": disk.test_name,
    }
