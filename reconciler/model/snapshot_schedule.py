"""The SnapshotSchedule document and the `snapshots` aspect: shape only. Several kinds read them, and a kind never
imports another; their rules are in `kinds`."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from reconciler.model.scope import Duration

DOCUMENT = "SnapshotSchedule"
ASPECT = "snapshots"
Sku = Literal["Standard_LRS", "Standard_ZRS", "Premium_LRS"]
NetworkAccess = Literal["AllowAll", "AllowPrivate", "DenyAll"]
Consistency = Literal["perDisk", "restorePoint"]
RestorePointMode = Literal["ApplicationConsistent", "CrashConsistent"]

Count = Annotated[int, Meta(ge=1, le=1000)]
Luns = Annotated[
    tuple[Annotated[int, Meta(ge=0, le=63)], ...],
    Meta(min_length=1, description="Logical unit numbers of data disks."),
]


class Keep(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is kept: a snapshot stays as long as any of these wants it. At least one is given. The newest snapshot of a
    disk is never deleted."""

    count: Annotated[Count | None, Meta(description="The newest so many.")] = None
    age: Annotated[Duration | None, Meta(description="Those that are younger than this, as 14d.")] = None
    hourly: Annotated[
        Count | None, Meta(description="The newest of each of the last so many hours (UTC) that have one.")
    ] = None
    daily: Annotated[
        Count | None, Meta(description="The newest of each of the last so many days (UTC) that have one.")
    ] = None
    weekly: Annotated[
        Count | None,
        Meta(description="The newest of each of the last so many weeks (UTC, from Monday) that have one."),
    ] = None
    monthly: Annotated[
        Count | None, Meta(description="The newest of each of the last so many months (UTC) that have one.")
    ] = None
    yearly: Annotated[
        Count | None, Meta(description="The newest of each of the last so many years (UTC) that have one.")
    ] = None


class SnapshotDisks(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    rename={"except_": "except"},
):
    """Either the data disks to snapshot beside the OS disk, or those to leave out."""

    only: Annotated[
        Luns | None, Meta(description="The OS disk and these data disks; a disk added later gets none.")
    ] = None
    except_: Annotated[
        Luns | None, Meta(description="All but these data disks; a disk added later gets snapshots, too.")
    ] = None


class CopyTo(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """Where copies go: another region of the same subscription."""

    region: Annotated[str, Meta(min_length=1, description="Region of the copies, as northeurope.")]
    resource_group: Annotated[
        Annotated[str, Meta(min_length=1)] | None,
        Meta(description="Resource group of the copies. Default: that of the snapshots themselves."),
    ] = None


class SnapshotSchedule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """When snapshots of managed disks are taken, and how long they stay. The cadence is kept by `apply`: one that runs
    within a slot takes the snapshot of that slot, none makes up for slots that have passed."""

    every: Annotated[
        Duration, Meta(description="Time from one snapshot to the next: whole hours, days or weeks, 1h to 30d.")
    ]
    offset: Annotated[
        Duration | None,
        Meta(
            description="Slots begin at midnight UTC, those of weeks on Mondays; this moves them, as 2h: under every."
        ),
    ] = None
    keep: Annotated[Keep, Meta(description="What is kept; the rest of our own snapshots is deleted.")]
    incremental: Annotated[
        bool, Meta(description="true: after the first, only what changed is stored and billed. false: full copies.")
    ] = True
    sku: Annotated[
        Sku | None,
        Meta(
            description="Storage of the snapshots. Default: Standard_ZRS where the region has zones, else "
            "Standard_LRS. Premium_LRS only for full ones (SN-02)."
        ),
    ] = None
    disks: Annotated[
        Literal["all", "osOnly"] | SnapshotDisks,
        Meta(description="all, osOnly, {only: [LUNs]} or {except: [LUNs]}."),
    ] = "all"
    copy_tags: Annotated[bool, Meta(description="Give the snapshots the VM's tags as well.")] = True
    tags: Annotated[dict[str, str] | None, Meta(description="More tags of the snapshots.")] = None
    resource_group: Annotated[
        Annotated[str, Meta(min_length=1)] | None,
        Meta(
            description="Resource group of the snapshots, in the VM's subscription. It must be there: it is never "
            "created. Default: the VM's own.",
        ),
    ] = None
    skip_if_recovery_point_within: Annotated[
        Duration | None,
        Meta(description="No snapshot of a VM whose newest Azure Backup recovery point is younger than this, as 12h."),
    ] = None
    copy_to: Annotated[
        str | CopyTo | None,
        Meta(description="Copy each incremental snapshot to this region (SN-12): northeurope, or {region: …}."),
    ] = None
    network_access_policy: Annotated[
        NetworkAccess | None,
        Meta(description="Who may export the snapshots' data. Left out: not managed, Azure's default is AllowAll."),
    ] = None
    disk_access: Annotated[
        Annotated[str, Meta(min_length=1)] | None,
        Meta(description="ARM id of the disk access that AllowPrivate needs."),
    ] = None
    public_network_access: Annotated[
        Literal["Enabled", "Disabled"] | None,
        Meta(description="Export over the public network. Left out: not managed."),
    ] = None
    consistency: Annotated[
        Consistency | None,
        Meta(
            description="restorePoint: one restore point of the whole VM, all disks at the same moment (SN-20). "
            "perDisk: each disk on its own, and you know that they do not fit each other (SN-15). Default: perDisk, "
            "with a warning for VMs with several disks."
        ),
    ] = None
    restore_point_mode: Annotated[
        RestorePointMode | None,
        Meta(description="Of restore points: ApplicationConsistent (default) or CrashConsistent (SN-21)."),
    ] = None

    @property
    def restore_points(self) -> bool:
        """Whether it takes restore points of VMs, not snapshots of disks."""
        return self.consistency == "restorePoint"

    def takes(self, lun: int | None) -> bool:
        """Whether it is for the data disk with this LUN; the OS disk (None) always is."""
        if lun is None or self.disks == "all":
            return True
        if not isinstance(self.disks, SnapshotDisks):
            return False
        return lun in self.disks.only if self.disks.only is not None else lun not in (self.disks.except_ or ())


class Snapshots(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Managed disk snapshots for the VMs of a Protection."""

    schedule: Annotated[str, Meta(min_length=1, description="Name of a SnapshotSchedule.")]
