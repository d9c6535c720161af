"""Which collections are wanted, what their tags become, and what is said of those that nobody needs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from reconciler.kinds.base import Comparison, Expansion, Situation, Verdict
from reconciler.kinds.restore_point_collection.kind import RestorePointCollectionKind
from reconciler.kinds.restore_point_collection.spec import CollectionSpec
from reconciler.model.live import Unreadable
from reconciler.model.resource import Resource
from reconciler.model.snapshot_schedule import Keep
from reconciler.plan.change import Action, Effect, FieldChange, Reason
from reconciler.plan.finding import Finding
from tests.kinds.conftest import NOW
from tests.kinds.restore_point.conftest import (
    assign,
    collection,
    collection_resource,
    machine,
    point,
    schedule,
)
from tests.kinds.restore_point.conftest import expansion as expansion  # noqa: PLC0414  # the fixture

VM = machine(tags={"env": "prod"})
HOME = collection(VM)
LIVE = collection_resource(HOME)
KIND = RestorePointCollectionKind()
Make = Callable[..., Expansion]


def expand(made: Expansion) -> tuple[list[Resource], list[Finding]]:
    found = list(KIND.expand(made))
    return [one for one in found if isinstance(one, Resource)], [one for one in found if isinstance(one, Finding)]


def test_a_collection_is_wanted_once_a_point_refers_to_it(expansion: Make) -> None:
    assert expand(expansion([schedule()], [assign(VM)])) == ([], [])
    (one,), _ = expand(expansion([schedule()], [assign(VM)], wanted=frozenset({HOME.address})))
    assert (one.address, one.arm_id, one.location) == (HOME.address, HOME.arm_id, "westeurope")
    spec = one.spec
    assert isinstance(spec, CollectionSpec)
    assert spec.tags == {
        "reconciler-schedule": "six-hourly",
        "reconciler-keep": '{"count":3}',
        "reconciler-vm": str(VM.arm_id),
        "env": "prod",
    }


def test_another_resource_group_is_another_collection(expansion: Make) -> None:
    made = expansion([schedule(resourceGroup="rg-snaps")], [assign(VM)], [LIVE, point(HOME, NOW)])
    resources, findings = expand(made)
    assert (resources, findings) == ([], [])


def test_tags_of_the_vm_are_copied_only_where_asked_and_where_there_is_room(expansion: Make) -> None:
    crowded = machine(tags={f"tag-{number:02}": "x" for number in range(60)})
    wanted = frozenset({collection(crowded).address})
    (one,), _ = expand(expansion([schedule(tags={"TAG-05": "ours"})], [assign(crowded)], wanted=wanted))
    tags = one.spec.tags
    assert len(tags) == 50
    assert tags["TAG-05"] == "ours"
    assert {"tag-05", "tag-59"}.isdisjoint(tags)
    (one,), _ = expand(expansion([schedule(copyTags=False)], [assign(crowded)], wanted=wanted))
    assert len(one.spec.tags) == 3


def test_the_retention_of_a_schedule_in_force_is_written_and_nothing_else(expansion: Make) -> None:
    (one,), _ = expand(expansion([schedule()], [assign(VM)], [LIVE]))
    assert one.spec is LIVE.spec
    (one,), _ = expand(expansion([schedule(keep={"daily": 7})], [assign(VM)], [LIVE]))
    assert one.spec == CollectionSpec(schedule="six-hourly", machine=str(VM.arm_id), keep='{"daily":7}')


@pytest.mark.parametrize(
    ("holds", "hidden", "told"), [(False, False, True), (True, False, False), (False, True, False)]
)
def test_an_empty_one_that_nobody_needs_is_told_and_left(
    expansion: Make, holds: bool, hidden: bool, told: bool
) -> None:
    there = [LIVE, *([point(HOME, NOW, name="by-hand")] if holds else [])]
    gaps = (Unreadable(kinds=("restore_point",), scope=HOME.scope, message="no"),) if hidden else ()
    resources, findings = expand(expansion([schedule()], [], there, unreadable=gaps))
    assert resources == []
    assert [one.code for one in findings] == (["empty-collection"] if told else [])


@pytest.mark.parametrize(
    ("before", "after", "effect"),
    [
        (Keep(count=3), Keep(count=2), Effect.WEAKENS),
        (Keep(count=3), Keep(daily=9), Effect.WEAKENS),
        (Keep(age="2d"), Keep(age="36h"), Effect.WEAKENS),
        (Keep(age="2d"), Keep(age="48h"), Effect.STRENGTHENS),
        (Keep(count=3), Keep(count=3, weekly=1), Effect.STRENGTHENS),
    ],
)
def test_promising_less_is_a_weakening(expansion: Make, before: Keep, after: Keep, effect: Effect) -> None:
    live, wanted = collection_resource(collection(VM, keep=before)), collection_resource(collection(VM, keep=after))
    made = expansion([schedule()], [assign(VM)], [live])
    comparison: Comparison[CollectionSpec] = Comparison(
        live.address, wanted, live, (FieldChange(path="keep"),), Situation(made.declared, {}, made.live, NOW)
    )
    verdict = KIND.judge(comparison)
    assert verdict is None
    (told,) = KIND.consequences(comparison, Verdict(Action.UPDATE, Reason.DIFFERS))
    assert told.effect is effect


def test_a_resource_group_is_never_made(expansion: Make) -> None:
    made = expansion([schedule()], [assign(VM)], wanted=frozenset({HOME.address}))
    (wanted,), _ = expand(made)
    for groups, blocked in ((frozenset({"prod/rg-app"}), False), (frozenset[str](), True)):
        live = dataclasses.replace(made.live, resource_groups=groups)
        situation = Situation(made.declared, {wanted.address: wanted}, live, NOW)
        verdict = KIND.judge(Comparison(wanted.address, wanted, None, (), situation))
        assert (verdict is not None) == blocked
        if verdict:
            assert (verdict.action, verdict.manual) == (
                Action.BLOCKED,
                "az group create --name rg-app --location westeurope --subscription "
                + made.declared.subscriptions["prod"],
            )


def test_only_what_a_full_region_has_no_room_for_is_blocked(expansion: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.kinds.restore_point_collection.expansion.MOST_COLLECTIONS", 2)
    machines = [machine(f"app-{number}") for number in range(3)]
    homes = [collection(one) for one in machines]
    wanted = frozenset(home.address for home in homes[1:])
    made = expansion([schedule()], [assign(one) for one in machines], [collection_resource(homes[0])], wanted=wanted)
    resources, findings = expand(made)
    live = dataclasses.replace(made.live, resource_groups=frozenset({"prod/rg-app"}))
    situation = Situation(made.declared, {}, live, NOW)
    verdicts = {
        one.address: KIND.judge(Comparison(one.address, one, None, (), situation))
        for one in resources
        if one.address in wanted
    }
    first, second = sorted(wanted)
    full = verdicts[second]
    assert (findings, verdicts[first]) == ([], None)
    assert full is not None
    assert (full.action, "SN-20" in full.why) == (Action.BLOCKED, True)
