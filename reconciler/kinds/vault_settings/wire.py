"""From the arguments of a step to the body of the PATCH, in the models of the SDK. Imports it lazily."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azure.mgmt.recoveryservices.models import PatchVault, SecuritySettings

_SOFT_DELETE = {"On": "Enabled", "AlwaysOn": "AlwaysON"}


def patch_body(arguments: Mapping[str, Any]) -> PatchVault:
    """Only what the step sets: a PATCH leaves everything else alone."""
    from azure.mgmt.recoveryservices import models

    if "redundancy" in arguments:
        redundancy = models.VaultPropertiesRedundancySettings(
            standard_tier_storage_redundancy=arguments["redundancy"],
            cross_region_restore="Enabled" if arguments["cross_region_restore"] else "Disabled",
        )
        return models.PatchVault(properties=models.VaultProperties(redundancy_settings=redundancy))
    return models.PatchVault(properties=models.VaultProperties(security_settings=_security(arguments)))


def _security(arguments: Mapping[str, Any]) -> SecuritySettings:
    from azure.mgmt.recoveryservices import models

    if "immutability" in arguments:
        return models.SecuritySettings(
            immutability_settings=models.ImmutabilitySettings(state=arguments["immutability"])
        )
    state = _SOFT_DELETE[arguments["soft_delete"]]
    soft_delete = models.SoftDeleteSettings(
        soft_delete_state=state, soft_delete_retention_period_in_days=arguments["soft_delete_days"]
    )
    if state == "AlwaysON":
        soft_delete.enhanced_security_state = state  # the az client sends both, and Azure answers both
    return models.SecuritySettings(soft_delete_settings=soft_delete)
