"""Every rule of SnapshotSchedule refuses what it must, where it must, and nothing else: cases/snapshot/rules.yaml."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from reconciler.kinds.snapshot.rules import RULES, check_schedule
from reconciler.model.document import Declared, Document
from reconciler.model.snapshot_schedule import DOCUMENT, SnapshotSchedule
from reconciler.model.source import Source
from reconciler.plan.finding import Finding, Severity
from tests.kinds.conftest import Positions

FILE = yaml.safe_load((Path(__file__).parents[2] / "cases" / "snapshot" / "rules.yaml").read_text())
Declare = Callable[..., Declared]


def merged(base: Any, change: Any) -> Any:
    if not (isinstance(base, Mapping) and isinstance(change, Mapping)):
        return change
    both = {key: merged(base.get(key), change[key]) if key in change else base[key] for key in {**base, **change}}
    return {key: value for key, value in both.items() if value is not None}


def document_of(example: Mapping[str, Any]) -> Document[SnapshotSchedule]:
    """`many` stands for so many tags, the value X257 for so many letters."""
    change = {key: value for key, value in example.items() if key not in ("like", "many")}
    body = merged(FILE["bases"][example["like"]], change)
    if "many" in example:
        body["tags"] = {f"tag-{number}": "" for number in range(example["many"])}
    tags = {name: "x" * 257 if value == "X257" else value for name, value in body.get("tags", {}).items()}
    value = msgspec.convert({**body, **({"tags": tags} if tags else {})}, SnapshotSchedule)
    return Document(DOCUMENT, "scheduled", value, Source("policies/snapshots.yaml", 1, 1), Positions())


def examples(verdict: str) -> list[Any]:
    return [
        pytest.param(case, example, id=f"{case['rule']}-{case.get('severity', 'error')}-{number}-{index}")
        for number, case in enumerate(FILE["cases"])
        for index, example in enumerate(case[verdict])
    ]


def same_rule(case: Mapping[str, Any], document: Document[SnapshotSchedule], found: list[Finding]) -> list[Finding]:
    severity = Severity(case.get("severity", "error"))
    return [
        item
        for item in found
        if (item.code, item.severity, item.source) == (case["rule"], severity, document.at(*case["at"]))
    ]


@pytest.mark.parametrize(("case", "example"), examples("accepted"))
def test_accepted(case: dict[str, Any], example: dict[str, Any], declare: Declare) -> None:
    document = document_of(example)
    assert same_rule(case, document, list(check_schedule(document, declare()))) == []


@pytest.mark.parametrize(("case", "example"), examples("refused"))
def test_refused(case: dict[str, Any], example: dict[str, Any], declare: Declare) -> None:
    document = document_of(example)
    found = same_rule(case, document, list(check_schedule(document, declare())))
    assert found, f"{case['rule']} did not refuse it at {case['at']}"
    assert any(case.get("advice", "") in item.advice for item in found)
    assert all(item.advice and item.rule_source and document.name in item.message for item in found)


@pytest.mark.parametrize("name", FILE["bases"])
def test_the_bases_break_no_rule(name: str, declare: Declare) -> None:
    assert list(check_schedule(document_of({"like": name}), declare())) == []


def test_every_rule_has_a_case() -> None:
    cases = {(case["rule"], case.get("severity", "error")) for case in FILE["cases"]}
    assert {(rule.id, rule.severity.value) for rule in RULES} == cases


def test_all_errors_are_told_at_once(declare: Declare) -> None:
    body = {"every": "31d", "offset": "5w", "keep": {}, "sku": "Premium_LRS", "tags": {"a?": ""}, "disks": {}}
    found = check_schedule(
        Document(DOCUMENT, "wrong", msgspec.convert(body, SnapshotSchedule), Source("a.yaml")), declare()
    )
    assert sorted(item.code for item in found) == ["SN-01", "SN-02", "cadence", "cadence", "keep", "snapshot-disks"]


@pytest.mark.parametrize(("name", "codes"), [("n" * 256, []), ("n" * 257, ["SN-01"]), ("ü" * 129, ["SN-01"])])
def test_a_name_is_the_value_of_a_tag(declare: Declare, name: str, codes: list[str]) -> None:
    value = msgspec.convert(FILE["bases"]["hourly"], SnapshotSchedule)
    found = list(check_schedule(Document(DOCUMENT, name, value, Source("a.yaml", 1, 1), Positions()), declare()))
    assert [item.code for item in found] == codes
    assert all(len(item.message) < 200 for item in found)
