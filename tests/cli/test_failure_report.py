"""What stands in a Markdown report where there is nothing to report but the failure."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from reconciler.cli.main import run
from reconciler.publish.comment import read_report
from reconciler.render.failure import render_failure

AWAY = ["--cloud", "https://127.0.0.1:9"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RECONCILER_JOURNAL", str(tmp_path / "journals"))
    monkeypatch.delenv("RECONCILER_POLICIES", raising=False)
    monkeypatch.delenv("RECONCILER_CLOUD", raising=False)
    Path("policies").mkdir()
    Path("report.md").write_text("<!-- reconciler:plan -->\n## No changes.\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("command", "verdict"), [("plan", "There is no plan: it could not be made"), ("drift", "Not known whether")]
)
def test_the_report_of_the_run_before_does_not_stay(command: str, verdict: str, folder: Path) -> None:
    (folder / "policies" / "wrong.yaml").write_text("apiVersion: reconciler/v1\nkind: Scop\nname: `x`\n", "utf-8")
    before = [folder / f"report.{form}" for form in ("json", "html", "sarif", "junit")]
    for path in before:
        path.write_text("of the run before", encoding="utf-8")
    asked = [f"--report={path.suffix[1:]}={path.name}" for path in before]
    assert run([command, "--report", "markdown=report.md", *asked]) == 1
    report = read_report(folder / "report.md")
    assert report.marker == f"<!-- reconciler:{command} -->"
    assert report.verdict.startswith(verdict)
    assert "policies/wrong.yaml:" in report.text, "the mistakes are told, each with its line"
    assert "the policies are not valid" in report.text
    assert [path.suffix for path in before if path.exists()] == [".junit"]
    [case] = ET.parse(before[-1]).iter("testcase")
    assert case.get("name") == command
    assert "policies/wrong.yaml:" in case.findtext("failure", "")


def test_its_marker_is_that_of_the_comment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECONCILER_COMMENT", "prod")
    assert run(["plan", *AWAY, "--report", "markdown=report.md"]) == 1
    assert read_report(folder / "report.md").marker == "<!-- reconciler:plan:prod -->"


def test_a_report_that_cannot_be_written_hides_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "reports").mkdir(mode=0o755)
    long = f"{'x' * 250}.md"  # its draft has a longer name, which no file can have
    assert run(["plan", *AWAY, "--report", f"markdown=reports/{long}"]) == 1
    told = capsys.readouterr().err
    assert "cannot write a report" in told
    assert "Error: " in told


def test_no_words_break_out_of_it() -> None:
    text = render_failure("plan", "\n".join(["````", "<!-- reconciler:plan -->", "@team \x1b[31m", *("line",) * 200]))
    lines = text.split("\n")
    assert lines[3] == "`````"
    assert "\x1b" not in text
    assert "\\x1b[31m" in text
    assert "… and 103 more lines" in text
    assert len(text) < 60_000
