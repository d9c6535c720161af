"""The record of an operation, from its plan and its events."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from reconciler.apply import events
from reconciler.apply.record import Origin, Record, Scribe, save
from reconciler.errors import JournalError
from reconciler.model.operation_request import OperationRequest
from reconciler.plan.change import Action, Change, Consequence, Detail, Effect, Reason, Step
from reconciler.plan.plan import Plan

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
VERBS = ("test-failover", "check-running", "check-command", "clean-up")


def plan() -> Plan:
    steps = tuple(Step(id=verb, kind="k", address="k.a/b", verb=verb, title=f"do {verb}") for verb in VERBS)
    change = Change(
        address="k.a/b",
        kind="k",
        action=Action.UPDATE,
        reason=Reason.ASKED,
        details=(Detail(name="vm", after="web-01"), Detail(name="network", after="test")),
        consequences=(Consequence(effect=Effect.NONE, text="old", figures={"rpo_seconds": 95}),),
        steps=steps,
    )
    return Plan(created="2026-03-02T08:00:00Z", changes=(change,))


def told(kind: Any, step: str, minute: int, **more: Any) -> Any:
    return kind(at=START + timedelta(minutes=minute), step=step, address="k.a/b", title=f"do {step}", **more)


def record(*happened: events.Event) -> Record:
    request = OperationRequest(verb="drill", target="b")
    scribe = Scribe(Origin(request, "ada@console"), plan(), START)
    for event in happened:
        scribe.take(event)
    return scribe.record()


def test_before_anything_has_happened() -> None:
    found = record()
    assert (found.outcome, found.ended, found.rto_seconds, found.rpo_seconds) == ("unfinished", None, None, 95)
    assert [step.state for step in found.steps] == ["planned"] * 4
    assert (found.who, found.target, found.machines) == ("ada@console", "k.a/b", ("web-01",))


def test_a_drill_whose_check_failed() -> None:
    found = record(
        told(events.ApplyStart, "test-failover", 1),
        told(events.ApplyAccepted, "test-failover", 2, job="j1"),
        told(events.ApplyProgress, "test-failover", 3, elapsed_seconds=1, status="task 1 of 2"),
        told(events.ApplyProgress, "test-failover", 4, elapsed_seconds=2, status="task 1 of 2"),
        told(events.ApplyProgress, "test-failover", 5, elapsed_seconds=3, status="task 2 of 2"),
        told(events.ApplyComplete, "test-failover", 6, elapsed_seconds=4),
        told(events.ApplyComplete, "check-running", 8, elapsed_seconds=5),
        told(events.ApplyErrored, "check-command", 9, elapsed_seconds=6, message="exit code 7", why="no answer"),
        told(events.ApplyComplete, "clean-up", 12, elapsed_seconds=7),
        told(events.ApplyComplete, "of another run", 13, elapsed_seconds=8),
        events.ChangeSummary(at=START + timedelta(minutes=14), done=3, failed=1),
    )
    assert (found.outcome, found.rto_seconds) == ("incomplete", 420.0), "from sent to seen running"
    assert found.checks == {"do check-running": "done", "do check-command": "failed"}
    assert found.steps[0].tasks == ("task 1 of 2", "task 2 of 2")
    assert (found.steps[0].job, found.steps[2].message) == ("j1", "exit code 7 (no answer)")


def test_no_rto_where_a_vm_was_not_seen_to_run() -> None:
    found = record(
        told(events.ApplyStart, "test-failover", 1),
        told(events.ApplyComplete, "test-failover", 2, elapsed_seconds=4),
        told(events.ApplyErrored, "check-running", 3, elapsed_seconds=4, message="it does not run"),
        events.ChangeSummary(at=START, done=0, failed=1),
    )
    assert (found.rto_seconds, found.outcome) == (None, "failed")


def test_it_is_kept_for_its_owner_alone_and_says_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "records" / "drill.json"
    save(record(), path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert msgspec.json.decode(path.read_bytes())["asked"] == {"verb": "drill", "target": "b"}
    save(record(events.ChangeSummary(at=START, done=4)), path)
    assert msgspec.json.decode(path.read_bytes(), type=Record).outcome == "succeeded"


def test_where_it_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="cannot write the record"):
        save(record(), tmp_path / "file" / "drill.json")
