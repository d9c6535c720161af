"""The page as the commands write it: beside the report that is read, from the same reading of Azure."""

from __future__ import annotations

import pytest

from tests.stories.conftest import Story

pytestmark = pytest.mark.story


def test_a_plan_a_saved_plan_and_a_drift_report_as_pages(sample: Story) -> None:
    said = sample.run("plan", "--out", "plan.json", "--report", "html=plan.html", code=0)
    assert "Read these first" in said.out
    page = (sample.folder / "plan.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "protected_vm.prod/rg-identity/dc-02" in page
    assert "why: dc-02" in page, "each change leads to the reasons of its VM"
    assert "is the only Protection that matches and gives backup" in page

    saved = sample.run("show", "plan.json", "--format", "html", code=0).out
    assert "protected_vm.prod/rg-identity/dc-02" in saved
    assert "why: dc-02" not in saved, "a saved plan knows nothing of selectors"

    drift = sample.run("drift", "--format", "html").out
    assert drift.startswith("<!doctype html>")
    assert "<title>Drift: " in drift
    assert "why: dc-02" in drift
