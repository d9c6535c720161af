"""Virtual machine and disk bodies as Microsoft.Compute serves them, from a terse description.

Casing is a trap on purpose: a third of the machines have their resource group in capitals in their own id, while the
managed disks below them keep the group's (or a lower-cased) spelling, as recorded lists do.
"""

from __future__ import annotations

import hashlib
import uuid
import zlib
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

Body = dict[str, Any]

MACHINES = "Microsoft.Compute/virtualMachines"
DISKS = "Microsoft.Compute/disks"

IMAGES: dict[str, tuple[str, str, str, str]] = {
    "ubuntu-2204": ("Canonical", "0001-com-ubuntu-server-jammy", "22_04-lts-gen2", "22.04.202601140"),
    "ubuntu-2404": ("Canonical", "ubuntu-24_04-lts", "server", "24.04.202601150"),
    "debian-12": ("Debian", "debian-12", "12-gen2", "0.20260112.1993"),
    "rhel-9": ("RedHat", "RHEL", "95_gen2", "9.5.2026011417"),
    "rhel-8-sap": ("RedHat", "RHEL-SAP-HA", "810sapha-gen2", "8.10.2025121810"),
    "sles-15-sap": ("SUSE", "sles-sap-15-sp6", "gen2", "2026.01.09"),
    "win-2016": ("MicrosoftWindowsServer", "WindowsServer", "2016-Datacenter", "14393.8783.260110"),
    "win-2019": ("MicrosoftWindowsServer", "WindowsServer", "2019-datacenter-gensecond", "17763.8276.260110"),
    "win-2022": ("MicrosoftWindowsServer", "WindowsServer", "2022-datacenter-g2", "20348.4648.260110"),
    "win-2025": ("MicrosoftWindowsServer", "WindowsServer", "2025-datacenter-g2", "26100.7623.260110"),
    "sql-2022": ("MicrosoftSQLServer", "sql2022-ws2022", "enterprise-gen2", "16.0.260108"),
}
DIRECT_SKUS = ("UltraSSD_LRS", "PremiumV2_LRS")
"""Disks whose snapshots are incremental only and fill in the background (SN-13)."""
DISK_SIZES = (4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32767)


class DiskShape(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"size_gb": "sizeGB"}):
    size_gb: int = 128
    sku: str = "Premium_LRS"
    lun: int | None = None
    name: str | None = None


class MachineShape(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A line of an estate's ``virtualMachines``."""

    name: str
    resource_group: str
    subscription: str | None = None
    location: str | None = None
    os: Literal["Linux", "Windows"] = "Linux"
    image: str | None = None
    size: str = "Standard_D2s_v5"
    zone: str | None = None
    tags: dict[str, str] | None = None
    os_disk: DiskShape | None = None
    data_disks: list[int | DiskShape] = []
    security_type: Literal["TrustedLaunch", "ConfidentialVM"] | None = None
    power: Literal["running", "deallocated", "stopped"] = "running"
    upper_case: bool | None = None
    created_days_ago: int = 400


DISK_SECURITY = {
    "TrustedLaunch": "TrustedLaunch",
    "ConfidentialVM": "ConfidentialVM_VMGuestStateOnlyEncryptedWithPlatformKey",
}
"""What the OS disk of a machine says of its security (Microsoft.Compute/disks, `DiskSecurityTypes`)."""


class Place(msgspec.Struct, frozen=True):
    """Where a machine goes: its group's id as declared, its region, and the time it is built at."""

    group_id: str
    location: str
    now: datetime


def machine_and_disks(shape: MachineShape, place: Place) -> tuple[Body, list[Body]]:
    """The body of a machine and those of its managed disks."""
    subscription_scope, _, group = place.group_id.rpartition("/")
    upper = shape.upper_case if shape.upper_case is not None else zlib.crc32(shape.name.encode()) % 3 == 0
    machine_group = f"{subscription_scope}/{group.upper() if upper else group}"
    machine_id = f"{machine_group}/providers/Microsoft.Compute/virtualMachines/{shape.name}"
    disk_group = f"{subscription_scope}/{group.lower() if upper else group}"
    created = place.now - timedelta(days=shape.created_days_ago, seconds=zlib.crc32(machine_id.encode()) % 86_000)
    disks = _attached_disks(shape, place, machine_id, disk_group, created)
    body: Body = {
        "name": shape.name,
        "id": machine_id,
        "type": "Microsoft.Compute/virtualMachines",
        "location": shape.location or place.location,
    }
    if shape.tags is not None:
        body["tags"] = shape.tags
    if shape.zone:
        body["zones"] = [shape.zone]
    body["properties"] = _machine_properties(shape, machine_id, disk_group, disks, created)
    body["etag"] = f'"{1 + zlib.crc32(machine_id.encode()) % 40}"'
    return body, [disk for _, disk in disks]


def _machine_properties(
    shape: MachineShape, machine_id: str, group: str, disks: list[tuple[int, Body]], created: datetime
) -> Body:
    properties: Body = {
        "hardwareProfile": {"vmSize": shape.size},
        "provisioningState": "Succeeded",
        "vmId": _guid(machine_id),
        "storageProfile": _storage_profile(shape, disks),
        "osProfile": _os_profile(shape),
    }
    if shape.security_type:
        properties["securityProfile"] = {
            "uefiSettings": {"secureBootEnabled": True, "vTpmEnabled": True},
            "securityType": shape.security_type,
        }
    interface = f"{group}/providers/Microsoft.Network/networkInterfaces/{shape.name}-nic"
    properties["networkProfile"] = {"networkInterfaces": [{"id": interface, "properties": {"primary": True}}]}
    properties["diagnosticsProfile"] = {"bootDiagnostics": {"enabled": True}}
    properties["timeCreated"] = offset_stamp(created)
    return properties


def _storage_profile(shape: MachineShape, disks: list[tuple[int, Body]]) -> Body:
    profile: Body = {}
    reference = _image_reference(shape)
    if reference:
        profile["imageReference"] = reference
    profile["osDisk"] = {
        "osType": shape.os,
        "name": disks[0][1]["name"],
        "createOption": "FromImage",
        "caching": "ReadWrite",
        "managedDisk": _managed(disks[0][1]),
        "deleteOption": "Detach",
        "diskSizeGB": disks[0][1]["properties"]["diskSizeGB"],
    }
    profile["dataDisks"] = [
        {
            "lun": lun,
            "name": disk["name"],
            "createOption": "Attach",
            "caching": "None",
            "managedDisk": _managed(disk),
            "deleteOption": "Detach",
            "diskSizeGB": disk["properties"]["diskSizeGB"],
            "toBeDetached": False,
        }
        for lun, disk in disks[1:]
    ]
    profile["diskControllerType"] = "SCSI"
    return profile


def _managed(disk: Body) -> Body:
    return {"storageAccountType": disk["sku"]["name"], "id": disk["id"]}


def _image_reference(shape: MachineShape) -> Body:
    image = shape.image or ("win-2022" if shape.os == "Windows" else "ubuntu-2404")
    if image.startswith("/"):
        return {"id": image, "exactVersion": image.rsplit("/", 1)[-1]}
    publisher, offer, sku, version = _marketplace(image)
    return {"publisher": publisher, "offer": offer, "sku": sku, "version": "latest", "exactVersion": version}


def _marketplace(image: str) -> tuple[str, str, str, str]:
    if image in IMAGES:
        return IMAGES[image]
    parts = image.split(":")
    if len(parts) != 3:
        names = ", ".join(IMAGES)
        raise ValueError(f"image '{image}' is none of {names}, nor publisher:offer:sku, nor an image's ARM id")
    return parts[0], parts[1], parts[2], "1.0.0"


def _os_profile(shape: MachineShape) -> Body:
    profile: Body = {"computerName": shape.name[:15] if shape.os == "Windows" else shape.name}
    profile["adminUsername"] = "azureadmin"
    if shape.os == "Windows":
        profile["windowsConfiguration"] = {
            "provisionVMAgent": True,
            "enableAutomaticUpdates": True,
            "patchSettings": {"patchMode": "AutomaticByOS", "assessmentMode": "ImageDefault"},
        }
    else:
        profile["linuxConfiguration"] = {
            "disablePasswordAuthentication": True,
            "provisionVMAgent": True,
            "patchSettings": {"patchMode": "ImageDefault", "assessmentMode": "ImageDefault"},
        }
    return {**profile, "secrets": [], "allowExtensionOperations": True, "requireGuestProvisionSignal": True}


def _attached_disks(
    shape: MachineShape, place: Place, machine_id: str, group: str, created: datetime
) -> list[tuple[int, Body]]:
    location = shape.location or place.location
    os_disk = shape.os_disk or DiskShape(size_gb=127 if shape.os == "Windows" else 64)
    suffix = hashlib.md5(machine_id.encode(), usedforsecurity=False).hexdigest()
    os_name = os_disk.name or f"{shape.name}_OsDisk_1_{suffix}"
    made = [(-1, disk_body(os_name, os_disk, group, location, created, os=shape.os, owner=machine_id, zone=shape.zone))]
    if shape.security_type:
        made[0][1]["properties"]["securityProfile"] = {"securityType": DISK_SECURITY[shape.security_type]}
    for position, entry in enumerate(shape.data_disks):
        disk = entry if isinstance(entry, DiskShape) else DiskShape(size_gb=entry)
        name = disk.name or f"{shape.name}_DataDisk_{position}"
        lun = position if disk.lun is None else disk.lun
        made.append((lun, disk_body(name, disk, group, location, created, owner=machine_id, zone=shape.zone)))
    return made


def disk_body(
    name: str,
    shape: DiskShape,
    group_id: str,
    location: str,
    created: datetime,
    *,
    os: str | None = None,
    owner: str | None = None,
    zone: str | None = None,
    tags: dict[str, str] | None = None,
) -> Body:
    """A managed disk; ``owner`` is the id of the machine it is attached to."""
    disk_id = f"{group_id}/providers/Microsoft.Compute/disks/{name}"
    body: Body = {"name": name, "id": disk_id, "type": "Microsoft.Compute/disks", "location": location}
    if tags is not None:
        body["tags"] = tags
    if zone:
        body["zones"] = [zone]
    if owner:
        body["managedBy"] = owner
    body["sku"] = {"name": shape.sku, "tier": shape.sku.partition("_")[0].removesuffix("SSD")}
    properties: Body = {"osType": os, "hyperVGeneration": "V2"} if os else {}
    properties |= {
        "creationData": {"createOption": "FromImage" if os else "Empty"},
        "diskSizeGB": shape.size_gb,
        "diskIOPSReadWrite": max(120, shape.size_gb * 4),
        "diskMBpsReadWrite": 25 if shape.size_gb <= 32 else 100,
        "encryption": {"type": "EncryptionAtRestWithPlatformKey"},
        "networkAccessPolicy": "AllowAll",
        "publicNetworkAccess": "Enabled",
        "timeCreated": offset_stamp(created),
        "provisioningState": "Succeeded",
        "diskState": "Attached" if owner else "Unattached",
        "diskSizeBytes": shape.size_gb * 1024**3,
        "uniqueId": _guid(disk_id),
    }
    if shape.sku in DIRECT_SKUS:
        _add_direct_drive(properties)
    if shape.sku.startswith("Premium_"):
        properties["tier"] = f"P{2 + next((n for n, size in enumerate(DISK_SIZES) if shape.size_gb <= size), 13) * 2}"
    body["properties"] = properties
    return body


def _add_direct_drive(properties: Body) -> None:
    """What Ultra and PremiumV2 disks have besides."""
    properties["creationData"]["logicalSectorSize"] = 4096
    properties |= {"readOnly": False, "maxShares": 1}
    properties |= {"diskIOPSReadOnly": properties["diskIOPSReadWrite"]}
    properties |= {"diskMBpsReadOnly": properties["diskMBpsReadWrite"]}


def offset_stamp(moment: datetime) -> str:
    """A moment as compute writes it: ``2026-03-01T09:30:00.1234567+00:00``."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "1+00:00"


def _guid(text: str) -> str:
    return str(uuid.UUID(bytes=hashlib.md5(text.lower().encode(), usedforsecurity=False).digest(), version=4))
