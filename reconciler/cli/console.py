"""How text reaches the terminal: colour or not, and never a control character that came from Azure or from YAML."""

from __future__ import annotations

import os
import sys
import unicodedata

import click


def printable(text: str) -> str:
    """The text with control and bidirectional-override characters spelled out; newline and tab stay."""
    return "".join(
        char if char in "\n\t" or unicodedata.category(char) not in {"Cc", "Cf"} else f"\\u{ord(char):04x}"
        for char in text
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


def write(text: str, *, colour: bool = False) -> None:
    """Print a rendered text as it is; renderers have escaped what they took from outside."""
    click.echo(text, color=colour)


def note(text: str) -> None:
    """A line for the person at the terminal, kept out of the output that others read."""
    click.echo(printable(text), err=True)
