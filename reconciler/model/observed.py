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
