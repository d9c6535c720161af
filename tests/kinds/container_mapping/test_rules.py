"""Every rule of ReplicationRoute refuses what it must, where it must, and nothing else: cases/container_mapping."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from reconciler.kinds.container_mapping.rules import ROUTE_RULES, check_route
from reconciler.model.document import Declared, Document
from reconciler.model.protection import Protection
from reconciler.model.replication import Replication, ReplicationRoute
from reconciler.model.scope import Scope
from reconciler.model.selector import Selector
from reconciler.model.vault import Vault
from reconciler.plan.finding import Finding, Severity
from tests.kinds.conftest import PROD, TEST
from tests.kinds.container_mapping.conftest import FAR, GROUPS, NEAR, document, route

CASES = yaml.safe_load((Path(__file__).parents[2] / "cases" / "container_mapping" / "rules.yaml").read_text())
VAULTS = {"rsv-dr": "northeurope", "rsv-weu": "westeurope", "rsv-uks": "uksouth", "rsv-nzn": "newzealandnorth"}


def beside(entry: Mapping[str, Any]) -> Document[Any]:
    rest = {key: value for key, value in entry.items() if key not in ("kind", "name")}
    if entry["kind"] == "ReplicationRoute":
        return route(entry["name"], rest)
    aspects = {"replication": msgspec.convert(rest["replication"], Replication)}
    return document("Protection", entry["name"], Protection(select=Selector(names=("*",)), aspects=aspects))


def findings_of(example: Mapping[str, Any]) -> tuple[Document[ReplicationRoute], list[Finding]]:
    text = json.dumps(example).replace("$NEAR", NEAR).replace("$FAR", FAR).replace("$GROUPS", GROUPS)
    changes = json.loads(text)
    others = [beside(entry) for entry in changes.pop("beside", [])]
    own = route("weu-neu", changes)
    vaults = [
        document("Vault", name, Vault(subscription="prod", resource_group="rg-dr", location=location))
        for name, location in VAULTS.items()
    ]
    scope = Scope(subscriptions={"prod": PROD, "test": TEST})
    declared = Declared(document("Scope", "scope", scope), (*vaults, *others, own))
    return own, list(check_route(own, declared))


def examples(verdict: str) -> list[Any]:
    return [
        pytest.param(case, example, id=f"{case['rule']}-{'.'.join(map(str, case['at']))}-{number}-{index}")
        for number, case in enumerate(CASES)
        for index, example in enumerate(case[verdict])
    ]


def broken(case: Mapping[str, Any], findings: list[Finding]) -> list[Finding]:
    severity = Severity(case.get("severity", "error"))
    return [item for item in findings if item.code == case["rule"] and item.severity is severity]


@pytest.mark.parametrize(("case", "example"), examples("accepted"))
def test_accepted(case: dict[str, Any], example: dict[str, Any]) -> None:
    assert broken(case, findings_of(example)[1]) == []


@pytest.mark.parametrize(("case", "example"), examples("refused"))
def test_refused(case: dict[str, Any], example: dict[str, Any]) -> None:
    own, findings = findings_of(example)
    found = broken(case, findings)
    assert own.at(*case["at"]) in [item.source for item in found]
    assert any(case.get("advice", "") in item.advice for item in found)
    assert all(item.advice and item.rule_source and own.name in item.message for item in found)


def test_every_rule_has_a_case() -> None:
    cases = {(case["rule"], case.get("severity", "error")) for case in CASES}
    assert {(rule.id, rule.severity.value) for rule in ROUTE_RULES} == cases


def test_the_route_of_the_cases_breaks_no_rule() -> None:
    assert findings_of({})[1] == []
