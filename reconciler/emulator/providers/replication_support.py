"""What keeps a machine, its disks or a cache account from being replicated (ASR-20 to ASR-36).

Eligibility results tell of it before, the operation that enables replication fails because of it. The code of the
operating system is recorded (as a specification's example); the others are plausible.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from reconciler.emulator.failures import ArmError
from reconciler.emulator.providers.compute import DISKS, power_state
from reconciler.emulator.providers.disk_settings import read_settings
from reconciler.emulator.providers.replication_item_state import GIB, Disk, Item
from reconciler.emulator.providers.replication_names import ITEMS, normal_region, subscription_of
from reconciler.emulator.providers.replication_refusals import fail
from reconciler.emulator.providers.storage_accounts import ACCOUNTS, has_soft_delete
from reconciler.emulator.store import Body
from reconciler.emulator.world import World

LARGEST_OS_DISK, LARGEST_DATA_DISK, MOST_DATA_DISKS = 4095, 32 * 1024, 64
MOST_DISKS = 3_000
"""Protected disks of a subscription."""
LARGEST_CHURN = {"Normal": 54, "High": 100}
"""MiB that all disks of a machine may write in a second."""
_ARM64 = re.compile(r"standard_[a-z]+\d+(-\d+)?[a-z]*p", re.IGNORECASE)
_MATRIX = "Refer to the support matrix - https://aka.ms/a2a-os-support-matrix."
_UNSUPPORTED_SERVERS = re.compile(r"2008-r2|14[._]04|16[._]04", re.IGNORECASE)


class Obstacle(NamedTuple):
    """One reason why a machine cannot be replicated. ``disk`` names the data disk that may be left out."""

    rule: str
    code: str
    message: str
    cause: str
    disk: str = ""
    action: str = _MATRIX


def obstacles(world: World, machine: Body) -> Iterator[Obstacle]:
    """Everything about a machine that Site Recovery does not support."""
    name, properties = machine["name"], machine["properties"]
    storage = properties.get("storageProfile") or {}
    image = storage.get("imageReference") or {}
    if _UNSUPPORTED_SERVERS.search(str(image.get("sku", ""))):
        system = f"'{image.get('offer')}' with version '{image.get('sku')}'"
        message = (
            f"The A2A operation could not be completed as the virtual machine is running OS {system} which is not "
            "supported for replication."
        )
        yield Obstacle("ASR-32", "A2AOperatingSystemNotSupported", message, "OS version not supported.")
    if _ARM64.match(str((properties.get("hardwareProfile") or {}).get("vmSize", ""))):
        message = f"The virtual machine {name} has an ARM64 processor, which is not supported for replication."
        yield Obstacle("ASR-32", "A2AProcessorArchitectureNotSupported", message, "The size of the virtual machine.")
    if storage.get("diskControllerType") == "NVMe":
        message = f"The virtual machine {name} uses NVMe disks, which are not supported for replication."
        yield Obstacle("ASR-32", "A2ANvmeDiskControllerNotSupported", message, "The disk controller is NVMe.")
    if properties.get("host") or properties.get("hostGroup"):
        message = f"The virtual machine {name} is on a dedicated host, which is not supported for replication."
        yield Obstacle("ASR-32", "A2ADedicatedHostNotSupported", message, "The virtual machine has a dedicated host.")
    if len(storage.get("dataDisks") or []) > MOST_DATA_DISKS:
        message = f"The virtual machine {name} has more than {MOST_DATA_DISKS} data disks."
        yield Obstacle("ASR-31", "A2ATooManyDataDisks", message, "The number of data disks.")
    for entry in [storage.get("osDisk") or {}, *(storage.get("dataDisks") or [])]:
        yield from _disk_obstacles(world, entry)


def _disk_obstacles(world: World, entry: Body) -> Iterator[Obstacle]:
    name, is_os = entry.get("name", ""), "osType" in entry
    left_out = "" if is_os else name
    disk = world.store.get((entry.get("managedDisk") or {}).get("id") or "")
    if entry.get("diffDiskSettings"):
        message = f"The OS disk {name} is ephemeral, which is not supported for replication."
        yield Obstacle("ASR-32", "A2AEphemeralOsDiskNotSupported", message, "The OS disk is on the host.", left_out)
        return
    if disk is None:
        message = f"The disk {name} is not managed, which is not supported for replication."
        yield Obstacle("ASR-32", "A2AUnmanagedDiskNotSupported", message, "The disk is a blob.", left_out)
        return
    if entry.get("writeAcceleratorEnabled"):
        message = f"Write accelerator is enabled on the disk {name}, which is not supported for replication."
        yield Obstacle("ASR-32", "A2AWriteAcceleratorNotSupported", message, "Write accelerator is enabled.", left_out)
    size, limit = disk["properties"]["diskSizeGB"], LARGEST_OS_DISK if is_os else LARGEST_DATA_DISK
    if size > limit:
        message = f"The disk {name} has {size} GiB; at most {limit} GiB are supported for replication."
        yield Obstacle("ASR-31", "A2ADiskSizeNotSupported", message, "The size of the disk.", left_out)
    if (disk["properties"].get("maxShares") or 1) > 1:
        message = f"The disk {name} is shared, which is not supported for replication of a single virtual machine."
        yield Obstacle("ASR-35", "A2ASharedDiskNotSupported", message, "The disk is shared.", left_out)


def check_support(world: World, item: Item, disks: list[Disk]) -> None:
    """Raises what enabling fails with: the first obstacle, a machine that does not run, or a wrong cache account."""
    machine = world.store.get(item.vm)
    if machine is None:
        raise _failure(
            "ASR-58", f"The virtual machine {item.friendly} could not be found.", "EnableDrPrerequisitesCheck"
        )
    wanted = {"", *(disk.name.lower() for disk in disks)}
    for obstacle in obstacles(world, machine):
        if obstacle.disk.lower() in wanted:
            raise _failure(obstacle.rule, obstacle.message, "EnableDrPrerequisitesCheck")
    if power_state(world, machine["id"]) != "running":
        message = "The Mobility service could not be installed because the virtual machine is not running."
        raise _failure("wire", message, "InstallMobilityServiceTask")
    for account_id in sorted({disk.staging for disk in disks}):
        _check_cache(world, account_id)
    _check_quota(world, item, disks)


def _check_cache(world: World, account_id: str) -> None:
    """ASR-20. Its region is checked when the request comes in."""
    account = world.store.get(account_id)
    name = account_id.rpartition("/")[2]
    if account is None or account["type"] != ACCOUNTS:
        raise _failure("ASR-20", f"The cache storage account {name} could not be found.", "EnableReplicationTask")
    if account["kind"] not in ("Storage", "StorageV2", "BlockBlobStorage"):
        message = f"The cache storage account {name} is of kind {account['kind']}, which cannot hold replication data."
        raise _failure("ASR-20", message, "EnableReplicationTask")
    if has_soft_delete(world, account_id):
        message = f"Soft delete for blobs is enabled on the cache storage account {name}."
        raise _failure("ASR-20", message, "EnableReplicationTask")
    if account["properties"].get("allowSharedKeyAccess") is False:
        message = f"Shared key access is disabled on the cache storage account {name}."
        raise _failure("ASR-20", message, "EnableReplicationTask")


def _check_quota(world: World, item: Item, disks: list[Disk]) -> None:
    """ASR-31."""
    subscription = subscription_of(item.vm).lower()
    kept: list[dict[str, Any]] = world.store.list(ITEMS)
    others = sum(
        len(body["disks"])
        for body in kept
        if subscription_of(body["vm"]).lower() == subscription and body["id"] != item.id
    )
    if others + len(disks) > MOST_DISKS:
        message = f"The subscription has {others} protected disks; at most {MOST_DISKS} are supported."
        raise _failure("ASR-31", message, "EnableDrPrerequisitesCheck")


def _failure(rule: str, cause: str, task: str) -> ArmError:
    return fail(rule, "45005", "Protection couldn't be enabled for the virtual machine.", cause=cause, task=task)


def churn_of(world: World, disks: list[Disk]) -> str:
    """A premium block blob account is what makes high churn possible."""
    accounts = (world.store.get(disk.staging) or {} for disk in disks)
    return "High" if any(account.get("kind") == "BlockBlobStorage" for account in accounts) else "Normal"


def reckon_churn(world: World, item: Item) -> None:
    """Over what a machine may write there are no new recovery points (ASR-33); notes since when that is so."""
    settings = read_settings(world)
    churn = sum(
        float(world.store.hidden(disk.id).get("churnGiBPerDay", settings.churn_gib_per_day)) for disk in item.disks
    )
    if churn * 1024 / 86_400 <= LARGEST_CHURN[item.churn]:
        item.stalled = None
    elif item.stalled is None:
        item.stalled = world.clock.now()


def disk_bytes(world: World, disk_id: str) -> int:
    body = world.store.get(disk_id)
    if body is None or body["type"] != DISKS:
        return 0
    return int(body["properties"].get("diskSizeBytes") or body["properties"]["diskSizeGB"] * GIB)


def account_region(world: World, account_id: str) -> str | None:
    """The region of a storage account; None for one that is not there."""
    account = world.store.get(account_id)
    return normal_region(account["location"]) if account and account["type"] == ACCOUNTS else None
