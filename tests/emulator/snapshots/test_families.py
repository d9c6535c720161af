"""How much the snapshots of a disk take up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from reconciler.emulator import providers
from reconciler.emulator.clock import Clock
from reconciler.emulator.providers.compute import DISKS
from reconciler.emulator.providers.compute_bodies import DiskShape, disk_body
from reconciler.emulator.providers.snapshot_families import (
    GIB,
    SNAPSHOTS,
    content_of_disk,
    family_id,
    family_sizes,
    snapshot_sizes,
    store_snapshot,
)
from reconciler.emulator.store import Store
from reconciler.emulator.world import World
from tests.emulator.snapshots.conftest import WEST

DAY = timedelta(days=1)
NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def sizes_of(disks) -> dict[str, float]:
    return {one["id"].rpartition("/")[2]: one["usedBytes"] / GIB for one in snapshot_sizes(disks.world)}


def test_the_first_holds_all_and_the_next_what_was_written(disks):
    disks.settings(usedShare=0.25, churnGiBPerDay=2)
    disk = disks.make_disk("data", 400)
    for name in ("a", "b", "c"):
        disks.taken(name, disk)
        disks.world.advance(3 * DAY - timedelta(seconds=1))
    disks.taken("full", disk, incremental=False)
    assert sizes_of(disks) == {"a": 100, "b": 6, "c": 6, "full": 100}
    disks.delete(f"{WEST}/snapshots/b")
    assert sizes_of(disks) == {"a": 100, "c": 12, "full": 100}
    disks.delete(f"{WEST}/snapshots/a")
    assert sizes_of(disks) == {"c": 100, "full": 100}


def test_more_than_all_of_a_disk_cannot_change(disks):
    disks.settings(usedShare=0.5, churnGiBPerDay=50)
    disk = disks.make_disk("data", 100)
    disks.taken("a", disk)
    disks.world.advance(30 * DAY)
    disks.taken("b", disk)
    assert sizes_of(disks) == {"a": 50, "b": 50}


def test_a_resize_over_four_tebibytes_begins_a_new_family(disks):
    disk = disks.make_disk("data", 4000)
    families = []
    for name, size in (("a", 4000), ("b", 4096), ("c", 4097), ("d", 8000)):
        disks.finish(disks.send("PATCH", disk, {"properties": {"diskSizeGB": size}}))
        snapshot = disks.get(disks.taken(name, disk))
        families.append(snapshot["properties"]["incrementalSnapshotFamilyId"])
        disks.world.advance(DAY)
    assert families[0] == families[1] != families[2] == families[3]
    assert [round(size, 3) for size in sizes_of(disks).values()] == [1600, 1, 1600, 1]


def test_a_restored_disk_holds_what_its_snapshot_holds(disks):
    disks.settings(usedShare=0.5)
    snapshot = disks.taken("a", disks.make_disk("data", 100))
    creation = {"createOption": "Copy", "sourceResourceId": snapshot}
    restored = disks.make_disk("restored", 200, creationData=creation)
    disks.taken("b", restored)
    assert sizes_of(disks) == {"a": 50, "b": 50}


@given(
    gaps=st.lists(st.integers(0, 100_000), min_size=1, max_size=12),
    churn=st.floats(0, 100),
    used=st.floats(0, 1000),
    deleted=st.sets(st.integers(0, 11)),
)
def test_a_family_takes_up_its_first_and_all_that_was_written_since(gaps, churn, used, deleted):
    """Whatever was deleted in between; no part is larger than the disk's data."""
    world = World(store=Store(), clock=Clock(NOW, speed=0), completions=providers.completions())
    body = disk_body("data", DiskShape(size_gb=1000), WEST.partition("/providers/")[0], "westeurope", NOW)
    world.store.put(body["id"], DISKS, body, hidden={"usedGiB": used, "churnGiBPerDay": churn})
    marks = []
    for number, gap in enumerate(gaps):
        world.advance(timedelta(seconds=gap))
        content = content_of_disk(world, body)
        snapshot = {
            "id": f"{WEST}/snapshots/s{number:02d}",
            "location": "westeurope",
            "properties": {"incremental": True},
        }
        store_snapshot(world, snapshot, content)
        if number in deleted:
            world.store.delete(snapshot["id"])
        else:
            marks.append(content.written)
    sizes = list(family_sizes(world, family_id(content, "westeurope")).values())
    most = int(used * GIB)
    assert len(sizes) == len(marks)
    assert sizes[:1] == [most][: len(marks)]
    assert all(0 <= size <= most for size in sizes)
    if all(size < most for size in sizes[1:]):
        assert sum(sizes) == sum([most, marks[-1] - marks[0]] if marks else [])
    assert world.store.count(SNAPSHOTS) == len(marks)
