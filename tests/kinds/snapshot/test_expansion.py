"""What is wanted of every snapshot of ours: taken, kept, copied, expired; and of those of others: nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from reconciler.kinds.snapshot.coming import Coming
from reconciler.model.observed import SnapshotFacts
from reconciler.model.resource import Resource
from reconciler.model.scope import Objectives
from reconciler.plan.finding import Severity
from tests.kinds.conftest import NOW
from tests.kinds.snapshot.estates import HOUR, SIX, Estate, backed_up, disk, foreign, gap, machine, schedule, snapshot

DISK = disk()
MIDNIGHT, EVENING, NOON = SIX - 6 * HOUR, SIX - 12 * HOUR, SIX - 18 * HOUR
COPIED = {"copyTo": "northeurope"}


def coming(one: Resource) -> Coming:
    assert isinstance(one.observed, Coming)
    return one.observed


def test_a_disk_without_snapshots_gets_the_first() -> None:
    outlook = Estate().outlook()
    (one,) = outlook.taken
    assert one.address.name.startswith("app-01-os-20260302T0600Z-")
    assert (coming(one).previous, coming(one).whole) == (None, True)
    spec = outlook.spec(one.address.name)
    assert (spec.location, spec.sku, spec.incremental, spec.disk) == (
        "westeurope", "Standard_ZRS", True, str(DISK.arm_id),
    )  # fmt: skip
    assert spec.tags == {
        "reconciler-schedule": "six-hourly",
        "reconciler-slot": "2026-03-02T06:00Z",
        "reconciler-disk": "uid-app-01-os",
        "reconciler-vm": str(machine().arm_id),
        "reconciler-place": "os",
        "reconciler-keep": '{"count":2}',
    }


def test_the_slot_is_taken_once_and_the_oldest_goes_after_it() -> None:
    there = [snapshot(DISK, MIDNIGHT), snapshot(DISK, EVENING)]
    outlook = Estate(live=there).outlook()
    (one,) = outlook.taken
    assert coming(one).previous == MIDNIGHT
    assert outlook.expired == [there[1].address.name]
    waits = outlook.spec(there[1].address.name).waits_for
    assert waits is not None
    assert waits.address == one.address
    assert outlook.resources[there[0].address.name] is there[0]


@pytest.mark.parametrize(
    ("slot", "facts"),
    [
        (SIX, {}),
        (SIX, {"state": "Updating"}),
        (SIX, {"state": "Deleting"}),
        (SIX, {"completion": 12.0}),
        (SIX + HOUR, {}),
    ],
    ids=["there", "being made", "being deleted", "not complete", "of a schedule that was another"],
)
def test_nothing_is_due_while_there_is_one_of_the_slot(slot: Any, facts: dict[str, Any]) -> None:
    outlook = Estate(live=[snapshot(DISK, slot, **facts)]).outlook()
    assert (outlook.taken, outlook.expired) == ([], [])


def test_a_failed_one_is_taken_again_and_older_failed_ones_go() -> None:
    wanted = Estate().outlook().taken[0].address.name
    failed = snapshot(DISK, SIX, wanted, state="Failed")
    older = snapshot(DISK, EVENING, state="Failed")
    kept = [snapshot(DISK, NOON), snapshot(DISK, MIDNIGHT)]
    outlook = Estate(live=[failed, older, *kept]).outlook()
    assert [one.address for one in outlook.taken] == [failed.address]
    assert outlook.spec(wanted).network_access_policy == "AllowAll", "as it was set"
    assert coming(outlook.taken[0]).previous == MIDNIGHT
    assert outlook.expired == sorted([older.address.name, kept[0].address.name])


def test_late_runs_take_the_current_slot_only_and_tell_the_missed() -> None:
    outlook = Estate(live=[snapshot(DISK, SIX - 24 * HOUR)]).outlook()
    assert len(outlook.taken) == 1
    late = outlook.finding("snapshot-late")
    assert "3 slots passed" in late.message
    assert "2026-03-01T12:00Z to 2026-03-02T00:00Z" in late.message
    assert (late.severity, late.topic) == (Severity.WARNING, "objectives")


def test_a_recent_backup_makes_a_snapshot_needless_and_one_unread_does_not() -> None:
    skipping = schedule(skipIfRecoveryPointWithin="12h")
    young, old = backed_up(machine(), NOW - 11 * HOUR), backed_up(machine(), NOW - 12 * HOUR)
    outlook = Estate([skipping], live=[young, snapshot(DISK, SIX - 48 * HOUR)]).outlook()
    assert outlook.taken == []
    assert outlook.codes == ["recovery-point-there"]
    outlook = Estate([skipping], live=[old, snapshot(DISK, SIX - 48 * HOUR)]).outlook()
    assert len(outlook.taken) == 1
    assert "1 slot passed" in outlook.finding("snapshot-late").message  # since the backup, which stood in
    assert len(Estate([skipping], unreadable=(gap("protected_vm"),)).outlook().taken) == 1


@pytest.mark.parametrize(
    ("disks", "names"),
    [
        ("all", ["app-01-0", "app-01-1", "app-01-os"]),
        ("osOnly", ["app-01-os"]),
        ({"only": [1]}, ["app-01-1", "app-01-os"]),
        ({"except": [1]}, ["app-01-0", "app-01-os"]),
    ],
)
def test_which_disks(disks: Any, names: list[str]) -> None:
    held = [disk("app-01-os"), disk("app-01-0"), disk("app-01-1")]
    outlook = Estate([schedule(disks=disks)], held, [machine("app-01", *held)]).outlook()
    assert sorted(coming(one).disk.arm_id.name for one in outlook.taken) == names


def test_several_disks_are_said_not_to_fit_unless_that_is_known() -> None:
    held = [disk("app-01-os"), disk("app-01-0")]
    vm = machine("app-01", *held)
    found = Estate([schedule(consistency=None)], held, [vm]).outlook().finding("SN-15")
    assert "VM app-01" in found.message
    assert Estate([schedule()], held, [vm]).outlook().codes == []
    assert Estate([schedule(consistency="restorePoint")], held, [vm]).outlook().resources == {}


def test_a_shared_disk_is_taken_once() -> None:
    shared = disk("shared")
    vms = [machine("app-01", disk("app-01-os"), shared), machine("app-02", disk("app-02-os"), shared)]
    outlook = Estate(disks=[disk("app-01-os"), disk("app-02-os"), shared], machines=vms).outlook()
    assert len(outlook.taken) == 3


def test_a_disk_made_again_under_its_name_is_another() -> None:
    before = [snapshot(disk(uid="before"), EVENING), snapshot(disk(uid="before"), MIDNIGHT)]
    outlook = Estate([schedule(keep={"count": 1})], live=before).outlook()
    assert coming(outlook.taken[0]).previous is None
    assert outlook.expired == [before[0].address.name]
    assert outlook.finding("orphan").address == str(before[1].address)


def test_tags_of_the_vm_go_first_where_there_is_no_room() -> None:
    tags = {f"tag-{number:02}": "" for number in range(48)} | {"Owner": "vm", "RECONCILER-DISK": "mine"}
    vm = machine(tags=tags)
    outlook = Estate([schedule(tags={"owner": "schedule"})], machines=[vm]).outlook()
    written = outlook.spec(outlook.taken[0].address.name).tags
    assert len(written) == 49  # one is left for reconciler-source of a copy
    assert (written["owner"], written["reconciler-disk"]) == ("schedule", "uid-app-01-os")
    assert "tag-47" not in written
    plain = Estate([schedule(copyTags=False)], machines=[vm]).outlook()
    assert len(plain.spec(plain.taken[0].address.name).tags) == 6


# what goes, and what stays although it should go


def test_what_is_not_ours_is_counted_and_never_spoken_of() -> None:
    there = [foreign(DISK, EVENING), foreign(DISK, NOON, "app-01-os-20260301T1200Z-abcdef")]
    outlook = Estate(live=there).outlook()
    assert {one.address for one in there}.isdisjoint(one.address for one in outlook.resources.values())
    assert "2 snapshots without our tags" in outlook.finding("unmanaged").message


def test_a_foreign_one_of_our_name_is_left_alone() -> None:
    name = Estate().outlook().taken[0].address.name
    outlook = Estate(live=[foreign(DISK, SIX, name)]).outlook()
    assert outlook.resources == {}
    assert name in outlook.finding("snapshot-name-taken").message


@pytest.mark.parametrize("kind", ["virtual_machine", "disk", "snapshot"])
def test_nothing_goes_where_something_could_not_be_read(kind: str) -> None:
    there = [snapshot(DISK, slot) for slot in (SIX, MIDNIGHT, EVENING, NOON)]
    outlook = Estate(live=there, disks=[], machines=[], unreadable=(gap(kind),)).outlook()
    assert (outlook.expired, outlook.codes) == ([], [])
    assert len(outlook.resources) == 4


def test_a_schedule_that_is_not_declared_any_longer_lets_nothing_go() -> None:
    there = [snapshot(DISK, slot, by="gone") for slot in (MIDNIGHT, EVENING, NOON)]
    outlook = Estate(live=there).outlook()
    assert outlook.expired == []
    assert "SnapshotSchedule gone" in outlook.finding("snapshot-schedule-unknown").message


def test_a_vm_that_is_not_selected_gets_no_more_and_the_rest_runs_out() -> None:
    there = [snapshot(DISK, slot, machine_id=machine().arm_id) for slot in (MIDNIGHT, EVENING, NOON)]
    outlook = Estate([schedule(keep={"age": "1h"})], selected=[], live=there).outlook()
    assert outlook.taken == []
    assert outlook.expired == sorted(one.address.name for one in there[1:])
    assert outlook.codes == ["snapshot-not-selected"]


def test_the_last_usable_one_of_a_disk_stays() -> None:
    usable, broken = snapshot(DISK, NOON), snapshot(DISK, SIX, state="Updating")
    outlook = Estate([schedule(keep={"count": 1})], live=[usable, broken]).outlook()
    assert outlook.expired == []
    spared = outlook.finding("snapshot-spared")
    assert spared.address == str(usable.address)
    assert "the last" in spared.message
    other = snapshot(DISK, SIX - 200 * HOUR, by="weekly")
    both = Estate([schedule(keep={"count": 1}), schedule("weekly", every="1w")], live=[usable, broken, other]).outlook()
    assert both.expired == [usable.address.name]


def test_what_is_exported_or_copied_stays() -> None:
    exported = snapshot(DISK, NOON, disk_state="ActiveSAS")
    source = snapshot(DISK, EVENING)
    copy = foreign(DISK, SIX, "elsewhere", region="northeurope", completion=40.0, copy_of=source.observed.arm_id)
    outlook = Estate(live=[exported, source, copy, snapshot(DISK, MIDNIGHT), snapshot(DISK, SIX)]).outlook()
    assert outlook.expired == []
    assert outlook.codes == ["snapshot-spared", "snapshot-spared", "unmanaged"]


def test_pruned_is_what_the_schedule_would_keep_if_it_had_not_been_changed() -> None:
    changed = schedule(keep={"count": 2})
    slots = (SIX, MIDNIGHT, EVENING, NOON)
    there = [snapshot(DISK, slot, keep='{"count":3}') for slot in slots]
    outlook = Estate([changed], live=there).outlook()
    pruned = {name: outlook.resources[name].observed.pruned for name in outlook.expired}
    assert pruned == {there[2].address.name: True, there[3].address.name: False}


def test_after_a_change_was_let_through_old_ones_run_out_by_time() -> None:
    """Kept for 14 d before, for 12 h since midnight: what was younger than that at midnight was not pruned then."""
    changed = schedule(keep={"age": "12h"})
    now_made, before = {"keep": '{"age":"12h"}'}, {"keep": '{"age":"14d"}'}
    there = [
        snapshot(DISK, SIX, **now_made),
        snapshot(DISK, MIDNIGHT, **now_made),
        snapshot(DISK, EVENING, **before),
        snapshot(DISK, NOON - 6 * HOUR, **before),
    ]
    outlook = Estate([changed], live=there).outlook()
    pruned = {name: outlook.resources[name].observed.pruned for name in outlook.expired}
    assert pruned == {there[2].address.name: False, there[3].address.name: True}


def test_a_slot_that_has_not_begun_stands_in_for_no_other() -> None:
    """Taken where the clock was a year ahead: it would stop the schedule for a year."""
    ahead = snapshot(DISK, SIX + 365 * 24 * HOUR)
    there = [snapshot(DISK, MIDNIGHT), snapshot(DISK, EVENING), ahead]
    outlook = Estate([schedule(keep={"count": 1})], live=there).outlook()
    assert coming(outlook.taken[0]).previous == MIDNIGHT
    assert outlook.expired == sorted(one.address.name for one in there[:2])
    assert outlook.finding("snapshot-ahead").address == str(ahead.address)


# who may export


def test_who_may_export_is_laid_over_those_that_stay() -> None:
    there = [snapshot(DISK, SIX), snapshot(DISK, MIDNIGHT), snapshot(DISK, EVENING)]
    outlook = Estate([schedule(networkAccessPolicy="DenyAll")], live=there).outlook()
    assert outlook.spec(there[0].address.name).network_access_policy == "DenyAll"
    assert outlook.spec(there[1].address.name).network_access_policy == "DenyAll"
    assert outlook.spec(there[2].address.name).network_access_policy == "AllowAll"  # it goes
    assert Estate([schedule(networkAccessPolicy="AllowAll")], live=there[:1]).outlook().of(SnapshotFacts)


# copies


def test_the_first_copy_is_of_the_newest_then_they_follow_in_order() -> None:
    there = [snapshot(DISK, EVENING), snapshot(DISK, MIDNIGHT)]
    (first,) = Estate([schedule(keep={"count": 3}, **COPIED)], live=there).outlook().copied
    assert (coming(first).slot, coming(first).whole, first.location) == (SIX, True, "northeurope")
    done = snapshot(DISK, EVENING, region="northeurope")
    outlook = Estate([schedule(keep={"count": 3}, **COPIED)], live=[*there, done]).outlook()
    second, third = outlook.copied
    assert [coming(one).slot for one in outlook.copied] == [MIDNIGHT, SIX]
    assert outlook.spec(second.address.name).source.address == there[1].address  # type: ignore[union-attr]
    assert outlook.spec(second.address.name).waits_for is None
    assert outlook.spec(third.address.name).source.address == outlook.taken[0].address  # type: ignore[union-attr]
    assert outlook.spec(third.address.name).waits_for.address == second.address  # type: ignore[union-attr]
    assert coming(third).previous == MIDNIGHT


def test_copies_wait_while_one_is_under_way_and_a_failed_one_is_made_again() -> None:
    there = [snapshot(DISK, MIDNIGHT), snapshot(DISK, SIX)]
    name = Estate([schedule(**COPIED)], live=there).outlook().copied[0].address.name
    running = snapshot(DISK, MIDNIGHT, region="northeurope", completion=40.0)
    assert Estate([schedule(**COPIED)], live=[*there, running]).outlook().copied == []
    failed = snapshot(DISK, SIX, name, region="northeurope", copy_error="Broken: no")
    outlook = Estate([schedule(**COPIED)], live=[*there, failed]).outlook()
    assert [one.address for one in outlook.copied] == [failed.address]
    assert outlook.expired == []


def test_copies_run_out_by_the_same_schedule_and_wait_for_those_that_come() -> None:
    there = [snapshot(DISK, SIX), snapshot(DISK, MIDNIGHT)]
    copies = [snapshot(DISK, slot, region="northeurope") for slot in (MIDNIGHT, EVENING, NOON)]
    outlook = Estate([schedule(**COPIED)], live=[*there, *copies]).outlook()
    assert outlook.expired == sorted(one.address.name for one in copies[1:])
    waits = outlook.spec(copies[1].address.name).waits_for
    assert waits is not None
    assert waits.address == outlook.copied[0].address


def test_copies_to_their_own_region_are_blocked_and_snapshots_are_taken() -> None:
    outlook = Estate([schedule(copyTo="westeurope")]).outlook()
    assert (outlook.copied, len(outlook.taken), outlook.codes) == ([], 1, [])
    assert ["where the disk is" in why and "SN-12" in why for why in outlook.blocked] == [True]
    missing = Estate([schedule(copyTo={"region": "northeurope", "resourceGroup": "rg-none"})]).outlook()
    assert (missing.copied, len(missing.taken)) == ([], 1)
    assert missing.blocked == ["the resource group rg-none does not exist in subscription prod"]


def test_what_is_blocked_lets_nothing_go_and_nothing_waits_for_it() -> None:
    ultra = disk(sku="UltraSSD_LRS")
    there = [snapshot(ultra, slot) for slot in (MIDNIGHT, EVENING, NOON)]
    outlook = Estate([schedule(incremental=False)], disks=[ultra], live=there).outlook()
    assert (len(outlook.blocked), outlook.expired) == (1, [there[2].address.name])
    assert outlook.spec(there[2].address.name).waits_for is None
    failed = snapshot(ultra, SIX, Estate(disks=[ultra]).outlook().taken[0].address.name, state="Failed")
    again = Estate([schedule(incremental=False)], disks=[ultra], live=[failed, *there]).outlook()
    assert len(again.blocked) == 1


# limits, and what stands in the way


def test_five_hundred_incrementals_are_the_end_whoever_made_them() -> None:
    there = [foreign(DISK, SIX - number * HOUR, f"by-hand-{number}") for number in range(500)]
    outlook = Estate(live=there).outlook()
    assert outlook.taken == []
    assert "500 incremental snapshots" in outlook.finding("SN-10").message
    assert len(Estate([schedule(incremental=False)], live=there).outlook().taken) == 1
    assert len(Estate(live=there[1:]).outlook().taken) == 1


def test_seven_in_five_minutes_put_the_next_off() -> None:
    there = [foreign(DISK, NOW - timedelta(minutes=4), f"by-hand-{number}") for number in range(7)]
    assert "five minutes" in Estate(live=there).outlook().finding("SN-10").message
    assert len(Estate(live=there[1:]).outlook().taken) == 1


def test_a_hundred_copies_at_once_put_the_others_off() -> None:
    other = disk("other")
    running = [foreign(other, SIX, f"copy-{number}", region="northeurope", completion=1.0) for number in range(100)]
    outlook = Estate([schedule(**COPIED)], live=[snapshot(DISK, SIX), *running]).outlook()
    assert outlook.copied == []
    assert "100 copies to northeurope run" in outlook.finding("SN-12").message


def test_ultra_disks_take_incremental_ones_only_and_three_that_are_not_complete() -> None:
    ultra = disk(sku="UltraSSD_LRS")
    outlook = Estate([schedule(incremental=False)], disks=[ultra]).outlook()
    assert (outlook.taken, outlook.codes) == ([], [])
    assert ["UltraSSD_LRS" in why and "SN-13" in why for why in outlook.blocked] == [True]
    pending = [foreign(ultra, SIX - HOUR, f"p-{number}", completion=3.0) for number in range(3)]
    assert Estate(disks=[ultra], live=pending).outlook().taken == []
    (one,) = Estate(disks=[ultra], live=pending[1:]).outlook().taken
    assert coming(one).background


def test_what_has_no_managed_disk_or_no_group_is_told() -> None:
    ephemeral = machine(disks=())
    unmanaged = machine("app-02", disk("app-02-os"), data_disks=(3,))
    outlook = Estate(disks=[disk("app-02-os")], machines=[ephemeral, unmanaged]).outlook()
    assert [one.observed.disk.arm_id.name for one in outlook.taken] == ["app-02-os"]
    told = sorted(item.message for item in outlook.findings if item.code == "snapshot-no-disk")
    assert ["VM app-01: the OS disk is ephemeral" in told[0], "VM app-02: the data disk with LUN 3" in told[1]] == [
        True
    ] * 2
    missing = Estate([schedule(resourceGroup="rg-none")]).outlook()
    assert (missing.taken, missing.codes) == ([], [])
    assert missing.blocked == ["the resource group rg-none does not exist in subscription prod"]
    unread = Estate([schedule(resourceGroup="rg-none")], unreadable=(gap("resource_group"),)).outlook()
    assert len(unread.taken) == 1
    gone = Estate(disks=[]).outlook()
    assert (gone.taken, gone.codes) == ([], ["snapshot-no-disk"])
    idle = Estate([schedule(disks={"except": [7]})]).outlook()
    assert "LUN 7" in idle.finding("snapshot-no-lun").message


def test_the_promised_rpo_is_kept_by_snapshots_where_there_is_no_backup() -> None:
    promise = Objectives(rpo="4h")
    late = Estate(live=[snapshot(DISK, MIDNIGHT)], objectives=promise)
    assert "8 h old; promised is 4h" in late.outlook().finding("rpo-missed").message
    late.live.append(backed_up(machine(), NOW))
    assert late.outlook().codes == []
    assert Estate(live=[snapshot(DISK, SIX)], objectives=promise).outlook().codes == []
