"""The boundary: every way a command can end is an exit code and words, never a traceback."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import pytest

from reconciler.cli import main
from reconciler.errors import ExitCode, GuardRefusedError, StalePlanError, UsageError

COMMANDS = ("validate", "plan", "apply", "drift", "show", "explain", "schema", "emulator")


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`command(function)`: `reconciler show` does what the function does."""

    def make(function: Any) -> None:
        monkeypatch.setattr("reconciler.cli.show.command", click.command("show")(function))

    return make


def test_help_tells_of_every_command_and_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["--help"]) == 0
    told = capsys.readouterr().out
    assert all(name in told for name in COMMANDS)
    assert "0 fine" in told
    assert "4 incomplete" in told


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_tells_how_it_is_used(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run([name, "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"Usage: reconciler {name}")


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("reconciler 0.")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nonsense"], "No such command 'nonsense'"),
        (["plan", "--nonsense"], "No such option"),
        (["plan", "--format", "xml"], "is not one of"),
        (["explain"], "Missing argument"),
        (["plan", "--allow", "G999"], "there is no guard 'G999'"),
        (["plan", "--allow", "G103"], "takes the number of changes"),
        (["plan", "--allow", "G103=many"], "is not a number of changes"),
        (["plan", "--allow", "G103=1", "--allow", "g103=2"], "names G103 twice"),
        (["plan", "--cloud", "atlantis", "-p", "."], "atlantis"),
        (["show", "nowhere.json"], "cannot read nowhere.json"),
        (["apply", "nowhere.json"], "cannot read nowhere.json"),
        (["apply"], "--auto-approve"),
        (["apply", "--format", "json"], "nobody can be asked"),
        (["schema", "Nonsense"], "there is no kind 'Nonsense'"),
    ],
)
def test_what_is_asked_wrongly_is_told_with_a_way_out(
    arguments: Sequence[str],
    words: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main.run(list(arguments)) == ExitCode.ERROR
    said = capsys.readouterr()
    assert words in said.err
    assert said.out == ""


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("wrong"), ExitCode.ERROR),
        (GuardRefusedError("refused"), ExitCode.REFUSED),
        (StalePlanError("stale"), ExitCode.REFUSED),
    ],
)
def test_an_expected_failure_is_a_message_and_its_exit_code(
    error: Exception, code: int, command: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise error

    command(fail)
    assert main.run(["show"]) == code
    assert capsys.readouterr().err == f"Error: {error}\n"


def test_what_azure_or_yaml_put_into_a_message_cannot_move_the_cursor(
    command: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise UsageError("VM \x1b[2J\u202e", why="tag \x07", advice="look \r here")

    command(fail)
    main.run(["show"])
    assert capsys.readouterr().err == "Error: VM \\u001b[2J\\u202e\n  why:  tag \\u0007\n  next: look \\u000d here\n"


def test_a_bug_of_ours_is_told_as_one(
    command: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise KeyError("lost")

    command(fail)
    assert main.run(["show"]) == ExitCode.ERROR
    said = capsys.readouterr().err
    assert "internal error: KeyError: 'lost'" in said
    assert "RECONCILER_TRACEBACK=1" in said
    monkeypatch.setenv("RECONCILER_TRACEBACK", "1")
    with pytest.raises(KeyError):
        main.run(["show"])


def test_ctrl_c_outside_of_an_apply(command: Any, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    command(interrupted)
    assert main.run(["show"]) == 130
    assert "Stopped." in capsys.readouterr().err


def test_a_reader_that_goes_away_is_no_failure_worth_a_word() -> None:
    """`reconciler schema | head -1`: more is printed than a pipe holds, and nobody reads it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "reconciler", "schema"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(30) == ExitCode.ERROR
    process.stderr.close()


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["plan", "--help"], ["validate", "policies"]])
def test_what_needs_no_azure_imports_none_of_it(arguments: list[str]) -> None:
    """Start-up: the SDKs take seconds to import on a cold disk."""
    code = (
        "import sys\n"
        "from reconciler.cli.main import run\n"
        f"assert run({arguments!r}) == 0\n"
        "heavy = {'azure', 'aiohttp', 'deepdiff', 'junitparser', 'requests', 'rich', 'trustme'}\n"
        "found = {name.partition('.')[0] for name in sys.modules} & heavy\n"
        "assert not found, found\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
