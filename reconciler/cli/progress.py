"""An apply as it is watched: a live table on a terminal, plain lines elsewhere, JSON lines on request."""

from __future__ import annotations

import contextlib
import functools
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING

import click

from reconciler.apply import events
from reconciler.apply.events import Emit, Event
from reconciler.cli.console import printable
from reconciler.cli.happenings import INDENT, told
from reconciler.model.duration import format_age

if TYPE_CHECKING:
    from rich.console import Console, Group

_ROWS = 16
"""Lines of the table: what runs, then what waits. It must fit a small terminal."""

_WAITING = 6
"""The next few that wait are enough to know what for."""

_QUIET = 10.0
"""Seconds that a step may run before a line says that it still does."""


class Mode(StrEnum):
    """LIVE redraws a table and needs a terminal; PLAIN is one line an event; JSON one object an event."""

    LIVE = "live"
    PLAIN = "plain"
    JSON = "json"


@contextlib.contextmanager
def watch(mode: Mode, *, now: Callable[[], datetime], console: Console | None = None) -> Iterator[Emit]:
    """Where an apply's events go. JSON goes to standard output; so do the lines, which tell what became of each step.

    `now` is the clock of the run's events (`Azure.now`), for what is running right now.
    """
    if mode is Mode.JSON:
        yield lambda event: click.echo(events.encode(event))
    elif mode is Mode.PLAIN:
        yield _plain
    else:
        with _live(now, console) as emit:
            yield emit


def _plain(event: Event) -> None:
    match event:
        case events.PlannedChange() | events.ApplyAccepted():
            return
        case events.ApplyProgress() if event.elapsed_seconds < _QUIET:
            return
        case _:
            click.echo(printable(told(event)))


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: a step that runs, since when, and Azure's word for it; or one that waits for something."""

    title: str
    since: datetime | None = None
    status: str = ""
    waits_for: str = ""
    usually: str = ""


class Board:
    """What runs and what waits, from the events alone."""

    def __init__(self) -> None:
        self.ended: dict[str, int] = {}
        self._planned: dict[str, events.PlannedStep] = {}
        self._running: dict[str, Row] = {}
        self._done: set[str] = set()

    def take(self, event: Event) -> None:
        """Note one event."""
        match event:
            case events.PlannedChange():
                self._planned.update({step.step: step for step in event.steps})
            case events.ApplyStart():
                planned = self._planned.pop(event.step, None)
                usually = planned.usually if planned else ""
                self._running[event.step] = Row(event.title, event.at, "sent", usually=usually)
            case events.ApplyAccepted():
                self._status(event.step, "accepted")
            case events.ApplyProgress():
                self._status(event.step, event.status)
            case events.ApplyComplete():
                self._done.add(event.step)
                self._end(event.step, "done")
            case events.ApplyErrored():
                self._end(event.step, "failed")
            case events.ApplyApproval():
                self._end(event.step, "waiting for approval")
            case events.ApplyOpen():
                self._end(event.step, "left open")
            case events.ApplyLeft():
                self._end(event.step, "going on in Azure")
            case events.ApplySkipped():
                self._end(event.step, "skipped")
            case events.ApplySettled():
                self._running.pop(event.step, None)
            case _:
                pass

    def running(self) -> list[Row]:
        """What runs, oldest first."""
        return list(self._running.values())

    def waiting(self, most: int) -> list[Row]:
        """The next that wait, and what for: the steps they need, or their turn in a vault that is busy."""
        return [
            Row(step.title, waits_for=self._reason(step), usually=step.usually)
            for step in islice(self._planned.values(), most)
        ]

    def headline(self) -> str:
        """`12 done, 1 failed; 3 running, 24 waiting`."""
        ended = ", ".join(f"{count} {word}" for word, count in self.ended.items()) or "0 done"
        return f"{ended}; {len(self._running)} running, {len(self._planned)} waiting"

    def _reason(self, step: events.PlannedStep) -> str:
        needed = [self._title(other) for other in step.after if other not in self._done]
        if needed:
            return needed[0] if len(needed) == 1 else f"{needed[0]} and {len(needed) - 1} more"
        return "its turn in the vault" if step.lane else "its turn"

    def _title(self, step: str) -> str:
        if step in self._running:
            return self._running[step].title
        return self._planned[step].title if step in self._planned else step

    def _status(self, step: str, status: str) -> None:
        row = self._running.get(step)
        if row:
            self._running[step] = Row(row.title, row.since, status, usually=row.usually)

    def _end(self, step: str, word: str) -> None:
        self._planned.pop(step, None)
        self._running.pop(step, None)
        self.ended[word] = self.ended.get(word, 0) + 1


@contextlib.contextmanager
def _live(now: Callable[[], datetime], console: Console | None) -> Iterator[Emit]:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    screen = console or Console(highlight=False)
    board = Board()
    with Live(
        console=screen,
        get_renderable=lambda: table(board, now(), rows=min(_ROWS, screen.height - 4)),
        refresh_per_second=4,
        transient=True,
    ) as display:

        def emit(event: Event) -> None:
            board.take(event)
            if not isinstance(event, _ON_THE_BOARD):
                display.console.print(Text(_fill(told(event), screen.width), style=_STYLES.get(event.level, "")))

        yield emit


_ON_THE_BOARD = (events.PlannedChange, events.ApplyStart, events.ApplyAccepted, events.ApplyProgress)
"""What the table shows while it lasts, and needs no line of its own."""
_STYLES = {"error": "red", "warn": "yellow"}


def _fill(text: str, width: int) -> str:
    """The lines at the width of the screen, what is left of each hanging below its text."""
    hanging = " " * INDENT
    lines = printable(text).split("\n")
    fill = functools.partial(textwrap.fill, width=width, break_on_hyphens=False, break_long_words=False)
    return "\n".join(fill(line, subsequent_indent=hanging) for line in lines)


def table(board: Board, now: datetime, rows: int = _ROWS) -> Group:
    """The live part of the screen at one moment: it never takes more lines than `rows` and one."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    def text(words: str, style: str = "") -> Text:
        return Text(printable(words), style=style, overflow="ellipsis", no_wrap=True)

    grid = Table(box=None, show_header=False, pad_edge=False, title=None, expand=True)
    grid.add_column(overflow="ellipsis", no_wrap=True, ratio=3)
    grid.add_column(justify="right", no_wrap=True, min_width=8)
    grid.add_column(overflow="ellipsis", no_wrap=True, ratio=2)
    running = board.running()
    for row in running[:rows]:
        since = now - row.since if row.since else timedelta()
        usual = f"usually {row.usually}, {row.status}" if row.usually else row.status
        grid.add_row(text(row.title), text(format_age(max(since, timedelta()))), text(usual, "dim"))
    for row in board.waiting(min(_WAITING, max(0, rows - len(running)))):
        grid.add_row(text(row.title, "dim"), text(""), text(f"waits for {row.waits_for}", "dim"))
    return Group(grid, text(board.headline(), "bold"))
