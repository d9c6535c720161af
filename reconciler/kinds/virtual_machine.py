"""The inventory: every VM of the Scope, in the facts that selectors and rules need. VMs are never written."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping

import msgspec

from reconciler.azure.clients import Azure
from reconciler.azure.failures import unreadable
from reconciler.errors import AzureError
from reconciler.kinds.resource_group import group_names
from reconciler.model.arm_id import ArmId
from reconciler.model.disk import Attachment
from reconciler.model.document import Declared
from reconciler.model.live import Unreadable
from reconciler.model.location import normalise_location
from reconciler.model.machine import Machine, OsType

API_VERSION = "2025-04-01"
NAME = "virtual_machine"


class ManagedDiskBody(msgspec.Struct, frozen=True, rename="camel"):
    """`managedDisk`; the storage type is absent while the VM is deallocated in some api-versions."""

    id: str | None = None
    storage_account_type: str | None = None


class OsDiskBody(msgspec.Struct, frozen=True, rename="camel"):
    """`storageProfile.osDisk`."""

    os_type: str | None = None
    managed_disk: ManagedDiskBody | None = None


class DataDiskBody(msgspec.Struct, frozen=True, rename="camel"):
    """One of `storageProfile.dataDisks`."""

    lun: int
    managed_disk: ManagedDiskBody | None = None


class StorageBody(msgspec.Struct, frozen=True, rename="camel"):
    """`properties.storageProfile`."""

    os_disk: OsDiskBody | None = None
    data_disks: tuple[DataDiskBody, ...] | None = None


class HardwareBody(msgspec.Struct, frozen=True, rename="camel"):
    """`properties.hardwareProfile`."""

    vm_size: str | None = None


class SecurityBody(msgspec.Struct, frozen=True, rename="camel"):
    """`properties.securityProfile`."""

    security_type: str | None = None


class MachineProperties(msgspec.Struct, frozen=True, rename="camel"):
    """What we look at of a VM."""

    hardware_profile: HardwareBody | None = None
    storage_profile: StorageBody | None = None
    security_profile: SecurityBody | None = None


class MachineBody(msgspec.Struct, frozen=True):
    """One VM of the list."""

    id: str
    name: str
    location: str = ""
    tags: dict[str, str | None] | None = None
    zones: tuple[str, ...] | None = None
    properties: MachineProperties | None = None


async def read_machines(azure: Azure, declared: Declared) -> tuple[list[Machine], list[Unreadable]]:
    """Every VM of every subscription of the Scope, and the subscriptions whose list failed."""

    async def read(alias: str, subscription_id: str) -> list[Machine] | Unreadable:
        try:
            return await _read_subscription(azure, alias, subscription_id)
        except AzureError as error:
            return unreadable(
                error,
                kinds=(NAME,),
                scope=alias,
                what=f"the list of virtual machines in subscription {alias}",
                action="Microsoft.Compute/virtualMachines/read",
            )

    answers = await asyncio.gather(*(read(*pair) for pair in declared.subscriptions.items()))
    machines = [machine for answer in answers if not isinstance(answer, Unreadable) for machine in answer]
    return machines, [answer for answer in answers if isinstance(answer, Unreadable)]


async def _read_subscription(azure: Azure, alias: str, subscription_id: str) -> list[Machine]:
    spelling = asyncio.ensure_future(_group_spelling(azure, subscription_id))
    try:
        path = f"/subscriptions/{subscription_id}/providers/Microsoft.Compute/virtualMachines"
        bodies = [body async for body in azure.list(path, API_VERSION, MachineBody)]
        groups = await spelling
    finally:
        spelling.cancel()
    found = (machine(body, alias, groups) for body in bodies)
    return list({one.arm_id: one for one in found}.values())


async def _group_spelling(azure: Azure, subscription_id: str) -> Mapping[str, str]:
    try:
        return await group_names(azure, subscription_id)
    except AzureError:
        return {}  # reported by the reader of resource groups; the spelling of the VM's id has to do


def machine(body: MachineBody, alias: str, groups: Mapping[str, str]) -> Machine:
    """One VM in our words. Lists spell resource groups in upper case: `groups` maps folded names to the real ones."""
    arm_id = ArmId(body.id)
    properties = body.properties or MachineProperties()
    storage = properties.storage_profile or StorageBody()
    os_disk = storage.os_disk or OsDiskBody()
    data_disks = storage.data_disks or ()
    group = arm_id.resource_group
    security = properties.security_profile.security_type if properties.security_profile else None
    return Machine(
        arm_id=arm_id,
        subscription=alias,
        resource_group=groups.get(group.casefold(), group),
        name=body.name,
        location=normalise_location(body.location),
        os_type=_OS_TYPES.get((os_disk.os_type or "").lower(), OsType.UNKNOWN),
        tags=_tags(body.tags),
        data_disks=tuple(sorted([disk.lun for disk in data_disks])),
        disk_types=_disk_types(os_disk, data_disks),
        disks=tuple(_attachments(os_disk, data_disks)),
        security_type=security or "Standard",
        size=(properties.hardware_profile.vm_size or "") if properties.hardware_profile else "",
        zones=body.zones or (),
    )


_OS_TYPES = {"windows": OsType.WINDOWS, "linux": OsType.LINUX}


def _tags(tags: dict[str, str | None] | None) -> Mapping[str, str]:
    return {name: value or "" for name, value in tags.items()} if tags else {}


def _attachments(os_disk: OsDiskBody, data_disks: tuple[DataDiskBody, ...]) -> Iterator[Attachment]:
    """The managed disks; unmanaged ones and ephemeral OS disks have no id, and no snapshots either."""
    if os_disk.managed_disk and os_disk.managed_disk.id:
        yield Attachment(None, os_disk.managed_disk.id)
    for disk in data_disks:
        if disk.managed_disk and disk.managed_disk.id:
            yield Attachment(disk.lun, disk.managed_disk.id)


def _disk_types(os_disk: OsDiskBody, data_disks: tuple[DataDiskBody, ...]) -> tuple[str, ...]:
    disks = [os_disk.managed_disk, *(disk.managed_disk for disk in data_disks)]
    return tuple(sorted({disk.storage_account_type for disk in disks if disk and disk.storage_account_type}))
