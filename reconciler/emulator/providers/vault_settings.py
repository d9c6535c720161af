"""The settings of a vault: what may change, what the service computes, and what it shows late."""

from collections.abc import Mapping
from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any

from reconciler.emulator.providers.backup_limits import read_limits
from reconciler.emulator.providers.backup_names import GUARD_PROXIES, ITEMS
from reconciler.emulator.providers.backup_refusals import (
    refuse,
    refuse_immutability_change,
    refuse_redundancy_change,
)
from reconciler.emulator.providers.backup_times import parse_time
from reconciler.emulator.world import World

Body = dict[str, Any]

NOT_LISTED = ("backupStorageVersion", "redundancySettings", "securitySettings")
LATE_AFTER = timedelta(seconds=90)
"""`backupStorageVersion`, and `securitySettings` that nobody sent, appear this long after the creation."""

DEFAULTS: Mapping[str, Any] = {
    "provisioningState": "Succeeded",
    "privateEndpointStateForBackup": "None",
    "privateEndpointStateForSiteRecovery": "None",
    "monitoringSettings": {
        "azureMonitorAlertSettings": {
            "alertsForAllJobFailures": "Enabled",
            "alertsForAllReplicationIssues": "Enabled",
            "alertsForAllFailoverIssues": "Enabled",
        },
        "classicAlertSettings": {
            "alertsForCriticalOperations": "Enabled",
            "emailNotificationsForSiteRecovery": "Enabled",
        },
    },
    "redundancySettings": {"standardTierStorageRedundancy": "GeoRedundant", "crossRegionRestore": "Disabled"},
    "publicNetworkAccess": "Enabled",
    "restoreSettings": {"crossSubscriptionRestoreSettings": {"crossSubscriptionRestoreState": "Enabled"}},
}
SOFT_DELETE_DEFAULTS: Mapping[str, Any] = {
    "softDeleteRetentionPeriodInDays": 14,
    "softDeleteState": "Enabled",
    "enhancedSecurityState": "Enabled",
}
SPELLINGS = {"alwayson": "AlwaysON", "enabled": "Enabled", "disabled": "Disabled"}
IMMUTABILITY_STEPS = {
    "Disabled": ("Disabled", "Unlocked"),
    "Unlocked": ("Disabled", "Unlocked", "Locked"),
    "Locked": ("Locked",),
}
MIN_SOFT_DELETE_DAYS, MAX_SOFT_DELETE_DAYS = 14, 180


def merge(into: Mapping[str, Any], patch: Mapping[str, Any]) -> Body:
    """`patch` laid over `into`, object by object; lists and scalars are replaced."""
    merged = dict(into)
    for key, value in patch.items():
        held = merged.get(key)
        merged[key] = merge(held, value) if isinstance(held, dict) and isinstance(value, dict) else value
    return merged


def soft_delete(properties: Mapping[str, Any]) -> Body:
    settings = (properties.get("securitySettings") or {}).get("softDeleteSettings")
    return {**SOFT_DELETE_DEFAULTS, **(settings or {})}


def immutability(properties: Mapping[str, Any]) -> str:
    settings = (properties.get("securitySettings") or {}).get("immutabilitySettings")
    return str((settings or {}).get("state") or "Disabled")


def is_immutable(properties: Mapping[str, Any]) -> bool:
    return immutability(properties) != "Disabled"


def respell(properties: Mapping[str, Any]) -> Body:
    """What was sent, in the service's spelling: `AlwaysOn` comes back as `AlwaysON`, in both fields."""
    fresh = deepcopy(dict(properties))
    sent = (fresh.get("securitySettings") or {}).get("softDeleteSettings")
    if isinstance(sent, dict):
        for field in ("softDeleteState", "enhancedSecurityState"):
            if field in sent:
                sent[field] = SPELLINGS.get(str(sent[field]).lower(), sent[field])
    return fresh


def check_settings(world: World, vault_id: str, before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> None:
    """Raises the refusal of the first rule that the change breaks. `before` is None at creation."""
    _check_immutability(before, after)
    _check_soft_delete(world, before, after)
    _check_redundancy(world, vault_id, before, after)


def _check_immutability(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> None:
    old, new = immutability(before or {}), immutability(after)
    if new not in IMMUTABILITY_STEPS[old]:
        raise refuse_immutability_change(f"immutability cannot go from {old} to {new}")


def _check_soft_delete(world: World, before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> None:
    old, new = soft_delete(before or {}), soft_delete(after)
    state, days = new["softDeleteState"], new["softDeleteRetentionPeriodInDays"]
    if state not in SPELLINGS.values():
        raise refuse("BP-75", "InvalidRestApiParameter", "softDeleteSettings parameter is invalid.")
    if state != "Disabled" and not MIN_SOFT_DELETE_DAYS <= int(days) <= MAX_SOFT_DELETE_DAYS:
        message = "softDeleteRetentionPeriodInDays parameter is invalid. Please provide a value between 14 and 180."
        raise refuse("BP-75", "InvalidRestApiParameter", message)
    if old["softDeleteState"] == "AlwaysON" and state != "AlwaysON":
        message = "Soft delete is in always-on state for this vault and cannot be changed."
        raise refuse("BP-75", "UserErrorSoftDeleteStateChangeNotAllowed", message)
    turned_off = state == "Disabled" and old["softDeleteState"] != "Disabled"
    if turned_off and not read_limits(world).soft_delete_can_be_disabled:
        message = "Soft delete cannot be disabled for this vault."
        raise refuse("BP-76", "UserErrorSoftDeleteStateChangeNotAllowed", message)


def _check_redundancy(world: World, vault_id: str, before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> None:
    new = after["redundancySettings"]
    old = (before or {}).get("redundancySettings", DEFAULTS["redundancySettings"])
    storage, cross_region = new["standardTierStorageRedundancy"], new["crossRegionRestore"]
    if storage not in ("GeoRedundant", "LocallyRedundant", "ZoneRedundant"):
        raise refuse("BP-90", "InvalidRestApiParameter", "redundancySettings parameter is invalid.")
    if storage != old["standardTierStorageRedundancy"] and world.store.count(ITEMS, vault_id):
        raise refuse_redundancy_change()
    if cross_region == "Enabled" and storage != "GeoRedundant":
        message = "Cross Region Restore can be enabled only for a vault with geo-redundant storage."
        raise refuse("BP-91", "UserErrorCrossRegionRestoreNotSupported", message)
    if before and old["crossRegionRestore"] == "Enabled" and cross_region != "Enabled":
        message = "Cross Region Restore cannot be disabled once it is enabled."
        raise refuse("BP-91", "UserErrorCrossRegionRestoreCannotBeDisabled", message)


def weakens_security(before: Mapping[str, Any], after: Mapping[str, Any]) -> str | None:
    """The guarded operation that this change is, if any (BP-85)."""
    if soft_delete(before)["softDeleteState"] != "Disabled" and soft_delete(after)["softDeleteState"] == "Disabled":
        return "disableSoftDelete"
    if is_immutable(before) and not is_immutable(after):
        return "disableImmutability"
    return None


def show_vault(world: World, body: Mapping[str, Any]) -> Body:
    """A stored vault as GET and LIST answer it now."""
    shown = deepcopy(dict(body))
    kept = world.store.hidden(shown["id"])
    properties = shown["properties"]
    if late_until(world, shown["id"]) is not None:
        properties.pop("securitySettings", None)
        properties["secureScore"], properties["bcdrSecurityLevel"] = secure_score({}, guarded=False)
        return shown
    settings = properties.get("securitySettings") or {}
    guarded = bool(world.store.count(GUARD_PROXIES, shown["id"]))
    properties["securitySettings"] = {
        **_show_immutability(settings, sent=kept["sentSecurity"]),
        "softDeleteSettings": soft_delete(properties),
        "multiUserAuthorization": "Enabled" if guarded else "Disabled",
    }
    has_items = bool(world.store.count(ITEMS, shown["id"]))
    properties["backupStorageVersion"] = "V2" if has_items else "Unassigned"
    properties["secureScore"], properties["bcdrSecurityLevel"] = secure_score(properties, guarded=guarded)
    return shown


def show_listed_vault(world: World, body: Mapping[str, Any]) -> Body:
    """A list leaves the settings out that matter most: recorded of vaults whose GET had them under the same etag."""
    shown = show_vault(world, body)
    properties = {key: value for key, value in shown["properties"].items() if key not in NOT_LISTED}
    return {**shown, "properties": properties}


def _show_immutability(settings: Mapping[str, Any], *, sent: bool) -> Body:
    """Never set: null (2024), and no key at all where other security settings came with the creation (2026)."""
    held = settings.get("immutabilitySettings")
    return {} if held is None and sent else {"immutabilitySettings": held}


def late_until(world: World, vault_id: str) -> datetime | None:
    """When the late fields of a vault appear; None where they are there, or were sent with the creation."""
    kept = world.store.hidden(vault_id)
    moment = parse_time(kept["created"]) + LATE_AFTER
    return moment if world.clock.now() < moment and not kept["sentSecurity"] else None


def secure_score(properties: Mapping[str, Any], *, guarded: bool = False) -> tuple[str, str]:
    """`secureScore` and `bcdrSecurityLevel` move with soft delete, immutability and the guard."""
    points = (soft_delete(properties)["softDeleteState"] == "AlwaysON") * 2 + guarded
    points += {"Disabled": 0, "Unlocked": 1, "Locked": 2}[immutability(properties)]
    steps = (("None", "Poor"), ("Minimum", "Fair"), ("Adequate", "Good"), ("Adequate", "Good"))
    return steps[points] if points < len(steps) else ("Maximum", "Excellent")
