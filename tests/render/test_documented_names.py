"""docs/json.md says which names are stable: each of them is there, and none at the top is kept from the reader."""

from __future__ import annotations

import json as standard_json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from reconciler.apply import events
from reconciler.apply.record import Record, StepRecord
from reconciler.model.activity import Activity, OwnStep, RunningJob
from reconciler.model.arm_id import ArmId
from reconciler.model.explanation import Candidate, Decision, Explanation, Setting
from reconciler.model.machine import Machine
from reconciler.model.operation_request import OperationRequest
from reconciler.model.restorable import CopyState, Holdings, Restorable
from reconciler.model.source import Source
from reconciler.plan.finding import Finding
from reconciler.plan.plan import Plan
from reconciler.plan.provenance import Base, LastWrites, Origin, Provenance, Write
from reconciler.publish.alert import Alert, Item
from reconciler.render import json
from reconciler.render.activity import activity_json
from reconciler.render.explain import explanation_json
from reconciler.render.findings import validation_json
from reconciler.render.holdings import holdings_json

DOCUMENT = Path(__file__).parents[2] / "docs" / "json.md"
PLACE = Source("policies/web.yaml", 4, 3)


def documented(heading: str) -> list[str]:
    chapter = DOCUMENT.read_text(encoding="utf-8").split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"^\| `([^`]+)`", chapter, re.MULTILINE)


def names(value: Any, path: str = "") -> Iterator[str]:
    if path:
        yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from names(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        yield f"{path}[]"
        for inner in value:
            yield from names(inner, f"{path}[]")


def explanation() -> str:
    machine = Machine(ArmId("/subscriptions/1/virtualMachines/a"), "prod", "rg", "a", "westeurope")
    told = Explanation(
        machine,
        (Candidate("Protection", "web", PLACE, True, (), ("backup",)),),
        (Decision("backup", "protected", "why", "web", PLACE),),
        (Setting("a.b/c", "policy", "daily-30d", PLACE),),
        ("failed over",),
    )
    return explanation_json([told])


def holdings() -> str:
    now = datetime(2026, 3, 2, tzinfo=UTC)
    arm_id = ArmId("/subscriptions/1/snapshots/a")
    copies = (CopyState("prod/rg/a-neu", "northeurope", 40.0, "Azure has copied 40 % of it"),)
    row = Restorable(
        "snapshot", "prod/rg/a", arm_id, "westeurope", now, now, "s", "os", "d", 64, True, "ready", "", ("age",), copies
    )
    return holdings_json(Holdings(arm_id, "prod/rg/a", False, now, (row,), (row,)))


def activity() -> str:
    now = datetime(2026, 3, 2, tzinfo=UTC)
    step = OwnStep(address="a.b/c", title="t", since=now, accepted=True, owed=False)
    job = RunningJob(vault="v", service="Site Recovery", name="j", what="Test failover", of="a", state="InProgress")
    return activity_json(Activity(now=now, steps=(step,), jobs=(job,), unread=("u",)))


def record() -> str:
    now = datetime(2026, 3, 2, tzinfo=UTC)
    step = StepRecord(step="s", title="t", state="done", started=now, ended=now, job="j", message="m", tasks=("one",))
    whole = Record(
        operation="drill",
        target="a.b/c",
        asked=OperationRequest(verb="drill", target="c"),
        who="w",
        plan="p",
        outcome="succeeded",
        started=now,
        ended=now,
        rpo_seconds=1,
        rto_seconds=1.0,
        machines=("m",),
        checks={},
        steps=(step,),
    )
    return msgspec.json.encode(whole).decode()


def alert() -> str:
    item = Item(text="t", addresses=("a.b/c",))
    return msgspec.json.encode(Alert(title="t", exit_code=2, verdict="v", counts={}, top=(item,))).decode()


@pytest.fixture
def documents(everything: Plan) -> dict[str, str]:
    first, now = everything.changes[0].address, datetime(2026, 3, 2, tzinfo=UTC)
    write = Write(at=now, caller="c", operation="o", correlation_id="i", status="Succeeded")
    plan = msgspec.structs.replace(
        everything,
        targets=("a*",),
        excludes=("b*",),
        only="mine",
        base=Base(ref="origin/main", commit="1", policies="2", applied="3", applied_at=now, head="4", dirty=True),
        origins={first: Provenance(origin=Origin.BOTH, edited=("a",), pending=("b",), drifted=("c",))},
        last_writes={first: LastWrites(writes=(write,), missing="m")},
    )
    finding = Finding(code="BP-12", message="m", advice="a", source=PLACE, also=(PLACE,))
    return {
        "plan": json.render_plan(plan),
        "drift": json.render_drift(plan),
        "validate": validation_json([finding], 1, valid=False),
        "explain": explanation(),
        "snapshots list": holdings(),
        "status": activity(),
        "record": record(),
        "alert": alert(),
    }


@pytest.mark.parametrize("heading", ["plan", "validate", "explain", "snapshots list", "status", "record", "alert"])
def test_what_is_documented_is_there(documents: dict[str, str], heading: str) -> None:
    there = set(names(standard_json.loads(documents[heading])))
    assert [name for name in documented(heading) if name not in there] == []


@pytest.mark.parametrize("heading", ["plan", "validate", "explain", "snapshots list", "status", "record", "alert"])
def test_every_name_at_the_top_is_documented(documents: dict[str, str], heading: str) -> None:
    told = {re.split(r"[.\[]", name)[0] for name in documented(heading)}
    assert set(standard_json.loads(documents[heading])) == told


def test_a_drift_report_has_the_names_of_a_plan_and_its_entries_under_resource_drift(documents: dict[str, str]) -> None:
    plan, drift = standard_json.loads(documents["plan"]), standard_json.loads(documents["drift"])
    assert plan.keys() == drift.keys()
    assert plan["resource_drift"] == [] == drift["resource_changes"]
    assert plan["resource_changes"] == drift["resource_drift"] != []
    assert drift["applyable"] is False


def test_every_event_of_an_apply_is_documented_with_its_fields() -> None:
    """Those of one step share `step`, `address` and `title`; every event has a time."""
    chapter = DOCUMENT.read_text(encoding="utf-8").split("\n## apply\n", 1)[1]
    rows = (line.split("|")[1::2] for line in chapter.splitlines() if line.startswith("| `"))
    told = {kind.strip(" `"): set(re.findall(r"`(\w+)`", besides)) for kind, besides in rows}
    assert told == {str(kind.__struct_config__.tag): own_fields(kind) for kind in event_types(events.Event)}


def event_types(kind: type[events.Event]) -> Iterator[type[events.Event]]:
    for inner in kind.__subclasses__():
        if inner is not events.StepEvent:
            yield inner
        yield from event_types(inner)


def own_fields(kind: type[events.Event]) -> set[str]:
    shared = events.StepEvent if issubclass(kind, events.StepEvent) else events.Event
    return set(kind.__struct_fields__) - set(shared.__struct_fields__)
