"""How text reaches the terminal: colour or not, and never a control character that came from Azure or from YAML."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
import unicodedata

import click

from reconciler.errors import ExitCode
from reconciler.render.escape import obeyed_by_none


def printable(text: str) -> str:
    """The text with control and bidirectional-override characters spelled out, and nothing in it that a pipeline obeys
    in its log; newline and tab stay."""
    return obeyed_by_none(
        "".join(
            char if char in "\n\t" or unicodedata.category(char) not in {"Cc", "Cf"} else f"\\u{ord(char):04x}"
            for char in text
        )
    )


def wants_colour(choice: bool | None) -> bool:
    """`--color/--no-color` first, then NO_COLOR and FORCE_COLOR, then whether the output is a terminal."""
    if choice is not None:
        return choice
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return sys.stdout.isatty()


def columns() -> int:
    """The width of the terminal that reads standard output; 0 where a pipe or a file does: lines stay whole there."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 0


def write(text: str, *, colour: bool = False) -> None:
    """Print a rendered text as it is; renderers have escaped what they took from outside."""
    click.echo(text, color=colour)


def leave_output() -> None:
    """The reader of standard output has gone (`| head`): nothing more is written there, and the interpreter does not
    complain at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def note(text: str) -> None:
    """A line for the person at the terminal, kept out of the output that others read; wrapped where it is one."""
    lines = printable(text).split("\n")
    if sys.stderr.isatty():
        width = shutil.get_terminal_size().columns
        lines = [_fill(line, width) for line in lines]
    click.echo("\n".join(lines), err=True)


def _fill(line: str, width: int) -> str:
    indent = " " * (len(line) - len(line.lstrip(" ")))
    return textwrap.fill(line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def hint(text: str) -> None:
    """A note that only a person needs: nothing where standard error is read by something else."""
    if sys.stderr.isatty():
        note(text)


_MEANINGS = {
    ExitCode.ERROR: "there are errors",
    ExitCode.CHANGES: "there are changes",
    ExitCode.REFUSED: "a guard refuses it; nothing was changed",
    ExitCode.INCOMPLETE: "a part of Azure could not be read",
}


def conclude(code: ExitCode, meaning: str = "") -> ExitCode:
    """The exit code, explained to whoever sits at the terminal where it is not 0."""
    if code is not ExitCode.OK:
        hint(f"Exit code {code.value}: {meaning or _MEANINGS[code]}.")
    return code
