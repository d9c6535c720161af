"""No changes on Mondays: what was changed waits, snapshots go on; a saved plan meets the window when it is applied."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.stories.conftest import Story
from tests.stories.small_estate import DAILY, POLICIES, PRODUCTION, RSV_WEU, SCOPE, item, small

pytestmark = pytest.mark.story
MONDAYS: dict[str, Any] = {**SCOPE, "freeze": [{"reason": "no Mondays", "weekly": {"weekdays": ["Monday"]}}]}
SCHEDULE: dict[str, Any] = {"kind": "SnapshotSchedule", "name": "six-hourly", "every": "6h", "keep": {"count": 4}}
SNAPPED: dict[str, Any] = {**PRODUCTION, "snapshots": {"schedule": "six-hourly"}}
IN_STEP = (item("app-01"), item("app-02"))
UNTIL = "2026-03-03 00:00 UTC (no Mondays)"


def begin(story: Story, *more: dict[str, Any]) -> None:
    """app-03 is not protected yet, and it is Monday."""
    story.begin(small(*IN_STEP), MONDAYS, *POLICIES[1:], *more)


def advance(story: Story, hours: int) -> None:
    story.azure.ask("POST", "clock", {"advance": f"{hours}h"})


def test_a_plan_tells_and_an_apply_holds_back(story: Story) -> None:
    begin(story)
    planned = story.run("plan", code=0)
    assert f"apply would hold back 1 change until {UNTIL}" in planned.out
    assert "hold back 1 change" in story.run("drift", code=2).out
    said = story.run("apply", "--auto-approve", code=3)
    assert f"held back (frozen): 1 change until {UNTIL}" in said.told
    assert "--allow G108=1" in said.told
    assert story.writes() == {}
    assert f"until {UNTIL}" in story.run("apply", "--auto-approve", "--format", "json", code=3).err
    story.run("apply", "--auto-approve", "--allow", "G108=1", code=0)
    assert story.writes() == {"PUT app-03": 1}
    story.run("apply", "--auto-approve", code=0)


def test_a_saved_plan_is_held_by_the_window_that_is_open_when_it_is_applied(story: Story) -> None:
    begin(story)
    story.run("plan", "--out", "plan.json", code=0)
    assert "held back (frozen)" in story.run("apply", "plan.json", code=3).told
    assert story.writes() == {}
    advance(story, 24)
    story.run("apply", "plan.json", code=0)
    assert story.writes() == {"PUT app-03": 1}


def test_a_saved_plan_is_let_through_by_number(story: Story) -> None:
    begin(story)
    story.run("plan", "--out", "plan.json", code=0)
    assert "belong to `plan --out`" in story.run("apply", "plan.json", "--allow", "G104=1", code=1).err
    story.run("apply", "plan.json", "--allow", "G108=1", code=0)
    story.begin(small(*IN_STEP), MONDAYS, *POLICIES[1:])
    story.run("plan", "--out", "plan.json", "--allow", "G108=1", code=0)
    assert json.loads((story.folder / "plan.json").read_text(encoding="utf-8"))["allowed"] == ["G108=1"]
    story.run("apply", "plan.json", code=0)


def test_snapshots_that_are_due_go_on(story: Story) -> None:
    """The first of a schedule begin something, and wait; those that follow are taken in the window."""
    documents = (*POLICIES[1:4], SCHEDULE, SNAPPED, POLICIES[5])
    story.begin(small(*IN_STEP, item("app-03")), MONDAYS, *documents)
    story.run("apply", "--auto-approve", code=3)
    assert story.writes() == {}
    story.write(SCOPE, *documents)
    story.run("apply", "--auto-approve", code=0)
    taken = sum(story.writes().values())
    assert taken == 6, "two disks of three VMs"
    advance(story, 6)
    story.write(MONDAYS, *documents[:2], {**DAILY, "retention": {"daily": {"days": 40}}}, *documents[3:])
    said = story.run("apply", "--auto-approve", code=3)
    assert "held back" in said.told
    assert sum(story.writes().values()) == 2 * taken
    assert not [name for name in story.writes() if name in ("PUT daily", "PUT rsv-weu")], RSV_WEU
