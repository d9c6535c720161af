"""A restore from a vault, as a value: what is restored, from which recovery point, and to where."""

from __future__ import annotations

from datetime import datetime

from reconciler.model.arm_id import ArmId
from reconciler.model.resource import Spec

NAME = "vault_restore"
MACHINE, DISKS, REPLACE = "vm", "disks", "replace"
RECOVERY_TYPES = {MACHINE: "AlternateLocation", DISKS: "RestoreDisks", REPLACE: "OriginalLocation"}
"""`recoveryType` of the request, `restoreLocationType` of its job."""
NO_ZONE = "NoZone"
"""What a request says for no zone, where the recovery point has one."""


class VaultRestoreSpec(Spec, frozen=True, kw_only=True):
    """`into` is `vm`, `disks` or `replace`. `item` is the protected item in Azure's spelling, `machine` the VM that it
    protects, `point` the name of the recovery point and `taken` its time. `group` and `target` are the ARM ids of the
    resource group and of the new VM, `staging` that of the storage account; "" for what does not count. `disks` are
    `os` and LUNs, () for all that the recovery point holds, and `disk_names` what they are called today. `tier` is
    `snapshot` or `vault`, where it is taken from. `region` is where it goes; `secondary` that this is the other region
    of the vault. `after` is the start of a job that did the same before: one more is wanted."""

    into: str
    machine: str
    item: str
    point: str
    taken: str
    tier: str
    region: str
    staging: str
    group: str = ""
    target: str = ""
    subnet: str = ""
    zone: str = ""
    disks: tuple[str, ...] = ()
    disk_names: tuple[str, ...] = ()
    secondary: bool = False
    disk_access: str = ""
    encryption_set: str = ""
    after: str = ""

    @property
    def vault(self) -> ArmId:
        return ArmId(self.item).parent(3)

    @property
    def machine_id(self) -> ArmId:
        return ArmId(self.machine)

    @property
    def point_time(self) -> datetime:
        return datetime.fromisoformat(self.taken)

    @property
    def luns(self) -> list[int] | None:
        """`restoreDiskLunList`: None for all, [] for the OS disk, which always comes along (F:restore-disks)."""
        return [int(place) for place in self.disks if place.isdecimal()] if self.disks else None
