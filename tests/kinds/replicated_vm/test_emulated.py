"""Against a running emulator, with the real SDK: through failures, a failover, the way back, and writes cut off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.apply.lock import Holder
from reconciler.apply.result import Result
from reconciler.apply.run import Stop
from reconciler.azure.clients import Azure
from reconciler.azure.clouds import emulator_cloud
from reconciler.azure.operations import operation_from, wait
from reconciler.desired.validate import validate
from reconciler.emulator.emulator import Pace
from reconciler.emulator.serving import Served, running_server
from reconciler.errors import FailedError
from reconciler.kinds.registry import by_name, kinds
from reconciler.kinds.replication.jobs import JobBody
from reconciler.kinds.replication.listing import API_VERSION
from reconciler.plan.change import Step
from reconciler.plan.graph import waves
from reconciler.plan.plan import Plan
from reconciler.workflow import Machinery, Wishes, apply, look, plan_of
from tests.kinds.conftest import NOW, PROD
from tests.kinds.replicated_vm.conftest import KIND, NEU, SUBSCRIPTION, WEU

VAULT = f"{SUBSCRIPTION}/resourceGroups/rg-dr/providers/Microsoft.RecoveryServices/vaults/rsv-dr"
PORTAL = "{0}/replicationFabrics/asr-a2a-default-{1}/replicationProtectionContainers/asr-a2a-default-{1}-container"
SOURCE, TARGET = PORTAL.format(VAULT, "westeurope"), PORTAL.format(VAULT, "northeurope")
ROUTE = {
    "kind": "ReplicationRoute",
    "name": "weu-neu",
    "from": "westeurope",
    "to": "northeurope",
    "vault": "rsv-dr",
    "policy": "day",
    "targetResourceGroup": "rg-dr",
    "cacheStorageAccount": f"{SUBSCRIPTION}/resourceGroups/rg-app/providers/Microsoft.Storage/storageAccounts/cacheweu",
    "networks": [{"from": WEU, "to": NEU}],
}
DOCUMENTS = [
    {"kind": "Scope", "name": "emulated", "subscriptions": {"prod": PROD}},
    {"kind": "Vault", "name": "rsv-dr", "subscription": "prod", "resourceGroup": "rg-dr", "location": "northeurope"},
    {"kind": "ReplicationPolicy", "name": "day"},
    ROUTE,
]
WEB = {"name": "web-01", "resourceGroup": "rg-app", "tags": {"env": "prod"}, "dataDisks": [16]}


def protection(**aspect: Any) -> dict[str, Any]:
    given = {"targetRegion": "northeurope", **aspect}
    return {"kind": "Protection", "name": "web", "select": {"tags": {"env": "prod"}}, "replication": given}


def estate(*machines: dict[str, Any], **sections: Any) -> dict[str, Any]:
    groups = {"rg-app": "westeurope", "rg-dr": "northeurope"}
    return {
        "estate": "replication",
        "clock": NOW.isoformat(),
        "subscriptions": [{"id": PROD, "name": "Prod"}],
        "resourceGroups": [{"subscription": "Prod", "name": name, "location": place} for name, place in groups.items()],
        "virtualMachines": [*machines],
        "networks": [
            {
                "name": name,
                "resourceGroup": group,
                "addressPrefixes": [f"10.{number}.0.0/16"],
                "subnets": {"default": f"10.{number}.0.0/24"},
            }
            for number, (name, group) in enumerate((("vnet-weu", "rg-app"), ("vnet-neu", "rg-dr")), 1)
        ],
        "storageAccounts": [
            {"name": "cacheweu", "resourceGroup": "rg-app"},
            {"name": "cacheneu", "resourceGroup": "rg-dr"},
        ],
        **sections,
    }


def replicated(**machine: Any) -> dict[str, Any]:
    """One VM, replicated along the route."""
    line = {"vm": "rg-app/web-01", "to": "northeurope", "resourceGroup": "rg-dr", "cache": "cacheweu", **machine}
    route = {"from": "westeurope", "to": "northeurope", "policy": "day", "networks": {"vnet-weu": "vnet-neu"}}
    vault = {"vault": "rsv-dr", "resourceGroup": "rg-dr", "policies": {"day": {}}, "routes": [route]}
    return estate(WEB, siteRecovery=[{**vault, "machines": [line]}])


@dataclass
class Run:
    """Plans and applies, as often as a test wants, on one emulator."""

    served: Served
    azure: Azure
    folder: Path

    async def plan(self, *documents: dict[str, Any]) -> Plan:
        whole = [{"apiVersion": "reconciler/v1", **one} for one in (*DOCUMENTS, *(documents or (protection(),)))]
        path = self.folder / "policies.yaml"
        path.write_text(yaml.safe_dump_all(whole, sort_keys=False), encoding="utf-8")
        checked = validate([path], NOW.date(), kinds())
        assert checked.declared, checked.findings
        return plan_of(await look(self.azure, checked.declared), checked, Wishes())

    async def apply(self, plan: Plan) -> Result:
        async def planning() -> Plan:
            return plan

        holder = Holder(pid=1, host="here", since=NOW, run="test")
        machinery = Machinery(lambda event: None, Stop(), self.folder / "journals", holder, "test", "0")
        result = (await apply(self.azure, machinery, planning, lambda review: True)).result
        assert result is not None
        return result

    async def jobs(self, scenario: str) -> int:
        """How many there were."""
        listed = self.azure.list(f"{VAULT}/replicationJobs", API_VERSION, JobBody)
        return len([one async for one in listed if one.properties.scenario_name == scenario])

    async def post(self, path: str, body: dict[str, Any] | None = None) -> None:
        """What a person does in the portal, waited for."""
        answer = await self.azure.send("POST", path, API_VERSION, body)
        operation = operation_from(answer.status, answer.headers, path)
        if operation is not None:
            await wait(self.azure, operation, limit=timedelta(hours=3))


Running = Callable[..., Any]


@pytest.fixture
def running(tmp_path: Path) -> Running:
    """`async with running(estate) as run`; time passes where somebody waits, and jumps to the end of what is polled."""

    @asynccontextmanager
    async def make(document: dict[str, Any], *, jumps: bool = True) -> AsyncIterator[Run]:
        async with running_server(tmp_path, estate=document, pace=Pace(speed=0, auto_advance=jumps)) as served:
            world = served.emulator.world

            async def pause(seconds: float) -> None:
                world.advance(timedelta(seconds=seconds))

            cloud = emulator_cloud(served.running.endpoint, Path(served.running.ca), "header.e30.signature")
            async with Azure(cloud, clock=world.clock.now, pause=pause) as azure:
                yield Run(served, azure, tmp_path)

    return make


def verbs(plan: Plan) -> list[str]:
    return [step.verb for step in plan.steps() if step.kind == "replicated_vm"]


def codes(plan: Plan) -> set[str]:
    return {one.code for one in plan.findings}


def test_over_and_back_home_no_plan_ever_has_a_step(running: Running) -> None:
    """Failed over, committed, reprotected, failed back, reprotected again: people do that, and we keep out of it."""

    async def story() -> None:
        async with running(replicated()) as run:
            assert (await run.plan()).empty
            item = f"{SOURCE}/replicationProtectedItems/web-01"
            over = {"properties": {"failoverDirection": "PrimaryToRecovery", "sourceSiteOperations": "NotRequired"}}
            over["properties"]["providerSpecificDetails"] = {"instanceType": "A2A"}  # type: ignore[assignment]
            seen = []
            await run.post(f"{item}/unplannedFailover", over)
            seen.append(await run.plan(protection(targetSize="Standard_D64s_v5")))
            await run.post(f"{item}/failoverCommit")
            seen.append(await run.plan(protection(targetSize="Standard_D64s_v5")))
            await run.post(f"{SOURCE}/switchprotection", await switch(run, SOURCE, TARGET, "rg-dr", "cacheneu"))
            seen.append(await run.plan(protection(targetSize="Standard_D64s_v5")))
            assert [(verbs(plan), plan.empty) for plan in seen] == [([], True)] * 3
            assert [codes(plan) & {"failed-over", "reversed", "ASR-71"} for plan in seen] == [
                {"failed-over", "ASR-71"},
                {"failed-over", "ASR-71"},
                {"reversed", "ASR-71"},
            ]
            addresses = {
                one.address for plan in seen for one in plan.findings if one.code in ("failed-over", "reversed")
            }
            assert addresses == {"replicated_vm.prod/rg-app/web-01"}

    asyncio.run(story())


async def switch(run: Run, source: str, target: str, group: str, account: str) -> dict[str, Any]:
    """The body of a reprotection of web-01: the disks that the failover made, and an account where they are."""
    place = f"{SUBSCRIPTION}/resourceGroups/{group}"
    path = f"{place}/providers/Microsoft.Compute/virtualMachines/web-01"
    machine = await run.azure.get(path, "2025-04-01", dict)
    profile = machine["properties"]["storageProfile"]
    disks = [profile["osDisk"], *profile["dataDisks"]]
    home = f"{SUBSCRIPTION}/resourceGroups/rg-app"
    details = {
        "instanceType": "A2A",
        "recoveryContainerId": source,
        "recoveryResourceGroupId": home,
        "vmManagedDisks": [
            {
                "diskId": one["managedDisk"]["id"],
                "primaryStagingAzureStorageAccountId": f"{place}/providers/Microsoft.Storage/storageAccounts/{account}",
                "recoveryResourceGroupId": home,
            }
            for one in disks
        ],
    }
    return {"properties": {"replicationProtectedItemName": "web-01", "providerSpecificDetails": details}}


def test_enabling_that_failed_is_tried_again_and_what_depends_on_it_waits(running: Running) -> None:
    async def story() -> None:
        async with running(estate({**WEB, "power": "deallocated"})) as run:
            first = await run.plan()
            result = await run.apply(first)
            endings = {one.step.verb: one for one in result.endings if one.step.kind == "replicated_vm"}
            assert [endings[verb].status.value for verb in ("enable", "initial-replication", "networks")] == [
                "failed",
                "skipped",
                "skipped",
            ]
            second = await run.plan()
            assert verbs(second) == ["enable", "initial-replication", "networks"]
            assert [change.reason.value for change in second.changes] == ["protection_stopped"]
            await run.post(
                f"{SUBSCRIPTION}/resourceGroups/rg-app/providers/Microsoft.Compute/virtualMachines/web-01/start"
            )
            result = await run.apply(second)
            assert [one.message for one in result.endings if one not in result.done] == []
            assert (await run.plan()).empty

    asyncio.run(story())


def test_what_azure_says_against_a_vm_is_told_before_anything_is_sent(running: Running) -> None:
    async def story() -> None:
        async with running(estate(WEB)) as run:
            plan = await run.plan()
            enable = next(step for step in plan.steps() if step.verb == "enable")
            machine = enable.arguments["machine"]
            world = run.served.emulator.world
            body = world.store.get(machine)
            assert body is not None
            body["properties"]["storageProfile"]["diskControllerType"] = "NVMe"
            body["properties"]["hardwareProfile"]["vmSize"] = "Standard_D2ps_v5"
            world.store.replace(body["id"], body)
            run.served.emulator.log.clear()
            with pytest.raises(FailedError) as refused:
                await KIND.perform(run.azure, enable)
            assert "A2ANvmeDiskControllerNotSupported" in refused.value.why
            assert "A2AProcessorArchitectureNotSupported" in refused.value.why
            assert {request.method for request in run.served.emulator.log.recent()} == {"GET"}

    asyncio.run(story())


@pytest.mark.parametrize("verb", ["enable", "networks"])
def test_a_write_whose_answer_was_lost_is_found_again(verb: str, running: Running) -> None:
    async def story() -> None:
        async with running(estate(WEB)) as run:
            plan = await run.plan(protection(targetSize="Standard_D8s_v5"))
            method, scenario = {"enable": ("PUT", "EnableDr"), "networks": ("PATCH", "UpdateVmProperties")}[verb]
            faults = run.served.emulator.world.faults
            faults.add({"method": method, "path": "*/replicationProtectedItems/*", "reset": "after", "count": 1})
            result = await run.apply(plan)
            assert [rule["count"] for rule in faults.rules()] == [0]
            assert [one.message for one in result.endings if one not in result.done] == []
            assert await run.jobs(scenario) == 1
            assert (await run.plan(protection(targetSize="Standard_D8s_v5"))).empty

    asyncio.run(story())


def test_each_write_is_safe_to_repeat(running: Running) -> None:
    async def story() -> None:
        async with running(estate(WEB)) as run:
            wanted = protection(targetSize="Standard_D8s_v5")
            plan = await run.plan(wanted)
            await run.apply(plan)
            run.served.emulator.log.clear()
            for step in (step for step in plan.steps() if step.kind == "replicated_vm"):
                operation = await KIND.perform(run.azure, step)
                assert (operation is None) == (step.verb != "initial-replication")
                await KIND.verify(run.azure, step)
            assert {request.method for request in run.served.emulator.log.recent()} == {"GET"}

    asyncio.run(story())


def test_what_people_set_by_hand_survives_our_patch(running: Running) -> None:
    """Every interface is sent again, with its static address, its security group and its name."""

    async def story() -> None:
        async with running(replicated()) as run:
            item = f"{SOURCE}/replicationProtectedItems/web-01"
            shown = (await run.azure.get(item, API_VERSION, dict))["properties"]["providerSpecificDetails"]["vmNics"][0]
            guard = f"{SUBSCRIPTION}/resourceGroups/rg-dr/providers/Microsoft.Network/networkSecurityGroups/nsg"
            nic = {
                "nicId": shown["nicId"],
                "recoveryNetworkSecurityGroupId": guard,
                "recoveryNicName": "web-nic-dr",
                "ipConfigs": [
                    {
                        "ipConfigName": shown["ipConfigs"][0]["name"],
                        "isPrimary": True,
                        "recoverySubnetName": "default",
                        "recoveryStaticIPAddress": "10.2.0.9",
                    }
                ],
            }
            sent = {
                "selectedRecoveryAzureNetworkId": NEU,
                "vmNics": [nic],
                "providerSpecificDetails": {"instanceType": "A2A"},
            }
            await run.azure.send("PATCH", item, API_VERSION, {"properties": sent})
            run.served.emulator.world.advance(timedelta(minutes=5))
            assert (await run.plan()).empty
            wanted = protection(targetSize="Standard_D8s_v5")
            plan = await run.plan(wanted)
            assert verbs(plan) == ["update"]
            await run.apply(plan)
            assert (await run.plan(wanted)).empty
            after = (await run.azure.get(item, API_VERSION, dict))["properties"]["providerSpecificDetails"]
            assert after["recoveryAzureVMSize"] == "Standard_D8s_v5"
            assert after["vmNics"][0]["recoveryNetworkSecurityGroupId"] == guard
            assert after["vmNics"][0]["recoveryNicName"] == "web-nic-dr"
            assert after["vmNics"][0]["ipConfigs"][0]["recoveryStaticIPAddress"] == "10.2.0.9"

    asyncio.run(story())


def test_a_copy_that_goes_on_is_told_and_waited_for(running: Running) -> None:
    async def story() -> None:
        async with running(replicated(state="InitialReplication"), jumps=False) as run:
            plan = await run.plan(protection(targetSize="Standard_D8s_v5"))
            assert verbs(plan) == []
            assert "initial_replication" in codes(plan)
            item = f"{SOURCE}/replicationProtectedItems/web-01"
            step = Step(
                id="x#initial-replication",
                kind="replicated_vm",
                address="replicated_vm.prod/rg-app/web-01",
                verb="initial-replication",
                title="wait",
                arguments={"id": item},
            )
            told: list[str] = []
            operation = await KIND.perform(run.azure, step)
            assert operation is not None
            await wait(run.azure, operation, limit=timedelta(hours=2), on_poll=told.append)
            await KIND.verify(run.azure, step)
            assert told[0].startswith("Initial replication is in progress")
            assert told[-1] == "Waiting for first recovery point"
            assert verbs(await run.plan(protection(targetSize="Standard_D8s_v5"))) == ["update"]

    asyncio.run(story())


@pytest.mark.parametrize("waited", [True, False])
@pytest.mark.parametrize("cut", range(3))
def test_cut_off_anywhere_without_a_journal_it_still_gets_there(cut: int, waited: bool, running: Running) -> None:
    """The run dies after one of the VM's steps, or while Azure carries it out; later ones look at what is there."""

    async def story() -> None:
        async with running(estate(WEB)) as run:
            wanted = protection(targetSize="Standard_D8s_v5")
            plan = await run.plan(wanted)
            order = [step for wave in waves(plan.steps()) for step in wave]
            ours = [step for step in order if step.kind == "replicated_vm"]
            for step in order[: order.index(ours[cut]) + 1]:
                operation = await by_name()[step.kind].perform(run.azure, step)
                if operation is not None and (waited or step is not ours[cut]):
                    await wait(run.azure, operation, limit=timedelta(hours=3))
            for _ in range(3):
                plan = await run.plan(wanted)
                if plan.actionable:
                    result = await run.apply(plan)
                    assert [one.message for one in result.endings if one not in result.done] == []
                run.served.emulator.world.advance(timedelta(hours=2))
            assert plan.empty
            assert codes(plan) & {"initial_replication"} == set()
            assert await run.jobs("EnableDr") == 1

    asyncio.run(story())


def test_settings_for_an_interface_that_the_vm_does_not_have_are_no_success(running: Running) -> None:
    """Before it is protected nobody can tell; Azure would take no notice."""

    async def story() -> None:
        async with running(estate(WEB)) as run:
            wanted = protection(overrides=[{"vm": "web-01", "nics": [{"name": "eth0", "address": "10.2.0.9"}]}])
            result = await run.apply(await run.plan(wanted))
            (failed,) = [one for one in result.endings if one not in result.done]
            assert (failed.step.verb, "did not keep it as sent" in failed.message) == ("networks", True)
            plan = await run.plan(wanted)
            assert [finding.code for finding in plan.errors] == ["ASR-14"]

    asyncio.run(story())
