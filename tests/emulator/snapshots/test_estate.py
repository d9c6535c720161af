"""Snapshots and disks as an estate describes them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from reconciler.emulator import estate as estates
from reconciler.emulator.emulator import Emulator, Pace
from reconciler.emulator.providers.snapshot_families import GIB, SNAPSHOTS, snapshot_sizes
from tests.emulator.conftest import ESTATE, NOW
from tests.emulator.snapshots.conftest import NORTH, WEST

SETTINGS = {"churnGiBPerDay": 2, "usedShare": 0.5, "disks": [{"name": "app-01_DataDisk_0", "usedGiB": 50}]}
DISK = "rg-app/app-01_DataDisk_0"
TAKEN: list[dict[str, Any]] = [
    {"name": "old", "resourceGroup": "rg-app", "disk": DISK, "age": "3d", "tags": {"made": "by hand"}},
    {"name": "new", "resourceGroup": "rg-north", "disk": DISK, "age": "1d", "sku": "Standard_LRS"},
    {"name": "full", "resourceGroup": "rg-app", "disk": DISK, "incremental": False},
    {"name": "gone", "resourceGroup": "rg-app", "disk": "rg-app/lost", "sizeGB": 100, "age": "90d"},
    {"name": "copy", "resourceGroup": "rg-north", "copyOf": "rg-app/old"},
]


def built(snapshots: list[dict[str, Any]], **settings: Any) -> Emulator:
    north = {"subscription": "Tests", "name": "rg-north", "location": "northeurope"}
    groups = [*ESTATE["resourceGroups"], north]
    estate = {**ESTATE, "resourceGroups": groups, "diskSettings": settings, "snapshots": snapshots}
    return Emulator(estate=estate, pace=Pace(speed=0))


def test_what_was_taken_before():
    world = built(TAKEN, **SETTINGS).world
    old, new, copy = map(
        world.store.get, (f"{WEST}/snapshots/old", f"{NORTH}/snapshots/new", f"{NORTH}/snapshots/copy")
    )
    disk = world.store.get(f"{WEST}/disks/app-01_DataDisk_0")
    assert old["tags"] == {"made": "by hand"}
    assert datetime.fromisoformat(old["properties"]["timeCreated"]) == NOW - timedelta(days=3)
    assert old["properties"]["creationData"]["sourceUniqueId"] == disk["properties"]["uniqueId"]
    assert (old["sku"]["name"], new["sku"]["name"]) == ("Standard_ZRS", "Standard_LRS")
    assert (new["location"], copy["location"]) == ("westeurope", "northeurope")
    families = [one["properties"]["incrementalSnapshotFamilyId"] for one in (old, new, copy)]
    assert families[0] == families[1] != families[2]
    assert copy["properties"]["creationData"]["sourceUniqueId"] == old["properties"]["uniqueId"]
    assert copy["properties"]["completionPercent"] == 100.0
    sizes = {one["id"].rpartition("/")[2]: one["usedBytes"] / GIB for one in snapshot_sizes(world)}
    assert sizes == {"old": 50, "new": 4, "full": 50, "gone": 50, "copy": 50}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"disk": "rg-app/none"}, "snapshots: s: there is no disk rg-app/none; say its sizeGB if it is gone"),
        ({}, "snapshots: s: a snapshot is of a `disk`, or a `copyOf` another one"),
        ({"copyOf": "rg-app/none"}, "is no incremental snapshot of another region that is declared above"),
        ({"disk": DISK, "resourceGroup": "rg-none"}, "snapshots: s: there is no resource group rg-none"),
        ({"disk": DISK, "sku": "Premium_LRS"}, "Premium_LRS"),
        ({"disk": DISK, "age": "yesterday"}, "is not a span of time"),
        ({"disk": DISK, "size": 3}, "unknown field `size`"),
    ],
)
def test_wrong_lines(line, message):
    with pytest.raises(estates.EstateError, match=message):
        built([{"name": "s", "resourceGroup": "rg-app", **line}])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"disks": [{"name": "none"}]}, "there are 0 disks none"),
        ({"usedShare": 2}, "usedShare lies between 0 and 1"),
        ({"copyGiBPerHour": 0}, "copyGiBPerHour is more than 0"),
        ({"rate": 3}, "unknown field `rate`"),
    ],
)
def test_wrong_settings(settings, message):
    with pytest.raises(estates.EstateError, match=message):
        built([], **settings)


def test_an_estate_goes_on_from_its_file(tmp_path):
    estate = {**ESTATE, "snapshots": TAKEN[:1], "diskSettings": SETTINGS}
    first = Emulator(tmp_path, estate=estate)
    sizes = snapshot_sizes(first.world)
    first.close()
    again = Emulator(tmp_path)
    assert snapshot_sizes(again.world) == sizes
    assert again.world.store.count(SNAPSHOTS) == 1
    again.close()
