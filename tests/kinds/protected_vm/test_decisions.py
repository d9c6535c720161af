"""What comes of one VM, for every state and wish: cases/protected_vm/decisions.yaml."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.diff.engine import compare
from reconciler.kinds.protected_vm.kind import ProtectedVmKind
from reconciler.kinds.registry import kinds
from reconciler.model.machine import Machine
from reconciler.plan.change import Action, Effect
from reconciler.plan.finding import Finding, Severity
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
