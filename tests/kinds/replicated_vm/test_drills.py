"""What a drill makes carries its VM's tags, and goes again: no policy speaks of it."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from tests.kinds.replicated_vm.conftest import SUBSCRIPTION, Estate, item, machine

MADE = f"{SUBSCRIPTION}/resourceGroups/rg-dr/providers/Microsoft.Compute/virtualMachines/web-01-test"
TESTED = {"tfoAzureVMName": "web-01-test"}
STATES = [
    pytest.param({}, True, id="no drill: whoever has that name is a VM of its own"),
    pytest.param({"currentScenario": {"scenarioName": "TestFailover"}}, False, id="while it runs"),
    pytest.param({"testFailoverState": "WaitingForCompletion"}, False, id="until it is cleaned up"),
    pytest.param({"currentScenario": {"scenarioName": "TestFailoverCleanup"}}, False, id="while it is cleaned up"),
]


@pytest.mark.parametrize(("state", "selected"), STATES)
def test_what_a_drill_makes_is_selected_by_no_policy(estate: Estate, state: dict[str, Any], selected: bool) -> None:
    home = estate.add(machine())
    made = estate.add(machine("web-01-test", resource_group="rg-dr", location="northeurope"))
    assert str(made.arm_id) == MADE
    estate.items.append(item(home, **state, details=TESTED))
    assert [one.name for one in estate.live().selectable] == [home.name, *([made.name] if selected else [])]
    assert len(estate.live().machines) == 2


def test_azure_s_own_word_for_it_counts_too(estate: Estate) -> None:
    """The name may have been another when the drill began."""
    home, made = estate.add(machine()), estate.add(machine("old-test", resource_group="rg-dr"))
    drilled = {"testFailoverRecoveryFabricObjectId": str(made.arm_id).lower()}
    estate.items.append(item(home, testFailoverState="WaitingForCompletion", details={**TESTED, **drilled}))
    assert estate.live().selectable == (home,)
    assert dataclasses.replace(estate.live(), state={}).selectable == (home, made)
