"""What we manage of a restore point: that it is there, or no longer. Azure never changes one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from reconciler.kinds.obstacle import Obstacle
from reconciler.model.arm_id import ArmId
from reconciler.model.machine import Machine
from reconciler.model.resource import Ref, Spec


class RestorePointSpec(Spec, frozen=True, kw_only=True):
    """Desired is `present` (kept, or to be taken) or `expired` (to be deleted); live is `present` or `failed`.

    `consistency` is what is asked for; of a live one what Azure achieved. `excluded` are the LUNs that are left out of
    a new one. An expired one `waits_for` the point that is taken instead of it. One that cannot be taken needs no
    `collection`: none is made for it.
    """

    collection: Ref | None = None
    state: Literal["present", "failed", "expired"] = "present"
    consistency: str = ""
    excluded: tuple[int, ...] = ()
    waits_for: Ref | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """`observed` of a desired point that is to be taken: of which VM, and after which point of it.

    `excluded` are ARM ids of disks; `gib_at_most` is what the disks held can contain; `previous` is the newest usable
    slot that the VM has points of. Where there is an `obstacle` it is not taken.
    """

    arm_id: ArmId
    machine: Machine
    schedule: str
    slot: datetime
    excluded: tuple[str, ...]
    gib_at_most: int
    previous: datetime | None
    obstacle: Obstacle | None = None


@dataclass(frozen=True, slots=True)
class Expiry:
    """`observed` of a desired point that is to go: why, and whether the retention that it was taken under would have
    held it (`pruned`)."""

    why: str
    keeps: str
    pruned: bool = False
    failed: bool = False
