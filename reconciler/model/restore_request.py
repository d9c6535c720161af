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


RestoreRequest: TypeAlias = DiskRequest | MachineRequest
