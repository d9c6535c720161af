"""Names of snapshots: the same disk, schedule and slot give the same name, so that two runs cannot take two."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime

from reconciler.model.casing import fold
from reconciler.model.slots import slot_label

LONGEST = 80
"""Characters of a name (SN-01)."""
_FORBIDDEN = re.compile(r"[^A-Za-z0-9_-]")
_LONGEST_REGION = 30


def snapshot_name(disk: str, unique_id: str, schedule: str, slot: datetime, *, region: str = "") -> str:
    """`web-01-os-20261122T0600Z-9f31c2`: the disk's name, cut where it is too long; the digits tell apart the schedules
    and the disks that had this name. A copy ends with its region."""
    digits = hashlib.sha256(f"{fold(schedule)}|{fold(unique_id)}".encode()).hexdigest()[:6]
    end = f"-{slot_label(slot)}-{digits}" + (f"-{region[:_LONGEST_REGION]}" if region else "")
    return _FORBIDDEN.sub("_", disk)[: LONGEST - len(end)] + end


def tells_slot(name: str, slot: datetime) -> bool:
    """Whether a snapshot of this name was made for the slot. Unlike tags, a name cannot be changed, and is not carried
    over from one resource to another."""
    return f"-{fold(slot_label(slot))}" in fold(name)
