"""Whose a snapshot is: tags say so, and its name and what it was made from must bear them out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from reconciler.kinds.snapshot.names import snapshot_name
from reconciler.kinds.snapshot.tags import Mark, write_mark
from reconciler.kinds.snapshot.wire import SnapshotBody, facts_from
from reconciler.model.arm_id import ArmId
from reconciler.plan.finding import Severity
from tests.kinds.conftest import PROD
from tests.kinds.snapshot.estates import COMPUTE, HOUR, SIX, Estate, disk, foreign, schedule, snapshot

DISK = disk()
MARK = Mark("six-hourly", SIX, "uid")
COPIED = {"createOption": "CopyStart", "sourceResourceId": f"{COMPUTE}/snapshots/s", "sourceUniqueId": "copied"}


def seen(name: str, tags: dict[str, str], creation: dict[str, str]) -> SnapshotBody:
    written: dict[str, Any] = {
        "id": f"{COMPUTE}/snapshots/{name}",
        "name": name,
        "tags": tags,
        "properties": {"creationData": creation},
    }
    return msgspec.convert(written, SnapshotBody)


@pytest.mark.parametrize(
    ("tags", "creation", "against"),
    [
        ({}, {"sourceUniqueId": "UID"}, ""),
        ({}, {}, ""),
        ({"reconciler-slot": "2020-01-01T00:00Z"}, {"sourceUniqueId": "uid"}, "not of the slot"),
        ({"reconciler-slot": "2090-01-01T00:00Z"}, {"sourceUniqueId": "uid"}, "not of the slot"),
        ({"reconciler-disk": "other"}, {"sourceUniqueId": "uid"}, "of another disk"),
        ({"reconciler-schedule": "renamed"}, {"sourceUniqueId": "uid"}, ""),
        ({}, {"sourceUniqueId": "other"}, "of another disk"),
        ({"reconciler-source": "copied"}, COPIED, ""),
        ({"reconciler-source": "other"}, COPIED, "a copy of another snapshot"),
        ({"reconciler-source": "copied"}, {**COPIED, "sourceUniqueId": ""}, ""),
        ({}, {**COPIED, "createOption": "Copy"}, "a copy that somebody made"),
    ],
)
def test_what_speaks_against_tags_makes_a_snapshot_somebody_elses(
    tags: dict[str, str], creation: dict[str, str], against: str
) -> None:
    name = snapshot_name("app-01-os", "uid", "six-hourly", SIX)
    facts = facts_from(seen(name, {**write_mark(MARK), **tags}, creation), PROD, {})
    assert against in facts.disputed
    assert bool(facts.disputed) == bool(against) == (facts.slot is None)


def test_tags_on_a_snapshot_of_another_name_are_not_ours() -> None:
    facts = facts_from(seen("before-the-upgrade", write_mark(MARK), {"sourceUniqueId": "uid"}), PROD, {})
    assert (facts.schedule, facts.slot) == ("", None)


def test_what_is_disputed_is_told_and_never_named() -> None:
    there = [snapshot(DISK, SIX - HOUR * 6 * index) for index in range(4)]
    odd = foreign(DISK, SIX - timedelta(days=900), "odd", disputed="it was taken of another disk")
    outlook = Estate(live=[*there, odd]).outlook()
    assert len(outlook.expired) == 2
    assert "odd" not in outlook.resources
    finding = outlook.finding("snapshot-disputed")
    assert (finding.severity, finding.address) == (Severity.WARNING, "snapshot.prod/rg-app/odd")
    assert "unmanaged" not in outlook.codes


@pytest.mark.parametrize(("incremental", "whole"), [(True, False), (False, True)])
def test_what_others_took_of_a_disk_makes_the_first_of_ours_a_small_one(incremental: bool, whole: bool) -> None:
    """Azure stores what changed since the newest incremental snapshot of the disk, whoever took it (SN-03)."""
    there = foreign(DISK, SIX - HOUR, incremental=incremental)
    (one,) = Estate(live=[there]).outlook().taken
    assert (one.observed.previous, one.observed.whole) == (None, whole)


@pytest.mark.parametrize(("facts", "whole"), [({}, False), ({"completion": 40.0}, True), ({"copy_error": "x"}, True)])
def test_what_another_schedule_copied_makes_the_first_copy_of_ours_a_small_one(
    facts: dict[str, Any], whole: bool
) -> None:
    there = [snapshot(DISK, SIX, by="before"), snapshot(DISK, SIX, by="before", region="northeurope", **facts)]
    (one,) = Estate([schedule(copyTo="northeurope")], live=there).outlook().copied
    assert (one.observed.previous, one.observed.whole) == (None, whole)


@pytest.mark.parametrize(
    ("keep", "said"),
    [
        ({"age": "2d"}, "they run out, but the last"),
        ({"count": 2}, "stay, as no new ones come"),
        ({"age": "2d", "daily": 3}, "stay, as no new ones come"),
    ],
)
def test_what_is_kept_by_number_is_not_said_to_run_out(keep: dict[str, Any], said: str) -> None:
    there = [snapshot(DISK, SIX - timedelta(days=90 + index)) for index in range(2)]
    estate = Estate(schedules=[schedule(keep=keep)], selected=[], live=there)
    outlook = estate.outlook()
    assert said in outlook.finding("snapshot-not-selected").message
    assert len(outlook.expired) == ("age" in keep and "daily" not in keep)
    gone = Estate(schedules=estate.schedules, disks=[], machines=[], live=there).outlook()
    assert said in gone.finding("orphan").message


def test_the_id_of_the_vm_plays_no_part() -> None:
    name = snapshot_name("app-01-os", "uid", "six-hourly", SIX)
    moved = ArmId(f"/subscriptions/{PROD}/resourceGroups/elsewhere/providers/Microsoft.Compute/virtualMachines/app-01")
    tags = write_mark(Mark("six-hourly", SIX, "uid", machine=moved))
    assert facts_from(seen(name, tags, {"sourceUniqueId": "uid"}), PROD, {}).machine_id == moved
