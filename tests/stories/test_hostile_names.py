"""Names, tags and policies that try to be more than text."""

from __future__ import annotations

import json
import unicodedata

import pytest

from tests.stories.conftest import Story
from tests.stories.small_estate import DAILY, POLICIES, PRODUCTION, RSV_WEU, SCOPE, item, machine, small

pytestmark = pytest.mark.story
EVIL = "x`|**b**<img src=a>\u202e"
COLOURED = "\x1b[31mred\x07"
BREAKOUT = "```\n</details>@everyone"
MARKUP = "```|**b**<details><img src=a>@everyone"


def unprintable(text: str) -> set[str]:
    """Control and direction characters that reached the reader."""
    return {char for char in text if unicodedata.category(char) in ("Cc", "Cf") and char not in "\n\t"}


@pytest.fixture
def hostile(story: Story) -> Story:
    """A VM, a tag and a policy document of somebody who has read about injection."""
    evil = machine(EVIL, tags={"env": "prod", COLOURED: BREAKOUT})
    documents = (
        SCOPE,
        RSV_WEU,
        {**DAILY, "name": "daily"},
        {**PRODUCTION, "name": f"prod {MARKUP}"},
        {
            "kind": "Exemption",
            "name": f"none {MARKUP}",
            "select": {"names": ["dev-01"]},
            "reason": f"because {MARKUP} of reasons",
            "until": "2030-01-01",
        },
    )
    story.begin(small(item("app-01"), machines=(evil,)), *documents)
    return story


def test_reports_show_them_and_nothing_more(hostile: Story) -> None:
    for command in ("plan", "drift"):
        text = hostile.run(command, "--no-color").out
        assert unprintable(text) == set()
        assert "\\u202e" in text
        markdown = hostile.run(command, "--format", "markdown").out
        assert unprintable(markdown) == set()
        assert "\n</details>@everyone" not in markdown
        assert_closed(markdown)
        document = json.loads(hostile.run(command, "--format", "json").out)
        changes = document["resource_changes"] or document["resource_drift"]
        assert any(change["address"].endswith(EVIL) for change in changes), "JSON carries the name as it is"
        assert unprintable(hostile.run(command, "--format", "json").out) <= {"\u202e"}


def assert_closed(markdown: str) -> None:
    """Every fence that opens is closed by one as long, every fold as well, and no markup of theirs is outside."""
    fence, outside = "", []
    for line in markdown.splitlines():
        ticks = line[: len(line) - len(line.lstrip("`"))]
        if fence and line == fence:
            fence = ""
        elif not fence and len(ticks) >= 3:
            fence = ticks
        elif not fence:
            outside.append(line)
    assert fence == ""
    assert not [line for line in outside if "<img" in line or "@everyone" in line]
    assert sum("<details>" in line for line in outside) == sum("</details>" in line for line in outside)


def test_explaining_them_is_safe(hostile: Story) -> None:
    text = hostile.run("explain", EVIL, code=0).out
    assert unprintable(text) == set()
    assert "\\x1b[31mred" in text
    assert unprintable(hostile.run("explain", "no such \x1b[2J thing", code=1).err) == set()


def test_applying_them_is_safe(hostile: Story) -> None:
    said = hostile.run("apply", "--auto-approve")
    assert unprintable(said.told) == set()
    events = hostile.run("apply", "--auto-approve", "--format", "json").out
    assert all(isinstance(json.loads(line), dict) for line in events.splitlines())


def test_mistakes_in_hostile_policies_are_told_safely(story: Story) -> None:
    story.write(*POLICIES, {**PRODUCTION, "name": COLOURED, "backup": {"policy": f"{EVIL}{COLOURED}"}})
    said = story.run("validate", str(story.policies), code=1)
    assert unprintable(said.told) == set()
    (story.policies / "bomb.yaml").write_text("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n")
    (story.policies / "tagged.yaml").write_text("!!python/object/apply:os.system [echo pwned]\n")
    (story.policies / "binary.yaml").write_bytes(b"\x00\xff\xfe\x1b[31m")
    said = story.run("validate", str(story.policies), code=1)
    assert unprintable(said.told) == set()
    for name in ("bomb.yaml", "tagged.yaml", "binary.yaml"):
        assert name in said.told
