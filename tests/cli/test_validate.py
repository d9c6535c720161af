"""`reconciler validate` and `reconciler schema`, which need no Azure."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconciler.cli.main import run
from reconciler.errors import ExitCode

ROOT = Path(__file__).parents[2]
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
schedule: {frequency: Daily, time: 22:15}
retention: {daily: {days: 3}}
"""
DISPLAY_NAME = """\
apiVersion: reconciler/v1
kind: Scope
name: estate
subscriptions: {prod: 11111111-1111-4111-8111-111111111111}
---
apiVersion: reconciler/v1
kind: Vault
name: rsv-weu
subscription: prod
resourceGroup: rg-backup
location: West Europe
"""


def test_the_sample_policies_are_valid(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["validate", str(ROOT / "policies")]) == ExitCode.OK
    assert "0 errors" in capsys.readouterr().out


def test_every_mistake_has_its_line_and_its_rule(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(WRONG)
    assert run(["validate", str(tmp_path)]) == ExitCode.ERROR
    told = capsys.readouterr().out
    assert f"{file}:10:" in told
    assert "BP-02" in told
    assert f"{file}:11:" in told
    assert run(["validate", "--format", "json", str(tmp_path)]) == ExitCode.ERROR
    document = json.loads(capsys.readouterr().out)
    assert document["valid"] is False
    assert document["error_count"] == 2
    errors = [one for one in document["diagnostics"] if one["severity"] == "error"]
    assert [one["range"]["start"]["line"] for one in errors] == [10, 11]


def test_a_path_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["validate", str(tmp_path / "nowhere")]) == ExitCode.ERROR
    said = capsys.readouterr()
    assert "nowhere" in said.out + said.err


def test_strict_makes_warnings_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "estate.yaml").write_text(DISPLAY_NAME)
    assert run(["validate", str(tmp_path)]) == ExitCode.OK
    assert "'West Europe' is a display name" in capsys.readouterr().out
    assert run(["validate", "--strict", str(tmp_path)]) == ExitCode.ERROR


def test_the_committed_schemas_are_those_of_the_kinds(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema", "--check", str(ROOT / "schemas")]) == ExitCode.OK
    assert capsys.readouterr().err == ""


def test_a_stale_schema_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema", "--write", str(tmp_path)]) == ExitCode.OK
    assert run(["schema", "--check", str(tmp_path)]) == ExitCode.OK
    (tmp_path / "vault.schema.json").write_text("{}")
    assert run(["schema", "--check", str(tmp_path)]) == ExitCode.ERROR
    assert "vault.schema.json is stale: run `make schemas`" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["Vault", "vault", "BackupPolicy", "Protection"])
def test_one_schema_is_printed(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema", kind]) == ExitCode.OK
    schema = json.loads(capsys.readouterr().out)
    assert schema["properties"]["kind"]


def test_the_environment_says_which_policies_as_it_does_for_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "wrong.yaml").write_text(WRONG, encoding="utf-8")
    monkeypatch.setenv("RECONCILER_POLICIES", str(tmp_path))
    assert run(["validate"]) == ExitCode.ERROR
    assert "wrong.yaml" in capsys.readouterr().out
