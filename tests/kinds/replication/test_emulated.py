"""The topology against a running emulator: made in order, found again under whatever name, never made twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from reconciler.azure.operations import wait
from reconciler.errors import FailedError
from reconciler.kinds.fabric.kind import FabricKind
from reconciler.kinds.replication_policy.kind import ReplicationPolicyKind
from reconciler.model.document import Declared
from reconciler.plan.change import Action, Effect
from tests.kinds.conftest import NOW
from tests.kinds.replication.conftest import CACHE, FAR, NEAR, POLICY, ROUTE, VAULT, carry_out, plan_for

SCOPE = "prod/rg-dr/rsv-dr"
Declare = Callable[..., Declared]


async def no_pause(_seconds: float) -> None:
    """The emulator's clock moves on by itself where somebody waits."""


async def test_everything_a_route_needs_is_made_in_order_and_then_there_is_nothing_to_do(
    emulated: Any, site: dict[str, Any], declared_of: Declare
) -> None:
    declared = declared_of(VAULT, POLICY, ROUTE)
    async with emulated(site, pause=no_pause) as (_, azure):
        plan = await plan_for(azure, declared)
        assert plan.errors == ()
        made = await carry_out(azure, plan)
        after = await plan_for(azure, declared)
    assert sorted(made) == sorted(
        [
            "vault.prod/rg-dr/rsv-dr#create",
            f"replication_policy.{SCOPE}/day#create",
            f"fabric.{SCOPE}/westeurope#create",
            f"fabric.{SCOPE}/northeurope#create",
            f"protection_container.{SCOPE}/westeurope#create",
            f"protection_container.{SCOPE}/northeurope#create",
            f"container_mapping.{SCOPE}/westeurope-to-northeurope-day#create",
            f"container_mapping.{SCOPE}/northeurope-to-westeurope-day#create",
            f"network_mapping.{SCOPE}/westeurope-to-northeurope-rg-app-vnet-weu#create",
            f"network_mapping.{SCOPE}/northeurope-to-westeurope-rg-dr-vnet-neu#create",
        ]
    )
    assert made[0] == "vault.prod/rg-dr/rsv-dr#create"
    assert (after.changes, after.findings) == ((), ())


async def test_what_exists_under_other_names_is_reused(
    emulated: Any, site: dict[str, Any], declared_of: Declare
) -> None:
    site["siteRecovery"] = [
        {
            "vault": "rsv-dr",
            "resourceGroup": "rg-dr",
            "policies": {"DAY": {"retentionHours": 24, "appConsistentHours": 4}},
            "routes": [{"from": "westeurope", "to": "northeurope", "policy": "DAY", "networks": {}}],
        }
    ]
    async with emulated(site, pause=no_pause) as (_, azure):
        made = await carry_out(azure, await plan_for(azure, declared_of(VAULT, POLICY, ROUTE)))
        after = await plan_for(azure, declared_of(VAULT, POLICY, ROUTE))
    assert {step.partition(".")[0] for step in made} == {"network_mapping"}
    assert after.changes == ()


async def test_a_policy_is_changed_in_place(emulated: Any, site: dict[str, Any], declared_of: Declare) -> None:
    async with emulated(site, pause=no_pause) as (_, azure):
        await carry_out(azure, await plan_for(azure, declared_of(VAULT, POLICY, ROUTE)))
        changed = declared_of(VAULT, {**POLICY, "recoveryPointRetention": "15d", "multiVmSync": False}, ROUTE)
        plan = await plan_for(azure, changed)
        assert await carry_out(azure, plan) == [f"replication_policy.{SCOPE}/day#update"]
        after = await plan_for(azure, changed)
    assert [(one.name, one.before, one.after) for one in plan.changes[0].details] == [
        ("recoveryPointRetention", "24h", "15d"),
        ("multiVmSync", "true", "false"),
    ]
    assert after.changes == ()


async def test_agents_are_kept_up_to_date_by_an_account_and_no_longer(
    emulated: Any, site: dict[str, Any], declared_of: Declare
) -> None:
    site["automationAccounts"] = [{"name": "aa-dr", "resourceGroup": "rg-dr"}]
    account = NEAR.partition("/resourceGroups/")[0]
    account += "/resourceGroups/rg-dr/providers/Microsoft.Automation/automationAccounts/aa-dr"
    async with emulated(site, pause=no_pause) as (_, azure):
        with_account = declared_of(VAULT, POLICY, {**ROUTE, "agentUpdateAccount": account})
        await carry_out(azure, await plan_for(azure, with_account))
        assert (await plan_for(azure, with_account)).changes == ()
        plan = await plan_for(azure, declared_of(VAULT, POLICY, ROUTE))
        assert {change.effect for change in plan.changes} == {Effect.WEAKENS}
        made = await carry_out(azure, plan)
        assert (await plan_for(azure, declared_of(VAULT, POLICY, ROUTE))).changes == ()
    assert [step.rpartition("#")[2] for step in made] == ["update", "update"]


async def test_a_network_that_is_mapped_elsewhere_blocks_and_names_the_way_out(
    emulated: Any, site: dict[str, Any], declared_of: Declare
) -> None:
    other = {
        "name": "vnet-other",
        "resourceGroup": "rg-dr",
        "addressPrefixes": ["10.3.0.0/16"],
        "subnets": {"apps": "10.3.0.0/24"},
    }
    site["networks"].append(other)
    async with emulated(site, pause=no_pause) as (_, azure):
        await carry_out(azure, await plan_for(azure, declared_of(VAULT, POLICY, ROUTE)))
        moved = {**ROUTE, "networks": [{"from": NEAR, "to": FAR.replace("vnet-neu", "vnet-other")}]}
        plan = await plan_for(azure, declared_of(VAULT, POLICY, moved))
    blocked = [change for change in plan.changes if change.action is Action.BLOCKED]
    assert [change.address for change in blocked] == [
        f"network_mapping.{SCOPE}/westeurope-to-northeurope-rg-app-vnet-weu"
    ]
    assert "vnet-neu" in blocked[0].why
    assert "az rest --method delete" in blocked[0].manual


async def test_zone_to_zone_takes_one_fabric_and_two_containers(
    emulated: Any, site: dict[str, Any], declared_of: Declare
) -> None:
    route = {**ROUTE, "to": "westeurope", "availability": {"zone": "2"}, "networks": []}
    async with emulated(site, pause=no_pause) as (_, azure):
        made = await carry_out(azure, await plan_for(azure, declared_of(VAULT, POLICY, route)))
        after = await plan_for(azure, declared_of(VAULT, POLICY, route))
    kinds = sorted(step.partition(".")[0] for step in made)
    assert kinds == [
        "container_mapping",
        "container_mapping",
        "fabric",
        "protection_container",
        "protection_container",
        "replication_policy",
        "vault",
    ]
    assert f"container_mapping.{SCOPE}/westeurope-to-westeurope-z2-day#create" in made
    assert after.changes == ()


async def test_routes_in_both_directions_share_what_they_need(
    emulated: Any, site: dict[str, Any], declared_of: Declare
) -> None:
    other = {
        "name": "vnet-other",
        "resourceGroup": "rg-app",
        "addressPrefixes": ["10.3.0.0/16"],
        "subnets": {"apps": "10.3.0.0/24"},
    }
    site["networks"].append(other)
    site["storageAccounts"].append({"name": "cacheneu", "resourceGroup": "rg-dr"})
    way_back = {
        **ROUTE,
        "name": "neu-weu",
        "from": "northeurope",
        "to": "westeurope",
        "targetResourceGroup": "rg-app",
        "cacheStorageAccount": CACHE.replace("rg-app", "rg-dr").replace("cacheweu", "cacheneu"),
        "networks": [{"from": FAR, "to": NEAR.replace("vnet-weu", "vnet-other")}],
    }
    declared = declared_of({**VAULT, "location": "uksouth"}, POLICY, ROUTE, way_back)
    async with emulated(site, pause=no_pause) as (_, azure):
        plan = await plan_for(azure, declared)
        assert plan.errors == ()
        made = await carry_out(azure, plan)
        after = await plan_for(azure, declared)
    assert len(made) == len(set(made)) == 11
    mapped = {
        step.arguments["network"]: step.arguments["to"] for step in plan.steps() if step.kind == "network_mapping"
    }
    other_id = NEAR.replace("vnet-weu", "vnet-other")
    assert mapped == {NEAR: FAR, FAR: other_id, other_id: FAR}
    assert after.changes == ()


async def test_nothing_is_read_without_a_route(emulated: Any, site: dict[str, Any], declared_of: Declare) -> None:
    async with emulated(site, pause=no_pause) as (served, azure):
        await plan_for(azure, declared_of(VAULT, POLICY))
        paths = [request.path.lower() for request in served.emulator.log.recent()]
    assert [path for path in paths if "replication" in path or "microsoft.storage" in path] == []


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"storageAccounts": []}, "ASR-20", "does not exist"),
        ({"storageAccounts": [{"name": "cacheweu", "resourceGroup": "rg-app", "softDelete": True}]}, "ASR-20", "soft"),
        (
            {"storageAccounts": [{"name": "cacheweu", "resourceGroup": "rg-app", "location": "northeurope"}]},
            "ASR-20",
            "is in northeurope, the VMs are in westeurope",
        ),
        (
            {
                "storageAccounts": [
                    {"name": "cacheweu", "resourceGroup": "rg-app", "kind": "BlockBlobStorage", "sku": "Premium_LRS"}
                ]
            },
            "ASR-20",
            "must be a standard StorageV2",
        ),
        ({"networks": []}, "ASR-14", "does not exist"),
    ],
)
async def test_what_azure_would_refuse_later_is_told_now(
    emulated: Any, site: dict[str, Any], declared_of: Declare, change: dict[str, Any], code: str, words: str
) -> None:
    async with emulated({**site, **change}, pause=no_pause) as (_, azure):
        plan = await plan_for(azure, declared_of(VAULT, POLICY, ROUTE))
    found = [finding for finding in plan.errors if finding.code == code]
    assert found
    assert words in found[0].message
    assert found[0].advice
    assert found[0].source


async def test_what_fails_is_told_with_the_causes_of_its_job(
    emulated: Any, site: dict[str, Any], declared_of: Declare
) -> None:
    async with emulated(site, pause=no_pause) as (served, azure):
        await carry_out(azure, await plan_for(azure, declared_of(VAULT, POLICY, ROUTE)))
        plan = await plan_for(azure, declared_of(VAULT, {**POLICY, "recoveryPointRetention": "15d"}, ROUTE))
        (step,) = plan.steps()
        beyond = {**step.arguments["policy"], "retention_minutes": 30 * 24 * 60}
        asked = msgspec.structs.replace(step, arguments={**step.arguments, "policy": beyond})
        operation = await ReplicationPolicyKind().perform(azure, asked)
        with pytest.raises(FailedError) as raised:
            await wait(azure, operation, limit=timedelta(minutes=10))
        served.emulator.world.faults.add({"method": "GET", "path": "*/replicationJobs/*", "status": 404})
        with pytest.raises(FailedError) as without_its_job:
            await wait(azure, operation, limit=timedelta(minutes=10))
    assert raised.value.code == without_its_job.value.code == "150261"
    assert "Replication policy creation failed" in without_its_job.value.why
    assert without_its_job.value.why in raised.value.why
    assert "retention" in raised.value.why
    assert raised.value.advice


async def test_a_fabric_that_is_being_made_is_found_again(
    emulated: Any, site: dict[str, Any], declared_of: Declare
) -> None:
    site["siteRecovery"] = [{"vault": "rsv-dr", "resourceGroup": "rg-dr", "policies": {"day": {}}}]
    async with emulated(site, pause=no_pause) as (_, azure):
        plan = await plan_for(azure, declared_of(VAULT, POLICY, ROUTE))
        step = next(step for step in plan.steps() if step.kind == "fabric")
        kind = FabricKind()
        assert await kind.running(azure, step, NOW - timedelta(minutes=1)) is None
        started = await kind.perform(azure, step)
        found = await kind.running(azure, step, NOW - timedelta(minutes=1))
        assert found is not None
        assert started is not None
        assert (found.job, found.causes) == (started.job, started.causes)
        await wait(azure, found, limit=timedelta(minutes=10))
        await kind.verify(azure, step)
        assert await kind.running(azure, step, NOW - timedelta(minutes=1)) is None


async def test_what_cannot_be_read_is_unknown_and_not_made_again(
    emulated: Any, site: dict[str, Any], declared_of: Declare
) -> None:
    async with emulated(site, pause=no_pause) as (served, azure):
        await carry_out(azure, await plan_for(azure, declared_of(VAULT, POLICY, ROUTE)))
        fault = {"method": "GET", "path": "*/replicationProtectionContainers", "status": 403}
        served.emulator.world.faults.add(fault)
        plan = await plan_for(azure, declared_of(VAULT, POLICY, ROUTE))
    assert not plan.complete
    assert plan.changes == ()
    assert {address.partition(".")[0] for address in plan.unknown} == {
        "fabric",
        "protection_container",
        "container_mapping",
        "network_mapping",
    }
