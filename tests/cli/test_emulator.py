"""`reconciler emulator …`: separate commands that see one estate."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.cli.main import run
from reconciler.emulator import lifecycle
from reconciler.errors import ExitCode

Command = Callable[..., str]


@pytest.fixture
def emulator(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Command]:
    """`emulator("start", code=0)` answers what the command printed."""
    monkeypatch.setenv("RECONCILER_EMULATOR_HOME", str(tmp_path))

    def command(*arguments: str, code: ExitCode = ExitCode.OK) -> str:
        ended = run(["emulator", *arguments])
        said = capsys.readouterr()
        assert ended == code, said.err
        return said.out + said.err

    yield command
    lifecycle.stop(tmp_path)


def test_without_one_every_command_says_how_to_start_it(emulator: Command) -> None:
    for arguments in (("status",), ("advance", "1d"), ("reset",), ("fault", "list"), ("arm", "GET", "/subscriptions")):
        told = emulator(*arguments, code=ExitCode.ERROR)
        assert "no emulator is running" in told
        assert "reconciler emulator start" in told
    assert "No emulator was running." in emulator("stop")


def test_a_day_in_the_life(emulator: Command) -> None:
    started = emulator("start", "--speed", "0")
    assert "nordhavn: 2 subscriptions, 40 VMs, 5 vaults" in started
    before = json.loads(emulator("status", "--format", "json"))
    assert emulator("start").splitlines()[0] == started.splitlines()[0], "the one that runs is found"
    emulator("advance", "1d12h")
    after = json.loads(emulator("status", "--format", "json"))
    assert before["now"][:10] < after["now"][:10]
    assert "is not a span of time" in emulator("advance", "soon", code=ExitCode.ERROR)

    answer = emulator("arm", "GET", "/subscriptions?api-version=2022-12-01")
    assert "HTTP 200" in answer
    assert "Production" in answer
    assert "HTTP 404" in emulator("arm", "GET", "/nowhere?api-version=1")

    emulator("fault", "add", "--path", "*/vaults", "--status", "429", "--retry-after", "1", "--count", "2")
    (rule,) = map(json.loads, emulator("fault", "list").splitlines())
    assert (rule["status"], rule["retryAfter"], rule["count"]) == (429, 1, 2)
    assert emulator("fault", "add", "--status", "500", "--operation", "hangs", code=ExitCode.ERROR)
    emulator("fault", "clear")
    assert emulator("fault", "list") == ""

    assert "5 VMs" in emulator("reset", "--vms", "5")
    emulator("stop")
    assert "5 VMs" in emulator("start"), "the estate is kept"
    assert "Stopped" in emulator("stop")


def test_an_estate_that_cannot_be_built_is_told(emulator: Command, tmp_path: Path) -> None:
    file = tmp_path / "estate.yaml"
    file.write_text("subscriptions: []\nvms: []\n")
    assert "an estate has no section 'vms'" in emulator("start", "--estate", str(file), code=ExitCode.ERROR)


def test_the_policies_of_a_generated_estate(emulator: Command, tmp_path: Path) -> None:
    told = emulator("generate", str(tmp_path / "policies"), "--vms", "20", "--seed", "3")
    assert "--vms 20 --seed 3" in told
    assert run(["validate", str(tmp_path / "policies")]) == ExitCode.OK


def test_a_folder_that_cannot_be_made_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a HOME that is not there, or read-only: on a build agent that is no bug of ours."""
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("RECONCILER_EMULATOR_HOME", str(tmp_path / "file" / "emulator"))
    for arguments in (["plan", "--cloud", "emulator"], ["emulator", "start"], ["emulator", "status"]):
        assert run(arguments) is ExitCode.ERROR
        told = capsys.readouterr().err
        assert "cannot make its folder" in told
        assert "RECONCILER_EMULATOR_HOME" in told
        assert "internal error" not in told


def test_a_body_that_cannot_be_read_is_told(emulator: Command) -> None:
    emulator("start", "--speed", "0")
    told = emulator("arm", "PUT", "/subscriptions", "--body", "@nowhere.json", code=ExitCode.ERROR)
    assert "nowhere.json" in told
    assert "internal error" not in told
