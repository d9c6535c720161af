"""Rules of `backup:`, refused and accepted: cases/protected_vm/rules.yaml."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from reconciler.kinds.base import Assignment
from reconciler.kinds.protected_vm.document import Backup
from reconciler.kinds.protected_vm.machine_rules import MACHINE_RULES, check_machines
from reconciler.kinds.protected_vm.rules import check_backup
from reconciler.model.document import Document
from reconciler.model.machine import Machine
from reconciler.model.protection import Protection
from reconciler.model.scope import Objectives
from reconciler.model.selector import Selector
from reconciler.model.source import Source
from reconciler.plan.finding import Finding, Severity
from tests.kinds.conftest import Positions
from tests.kinds.protected_vm.conftest import Estate

FILE = yaml.safe_load((Path(__file__).parents[2] / "cases" / "protected_vm" / "rules.yaml").read_text())
VERDICTS = ("accepted", "refused")


def examples(chapter: str) -> list[Any]:
    return [
        pytest.param(case, verdict, example, id=f"{case['rule']}-{number}-{verdict}-{index}")
        for number, case in enumerate(FILE[chapter])
        for verdict in VERDICTS
        for index, example in enumerate(case[verdict])
    ]


def protection() -> Document[Protection]:
    value = Protection(select=Selector(names=("*",)), aspects={})
    return Document("Protection", "web", value, Source("policies/web.yaml", 2, 1), Positions())


def judge(case: dict[str, Any], verdict: str, found: list[Finding]) -> None:
    severity = Severity(case.get("severity", "error"))
    same = [item for item in found if item.code == case["rule"] and item.severity is severity]
    if verdict == "accepted":
        assert same == []
        return
    assert same
    assert same[0].source == protection().at(*case["at"])
    assert same[0].advice


@pytest.mark.parametrize(("case", "verdict", "example"), examples("offline"))
def test_offline(case: dict[str, Any], verdict: str, example: dict[str, Any], estate: Estate) -> None:
    aspect = msgspec.convert({"policy": "daily", **example}, Backup)
    judge(case, verdict, list(check_backup(protection(), aspect, estate.declared())))


@pytest.mark.parametrize(("case", "verdict", "example"), examples("machine"))
def test_with_the_machine(
    case: dict[str, Any], verdict: str, example: dict[str, Any], estate: Estate, machine: Callable[..., Machine]
) -> None:
    facts = {key: tuple(value) if isinstance(value, list) else value for key, value in example["vm"].items()}
    if "disks" in facts:
        facts["data_disks"] = tuple(range(facts.pop("disks")))
    aspect = msgspec.convert({key: value for key, value in example.items() if key != "vm"}, Backup)
    source = Source("policies/web.yaml", 5, 1)
    assignment = Assignment(machine(**facts), "backup", aspect, protection(), source, Objectives())
    judge(case, verdict, list(check_machines([assignment], estate.declared())))


def test_every_machine_rule_has_a_case() -> None:
    assert {rule.id for rule in MACHINE_RULES} == {case["rule"] for case in FILE["machine"]}


def test_many_vms_that_break_one_rule_are_one_finding(estate: Estate, machine: Callable[..., Machine]) -> None:
    aspect = msgspec.convert({"policy": "daily", "disks": {"only": [7]}}, Backup)
    source = Source("policies/web.yaml", 5, 1)
    assignments = [
        Assignment(machine(f"web-{number}"), "backup", aspect, protection(), source, Objectives())
        for number in range(9)
    ]
    (found,) = check_machines(assignments, estate.declared())
    assert "web-0, web-1, web-2 and 6 more VMs: no data disk with LUN 7" in found.message
