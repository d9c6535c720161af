"""What we manage of a protected VM: vault, policy, state and disks."""

from __future__ import annotations

from typing import Literal

import msgspec

from reconciler.kinds.protected_vm.document import Backup, DiskList
from reconciler.model.casing import fold
from reconciler.model.observed import ItemState
from reconciler.model.resource import Ref, Spec

Protected = Literal["Protected", "Stopped", "Suspended", "SoftDeleted", "Unknown"]


class Disks(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which data disks are backed up; the OS disk always is. `luns` belongs to only and except, ascending."""

    mode: Literal["all", "osOnly", "only", "except"]
    luns: tuple[int, ...] = ()

    def __str__(self) -> str:
        if self.mode in ("all", "osOnly"):
            return "all disks" if self.mode == "all" else "the OS disk only"
        numbers = ", ".join(str(lun) for lun in self.luns)
        return f"data disks {numbers} only" if self.mode == "only" else f"all disks but {numbers}"


ALL_DISKS = Disks(mode="all")
OS_DISK_ONLY = Disks(mode="osOnly")


class ProtectedVmSpec(Spec, frozen=True, kw_only=True):
    """Desired is always `Protected`. `settings` are those of the vault it is protected in; `policy` is None while
    Azure holds no policy for it (stopped, soft-deleted)."""

    policy: Ref | None
    settings: Ref
    state: Protected = "Protected"
    disks: Disks = ALL_DISKS


STATES: dict[ItemState, Protected] = {
    ItemState.FIRST_BACKUP_PENDING: "Protected",
    ItemState.PROTECTED: "Protected",
    ItemState.FAILING: "Protected",
    ItemState.STOPPED: "Stopped",
    ItemState.PAUSED: "Stopped",
    ItemState.SUSPENDED: "Suspended",
    ItemState.SOFT_DELETED: "SoftDeleted",
    ItemState.UNKNOWN: "Unknown",
}
"""What a state of Azure's is to us: a failing backup is protected, and reported as failing (BP-70)."""


def disks_written(disks: Literal["all", "osOnly"] | DiskList) -> Disks:
    """`disks:` of a Protection, in normal form."""
    if isinstance(disks, DiskList):
        if disks.only is not None:
            return normal_disks(included=True, luns=disks.only)
        return normal_disks(included=False, luns=disks.except_ or ())
    return OS_DISK_ONLY if disks == "osOnly" else ALL_DISKS


def normal_disks(*, included: bool, luns: tuple[int, ...]) -> Disks:
    """Azure's inclusion or exclusion list: including none is the OS disk only, excluding none is all (BP-95)."""
    if not luns:
        return OS_DISK_ONLY if included else ALL_DISKS
    return Disks(mode="only" if included else "except", luns=tuple(sorted(set(luns))))


def wire_disks(disks: Disks) -> tuple[bool, tuple[int, ...]]:
    """The inverse: `isInclusionList` and `diskLunList`."""
    return disks.mode in ("osOnly", "only"), disks.luns


def named_vaults(aspect: Backup) -> frozenset[str]:
    """Folded names and ids that `moveFrom` lists."""
    return frozenset(fold(name.strip("/")) for name in aspect.move_from or ())
