"""Every rule of ReplicationPolicy refuses what it must, where it must, and nothing else: cases/replication_policy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from reconciler.kinds.replication_policy.rules import POLICY_RULES, check_policy
from reconciler.model.document import Declared, Document
from reconciler.model.replication import ReplicationPolicy
from reconciler.model.scope import Scope
from reconciler.model.source import Source
from reconciler.plan.finding import Finding, Severity
from tests.kinds.conftest import PROD

CASES = yaml.safe_load((Path(__file__).parents[2] / "cases" / "replication_policy" / "rules.yaml").read_text())
DECLARED = Declared(Document("Scope", "scope", Scope(subscriptions={"prod": PROD}), Source("policies/s.yaml", 1, 1)))


def policy(body: dict[str, Any]) -> Document[ReplicationPolicy]:
    places = {(key,): Source("policies/p.yaml", line, 1) for line, key in enumerate(body, 4)}
    start = Source("policies/p.yaml", 1, 1)
    return Document("ReplicationPolicy", "day", msgspec.convert(body, ReplicationPolicy), start, places)


def examples(verdict: str) -> list[Any]:
    return [
        pytest.param(case, example, id=f"{case['rule']}-{index}")
        for case in CASES
        for index, example in enumerate(case[verdict])
    ]


def broken(case: dict[str, Any], document: Document[ReplicationPolicy]) -> list[Finding]:
    severity = Severity(case.get("severity", "error"))
    findings = check_policy(document, DECLARED)
    return [item for item in findings if item.code == case["rule"] and item.severity is severity]


@pytest.mark.parametrize(("case", "example"), examples("accepted"))
def test_accepted(case: dict[str, Any], example: dict[str, Any]) -> None:
    assert broken(case, policy(example)) == []


@pytest.mark.parametrize(("case", "example"), examples("refused"))
def test_refused(case: dict[str, Any], example: dict[str, Any]) -> None:
    document = policy(example)
    found = broken(case, document)
    assert document.at(*case["at"]) in [item.source for item in found]
    assert any(case.get("advice", "") in item.advice for item in found)
    assert all(item.advice and item.rule_source for item in found)


def test_every_rule_has_a_case() -> None:
    cases = {(case["rule"], case.get("severity", "error")) for case in CASES}
    assert {(rule.id, rule.severity.value) for rule in POLICY_RULES} == cases


def test_what_is_left_out_breaks_no_rule() -> None:
    assert list(check_policy(policy({}), DECLARED)) == []
