"""Untrusted text (VM names, tags, YAML, words of Azure) made harmless for the place it is shown in."""

from __future__ import annotations

import re

_MENTIONS = re.compile(r"@(?=\w)|#(?=\d)|://|\bwww(?=\.)|\bGH(?=-\d)", re.IGNORECASE)
_MARKS = re.compile(r"([\\`*_\[\]#|~$])")
_BREAK = "<!-- -->"


def visible(text: str) -> str:
    """One line of printable characters: control characters, line breaks, direction overrides and other invisible
    characters are spelled out (`\\x1b`, `\\u202e`), so that no name can move a cursor, colour or fake a line."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _spell(char) for char in text)


def _spell(char: str) -> str:
    code = ord(char)
    if char == "\n":
        return "\\n"
    if char == "\t":
        return "\\t"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def markdown(text: str) -> str:
    """Prose inside a line of Markdown (never its beginning): shown as it is written, with no markup, HTML, mention,
    reference or link in it."""
    safe = visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    marked = _MARKS.sub(r"\\\1", safe)
    return _MENTIONS.sub(_part, marked)


def html(text: str) -> str:
    """Text inside an HTML element of a Markdown page (`<summary>`): as it is written, no mention or link in it."""
    safe = visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    return _MENTIONS.sub(_part, safe)


def fence(text: str) -> str:
    """A fence longer than any run of backticks in the text."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    return "`" * max(3, longest + 1)


def _part(match: re.Match[str]) -> str:
    found = match.group()
    return f":{_BREAK}//" if found == "://" else found + _BREAK
