"""Bodies of Site Recovery as plans, plans as requests, and plans as words."""

from __future__ import annotations

import msgspec
import pytest

from reconciler.kinds.recovery_plan.kind import RecoveryPlanKind
from reconciler.kinds.recovery_plan.spec import Around, PlanAction, PlanGroup, RecoveryPlanSpec
from reconciler.kinds.recovery_plan.wire import PlanBody, parse_minutes, parts_from, request_groups, spell_minutes
from reconciler.model.arm_id import ArmId
from reconciler.model.resource import Ref
from tests.kinds.recovery_plan.conftest import CONTAINER, RUNBOOK, SQL, WEB_1

ITEM = CONTAINER.child("replicationProtectedItems", "sql-01")
GONE = CONTAINER.child("replicationProtectedItems", "gone-01")
STOP = PlanAction(name="stop", script="stop.ps1", side="primary", minutes=1500)
DNS = PlanAction(name="dns", runbook=RUNBOOK, side="recovery", failover_types=("testFailover",))
ASK = PlanAction(name="ask", manual="ask the owner", directions=("primaryToRecovery",))
SPEC = RecoveryPlanSpec(
    primary=Ref("fabric.prod/rg-dr/rsv-dr/westeurope"),
    recovery=Ref("fabric.prod/rg-dr/rsv-dr/northeurope"),
    groups=(
        PlanGroup(members=(str(SQL.arm_id),), after=(DNS, ASK)),
        PlanGroup(members=(str(WEB_1.arm_id),)),
    ),
    shutdown=Around(before=(STOP,)),
)


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("00:10:00", 10),
        ("01:30:00", 90),
        ("1.01:00:00", 1500),
        ("00:10:00.0000000", 10),
        ("PT10M", 10),
        ("PT1H30M", 90),
        ("P1DT1H", 1500),
        (None, None),
        ("", None),
        ("P", None),
        ("soon", None),
    ],
)
def test_a_span_in_either_spelling(text: str | None, minutes: int | None) -> None:
    assert parse_minutes(text) == minutes


@pytest.mark.parametrize("minutes", [1, 59, 60, 1439, 1440, 1500, 20_160])
def test_a_span_comes_back_as_it_was_sent(minutes: int) -> None:
    assert parse_minutes(spell_minutes(minutes)) == minutes


def test_what_is_sent_is_what_is_read() -> None:
    items = {SQL.arm_id: ITEM, WEB_1.arm_id: CONTAINER.child("replicationProtectedItems", "web-01")}
    groups = [dict(group) for group in request_groups(SPEC, items)]
    body = msgspec.convert({"id": "/x", "name": "x", "properties": {"groups": _plain(groups)}}, PlanBody)
    machines = {item: machine for machine, item in items.items()}
    assert parts_from(body.properties.groups or (), machines) == (SPEC.groups, SPEC.shutdown, SPEC.failover)
    assert body.items == (*items.values(),)


def test_a_manual_action_has_no_place() -> None:
    _, _, group, _ = request_groups(SPEC, {SQL.arm_id: ITEM, WEB_1.arm_id: ITEM})
    actions = [*(group.end_group_actions or ())]
    assert dict(actions[1].custom_details) == {"instanceType": "ManualActionDetails", "description": "ask the owner"}


def test_null_and_nothing_are_one() -> None:
    groups = [{"groupType": kind, "replicationProtectedItems": None, "startGroupActions": None} for kind in KINDS]
    body = msgspec.convert({"id": "/x", "properties": {"groups": groups, "currentScenario": None}}, PlanBody)
    assert parts_from(body.properties.groups or (), {}) == ((PlanGroup(),), Around(), Around())


def test_an_item_that_is_gone_differs_from_every_vm() -> None:
    group = {"groupType": "Boot", "replicationProtectedItems": [{"id": str(GONE), "virtualMachineId": "guid"}, {}]}
    body = msgspec.convert({"id": "/x", "properties": {"groups": [group]}}, PlanBody)
    ((only,), _, _) = parts_from(body.properties.groups or (), {ITEM: ArmId(str(SQL.arm_id))})
    assert only.members == (str(GONE),)


def test_a_plan_in_words() -> None:
    said = "dns (runbook Set-Dns on the recovery side, testFailover only)"
    assert [(phrase.name, phrase.text) for phrase in RecoveryPlanKind().describe(SPEC)] == [
        ("primary", "westeurope"),
        ("recovery", "northeurope"),
        ("shutdown.before", "stop (script stop.ps1 on the primary side, 1500 min)"),
        ("groups[0].members", "sql-01"),
        (
            "groups[0].after",
            f"{said}, then ask (manual: ask the owner, primaryToRecovery only)",
        ),
        ("groups[1].members", "web-01"),
    ]


KINDS = ("Shutdown", "Failover", "Boot")


def _plain(value: object) -> object:
    """The models of the SDK as the JSON that they are sent as."""
    if hasattr(value, "items"):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value
