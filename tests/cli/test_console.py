"""How text reaches the terminal."""

from __future__ import annotations

import pytest

from reconciler.cli.console import printable, wants_colour


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, ümläut, 日本語 and 🙂", "plain, ümläut, 日本語 and 🙂"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("\x1b[31mred", "\\u001b[31mred"),
        ("back\rto the start", "back\\u000dto the start"),
        ("turned \u202e round", "turned \\u202e round"),
        ("bell\x07 and \x9b2J", "bell\\u0007 and \\u009b2J"),
        ("why: ##vso[task.complete]x", "why: #\\x23vso[task.complete]x"),
        ("no\n  ::set-output name=a::b", "no\n  :\\x3aset-output name=a::b"),
        ("## a heading, fe80::1 and a::b", "## a heading, fe80::1 and a::b"),
    ],
)
def test_control_characters_are_spelled_out(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize(
    ("choice", "environment", "expected"),
    [
        (None, {}, False),
        (True, {}, True),
        (True, {"NO_COLOR": "1"}, True),
        (False, {"FORCE_COLOR": "1"}, False),
        (None, {"FORCE_COLOR": "1"}, True),
        (None, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (None, {"NO_COLOR": ""}, False),
    ],
)
def test_colour_is_asked_for_or_refused(
    choice: bool | None, environment: dict[str, str], expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Standard output is no terminal here."""
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert wants_colour(choice) is expected
