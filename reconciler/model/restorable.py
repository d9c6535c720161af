"""What a VM can be restored from, as it is listed for people and programs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from reconciler.model.arm_id import ArmId


@dataclass(frozen=True, slots=True)
class CopyState:
    """A copy of a snapshot in another region. `completion` is 0 to 100; it restores at 100."""

    snapshot: str
    region: str
    completion: float
    state: str


@dataclass(frozen=True, slots=True)
class Restorable:
    """One snapshot of one disk, or one restore point of all disks. Times are aware UTC.

    `kind` is `snapshot` or `restore_point`; `name` is `alias/group/name`, as `restore disk` takes it. `slot` is None
    for one that is not ours. `disk` is `os`, a LUN, or for a restore point all of them; `disk_name` that of the disk.
    `kept` are the rules of `keep` that hold it, `newest` among them; () where none does any longer. `state` is `ready`,
    or says why nothing can be restored from it now. `consistency` is "" for snapshots of single disks.
    """

    kind: str
    name: str
    arm_id: ArmId
    region: str
    slot: datetime | None
    created: datetime
    schedule: str
    disk: str
    disk_name: str
    size_gib: int
    incremental: bool
    state: str
    consistency: str = ""
    kept: tuple[str, ...] = ()
    copies: tuple[CopyState, ...] = ()


@dataclass(frozen=True, slots=True)
class Holdings:
    """Everything of one VM: `ours` by slot, the newest first; `others` are snapshots of the same disks that are not
    ours. `gone` says that the VM is not there any more; `unread` what could not be read."""

    machine: ArmId
    label: str
    gone: bool
    now: datetime
    ours: tuple[Restorable, ...] = ()
    others: tuple[Restorable, ...] = ()
    unread: tuple[str, ...] = ()
