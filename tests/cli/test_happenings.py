"""The events of an apply as people read them, and what is said when not everything got done."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from reconciler.apply import events
from reconciler.apply.result import Ending, Result, Status
from reconciler.cli.happenings import farewell, recap, told
from reconciler.plan.change import Step

STEP = {"at": datetime(2026, 3, 1, tzinfo=UTC), "step": "vm.p/a#go", "address": "vm.p/a", "title": "protect a"}


def ending(status: Status) -> Ending:
    return Ending(Step(id="vm.p/a#go", kind="vm", address="vm.p/a", verb="go", title="protect a"), status)


@pytest.mark.parametrize(
    ("event", "lines"),
    [
        (events.ApplyStart(**STEP), ["started  protect a"]),
        (events.ApplyStart(**STEP, resumed=True), ["started  protect a (resumed)"]),
        (events.ApplyComplete(**STEP, elapsed_seconds=75), ["done     protect a (1 min 15 s)"]),
        (events.ApplyLeft(**STEP, elapsed_seconds=3, message="on"), ["goes on  protect a (3 s)"]),
        (events.ApplySettled(**STEP, message="does not run"), ["settled  protect a: does not run"]),
        (
            events.ApplySkipped(**STEP, because="policy.p/d#put", message="because policy.p/d: make d failed"),
            ["skipped  protect a: because make d failed"],
        ),
        (
            events.ApplyOpen(**STEP, elapsed_seconds=2, message="no answer", advice="run apply again"),
            ["open     protect a (2 s)", "         vm.p/a", "         no answer", "         next: run apply again"],
        ),
        (
            events.ApplyApproval(**STEP, message="held back", guard="/guards/g"),
            ["approval protect a", "         vm.p/a", "         held back", "         why:  Resource Guard /guards/g"],
        ),
    ],
)
def test_lines_begin_with_what_became_of_the_step(event: events.Event, lines: list[str]) -> None:
    assert told(event).split("\n") == lines


@pytest.mark.parametrize("status", [Status.DONE, Status.GOES_ON, Status.WAITING])
def test_nothing_is_said_when_all_is_as_asked(status: Status) -> None:
    assert list(recap([], Result((ending(Status.DONE), ending(status))))) == []


@pytest.mark.parametrize(
    ("going_on", "waiting", "said"),
    [(1, 0, "1 step goes on in Azure; "), (2, 3, "2 steps go on in Azure (3 more after that); ")],
)
def test_what_goes_on_is_told_last(going_on: int, waiting: int, said: str) -> None:
    them = "it" if going_on == 1 else "them"
    last = f"`reconciler status` tells how far, the next apply takes {them} up."
    assert farewell(going_on, waiting) == said + last


def test_a_single_trouble_is_not_told_twice() -> None:
    trouble = events.ApplyErrored(**STEP, elapsed_seconds=1, message="no")
    said = list(recap([trouble], Result((ending(Status.FAILED), ending(Status.SKIPPED), ending(Status.NOT_TRIED)))))
    assert said[1] == "Left: 1 step skipped because of what they need, 1 step not tried."
    assert "failed" not in "".join(said)
    assert "run apply again" in said[-1]


def test_a_run_that_was_only_stopped_has_nothing_to_mend() -> None:
    said = list(recap([], Result((ending(Status.DONE), ending(Status.NOT_TRIED)), stopped=True)))
    assert said[1:] == [
        "Left: 1 step not tried.",
        "Next: run apply again: it plans afresh, and what is done is not done twice.",
    ]


def test_several_troubles_are_gathered_at_the_end() -> None:
    trouble = events.ApplyErrored(**STEP, elapsed_seconds=1, message="no", why="Code: words", advice="mend it")
    said = list(recap([trouble, trouble], Result((ending(Status.FAILED), ending(Status.NEEDS_APPROVAL)))))
    assert "What went wrong (2):" in said
    assert said.count("         why:  Code: words") == 2
    assert "Get the approval, then run apply again." in said
