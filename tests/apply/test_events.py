from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from reconciler.apply import events

AT = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
STEP: dict[str, Any] = {"at": AT, "step": "vm.prod/a#enable", "address": "vm.prod/a", "title": "Protect a"}

WORDS: list[tuple[events.Event, str, str]] = [
    (events.Version(at=AT, reconciler="0.1.0"), "version", "reconciler 0.1.0"),
    (
        events.LockEvent(at=AT, state="lost", lock="https://a/b/c", message="somebody has it"),
        "lock",
        "Lost the lock: nothing new is started; run it again (https://a/b/c): somebody has it",
    ),
    (events.ApplyStart(**STEP, resumed=True), "apply_start", "vm.prod/a: Protect a (resumed) ..."),
    (events.ApplyAccepted(**STEP, job="j"), "apply_accepted", "vm.prod/a: accepted, job j"),
    (
        events.ApplyProgress(**STEP, elapsed_seconds=75),
        "apply_progress",
        "vm.prod/a: Protect a still runs (1 min 15 s)",
    ),
    (events.ApplyComplete(**STEP, elapsed_seconds=3700.9), "apply_complete", "vm.prod/a: Protect a done (1 h 1 min)"),
    (
        events.ApplyErrored(**STEP, elapsed_seconds=0, message="no", why="BMS: x", advice="y"),
        "apply_errored",
        "vm.prod/a: Protect a failed (0 s): no\n  why:  BMS: x\n  next: y",
    ),
    (
        events.ApplyApproval(**STEP, message="held", guard="/g", advice="ask"),
        "apply_approval",
        "vm.prod/a: Protect a waits for approval (Resource Guard /g): held\n  next: ask",
    ),
    (
        events.ApplyOpen(**STEP, elapsed_seconds=7200, message="slow"),
        "apply_open",
        "vm.prod/a: Protect a left open (2 h): slow",
    ),
    (
        events.ApplyLeft(**STEP, elapsed_seconds=3, message="it works on", advice="look"),
        "apply_left",
        "vm.prod/a: Protect a goes on in Azure (3 s): it works on\n  next: look",
    ),
    (events.ApplySettled(**STEP, message="does not run"), "apply_settled", "vm.prod/a: Protect a: does not run"),
    (
        events.ApplySkipped(**STEP, because="b", message="because b failed"),
        "apply_skipped",
        "vm.prod/a: Protect a skipped: because b failed",
    ),
    (
        events.Stopping(at=AT, running=("a", "b"), gave_up=True),
        "stopping",
        "No longer waiting for 2 running steps; the journal keeps them, the next apply takes them up.",
    ),
    (events.ChangeSummary(at=AT, done=3), "change_summary", "Apply complete: 3 done (0 s)."),
    (
        events.ChangeSummary(at=AT, done=0, going_on=2, waiting=1),
        "change_summary",
        "Apply accepted: 0 done, 2 going on in Azure, 1 waiting for what goes on (0 s).",
    ),
    (
        events.ChangeSummary(at=AT, done=1, going_on=1, failed=1),
        "change_summary",
        "Apply incomplete: 1 done, 1 going on in Azure, 1 failed (0 s).",
    ),
    (
        events.ChangeSummary(at=AT, done=1, needs_approval=1, left_open=1, not_tried=2, elapsed_seconds=61),
        "change_summary",
        "Apply incomplete: 1 done, 1 waiting for approval, 1 left open, 2 not tried (1 min 1 s).",
    ),
]


@pytest.mark.parametrize(("event", "type_", "text"), WORDS, ids=[f"{case[1]}-{n}" for n, case in enumerate(WORDS)])
def test_every_event_has_its_words_and_its_json(event: events.Event, type_: str, text: str) -> None:
    assert event.text == text
    line = events.encode(event)
    assert b"\n" not in line
    body = json.loads(line)
    assert (body["type"], body["@message"], body["@timestamp"]) == (type_, text, "2026-03-01T08:00:00Z")
    assert body["@level"] in {"info", "warn", "error"}


async def test_the_stream_of_a_run_tells_no_polling_url(shop: Any, widget: Any) -> None:
    await shop.apply((widget("a"), widget("b", after=("a",), error="Broken")))
    stream = b"\n".join(events.encode(event) for event in shop.events)
    assert b"operations/" not in stream
    journals = b"".join(path.read_bytes() for path in shop.folder.rglob("*.jsonl"))
    assert b"operations/" in journals
