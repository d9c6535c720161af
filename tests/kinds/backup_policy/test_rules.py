"""Every rule of BackupPolicy refuses what it must, where it must, and nothing else: cases/backup_policy/rules.yaml."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.kinds.backup_policy.document import BackupPolicy
from reconciler.kinds.backup_policy.rules import RULES, check_policy
from reconciler.model.document import Declared, Document
from reconciler.plan.finding import Finding, Severity

FILE = yaml.safe_load((Path(__file__).parents[2] / "cases" / "backup_policy" / "rules.yaml").read_text())
MakePolicy = Callable[..., Document[BackupPolicy]]
Declare = Callable[..., Declared]


def merged(base: Any, change: Any) -> Any:
    if not (isinstance(base, Mapping) and isinstance(change, Mapping)):
        return change
    both = {key: merged(base.get(key), change[key]) if key in change else base[key] for key in {**base, **change}}
    return {key: value for key, value in both.items() if value is not None}


def body_of(example: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    change = {key: value for key, value in example.items() if key not in ("like", "name")}
    return merged(FILE["bases"][example["like"]], change), example.get("name", "daily-30d")


def examples(verdict: str) -> list[Any]:
    return [
        pytest.param(case, example, id=f"{case['rule']}-{case.get('severity', 'error')}-{number}-{index}")
        for number, case in enumerate(FILE["cases"])
        for index, example in enumerate(case[verdict])
    ]


def same_rule(case: Mapping[str, Any], findings: list[Finding]) -> list[Finding]:
    severity = Severity(case.get("severity", "error"))
    return [item for item in findings if item.code == case["rule"] and item.severity is severity]


@pytest.mark.parametrize(("case", "example"), examples("accepted"))
def test_accepted(case: dict[str, Any], example: dict[str, Any], policy: MakePolicy, declare: Declare) -> None:
    findings = list(check_policy(policy(*body_of(example)), declare()))
    assert same_rule(case, findings) == []


@pytest.mark.parametrize(("case", "example"), examples("refused"))
def test_refused(case: dict[str, Any], example: dict[str, Any], policy: MakePolicy, declare: Declare) -> None:
    document = policy(*body_of(example))
    found = same_rule(case, list(check_policy(document, declare())))
    assert found, f"{case['rule']} did not refuse it"
    assert document.at(*case["at"]) in [item.source for item in found]
    assert any(case.get("advice", "") in item.advice for item in found)
    assert all(item.advice and item.rule_source and document.name in item.message for item in found)


@pytest.mark.parametrize("name", FILE["bases"])
def test_the_bases_break_no_rule(name: str, policy: MakePolicy, declare: Declare) -> None:
    findings = list(check_policy(policy(FILE["bases"][name]), declare()))
    assert [item for item in findings if item.severity is Severity.ERROR] == []


def test_every_rule_has_a_case() -> None:
    cases = {(case["rule"], case.get("severity", "error")) for case in FILE["cases"]}
    assert {(rule.id, rule.severity.value) for rule in RULES} == cases


def test_all_errors_are_told_at_once(policy: MakePolicy, declare: Declare) -> None:
    body = {
        "tier": "Standard",
        "schedule": {"frequency": "Hourly", "windowStart": "08:00", "intervalHours": 5, "durationHours": 30},
        "retention": {"daily": {"days": 3}, "monthly": {"months": 3}},
        "consistency": "CrashConsistent",
    }
    found = {item.code for item in check_policy(policy(body), declare()) if item.severity is Severity.ERROR}
    assert found == {"BP-01", "BP-04", "BP-05", "BP-12", "BP-16", "BP-30"}


def test_a_wrong_time_zone_of_the_scope_is_told_in_the_scope(policy: MakePolicy, scope_with: Declare) -> None:
    declared = scope_with(timeZone="Europe/Berln")
    found = next(item for item in check_policy(policy(FILE["bases"]["daily"]), declared) if item.code == "BP-08")
    assert found.source is not None
    assert found.source.file == "policies/scope.yaml"
    assert "Europe/Berlin" in found.advice
