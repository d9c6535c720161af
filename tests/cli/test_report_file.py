"""`--report FORMAT=FILE`: several reports of one reading, each whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.cli.main import run
from reconciler.cli.report import FORMATS, Report, save_reports
from reconciler.cli.report_file import ReportFile, write_reports
from reconciler.errors import UsageError
from reconciler.plan.file import save
from reconciler.plan.plan import Plan

NOTHING = Plan(created="2026-03-02T03:00:00Z", unchanged=17, machines=40)


@pytest.fixture
def saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    save(NOTHING, Path("plan.json"))
    Path("a-folder").mkdir()
    return tmp_path


def test_each_goes_to_its_file_and_the_first_to_standard_output(
    saved: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["show", "plan.json", "--report", "markdown=comment.md", "--report", "json=again.json"]) == 0
    assert capsys.readouterr().out.startswith("No changes.")
    assert "## No changes." in (saved / "comment.md").read_text()
    assert (saved / "again.json").read_text() == (saved / "plan.json").read_text()


@pytest.mark.parametrize("form", FORMATS)
def test_every_form_can_be_a_file(form: str, saved: Path) -> None:
    assert run(["show", "plan.json", "--format", form, "--report", f"{form}=report"]) == 0
    assert (saved / "report").read_text().endswith("\n")


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (["markdown"], "'markdown' is not FORMAT=FILE"),
        (["markdown="], "'markdown=' is not FORMAT=FILE"),
        (["pdf=plan.pdf"], "asks for 'pdf'; there is text, markdown, json"),
        (["json=no/such/plan.json"], "the folder of no/such/plan.json does not exist"),
        (["json=a-folder"], "a-folder is there and not a file"),
        ([f"json={'x' * 300}"], "cannot be written: File name too long"),
        (["json=x", "markdown=a-folder/../x"], "two reports to"),
        (["pdf=x", "json"], "'pdf'; there is"),
        (["pdf=x", "json"], "'json' is not FORMAT=FILE"),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_read(
    asked: list[str], told: str, saved: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(saved.rglob("*"))
    options = [part for item in asked for part in ("--report", item)]
    assert run(["show", "no-such-plan.json", *options]) == 1
    assert told in " ".join(capsys.readouterr().err.split())
    assert sorted(saved.rglob("*")) == before


def test_one_that_cannot_be_written_does_not_stop_the_others(saved: Path) -> None:
    files = [ReportFile("markdown", saved / "gone" / "x.md"), ReportFile("json", saved / "there.json")]
    with pytest.raises(UsageError, match=r"cannot write a report: markdown to .*gone"):
        save_reports(Report(NOTHING), files)
    assert (saved / "there.json").is_file()


def test_a_report_that_fails_leaves_the_earlier_one(saved: Path) -> None:
    def fail(form: str) -> str:
        return "\ud800"  # no encoding has a lone surrogate

    place = saved / "report.md"
    place.write_text("of an earlier run")
    with pytest.raises(UnicodeEncodeError):
        write_reports([ReportFile("markdown", place)], fail)
    assert place.read_text() == "of an earlier run"
    assert [path.name for path in saved.iterdir() if path.name.startswith(".")] == []
