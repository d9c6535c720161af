"""What is wrong with a replicated machine: 161011 until a drill succeeded (recorded), and two plausible errors."""

from __future__ import annotations

from reconciler.emulator.clock import stamp
from reconciler.emulator.providers.replication_item_state import Item
from reconciler.emulator.providers.replication_names import entity_guid
from reconciler.emulator.store import Body
from reconciler.emulator.world import World


def worst(errors: list[Body]) -> str:
    levels = {error["errorLevel"] for error in errors}
    return "Critical" if "Error" in levels else "Warning" if levels else "Normal"


def health_errors(world: World, item: Item) -> list[Body]:
    """161011 until a drill succeeded (recorded); no new points, and a machine that is gone (plausible)."""
    errors: list[Body] = []
    if item.phase == "protected" and item.last_drill is None:
        errors.append(
            _health_error(
                item,
                "161011",
                "TestFailover",
                "Warning",
                f"No successful test failover has been done on the virtual machine '{item.friendly}'.",
                "No successful test failover has been done on the virtual machine after it was replicated.",
                "Do a test failover on the virtual machine.",
            )
        )
    if item.phase == "protected" and not world.store.has(item.vm):
        message = f"The virtual machine '{item.friendly}' could not be found."
        cause = "The virtual machine was deleted or moved."
        errors.append(_health_error(item, "150097", "Replication", "Error", message, cause, "Disable replication."))
    elif item.phase == "protected" and item.stalled is not None:
        message = f"No crash consistent recovery point is available for the virtual machine '{item.friendly}'."
        cause = "The data change rate of the virtual machine is higher than what is supported."
        action = "Reduce the data change rate, or enable replication with high churn."
        errors.append(_health_error(item, "153007", "Replication", "Error", message, cause, action))
    if item.phase == "enableFailed":
        message = "Protection couldn't be enabled for the virtual machine."
        errors.append(_health_error(item, "45005", "Replication", "Error", message, message, "See the failed job."))
    return errors


def _health_error(item: Item, code: str, category: str, level: str, message: str, causes: str, action: str) -> Body:
    return {
        "innerHealthErrors": [],
        "errorSource": "ReplicationUnitFailoverValidatorError" if code == "161011" else "ProtectionService",
        "errorType": "8010" if code == "161011" else code,
        "errorLevel": level,
        "errorCategory": category,
        "errorCode": code,
        "summaryMessage": "",
        "errorMessage": message,
        "possibleCauses": causes,
        "recommendedAction": action,
        "creationTimeUtc": stamp(item.stalled if code == "153007" and item.stalled else item.since),
        "recoveryProviderErrorMessage": None,
        "entityId": entity_guid(item.id),
        "errorId": "6:8010" if code == "161011" else f"1:{code}",
        "customerResolvability": "NotAllowed",
    }
