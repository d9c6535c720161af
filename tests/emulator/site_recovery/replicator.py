"""An estate with two regions, and a caller who waits for operations as clients do."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from multidict import CIMultiDict

from reconciler.emulator import estate, providers
from reconciler.emulator.clock import Clock
from reconciler.emulator.gateway import Call, Gateway
from reconciler.emulator.store import Store
from reconciler.emulator.world import Configuration, World

SUBSCRIPTION = "11111111-1111-4111-8111-111111111111"
GROUPS = f"/subscriptions/{SUBSCRIPTION}/resourceGroups"
VAULT = f"{GROUPS}/rg-DR/providers/Microsoft.RecoveryServices/vaults/rsv-dr"
WEST, NORTH = f"{VAULT}/replicationFabrics/weu", f"{VAULT}/replicationFabrics/neu"
SOURCE, TARGET = f"{WEST}/replicationProtectionContainers/c-weu", f"{NORTH}/replicationProtectionContainers/c-neu"
POLICY = f"{VAULT}/replicationPolicies/day"
ITEM, MOVED = f"{SOURCE}/replicationProtectedItems/web-01", f"{TARGET}/replicationProtectedItems/web-01"
ESTATE: dict[str, Any] = {
    "estate": "replication",
    "clock": "2026-03-02T08:00:00Z",
    "subscriptions": [{"id": SUBSCRIPTION, "name": "Tests"}],
    "resourceGroups": [
        {"subscription": "Tests", "name": "rg-App", "location": "westeurope"},
        {"subscription": "Tests", "name": "rg-DR", "location": "northeurope"},
        {"subscription": "Tests", "name": "rg-Zone", "location": "westeurope"},
    ],
    "virtualMachines": [
        {
            "name": "web-01",
            "resourceGroup": "rg-App",
            "upperCase": False,
            "tags": {"env": "test"},
            "osDisk": {"sizeGB": 32},
            "dataDisks": [16, 8],
        },
        {"name": "APP-02", "resourceGroup": "rg-App", "os": "Windows", "osDisk": {"sizeGB": 32}},
        {"name": "off-01", "resourceGroup": "rg-App", "power": "deallocated"},
        {"name": "zone-01", "resourceGroup": "rg-App", "zone": "1"},
        {"name": "arm-01", "resourceGroup": "rg-App", "size": "Standard_D2ps_v5"},
        {"name": "far-01", "resourceGroup": "rg-DR"},
    ],
    "networks": [
        {
            "name": "vnet-weu",
            "resourceGroup": "rg-App",
            "addressPrefixes": ["10.1.0.0/16"],
            "subnets": {"apps": "10.1.0.0/24"},
        },
        {
            "name": "vnet-neu",
            "resourceGroup": "rg-DR",
            "addressPrefixes": ["10.2.0.0/16"],
            "subnets": {"first": "10.2.1.0/24", "apps": "10.2.0.0/24"},
        },
        {
            "name": "vnet-test",
            "resourceGroup": "rg-DR",
            "addressPrefixes": ["10.3.0.0/16"],
            "subnets": {"drill": "10.3.0.0/24"},
            "machines": False,
        },
    ],
    "storageAccounts": [
        {"name": "cacheweu", "resourceGroup": "rg-App"},
        {"name": "cacheneu", "resourceGroup": "rg-DR"},
        {"name": "keepsweu", "resourceGroup": "rg-App", "softDelete": True},
        {"name": "filesweu", "resourceGroup": "rg-App", "kind": "FileStorage"},
        {"name": "fastweu", "resourceGroup": "rg-App", "kind": "BlockBlobStorage", "sku": "Premium_LRS"},
    ],
    "automationAccounts": [
        {"name": "auto", "resourceGroup": "rg-DR", "runbooks": ["update-dns"], "failing": ["broken"]},
    ],
    "siteRecovery": [{"vault": "rsv-dr", "resourceGroup": "rg-DR"}],
}


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    headers: CIMultiDict[str]

    @property
    def code(self) -> str:
        """The code of the detail that names the cause of a refusal."""
        return str(self.body["error"]["details"][0]["code"])

    @property
    def rule(self) -> str:
        return self.headers.get("x-emulator-rule", "").partition(" ")[0]


class Caller:
    """Calls an emulator without a network; ``do`` waits for the end of what it starts."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._gateway = Gateway(world, providers.router())

    def send(self, method: str, path: str, body: Any = None, *, version: str = "2025-08-01") -> Answer:
        target = path if "api-version=" in path else f"{path}{'&' if '?' in path else '?'}api-version={version}"
        content = b"" if body is None else json.dumps(body).encode()
        headers = CIMultiDict({"content-type": "application/json"})
        call = Call(method, target.replace(" ", "%20"), headers, content, "https://localhost:9443", "tests")
        response = self._gateway.answer(call).response
        answered = json.loads(response.body) if isinstance(response.body, bytes) and response.body else response.body
        return Answer(response.status, answered, CIMultiDict(response.headers))

    def get(self, path: str) -> Any:
        answer = self.send("GET", path)
        assert answer.status == 200, answer
        return answer.body

    def finish(self, answer: Answer, polls: int = 40) -> Any:
        """The last answer of the polling URL of a 202."""
        assert answer.status == 202, answer
        url = urlsplit(answer.headers["azure-asyncoperation"])
        status: Any = None
        for _ in range(polls):
            status = self.get(f"{url.path}?{url.query}")
            if status["status"] != "InProgress":
                break
        return status

    def do(self, method: str, path: str, properties: Any = None) -> Any:
        """A write that succeeds."""
        body = None if properties is None else {"properties": properties}
        status = self.finish(self.send(method, path, body))
        assert status["status"] == "Succeeded", (method, path, status, self.job(status["name"])["errors"])
        return status

    def job(self, name: str) -> dict[str, Any]:
        properties: dict[str, Any] = self.get(f"{VAULT}/replicationJobs/{name}")["properties"]
        return properties

    def item(self, path: str = ITEM) -> dict[str, Any]:
        properties: dict[str, Any] = self.get(path)["properties"]
        return properties

    def until(self, state: str, path: str = ITEM) -> dict[str, Any]:
        """Reads an item until it is in a state."""
        for _ in range(12):
            item = self.item(path)
            if item["protectionState"] == state:
                return item
        raise AssertionError(f"{path} is {item['protectionState']}, not {state}")

    def wait(self, **span: float) -> None:
        self.world.advance(timedelta(**span))

    def names(self, group: str) -> list[str]:
        """``type/name`` of the resources of a group, the type without its namespace."""
        listed = self.get(f"{GROUPS}/{group}/resources")["value"]
        return sorted(f"{one['type'].rpartition('/')[2]}/{one['name']}" for one in listed)

    # what most stories begin with

    def build_topology(self) -> None:
        self.do("PUT", POLICY, {"providerSpecificInput": policy()})
        for fabric, location in ((WEST, "westeurope"), (NORTH, "northeurope")):
            self.do("PUT", fabric, {"customDetails": {"instanceType": "Azure", "location": location}})
        for container in (SOURCE, TARGET):
            self.do("PUT", container, {"providerSpecificInput": [{"instanceType": "A2A"}]})
        self.do("PUT", mapping(SOURCE, "there"), pair(TARGET))
        self.do("PUT", mapping(TARGET, "back"), pair(SOURCE))
        self.do("PUT", network_mapping(WEST, "there"), networks("vnet-weu", "rg-App", "vnet-neu", "rg-DR", "neu"))
        self.do("PUT", network_mapping(NORTH, "back"), networks("vnet-neu", "rg-DR", "vnet-weu", "rg-App", "weu"))

    def enabling(self, vm: str = "web-01", *, account: str = "cacheweu", **more: Any) -> dict[str, Any]:
        """The properties of a request that replicates all disks of a machine. ``more`` goes over its details."""
        machine = self.get(machine_id(vm))
        storage = machine["properties"]["storageProfile"]
        entries = [storage["osDisk"], *storage["dataDisks"]]
        details = {
            "instanceType": "A2A",
            "fabricObjectId": machine["id"],
            "recoveryContainerId": TARGET,
            "recoveryResourceGroupId": f"{GROUPS}/rg-DR",
            "vmManagedDisks": [disk(entry["managedDisk"]["id"], account, "rg-DR") for entry in entries],
            **more,
        }
        return {"policyId": POLICY, "providerSpecificDetails": details}

    def protect(self, vm: str = "web-01", **more: Any) -> str:
        """Replicates a machine and waits until it is Protected. Answers the item's id."""
        path = f"{SOURCE}/replicationProtectedItems/{vm}"
        self.do("PUT", path, self.enabling(vm, **more))
        self.until("Protected", path)
        return path

    def fail_over(self, path: str = ITEM, *, shut_down: bool = False) -> None:
        self.do("POST", f"{path}/unplannedFailover", failover(shut_down=shut_down))
        self.do("POST", f"{path}/failoverCommit")

    def switch(self, path: str, back_to: str, account: str, group: str) -> dict[str, Any]:
        """The properties of a reprotection with all disks."""
        disks = self.item(path)["providerSpecificDetails"]["protectedManagedDisks"]
        details = {
            "instanceType": "A2A",
            "policyId": POLICY,
            "recoveryContainerId": back_to,
            "recoveryResourceGroupId": f"{GROUPS}/{group}",
            "vmManagedDisks": [disk(one["recoveryTargetDiskId"], account, group) for one in disks],
        }
        return {"replicationProtectedItemName": path.rpartition("/")[2], "providerSpecificDetails": details}


def policy(**more: Any) -> dict[str, Any]:
    return {"instanceType": "A2A", "recoveryPointHistory": 1440, "multiVmSyncStatus": "Enable", **more}


def machine_id(vm: str, group: str = "rg-App") -> str:
    return f"{GROUPS}/{'rg-DR' if vm == 'far-01' else group}/providers/Microsoft.Compute/virtualMachines/{vm}"


def network_id(name: str, group: str) -> str:
    return f"{GROUPS}/{group}/providers/Microsoft.Network/virtualNetworks/{name}"


def account_id(name: str) -> str:
    group = "rg-DR" if name == "cacheneu" else "rg-App"
    return f"{GROUPS}/{group}/providers/Microsoft.Storage/storageAccounts/{name}"


def disk(disk_id: str, account: str, group: str) -> dict[str, Any]:
    return {
        "diskId": disk_id,
        "primaryStagingAzureStorageAccountId": account_id(account),
        "recoveryResourceGroupId": f"{GROUPS}/{group}",
    }


def mapping(container: str, name: str) -> str:
    return f"{container}/replicationProtectionContainerMappings/{name}"


def pair(target: str, **agent: Any) -> dict[str, Any]:
    given = {"instanceType": "A2A", "agentAutoUpdateStatus": "Disabled", **agent}
    return {"policyId": POLICY, "targetProtectionContainerId": target, "providerSpecificInput": given}


def network_mapping(fabric: str, name: str) -> str:
    return f"{fabric}/replicationNetworks/azureNetwork/replicationNetworkMappings/{name}"


def networks(primary: str, group: str, recovery: str, target_group: str, fabric: str) -> dict[str, Any]:
    return {
        "recoveryFabricName": fabric,
        "recoveryNetworkId": network_id(recovery, target_group),
        "fabricSpecificDetails": {"instanceType": "AzureToAzure", "primaryNetworkId": network_id(primary, group)},
    }


def failover(*, shut_down: bool = False, point: str | None = None) -> dict[str, Any]:
    return {
        "failoverDirection": "PrimaryToRecovery",
        "sourceSiteOperations": "Required" if shut_down else "NotRequired",
        "providerSpecificDetails": {"instanceType": "A2A", "recoveryPointId": point},
    }


def drill(network: str | None = "vnet-test", **more: Any) -> dict[str, Any]:
    return {
        "failoverDirection": "PrimaryToRecovery",
        "networkType": "VmNetworkAsInput" if network else "NoNetworkAttachAsInput",
        **({"networkId": network_id(network, "rg-DR")} if network else {}),
        "providerSpecificDetails": {"instanceType": "A2A", **more},
    }


def make_world(document: dict[str, Any]) -> World:
    world = World(
        store=Store(),
        clock=Clock(estate.origin(document), speed=0),
        configuration=Configuration(),
        completions=providers.completions(),
        tickers=providers.tickers(),
    )
    estate.load(world, document)
    return world
