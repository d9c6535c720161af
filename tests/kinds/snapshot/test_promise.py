"""An RPO that a schedule cannot keep is told before anything is applied."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.desired.validate import validate
from reconciler.kinds.registry import kinds
from reconciler.plan.finding import Finding, Severity
from tests.kinds.conftest import NOW, PROD

BACKUP = {"backup": {"policy": "daily"}}
POLICY = {"kind": "BackupPolicy", "name": "daily", "schedule": {"frequency": "Daily", "time": "02:00"}}


def told(folder: Path, protection: dict[str, Any], default: str = "") -> list[Finding]:
    scope: dict[str, Any] = {"kind": "Scope", "name": "s", "subscriptions": {"prod": PROD}}
    if default:
        scope["defaults"] = {"objectives": {"rpo": default}}
    documents = [
        scope,
        {"kind": "SnapshotSchedule", "name": "six-hourly", "every": "6h", "keep": {"count": 4}},
        {**POLICY, "retention": {"daily": 30}},
        {"kind": "Protection", "name": "web", "select": {"names": ["*"]}, "snapshots": {"schedule": "Six-Hourly"}}
        | protection,
    ]
    path = folder / "policies.yaml"
    path.write_text(yaml.safe_dump_all([{"apiVersion": "reconciler/v1", **one} for one in documents], sort_keys=False))
    return [item for item in validate([path], NOW.date(), kinds()).findings if item.code == "rpo-cadence"]


@pytest.mark.parametrize(
    ("protection", "default", "warned"),
    [
        ({}, "", False),
        ({"objectives": {"rpo": "5h"}}, "", True),
        ({"objectives": {"rpo": "6h"}}, "", False),
        ({"objectives": {"rpo": "1d"}}, "1h", False),  # its own word is the last
        ({"objectives": {"drillEvery": "90d"}}, "1h", True),
        ({}, "4h", True),
        ({}, "24h", False),
        ({"objectives": {"rpo": "5h"}, **BACKUP}, "", False),
    ],
)
def test_who_is_warned(tmp_path: Path, protection: dict[str, Any], default: str, warned: bool) -> None:
    assert bool(told(tmp_path, protection, default)) == warned


def test_the_warning_names_both_lines(tmp_path: Path) -> None:
    (own,) = told(tmp_path, {"objectives": {"rpo": "5h"}})
    assert own.severity is Severity.WARNING
    assert "takes one every 6h, and the objective is an rpo of 5h" in own.message
    assert (own.source is not None, len(own.also)) == (True, 2)
    (inherited,) = told(tmp_path, {}, "4h")
    assert "4h, the default of the Scope" in inherited.message
    assert inherited.also[0].line < inherited.also[1].line
