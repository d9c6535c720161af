"""Copies to another region, and snapshots of Ultra disks: data that arrives in the background."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.emulator.snapshots.conftest import NORTH, WEST, refusal

HOUR = timedelta(hours=1)


def percent_of(disks, path: str) -> float | None:
    return disks.get(path)["properties"].get("completionPercent")


@pytest.fixture
def source(disks) -> str:
    """An incremental snapshot of 300 GiB that are used: an hour's copy."""
    disks.settings(churnGiBPerDay=24, usedShare=0.5)
    return disks.taken("source", disks.make_disk("data", 600))


def test_a_copy_is_made_at_once_and_its_data_arrives_later(disks, source):
    output = disks.finish(disks.copy("copy", source))["properties"]["output"]
    body = disks.get(f"{NORTH}/snapshots/copy")
    assert "completionPercent" not in output["properties"]
    assert body["properties"].pop("completionPercent") == 0.0
    assert body == output
    original = disks.get(source)["properties"]
    creation = body["properties"]["creationData"]
    assert creation == {
        "createOption": "CopyStart",
        "sourceResourceId": source,
        "sourceUniqueId": original["uniqueId"],
    }
    assert body["location"] == "northeurope"
    assert body["properties"]["incrementalSnapshotFamilyId"] != original["incrementalSnapshotFamilyId"]
    seen = []
    for _ in range(4):
        disks.world.advance(HOUR / 4)
        seen.append(percent_of(disks, f"{NORTH}/snapshots/copy"))
    assert seen == [25.0, 50.0, 75.0, 100.0]
    assert "completionPercent" not in original


def test_a_list_tells_the_progress_as_well(disks, source):
    copy = disks.copied("copy", source)
    disks.world.advance(HOUR / 2)
    listed = {one["id"]: one["properties"] for one in disks.get(f"{NORTH}/snapshots")["value"]}
    assert listed[copy]["completionPercent"] == percent_of(disks, copy) == 50.0


def test_the_second_copy_moves_only_what_was_written_since(disks, source):
    disks.copied("first", source)
    disks.world.advance(HOUR)
    disks.world.advance(5 * timedelta(days=1))
    later = disks.taken("later", f"{WEST}/disks/data")  # 24 GiB a day: 121 GiB
    second = disks.copied("second", later)
    disks.world.advance(timedelta(minutes=24))
    assert percent_of(disks, second) < 100
    disks.world.advance(timedelta(minutes=1))
    assert percent_of(disks, second) == 100.0


def test_enhanced_speed_is_faster(disks, source):
    copy = disks.copied("copy", source, provisionedBandwidthCopySpeed="Enhanced")
    disks.world.advance(HOUR / 3)
    assert percent_of(disks, copy) == 100.0


def test_a_small_copy_takes_a_minute(disks):
    copy = disks.copied("copy", disks.taken("source", disks.make_disk("data", 4)))
    disks.world.advance(timedelta(seconds=59))
    assert percent_of(disks, copy) == 98.3
    disks.world.advance(timedelta(seconds=1))
    assert percent_of(disks, copy) == 100.0


def test_a_copy_stops_when_its_source_is_deleted(disks, source):
    copy = disks.copied("copy", source)
    disks.world.advance(HOUR / 2)
    disks.delete(source)
    disks.world.advance(HOUR)
    properties = disks.get(copy)["properties"]
    assert properties["completionPercent"] == pytest.approx(50.0, abs=0.1)
    assert properties["copyCompletionError"]["errorCode"] == "CopySourceNotFound"
    assert refusal(restore(disks, copy)) == (409, "OperationNotAllowed")
    assert disks.delete(copy)["status"] == "Succeeded"


def test_a_complete_copy_outlives_its_source(disks, source):
    copy = disks.copied("copy", source)
    disks.world.advance(HOUR)
    disks.delete(source)
    assert percent_of(disks, copy) == 100.0
    assert "copyCompletionError" not in disks.get(copy)["properties"]
    assert disks.finish(restore(disks, copy))["status"] == "Succeeded"


def test_a_copy_that_is_made_again_starts_again(disks, source):
    copy = disks.copied("copy", source)
    disks.world.advance(HOUR / 2)
    disks.delete(copy)
    assert disks.copied("copy", source) == copy
    disks.world.advance(HOUR / 2)
    assert percent_of(disks, copy) == 50.0


def restore(disks, snapshot: str, location: str = "northeurope"):
    creation = {"createOption": "Copy", "sourceResourceId": snapshot}
    body = {"location": location, "properties": {"creationData": creation}}
    return disks.send("PUT", f"{NORTH}/disks/restored", body)


def test_no_disk_of_a_snapshot_that_is_not_complete(disks, source):
    copy = disks.copied("copy", source)
    assert refusal(restore(disks, copy)) == (409, "OperationNotAllowed")
    disks.world.advance(HOUR)
    assert restore(disks, copy).status == 202


def test_one_copy_of_a_disk_at_a_time(disks, source):
    later = disks.taken("later", f"{WEST}/disks/data")
    disks.copied("first", source)
    assert refusal(disks.copy("second", later)) == (409, "OperationNotAllowed")
    other = disks.taken("other", disks.make_disk("other", 10))
    assert disks.copy("beside", other).status == 202
    disks.world.advance(HOUR)
    assert disks.copy("second", later).status == 202


def test_copies_in_the_order_of_creation(disks, source):
    disks.world.advance(HOUR)
    later = disks.taken("later", f"{WEST}/disks/data")
    disks.copied("second", later)
    disks.world.advance(2 * HOUR)
    response = disks.copy("first", source)
    assert refusal(response) == (409, "OperationNotAllowed")
    assert "in the order of their creation" in response.body["error"]["message"]


def test_so_many_copies_a_region(disks):
    disks.settings(copiesPerRegion=2)
    sources = [disks.taken(f"s{n}", disks.make_disk(f"d{n}")) for n in range(3)]
    answers = [disks.copy(f"c{n}", source) for n, source in enumerate(sources)]
    assert [answer.status for answer in answers] == [202, 202, 409]
    assert disks.copy("elsewhere", sources[2], location="eastus").status == 202
    disks.world.advance(HOUR)
    assert disks.copy("c2", sources[2]).status == 202


@pytest.mark.parametrize("kind", ["disk", "full", "nothing"])
def test_only_incremental_snapshots_are_copied(disks, kind):
    disk = disks.make_disk("data")
    full = disks.taken("full", disk, incremental=False)
    source = {"disk": disk, "full": full, "nothing": f"{WEST}/snapshots/none"}[kind]
    response = disks.copy("copy", source)
    assert refusal(response) == (400, "InvalidParameter")
    assert response.body["error"]["message"] == "Entity not of expected type"


@pytest.mark.parametrize("sku", ["UltraSSD_LRS", "PremiumV2_LRS"])
def test_snapshots_of_direct_drives_fill_in_their_own_region(disks, sku):
    disk = disks.make_disk("data", 750, sku)
    response = disks.take("full", disk, incremental=False)
    assert refusal(response) == (400, "InvalidParameter")
    output = disks.finish(disks.take("one", disk))["properties"]["output"]
    assert output["properties"]["completionPercent"] == 0.0
    assert output["properties"]["creationData"]["logicalSectorSize"] == 4096
    disks.world.advance(HOUR / 2)
    assert percent_of(disks, f"{WEST}/snapshots/one") == 50.0
    disks.world.advance(HOUR / 2)
    assert percent_of(disks, f"{WEST}/snapshots/one") == 100.0


def test_three_snapshots_of_a_direct_drive_fill_at_a_time(disks):
    disk = disks.make_disk("data", 750, "PremiumV2_LRS")
    for name in ("a", "b", "c"):
        disks.taken(name, disk)
    assert refusal(disks.take("d", disk)) == (409, "OperationNotAllowed")


def test_a_read_that_is_repeated_waits_for_the_end_when_the_clock_jumps(disks, source):
    copy = disks.copied("copy", source)
    disks.world.clock.auto_advance = True
    assert [percent_of(disks, copy), percent_of(disks, copy)] == [0.0, 100.0]


def test_a_direct_drive_is_not_resized_while_a_snapshot_fills(disks):
    disk = disks.make_disk("data", 750, "PremiumV2_LRS")
    disks.taken("one", disk)
    larger = {"properties": {"diskSizeGB": 800}}
    assert refusal(disks.send("PATCH", disk, larger)) == (409, "OperationNotAllowed")
    disks.world.advance(HOUR)
    assert disks.send("PATCH", disk, larger).status == 202


def test_what_goes_with_its_group_is_no_copy_any_more(disks, source):
    disks.copied("copy", source)
    disks.finish_group(NORTH)
    disks.world.advance(2 * HOUR)
    disks.settings(copiesPerRegion=1)
    assert disks.copy("copy", source, group="rg-app").status == 202


def test_a_copy_whose_source_goes_with_its_group_is_not_complete(disks, source):
    copy = disks.copied("copy", source)
    disks.finish_group(WEST)
    disks.world.advance(2 * HOUR)
    properties = disks.get(copy)["properties"]
    assert properties["completionPercent"] < 100
    assert properties["copyCompletionError"]["errorCode"] == "CopySourceNotFound"
