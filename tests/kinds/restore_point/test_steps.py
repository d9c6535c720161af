"""What a plan does about points, in which order, and how it is told. NOW is 2026-03-02T08:00Z: slot 06:00."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from reconciler.diff.engine import compare
from reconciler.kinds.base import Expansion, Situation
from reconciler.kinds.restore_point.kind import RestorePointKind
from reconciler.model.live import Unreadable
from reconciler.model.resource import Resource
from reconciler.model.snapshot_schedule import Keep
from reconciler.plan.change import Change, Effect
from reconciler.plan.plan import Plan
from tests.kinds.conftest import NOW
from tests.kinds.restore_point.conftest import assign, collection, machine, point, schedule

SLOT = NOW.replace(hour=6)
HOUR = timedelta(hours=1)
VM = machine()
HOME = collection(VM)
Make = Callable[..., Expansion]


def plan_of(made: Expansion) -> Plan:
    kind = RestorePointKind()
    state = {one.address: one for one in kind.expand(made) if isinstance(one, Resource)}
    return compare(Situation(made.declared, state, made.live, made.now), (kind,))


def by_name(plan: Plan) -> dict[str, Change]:
    return {change.address.rpartition("/")[2]: change for change in plan.changes}


def told(change: Change) -> tuple[Effect, str]:
    (one,) = change.consequences
    return one.effect, one.text


def test_a_delete_waits_until_the_new_one_is_taken(expansion: Make) -> None:
    there = [point(HOME, SLOT - 6 * HOUR * index) for index in (1, 2, 3)]
    changes = by_name(plan_of(expansion([schedule()], [assign(VM)], there)))
    assert sorted(changes) == ["20260301T1200Z", "20260302T0600Z"]
    take, delete = changes["20260302T0600Z"].steps[0], changes["20260301T1200Z"].steps[0]
    assert delete.after == (take.id,)
    assert (take.lane, take.exclusive) == (delete.lane, delete.exclusive) == (VM.arm_id.key, True)


def test_a_delete_waits_as_well_for_one_that_is_taken_again(expansion: Make) -> None:
    there = [point(HOME, SLOT, state="Failed"), *(point(HOME, SLOT - 6 * HOUR * index) for index in (1, 2, 3))]
    changes = by_name(plan_of(expansion([schedule()], [assign(VM)], there)))
    again = changes["20260302T0600Z"]
    assert [step.verb for step in again.steps] == ["delete", "take"]
    assert again.steps[1].after == (again.steps[0].id,)
    assert changes["20260301T1200Z"].steps[0].after == (again.steps[1].id,)


def test_nothing_is_planned_for_points_that_cannot_be_seen(expansion: Make) -> None:
    gap = Unreadable(kinds=("restore_point",), scope="prod", message="could not be read")
    plan = plan_of(expansion([schedule()], [assign(VM)], unreadable=(gap,)))
    assert (plan.changes, len(plan.unknown)) == ((), 1)


def test_what_is_told_of_each_change(expansion: Make) -> None:
    five = collection(VM, keep=Keep(count=4))
    there = [
        *(point(five, SLOT - 6 * HOUR * index) for index in (1, 2, 3, 4)),
        point(five, SLOT - 30 * HOUR, state="Failed"),
    ]
    changes = by_name(plan_of(expansion([schedule()], [assign(VM)], there)))
    assert {name: (change.why, *told(change)) for name, change in changes.items()} == {
        "20260302T0600Z": (
            "slot 2026-03-02T06:00Z of schedule six-hourly has none",
            Effect.NONE,
            "only what changed since the one of 2026-03-02T00:00Z (6 h)",
        ),
        "20260301T1200Z": (
            "schedule six-hourly keeps less than when it was taken: the newest 3",
            Effect.PRUNES,
            "prunes what would be kept if the schedule had not been changed (20 h old)",
        ),
        "20260301T0600Z": (
            "retention has ended: schedule six-hourly keeps the newest 3",
            Effect.NONE,
            "1 d 2 h old; the others stay whole without it",
        ),
        "20260301T0000Z": (
            "slot 2026-03-01T00:00Z failed: nothing can be restored from it",
            Effect.NONE,
            "nothing is lost: it failed",
        ),
    }


def test_all_vms_are_told_in_equal_words(expansion: Make) -> None:
    """The view folds changes by likeness: names, ids and sizes of single VMs are no part of the words."""
    vms = [machine(f"app-{number:02}") for number in range(1, 4)]
    there = [point(collection(vm), SLOT - 6 * HOUR * index) for vm in vms for index in (1, 2, 3)]
    changes = plan_of(expansion([schedule()], [assign(vm) for vm in vms], there)).changes
    words = {(one.action, one.why, one.summary, *told(one)) for one in changes}
    assert (len(changes), len(words)) == (6, 2)
