"""Reports for machines name files from the root of the repository, wherever in it the command runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from reconciler.cli.main import run
from reconciler.cli.places import find_places
from reconciler.errors import ExitCode

WRONG = """\
apiVersion: reconciler/v1
kind: Scope
name: estate
subscriptions: {prod: 11111111-1111-4111-8111-111111111111}
---
apiVersion: reconciler/v1
kind: BackupPolicy
name: daily
tier: Standard
schedule: {frequency: Daily, time: 22:00}
retention: {daily: {days: 3}}
"""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With the policies in a subfolder, which is the working directory."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "estate" / "policies").mkdir(parents=True)
    (tmp_path / "estate" / "policies" / "a b.yaml").write_text(WRONG)
    monkeypatch.chdir(tmp_path / "estate")
    monkeypatch.delenv("RECONCILER_POLICIES", raising=False)
    return tmp_path


def uris(report: str) -> set[str]:
    results: list[Any] = json.loads(report)["runs"][0]["results"]
    assert results
    return {item["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for item in results}


@pytest.mark.parametrize("argument", ["policies", "./policies", "../estate/policies", "{root}/estate/policies"])
def test_from_a_subfolder(repository: Path, argument: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = argument.format(root=repository)
    assert run(["validate", path, "--format", "sarif"]) == ExitCode.ERROR
    assert uris(capsys.readouterr().out) == {"estate/policies/a%20b.yaml"}
    assert run(["validate", path, "--format", "junit"]) == ExitCode.ERROR
    [case] = ET.fromstring(capsys.readouterr().out).iter("testcase")
    assert case.attrib["name"] == case.attrib["file"] == "estate/policies/a b.yaml"


def test_a_work_tree_has_a_file_there_and_no_repository_is_a_root_of_its_own(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / ".git").rmdir()
    (repository / ".git").write_text("gitdir: elsewhere\n")
    assert find_places(None).root == repository.resolve().as_posix()
    (repository / ".git").unlink()
    assert run(["validate", "--format", "sarif"]) == ExitCode.ERROR
    assert uris(capsys.readouterr().out) == {"policies/a%20b.yaml"}


def test_several_reports_of_one_check(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--report", "sarif=v.sarif", "--report", "junit=v.xml", "--report", "json=v.json"]
    assert run(["validate", *asked]) == ExitCode.ERROR
    assert "Not valid: 1 error" in capsys.readouterr().out
    assert uris(Path("v.sarif").read_text()) == {"estate/policies/a%20b.yaml"}
    assert json.loads(Path("v.json").read_text())["error_count"] == 1
    assert len(list(ET.parse("v.xml").getroot().iter("failure"))) == 1


def test_strict_fails_the_case_of_a_warning(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sound = WRONG.replace("days: 3", "days: 30").replace("22:00", "22:00, timeZone: Europe/Berlin")
    vault = "kind: Vault\nname: rsv-weu\nsubscription: prod\nresourceGroup: rg\nlocation: West Europe\n"
    Path("policies/a b.yaml").write_text(f"{sound}---\napiVersion: reconciler/v1\n{vault}")
    for arguments, failed in ([], 0), (["--strict"], 1):
        code = run(["validate", "--format", "junit", *arguments])
        cases = ET.fromstring(capsys.readouterr().out)
        assert (code != ExitCode.OK) is bool(failed) is bool(list(cases.iter("failure")))
