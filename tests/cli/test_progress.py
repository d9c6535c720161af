from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rich.console import Console

from reconciler.apply import events
from reconciler.cli.progress import Board, Mode, table, watch
from reconciler.plan.change import Action

START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def step(kind: type[Any], name: str, seconds: int = 0, **more: Any) -> Any:
    return kind(
        at=START + timedelta(seconds=seconds), step=f"vm.prod/{name}#enable", address=f"vm.prod/{name}",
        title=f"Protect {name}", **more,
    )  # fmt: skip


def planned(name: str, *after: str, lane: str = "") -> events.PlannedChange:
    steps = (
        events.PlannedStep(
            step=f"vm.prod/{name}#enable",
            title=f"Protect {name}",
            after=tuple(f"vm.prod/{other}#enable" for other in after),
            lane=lane,
        ),
    )
    return events.PlannedChange(
        at=START, address=f"vm.prod/{name}", action=Action.CREATE, reason="not_in_azure", steps=steps
    )


STREAM: list[events.Event] = [
    events.Version(at=START, reconciler="0.1.0"),
    planned("a"),
    planned("b", "a"),
    planned("c", "a", "b"),
    planned("d", lane="vault"),
    step(events.ApplyStart, "a"),
    step(events.ApplyAccepted, "a", 1, job="j1"),
    step(events.ApplyProgress, "a", 2, elapsed_seconds=2.0, status="InProgress"),
    step(events.ApplyProgress, "a", 14, elapsed_seconds=14.0, status="InProgress"),
]


def drawn(board: Board, seconds: int = 20, width: int = 90) -> list[str]:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(table(board, START + timedelta(seconds=seconds)))
    assert isinstance(console.file, io.StringIO)
    return [" ".join(line.split()) for line in console.file.getvalue().splitlines()]


def test_the_board_shows_what_runs_for_how_long_and_what_waits_for_what() -> None:
    board = Board()
    for event in STREAM:
        board.take(event)
    assert drawn(board) == [
        "Protect a 20 s InProgress",
        "Protect b waits for Protect a",
        "Protect c waits for Protect a and 1 more",
        "Protect d waits for its turn in the vault",
        "0 done; 1 running, 3 waiting",
    ]


def test_what_ends_leaves_the_board_and_is_counted() -> None:
    board = Board()
    ends = [
        step(events.ApplyComplete, "a", 20, elapsed_seconds=20.0),
        step(events.ApplyStart, "b", 20),
        step(events.ApplyErrored, "b", 25, elapsed_seconds=5.0, message="no"),
        step(events.ApplySkipped, "c", 25, because="vm.prod/b#enable", message="because"),
        step(events.ApplyStart, "d", 26),
        step(events.ApplyApproval, "d", 27, message="held back"),
        step(events.ApplyStart, "old", 27, resumed=True),
        step(events.ApplySettled, "old", 27, message="does not run"),
    ]
    for event in [*STREAM, *ends]:
        board.take(event)
    assert drawn(board) == ["1 done, 1 failed, 1 skipped, 1 waiting for approval; 0 running, 0 waiting"]


def test_ten_thousand_waiting_steps_fit_the_screen() -> None:
    board = Board()
    for number in range(10_000):
        board.take(planned(f"vm-{number}"))
    lines = drawn(board)
    assert len(lines) == 7
    assert lines[-1] == "0 done; 0 running, 10000 waiting"


def test_plain_lines_tell_starts_and_ends_and_long_waits_only(capsys: pytest.CaptureFixture[str]) -> None:
    with watch(Mode.PLAIN, now=lambda: START) as emit:
        for event in STREAM:
            emit(event)
        emit(step(events.ApplyErrored, "a", 20, elapsed_seconds=20.0, message="no", why="BMS: bad", advice="fix it"))
    assert capsys.readouterr().out.splitlines() == [
        "reconciler 0.1.0",
        "started  Protect a",
        "running  Protect a (14 s, InProgress)",
        "failed   Protect a (20 s)",
        "         vm.prod/a",
        "         no",
        "         why:  BMS: bad",
        "         next: fix it",
    ]


def test_json_is_one_object_a_line_with_terraforms_names(capsys: pytest.CaptureFixture[str]) -> None:
    with watch(Mode.JSON, now=lambda: START) as emit:
        for event in STREAM:
            emit(event)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["type"] for line in lines] == [
        "version", "planned_change", "planned_change", "planned_change", "planned_change",
        "apply_start", "apply_accepted", "apply_progress", "apply_progress",
    ]  # fmt: skip
    assert lines[5] == {
        "@level": "info",
        "@message": "vm.prod/a: Protect a ...",
        "@module": "reconciler",
        "@timestamp": "2026-03-01T08:00:00Z",
        "type": "apply_start",
        "step": "vm.prod/a#enable",
        "address": "vm.prod/a",
        "title": "Protect a",
    }


def test_the_live_screen_leaves_only_the_endings_behind() -> None:
    screen = io.StringIO()
    console = Console(file=screen, width=90, force_terminal=True, color_system=None)
    with watch(Mode.LIVE, now=lambda: START, console=console) as emit:
        for event in STREAM:
            emit(event)
        emit(step(events.ApplyComplete, "a", 20, elapsed_seconds=20.0))
    assert "done     Protect a (20 s)\n" in screen.getvalue()
    assert "started" not in screen.getvalue()


HOSTILE = "\x1b[31mred\x1b]0;title\x07[bold]x[/bold]\u202eevil"


@pytest.mark.parametrize("mode", list(Mode))
def test_names_from_azure_cannot_steer_the_terminal(mode: Mode, capsys: pytest.CaptureFixture[str]) -> None:
    screen = io.StringIO()
    console = Console(file=screen, width=300, force_terminal=True, color_system=None)
    with watch(mode, now=lambda: START, console=console) as emit:
        emit(planned(HOSTILE))
        emit(step(events.ApplyStart, HOSTILE))
        emit(step(events.ApplyErrored, HOSTILE, elapsed_seconds=1.0, message=HOSTILE))
    said = screen.getvalue() + capsys.readouterr().out
    assert "[bold]x[/bold]" in said, "shown as it is, not understood as markup"
    for harm in ("\x1b[31m", "\x1b]0;", "\x07", *(("\u202e",) if mode is not Mode.JSON else ())):
        assert harm not in said
