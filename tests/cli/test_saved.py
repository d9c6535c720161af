"""What is said of a plan that was saved: how to carry it out, or that it cannot be."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import pytest

from reconciler.cli.report import save_plan
from reconciler.cli.saved import load_saved
from reconciler.errors import PlanDigestError, UsageError
from reconciler.plan.file import load, save
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
    digest = hashlib.sha256(out.read_bytes()).hexdigest()
    assert (digest in told) == ("Carry it out with" in told)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    out = tmp_path / "plan.json"
    save(Plan(created="2026-03-01T08:00:00Z", findings=(ERROR,)), out)
    return out


def test_the_digest_is_that_of_sha256sum(saved: Path) -> None:
    digest = hashlib.sha256(saved.read_bytes()).hexdigest()
    for spelling in (digest, digest.upper(), f"{digest}\n"):
        assert load_saved(saved, spelling) == load_saved(saved, None)


def test_what_lifts_a_guard_is_under_the_digest(saved: Path) -> None:
    digest = hashlib.sha256(saved.read_bytes()).hexdigest()
    plan = load(saved)
    lifted = msgspec.structs.replace(plan, allowed=("G104=99",))
    assert lifted.digest == plan.digest
    save(lifted, saved)
    with pytest.raises(PlanDigestError, match="is not the plan that --digest names") as caught:
        load_saved(saved, digest)
    assert caught.value.exit_code == 3
    assert digest in caught.value.why


@pytest.mark.parametrize("digest", ["", "  ", "abc", "g" * 64])
def test_a_digest_that_names_no_plan_opens_nothing(digest: str, saved: Path) -> None:
    with pytest.raises(UsageError, match="--digest"):
        load_saved(saved, digest)


def test_a_digest_without_a_file_is_refused() -> None:
    assert load_saved(None, None) is None
    with pytest.raises(UsageError, match="there is none"):
        load_saved(None, "0" * 64)
