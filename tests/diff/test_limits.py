"""Daily allowances split a plan into waves; capacities are errors."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.diff.engine import compare
from reconciler.diff.limits import keep_within_limits
from reconciler.model.scope import Limits
from reconciler.plan.change import Reason
from reconciler.plan.graph import order


def planned(estate: Any, desired: Any, live: Any = (), **limits: int) -> Any:
    situation = estate.situation(desired, live, limits=Limits(**limits))
    return keep_within_limits(compare(situation, estate.kinds), situation, estate.kinds)


def names(changes: Any) -> list[str]:
    return [change.address.split("/")[-1] for change in changes]


def test_a_plan_that_fits_is_left_as_it_is(estate: Any) -> None:
    situation = estate.situation((estate.shelf("low"), estate.box("vm-1")))
    plan = compare(situation, estate.kinds)
    assert keep_within_limits(plan, situation, estate.kinds) is plan


def test_the_surplus_is_put_off_with_its_dependants(estate: Any) -> None:
    shelves = tuple(estate.shelf(f"hall-{name}") for name in "abc")
    desired = (*shelves, *(estate.box(f"on-{name}", f"hall-{name}") for name in "abc"))
    plan = planned(estate, desired, policy_writes_per_day=2)
    assert names(plan.changes) == ["on-a", "on-b", "hall-a", "hall-b"]
    assert names(plan.deferred) == ["on-c", "hall-c"]
    assert {change.reason for change in plan.deferred} == {Reason.DEFERRED}
    assert len(order(plan.steps())) == 4
    (finding,) = plan.findings
    assert finding.code == "BP-53"
    assert "wave 1 of 2" in finding.message
    assert "run again after 24 hours" in finding.advice


def test_new_protection_goes_before_changes_to_what_is_protected(estate: Any) -> None:
    shelf = estate.shelf("low")
    live = (shelf, *(estate.box(f"a-{index:04}") for index in range(600)))
    desired = (
        shelf,
        *(estate.box(f"a-{index:04}", size="large") for index in range(600)),
        *(estate.box(f"b-{index:04}") for index in range(401)),
    )
    plan = planned(estate, desired, live)
    assert len(plan.changes) == 1000
    assert names(plan.deferred) == ["a-0599"]
    assert "1000 protection changes in 24 hours and this plan has 1001" in plan.findings[-1].message


def test_a_change_larger_than_a_day_is_still_done(estate: Any) -> None:
    assert names(planned(estate, (estate.shelf("low"),), policy_writes_per_day=1).changes) == ["low"]


def test_the_basis_is_that_of_what_is_left(estate: Any) -> None:
    shelf = estate.shelf("low")
    desired = (shelf, *(estate.box(f"a-{index:04}") for index in range(1001)))
    plan = planned(estate, desired, (shelf,), vms_per_vault=1000)
    assert plan.basis == plan.fingerprint


@pytest.mark.parametrize(("there", "coming", "codes"), [(2, 1, []), (2, 2, ["BP-50"]), (4, 0, [])])
def test_a_vault_that_would_be_overfull_is_an_error(estate: Any, there: int, coming: int, codes: Any) -> None:
    shelf = estate.shelf("low")
    live = (shelf, *(estate.box(f"a-{index}") for index in range(there)))
    desired = (*live, *(estate.box(f"b-{index}") for index in range(coming)))
    plan = planned(estate, desired, live, vms_per_vault=3)
    assert [item.code for item in plan.errors] == codes


@pytest.mark.parametrize(("shelves", "codes"), [(200, []), (201, ["BP-51"])])
def test_a_vault_holds_so_many_policies(estate: Any, shelves: int, codes: list[str]) -> None:
    plan = planned(estate, tuple(estate.shelf(f"hall-{number}") for number in range(shelves)))
    assert [item.code for item in plan.errors] == codes


def test_a_move_counts_where_it_arrives(estate: Any) -> None:
    shelves = (estate.shelf("low"), estate.shelf("high"))
    live = (*shelves, estate.box("a", "low"), estate.box("b", "high"))
    desired = (*shelves, estate.box("a", "high"), estate.box("b", "high"))
    plan = planned(estate, desired, live, vms_per_vault=1)
    assert [item.message.split(";")[0] for item in plan.errors] == ["high would hold 2 protected VMs"]
