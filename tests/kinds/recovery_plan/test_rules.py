"""Every rule of RecoveryPlan refuses what it must, where it must, and nothing else: cases/recovery_plan/rules.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.desired.validate import validate
from reconciler.kinds.container_mapping.kind import ContainerMappingKind
from reconciler.kinds.recovery_plan.kind import RecoveryPlanKind
from reconciler.kinds.recovery_plan.rules import RULES
from reconciler.kinds.replication_policy.kind import ReplicationPolicyKind
from reconciler.kinds.vault.kind import VaultKind
from reconciler.plan.finding import Finding
from tests.kinds.conftest import NOW, PROD, TEST

FILE = yaml.safe_load((Path(__file__).parents[2] / "cases" / "recovery_plan" / "rules.yaml").read_text())
KINDS: tuple[Any, ...] = (RecoveryPlanKind(), ContainerMappingKind(), ReplicationPolicyKind(), VaultKind())
GROUP = f"/subscriptions/{PROD}/resourceGroups/rg-dr/providers"
AROUND: list[dict[str, Any]] = [
    {"kind": "Scope", "name": "rules", "subscriptions": {"prod": PROD, "test": TEST}},
    {
        "kind": "Vault",
        "name": "rsv-dr",
        "subscription": "prod",
        "resourceGroup": "rg-dr",
        "location": "northeurope",
    },
    {"kind": "ReplicationPolicy", "name": "day"},
    {
        "kind": "ReplicationRoute",
        "name": "weu-neu",
        "from": "westeurope",
        "to": "northeurope",
        "vault": "rsv-dr",
        "policy": "day",
        "targetResourceGroup": "rg-dr",
        "cacheStorageAccount": f"{GROUP}/Microsoft.Storage/storageAccounts/cacheweu",
    },
]


def findings(folder: Path, plan: dict[str, Any]) -> tuple[Finding, ...]:
    """What `validate` says of a directory with this plan in it."""
    documents = [*AROUND, {"kind": "RecoveryPlan", **FILE["base"], **plan}]
    text = yaml.safe_dump_all([{"apiVersion": "reconciler/v1", **one} for one in documents], sort_keys=False)
    (folder / "policies.yaml").write_text(text, encoding="utf-8")
    return validate([folder], NOW.date(), KINDS).findings


def examples(verdict: str) -> list[Any]:
    return [
        pytest.param(case, example, id=f"{case['rule']}-{number}-{index}")
        for number, case in enumerate(FILE["cases"])
        for index, example in enumerate(case[verdict])
    ]


@pytest.mark.parametrize(("case", "example"), examples("accepted"))
def test_accepted(case: dict[str, Any], example: dict[str, Any], tmp_path: Path) -> None:
    found = findings(tmp_path, example)
    assert [str(item) for item in found if (item.code, item.severity) == (case["rule"], severity(case))] == []
    assert [str(item) for item in found if item.severity == "error"] == []


@pytest.mark.parametrize(("case", "example"), examples("refused"))
def test_refused(case: dict[str, Any], example: dict[str, Any], tmp_path: Path) -> None:
    found = [
        item for item in findings(tmp_path, example) if (item.code, item.severity) == (case["rule"], severity(case))
    ]
    (finding,) = found
    assert case["at"] in finding.message
    assert case["advice"] in finding.advice
    assert finding.source is not None
    assert finding.source.line > 1


def severity(case: dict[str, Any]) -> str:
    return str(case.get("severity", "error"))


def test_every_rule_has_a_case() -> None:
    assert {(rule.id, rule.severity) for rule in RULES} <= {(case["rule"], severity(case)) for case in FILE["cases"]}
