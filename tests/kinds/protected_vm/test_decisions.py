"""What comes of one VM, for every state and wish: cases/protected_vm/decisions.yaml."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.diff.engine import compare
from reconciler.kinds.protected_vm.kind import ProtectedVmKind
from reconciler.kinds.registry import kinds
from reconciler.model.live import Unreadable
from reconciler.model.machine import Machine
from reconciler.plan.change import Action, Effect, Reason
from reconciler.plan.finding import Finding, Severity
from reconciler.plan.plan import Plan
from tests.kinds.protected_vm.conftest import Estate

FILE = Path(__file__).parents[2] / "cases" / "protected_vm" / "decisions.yaml"
CASES = yaml.safe_load(FILE.read_text())


def arrange(case: dict[str, Any], estate: Estate, web: Machine) -> Estate:
    estate.machines = [] if case.get("gone") else [web]
    estate.wishes = [(web, case["wish"])] if "wish" in case else []
    estate.items = [
        (item.get("vault", "rsv-weu-01"), {key: value for key, value in item.items() if key != "vault"})
        for item in case.get("items", [])
    ]
    estate.vaults["rsv-weu-01"] = case.get("vault", {})
    estate.vaults.update(case.get("vaults", {}))
    estate.facts["rsv-weu-01"] = case.get("facts", {})
    return estate


@pytest.mark.parametrize("case", [pytest.param(case, id=case["case"]) for case in CASES])
def test_decision(case: dict[str, Any], estate: Estate, machine: Callable[..., Machine]) -> None:
    arrange(case, estate, machine())
    found = [item for item in ProtectedVmKind().expand(estate.expansion()) if isinstance(item, Finding)]
    plan = compare(estate.situation(), kinds(), found)
    changes = [change for change in plan.changes if change.kind == "protected_vm"]

    codes = [item.code for item in plan.findings if item.address.startswith("protected_vm") or not item.address]
    assert sorted(codes) == sorted(case.get("findings", [])), plan.findings
    assert not [item for item in plan.findings if item.severity is Severity.ERROR]
    if case["action"] == "none":
        assert changes == []
        return
    (change,) = changes
    assert change.action is Action(case["action"]), change.why
    assert [step.verb for step in change.steps] == case.get("steps", [])
    assert [item.effect for item in change.consequences] == [Effect(name) for name in case.get("effects", [])]
    assert change.reason.value == case.get("reason", change.reason.value)
    texts = [change.why, change.manual, *(item.text for item in change.consequences)]
    assert any(case.get("says", "") in text for text in texts), texts
    approved = [step.verb for step in change.steps if step.needs_approval]
    assert approved == case.get("approval", [])
    assert change.action is not Action.BLOCKED or (change.why and change.manual)


SETTINGS = Unreadable(("vault_settings",), "prod/rg-backup/rsv-weu-01", "the settings of vault rsv-weu-01 are unread")
ITEMS = Unreadable(
    ("protected_vm",), "prod/rg-backup/rsv-weu-01", "the VMs of rsv-weu-01 are unread", location="westeurope"
)


def plan_with(estate: Estate, *gaps: Unreadable) -> Plan:
    """The plan where these could not be read, and nothing behind them is known."""
    live = estate.live()
    seen = {address: found for address, found in live.state.items() if not any(gap.hides(address) for gap in gaps)}
    return compare(estate.situation(dataclasses.replace(live, state=seen, unreadable=gaps)), kinds())


@pytest.mark.parametrize(
    ("wish", "item", "vault", "action"),
    [
        ({"policy": "short"}, {}, {}, Action.BLOCKED),
        ({"policy": "daily"}, {"policy": "short"}, {}, Action.UPDATE),
        ({"policy": "daily"}, {"state": "ProtectionStopped"}, {}, Action.UPDATE),
        ({"policy": "daily"}, {"deleted": "2026-02-25T08:00:00Z"}, {}, Action.UNDELETE),
        (None, {}, {"onRelease": "stopRetain"}, Action.RELEASE),
        (None, {}, {"onRelease": "suspend"}, Action.BLOCKED),
        (None, {}, {"onRelease": "deleteData"}, Action.BLOCKED),
    ],
)
def test_only_what_hangs_on_the_settings_of_a_vault_waits_for_them(
    estate: Estate, machine: Callable[..., Machine], wish: Any, item: dict[str, Any], vault: Any, action: Action
) -> None:
    arrange({"items": [item], "vault": vault, **({"wish": wish} if wish else {})}, estate, machine())
    (change,) = [change for change in plan_with(estate, SETTINGS).changes if change.kind == "protected_vm"]
    assert change.action is action
    if action is Action.BLOCKED:
        assert (change.reason, change.steps) == (Reason.UNREADABLE, ())
        assert SETTINGS.message in change.why
        assert change.manual


@pytest.mark.parametrize(
    ("facts", "unknown", "blocked"),
    [
        ({}, True, False),
        ({"subscription": "test"}, False, True),
        ({"location": "northeurope"}, False, False),
    ],
)
def test_an_unread_vault_hides_the_vms_of_its_region_and_subscription_and_those_that_belong_into_it(
    estate: Estate, machine: Callable[..., Machine], facts: dict[str, Any], unknown: bool, blocked: bool
) -> None:
    vm = machine(**facts)
    wish = {"policy": "daily", "vault": "rsv-weu-01"} if blocked else {"policy": "daily"}
    plan = plan_with(arrange({"wish": wish}, estate, vm), ITEMS)
    changes = [change for change in plan.changes if change.kind == "protected_vm"]
    assert bool(plan.unknown) is unknown
    assert [change.reason is Reason.UNREADABLE for change in changes] == ([] if unknown else [blocked])


def test_an_unread_vault_hides_no_vm_of_another_subscription_that_has_a_vault_of_its_own(
    estate: Estate, machine: Callable[..., Machine]
) -> None:
    estate.vaults["rsv-test"] = {"subscription": "test"}
    plan = plan_with(arrange({"wish": {"policy": "daily"}}, estate, machine(subscription="test")), ITEMS)
    assert plan.unknown == ()
    assert [change.action for change in plan.changes if change.kind == "protected_vm"] == [Action.CREATE]
