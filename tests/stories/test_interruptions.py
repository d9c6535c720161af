"""An apply that is killed or stopped half-way: the next one takes up what runs, and starts nothing twice."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from tests.stories.conftest import Story
from tests.stories.small_estate import DAILY, POLICIES, PRODUCTION, RSV_WEU, SCOPE, item, small

pytestmark = pytest.mark.story
NEW_VAULT: tuple[dict[str, Any], ...] = (
    SCOPE,
    {**RSV_WEU, "name": "rsv-new", "redundancy": "ZoneRedundant", "immutability": "Unlocked"},
    DAILY,
    PRODUCTION,
)
EVERYTHING = {
    "PUT rsv-new": 1,
    "PATCH rsv-new": 2,
    "PUT daily": 1,
    "PUT app-01": 1,
    "PUT app-02": 1,
    "PUT app-03": 1,
}


def in_step(story: Story) -> None:
    assert "No changes." in story.run("plan", "--detailed-exitcode", code=0).out
    assert list((story.folder / "journals").glob("*.jsonl")) == [], "nothing is left open"


@pytest.mark.parametrize("name", ["rsv-new", "app-02"])
def test_killed_while_operations_run(story: Story, name: str) -> None:
    """The operation was accepted and its address noted: the next apply waits for it instead of sending it again."""
    story.begin(small(), *NEW_VAULT)
    if name == "app-02":
        story.run("apply", "--auto-approve", "--exclude", "protected_vm.*", code=0)
    story.stand_still()
    apply = story.start("apply", "--auto-approve")
    story.until(lambda: story.writes()[f"PUT {name}"] == 1)
    story.until(lambda: polls(story) > 1)
    apply.kill()
    assert apply.process.returncode == -signal.SIGKILL
    story.go_on()
    assert "(resumed)" in story.run("apply", "--auto-approve", code=0).out
    assert story.writes() == EVERYTHING
    in_step(story)


def polls(story: Story) -> int:
    """Questions about operations under way."""
    return sum("operation" in entry["template"].lower() for entry in story.azure.requests())


@pytest.mark.parametrize(
    ("method", "name"), [("PUT", "rsv-new"), ("PATCH", "rsv-new"), ("PUT", "daily"), ("PUT", "app-03")]
)
def test_killed_before_the_answer_came(story: Story, method: str, name: str) -> None:
    """The write took effect and nobody heard: it is looked for in Azure before anything is sent."""
    story.begin(small(), *NEW_VAULT)
    story.azure.add_fault({"method": method, "path": f"*[/;]{name}", "delay": 5.0, "count": 1})
    apply = story.start("apply", "--auto-approve")
    story.until(lambda: story.sent(method, name) == 1)
    apply.kill()
    story.go_on()
    story.run("apply", "--auto-approve", code=0)
    assert story.writes() == EVERYTHING
    in_step(story)


def test_killed_between_undelete_and_resume(story: Story) -> None:
    """A change of two steps: the first is not repeated, the second is not forgotten."""
    deleted = item("app-01", state="SoftDeleted", deletedDaysAgo=0)
    story.begin(small(deleted, item("app-02"), item("app-03")), *POLICIES)
    story.stand_still()
    apply = story.start("apply", "--auto-approve")
    story.until(lambda: story.writes()["PUT app-01"] == 1)
    apply.kill()
    story.go_on()
    story.run("apply", "--auto-approve", code=0)
    assert story.writes() == {"PUT app-01": 2}
    in_step(story)


def test_a_saved_plan_is_taken_up_after_the_kill(story: Story) -> None:
    story.begin(small(), *NEW_VAULT)
    story.run("plan", "--out", "plan.json", code=0)
    story.stand_still()
    apply = story.start("apply", "plan.json")
    story.until(lambda: story.writes()["PUT rsv-new"] == 1)
    apply.kill()
    story.go_on()
    story.run("apply", "plan.json", code=0)
    assert story.writes() == EVERYTHING
    in_step(story)


def test_a_saved_undelete_asks_for_nothing_more_after_the_kill(story: Story) -> None:
    """What resuming prunes was told in the plan that was approved, before the first of its two steps."""
    deleted = item("app-01", state="SoftDeleted", deletedDaysAgo=5)
    story.begin(small(deleted, item("app-02"), item("app-03")), *POLICIES)
    assert "prunes up to" in story.run("plan", "--out", "plan.json", code=0).out
    story.stand_still()
    apply = story.start("apply", "plan.json")
    story.until(lambda: story.writes()["PUT app-01"] == 1)
    apply.kill()
    story.go_on()
    story.run("apply", "plan.json", code=0)
    assert story.writes() == {"PUT app-01": 2}
    in_step(story)


def test_ctrl_c_waits_for_what_runs(story: Story) -> None:
    story.begin(small(), *POLICIES)
    story.stand_still()
    apply = story.start("apply", "--auto-approve", "--parallelism", "1")
    story.until(lambda: story.writes()["PUT app-01"] == 1)
    apply.process.send_signal(signal.SIGINT)
    apply.line("topping")
    story.go_on()
    said = apply.end()
    assert said.code == 4, said.told
    assert "1 done" in said.out
    assert "2 not tried" in said.out
    assert story.writes() == {"PUT app-01": 1}
    story.run("apply", "--auto-approve", code=0)
    assert story.writes() == {"PUT app-01": 1, "PUT app-02": 1, "PUT app-03": 1}
    in_step(story)


def test_ctrl_c_twice_leaves_it_to_the_next_apply(story: Story) -> None:
    story.begin(small(item("app-01"), item("app-02")), *POLICIES)
    story.stand_still()
    apply = story.start("apply", "--auto-approve")
    story.until(lambda: story.writes()["PUT app-03"] == 1)
    apply.process.send_signal(signal.SIGINT)
    apply.line("topping")
    apply.process.send_signal(signal.SIGINT)
    said = apply.end()
    assert said.code == 4, said.told
    story.go_on()
    assert "(resumed)" in story.run("apply", "--auto-approve", code=0).out
    assert story.writes() == {"PUT app-03": 1}
    in_step(story)


def test_only_one_apply_at_a_time(story: Story) -> None:
    story.begin(small(item("app-01"), item("app-02")), *POLICIES)
    story.stand_still()
    first = story.start("apply", "--auto-approve")
    story.until(lambda: story.writes()["PUT app-03"] == 1)
    second = story.run("apply", "--auto-approve", code=1)
    assert str(first.process.pid) in second.err
    story.go_on()
    assert first.end().code == 0
    assert story.writes() == {"PUT app-03": 1}
