"""What is refused when a recovery plan is saved (ASR-60 to ASR-63)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from reconciler.emulator.providers.replication_fabrics import find_fabric
from reconciler.emulator.providers.replication_item_state import find_item
from reconciler.emulator.providers.replication_names import (
    capital,
    entity_guid,
    name_of,
    same,
    subscription_of,
    vault_of,
)
from reconciler.emulator.providers.replication_refusals import refuse
from reconciler.emulator.store import Body
from reconciler.emulator.world import World

PLAN_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9-]{1,63}[a-zA-Z0-9]")
MOST_BOOT_GROUPS, MOST_MACHINES = 7, 100
_RUNBOOK, _SCRIPT, _MANUAL = "AutomationRunbookActionDetails", "ScriptActionDetails", "ManualActionDetails"
_TYPES = ("TestFailover", "UnplannedFailover", "PlannedFailover")
_DIRECTIONS = ("PrimaryToRecovery", "RecoveryToPrimary")


def check_plan_name(name: str) -> None:
    """ASR-60."""
    if not PLAN_NAME.fullmatch(name):
        message = f"The name {name} of the recovery plan is not valid: 3 to 65 letters, digits and hyphens."
        raise refuse("ASR-60", "InvalidRecoveryPlanName", message)


def check_fabrics(world: World, vault: str, properties: Mapping[str, Any]) -> tuple[str, str]:
    """The ids of the primary and the recovery fabric (ASR-61)."""
    pair = []
    for field in ("primaryFabricId", "recoveryFabricId"):
        fabric = find_fabric(world, str(properties.get(field) or f"{vault}/replicationFabrics/"))
        pair.append(capital(fabric["id"]))
    has_zones = any(one.get("recoveryZone") for one in properties.get("providerSpecificInput") or [])
    if same(*pair) and not has_zones:
        message = "The primary and the recovery fabric of a recovery plan must differ."
        raise refuse("ASR-61", "InvalidRecoveryPlanFabrics", message)
    if properties.get("failoverDeploymentModel", "ResourceManager") != "ResourceManager":
        raise refuse("ASR-61", "InvalidDeploymentModel", "The deployment model must be ResourceManager.")
    return pair[0], pair[1]


def check_groups(world: World, plan: Body, sent: list[Mapping[str, Any]]) -> list[Body]:
    """The groups as they are kept: empty Shutdown and Failover groups in front where they were not sent (recorded)."""
    groups = [_group(world, plan, one) for one in sent]
    kinds = [group["groupType"] for group in groups]
    for number, kind in enumerate(("Shutdown", "Failover")):
        if kinds.count(kind) > 1:
            raise refuse("ASR-62", "InvalidRecoveryPlanGroup", f"A recovery plan has exactly one {kind} group.")
        if kind not in kinds:
            empty: Body = {"replicationProtectedItems": [], "startGroupActions": [], "endGroupActions": []}
            groups.insert(number, {"groupType": kind, **empty})
    if [group["groupType"] for group in groups][2:].count("Boot") != len(groups) - 2:
        message = "The groups of a recovery plan are Shutdown, Failover and then Boot."
        raise refuse("ASR-62", "InvalidRecoveryPlanGroup", message)
    boot = len(groups) - 2
    if not 1 <= boot <= MOST_BOOT_GROUPS:
        message = f"A recovery plan has 1 to {MOST_BOOT_GROUPS} Boot groups, and not {boot}."
        raise refuse("ASR-60", "InvalidRecoveryPlanGroup", message)
    _check_members([member["id"] for group in groups for member in group["replicationProtectedItems"]])
    return groups


def _check_members(members: list[str]) -> None:
    lowered = [member.lower() for member in members]
    doubled = [member for member in members if lowered.count(member.lower()) > 1]
    if doubled:
        message = f"The protected item {name_of(doubled[0])} is in more than one group of the recovery plan."
        raise refuse("ASR-61", "DuplicateRecoveryPlanItem", message)
    if len(members) > MOST_MACHINES:
        message = f"A recovery plan has at most {MOST_MACHINES} protected items, and not {len(members)}."
        raise refuse("ASR-60", "RecoveryPlanTooLarge", message)


def _group(world: World, plan: Body, sent: Mapping[str, Any]) -> Body:
    kind = sent.get("groupType")
    if kind not in ("Shutdown", "Failover", "Boot"):
        raise refuse("ASR-62", "InvalidRecoveryPlanGroup", f"The group type {kind} is not valid.")
    members = [_member(world, plan, str(one.get("id") or "")) for one in sent.get("replicationProtectedItems") or []]
    if members and kind != "Boot":
        raise refuse("ASR-62", "InvalidRecoveryPlanGroup", f"A {kind} group cannot have protected items.")
    return {
        "groupType": kind,
        "replicationProtectedItems": members,
        "startGroupActions": [_action(plan, one) for one in sent.get("startGroupActions") or []],
        "endGroupActions": [_action(plan, one) for one in sent.get("endGroupActions") or []],
    }


def _member(world: World, plan: Body, item_id: str) -> Body:
    item = find_item(world, item_id)
    fabric, target = (one.partition("/replicationProtectionContainers/")[0] for one in (item.id, item.target))
    pairs = ((plan["primary"], plan["recovery"]), (plan["recovery"], plan["primary"]))
    if not any(same(fabric, primary) and same(target, recovery) for primary, recovery in pairs):
        message = f"The protected item {item.name} does not replicate between the fabrics of the recovery plan."
        raise refuse("ASR-61", "InvalidRecoveryPlanItem", message)
    return {"id": item.id, "virtualMachineId": entity_guid(item.id)}


def _action(plan: Body, sent: Mapping[str, Any]) -> Body:
    name, details = sent.get("actionName"), sent.get("customDetails") or {}
    for field in ("failoverTypes", "failoverDirections"):
        allowed = _TYPES if field == "failoverTypes" else _DIRECTIONS
        if not sent.get(field) or any(one not in allowed for one in sent[field]):
            message = f"The action {name} of the recovery plan needs {field} among {', '.join(allowed)}."
            raise refuse("ASR-63", "InvalidRecoveryPlanAction", message)
    kind = details.get("instanceType")
    if not name or kind not in (_RUNBOOK, _SCRIPT, _MANUAL):
        raise refuse("ASR-63", "InvalidRecoveryPlanAction", f"The action {name} of the plan has no known kind.")
    if kind == _MANUAL and "fabricLocation" in details:
        raise refuse("ASR-63", "InvalidRecoveryPlanAction", f"The manual action {name} cannot have a fabricLocation.")
    if kind != _MANUAL and details.get("fabricLocation") not in ("Primary", "Recovery"):
        message = f"The action {name} needs the fabricLocation Primary or Recovery."
        raise refuse("ASR-63", "InvalidRecoveryPlanAction", message)
    runbook = str(details.get("runbookId") or "")
    if kind == _RUNBOOK and subscription_of(runbook).lower() != subscription_of(vault_of(plan["id"])).lower():
        message = f"The runbook of the action {name} must be in the subscription of the vault."
        raise refuse("ASR-63", "InvalidRecoveryPlanAction", message)
    return {
        "actionName": name,
        "failoverTypes": [*sent["failoverTypes"]],
        "failoverDirections": [*sent["failoverDirections"]],
        "customDetails": dict(details),
    }
