"""A small cloud with vaults, and a caller that speaks ARM to it and follows its operations."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from multidict import CIMultiDict

from reconciler.emulator import estate, providers
from reconciler.emulator.clock import Clock
from reconciler.emulator.gateway import Call, Gateway
from reconciler.emulator.store import Store
from reconciler.emulator.world import Configuration, World
from tests.emulator.backup.restorer import RESTORE_ESTATE, Restorer

SUBSCRIPTION = "11111111-1111-4111-8111-111111111111"
OTHER_SUBSCRIPTION = "22222222-2222-4222-8222-222222222222"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-App"
VAULTS = f"{GROUP}/providers/Microsoft.RecoveryServices/vaults"

BACKUP_ESTATE: dict[str, Any] = {
    "estate": "backup-tests",
    "clock": "2026-03-02T08:00:00Z",
    "subscriptions": [{"id": SUBSCRIPTION, "name": "Tests"}, {"id": OTHER_SUBSCRIPTION, "name": "Others"}],
    "resourceGroups": [
        {"subscription": "Tests", "name": "rg-App", "location": "westeurope"},
        {"subscription": "Others", "name": "rg-other", "location": "westeurope"},
    ],
    "virtualMachines": [
        {"name": "web-01", "resourceGroup": "rg-App", "os": "Linux", "dataDisks": [64, 128]},
        {"name": "WIN-01", "resourceGroup": "rg-App", "os": "Windows", "upperCase": True},
        {"name": "off-01", "resourceGroup": "rg-App", "os": "Windows", "power": "deallocated"},
        {"name": "trusted-01", "resourceGroup": "rg-App", "securityType": "TrustedLaunch"},
        {"name": "secret-01", "resourceGroup": "rg-App", "securityType": "ConfidentialVM"},
        {"name": "ultra-01", "resourceGroup": "rg-App", "dataDisks": [{"sizeGB": 64, "sku": "UltraSSD_LRS", "lun": 0}]},
        {"name": "north-01", "resourceGroup": "rg-App", "location": "northeurope"},
        {"name": "kept-01", "resourceGroup": "rg-App"},
        {"name": "stopped-01", "resourceGroup": "rg-App"},
        {"name": "deleted-01", "resourceGroup": "rg-App"},
        {"name": "failing-01", "resourceGroup": "rg-App"},
        {"name": "other-01", "resourceGroup": "rg-other", "subscription": "Others"},
    ],
    "backup": {
        "policies": {
            "daily-30d": {},
            "daily-9d": {"retention": {"daily": 9}},
            "hourly": {
                "tier": "Enhanced",
                "schedule": {"frequency": "Hourly", "time": "08:00"},
                "instantRestoreDays": 3,
            },
        },
        "vaults": [
            {"name": "rsv-empty", "subscription": "Tests", "resourceGroup": "rg-App", "location": "westeurope"},
            {
                "name": "rsv-app",
                "subscription": "Tests",
                "resourceGroup": "rg-App",
                "location": "westeurope",
                "policies": ["daily-30d", "daily-9d", "hourly"],
                "items": [
                    {"vm": "rg-App/kept-01", "policy": "daily-30d"},
                    {"vm": "rg-App/stopped-01", "policy": "daily-30d", "state": "ProtectionStopped"},
                    {"vm": "rg-App/deleted-01", "policy": "daily-30d", "state": "SoftDeleted"},
                    {"vm": "rg-App/failing-01", "policy": "daily-30d", "failingDays": 3},
                    {"vm": "rg-App/gone-01", "policy": "daily-30d"},
                ],
            },
            {
                "name": "rsv-immutable",
                "subscription": "Tests",
                "resourceGroup": "rg-App",
                "location": "westeurope",
                "immutability": "Unlocked",
                "policies": ["daily-30d", "daily-9d"],
                "items": [],
            },
        ],
    },
}

Build = Callable[[dict[str, Any]], World]


@pytest.fixture
def build() -> Build:
    """``build(estate)``: a world whose clock stands still and jumps to the end of an operation that is polled."""

    def make(document: dict[str, Any]) -> World:
        world = World(
            store=Store(),
            clock=Clock(estate.origin(document), speed=0),
            configuration=Configuration(),
            completions=providers.completions(),
            tickers=providers.tickers(),
        )
        estate.load(world, document)
        return world

    return make


@pytest.fixture
def backup_estate() -> dict[str, Any]:
    return BACKUP_ESTATE


@pytest.fixture
def world(build: Build) -> World:
    return build(BACKUP_ESTATE)


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    headers: dict[str, str]

    @property
    def code(self) -> str:
        return str(self.body["error"]["code"])

    @property
    def rule(self) -> str:
        return self.headers.get("x-emulator-rule", "").partition(" ")[0]


class Caller:
    """Speaks ARM. Paths without a leading slash begin with the name of a vault."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._gateway = Gateway(world, providers.router())

    def send(self, method: str, path: str, body: Any = None, *, version: str = "2026-08-01") -> Answer:
        full = path if path.startswith("/") else f"{VAULTS}/{path}"
        separator = "&" if "?" in full else "?"
        target = f"{full.replace(' ', '%20')}{separator}api-version={version}" if "api-version=" not in full else full
        sent = b"" if body is None else json.dumps(body).encode()
        headers = CIMultiDict({"content-type": "application/json"})
        outcome = self._gateway.answer(Call(method, target, headers, sent, "https://localhost:9443", "tests")).response
        content = outcome.body
        if isinstance(content, bytes):
            content = json.loads(content)
        return Answer(outcome.status, content, dict(outcome.headers))

    def get(self, path: str, filter_: str = "") -> Any:
        answer = self.send("GET", f"{path}?$filter={quote(filter_)}" if filter_ else path)
        assert answer.status == 200, answer
        return answer.body

    def finish(self, answer: Answer) -> Any:
        """Polls until the operation is done; answers the last poll's body."""
        assert answer.status in (200, 201, 202), answer
        url = answer.headers["Azure-AsyncOperation"].removeprefix("https://localhost:9443").partition("&t=")[0]
        for _ in range(5):
            polled = self.send("GET", url)
            if polled.status == 404 or polled.body["status"] != "InProgress":
                return polled.body
        raise AssertionError("the operation does not end")

    def do(self, method: str, path: str, body: Any = None, *, version: str = "2026-08-01") -> Any:
        return self.finish(self.send(method, path, body, version=version))

    def item_path(self, vm: str, vault: str = "rsv-app", group: str = "rg-App") -> str:
        name = f"iaasvmcontainerv2;{group};{vm}"
        container = quote(f"IaasVMContainer;{name}")
        return f"{vault}/backupFabrics/Azure/protectionContainers/{container}/protectedItems/{quote(f'vm;{name}')}"

    def configure(
        self,
        vm: str,
        policy: str | None = "daily-30d",
        vault: str = "rsv-app",
        version: str = "2026-08-01",
        **more: Any,
    ) -> Answer:
        """PUT of an item. ``policy`` None sends none, "" an empty one."""
        properties: dict[str, Any] = {
            "protectedItemType": "Microsoft.Compute/virtualMachines",
            "sourceResourceId": vm_id(vm),
            **more,
        }
        if policy is not None:
            properties["policyId"] = f"{VAULTS}/{vault}/backupPolicies/{policy}" if policy else ""
        return self.send("PUT", self.item_path(vm, vault), {"properties": properties}, version=version)

    def item(self, vm: str, vault: str = "rsv-app") -> dict[str, Any]:
        properties: dict[str, Any] = self.get(self.item_path(vm, vault))["properties"]
        return properties

    def wait(self, **span: float) -> None:
        self.world.advance(timedelta(**span))


def vm_id(name: str) -> str:
    return f"{GROUP}/providers/Microsoft.Compute/virtualMachines/{name}"


@pytest.fixture
def caller(world: World) -> Caller:
    return Caller(world)


@pytest.fixture
def caller_of(build: Build) -> Callable[[dict[str, Any]], Caller]:
    """A caller of a world with another estate."""
    return lambda document: Caller(build(document))


def policy_of(**changes: Any) -> dict[str, Any]:
    """The properties of a valid daily Standard policy, with changes."""
    time = "2026-03-01T22:00:00.000Z"
    return {
        "backupManagementType": "AzureIaasVM",
        "schedulePolicy": {
            "schedulePolicyType": "SimpleSchedulePolicy",
            "scheduleRunFrequency": "Daily",
            "scheduleRunTimes": [time],
        },
        "retentionPolicy": {
            "retentionPolicyType": "LongTermRetentionPolicy",
            "dailySchedule": {
                "retentionTimes": [time],
                "retentionDuration": {"count": 30, "durationType": "Days"},
            },
        },
        "instantRpRetentionRangeInDays": 2,
        "timeZone": "UTC",
        **changes,
    }


@pytest.fixture
def policy() -> Callable[..., dict[str, Any]]:
    return policy_of


@pytest.fixture
def restore_estate() -> dict[str, Any]:
    return RESTORE_ESTATE


@pytest.fixture
def restorer(build: Build) -> Restorer:
    return Restorer(Caller(build(RESTORE_ESTATE)))
