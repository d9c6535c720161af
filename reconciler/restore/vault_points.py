"""The recovery points of a VM in a vault, and which of them is meant."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from reconciler.azure.clients import Azure
from reconciler.errors import UsageError
from reconciler.kinds.vault_restore.jobs import API_VERSION, PASSIVE_VERSION
from reconciler.model.arm_id import ArmId
from reconciler.model.live import Live
from reconciler.model.vault_point import VaultPoint, VaultPoints, spell_time
from reconciler.restore.search import LATEST
from reconciler.restore.vault_source import facts_of, find_item, label_of
from reconciler.restore.vault_surroundings import read_vault_surroundings

_NAMED = 8
"""How many recovery points a message names."""


class TierBody(msgspec.Struct, frozen=True):
    """One of `recoveryPointTierDetails`: InstantRP is the snapshot tier, HardenedRP the vault, ArchivedRP archive."""

    type: str = ""
    status: str = ""


class DiskBody(msgspec.Struct, frozen=True):
    """One disk of a recovery point; the OS disk has LUN -1."""

    lun: int | None = None
    name: str = ""


class DisksBody(msgspec.Struct, frozen=True, rename="camel"):
    """`recoveryPointDiskConfiguration`, of a VM that is not backed up whole. Only one point tells the disks."""

    number_of_disks_included_in_backup: int | None = None
    number_of_disks_attached_to_vm: int | None = None
    included_disk_list: tuple[DiskBody, ...] | None = None


class PointProperties(msgspec.Struct, frozen=True, rename="camel"):
    """What we look at of a recovery point."""

    recovery_point_type: str | None = None
    recovery_point_time: datetime | None = None
    recovery_point_tier_details: tuple[TierBody, ...] | None = None
    recovery_point_disk_configuration: DisksBody | None = None
    is_source_vm_encrypted: bool | None = msgspec.field(default=None, name="isSourceVMEncrypted")
    is_managed_virtual_machine: bool | None = None
    is_instant_ilr_session_active: bool | None = None
    is_private_access_enabled_on_any_disk: bool | None = None
    os_type: str | None = None
    zones: tuple[str, ...] | None = None


class PointBody(msgspec.Struct, frozen=True):
    """One recovery point."""

    name: str
    properties: PointProperties = PointProperties()


async def list_points(azure: Azure, text: str, live: Live, *, secondary: bool = False) -> VaultPoints:
    """Those of the VM that `text` means. Raises UsageError where no VM with backups is meant, or where the vault has no
    secondary region to ask, and what the reads raise."""
    item = find_item(text, live)
    facts = facts_of(item)
    around = await read_vault_surroundings(azure, facts.vault_id, facts.machine_id, "")
    if secondary and not around.across_regions:
        raise UsageError(
            f"vault {facts.vault_id.name} has no cross-region restore (BP-91)", advice="leave --region out"
        )
    return VaultPoints(
        machine=facts.machine_id,
        label=label_of(item),
        gone=facts.machine_id not in live.machines_by_id,
        vault=facts.vault_id,
        region=around.secondary if secondary else around.location,
        now=azure.now(),
        points=await read_points(azure, facts.item_id, secondary=secondary),
        unread=tuple(gap.message for gap in live.unreadable),
    )


async def read_points(azure: Azure, item: ArmId, *, secondary: bool = False) -> tuple[VaultPoint, ...]:
    """The newest first; of the secondary region, only what has arrived there (BP-91). Raises what the list raises."""
    version = PASSIVE_VERSION if secondary else API_VERSION
    found = [_point(body) async for body in azure.list(f"{item}/recoveryPoints", version, PointBody)]
    return tuple(sorted(found, key=lambda point: point.taken, reverse=True))


async def read_point(azure: Azure, item: ArmId, name: str) -> VaultPoint:
    """One recovery point with its disks, which a list does not tell. Raises what the read raises."""
    return _point(await azure.get(f"{item}/recoveryPoints/{name}", API_VERSION, PointBody))


def choose_point(text: str, points: Sequence[VaultPoint], machine: str) -> VaultPoint:
    """The recovery point that `text` means: `latest`, its name, or the beginning of its time as it is listed
    (`2026-03-01T22`). Raises UsageError where it is none, or more than one."""
    if not points:
        raise UsageError(
            f"{machine} has no recovery point there",
            advice=f"`reconciler recovery-points list {machine}` shows what there is; copies reach the secondary "
            "region within 36 hours (BP-91)",
        )
    if text.casefold() == LATEST:
        return next((point for point in points if point.tier), points[0])
    named = [point for point in points if point.name == text]
    meant = named or [point for point in points if spell_time(point.taken).casefold().startswith(text.casefold())]
    if len(meant) == 1:
        return meant[0]
    shown = ", ".join(spell_time(point.taken) for point in (meant or points)[:_NAMED])
    more = len(meant or points) - _NAMED
    shown += f" and {more} more" if more > 0 else ""
    if meant:
        raise UsageError(f"{text!r} is the beginning of {len(meant)} recovery points", advice=f"write one of {shown}")
    raise UsageError(f"{machine} has no recovery point {text!r}", advice=f"there is {shown}, or write latest")


def _point(body: PointBody) -> VaultPoint:
    said = body.properties
    tiers = {tier.type for tier in said.recovery_point_tier_details or () if tier.status in ("Valid", "Rehydrated")}
    disks = said.recovery_point_disk_configuration or DisksBody()
    taken = said.recovery_point_time or datetime.fromtimestamp(0, UTC)
    return VaultPoint(
        name=body.name,
        taken=(taken if taken.tzinfo else taken.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0),
        consistency=said.recovery_point_type or "",
        snapshot="InstantRP" in tiers,
        vault="HardenedRP" in tiers,
        archive="ArchivedRP" in tiers,
        encrypted=bool(said.is_source_vm_encrypted),
        managed=said.is_managed_virtual_machine is not False,
        private=bool(said.is_private_access_enabled_on_any_disk),
        mounted=bool(said.is_instant_ilr_session_active),
        os_type=said.os_type or "",
        zones=said.zones or (),
        disks=tuple("os" if disk.lun == -1 else str(disk.lun) for disk in disks.included_disk_list or ()),
        included=disks.number_of_disks_included_in_backup,
        attached=disks.number_of_disks_attached_to_vm,
    )
