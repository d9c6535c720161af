"""What is said of a plan that was saved: how to carry it out, or that it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.cli.report import save_plan
from reconciler.plan.file import load
from reconciler.plan.finding import Finding
from reconciler.plan.plan import Plan, Refusal

ERROR = Finding(code="size-unknown", message="it is gone")


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (Plan(created="2026-03-01T08:00:00Z"), "Carry it out with: reconciler apply"),
        (Plan(created="2026-03-01T08:00:00Z", findings=(ERROR,)), "cannot be carried out as it is"),
        (
            Plan(created="2026-03-01T08:00:00Z", refusals=(Refusal(code="G103", title="t", message="m", count=1),)),
            "cannot be carried out as it is",
        ),
    ],
)
def test_one_of_the_two_is_said(plan: Plan, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "plan.json"
    save_plan(plan, out)
    told = capsys.readouterr().err
    assert said in told
    assert ("Carry it out with" in told) == (not plan.errors and not plan.refusals)
    assert load(out).findings == plan.findings
