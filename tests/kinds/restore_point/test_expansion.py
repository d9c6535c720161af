"""Which points are due, which stay, which go, and what is said of it. NOW is 2026-03-02T08:00Z: slot 06:00."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from reconciler.kinds.base import Expansion
from reconciler.kinds.restore_point.due import MOST_POINTS
from reconciler.kinds.restore_point.kind import RestorePointKind
from reconciler.kinds.restore_point.spec import Due, Expiry
from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.live import Unreadable
from reconciler.model.observed import ItemFacts, ItemState
from reconciler.model.resource import Ref, Resource, Spec
from reconciler.model.snapshot_schedule import Keep
from reconciler.plan.finding import Finding, Severity
from tests.kinds.conftest import NOW
from tests.kinds.restore_point.conftest import (
    assign,
    collection,
    collection_resource,
    disks,
    machine,
    point,
    schedule,
)

SLOT = NOW.replace(hour=6)
HOUR = timedelta(hours=1)
VM = machine()
HOME = collection(VM)
Make = Callable[..., Expansion]


def expand(expansion: Expansion) -> tuple[list[Resource], list[Finding]]:
    found = list(RestorePointKind().expand(expansion))
    return [one for one in found if isinstance(one, Resource)], [one for one in found if isinstance(one, Finding)]


def taken(resources: list[Resource]) -> list[datetime]:
    return [one.observed.slot for one in resources if isinstance(one.observed, Due)]


def expired(resources: list[Resource]) -> list[str]:
    return sorted(one.address.name for one in resources if isinstance(one.observed, Expiry))


def present(resources: list[Resource]) -> list[str]:
    return sorted(one.address.name for one in resources if not isinstance(one.observed, (Due, Expiry)))


def codes(findings: list[Finding]) -> list[str]:
    return sorted(one.code for one in findings)


def test_the_first_point_of_a_vm(expansion: Make) -> None:
    resources, findings = expand(expansion([schedule()], [assign(VM)]))
    (first,) = resources
    assert str(first.address) == f"restore_point.prod/rg-app/{HOME.arm_id.name}/20260302T0600Z"
    assert first.spec.collection == Ref.of(HOME.address)
    assert first.arm_id == HOME.arm_id.child("restorePoints", "20260302T0600Z")
    assert (first.observed.slot, first.observed.previous, first.observed.gib_at_most) == (SLOT, None, 192)
    assert findings == []


def test_the_points_of_schedules_of_single_disks_are_no_business_of_this_kind(expansion: Make) -> None:
    assert expand(expansion([schedule(consistency="perDisk")], [assign(VM)])) == ([], [])


@pytest.mark.parametrize(
    ("disks", "luns"), [("all", []), ("osOnly", [0, 1]), ({"only": [1]}, [0]), ({"except": [1]}, [1])]
)
def test_disks_that_are_left_out(expansion: Make, disks: Any, luns: list[int]) -> None:
    (first,), _ = expand(expansion([schedule(disks=disks)], [assign(VM)]))
    assert list(first.spec.excluded) == luns
    assert [one.rpartition("-")[2] for one in first.observed.excluded] == [str(lun) for lun in luns]


@pytest.mark.parametrize(
    ("state", "due"), [("Succeeded", False), ("Creating", False), ("Updating", False), ("Failed", True)]
)
def test_a_slot_is_taken_once_and_again_only_where_azure_failed(expansion: Make, state: str, due: bool) -> None:
    resources, _ = expand(expansion([schedule()], [assign(VM)], [point(HOME, SLOT, state=state)]))
    assert (taken(resources) == [SLOT]) == due
    assert len(resources) == 1
    assert resources[0].address.name == "20260302T0600Z"


def test_a_point_of_a_slot_that_has_not_begun_stands_in_for_none_and_stays(expansion: Make) -> None:
    """A clock was wrong once: neither the cadence stops nor does one too many go because of it."""
    ahead = point(HOME, SLOT + 600 * HOUR, late=-605 * HOUR)
    points = [ahead, *(point(HOME, SLOT - 6 * HOUR * index) for index in (1, 2, 3))]
    resources, findings = expand(expansion([schedule()], [assign(VM)], points))
    assert taken(resources) == [SLOT]
    assert expired(resources) == ["20260301T1200Z"]
    assert ahead not in resources
    assert "snapshot-ahead" in codes(findings)


def test_the_newest_three_stay_and_what_goes_waits_for_the_new_one(expansion: Make) -> None:
    slots = [SLOT - 6 * HOUR * index for index in (1, 2, 3, 4)]
    resources, findings = expand(expansion([schedule()], [assign(VM)], [point(HOME, one) for one in slots]))
    assert taken(resources) == [SLOT]
    assert expired(resources) == ["20260301T0600Z", "20260301T1200Z"]
    new = next(one for one in resources if isinstance(one.observed, Due))
    gone = [one for one in resources if isinstance(one.observed, Expiry)]
    assert {one.spec.waits_for for one in gone} == {Ref.of(new.address)}
    assert not any(one.observed.pruned for one in gone)
    assert findings == []


def test_kept_points_are_the_very_specs_that_are_live(expansion: Make) -> None:
    there = [point(HOME, SLOT), point(HOME, SLOT - 6 * HOUR)]
    resources, _ = expand(expansion([schedule()], [assign(VM)], there))
    assert [any(one.spec is other.spec for other in there) for one in resources] == [True, True]


def test_a_shortened_keep_prunes_what_the_earlier_one_would_hold(expansion: Make) -> None:
    five = collection(VM, keep=Keep(count=5))
    points = [point(five, SLOT - 6 * HOUR * index) for index in range(6)]
    resources, _ = expand(expansion([schedule()], [assign(VM)], points))
    pruned = {one.address.name: one.observed.pruned for one in resources if isinstance(one.observed, Expiry)}
    assert pruned == {"20260301T1200Z": True, "20260301T0600Z": True, "20260301T0000Z": False}


@pytest.mark.parametrize(
    ("mode", "age", "due"),
    [
        ("ApplicationConsistent", 2.5, False),
        ("ApplicationConsistent", 2.8, True),
        ("CrashConsistent", 0.7, False),
        ("CrashConsistent", 0.8, True),
    ],
)
def test_points_keep_their_distance(expansion: Make, mode: str, age: float, due: bool) -> None:
    late = point(HOME, SLOT - 6 * HOUR, late=8 * HOUR - age * HOUR)
    resources, findings = expand(expansion([schedule(restorePointMode=mode)], [assign(VM)], [late]))
    assert bool(taken(resources)) == due
    assert codes(findings) == ([] if due else ["SN-20"])


def test_a_vm_with_500_points_gets_none_and_loses_what_has_run_out_at_once(expansion: Make) -> None:
    foreign = [
        point(HOME, SLOT - HOUR * index, name=f"by-hand-{index}", late=-9 * HOUR) for index in range(MOST_POINTS - 4)
    ]
    ours = [point(HOME, SLOT - 6 * HOUR * index) for index in (1, 2, 3, 4)]
    resources, findings = expand(expansion([schedule()], [assign(VM)], [*foreign, *ours]))
    assert taken(resources) == []
    assert expired(resources) == ["20260301T0600Z"]
    assert [one.spec.waits_for for one in resources if isinstance(one.observed, Expiry)] == [None]
    assert codes(findings) == ["SN-20"]


@pytest.mark.parametrize("sku", ["UltraSSD_LRS", "PremiumV2_LRS"])
def test_crash_mode_takes_no_ultra_disks(expansion: Make, sku: str) -> None:
    wanted = [schedule(restorePointMode="CrashConsistent")]
    (point_,), findings = expand(expansion(wanted, [assign(VM)], disks=disks(VM, sku)))
    assert findings == []
    obstacle = point_.observed.obstacle
    assert (sku in obstacle.why, "SN-21" in obstacle.why, "restorePointMode" in obstacle.manual) == (True, True, True)
    assert list(point_.spec.refs()) == []  # no collection is made for it
    resources, findings = expand(expansion([schedule()], [assign(VM)], disks=disks(VM, sku)))
    assert (len(resources), findings) == (1, [])


def test_a_vm_without_a_managed_os_disk_is_blocked_and_keeps_what_it_has(expansion: Make) -> None:
    ephemeral = machine(disks=VM.disks[1:])
    there = [point(HOME, SLOT - 6 * HOUR * index) for index in (1, 2, 3, 4)]
    resources, findings = expand(expansion([schedule()], [assign(ephemeral)], there))
    (blocked,) = [one for one in resources if isinstance(one.observed, Due)]
    assert ("SN-21" in blocked.observed.obstacle.why, findings) == (True, [])
    assert (len(present(resources)), len(expired(resources))) == (3, 1)
    failed = point(HOME, SLOT, state="Failed")
    resources, _ = expand(expansion([schedule()], [assign(ephemeral)], [failed]))
    assert [one.address for one in resources] == [failed.address]


@pytest.mark.parametrize(("luns", "idle"), [([0], ""), ([7], "7"), ([0, 9, 7], "7, 9")])
@pytest.mark.parametrize("key", ["only", "except"])
def test_a_lun_that_none_of_the_vms_has_is_told_once(expansion: Make, key: str, luns: list[int], idle: str) -> None:
    vms = [machine(name) for name in ("app-01", "app-02")]
    resources, findings = expand(expansion([schedule(disks={key: luns})], [assign(vm) for vm in vms]))
    assert len(resources) == 2
    expected = [f"SnapshotSchedule six-hourly disks.{key}: none of its VMs has a data disk with LUN {idle}"]
    assert [one.message for one in findings] == (expected if idle else [])


class Anything(Spec, frozen=True, kw_only=True):
    pass


def backup(age: timedelta) -> Resource:
    facts = ItemFacts(
        state=ItemState.PROTECTED,
        vault_id=ArmId("/v"),
        item_id=ArmId("/i"),
        machine_id=VM.arm_id,
        last_recovery_point=NOW - age,
    )
    return Resource(Address("protected_vm", VM.scope, VM.name), Anything(), observed=facts)


@pytest.mark.parametrize(("age", "due"), [(11, False), (12, True), (30, True)])
def test_a_young_recovery_point_makes_one_needless(expansion: Make, age: int, due: bool) -> None:
    wanted = [schedule(skipIfRecoveryPointWithin="12h")]
    resources, findings = expand(expansion(wanted, [assign(VM)], [backup(age * HOUR)]))
    assert bool(taken(resources)) == due
    assert codes(findings) == ([] if due else ["recovery-point-there"])


def test_slots_that_passed_are_named_and_only_the_current_one_is_taken(expansion: Make) -> None:
    resources, (finding,) = expand(expansion([schedule()], [assign(VM)], [point(HOME, SLOT - 24 * HOUR)]))
    assert taken(resources) == [SLOT]
    assert (finding.code, finding.severity, finding.topic) == ("snapshot-late", Severity.WARNING, "objectives")
    assert "3 slots" in finding.message
    assert "2026-03-01T12:00Z to 2026-03-02T00:00Z" in finding.message


def test_slots_that_a_recovery_point_made_needless_were_not_missed(expansion: Make) -> None:
    there = [point(HOME, SLOT - 24 * HOUR), backup(14 * HOUR)]
    resources, findings = expand(expansion([schedule(skipIfRecoveryPointWithin="12h")], [assign(VM)], there))
    assert taken(resources) == [SLOT]
    assert findings == []


@pytest.mark.parametrize(("backed_up", "missed"), [(False, ["rpo-missed"]), (True, [])])
def test_the_rpo_is_judged_on_points_where_nothing_else_backs_up(
    expansion: Make, backed_up: bool, missed: list[str]
) -> None:
    there = [point(HOME, SLOT - 6 * HOUR), *([backup(HOUR)] if backed_up else [])]
    _, findings = expand(expansion([schedule()], [assign(VM, rpo="4h")], there))
    assert codes(findings) == missed


def test_less_consistency_than_asked_for_is_told_of_the_newest(expansion: Make) -> None:
    there = [
        point(HOME, SLOT, consistency="CrashConsistent"),
        point(HOME, SLOT - 6 * HOUR, consistency="FileSystemConsistent"),
    ]
    _, findings = expand(expansion([schedule()], [assign(VM)], there))
    assert codes(findings) == ["snapshot-less-consistent"]
    _, findings = expand(expansion([schedule(restorePointMode="CrashConsistent")], [assign(VM)], there))
    assert findings == []


def test_points_of_a_vm_that_is_gone_run_out_but_the_last(expansion: Make) -> None:
    points = [point(HOME, SLOT - 240 * HOUR), point(HOME, SLOT - 480 * HOUR)]
    wanted = [schedule(keep={"age": "3d"})]
    resources, (finding,) = expand(expansion(wanted, [], points, machines=()))
    assert expired(resources) == ["20260210T0600Z"]
    assert present(resources) == ["20260220T0600Z"]
    assert (finding.code, finding.severity) == ("orphan", Severity.WARNING)
    assert "2 restore points" in finding.message
    assert HOME.arm_id.name in finding.advice


def test_points_of_a_vm_and_a_schedule_that_are_gone_stay(expansion: Make) -> None:
    resources, findings = expand(expansion([], [], [point(HOME, SLOT - 240 * HOUR)], machines=()))
    assert present(resources) == ["20260220T0600Z"]
    assert codes(findings) == ["orphan", "snapshot-schedule-unknown"]
    assert "they stay: the schedule is not declared any longer" in findings[-1].message


def test_a_vm_that_is_no_longer_selected_gets_none(expansion: Make) -> None:
    resources, (finding,) = expand(expansion([schedule()], [], [point(HOME, SLOT - 6 * HOUR)], machines=(VM,)))
    assert present(resources) == ["20260302T0000Z"]
    assert (finding.code, finding.severity) == ("snapshot-not-selected", Severity.INFO)
    assert "stay, as no new ones come" in finding.message
    by_age = schedule(keep=Keep(age="30d"))
    _, (finding,) = expand(expansion([by_age], [], [point(HOME, SLOT - 6 * HOUR)], machines=(VM,)))
    assert "they run out, but the last" in finding.message


def test_points_of_a_schedule_that_is_not_declared_stay(expansion: Make) -> None:
    lost = collection(VM, of="lost")
    points = [point(lost, SLOT - 24 * HOUR * index) for index in range(1, 9)]
    resources, (finding,) = expand(expansion([schedule()], [], points, machines=(VM,)))
    assert (len(present(resources)), expired(resources)) == (8, [])
    assert finding.code == "snapshot-schedule-unknown"


def test_the_last_point_of_an_old_schedule_goes_when_a_newer_one_is_there(expansion: Make) -> None:
    """The newest of each schedule stays only while it is the newest of the VM."""
    old, both = collection(VM, of="old"), [schedule(), schedule("old", keep={"age": "3d"})]
    there = [point(old, SLOT - 240 * HOUR), point(HOME, SLOT)]
    resources, _ = expand(expansion(both, [assign(VM)], there))
    assert (expired(resources), present(resources)) == (["20260220T0600Z"], ["20260302T0600Z"])
    resources, _ = expand(expansion(both, [assign(VM)], [there[0], point(HOME, SLOT - HOUR, state="Failed")]))
    assert [one.spec.waits_for is not None for one in resources if isinstance(one.observed, Expiry)] == [True, True]


def gap(kind: str, scope: str) -> Unreadable:
    return Unreadable(kinds=(kind,), scope=scope, message="could not be read")


@pytest.mark.parametrize(
    ("unreadable", "spares"),
    [
        (gap("virtual_machine", "prod"), True),
        (gap("disk", "prod"), True),
        (gap("restore_point", "prod"), True),
        (gap("restore_point", collection(VM, of="other").scope), True),
        (gap("restore_point", "prod/rg-app/of-nobody-we-know"), True),
        (gap("restore_point", collection(machine("app-02")).scope), False),
        (gap("virtual_machine", "test"), False),
        (gap("vault", "prod"), False),
    ],
)
def test_nothing_goes_where_anything_about_the_vm_could_not_be_read(
    expansion: Make, unreadable: Unreadable, spares: bool
) -> None:
    homes = [HOME, collection(VM, of="other"), collection(machine("app-02"))]
    there = [point(HOME, SLOT - 6 * HOUR * index) for index in range(5)]
    resources, _ = expand(
        expansion([schedule()], [assign(VM)], [*there, *map(collection_resource, homes)], unreadable=(unreadable,))
    )
    assert (expired(resources) == []) == spares


@pytest.mark.parametrize("state", ["Creating", "Updating"])
def test_what_is_under_way_holds_nothing_and_does_not_go(expansion: Make, state: str) -> None:
    """It takes no place among the newest three until it is whole, and is not deleted either."""
    there = [point(HOME, SLOT, state=state), *(point(HOME, SLOT - 6 * HOUR * index) for index in (1, 2, 3))]
    resources, _ = expand(expansion([schedule()], [assign(VM)], there))
    assert (len(present(resources)), expired(resources)) == (4, [])


def test_what_others_put_into_our_collections_and_what_is_going_is_left_alone(expansion: Make) -> None:
    there = [
        point(HOME, SLOT),
        point(HOME, SLOT - 6 * HOUR, state="Deleting"),
        point(HOME, SLOT - 600 * HOUR, name="by-hand"),
    ]
    resources, _ = expand(expansion([schedule(keep={"count": 1})], [assign(VM)], there))
    assert [one.address.name for one in resources] == ["20260302T0600Z"]


def test_a_failed_one_of_an_earlier_slot_goes(expansion: Make) -> None:
    there = [point(HOME, SLOT), point(HOME, SLOT - 6 * HOUR, state="Failed")]
    resources, _ = expand(expansion([schedule()], [assign(VM)], there))
    (gone,) = [one for one in resources if isinstance(one.observed, Expiry)]
    assert gone.observed.failed
    assert gone.address.name == "20260302T0000Z"


def test_another_cadence_takes_nothing_older_than_what_is_there(expansion: Make) -> None:
    """The slot of a day begins before the newest point of six-hour slots: nothing is due until tomorrow."""
    there = [point(HOME, SLOT)]
    resources, findings = expand(expansion([schedule(every="24h")], [assign(VM)], there))
    assert (taken(resources), findings) == ([], [])


def test_names_of_vms_in_any_casing_are_one(expansion: Make) -> None:
    shouted = dataclasses.replace(HOME, machine=ArmId(str(VM.arm_id).upper()))
    resources, _ = expand(expansion([schedule()], [assign(VM)], [point(shouted, SLOT)]))
    assert taken(resources) == []
