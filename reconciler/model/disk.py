"""Managed disks as snapshots see them: which one it is, how large, what it hangs on."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.model.arm_id import ArmId


@dataclass(frozen=True, slots=True)
class Attachment:
    """A managed disk of a VM, as the VM names it. `lun` is None for the OS disk; `disk` is an ARM id in the VM's own
    spelling."""

    lun: int | None
    disk: str

    @property
    def place(self) -> str:
        """`os`, or the LUN."""
        return "os" if self.lun is None else str(self.lun)


@dataclass(frozen=True, slots=True)
class Disk:
    """One managed disk of a subscription of the Scope.

    `unique_id` is its identity: a disk that is deleted and made again under the same name has another one. `size_gib`
    is what it can hold; Azure does not tell how much of it is used. `sku` is Premium_LRS, StandardSSD_ZRS, UltraSSD_LRS
    and the like.
    """

    arm_id: ArmId
    unique_id: str
    location: str
    size_gib: int
    sku: str = ""
    zones: tuple[str, ...] = ()
