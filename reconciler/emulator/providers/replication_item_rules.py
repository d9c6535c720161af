"""What is refused at once when a machine is to be replicated or switched (ASR-10 to ASR-40)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from reconciler.emulator.providers.compute import MACHINES
from reconciler.emulator.providers.compute_disks import attached, disk_id
from reconciler.emulator.providers.replication_container_mappings import find_pair
from reconciler.emulator.providers.replication_containers import find_container
from reconciler.emulator.providers.replication_item_state import Disk, item_of
from reconciler.emulator.providers.replication_names import (
    ITEMS,
    NETWORKS,
    group_of,
    guid_of,
    location_of,
    name_of,
    parent_of,
    region_name,
    same,
    vault_of,
)
from reconciler.emulator.providers.replication_policies import find_policy
from reconciler.emulator.providers.replication_refusals import refuse
from reconciler.emulator.providers.replication_support import account_region, disk_bytes
from reconciler.emulator.providers.resources import GROUPS
from reconciler.emulator.store import Body
from reconciler.emulator.world import World

LARGEST_TEAM = 16
"""Machines of a multi-VM group (ASR-40)."""
DISK_TYPES = (
    "Standard_LRS",
    "Premium_LRS",
    "StandardSSD_LRS",
    "PremiumV2_LRS",
    "UltraSSD_LRS",
    "StandardSSD_ZRS",
    "Premium_ZRS",
)


class Enabling(NamedTuple):
    """What was asked for, checked: the machine, the policy, the target, and the disks to replicate."""

    machine: Body
    policy: str
    target: str
    group: str
    disks: list[Disk]


def check_enabling(world: World, item_id: str, policy_id: str, sent: Mapping[str, Any]) -> Enabling:
    """Raises the refusal of the first rule that a request to replicate a machine breaks."""
    source = find_container(world, parent_of(item_id))
    if sent.get("instanceType") != "A2A":
        raise refuse("wire", "ProviderNotSupported", f"The provider {sent.get('instanceType')} is not supported.")
    target = find_container(world, str(sent.get("recoveryContainerId") or ""))
    policy = find_policy(world, policy_id)
    machine = _machine(world, item_id, str(sent.get("fabricObjectId") or ""))
    _check_pair(world, source["id"], target["id"], policy["id"])
    _check_vault(world, item_id, location_of(world, target["id"]))
    _check_team(world, item_id, sent)
    check_placement(world, machine, item_id, target["id"], sent)
    disks = check_disks(world, machine, location_of(world, item_id), sent.get("vmManagedDisks") or [])
    if not any(disk.is_os for disk in disks):
        raise refuse("ASR-31", "VMDisksMissing", "The OS disk of the virtual machine must be replicated.")
    return Enabling(machine, policy["id"], target["id"], str(sent["recoveryResourceGroupId"]), disks)


def _machine(world: World, item_id: str, vm_id: str) -> Body:
    machine = world.store.get(vm_id)
    if machine is None or machine["type"] != MACHINES:
        message = f"The virtual machine {vm_id} could not be found."
        raise refuse("ASR-58", "VirtualMachineNotFound", message, action="Retry with a virtual machine that exists.")
    region = location_of(world, item_id)
    if machine["location"] != region:
        message = f"The virtual machine {machine['name']} is not in {region_name(region)}, the region of the fabric."
        raise refuse("ASR-10", "VirtualMachineLocationMismatch", message)
    held = item_of(world, machine["id"])
    if held is not None and not same(held.id, item_id):
        message = f"The virtual machine {machine['name']} is already protected as {held.id}."
        raise refuse("ASR-13", "VirtualMachineAlreadyProtected", message, action="Disable its replication first.")
    return machine


def _check_pair(world: World, source: str, target: str, policy: str) -> None:
    pair = find_pair(world, source, target)
    if pair is None:
        message = f"The protection container {name_of(source)} is not mapped to {name_of(target)}."
        raise refuse("wire", "ProtectionContainerNotPaired", message, action="Create the container mapping and retry.")
    if not same(pair["policy"], policy):
        message = f"The mapping {pair['name']} is associated with another replication policy than {name_of(policy)}."
        raise refuse("wire", "PolicyNotAssociated", message)


def _check_vault(world: World, item_id: str, target_region: str) -> None:
    """ASR-11: the vault is lost with the source region. From zone to zone any region will do."""
    vault, region = world.store.get(vault_of(item_id)) or {}, location_of(world, item_id)
    if vault.get("location") == region != target_region:
        message = f"The vault is in {region_name(region)}, the region of the virtual machine."
        raise refuse("ASR-11", "VaultInSourceRegion", message, action="Use a vault in another region than the source.")


def _check_team(world: World, item_id: str, sent: Mapping[str, Any]) -> None:
    name = sent.get("multiVmGroupName")
    members = world.store.find(ITEMS, team=team_guid(item_id, name)) if name else []
    if len(members) >= LARGEST_TEAM:
        message = (
            f"The replication group {name} has {len(members)} virtual machines; at most {LARGEST_TEAM} can be in it."
        )
        raise refuse("ASR-40", "MultiVmGroupFull", message)


def team_guid(item_id: str, name: str | None) -> str:
    """The guid of a multi-VM group; every machine without one has a group of its own."""
    return guid_of("team", vault_of(item_id), name) if name else guid_of("team of one", item_id)


def check_placement(world: World, machine: Body, item_id: str, target: str, sent: Mapping[str, Any]) -> None:
    """Where the machine will be: group, network, zone or availability set (ASR-12, ASR-14 to ASR-16)."""
    region, target_region = location_of(world, item_id), location_of(world, target)
    group = world.store.get(str(sent.get("recoveryResourceGroupId") or ""))
    if group is None or group["type"] != GROUPS:
        message = f"The target resource group {sent.get('recoveryResourceGroupId')} could not be found."
        raise refuse("ASR-12", "RecoveryResourceGroupNotFound", message)
    zone = sent.get("recoveryAvailabilityZone")
    if region != target_region and group["location"] == region:
        message = f"The target resource group {group['name']} is in the source region {region_name(region)}."
        raise refuse("ASR-12", "RecoveryResourceGroupInSourceRegion", message)
    if zone and sent.get("recoveryAvailabilitySetId"):
        message = "A recovery availability zone and a recovery availability set cannot both be given."
        raise refuse("ASR-15", "InvalidAvailability", message)
    if region == target_region:
        if same(group["id"], group_of(machine["id"])):
            message = f"The target resource group {group['name']} is that of the virtual machine."
            raise refuse("ASR-12", "RecoveryResourceGroupIsSource", message)
        own = [*(machine.get("zones") or [])]
        if not zone or not own or str(zone) in own:
            message = f"The virtual machine {machine['name']} must go from its zone to another zone of its region."
            raise refuse("ASR-16", "InvalidRecoveryAvailabilityZone", message)
    check_network(world, sent.get("recoveryAzureNetworkId"), target_region)


def check_network(world: World, network_id: str | None, region: str) -> None:
    """ASR-14. None and "" are no network."""
    if not network_id:
        return
    network = world.store.get(network_id)
    if network is None or network["type"] != NETWORKS:
        raise refuse("ASR-14", "NetworkNotFound", f"The virtual network {network_id} could not be found.")
    if network["location"] != region:
        message = f"The virtual network {network['name']} is not in {region_name(region)}."
        raise refuse("ASR-14", "NetworkLocationMismatch", message)


def check_disks(world: World, machine: Body, region: str, sent: list[Mapping[str, Any]]) -> list[Disk]:
    """The disks to replicate. Each belongs to the machine and has a cache account in its region (ASR-20, ASR-30)."""
    entries = {disk_id(entry).lower(): entry for entry in attached(machine)}
    disks = [_disk(world, entries, region, one) for one in sent]
    if not disks:
        action = "Send the managed disks of the virtual machine."
        raise refuse("wire", "VMDisksMissing", "Managed disk details not provided", action=action)
    return disks


def _disk(world: World, entries: Mapping[str, Body], region: str, sent: Mapping[str, Any]) -> Disk:
    wanted = str(sent.get("diskId") or "")
    entry = entries.get(wanted.lower())
    if entry is None:
        raise refuse("wire", "VMDiskNotFound", f"The disk {wanted} is not attached to the virtual machine.")
    staging = str(sent.get("primaryStagingAzureStorageAccountId") or "")
    found = account_region(world, staging)
    if found != region:
        message = f"The cache storage account {name_of(staging)} could not be found."
        if found is not None:
            message = f"The cache storage account {name_of(staging)} is not in {region_name(region)}."
        raise refuse("ASR-20", "InvalidStagingStorageAccount", message)
    own = (world.store.get(wanted) or {})["sku"]["name"]
    kinds = {
        name: str(sent.get(name) or own) for name in ("recoveryReplicaDiskAccountType", "recoveryTargetDiskAccountType")
    }
    for kind in kinds.values():
        if kind not in DISK_TYPES:
            raise refuse("ASR-30", "InvalidDiskAccountType", f"The disk type {kind} is not supported.")
    group, name = str(sent.get("recoveryResourceGroupId") or ""), entry["name"]
    return Disk(
        id=wanted,
        name=name,
        size=disk_bytes(world, wanted),
        is_os="osType" in entry,
        staging=staging,
        group=group,
        replica=f"{group}/providers/Microsoft.Compute/disks/{name}-ASRReplica",
        replica_type=kinds["recoveryReplicaDiskAccountType"],
        target_type=kinds["recoveryTargetDiskAccountType"],
        failover_name=name,
        test_name=f"{name}-ASRtest",
        encryption_set=sent.get("recoveryDiskEncryptionSetId"),
    )
