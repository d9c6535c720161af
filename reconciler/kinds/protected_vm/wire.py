"""Protected VMs as Azure lists them, and what of it counts.

The traps (backup.md §2, §3, §9): one VM in three casings at a time; `vaultId` is a URL; soft-deleted items stay in the
list as ProtectionStopped; `lastBackupTime` of 2001 means never; `extendedProperties` is absent, null or `{}`;
`softDeleteRetentionPeriod` is 0 unless deleted; `deferredDeleteTimeInUTC` is when it was deleted, not when it goes.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from reconciler.kinds.protected_vm.spec import ALL_DISKS, Disks, normal_disks
from reconciler.model.arm_id import ArmId
from reconciler.model.observed import ItemFacts, ItemState

_STATES = {state.value.casefold(): state for state in ItemState if state is not ItemState.SOFT_DELETED}
_NEVER_BEFORE = datetime(2002, 1, 1, tzinfo=UTC)
_DEFAULT_SOFT_DELETE_DAYS = 14


class ExclusionBody(msgspec.Struct, frozen=True, rename="camel"):
    """`diskExclusionProperties`."""

    disk_lun_list: tuple[int, ...] | None = None
    is_inclusion_list: bool | None = None


class ExtendedBody(msgspec.Struct, frozen=True, rename="camel"):
    """`extendedProperties`."""

    disk_exclusion_properties: ExclusionBody | None = None


class HealthBody(msgspec.Struct, frozen=True):
    """One of `healthDetails`."""

    code: int | None = None
    title: str | None = None
    message: str | None = None


class ItemProperties(msgspec.Struct, frozen=True, rename="camel"):
    """What we look at of an item; fields come and go with service releases."""

    backup_management_type: str = ""
    workload_type: str | None = None
    source_resource_id: str | None = None
    virtual_machine_id: str | None = None
    policy_id: str | None = None
    protection_state: str | None = None
    health_status: str | None = None
    health_details: tuple[HealthBody, ...] | None = None
    last_backup_status: str | None = None
    last_backup_time: str | None = None
    last_recovery_point: str | None = None
    extended_properties: ExtendedBody | None = None
    is_scheduled_for_deferred_delete: bool | None = None
    deferred_delete_time: str | None = msgspec.field(default=None, name="deferredDeleteTimeInUTC")
    soft_delete_retention_period: int | None = None

    @property
    def machine(self) -> str:
        """ARM id of the VM, in its own casing."""
        return self.source_resource_id or self.virtual_machine_id or ""


class ItemBody(msgspec.Struct, frozen=True):
    """One item of the list, or of a GET."""

    id: str
    properties: ItemProperties


def disks_from(body: ExtendedBody | None) -> Disks:
    """Absent, null, `{}` and an empty exclusion list all mean every disk."""
    exclusion = body.disk_exclusion_properties if body else None
    if exclusion is None or exclusion.disk_lun_list is None:
        return ALL_DISKS
    return normal_disks(included=bool(exclusion.is_inclusion_list), luns=exclusion.disk_lun_list)


def state_from(properties: ItemProperties) -> ItemState:
    """A soft-deleted item says ProtectionStopped, so the flag comes first; a word we do not know is Unknown."""
    if properties.is_scheduled_for_deferred_delete:
        return ItemState.SOFT_DELETED
    return _STATES.get((properties.protection_state or "").casefold(), ItemState.UNKNOWN)


def facts_from(body: ItemBody, vault: ArmId, machine: ArmId) -> ItemFacts:
    """Everything we look at and do not manage."""
    properties = body.properties
    return ItemFacts(
        state=state_from(properties),
        vault_id=vault,
        item_id=ArmId(body.id),
        machine_id=machine,
        policy_name=(properties.policy_id or "").rpartition("/")[2],
        last_recovery_point=moment(properties.last_recovery_point),
        last_backup_status=properties.last_backup_status or "",
        last_backup_time=moment(properties.last_backup_time),
        health=properties.health_status or "",
        health_message=_complaint(properties),
        gone_after=_gone_after(properties),
    )


def moment(text: str | None) -> datetime | None:
    """Aware UTC, or None for Azure's ways of saying never: absent, `""`, 0001-01-01, 2001-01-01. Some have no zone."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    return found if found >= _NEVER_BEFORE else None


def _complaint(properties: ItemProperties) -> str:
    if (properties.health_status or "Passed") == "Passed" and properties.last_backup_status != "Failed":
        return ""
    details = properties.health_details or ()
    return "; ".join(" ".join(f"{item.title or ''}: {item.message or ''}".split()).strip(": ") for item in details)


def _gone_after(properties: ItemProperties) -> datetime | None:
    """The retention in force at the deletion governs (BP-77); the remaining time that Azure tells changes with every
    answer, so it is not used."""
    if not properties.is_scheduled_for_deferred_delete:
        return None
    deleted = moment(properties.deferred_delete_time)
    days = properties.soft_delete_retention_period or _DEFAULT_SOFT_DELETE_DAYS
    return deleted + timedelta(days=days) if deleted else None
