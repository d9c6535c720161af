"""Laws over every state, wish and vault: nothing is deleted that nobody asked to delete."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.diff.engine import compare
from reconciler.kinds.protected_vm.kind import ProtectedVmKind
from reconciler.kinds.protected_vm.spec import Disks, ProtectedVmSpec
from reconciler.kinds.registry import kinds
from reconciler.model.machine import Machine
from reconciler.model.resource import Ref
from reconciler.plan.change import Action, Effect
from tests.kinds.protected_vm.conftest import Estate
from tests.kinds.protected_vm.test_decisions import arrange

STATES = [
    {"state": "Protected"},
    {"state": "IRPending", "lastRecoveryPoint": None},
    {"state": "ProtectionError"},
    {"state": "ProtectionStopped"},
    {"state": "ProtectionPaused"},
    {"state": "BackupsSuspended"},
    {"state": "NeverHeardOf"},
    {"deleted": "2026-02-25T08:00:00Z"},
]
items = st.builds(
    lambda state, vault, policy: {**state, "vault": vault, "policy": policy},
    st.sampled_from(STATES),
    st.sampled_from(["rsv-weu-01", "rsv-theirs"]),
    st.sampled_from(["daily", "short", "enhanced", "DefaultPolicy"]),
)
wishes = st.none() | st.fixed_dictionaries(
    {"policy": st.sampled_from(["daily", "short", "enhanced"])},
    optional={
        "moveFrom": st.just(["rsv-theirs"]),
        "disks": st.sampled_from(["all", "osOnly", {"only": [0]}, {"except": [1]}]),
    },
)
cases = st.builds(
    lambda wish, items, release, facts, gone: {
        **({"wish": wish} if wish else {}),
        "items": items,
        "vault": {"onRelease": release},
        "facts": facts,
        "gone": gone and not wish,
    },
    wishes,
    st.lists(items, max_size=2, unique_by=lambda item: item["vault"]),
    st.sampled_from(["keep", "stopRetain", "suspend", "deleteData"]),
    st.fixed_dictionaries(
        {"immutability": st.sampled_from(["Disabled", "Unlocked", "Locked"]), "resource_guard": st.booleans()}
    ),
    st.booleans(),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=cases)
def test_nothing_is_deleted_unless_the_vault_says_so(case: dict[str, Any], machine: Any) -> None:
    web: Machine = machine()
    plan = compare(arrange(case, Estate(), web).situation(), kinds())
    for change in plan.changes:
        verbs = [step.verb for step in change.steps]
        if "delete" in verbs:
            assert change.action is Action.DELETE
            assert change.effect is Effect.DELETES
            assert case["vault"]["onRelease"] == "deleteData"
            assert "wish" not in case
            assert not case["gone"]
            assert case["facts"]["immutability"] == "Disabled"
        if change.action is Action.BLOCKED:
            assert (verbs, change.consequences) == ([], ())
            assert change.why
            assert change.manual
        else:
            assert verbs
        assert len({step.id for step in change.steps}) == len(verbs)
        assert all(step.lane and step.permission for step in change.steps)


@pytest.mark.parametrize("mode", ["all", "osOnly", "only", "except"])
@pytest.mark.parametrize("luns", [(), (1, 0), (2, 2)])
def test_normal_form_is_reached_at_once(mode: Any, luns: tuple[int, ...]) -> None:
    kind = ProtectedVmKind()
    spec = ProtectedVmSpec(policy=None, settings=Ref("vault_settings.p/g/v"), disks=Disks(mode=mode, luns=luns))
    once = kind.normalise(spec)
    assert kind.normalise(once) == once
