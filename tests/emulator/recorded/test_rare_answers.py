"""Answers that no other test asks for: each is served once here, and so held against its description."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from reconciler.emulator.gateway import Outcome
from reconciler.emulator.world import World
from tests.emulator.conftest import GROUP, SUBSCRIPTION
from tests.emulator.recorded.witness import Witness

SCOPE = f"/subscriptions/{SUBSCRIPTION}"
COMPUTE = "/providers/Microsoft.Compute"
VM, DISK = f"{GROUP}{COMPUTE}/virtualMachines/app-01", f"{GROUP}{COMPUTE}/disks/data-01"
VAULT = f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/rsv-app"
NAME = "iaasvmcontainerv2;rg-app;app-01"
CONTAINER = f"{VAULT}/backupFabrics/Azure/protectionContainers/{quote('IaasVMContainer;' + NAME)}"
ITEM = f"{CONTAINER}/protectedItems/{quote('VM;' + NAME)}"
PROTECT = {
    "properties": {
        "protectedItemType": "Microsoft.Compute/virtualMachines",
        "sourceResourceId": VM,
        "policyId": f"{VAULT}/backupPolicies/DefaultPolicy",
    }
}

Ask = Callable[..., Outcome]


@pytest.fixture
def estate(ask: Ask, world: World) -> World:
    """A VM that a vault protects; operations end when a test says so."""
    ask("PUT", VM, {"location": "westeurope", "properties": {"hardwareProfile": {"vmSize": "Standard_B2s"}}})
    ask(
        "PUT",
        DISK,
        {"location": "westeurope", "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 8}},
    )
    ask("PUT", VAULT, {"location": "westeurope", "sku": {"name": "Standard"}})
    world.clock.auto_advance = True
    poll(ask, ask("PUT", ITEM, PROTECT), "Azure-AsyncOperation")
    world.clock.auto_advance = False
    return world


def poll(ask: Ask, started: Outcome, header: str) -> int:
    url = urlsplit(started.response.headers[header])
    return ask("GET", f"{quote(url.path, safe='/;')}?{url.query}").response.status


STARTED: list[tuple[str, str, Any]] = [
    ("PATCH", VAULT, {"tags": {"a": "b"}}),
    ("POST", f"{VAULT}/backupFabrics/Azure/refreshContainers", None),
    ("PUT", ITEM, PROTECT),
    ("DELETE", ITEM, None),
    ("POST", f"{VM}/start", None),
    ("POST", f"{VM}/restart", None),
    ("PATCH", DISK, {"tags": {"a": "b"}}),
]


@pytest.mark.parametrize(("method", "path", "body"), STARTED)
def test_results_wait_and_end(ask: Ask, estate: World, method: str, path: str, body: Any) -> None:
    started = ask(method, path, body)
    assert poll(ask, started, "Location") == 202
    assert poll(ask, started, "Azure-AsyncOperation") == 200
    estate.clock.auto_advance = True
    assert poll(ask, started, "Location") in (200, 204)
    assert poll(ask, started, "Azure-AsyncOperation") == 200


def test_a_cancellation_waits_and_ends(ask: Ask, estate: World) -> None:
    started = ask("POST", f"{ITEM}/backup", {})
    estate.clock.auto_advance = True
    poll(ask, started, "Azure-AsyncOperation")
    estate.clock.auto_advance = False
    (job,) = [
        job for job in ask("GET", f"{VAULT}/backupJobs").response.body["value"] if "actionsInfo" in job["properties"]
    ]
    cancelled = ask("POST", f"{VAULT}/backupJobs/{job['name']}/cancel")
    assert poll(ask, cancelled, "Location") == 202
    estate.clock.auto_advance = True
    assert poll(ask, cancelled, "Location") == 204


PLAIN: list[tuple[str, str, Any, int]] = [
    ("GET", f"{SCOPE}{COMPUTE}/locations/westeurope/virtualMachines", None, 200),
    ("GET", f"{GROUP}{COMPUTE}/disks", None, 200),
    ("PUT", VM, {"location": "westeurope", "tags": {"a": "b"}}, 200),
    ("DELETE", f"{GROUP}{COMPUTE}/disks/nothing", None, 204),
    ("DELETE", f"{VAULT}/backupResourceGuardProxies/VaultProxy", None, 204),
    ("GET", "/subscriptions/99999999-9999-4999-8999-999999999999", None, 404),
    ("GET", "/tenants", None, 200),
    ("GET", f"{SCOPE}/locations", None, 200),
    ("GET", f"{SCOPE}/providers/Microsoft.Compute", None, 200),
    ("PUT", f"{VM}/providers/Microsoft.Resources/tags/default", {"properties": {"tags": {"a": "b"}}}, 200),
    ("GET", f"{VAULT}/providers/Microsoft.Authorization/permissions", None, 200),
]


@pytest.mark.parametrize(("method", "path", "body", "status"), PLAIN)
def test_plain_answers(
    ask: Ask, estate: World, witness: Witness, method: str, path: str, body: Any, status: int
) -> None:
    witness.seen.clear()
    assert ask(method, path, body).response.status == status
    assert [seen for _, seen in witness.seen] == [status]
