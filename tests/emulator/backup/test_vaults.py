"""Vaults: their operations, what they show when, and what they refuse."""

from __future__ import annotations

import base64
from typing import Any

import pytest

NEW = "rsv-new"
BODY = {"location": "westeurope", "sku": {"name": "Standard"}, "properties": {}}


def create(caller: Any, **changes: Any) -> Any:
    return caller.send("PUT", NEW, {**BODY, **changes})


def secured(**settings: Any) -> dict[str, Any]:
    return {"properties": {"securitySettings": settings}}


def soft(state: str, days: int = 14) -> dict[str, Any]:
    return secured(
        softDeleteSettings={
            "softDeleteState": state,
            "enhancedSecurityState": state,
            "softDeleteRetentionPeriodInDays": days,
        }
    )


def redundant(storage: str, cross_region: str = "Disabled") -> dict[str, Any]:
    settings = {"standardTierStorageRedundancy": storage, "crossRegionRestore": cross_region}
    return {"properties": {"redundancySettings": settings}}


def immutable(state: str) -> dict[str, Any]:
    return secured(immutabilitySettings={"state": state})


def test_creation_is_201_and_an_operation_with_one_header(caller: Any) -> None:
    assert caller.send("GET", NEW).code == "ResourceNotFound"
    answer = create(caller)
    assert answer.status == 201
    assert answer.body["properties"]["provisioningState"] == "Provisioning"
    assert answer.body["sku"] == {"name": "Standard"}
    assert "Location" not in answer.headers
    name = answer.headers["Azure-AsyncOperation"].partition("/operationStatus/")[2].partition("?")[0]
    assert base64.b64decode(name).decode().startswith("2047;")
    polled = caller.finish(answer)
    assert polled["status"] == "Succeeded"
    assert polled["name"] == name
    assert polled["id"].endswith(f"/operationStatus/{name}")
    assert caller.get(NEW)["properties"]["provisioningState"] == "Succeeded"


def test_fields_appear_late_under_the_same_etag(caller: Any) -> None:
    caller.finish(create(caller))
    early = caller.get(NEW)
    assert "securitySettings" not in early["properties"]
    assert "backupStorageVersion" not in early["properties"]
    caller.wait(minutes=2)
    late = caller.get(NEW)
    assert late["etag"] == early["etag"]
    assert late["properties"]["backupStorageVersion"] == "Unassigned"
    assert late["properties"]["securitySettings"]["immutabilitySettings"] is None
    assert late["properties"]["securitySettings"]["softDeleteSettings"]["softDeleteState"] == "Enabled"


def test_always_on_comes_back_in_other_capitals(caller: Any) -> None:
    answer = create(caller, **soft("AlwaysOn"))
    assert answer.body["properties"]["securitySettings"]["multiUserAuthorization"] == "Invalid"
    caller.finish(answer)
    settings = caller.get(NEW)["properties"]["securitySettings"]
    assert settings["softDeleteSettings"]["softDeleteState"] == "AlwaysON"
    assert settings["softDeleteSettings"]["enhancedSecurityState"] == "AlwaysON"
    assert settings["multiUserAuthorization"] == "Disabled"


def test_patch_takes_effect_when_its_operation_ends(caller: Any) -> None:
    answer = caller.send("PATCH", "rsv-empty", {"tags": {"owner": "me"}, **redundant("LocallyRedundant")})
    assert (answer.status, answer.body) == (202, None)
    assert "/operationResults/" in answer.headers["Location"]
    assert (
        caller.get("rsv-empty")["properties"]["redundancySettings"]["standardTierStorageRedundancy"] == "GeoRedundant"
    )
    caller.finish(answer)
    vault = caller.get("rsv-empty")
    assert vault["properties"]["redundancySettings"]["standardTierStorageRedundancy"] == "LocallyRedundant"
    assert vault["tags"] == {"owner": "me"}


def test_who_reads_a_vault_again_sees_what_was_to_come(caller: Any) -> None:
    """The clock stands still, and nobody polls: provisioning, late fields, a change, the end."""
    caller.send("PUT", "rsv-new", {"location": "westeurope", "sku": {"name": "Standard"}})
    states = [caller.get("rsv-new")["properties"]["provisioningState"] for _ in range(2)]
    assert states == ["Provisioning", "Succeeded"]
    late = ["securitySettings" in caller.get("rsv-new")["properties"] for _ in range(2)]
    assert late[-1]
    caller.send("PATCH", "rsv-new", {"tags": {"owner": "me"}})
    assert [caller.get("rsv-new").get("tags") for _ in range(2)] == [None, {"owner": "me"}]
    caller.send("DELETE", "rsv-new")
    assert [caller.send("GET", "rsv-new").status for _ in range(2)] == [200, 404]


def test_a_patch_of_the_identity_alone_is_200_in_the_services_spelling(caller: Any) -> None:
    answer = caller.send("PATCH", "rsv-empty", {"identity": {"type": "systemassigned"}})
    assert (answer.status, answer.body["identity"]["type"]) == (200, "SystemAssigned")
    key = "/subscriptions/x/resourcegroups/RG/providers/Microsoft.ManagedIdentity/userAssignedIdentities/Id"
    sent = {"identity": {"type": "systemassigned,userassigned", "userAssignedIdentities": {key: {}}}}
    caller.do("PATCH", "rsv-empty", sent)
    identity = caller.get("rsv-empty")["identity"]
    assert identity["type"] == "SystemAssigned, UserAssigned"
    assert list(identity["userAssignedIdentities"]) == [key.lower()]


def test_put_over_a_vault_keeps_unsent_settings_and_drops_unsent_tags(caller: Any) -> None:
    caller.do("PATCH", "rsv-empty", {"tags": {"a": "b"}, **redundant("ZoneRedundant")})
    caller.do("PUT", "rsv-empty", {**BODY, **soft("Enabled", 30)})
    vault = caller.get("rsv-empty")
    assert vault["tags"] == {}
    assert vault["properties"]["redundancySettings"]["standardTierStorageRedundancy"] == "ZoneRedundant"
    assert vault["properties"]["securitySettings"]["softDeleteSettings"]["softDeleteRetentionPeriodInDays"] == 30


def test_a_vault_never_moves(caller: Any) -> None:
    answer = caller.send("PUT", "rsv-empty", {**BODY, "location": "northeurope"})
    assert (answer.status, answer.code) == (409, "InvalidResourceLocation")


CHANGES: list[tuple[str, dict[str, Any], dict[str, Any] | None, str | None]] = [
    # rule, what is there first, what is asked, the code of the refusal (None: accepted)
    ("BP-75", soft("Enabled"), soft("Enabled", 13), "InvalidRestApiParameter"),
    ("BP-75", soft("Enabled"), soft("Enabled", 181), "InvalidRestApiParameter"),
    ("BP-75", soft("Enabled"), soft("Enabled", 180), None),
    ("BP-75", soft("Enabled"), soft("Sometimes"), "InvalidRestApiParameter"),
    ("BP-75", soft("AlwaysON"), soft("Enabled"), "UserErrorSoftDeleteStateChangeNotAllowed"),
    ("BP-75", soft("AlwaysON"), soft("AlwaysON", 20), None),
    ("BP-76", soft("Enabled"), soft("Disabled"), "UserErrorSoftDeleteStateChangeNotAllowed"),
    ("BP-80", immutable("Disabled"), immutable("Locked"), "UserErrorUnsupportedVaultImmutabilityStateChange"),
    ("BP-80", immutable("Disabled"), immutable("Unlocked"), None),
    ("BP-80", immutable("Unlocked"), immutable("Locked"), None),
    ("BP-80", immutable("Unlocked"), immutable("Disabled"), None),
    ("BP-90", redundant("LocallyRedundant"), redundant("ZoneRedundant"), None),
    ("BP-90", redundant("LocallyRedundant"), redundant("ExtraRedundant"), "InvalidRestApiParameter"),
    (
        "BP-91",
        redundant("ZoneRedundant"),
        redundant("ZoneRedundant", "Enabled"),
        "UserErrorCrossRegionRestoreNotSupported",
    ),
    ("BP-91", redundant("GeoRedundant"), redundant("GeoRedundant", "Enabled"), None),
    (
        "BP-91",
        redundant("GeoRedundant", "Enabled"),
        redundant("GeoRedundant"),
        "UserErrorCrossRegionRestoreCannotBeDisabled",
    ),
]


@pytest.mark.parametrize(("rule", "before", "change", "code"), CHANGES)
def test_change_of_settings(
    caller: Any, rule: str, before: dict[str, Any], change: dict[str, Any], code: str | None
) -> None:
    caller.finish(create(caller, **before))
    answer = caller.send("PATCH", NEW, change)
    if code is None:
        assert answer.status == 202, answer
        assert caller.finish(answer)["status"] == "Succeeded"
    else:
        assert (answer.status, answer.code, answer.rule) == (400, code, rule)


def test_locked_is_refused_at_creation_and_terminal(caller: Any) -> None:
    """BP-80."""
    answer = create(caller, **immutable("Locked"))
    assert (answer.status, answer.code) == (400, "UserErrorUnsupportedVaultImmutabilityStateChange")
    caller.do("PATCH", "rsv-immutable", immutable("Locked"))
    for state in ("Unlocked", "Disabled"):
        assert caller.send("PATCH", "rsv-immutable", immutable(state)).rule == "BP-80"
    assert caller.get("rsv-immutable")["properties"]["securitySettings"]["immutabilitySettings"] == {"state": "Locked"}


def test_redundancy_is_locked_by_the_first_item(caller: Any) -> None:
    """BP-90."""
    answer = caller.send("PATCH", "rsv-app", redundant("LocallyRedundant"))
    assert (answer.status, answer.code, answer.rule) == (400, "StorageModelModifyError", "BP-90")


def test_a_failing_operation_leaves_the_vault_as_it_was(caller: Any) -> None:
    caller.world.faults.add({"method": "PATCH", "operation": "fails", "code": "InternalServerError", "count": 1})
    polled = caller.do("PATCH", "rsv-empty", redundant("LocallyRedundant"))
    assert (polled["status"], polled["error"]["code"]) == ("Failed", "InternalServerError")
    assert (
        caller.get("rsv-empty")["properties"]["redundancySettings"]["standardTierStorageRedundancy"] == "GeoRedundant"
    )


def test_security_score_follows_the_settings(caller: Any) -> None:
    def score(vault: str) -> tuple[str, str]:
        properties = caller.get(vault)["properties"]
        return properties["secureScore"], properties["bcdrSecurityLevel"]

    assert score("rsv-empty") == ("None", "Poor")
    assert score("rsv-immutable") == ("Minimum", "Fair")
    caller.do("PATCH", "rsv-empty", soft("AlwaysON"))
    assert score("rsv-empty") == ("Adequate", "Good")


def test_lists_are_paged(caller: Any) -> None:
    caller.world.configuration = type(caller.world.configuration)(page_size=2)
    scope = "/subscriptions/11111111-1111-4111-8111-111111111111/providers/Microsoft.RecoveryServices/vaults"
    first = caller.get(scope)
    assert len(first["value"]) == 2
    rest = caller.get(first["nextLink"].removeprefix("https://localhost:9443"))
    assert [vault["name"] for vault in (*first["value"], *rest["value"])] == ["rsv-app", "rsv-empty", "rsv-immutable"]
    assert "nextLink" not in rest


def test_delete_an_empty_vault(caller: Any) -> None:
    answer = caller.send("DELETE", "rsv-empty")
    assert (answer.status, answer.body) == (202, None)
    polled = caller.finish(answer)
    assert polled.get("status") == "Succeeded" or polled["error"]["code"] == "ResourceNotFound"
    assert caller.send("GET", "rsv-empty").status == 404
    assert caller.send("GET", "rsv-empty/backupPolicies").status == 404
    scope = "/subscriptions/11111111-1111-4111-8111-111111111111/providers/Microsoft.RecoveryServices/locations"
    (gone,) = caller.get(f"{scope}/westeurope/deletedVaults")["value"]
    assert gone["properties"]["vaultId"].endswith("/vaults/rsv-empty")
    caller.wait(days=15)
    assert caller.get(f"{scope}/westeurope/deletedVaults")["value"] == []


def test_about_half_of_all_deletions_lose_their_polling_url(caller: Any) -> None:
    """36 of 80 recorded ones answered 404 once the vault was gone."""
    ends = set()
    for number in range(12):
        caller.finish(caller.send("PUT", f"rsv-{number}", BODY))
        ends.add(caller.do("DELETE", f"rsv-{number}").get("status", "404"))
    assert ends == {"Succeeded", "404"}


def test_a_vault_with_items_is_not_deleted(caller: Any) -> None:
    """BP-74."""
    answer = caller.send("DELETE", "rsv-app")
    assert (answer.status, answer.code) == (400, "ServiceResourceNotEmptyWithBackendMessage")
    assert "kept-01" in answer.body["error"]["message"]


@pytest.mark.parametrize(("version", "status"), [("2024-04-01", 400), ("2024-09-30-preview", 202), ("2026-07-01", 202)])
def test_a_vault_with_only_soft_deleted_items(caller: Any, version: str, status: int) -> None:
    """BP-74: from 2024-09-30 on such a vault is soft deleted itself."""
    caller.finish(caller.configure("web-01", "DefaultPolicy", vault="rsv-empty"))
    caller.do("DELETE", caller.item_path("web-01", "rsv-empty"))
    assert caller.send("DELETE", "rsv-empty", version=version).status == status


@pytest.mark.parametrize("name", ["a", "1abc", "with_underscore", "a" * 51])
def test_names(caller: Any, name: str) -> None:
    """BP-11."""
    assert caller.send("PUT", name, BODY).code == "InvalidResourceName"


def test_a_vault_needs_a_location_and_a_sku(caller: Any) -> None:
    assert caller.send("PUT", NEW, {"location": "westeurope"}).status == 400
    assert caller.send("PUT", NEW, {"sku": {"name": "Standard"}}).status == 400
    assert caller.send("PUT", NEW).status == 400
