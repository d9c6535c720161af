"""What we see of live resources and do not manage. Kinds share these because a kind never imports another kind."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from reconciler.model.arm_id import ArmId

VOLATILE = {"volatile": True}
"""Metadata of fields that change by themselves: no plan rests on them, so they never make a saved one stale."""


@dataclass(frozen=True, slots=True)
class VaultFacts:
    """`observed` of a live `vault_settings` resource.

    `immutability` is Disabled, Unlocked or Locked; `redundancy_locked` is True once anything was protected in the vault
    (BP-90); `resource_guard` is True where multi-user authorization is on (BP-85).
    """

    location: str
    immutability: str = "Disabled"
    redundancy_locked: bool = False
    resource_guard: bool = False
    soft_delete_days: int = 14


class ItemState(StrEnum):
    """The states of a protected VM (BP-70); soft-deleted is a state of its own whatever protectionState says."""

    FIRST_BACKUP_PENDING = "IRPending"
    PROTECTED = "Protected"
    FAILING = "ProtectionError"
    STOPPED = "ProtectionStopped"
    SUSPENDED = "BackupsSuspended"
    PAUSED = "ProtectionPaused"
    SOFT_DELETED = "SoftDeleted"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """`observed` of a live `protected_vm` resource.

    Times are aware UTC. `gone_after` is when soft-deleted data is purged. `item_id` is the id Azure answered with, to
    be sent back as it came. `last_recovery_point` is None before the first backup.
    """

    state: ItemState = field(metadata=VOLATILE)
    vault_id: ArmId
    item_id: ArmId
    machine_id: ArmId
    policy_name: str = ""
    last_recovery_point: datetime | None = field(default=None, metadata=VOLATILE)
    last_backup_status: str = field(default="", metadata=VOLATILE)
    last_backup_time: datetime | None = field(default=None, metadata=VOLATILE)
    health: str = field(default="", metadata=VOLATILE)
    health_message: str = field(default="", metadata=VOLATILE)
    gone_after: datetime | None = None
    others: tuple[ItemFacts, ...] = field(default=(), metadata=VOLATILE)
    """What other vaults still hold of the same VM: stopped or soft-deleted items (BP-62)."""


@dataclass(frozen=True, slots=True)
class SnapshotFacts:
    """`observed` of a live `snapshot` resource.

    `schedule` is "" for one that is not ours, then `slot` is None; `keep` is the retention it was made under, as JSON.
    `disk_id` and `disk_unique_id` tell the disk it is of, also where it is a copy of another snapshot; `place` is `os`
    or the LUN it hung on; `machine_id` the VM. `unique_id` is the snapshot's own. `completion` is 0 to 100; 100 for all
    that do not copy in the background (SN-12). `copy_of` is the snapshot that it copies. `created` is aware UTC.
    `disputed` says what speaks against the tags of one that is not ours although it carries them.
    """

    arm_id: ArmId
    created: datetime
    size_gib: int
    incremental: bool
    sku: str
    unique_id: str
    schedule: str = ""
    slot: datetime | None = None
    keep: str = ""
    disk_id: str = ""
    disk_unique_id: str = ""
    place: str = ""
    machine_id: ArmId | None = None
    copy_of: ArmId | None = None
    state: str = field(default="Succeeded", metadata=VOLATILE)
    """`provisioningState`: Succeeded, Updating, Failed, Deleting."""
    completion: float = field(default=100.0, metadata=VOLATILE)
    copy_error: str = field(default="", metadata=VOLATILE)
    disk_state: str = field(default="", metadata=VOLATILE)
    os_type: str = ""
    hyper_v_generation: str = ""
    security_type: str = ""
    disputed: str = ""

    @property
    def usable(self) -> bool:
        """Whether a disk can be made from it now."""
        return self.state not in ("Failed", "Deleting") and self.completion >= 100 and not self.copy_error


@dataclass(frozen=True, slots=True)
class DiskPoint:
    """One disk of a restore point: `place` is `os` or the LUN, `arm_id` that of the disk restore point."""

    place: str
    arm_id: ArmId
    disk_id: str
    size_gib: int = 0


@dataclass(frozen=True, slots=True)
class RestorePointFacts:
    """`observed` of a live `restore_point` resource. `slot` is None for one that is not ours. Times are aware UTC."""

    arm_id: ArmId
    created: datetime
    machine_id: ArmId
    consistency: str
    """ApplicationConsistent, FileSystemConsistent or CrashConsistent, as Azure achieved it."""
    schedule: str = ""
    slot: datetime | None = None
    keep: str = ""
    disks: tuple[DiskPoint, ...] = ()
    size: str = ""
    """The VM's size when it was taken."""
    os_type: str = ""
    state: str = field(default="Succeeded", metadata=VOLATILE)

    @property
    def usable(self) -> bool:
        """Whether disks can be made from it now."""
        return self.state == "Succeeded"
