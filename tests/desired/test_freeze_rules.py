"""Freeze windows that are none: each is told at its line, with what to write instead."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
import yaml

from reconciler.desired.validate import validate
from reconciler.plan.finding import Severity

CASES = yaml.safe_load((Path(__file__).parents[1] / "cases/desired/freeze.yaml").read_text(encoding="utf-8"))
TODAY = dt.date(2026, 11, 22)
SCOPE = """\
apiVersion: reconciler/v1
kind: Scope
name: shop
subscriptions: {prod: 00000000-0000-0000-0000-00000000000a}
freeze:
  - reason: because
"""


def said(folder: Path, text: str) -> list[str]:
    (folder / "scope.yaml").write_text(SCOPE + text, encoding="utf-8")
    found = validate([folder / "scope.yaml"], TODAY, ())
    assert found.valid == all(item.severity is not Severity.ERROR for item in found.findings)
    return [str(item).removeprefix(f"{folder}/") for item in found.findings]


@pytest.mark.parametrize(
    "text",
    [
        '    weekly: {weekdays: [Friday], from: "12:00", to: "24:00"}',
        "    weekly: {weekdays: [Saturday, Sunday]}\n    timeZone: W. Europe Standard Time",
        '    weekly: {weekdays: [Sunday], from: "22:00", to: "06:00"}\n    timeZone: europe/amsterdam',
        "    dates: {from: 2026-12-18, until: 2027-01-04}",
        "    dates: {from: 2026-12-18, until: 2026-12-18}",
        "    dates: {from: 2026-12-18T12:00, until: 2026-12-18T12:01}",
    ],
)
def test_windows_as_they_should_be(text: str, tmp_path: Path) -> None:
    assert said(tmp_path, text) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_windows_that_are_none(case: dict[str, str], tmp_path: Path) -> None:
    assert said(tmp_path, case["text"]) == [f"scope.yaml:{case['finding']}"]


@pytest.mark.parametrize(
    "text",
    [
        "    weekly: {weekdays: [Freitag]}",
        "    weekly: {weekdays: []}",
        '    weekly: {weekdays: [Friday], from: "24:00"}',
        "    weekly: {weekdays: [Friday], from: 25:00}",
        "    weekly: {}",
        "    dates: {from: 2026-12-18}",
        "    dates: {from: 18.12.2026, until: 2027-01-04}",
        "    dates: {from: 2026-12-18T12:00Z, until: 2027-01-04}",
        "    weekdays: [Friday]",
    ],
)
def test_the_schema_refuses_other_shapes(text: str, tmp_path: Path) -> None:
    assert [line for line in said(tmp_path, text) if ": schema " in line]
