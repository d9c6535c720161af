"""`backup:` of a Protection: under which policy, in which vault, which disks."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Luns = Annotated[
    tuple[Annotated[int, Meta(ge=0, le=63)], ...],
    Meta(min_length=1, description="Logical unit numbers of data disks. The OS disk is always backed up."),
]


class DiskList(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    rename={"except_": "except"},
):
    """Either the data disks to back up, or those to leave out."""

    only: Annotated[Luns | None, Meta(description="Back up these data disks; a disk added later is not.")] = None
    except_: Annotated[
        Luns | None, Meta(description="Leave these data disks out; a disk added later is backed up.")
    ] = None


class Backup(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, rename="camel"):
    """Azure Backup for the VMs of a Protection."""

    policy: Annotated[str, Meta(min_length=1, description="Name of a BackupPolicy.")]
    vault: Annotated[
        str | None,
        Meta(
            description="Name of a Vault in the VMs' region. Default: the declared vault of the region; a VM stays "
            "where it is protected, new ones go where most VMs follow this policy, as far as there is room."
        ),
    ] = None
    disks: Annotated[
        Literal["all", "osOnly"] | DiskList,
        Meta(description="all, osOnly, {only: [LUNs]} or {except: [LUNs]}."),
    ] = "all"
    move_from: Annotated[
        Annotated[tuple[str, ...], Meta(min_length=1)] | None,
        Meta(
            description="Names or ARM ids of undeclared vaults: VMs protected there are stopped there (points kept) "
            "and protected here. Without it they are only reported.",
        ),
    ] = None
