"""What a person asks to be restored: the command line, resolved. A saved plan carries it, so that `apply` can make the
same plan again and see whether it still fits."""

from __future__ import annotations

from typing import TypeAlias

import msgspec


class DiskRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="restore", tag="disk"):
    """One managed disk from one snapshot, or from one disk of a restore point: then `disk` is `os` or the LUN.
    `snapshot` is what was asked for, an ARM id once it was found; "" and 0 leave a value to the default: the disk that
    the snapshot is of."""

    snapshot: str
    name: str
    disk: str = ""
    resource_group: str = ""
    zone: str = ""
    sku: str = ""
    size_gib: int = 0


class MachineRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="restore", tag="vm"):
    """A new VM from the snapshots of another. `machine` and `slot` are what was asked for; an ARM id, and the slot as
    in tags (`2026-11-22T06:00Z`), once they were found. "" leaves a value to the default: what the source VM has."""

    machine: str
    slot: str
    name: str
    subnet: str = ""
    resource_group: str = ""
    size: str = ""
    region: str = ""
    zone: str = ""
    sku: str = ""
    partial: bool = False


class BackupRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="restore", tag="backup"):
    """A VM, or its disks, from a recovery point of a vault. `into` is `vm` (a new one, `name`), `disks`, or `replace`:
    the disks of the VM itself. `machine` and `point` are what was asked for; an ARM id, and the name of the recovery
    point, once they were found. `disks` are `os` and LUNs, () for all; `secondary` takes the copies in the vault's
    other region. `disk_access` is `same`, `public` or the ARM id of a disk access, where a disk is private (BP-105).
    `again` makes it anew although a job has done it: once planned, the time of that job, or `never`.
    """

    machine: str
    point: str
    into: str
    name: str = ""
    subnet: str = ""
    resource_group: str = ""
    staging_account: str = ""
    zone: str = ""
    disks: tuple[str, ...] = ()
    secondary: bool = False
    disk_access: str = ""
    encryption_set: str = ""
    again: str = ""


RestoreRequest: TypeAlias = DiskRequest | MachineRequest | BackupRequest
