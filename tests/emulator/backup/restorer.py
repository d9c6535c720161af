"""A vault with recovery points, what there is to restore to, and somebody who restores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from reconciler.emulator.world import World

SUBSCRIPTION = "11111111-1111-4111-8111-111111111111"
OTHER_SUBSCRIPTION = "22222222-2222-4222-8222-222222222222"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-App"
TARGET = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-target"
RESTORE_ESTATE: dict[str, Any] = {
    "estate": "restores",
    "clock": "2026-03-02T08:00:00Z",
    "subscriptions": [{"id": SUBSCRIPTION, "name": "Tests"}, {"id": OTHER_SUBSCRIPTION, "name": "Others"}],
    "resourceGroups": [
        {"subscription": "Tests", "name": "rg-App", "location": "westeurope"},
        {"subscription": "Tests", "name": "rg-target", "location": "westeurope"},
        {"subscription": "Tests", "name": "rg-doomed", "location": "westeurope"},
        {"subscription": "Others", "name": "rg-other", "location": "westeurope"},
    ],
    "virtualMachines": [
        {
            "name": "doomed-01",
            "resourceGroup": "rg-doomed",
            "os": "Windows",
            "size": "Standard_E4s_v5",
            "dataDisks": [32],
        },
        {"name": "web-01", "resourceGroup": "rg-App", "tags": {"env": "prod"}, "dataDisks": [64, 128], "zone": "1"},
        {"name": "off-01", "resourceGroup": "rg-App", "os": "Windows", "power": "deallocated", "dataDisks": [32]},
        {"name": "hour-01", "resourceGroup": "rg-App"},
        {"name": "part-01", "resourceGroup": "rg-App", "os": "Windows", "dataDisks": [32, 32]},
    ],
    "networks": [
        {
            "name": name,
            "resourceGroup": "rg-target",
            "location": location,
            "addressPrefixes": [f"{prefix}.0.0/16"],
            "subnets": {"default": f"{prefix}.0.0/24"},
            "machines": False,
        }
        for name, location, prefix in (("vnet-weu", "westeurope", "10.1"), ("vnet-neu", "northeurope", "10.2"))
    ],
    "storageAccounts": [
        {"name": "ststaging", "resourceGroup": "rg-target", "location": "westeurope"},
        {"name": "stnorth", "resourceGroup": "rg-target", "location": "northeurope"},
        {"name": "stother", "resourceGroup": "rg-other", "location": "westeurope"},
    ],
    "backup": {
        "policies": {
            "daily-30d": {},
            "hourly": {
                "tier": "Enhanced",
                "schedule": {"frequency": "Hourly", "time": "08:00"},
                "instantRestoreDays": 3,
            },
        },
        "vaults": [
            {
                "name": "rsv-app",
                "subscription": "Tests",
                "resourceGroup": "rg-App",
                "location": "westeurope",
                "crossRegionRestore": True,
                "policies": ["daily-30d"],
                "items": [
                    {"vm": "rg-App/web-01", "policy": "daily-30d"},
                    {"vm": "rg-App/off-01", "policy": "daily-30d"},
                    {"vm": "rg-App/part-01", "policy": "daily-30d", "disks": {"include": [1]}},
                    {"vm": "rg-App/gone-01", "policy": "daily-30d"},
                    {"vm": "rg-App/hour-01", "policy": "hourly"},
                    {"vm": "rg-doomed/doomed-01", "policy": "daily-30d"},
                ],
            }
        ],
    },
}


def staging_id(name: str = "ststaging", subscription: str = SUBSCRIPTION, group: str = "rg-target") -> str:
    scope = f"/subscriptions/{subscription}/resourceGroups/{group}"
    return f"{scope}/providers/Microsoft.Storage/storageAccounts/{name}"


def network_id(name: str = "vnet-weu") -> str:
    return f"{TARGET}/providers/Microsoft.Network/virtualNetworks/{name}"


@dataclass(frozen=True)
class Restorer:
    """Restores VMs of the vault rsv-app. What a request leaves out is that of a restore of disks."""

    caller: Any

    @property
    def world(self) -> World:
        return self.caller.world

    def points(self, vm: str, version: str = "2026-08-01") -> list[dict[str, Any]]:
        path = f"{self.caller.item_path(vm)}/recoveryPoints?api-version={version}"
        found: list[dict[str, Any]] = self.caller.send("GET", path).body["value"]
        return found

    def request(self, vm: str, **changes: Any) -> dict[str, Any]:
        """The properties of a request; a change to None leaves a field out."""
        properties = {
            "objectType": "IaasVMRestoreRequest",
            "recoveryType": "RestoreDisks",
            "sourceResourceId": f"{GROUP}/providers/Microsoft.Compute/virtualMachines/{vm}",
            "targetResourceGroupId": TARGET,
            "storageAccountId": staging_id(),
            "region": "westeurope",
            "createNewCloudService": False,
            "originalStorageAccountOption": False,
            **changes,
        }
        return {name: value for name, value in properties.items() if value is not None}

    def new_machine(self, **changes: Any) -> dict[str, Any]:
        """What a restore to a new VM says besides."""
        return {
            "recoveryType": "AlternateLocation",
            "targetVirtualMachineId": f"{TARGET}/providers/Microsoft.Compute/virtualMachines/new-01",
            "virtualNetworkId": network_id(),
            "subnetId": f"{network_id()}/subnets/default",
            **changes,
        }

    def send(self, vm: str, point: int = 0, **changes: Any) -> Any:
        """The answer to a restore of the newest point but ``point``."""
        name = self.points(vm)[point]["name"]
        properties = {"recoveryPointId": name, **self.request(vm, **changes)}
        path = f"{self.caller.item_path(vm)}/recoveryPoints/{name}/restore"
        return self.caller.send("POST", path, {"properties": properties})

    def start(self, vm: str, point: int = 0, **changes: Any) -> str:
        """An accepted restore whose operation has ended; answers its job."""
        return str(self.caller.finish(self.send(vm, point, **changes))["properties"]["jobId"])

    def job(self, name: str) -> dict[str, Any]:
        """The job as it is now, whatever the clock would like to do."""
        self.world.clock.auto_advance = False
        properties: dict[str, Any] = self.caller.get(f"rsv-app/backupJobs/{name}")["properties"]
        self.world.clock.auto_advance = True
        return properties

    def restore(self, vm: str, point: int = 0, **changes: Any) -> dict[str, Any]:
        """A restore until its end; answers its job."""
        job = self.start(vm, point, **changes)
        self.caller.wait(hours=6)
        return self.job(job)

    def disks(self, group: str = TARGET) -> dict[str, dict[str, Any]]:
        return {body["name"]: body for body in self.world.store.list("Microsoft.Compute/disks", group)}
