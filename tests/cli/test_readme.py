"""The README says what the program does: its tables and commands are held against the code."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from reconciler.cli.main import cli
from reconciler.diff.guards import GUARDS
from reconciler.errors import ExitCode

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def rows(title: str) -> list[list[str]]:
    """The cells of the first table after a heading."""
    table = README.partition(f"{title}\n")[2].partition("\n| ---")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table.splitlines()[1:]]


def test_every_exit_code_is_explained() -> None:
    assert [int(code) for code, _ in rows("### Exit codes")] == [code.value for code in ExitCode]


def test_every_guard_is_explained_in_the_words_of_the_code() -> None:
    told = dict(rows("### Guards"))
    assert list(told) == [guard.code for guard in GUARDS]
    assert all(told[guard.code].startswith(guard.refuses) for guard in GUARDS)


def test_every_command_is_listed() -> None:
    listed = [re.match(r"`([\w-]+)", command) for command, _ in rows("## Commands")]
    assert [match.group(1) for match in listed if match] == cli.list_commands(None)  # type: ignore[arg-type]


@pytest.mark.parametrize("target", sorted(set(re.findall(r"(?:`|\$ )make ([\w-]+)", README))))
def test_every_make_target_that_is_named_exists(target: str) -> None:
    asked = subprocess.run(["make", "-n", "-C", str(ROOT), target], capture_output=True, text=True)
    assert asked.returncode == 0, asked.stderr


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_every_link_leads_somewhere(link: str) -> None:
    assert (ROOT / link).exists()


@pytest.mark.parametrize("picture", sorted(set(re.findall(r' src(?:set)?="([^"]+)"', README))))
def test_every_picture_is_there(picture: str) -> None:
    assert (ROOT / picture).is_file()


def test_the_comment_of_a_pull_request_is_one_that_was_made() -> None:
    chapter = README.partition("## Pull requests and nights\n")[2].partition("\n## ")[0]
    quoted = "\n".join(line[2:] for line in chapter.splitlines() if line.startswith(">"))
    made = (ROOT / "tests" / "golden" / "pull-request.md").read_text(encoding="utf-8")
    parts = [part.strip("\n") for part in quoted.split("[...]")]
    assert len(parts) > 1
    for part in parts:
        assert part in made, "it was written by hand, or make golden has changed it"
        made = made.partition(part)[2]
