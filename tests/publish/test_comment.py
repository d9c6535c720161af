"""The file that is published: its marker, and what is left of it where it is too long."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.errors import PublishError
from reconciler.publish.comment import fit, read_report, same


def test_the_marker_is_the_first_line(tmp_path: Path) -> None:
    file = tmp_path / "plan.md"
    file.write_text("<!-- reconciler:web -->\n\n## Two **changes**\n", encoding="utf-8")
    report = read_report(file)
    assert (report.marker, report.verdict) == ("<!-- reconciler:web -->", "Two **changes**")


def test_a_file_that_powershell_wrote_is_read(tmp_path: Path) -> None:
    file = tmp_path / "plan.md"
    file.write_bytes(b"\xef\xbb\xbf<!-- reconciler:plan -->\r\n## Two changes\r\n")
    assert read_report(file).text == "<!-- reconciler:plan -->\n## Two changes\n"


@pytest.mark.parametrize("text", ["", "## A plan\n", "text\n<!-- reconciler:plan -->\n", "<!-- reconciler:a --> b\n"])
def test_a_file_without_marker_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "plan.md"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(PublishError, match="does not begin with a marker"):
        read_report(file)


def test_a_file_that_is_not_there_or_no_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(PublishError, match="cannot be read"):
        read_report(tmp_path / "none.md")
    (tmp_path / "bytes.md").write_bytes(b"\xff\xfe")
    with pytest.raises(PublishError, match="cannot be read"):
        read_report(tmp_path / "bytes.md")


def test_only_points_in_time_do_not_count() -> None:
    assert same("at 2026-03-02T06:00:00Z\r\n", "at 2026-03-03T07:10:00Z\n\n")
    assert not same("2 VMs", "3 VMs")
    assert same("the newest is 3 d 4 h old; promised is 24h", "the newest is 4 d old; promised is 24h")
    assert same("no backup for 59 min 3 s", "no backup for 1 h 4 min")
    assert same("11 d until its data is gone", "10 d until its data is gone")
    assert not same("daily retention 7 d → 30 d", "daily retention 7 d → 14 d")


PIECES = [
    "text\n",
    "```diff\n",
    "````\n",
    "```\n",
    "~~~\n",
    "<details><summary>s</summary>\n",
    "</details>\n",
    "\n",
    "+ a\n",
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=200), st.integers(400, 900))
def test_a_cut_leaves_nothing_open(pieces: list[str], most: int) -> None:
    text = "".join(pieces)
    cut = fit(text, most)
    if len(text) <= most:
        assert cut == text
        return
    assert len(cut) <= most
    assert cut.endswith("The run that made this report has all of it.**\n")
    fence, depth = "", 0
    for line in cut.split("\n"):
        bare = line.strip()
        if fence:
            closes = bare and set(bare) == {fence[0]} and len(bare) >= len(fence)
            fence = "" if closes else fence
        elif bare[:3] in ("```", "~~~"):
            fence = bare[: len(bare) - len(bare.lstrip(bare[0]))]
        else:
            depth = max(0, depth + bare.count("<details") - bare.count("</details>"))
    assert (fence, depth) == ("", 0)
