"""Untrusted text (VM names, tags, YAML, words of Azure) made harmless for the place it is shown in."""

from __future__ import annotations

import re

_ACTING = re.compile(
    r"[@#!%~$^](?=\S)|&amp;(?=\w)|://|:(?!\d\d:)(?=[\w+-]{1,50}[:\]\\])|\bwww(?=\.)|\bGH(?=-\d)"
    r"|(?<![0-9a-z])[0-9a-f]{7,}(?![0-9a-z])",
    re.IGNORECASE,
)
"""What GitHub, GitLab and Azure DevOps make a link, a mention or a picture of in plain text: people and teams, issues
and merge requests, labels, milestones, epics, addresses, :emoji:, and the ids of commits."""
_MARKS = re.compile(r"([\\`*_\[\]#|~$!%^])")
_COMMAND = re.compile(r"##(?=(?:vso)?\[)|^[^\S\n]*::(?=[\w-])", re.IGNORECASE | re.MULTILINE)
"""What runners of Azure Pipelines and GitHub Actions obey in a log: `##vso[task.setvariable ...]` anywhere in a line,
`::add-mask::` at its beginning."""
_BREAK = "<!-- -->"
_COMMIT = 6
"""One hexadecimal digit less than what is taken for a commit."""


def visible(text: str) -> str:
    """One line of printable characters: control characters, line breaks, direction overrides and other invisible
    characters are spelled out (`\\x1b`, `\\u202e`), so that no name can move a cursor, colour or fake a line, or
    command a pipeline by its log."""
    if not text.isprintable():
        text = "".join(char if char.isprintable() else _spell(char) for char in text)
    return obeyed_by_none(text)


def obeyed_by_none(text: str) -> str:
    """The text with the second sign of such a command spelled out (`#\\x23vso[`)."""
    if "##" not in text and "::" not in text:
        return text
    return _COMMAND.sub(lambda found: f"{found.group()[:-1]}\\x{ord(found.group()[-1]):02x}", text)


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
    return _ACTING.sub(_part, marked)


def html(text: str) -> str:
    """Text inside an HTML element of a Markdown page (`<summary>`): as it is written, no mention or link in it."""
    safe = visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    return _ACTING.sub(_part, safe)


def fence(text: str) -> str:
    """A fence longer than any run of backticks in the text."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    return "`" * max(3, longest + 1)


def _part(match: re.Match[str]) -> str:
    found = match.group()
    if found == "://":
        return f":{_BREAK}//"
    if len(found) > _COMMIT:
        return _BREAK.join(found[start : start + _COMMIT] for start in range(0, len(found), _COMMIT))
    return found + _BREAK
