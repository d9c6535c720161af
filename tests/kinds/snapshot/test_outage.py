"""After an outage longer than the retention: new ones are taken, old ones stay until a person lets them go (G107)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from reconciler.apply.basis import check_basis
from reconciler.cli.drift import exit_code as drift_code
from reconciler.cli.plan import exit_code as plan_code
from reconciler.errors import ExitCode, StalePlanError
from reconciler.plan.change import Change, Reason
from reconciler.plan.file import load, save
from reconciler.workflow import Wishes
from tests.kinds.snapshot.test_emulated import Shop, opened

FEW = {"limits": {"snapshotDeletes": {"percent": 20, "count": 2}}}
ALLOWED = Wishes(allowances={"G107": 6})


def actions(changes: Iterable[Change]) -> list[str]:
    return sorted(change.action.value for change in changes)


async def outage(shop: Shop) -> None:
    """Six runs, and ten days of none."""
    shop.scope = FEW
    for _ in range(6):
        await shop.apply(await shop.plan())
        shop.advance(hours=6)
    shop.advance(days=10)


async def test_the_cadence_goes_on_and_the_old_ones_stay_until_they_are_let_go(tmp_path: Path) -> None:
    async with opened(tmp_path, keep={"age": "3d"}) as shop:
        await outage(shop)
        for run in range(3):
            plan = await shop.plan()
            assert (actions(plan.changes), actions(plan.deferred)) == (["create"], ["delete"] * 6), run
            assert {change.reason for change in plan.deferred} == {Reason.EXPIRED}
            (finding,) = [item for item in plan.findings if item.code == "G107"]
            assert "6 of 6 snapshots in prod would be deleted and 1 taken" in finding.message or run
            assert "--allow G107=6" in finding.advice
            assert plan_code(plan, detailed=False) is ExitCode.OK
            assert plan_code(plan, detailed=True) is ExitCode.CHANGES
            assert drift_code(plan) is ExitCode.OK
            assert await shop.apply(plan) == ["create"]
            shop.advance(hours=6)
        plan = await shop.plan(ALLOWED)
        assert (plan.deferred, plan.allowed) == ((), ("G107=6",))
        assert sorted(await shop.apply(plan)) == ["create", *["delete"] * 6]
        assert (await shop.plan()).empty


async def test_a_saved_plan_holds_back_and_lets_go_as_it_was_saved(tmp_path: Path) -> None:
    async with opened(tmp_path, keep={"age": "3d"}) as shop:
        await outage(shop)
        held, let_go = tmp_path / "held.json", tmp_path / "let-go.json"
        save(await shop.plan(), held)
        save(await shop.plan(ALLOWED), let_go)
        fresh = await shop.plan(
            Wishes(allowances={"G107": 5})
        )  # fewer than there are: as if more had expired meanwhile
        assert (actions(fresh.changes), len(fresh.deferred)) == (["create"], 6)
        assert actions(check_basis(load(held), fresh).actionable) == ["create"]
        run = check_basis(load(let_go), fresh)
        assert actions(run.actionable) == ["create", *["delete"] * 6]
        await shop.apply(run)
        assert (await shop.plan()).empty


async def test_the_first_one_of_a_saved_plan_is_not_taken_once_its_slot_is_over(tmp_path: Path) -> None:
    async with opened(tmp_path) as shop:
        saved = tmp_path / "plan.json"
        plan = await shop.plan()
        assert [change.reason for change in plan.changes] == [Reason.FIRST]
        save(plan, saved)
        assert actions(check_basis(load(saved), await shop.plan()).actionable) == ["create"]
        shop.advance(hours=6)
        with pytest.raises(StalePlanError, match="due when it was made"):
            check_basis(load(saved), await shop.plan())
