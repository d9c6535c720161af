"""What a vault is set to, in our words; and how Azure's body becomes that (backup.md §5 and §9)."""

from __future__ import annotations

from reconciler.azure.vault_list import LiveVault, RedundancyBody, SecurityBody, VaultProperties
from reconciler.model.observed import VaultFacts
from reconciler.model.resource import Ref, Spec

REDUNDANCIES = ("LocallyRedundant", "ZoneRedundant", "GeoRedundant")
IMMUTABILITIES = ("Disabled", "Unlocked", "Locked")
SOFT_DELETE_STATES = ("Off", "On", "AlwaysOn")
"""From weak to strong."""

_SOFT_DELETE = {"enabled": "On", "disabled": "Off", "alwayson": "AlwaysOn"}
_SHORTEST = 14


class VaultSettingsSpec(Spec, frozen=True, kw_only=True):
    """The defaults are those of a vault that nobody has set anything on (secure by default, November 2025)."""

    vault: Ref
    redundancy: str = "GeoRedundant"
    cross_region_restore: bool = False
    soft_delete: str = "On"
    soft_delete_days: int = _SHORTEST
    immutability: str = "Disabled"


def settings_of(vault: LiveVault, ref: Ref) -> VaultSettingsSpec:
    """The settings of a live vault. What Azure leaves out, late or for ever, is its default."""
    properties = vault.properties or VaultProperties()
    security = properties.security_settings or SecurityBody()
    redundancy = properties.redundancy_settings or RedundancyBody()
    soft = security.soft_delete_settings
    state = _SOFT_DELETE.get((soft.soft_delete_state or "" if soft else "").lower(), "On")
    immutability = security.immutability_settings.state if security.immutability_settings else None
    return VaultSettingsSpec(
        vault=ref,
        redundancy=_spelled(redundancy.standard_tier_storage_redundancy, REDUNDANCIES, "GeoRedundant"),
        cross_region_restore=(redundancy.cross_region_restore or "").lower() == "enabled",
        soft_delete=state,
        soft_delete_days=_days(state, soft.retention if soft else None),
        immutability=_spelled(immutability, IMMUTABILITIES, "Disabled"),
    )


def facts_of(vault: LiveVault, settings: VaultSettingsSpec) -> VaultFacts:
    """What is seen and not managed. `multiUserAuthorization` reads `Invalid` right after a vault was made."""
    properties = vault.properties or VaultProperties()
    security = properties.security_settings or SecurityBody()
    return VaultFacts(
        location=vault.region,
        immutability=settings.immutability,
        redundancy_locked=(properties.backup_storage_version or "").upper() in ("V1", "V2"),
        resource_guard=(security.multi_user_authorization or "").lower() == "enabled",
        soft_delete_days=settings.soft_delete_days,
    )


def _days(state: str, days: int | None) -> int:
    """With soft delete off, Azure answers 14 in one GET and 0 in the next."""
    if state == "Off":
        return 0
    return days or _SHORTEST


def _spelled(found: str | None, known: tuple[str, ...], default: str) -> str:
    """Azure's value in our spelling; a value of a later version stays as it is."""
    if not found or found.lower() == "invalid":
        return default
    return next((word for word in known if word.lower() == found.lower()), found)


def stronger(one: str, other: str, order: tuple[str, ...]) -> str:
    """The stronger of two values of one setting; an unknown one counts as stronger, so that nothing undoes it."""
    rank = {word: place for place, word in enumerate(order)}
    return one if rank.get(one, len(order)) >= rank.get(other, len(order)) else other
