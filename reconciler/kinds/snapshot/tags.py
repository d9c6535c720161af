"""The tags that make a snapshot ours. One that lacks any of the first three, or says nonsense there, is somebody else's
and never touched, whatever it is called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from reconciler.kinds.tag_room import LONGEST_VALUE, MOST, fill
from reconciler.model.arm_id import ArmId
from reconciler.model.casing import fold
from reconciler.model.slots import parse_slot, spell_slot

SCHEDULE = "reconciler-schedule"
SLOT = "reconciler-slot"
DISK = "reconciler-disk"
VM = "reconciler-vm"
PLACE = "reconciler-place"
KEEP = "reconciler-keep"
SOURCE = "reconciler-source"
"""On copies: the uniqueId of the snapshot copied."""
OURS = 7
"""How many tags we write at most."""


_slot = lru_cache(maxsize=4096)(parse_slot)
"""Thousands of disks have the same slots."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What our tags say: schedule, slot and disk (its uniqueId), the retention it was made under, where the disk hung;
    of a copy, the uniqueId of the snapshot copied."""

    schedule: str
    slot: datetime
    disk: str
    keep: str = ""
    place: str = ""
    machine: ArmId | None = None
    source: str = ""


def read_mark(tags: Mapping[str, str | None] | None, subscription_id: str) -> Mark | None:
    """What the tags of a snapshot in this subscription say; None for one that is not ours. Azure's names of tags have
    no casing."""
    if not tags:
        return None
    known = {fold(name): value or "" for name, value in tags.items()}
    schedule, disk, slot = known.get(SCHEDULE, ""), known.get(DISK, ""), _slot(known.get(SLOT, ""))
    if not schedule or not disk or slot is None:
        return None
    machine = known.get(VM, "")
    if machine and not machine.lower().startswith("/subscriptions/"):
        machine = f"/subscriptions/{subscription_id}{machine}"
    vm = ArmId(machine) if machine else None
    return Mark(schedule, slot, disk, known.get(KEEP, ""), known.get(PLACE, ""), vm, known.get(SOURCE, ""))


def write_mark(mark: Mark) -> dict[str, str]:
    """The tags that `read_mark` reads. A VM's id that is too long for a value goes without its subscription."""
    tags = {SCHEDULE: mark.schedule, SLOT: spell_slot(mark.slot), DISK: mark.disk}
    if mark.machine is not None:
        machine = str(mark.machine)
        if len(machine) > LONGEST_VALUE:
            machine = "/" + machine.split("/", 3)[3]
        tags[VM] = machine
    if mark.place:
        tags[PLACE] = mark.place
    if mark.keep and len(mark.keep) <= LONGEST_VALUE:
        tags[KEEP] = mark.keep
    return tags


def all_tags(mark: Mark, scheduled: Mapping[str, str], machine: Mapping[str, str]) -> dict[str, str]:
    """Our tags, then those of the schedule, then those of the VM in order of their names; what comes first wins where
    names are one to Azure, and what comes last goes where there are more than 50 (SN-01)."""
    ours = write_mark(mark)
    return fill(ours, scheduled, machine, room=MOST - (OURS - len(ours)), reserved=(SOURCE,))
