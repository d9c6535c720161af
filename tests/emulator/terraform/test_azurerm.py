"""The requests of Terraform's azurerm provider, from its source: nothing that it waits for or reads may break it."""

from __future__ import annotations

import re
from datetime import datetime

import pytest

from tests.emulator.terraform import requests as azurerm
from tests.emulator.terraform.client import USER_AGENT, BrokenError, Terraform
from tests.emulator.terraform.requests import GROUP, ITEM, POLICY, VAULT


def calls(client: Terraform) -> list[str]:
    """What was sent, with the names that everything hangs on; polls by the kind of their URL, repeated ones once."""
    names = {ITEM: "ITEM", POLICY: "POLICY", VAULT: "VAULT", GROUP: "GROUP"}
    told = []
    for method, path, version, status in client.log:
        named = path
        for long, short in names.items():
            named = re.sub(re.escape(long), short, named, flags=re.IGNORECASE)
        polled = re.search("operation[^/]*/", named, re.IGNORECASE)
        told.append(f"{method} {re.sub('/[^/]*$', '/*', named) if polled else named} {version} {status}")
    return [text for number, text in enumerate(told) if told[number - 1 : number] != [text]]


@pytest.fixture
def vault(terraform: Terraform) -> Terraform:
    azurerm.create_group(terraform)
    azurerm.create_vault(terraform)
    azurerm.create_policy(terraform)
    terraform.log.clear()
    return terraform


def test_resource_group(terraform: Terraform) -> None:
    made = azurerm.create_group(terraform)
    assert (made["id"], made["location"], made["properties"]["provisioningState"]) == (GROUP, "westeurope", "Succeeded")
    azurerm.delete_group(terraform)
    told = calls(terraform)
    assert told[:3] == ["GET GROUP 2023-07-01 404", "PUT GROUP 2023-07-01 201", "GET GROUP 2023-07-01 200"]
    assert told[3:5] == ["GET GROUP/resources 2023-07-01 200", "DELETE GROUP 2023-07-01 202"]
    assert {text.split(" ")[1].lower() for text in told[5:]} == {
        f"/subscriptions/{azurerm.SUBSCRIPTION}/operationresults/*"
    }
    terraform.expect(terraform.send("GET", GROUP, azurerm.GROUPS), 404)


def test_a_group_with_a_vault_is_not_deleted(terraform: Terraform) -> None:
    azurerm.create_group(terraform)
    azurerm.create_vault(terraform)
    with pytest.raises(BrokenError, match="the group holds"):
        azurerm.delete_group(terraform)


def test_vault(terraform: Terraform) -> None:
    azurerm.create_group(terraform)
    terraform.log.clear()
    made = azurerm.create_vault(terraform)
    assert calls(terraform) == [
        "GET VAULT 2025-08-01 404",
        "PUT VAULT 2025-08-01 201",
        "GET VAULT/operationStatus/* 2025-08-01 200",
        "GET VAULT 2025-08-01 200",
        "GET VAULT/replicationVaultSettings/default 2024-04-01 200",
    ]
    assert (made["sku"]["name"], made["location"], made["tags"]) == ("Standard", "westeurope", {"env": "test"})
    assert made["properties"]["redundancySettings"]["standardTierStorageRedundancy"] == "GeoRedundant"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"properties": {"securitySettings": {"immutabilitySettings": {"state": "Unlocked"}}}}, 202),
        ({"identity": {"type": "SystemAssigned"}}, 200),
        ({"tags": {"env": "prod"}}, 202),
    ],
)
def test_a_changed_vault(vault: Terraform, body: dict[str, object], status: int) -> None:
    azurerm.update_vault(vault, body)
    assert f"PATCH VAULT 2025-08-01 {status}" in calls(vault)


def test_a_vault_is_gone_when_it_answers_404(vault: Terraform) -> None:
    azurerm.delete_policy(vault)
    vault.log.clear()
    azurerm.delete_vault(vault)
    told = calls(vault)
    assert (told[0], told[-1]) == ("DELETE VAULT 2025-08-01 202", "GET VAULT 2025-08-01 404")
    assert set(told[1:-1]) <= {"GET VAULT 2025-08-01 200"}


def test_policy(terraform: Terraform) -> None:
    azurerm.create_group(terraform)
    azurerm.create_vault(terraform)
    terraform.log.clear()
    read = azurerm.create_policy(terraform)["properties"]
    assert calls(terraform) == [
        "GET POLICY 2024-10-01 404",
        "PUT POLICY 2024-10-01 200",
        "GET POLICY 2024-10-01 200",
    ]
    assert read["backupManagementType"] == "AzureIaasVM"
    assert read["schedulePolicy"]["schedulePolicyType"] == "SimpleSchedulePolicy"
    assert read["retentionPolicy"]["retentionPolicyType"] == "LongTermRetentionPolicy"
    times = [
        read["schedulePolicy"]["scheduleRunTimes"][0],
        read["retentionPolicy"]["dailySchedule"]["retentionTimes"][0],
    ]
    assert {datetime.fromisoformat(text).strftime("%H:%M %z") for text in times} == {"23:00 +0000"}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text) for text in times)
    assert read["tieringPolicy"]["ArchivedRP"]["tieringMode"] == "DoNotTier"


def test_an_edited_policy_keeps_its_date(vault: Terraform) -> None:
    before = azurerm.read_policy(vault)["properties"]["schedulePolicy"]["scheduleRunTimes"][0]
    vault.running.advance("3d")
    after = azurerm.put_policy(vault, azurerm.policy_body(time="01:30:00Z", days=12))["properties"]
    assert after["schedulePolicy"]["scheduleRunTimes"] == [f"{before[:10]}T01:30:00Z"]
    assert after["retentionPolicy"]["dailySchedule"]["retentionDuration"]["count"] == 12


def test_protected_vm(vault: Terraform) -> None:
    read = azurerm.protect(vault)
    assert calls(vault) == [
        "GET ITEM 2023-02-01 404",
        "PUT ITEM 2023-02-01 202",
        "GET ITEM/operationsStatus/* 2023-02-01 200",
        "GET ITEM 2023-02-01 200",
    ]
    properties = read["properties"]
    assert properties["protectedItemType"] == "Microsoft.Compute/virtualMachines"
    assert (properties["policyId"], properties["protectionState"]) == (POLICY, "IRPending")
    assert properties["sourceResourceId"].lower() == azurerm.MACHINE.lower()


def test_stopped_deleted_and_brought_back(vault: Terraform) -> None:
    azurerm.protect(vault)
    assert azurerm.stop(vault)["properties"]["protectionState"] == "ProtectionStopped"
    vault.log.clear()
    azurerm.unprotect(vault)
    assert calls(vault)[0] == "DELETE ITEM 2023-02-01 202"
    assert {text.split(" ")[1] for text in calls(vault)[1:]} == {"VAULT/backupOperations/*"}
    assert azurerm.read_item(vault)["properties"]["isScheduledForDeferredDelete"] is True
    again = azurerm.protect(vault)["properties"]
    assert (again["policyId"], "isScheduledForDeferredDelete" in again) == (POLICY, False)


def test_listed_ids_have_the_segments_that_the_purge_of_a_vault_parses(vault: Terraform) -> None:
    azurerm.protect(vault)
    listed = vault.expect(vault.send("GET", f"{VAULT}/backupProtectedItems", azurerm.ITEMS), 200).body["value"]
    segments = (
        "/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft.RecoveryServices/vaults/[^/]+"
        "/backupFabrics/[^/]+/protectionContainers/[^/]+/protectedItems/[^/]+"
    )
    assert [bool(re.fullmatch(segments, item["id"])) for item in listed] == [True]


def test_waits_are_those_that_the_server_tells(vault: Terraform, request: pytest.FixtureRequest) -> None:
    """Never the 10 and 30 s that an answer without a readable Retry-After costs."""
    vault.waits.clear()
    azurerm.update_vault(vault, {"tags": {"env": "prod"}})
    azurerm.protect(vault)
    expected = {"milliseconds": 0, "Retry-After 1": 1, "Retry-After 60": 60}
    assert set(vault.waits) == {expected[request.node.callspec.params["terraform"]]}


def test_the_provider_is_told_apart_by_its_agent(vault: Terraform) -> None:
    assert USER_AGENT.startswith("HashiCorp")
    answer = vault.send("PATCH", VAULT, azurerm.VAULTS, {"tags": {}})
    assert answer.headers["retry-after"].isdecimal()
