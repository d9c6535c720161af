"""Which snapshots belong together, and how much each of them takes up.

Incremental snapshots of one disk in one region are a family: the first holds everything, a later one what was written
since the one before it. Azure serves the family's id but no such size (the bill and page ranges tell it), so it lies
hidden beside the body, and only the emulator's owner can ask for it (``GET /_emulator/snapshots``).

What was written to a disk is a counter that grows with its churn. Two marks of it tell what lies between any two
snapshots, whichever of those in between were deleted: their blocks are then the next one's.
"""

from __future__ import annotations

import hashlib
import uuid
from datetime import datetime
from typing import Any

import msgspec

from reconciler.emulator.providers.disk_settings import read_settings
from reconciler.emulator.store import Body
from reconciler.emulator.world import World

SNAPSHOTS = "Microsoft.Compute/snapshots"
GIB = 1024**3
_DAY = 86_400


class Content(msgspec.Struct, frozen=True):
    """What a snapshot holds: ``used`` bytes of a disk (its uniqueId) at the moment when ``written`` bytes had been
    written to it. ``chain`` counts how often the disk had been resized across 4 TiB: no differences reach across
    that (SN-11).
    """

    disk: str
    used: int
    written: int
    chain: int = 0


def content_of_disk(world: World, disk: Body, moment: datetime | None = None) -> Content:
    """What a snapshot taken now, or at some other moment, would hold."""
    settings, hidden = read_settings(world), world.store.hidden(disk["id"])
    properties = disk["properties"]
    size = properties["diskSizeGB"]
    used = min(float(hidden.get("usedGiB", size * settings.used_share)), size)
    churn = float(hidden.get("churnGiBPerDay", settings.churn_gib_per_day))
    age = ((moment or world.clock.now()) - datetime.fromisoformat(properties["timeCreated"])).total_seconds()
    written = int(churn * GIB * age / _DAY)
    return Content(properties["uniqueId"], int(used * GIB), written, int(hidden.get("chain", 0)))


def content_of_snapshot(world: World, snapshot: Body) -> Content:
    hidden = world.store.hidden(snapshot["id"])
    if "content" in hidden:
        return msgspec.convert(hidden["content"], Content)
    return Content(snapshot["properties"]["uniqueId"], 0, 0)


def family_id(content: Content, location: str) -> str:
    """One family a disk and region (and chain of differences)."""
    text = f"{content.disk}/{location}" + (f"/{content.chain}" if content.chain else "")
    return str(uuid.UUID(bytes=hashlib.md5(text.encode(), usedforsecurity=False).digest(), version=4))


def store_snapshot(world: World, body: Body, content: Content) -> None:
    """Puts a new snapshot, found by its family and by its disk if it is incremental."""
    index: dict[str, str] = {}
    if body["properties"]["incremental"]:
        index = {"family": family_id(content, body["location"]), "disk": f"{content.disk}@{body['location']}"}
    hidden: dict[str, Any] = {"content": msgspec.to_builtins(content)}
    world.store.put(body["id"], SNAPSHOTS, body, hidden=hidden, **index)


def forget_content(world: World, body: Body) -> None:
    """A snapshot that could not be made, or copied to the end, holds nothing, and is no member of a family."""
    world.store.put(body["id"], SNAPSHOTS, body, hidden={})


def family_contents(world: World, family: str) -> dict[str, Content]:
    """The members of a family by id, in the order in which their disk had these contents."""
    members = world.store.find(SNAPSHOTS, family=family)
    contents = {identity: msgspec.convert(world.store.hidden(identity)["content"], Content) for identity in members}
    return dict(sorted(contents.items(), key=lambda entry: (entry[1].written, entry[0])))


def family_sizes(world: World, family: str) -> dict[str, int]:
    """Bytes that each member of a family takes up, by id."""
    sizes: dict[str, int] = {}
    before: Content | None = None
    for identity, content in family_contents(world, family).items():
        sizes[identity] = difference(before, content)
        before = content
    return sizes


def difference(before: Content | None, content: Content) -> int:
    """Bytes that differ from the snapshot before; all of them when there is none."""
    return content.used if before is None else min(content.used, content.written - before.written)


def bytes_to_copy(world: World, content: Content, location: str, itself: str = "") -> int:
    """What a copy to a region has to move: all of it the first time, then what the copies there do not have."""
    there = family_contents(world, family_id(content, location))
    there.pop(itself, None)
    earlier = [held for held in there.values() if held.written <= content.written]
    return difference(earlier[-1] if earlier else None, content)


def snapshot_sizes(world: World) -> list[dict[str, Any]]:
    """Every snapshot with the bytes that it takes up, for the emulator's owner."""
    families: dict[str, dict[str, int]] = {}
    found: list[dict[str, Any]] = []
    for body in world.store.list(SNAPSHOTS):
        identity, family = body["id"], body["properties"].get("incrementalSnapshotFamilyId")
        content = content_of_snapshot(world, body)
        if family and family not in families:
            families[family] = family_sizes(world, family)
        used = families.get(family, {}).get(identity, content.used)
        found.append({"id": identity, "family": family, "disk": content.disk, "usedBytes": used})
    return found
