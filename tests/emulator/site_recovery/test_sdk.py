"""The real azure-mgmt-recoveryservicessiterecovery against a server: there, drilled, over, and back; and a plan."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.mgmt.recoveryservicessiterecovery import SiteRecoveryManagementClient, models
from azure.mgmt.recoveryservicessiterecovery.aio import SiteRecoveryManagementClient as AsyncSiteRecoveryClient

from tests.emulator.site_recovery.replicator import ESTATE, GROUPS, SUBSCRIPTION, account_id, machine_id, network_id

PLACE = ("rg-DR", "rsv-dr")
WEST = (*PLACE, "weu")
NORTH = (*PLACE, "neu")
SOURCE, TARGET = (*WEST, "c-weu"), (*NORTH, "c-neu")
VAULT = f"{GROUPS}/rg-DR/providers/Microsoft.RecoveryServices/vaults/rsv-dr"
CONTAINERS = {
    "c-weu": f"{VAULT}/replicationFabrics/weu/replicationProtectionContainers/c-weu",
    "c-neu": f"{VAULT}/replicationFabrics/neu/replicationProtectionContainers/c-neu",
}
POLICY = f"{VAULT}/replicationPolicies/day"


@pytest.fixture
def server(serve: Any) -> Any:
    return serve(estate=ESTATE)


@pytest.fixture
def client(server: Any, credential: Any) -> SiteRecoveryManagementClient:
    options = {"base_url": server.running.endpoint, "connection_verify": str(server.running.ca)}
    return SiteRecoveryManagementClient(credential, SUBSCRIPTION, **options)


def build(client: SiteRecoveryManagementClient) -> None:
    settings = models.A2APolicyCreationInput(multi_vm_sync_status="Enable", recovery_point_history=1440)
    properties = models.CreatePolicyInputProperties(provider_specific_input=settings)
    made = client.replication_policies.begin_create(
        *PLACE, "day", models.CreatePolicyInput(properties=properties)
    ).result()
    assert made.properties.provider_specific_details.recovery_point_history == 1440
    for fabric, location in (("weu", "westeurope"), ("neu", "northeurope")):
        details = models.AzureFabricCreationInput(location=location)
        body = models.FabricCreationInput(properties=models.FabricCreationInputProperties(custom_details=details))
        assert client.replication_fabrics.begin_create(*PLACE, fabric, body).result().name == fabric
    empty = models.CreateProtectionContainerInput(properties=models.CreateProtectionContainerInputProperties())
    for container in (SOURCE, TARGET):
        client.replication_protection_containers.begin_create(*container, empty).result()
    for container, name, target in ((SOURCE, "there", "c-neu"), (TARGET, "back", "c-weu")):
        pair = models.CreateProtectionContainerMappingInputProperties(
            policy_id=POLICY,
            target_protection_container_id=CONTAINERS[target],
            provider_specific_input=models.A2AContainerMappingInput(agent_auto_update_status="Disabled"),
        )
        body = models.CreateProtectionContainerMappingInput(properties=pair)
        client.replication_protection_container_mappings.begin_create(*container, name, body).result()
    for fabric, primary, recovery, target in (
        (WEST, "vnet-weu", "vnet-neu", "neu"),
        (NORTH, "vnet-neu", "vnet-weu", "weu"),
    ):
        groups = {"vnet-weu": "rg-App", "vnet-neu": "rg-DR"}
        details = models.AzureToAzureCreateNetworkMappingInput(primary_network_id=network_id(primary, groups[primary]))
        mapping = models.CreateNetworkMappingInputProperties(
            recovery_fabric_name=target,
            recovery_network_id=network_id(recovery, groups[recovery]),
            fabric_specific_details=details,
        )
        body = models.CreateNetworkMappingInput(properties=mapping)
        client.replication_network_mappings.begin_create(*fabric, "azureNetwork", "nets", body).result()


def disks_of(server: Any, vm: str, account: str, group: str) -> list[models.A2AVmManagedDiskInputDetails]:
    storage = server.emulator.world.store.get(vm)["properties"]["storageProfile"]
    return [
        models.A2AVmManagedDiskInputDetails(
            disk_id=one["managedDisk"]["id"],
            primary_staging_azure_storage_account_id=account_id(account),
            recovery_resource_group_id=f"{GROUPS}/{group}",
        )
        for one in (storage["osDisk"], *storage["dataDisks"])
    ]


def enabling(server: Any, vm: str = "web-01") -> models.EnableProtectionInput:
    details = models.A2AEnableProtectionInput(
        fabric_object_id=machine_id(vm),
        recovery_container_id=CONTAINERS["c-neu"],
        recovery_resource_group_id=f"{GROUPS}/rg-DR",
        vm_managed_disks=disks_of(server, machine_id(vm), "cacheweu", "rg-DR"),
    )
    properties = models.EnableProtectionInputProperties(policy_id=POLICY, provider_specific_details=details)
    return models.EnableProtectionInput(properties=properties)


def until_protected(client: SiteRecoveryManagementClient, place: tuple[str, ...]) -> models.ReplicationProtectedItem:
    for _ in range(10):
        item = client.replication_protected_items.get(*place)
        if item.properties.protection_state == "Protected":
            return item
    raise AssertionError(item.properties.protection_state)


def over(client: SiteRecoveryManagementClient, place: tuple[str, ...]) -> models.ReplicationProtectedItem:
    details = models.A2AUnplannedFailoverInput(cloud_service_creation_option="AutoCreateCloudService")
    properties = models.UnplannedFailoverInputProperties(
        failover_direction="PrimaryToRecovery", source_site_operations="Required", provider_specific_details=details
    )
    body = models.UnplannedFailoverInput(properties=properties)
    failed_over = client.replication_protected_items.begin_unplanned_failover(*place, body).result()
    assert failed_over.properties.protection_state == "UnplannedFailoverCommitPendingStatesBegin"
    return client.replication_protected_items.begin_failover_commit(*place).result()


def switching(
    client: SiteRecoveryManagementClient, place: tuple[str, ...], item: models.ReplicationProtectedItem, back_to: str
) -> None:
    account, group = ("cacheneu", "rg-App") if back_to == "c-weu" else ("cacheweu", "rg-DR")
    disks = [
        models.A2AVmManagedDiskInputDetails(
            disk_id=one.recovery_target_disk_id,
            primary_staging_azure_storage_account_id=account_id(account),
            recovery_resource_group_id=f"{GROUPS}/{group}",
        )
        for one in item.properties.provider_specific_details.protected_managed_disks
    ]
    details = models.A2ASwitchProtectionInput(
        recovery_container_id=CONTAINERS[back_to],
        policy_id=POLICY,
        recovery_resource_group_id=f"{GROUPS}/{group}",
        vm_managed_disks=disks,
    )
    properties = models.SwitchProtectionInputProperties(
        replication_protected_item_name=item.name, provider_specific_details=details
    )
    body = models.SwitchProtectionInput(properties=properties)
    container = client.replication_protection_containers.begin_switch_protection(*place[:4], body).result()
    assert container.name == place[3]


def test_there_drilled_over_and_back(client: SiteRecoveryManagementClient, server: Any) -> None:
    build(client)
    home, away = (*SOURCE, "web-01"), (*TARGET, "web-01")
    items = client.replication_protected_items
    made = items.begin_create(*home, enabling(server)).result()
    assert made.properties.protection_state == "InitialReplicationInProgress"
    protected = until_protected(client, home)
    details = protected.properties.provider_specific_details
    assert details.rpo_in_seconds < 400
    assert details.agent_expiry_date.tzinfo is None  # the one datetime without a zone
    drill = models.TestFailoverInputProperties(
        failover_direction="PrimaryToRecovery",
        network_type="VmNetworkAsInput",
        network_id=network_id("vnet-test", "rg-DR"),
        provider_specific_details=models.A2ATestFailoverInput(cloud_service_creation_option="AutoCreateCloudService"),
    )
    drilled = items.begin_test_failover(*home, models.TestFailoverInput(properties=drill)).result()
    assert drilled.properties.allowed_operations == ["TestFailoverCleanup"]
    cleanup = models.TestFailoverCleanupInput(properties=models.TestFailoverCleanupInputProperties(comments="done"))
    assert items.begin_test_failover_cleanup(*home, cleanup).result().properties.last_successful_test_failover_time
    switching(client, home, over(client, home), "c-weu")
    with pytest.raises(ResourceNotFoundError):
        items.get(*home)
    lifecycle = until_protected(client, away).properties.provider_specific_details.lifecycle_id
    assert lifecycle == details.lifecycle_id
    switching(client, away, over(client, away), "c-neu")
    until_protected(client, home)
    scenarios = [job.properties.scenario_name for job in client.replication_jobs.list(*PLACE)]
    assert scenarios[0] == "PrimaryIrCompletion"
    assert scenarios.count("SwitchReplicationGroupProtection") == 2
    items.begin_purge(*home).result()
    assert not list(client.replication_protected_items.list(*PLACE))


def test_a_failed_job_tells_why(client: SiteRecoveryManagementClient, server: Any) -> None:
    build(client)
    place = (*SOURCE, "off-01")
    body = enabling(server, "off-01")
    with pytest.raises(HttpResponseError, match="Protection couldn't be enabled"):
        client.replication_protected_items.begin_create(*place, body).result()
    failed = next(job for job in client.replication_jobs.list(*PLACE) if job.properties.state == "Failed")
    told = client.replication_jobs.get(*PLACE, failed.name).properties
    assert "not running" in told.errors[0].service_error_details.possible_causes
    assert [task.state for task in told.tasks][:2] == ["Succeeded", "Failed"]
    reason = models.DisableProtectionInputProperties(
        disable_protection_reason="NotSpecified",
        replication_provider_input=models.DisableProtectionProviderSpecificInput(),
    )
    body = models.DisableProtectionInput(properties=reason)
    client.replication_protected_items.begin_delete(*place, body).result()
    with pytest.raises(ResourceNotFoundError):
        client.replication_protected_items.get(*place)


def test_a_vault_that_was_never_used(client: SiteRecoveryManagementClient) -> None:
    with pytest.raises(HttpResponseError) as refused:
        list(client.replication_fabrics.list(*PLACE))
    assert refused.value.status_code == 400
    assert refused.value.error.details[0].code == "SubscriptionIdNotRegisteredWithSrs"


def test_a_plan_of_three_groups(client: SiteRecoveryManagementClient, server: Any) -> None:
    build(client)
    for vm in ("web-01", "APP-02"):
        client.replication_protected_items.begin_create(*SOURCE, vm, enabling(server, vm)).result()
        until_protected(client, (*SOURCE, vm))
    common = {"failover_types": ["TestFailover"], "failover_directions": ["PrimaryToRecovery"]}
    runbook = models.RecoveryPlanAutomationRunbookActionDetails(
        runbook_id=f"{GROUPS}/rg-DR/providers/Microsoft.Automation/automationAccounts/auto/runbooks/update-dns",
        fabric_location="Recovery",
    )
    gate = models.RecoveryPlanManualActionDetails(description="Look.")
    members = [
        [
            models.RecoveryPlanProtectedItem(
                id=f"{CONTAINERS['c-weu']}/replicationProtectedItems/{vm}", virtual_machine_id=vm
            )
        ]
        for vm in ("APP-02", "web-01")
    ]
    groups = [
        models.RecoveryPlanGroup(
            group_type="Boot",
            replication_protected_items=members[0],
            end_group_actions=[models.RecoveryPlanAction(action_name="dns", custom_details=runbook, **common)],
        ),
        models.RecoveryPlanGroup(
            group_type="Boot",
            replication_protected_items=members[1],
            start_group_actions=[models.RecoveryPlanAction(action_name="gate", custom_details=gate, **common)],
        ),
        models.RecoveryPlanGroup(group_type="Boot"),
    ]
    properties = models.CreateRecoveryPlanInputProperties(
        primary_fabric_id=f"{VAULT}/replicationFabrics/weu",
        recovery_fabric_id=f"{VAULT}/replicationFabrics/neu",
        failover_deployment_model="ResourceManager",
        groups=groups,
    )
    plans = client.replication_recovery_plans
    plan = plans.begin_create(*PLACE, "rp-shop", models.CreateRecoveryPlanInput(properties=properties)).result()
    assert [group.group_type for group in plan.properties.groups] == ["Shutdown", "Failover", "Boot", "Boot", "Boot"]
    assert [one.properties.groups for one in plans.list(*PLACE)] == [[]]
    drill = models.RecoveryPlanTestFailoverInputProperties(
        failover_direction="PrimaryToRecovery",
        network_type="VmNetworkAsInput",
        network_id=network_id("vnet-test", "rg-DR"),
        provider_specific_details=[models.RecoveryPlanA2AFailoverInput(recovery_point_type="LatestProcessed")],
    )
    body = models.RecoveryPlanTestFailoverInput(properties=drill)
    poller = plans.begin_test_failover(*PLACE, "rp-shop", body)
    jobs = client.replication_jobs
    while not (waiting := [job for job in jobs.list(*PLACE) if job.properties.state == "Suspended"]):
        pass
    assert not poller.done()
    go_on = models.ResumeJobParams(properties=models.ResumeJobParamsProperties(comments="fine"))
    resumed = jobs.begin_resume(*PLACE, waiting[0].name, go_on).result()
    assert resumed.name == waiting[0].name
    assert poller.result().properties.allowed_operations == ["TestFailoverCleanup"]
    told = server.running.invocations()
    assert [one["RecoveryPlanContext"]["FailoverType"] for one in told] == ["Test"]


async def test_asynchronously(server: Any, async_credential: Any) -> None:
    options = {"base_url": server.running.endpoint, "connection_verify": str(server.running.ca)}
    async with AsyncSiteRecoveryClient(async_credential, SUBSCRIPTION, **options) as client:
        settings = models.A2APolicyCreationInput(multi_vm_sync_status="Disable")
        properties = models.CreatePolicyInputProperties(provider_specific_input=settings)
        body = models.CreatePolicyInput(properties=properties)
        poller = await client.replication_policies.begin_create(*PLACE, "latest", body)
        assert (await poller.result()).properties.provider_specific_details.multi_vm_sync_status == "Disabled"
        assert [one.name async for one in client.replication_policies.list(*PLACE)] == ["latest"]
        await (await client.replication_policies.begin_delete(*PLACE, "latest")).result()
        results = client.replication_eligibility_results
        found = await results.get("rg-App", "arm-01")
        assert [error.code for error in found.properties.errors] == ["A2AProcessorArchitectureNotSupported"]
