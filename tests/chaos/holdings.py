"""What Azure holds before and after: of ours, and of others."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from reconciler.emulator import portal
from reconciler.emulator.remote import Running
from tests.chaos.drawn import SUBSCRIPTION

SCOPE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups"
OURS = f"{SCOPE}/rg-backup/providers/Microsoft.RecoveryServices/vaults/rsv-ours"
FOREIGN = f"{SCOPE}/rg-other/providers/Microsoft.RecoveryServices/vaults/rsv-foreign"
API = "api-version=2026-10-01"
ITEMS = "$filter=backupManagementType eq 'AzureIaasVM' and itemType eq 'VM'"


def ask(running: Running, path: str) -> Any:
    said = portal.request(running, "GET", path)
    return json.loads(said.text) if said.status == 200 else None


def items_of(running: Running, vault: str) -> list[dict[str, Any]]:
    listed = ask(running, f"{vault}/backupProtectedItems?{API}&{ITEMS}")
    return listed["value"] if listed else []


def recovery_points(running: Running) -> set[tuple[str, str]]:
    """VM and time of every point in both vaults."""
    return {
        (item["properties"]["virtualMachineId"].lower(), point["properties"]["recoveryPointTime"])
        for vault in (OURS, FOREIGN)
        for item in items_of(running, vault)
        for point in ask(running, f"{item['id']}/recoveryPoints?{API}")["value"]
    }


def active_items(running: Running) -> Counter[str]:
    """How many vaults back a VM up; each may be in one only."""
    idle = ("ProtectionStopped", "BackupsSuspended")
    return Counter(
        item["properties"]["virtualMachineId"].lower()
        for vault in (OURS, FOREIGN)
        for item in items_of(running, vault)
        if item["properties"]["protectionState"] not in idle
    )


def foreign(running: Running) -> Any:
    """Everything in the vault that is not ours, less what changes by itself."""
    kept = ("policyId", "policyName", "protectionState", "sourceResourceId")
    listed = [{key: item["properties"].get(key) for key in kept} for item in items_of(running, FOREIGN)]
    return [ask(running, f"{FOREIGN}?{API}"), ask(running, f"{FOREIGN}/backupPolicies?{API}"), listed]
