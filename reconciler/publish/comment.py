"""A report to publish: the Markdown file, with the marker that its one comment or issue is found by."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import PublishError

MARKER = re.compile(r"<!-- reconciler:[^\s<>]+ -->")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_TIMES = re.compile(r"\d{4}-\d\d-\d\d[T ][\d:.]+(?:Z|[+-]\d\d:\d\d)?")
_AGES = re.compile(
    r"\b\d+ (?:d|h|min) \d+ (?:h|min|s)\b|\b\d+ (?:d|h|min|s)(?= old| ago| are left| until)",
)
"""As `format_age` spells them: every night they are others."""
_TOLD = "\n\n**The rest is left out: the host takes no longer text. The run that made this report has all of it.**\n"


@dataclass(frozen=True, slots=True)
class Report:
    """`text` begins with `marker`, a line of its own."""

    marker: str
    text: str

    @property
    def verdict(self) -> str:
        """The sentence at the top, as Markdown; "" where there is none."""
        lines = (line.lstrip("# ").strip() for line in self.text.split("\n")[1:])
        return next((line for line in lines if line), "")


def read_report(file: Path) -> Report:
    """Raises PublishError where it cannot be read, or has no marker."""
    try:
        text = file.read_text(encoding="utf-8-sig")  # as PowerShell writes it
    except (OSError, UnicodeDecodeError) as error:
        raise PublishError(f"{file} cannot be read", why=str(error)) from error
    marker = first_line(text)
    if not MARKER.fullmatch(marker):
        raise PublishError(
            f"{file} does not begin with a marker, as <!-- reconciler:plan -->",
            why="the marker is how the comment of the run before is found and edited",
            advice="a report has one: reconciler plan --report markdown=report.md, then publish that file",
        )
    return Report(marker, text)


def first_line(text: str | None) -> str:
    """Where a marker has to stand: one that is quoted further down is somebody else's text."""
    return (text or "").split("\n", 1)[0].strip()


def same(one: str, other: str) -> bool:
    """Whether two reports say the same but for points in time and ages. Hosts may turn line ends and trim."""
    return _timeless(one) == _timeless(other)


def _timeless(text: str) -> str:
    return _AGES.sub("", _TIMES.sub("", text.replace("\r\n", "\n"))).strip()


def fit(text: str, most: int) -> str:
    """The text, cut at the end of a line where it is longer than `most` characters: what is open there is closed, and
    the cut is told."""
    if len(text) <= most:
        return text
    kept: list[str] = []
    fence, details, room = "", 0, most - len(_TOLD)
    for line in text.split("\n"):
        after_fence, after_details = _opened(line, fence, details)
        closing = len(_close(after_fence, after_details))
        if len(line) + 1 + closing > room:
            break
        kept.append(line)
        fence, details, room = after_fence, after_details, room - len(line) - 1
    return "\n".join(kept) + _close(fence, details) + _TOLD


def _opened(line: str, fence: str, details: int) -> tuple[str, int]:
    """The fence and the number of `<details>` that are open after the line."""
    ticks = _FENCE.match(line)
    if fence:
        closed = ticks and ticks.group(1).startswith(fence) and not line.strip().strip(fence[0])
        return ("" if closed else fence), details
    if ticks:
        return ticks.group(1), details
    return "", max(0, details + line.count("<details") - line.count("</details>"))


def _close(fence: str, details: int) -> str:
    return (f"\n{fence}\n" if fence else "") + "\n</details>\n" * details
