"""A part of a plan is still a plan that can be carried out."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.diff.engine import compare
from reconciler.diff.targets import narrow
from reconciler.errors import UsageError
from reconciler.plan.graph import order


def narrowed(estate: Any, targets: Any = (), excludes: Any = ()) -> Any:
    desired = (
        estate.shelf("low"),
        estate.shelf("high"),
        estate.box("vm-1", "low"),
        estate.box("vm-2", "low"),
        estate.box("vm-3", "high"),
    )
    situation = estate.situation(desired)
    return narrow(compare(situation, estate.kinds), situation.desired, targets, excludes)


@pytest.mark.parametrize(
    ("targets", "excludes", "kept", "said"),
    [
        ((), (), ["vm-1", "vm-2", "vm-3", "high", "low"], []),
        (("BOX.prod/*/VM-1",), (), ["vm-1", "low"], ["left_out", "taken_along"]),
        (("shelf.*",), (), ["high", "low"], ["left_out"]),
        ((), ("shelf.prod/rg/low",), ["vm-3", "high"], ["left_out", "left_out"]),
        ((), ("box.*",), ["high", "low"], ["left_out"]),
        (("box.*",), ("*/vm-1",), ["vm-2", "vm-3", "high", "low"], ["left_out", "taken_along"]),
        (("*/vm-1",), ("*/low",), [], ["left_out", "left_out"]),
        (("*vm-?",), (), ["vm-1", "vm-2", "vm-3", "high", "low"], ["taken_along"]),
    ],
)
def test_what_is_kept_and_what_is_said(estate: Any, targets: Any, excludes: Any, kept: Any, said: Any) -> None:
    plan = narrowed(estate, targets, excludes)
    assert [change.address.split("/")[-1] for change in plan.changes] == kept
    assert [finding.code for finding in plan.findings] == said
    assert len(order(plan.steps())) == len(kept)
    assert (plan.targets, plan.excludes) == (targets, excludes)
    assert plan.basis == plan.fingerprint


@pytest.mark.parametrize(
    ("targets", "excludes", "kept"),
    [(("*/old",), (), ["new", "old"]), (("*/new",), (), ["new"]), ((), ("*/new",), []), ((), ("*/old",), ["new"])],
)
def test_what_expires_comes_with_what_takes_its_place(estate: Any, targets: Any, excludes: Any, kept: Any) -> None:
    desired = (estate.photo("old", "expired", after="new"), estate.photo("new"))
    situation = estate.situation(desired, (estate.photo("old"),))
    plan = narrow(compare(situation, estate.kinds), situation.desired, targets, excludes)
    assert [change.address.split("/")[-1] for change in plan.changes] == kept


@pytest.mark.parametrize(("targets", "excludes"), [(("box.prod/rg/vm-9",), ()), ((), ("vm-1",)), (("*", "x"), ())])
def test_a_pattern_that_matches_nothing_is_a_slip_of_the_pen(estate: Any, targets: Any, excludes: Any) -> None:
    with pytest.raises(UsageError, match="matches no resource"):
        narrowed(estate, targets, excludes)
