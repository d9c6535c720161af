"""The ``snapshots`` section of an estate: what was taken before it begins.

```yaml
snapshots:
  - name: data-1-20260301            # required
    resourceGroup: rg-snapshots      # required; `subscription` where two have a group of that name
    disk: rg-db/data-1               # resourceGroup/name in the same subscription, or an ARM id
    incremental: true                # the default; false: a full one
    age: 36h                         # 0s by default
    sku: Standard_ZRS                # default: as the service chooses
    tags: {made: by hand}
  - name: gone-1                     # of a disk that is not there any more
    resourceGroup: rg-snapshots
    disk: rg-db/old
    sizeGB: 128                      # needed then, and only then
    age: 90d
  - name: data-1-20260301-neu        # a finished copy of one above, in the region of its own group
    resourceGroup: rg-snapshots-neu
    copyOf: rg-snapshots/data-1-20260301
```
"""

from __future__ import annotations

import hashlib
import uuid
from datetime import timedelta
from typing import Any

import msgspec

from reconciler.emulator.clock import parse_span
from reconciler.emulator.failures import ArmError
from reconciler.emulator.providers.compute import DISKS
from reconciler.emulator.providers.compute_bodies import DiskShape, disk_body, offset_stamp
from reconciler.emulator.providers.compute_estate import declared_group
from reconciler.emulator.providers.snapshot_bodies import add_family, fill_properties, snapshot_sku
from reconciler.emulator.providers.snapshot_families import (
    SNAPSHOTS,
    content_of_disk,
    content_of_snapshot,
    store_snapshot,
)
from reconciler.emulator.router import Route
from reconciler.emulator.store import Body
from reconciler.emulator.world import World

_BEFORE = timedelta(days=400)
"""How long ago a disk that is gone was made."""


class SnapshotShape(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    rename={"resource_group": "resourceGroup", "size_gb": "sizeGB", "copy_of": "copyOf"},
):
    name: str
    resource_group: str
    subscription: str | None = None
    disk: str | None = None
    size_gb: int | None = None
    copy_of: str | None = None
    incremental: bool = True
    age: str = "0s"
    sku: str | None = None
    tags: dict[str, str] | None = None


def seed_snapshots(world: World, section: Any) -> None:
    """Raises ValueError for a line that is wrong, or names a disk or snapshot that is not there."""
    for shape in msgspec.convert(section, list[SnapshotShape]):
        if (shape.disk is None) == (shape.copy_of is None):
            raise ValueError(f"{shape.name}: a snapshot is of a `disk`, or a `copyOf` another one")
        group = declared_group(world, shape.name, shape.resource_group, shape.subscription)
        try:
            (_seed_snapshot if shape.copy_of is None else _seed_copy)(world, shape, group)
        except ArmError as refusal:
            raise ValueError(f"{shape.name}: {refusal.message}") from refusal


def _seed_snapshot(world: World, shape: SnapshotShape, group: Body) -> None:
    disk = _disk(world, shape, group)
    taken = world.clock.now() - parse_span(shape.age)
    content = content_of_disk(world, disk, taken)
    creation = {
        "createOption": "Copy",
        "sourceResourceId": disk["id"],
        "sourceUniqueId": disk["properties"]["uniqueId"],
    }
    body = _body(world, shape, group, disk, creation)
    add_family(body, content)
    store_snapshot(world, body, content)


def _seed_copy(world: World, shape: SnapshotShape, group: Body) -> None:
    source = world.store.get(_identity(str(shape.copy_of), group["id"], SNAPSHOTS))
    if source is None or not source["properties"]["incremental"] or source["location"] == group["location"]:
        message = "is no incremental snapshot of another region that is declared above"
        raise ValueError(f"{shape.name}: {shape.copy_of} {message}")
    creation = {
        "createOption": "CopyStart",
        "sourceResourceId": source["id"],
        "sourceUniqueId": source["properties"]["uniqueId"],
    }
    body = _body(world, shape, group, source, creation)
    body["properties"]["completionPercent"] = 100.0
    content = content_of_snapshot(world, source)
    add_family(body, content)
    store_snapshot(world, body, content)


def _body(world: World, shape: SnapshotShape, group: Body, source: Body, creation: Body) -> Body:
    properties = fill_properties(
        {"creationData": creation, "incremental": shape.incremental}, source["properties"], world
    )
    properties["timeCreated"] = offset_stamp(world.clock.now() - parse_span(shape.age))
    location = group["location"] if shape.copy_of else source["location"]
    return {
        "name": shape.name,
        "id": f"{group['id']}/providers/{SNAPSHOTS}/{shape.name}",
        "type": SNAPSHOTS,
        "location": location,
        "tags": shape.tags or {},
        "sku": snapshot_sku(shape.sku, location, incremental=shape.incremental),
        "properties": {**properties, "provisioningState": "Succeeded"},
    }


def _disk(world: World, shape: SnapshotShape, group: Body) -> Body:
    identity = _identity(str(shape.disk), group["id"], DISKS)
    found = world.store.get(identity)
    if found is not None:
        return found
    if shape.size_gb is None:
        raise ValueError(f"{shape.name}: there is no disk {shape.disk}; say its sizeGB if it is gone")
    scope, _, name = identity.rpartition("/providers/")
    disk_name = name.rpartition("/")[2]
    body = disk_body(disk_name, DiskShape(size_gb=shape.size_gb), scope, group["location"], world.clock.now() - _BEFORE)
    digest = hashlib.md5(f"gone {identity.lower()}".encode(), usedforsecurity=False).digest()
    body["properties"]["uniqueId"] = str(uuid.UUID(bytes=digest, version=4))  # not that of a disk made anew
    return body


def _identity(named: str, group: str, type_: str) -> str:
    """The id of what is named by resourceGroup/name in the subscription of a group, or by its id."""
    if named.startswith("/"):
        return named
    resource_group, _, name = named.partition("/")
    return f"{group.rpartition('/')[0]}/{resource_group}/providers/{type_}/{name}"


ROUTES: tuple[Route, ...] = ()
SEEDS = {"snapshots": seed_snapshots}
