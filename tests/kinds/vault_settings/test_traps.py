"""Oddities of vaults on the wire (backup.md §5 and §9): one test for each, in the recorded shapes."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from reconciler.azure.vault_list import LiveVault
from reconciler.kinds.vault_settings.spec import VaultSettingsSpec, facts_of, settings_of, stronger
from reconciler.model.resource import Ref

REF = Ref("vault.prod/rg-backup/rsv-weu-01")
PLAIN = VaultSettingsSpec(vault=REF)
SOFT = {"softDeleteRetentionPeriodInDays": 14, "softDeleteState": "Enabled", "enhancedSecurityState": "Enabled"}


def vault(location: str = "westeurope", sku: Any = None, **properties: Any) -> LiveVault:
    """A vault as the list answers it, with what we never look at."""
    body = {
        "location": location,
        "name": "rsv-weu-01",
        "etag": "W/\"datetime'2026-02-24T10%3A20%3A30.1234567Z'\"",
        "properties": {
            "provisioningState": "Succeeded",
            "privateEndpointStateForBackup": "None",
            "backupStorageVersion": "Unassigned",
            "secureScore": "Minimum",
            "bcdrSecurityLevel": "Fair",
            "publicNetworkAccess": "Enabled",
            "costManagementSettings": {"granularityLevel": "VaultLevel"},
            "regionOfChoiceSettings": {"status": "Disabled"},
            "securitySettings": {"softDeleteSettings": SOFT, "multiUserAuthorization": "Disabled"},
            "redundancySettings": {"standardTierStorageRedundancy": "GeoRedundant", "crossRegionRestore": "Disabled"},
            **properties,
        },
        "id": "/subscriptions/11111111-1111-4111-8111-111111111111/resourceGroups/rg-backup/providers/"
        "Microsoft.RecoveryServices/vaults/rsv-weu-01",
        "type": "Microsoft.RecoveryServices/vaults",
        "sku": sku or {"name": "Standard"},
    }
    return msgspec.json.decode(msgspec.json.encode(body), type=LiveVault)


def security(**settings: Any) -> dict[str, Any]:
    return {"securitySettings": {"softDeleteSettings": SOFT, "multiUserAuthorization": "Disabled", **settings}}


def test_a_plain_vault_is_the_default():
    assert settings_of(vault(), REF) == PLAIN


@pytest.mark.parametrize("state", ["AlwaysON", "AlwaysOn", "alwayson"])
def test_always_on_in_any_casing(state):
    soft = {"softDeleteState": state, "enhancedSecurityState": state, "softDeleteRetentionPeriodInDays": 30}
    found = settings_of(vault(**security(softDeleteSettings=soft)), REF)
    assert (found.soft_delete, found.soft_delete_days) == ("AlwaysOn", 30)


@pytest.mark.parametrize(
    "immutability", [{}, {"immutabilitySettings": None}, {"immutabilitySettings": {"state": "Disabled"}}]
)
def test_immutability_absent_null_or_disabled_is_one(immutability):
    assert settings_of(vault(**security(**immutability)), REF) == PLAIN


def test_immutability_with_a_configuration_of_2026():
    immutability = {"state": "Unlocked", "configuration": {"type": "AsPerPolicy"}}
    assert settings_of(vault(**security(immutabilitySettings=immutability)), REF).immutability == "Unlocked"


def test_fields_that_appear_late_are_the_defaults():
    early = vault()
    late = msgspec.structs.replace(early, properties=None)
    assert settings_of(late, REF) == settings_of(early, REF)
    assert settings_of(vault(securitySettings=None, redundancySettings=None, backupStorageVersion=None), REF) == PLAIN


def test_soft_delete_settings_null_in_the_answer_to_a_put():
    found = vault(**security(softDeleteSettings=None, multiUserAuthorization="Invalid"))
    assert settings_of(found, REF) == PLAIN
    assert not facts_of(found, PLAIN).resource_guard


@pytest.mark.parametrize("days", [0, 14, None])
def test_days_while_soft_delete_is_off_do_not_flap(days):
    soft = {"softDeleteState": "Disabled", "softDeleteRetentionPeriodInDays": days}
    found = settings_of(vault(**security(softDeleteSettings=soft)), REF)
    assert (found.soft_delete, found.soft_delete_days) == ("Off", 0)


@pytest.mark.parametrize(
    ("version", "locked"), [("Unassigned", False), (None, False), ("V1", True), ("V2", True), ("v2", True)]
)
def test_redundancy_is_locked_by_the_first_item(version, locked):
    assert facts_of(vault(backupStorageVersion=version), PLAIN).redundancy_locked is locked


@pytest.mark.parametrize(
    ("state", "guarded"), [("Enabled", True), ("Disabled", False), ("Invalid", False), (None, False)]
)
def test_multi_user_authorization(state, guarded):
    assert facts_of(vault(**security(multiUserAuthorization=state)), PLAIN).resource_guard is guarded


@pytest.mark.parametrize("sku", [{"name": "Standard"}, {"name": "RS0", "tier": "Standard"}])
def test_sku_and_scores_are_not_looked_at(sku):
    assert settings_of(vault(sku=sku, secureScore="Maximum", bcdrSecurityLevel="Excellent"), REF) == PLAIN


def test_location_in_words():
    assert facts_of(vault("West Europe"), PLAIN).location == "westeurope"


def test_a_value_of_a_later_version_is_kept_and_counts_as_stronger():
    redundancy = {"standardTierStorageRedundancy": "PlanetRedundant", "crossRegionRestore": "Enabled"}
    found = settings_of(vault(redundancySettings=redundancy), REF)
    assert (found.redundancy, found.cross_region_restore) == ("PlanetRedundant", True)
    assert stronger("On", "EvenMoreOn", ("Off", "On", "AlwaysOn")) == "EvenMoreOn"
