"""Which snapshots and restore points are told of a VM, and what holds them."""

from __future__ import annotations

from dataclasses import replace

from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.disk import Disk
from reconciler.model.document import Declared
from reconciler.model.keeping import spell_keep
from reconciler.model.live import Live, Unreadable
from reconciler.model.resource import Resource
from reconciler.model.slots import spell_slot
from reconciler.model.snapshot_schedule import Keep
from reconciler.restore.listing import list_holdings
from tests.restore.conftest import APP, GROUP, NOW
from tests.restore.test_choice import ABROAD, HOME, NEW, OLD, estate, point, snapshot

OLDER = "2026-03-01T18:00Z"


def with_disk(live: Live) -> Live:
    disk = Disk(ArmId(f"{GROUP}/providers/Microsoft.Compute/disks/d-0"), "unique-0", HOME, 64)
    return replace(live, disks=(disk,))


def kept(live: Live, declared: Declared) -> list[tuple[str, str, tuple[str, ...]]]:
    rows = list_holdings("app-01", declared, live, NOW).ours
    return [(spell_slot(row.slot), row.disk, row.kept) for row in rows if row.slot]


def test_each_disk_is_held_by_the_rules_of_the_schedule_as_it_is_today(declared: Declared) -> None:
    """`keep: {count: 2}`: of three slots the oldest is held by nothing any longer."""
    live = estate(*(snapshot(place, slot) for place in ("0", "os") for slot in (OLDER, OLD, NEW)))
    assert kept(live, declared) == [
        (NEW, "os", ("newest", "count")),
        (NEW, "0", ("newest", "count")),
        (OLD, "os", ("count",)),
        (OLD, "0", ("count",)),
        (OLDER, "os", ()),
        (OLDER, "0", ()),
    ]


def test_of_a_schedule_that_is_not_declared_the_tag_tells(declared: Declared) -> None:
    made_under = {"schedule": "gone", "keep": spell_keep(Keep(age="30d"))}
    untold = {"schedule": "no-tag", "keep": ""}
    live = estate(snapshot("os", OLD, **made_under), snapshot("os", NEW, **untold))
    assert kept(live, declared) == [(NEW, "os", ("schedule not declared",)), (OLD, "os", ("newest", "age"))]


def test_a_copy_stands_with_its_original_and_for_itself_where_that_is_gone(declared: Declared) -> None:
    original = snapshot("os")
    assert original.arm_id is not None
    copy = snapshot("os", region=ABROAD, copy_of=original.arm_id, completion=40.0)
    (row,) = list_holdings("app-01", declared, estate(original, copy), NOW).ours
    assert [(item.region, item.completion) for item in row.copies] == [(ABROAD, 40.0)]
    assert "40 %" in row.copies[0].state
    (alone,) = list_holdings("app-01", declared, estate(copy), NOW).ours
    assert (alone.region, alone.copies) == (ABROAD, ())


def test_snapshots_of_the_same_disks_that_are_not_ours_stand_apart(declared: Declared) -> None:
    def foreign(name: str, disk: str) -> Resource:
        made = snapshot("0")
        facts = replace(made.observed, schedule="", slot=None, machine_id=None, place="", disk_unique_id=disk)
        return replace(made, address=Address("snapshot", "prod/rg-app", name), observed=facts)

    live = with_disk(estate(foreign("theirs", "unique-0"), foreign("of-another-disk", "unique-9")))
    holdings = list_holdings("app-01", declared, live, NOW)
    assert holdings.ours == ()
    assert [row.name for row in holdings.others] == ["prod/rg-app/theirs"]


def test_a_restore_point_is_one_line_for_all_disks(declared: Declared) -> None:
    (row,) = list_holdings("app-01", declared, estate(point()), NOW).ours
    assert (row.kind, row.disk, row.consistency) == ("restore_point", "os, 0", "ApplicationConsistent")


def test_a_vm_that_is_gone_is_named_by_its_snapshots(declared: Declared) -> None:
    holdings = list_holdings("rg-app/APP-01", declared, estate(snapshot("os"), gone=True), NOW)
    assert (holdings.gone, holdings.label, holdings.machine) == (True, "prod/rg-app/app-01", ArmId(APP))


def test_what_could_not_be_read_is_told(declared: Declared) -> None:
    gap = Unreadable(("snapshot",), "prod", "the list of snapshots in subscription prod could not be read")
    holdings = list_holdings("app-01", declared, replace(estate(), unreadable=(gap,)), NOW)
    assert holdings.unread == (gap.message,)
