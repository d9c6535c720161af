"""Recovery plans on the wire (site-recovery-and-snapshots.md §7; recorded: recovery_plan, recovery_plan_actions).

The service adds an empty Shutdown and an empty Failover group, answers with members by item id, and with the inner guid
of a VM where its ARM id was sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from reconciler.kinds.recovery_plan.spec import Around, PlanAction, PlanGroup, RecoveryPlanSpec
from reconciler.model.arm_id import ArmId
from reconciler.model.casing import fold

if TYPE_CHECKING:
    from azure.mgmt.recoveryservicessiterecovery import models

_SPAN = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{2}):\d{2}(?:\.\d+)?")
_ISO = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?", re.IGNORECASE)


class _Body(msgspec.Struct, frozen=True, rename="camel"):
    """Part of an answer: what we do not look at is left out."""


class ActionDetails(_Body, frozen=True):
    """`customDetails`, of all three types."""

    instance_type: str = ""
    runbook_id: str | None = None
    path: str | None = None
    description: str | None = None
    timeout: str | None = None
    fabric_location: str | None = None


class ActionBody(_Body, frozen=True):
    action_name: str = ""
    failover_types: tuple[str, ...] | None = None
    failover_directions: tuple[str, ...] | None = None
    custom_details: ActionDetails = ActionDetails()


class MemberBody(_Body, frozen=True):
    """`virtualMachineId` is of no use: it is an inner guid."""

    id: str | None = None


class GroupBody(_Body, frozen=True):
    group_type: str = ""
    replication_protected_items: tuple[MemberBody, ...] | None = None
    start_group_actions: tuple[ActionBody, ...] | None = None
    end_group_actions: tuple[ActionBody, ...] | None = None


class ScenarioBody(_Body, frozen=True):
    scenario_name: str | None = None
    job_id: str | None = None


class ZoneBody(_Body, frozen=True):
    """`providerSpecificDetails` of a plan from zone to zone."""

    primary_zone: str | None = None
    recovery_zone: str | None = None


class PlanProperties(_Body, frozen=True):
    primary_fabric_id: str | None = None
    recovery_fabric_id: str | None = None
    allowed_operations: tuple[str, ...] | None = None
    last_test_failover_time: datetime | None = None
    last_unplanned_failover_time: datetime | None = None
    current_scenario: ScenarioBody | None = None
    current_scenario_status: str | None = None
    groups: tuple[GroupBody, ...] | None = None
    provider_specific_details: tuple[ZoneBody, ...] | None = None

    @property
    def zones(self) -> ZoneBody:
        return next(iter(self.provider_specific_details or ()), ZoneBody())


class PlanBody(_Body, frozen=True):
    """One plan. In a list, `groups` is always empty."""

    id: str
    name: str = ""
    properties: PlanProperties = PlanProperties()

    @property
    def items(self) -> tuple[ArmId, ...]:
        """The protected items of all groups, in order."""
        groups = self.properties.groups or ()
        return tuple(ArmId(one.id) for group in groups for one in group.replication_protected_items or () if one.id)


def parts_from(
    groups: Iterable[GroupBody], machines: Mapping[ArmId, ArmId]
) -> tuple[tuple[PlanGroup, ...], Around, Around]:
    """The boot groups, and what is done around shutdown and failover. `machines` maps items to VMs; an item that is
    gone is told by its own id: it differs from whatever is wanted."""
    boot: list[PlanGroup] = []
    phases = {"shutdown": Around(), "failover": Around()}
    for body in groups:
        around = Around(before=_actions_from(body.start_group_actions), after=_actions_from(body.end_group_actions))
        kind = body.group_type.lower()
        if kind in phases:
            phases[kind] = around
            continue
        items = (ArmId(one.id) for one in body.replication_protected_items or () if one.id)
        members = tuple(str(machines.get(item, item)) for item in items)
        boot.append(PlanGroup(members=members, before=around.before, after=around.after))
    return tuple(boot), phases["shutdown"], phases["failover"]


def _actions_from(bodies: tuple[ActionBody, ...] | None) -> tuple[PlanAction, ...]:
    return tuple(_action_from(body) for body in bodies or ())


def _action_from(body: ActionBody) -> PlanAction:
    details = body.custom_details
    kind = details.instance_type.lower()
    return PlanAction(
        name=body.action_name,
        runbook=details.runbook_id or "" if kind.startswith("automation") else "",
        script=details.path or "" if kind.startswith("script") else "",
        manual=details.description or "" if kind.startswith("manual") else "",
        side=fold(details.fabric_location or ""),
        minutes=parse_minutes(details.timeout),
        failover_types=tuple(_uncapital(one) for one in body.failover_types or ()),
        directions=tuple(_uncapital(one) for one in body.failover_directions or ()),
    )


def request_groups(spec: RecoveryPlanSpec, items: Mapping[ArmId, ArmId]) -> list[models.RecoveryPlanGroup]:
    """All groups, as they are sent each time: Azure changes nothing less. `items` maps VMs to their items."""
    from azure.mgmt.recoveryservicessiterecovery import models

    sections: list[tuple[str, Around, tuple[str, ...]]] = [
        ("Shutdown", spec.shutdown, ()),
        ("Failover", spec.failover, ()),
        *(("Boot", group, group.members) for group in spec.groups),
    ]
    return [
        models.RecoveryPlanGroup(
            group_type=kind,
            replication_protected_items=[
                models.RecoveryPlanProtectedItem(id=str(items[ArmId(one)]), virtual_machine_id=one) for one in members
            ],
            start_group_actions=[_request_action(action) for action in around.before],
            end_group_actions=[_request_action(action) for action in around.after],
        )
        for kind, around, members in sections
    ]


def _request_action(action: PlanAction) -> models.RecoveryPlanAction:
    from azure.mgmt.recoveryservicessiterecovery import models

    return models.RecoveryPlanAction(
        action_name=action.name,
        failover_types=[_capital(one) for one in action.failover_types],
        failover_directions=[_capital(one) for one in action.directions],
        custom_details=_request_details(action),
    )


def _request_details(action: PlanAction) -> models.RecoveryPlanActionDetails:
    """A manual action with a `fabricLocation` is refused (ASR-63)."""
    from azure.mgmt.recoveryservicessiterecovery import models

    if action.manual:
        return models.RecoveryPlanManualActionDetails(description=action.manual)
    rest: dict[str, Any] = {"fabric_location": _capital(action.side)}
    if action.minutes is not None:
        rest["timeout"] = spell_minutes(action.minutes)
    if action.runbook:
        return models.RecoveryPlanAutomationRunbookActionDetails(runbook_id=action.runbook, **rest)
    return models.RecoveryPlanScriptActionDetails(path=action.script, **rest)


def spell_minutes(minutes: int) -> str:
    """`90` → `01:30:00`, as .NET spells spans. The format is not documented."""
    days, rest = divmod(minutes, 24 * 60)
    text = f"{rest // 60:02}:{rest % 60:02}:00"
    return f"{days}.{text}" if days else text


def parse_minutes(text: str | None) -> int | None:
    """Whole minutes of a span in either of the spellings that Azure uses; None for none and for what is neither."""
    found = _SPAN.fullmatch(text or "") or (_ISO.fullmatch(text) if text else None)
    if not found or not any(found.groups()):
        return None
    days, hours, minutes = (int(part or 0) for part in found.groups())
    return (days * 24 + hours) * 60 + minutes


def _capital(word: str) -> str:
    return word[:1].upper() + word[1:]


def _uncapital(word: str) -> str:
    return word[:1].lower() + word[1:]
