"""A saved plan is read back exactly, or not at all."""

from __future__ import annotations

import hashlib
import json
import stat
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.errors import PlanFileError
from reconciler.plan.change import Action, Change, Reason
from reconciler.plan.file import decode, encode, load, save
from reconciler.plan.plan import Plan


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_every_plan_is_read_back_exactly(plans: st.SearchStrategy[Plan], data: Any) -> None:
    plan = data.draw(plans)
    assert decode(encode(plan)) == plan
    assert encode(decode(encode(plan))) == encode(plan)


def test_the_names_that_terraform_rules_look_for(plan: Plan) -> None:
    values = json.loads(encode(plan))
    assert values["format_version"] == "1.2"
    assert values["timestamp"] == "2026-03-02T03:00:00Z"
    assert (values["applyable"], values["complete"], values["errored"]) == (False, True, False)
    assert values["resource_changes"][0]["address"] == "a.b/c"
    assert values["resource_changes"][0]["type"] == "a"
    assert values["resource_changes"][0]["change"] == {"actions": ["create"], "before": None, "after": {"size": 1}}
    assert values["resource_changes"][0]["action_reason"] == "not_in_azure"
    assert values["resource_drift"] == []
    assert values["checks"][0]["status"] == "fail"


def test_a_drift_report_puts_the_changes_under_drift_and_cannot_be_applied(plan: Plan) -> None:
    body = encode(plan, drift=True)
    assert [item["address"] for item in json.loads(body)["resource_drift"]] == ["a.b/c"]
    with pytest.raises(PlanFileError, match="drift report"):
        decode(body)


def test_a_drift_report_tells_apart_what_only_the_clock_asks_for(plan: Plan) -> None:
    due = Change(address="a.b/due", kind="a", action=Action.CREATE, reason=Reason.DUE)
    expired = Change(address="a.b/old", kind="a", action=Action.DELETE, reason=Reason.EXPIRED)
    both = msgspec.structs.replace(plan, changes=(*plan.changes, due, expired))
    told = json.loads(encode(both, drift=True))
    assert [item["address"] for item in told["resource_drift"]] == ["a.b/c"]
    assert [item["address"] for item in told["due"]] == ["a.b/due", "a.b/old"]
    planned = json.loads(encode(both))
    assert len(planned["resource_changes"]) == 3
    assert planned["due"] == []
    only = msgspec.structs.replace(plan, changes=(due,))
    with pytest.raises(PlanFileError, match="drift report"):
        decode(encode(only, drift=True))


def test_a_plan_of_an_earlier_minor_version_is_read(plan: Plan) -> None:
    values = json.loads(encode(plan)) | {"format_version": "1.0"}
    del values["due"], values["checksum"]
    body = hashlib.sha256(msgspec.json.encode(values, order="deterministic")).hexdigest()
    assert decode(json.dumps(values | {"checksum": body}).encode()) == plan


def test_saved_whole_and_private(plan: Plan, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text("something older")
    save(plan, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load(path) == plan
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("where", ["", "missing/plan.json", "x" * 300])
def test_a_place_that_cannot_be_written(plan: Plan, tmp_path: Path, where: str) -> None:
    with pytest.raises(PlanFileError, match="cannot write"):
        save(plan, tmp_path / where)


@pytest.mark.parametrize("where", ["", "missing.json"])
def test_a_place_that_cannot_be_read(tmp_path: Path, where: str) -> None:
    with pytest.raises(PlanFileError, match="cannot read"):
        load(tmp_path / where)


def test_a_file_that_is_cut_short_anywhere(plan: Plan) -> None:
    body = encode(plan).rstrip()
    for length in range(len(body)):
        with pytest.raises(PlanFileError, match="not a plan file"):
            decode(body[:length])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"count": 2', '"count": 1'),
        ('"not_in_azure"', '"differs"'),
        ('"refusals": [', '"refusals": [], "other": ['),
        ('"basis": "f"', '"basis": "g"'),
        ('"size": 1', '"size": 2'),
    ],
)
def test_a_file_that_was_edited(plan: Plan, old: str, new: str) -> None:
    body = encode(plan).decode()
    assert old in body
    with pytest.raises(PlanFileError, match="changed after it was written"):
        decode(body.replace(old, new, 1).encode())


@pytest.mark.parametrize("version", ["2.0", "0.9", "x", ""])
def test_an_unknown_major_version(plan: Plan, version: str) -> None:
    body = encode(plan).replace(b'"format_version": "1.2"', f'"format_version": "{version}"'.encode())
    with pytest.raises(PlanFileError, match=r"this program reads 1\.x"):
        decode(body)


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"{}", b"\xff\xfe", b'{"format_version": "1.0"}', b"[" * 100_000, b"\x00" * 64]
)
def test_anything_else(body: bytes) -> None:
    with pytest.raises(PlanFileError) as caught:
        decode(body, "plan.json")
    assert "plan.json" in caught.value.message
    assert caught.value.advice
