"""Disks and snapshots, asked for without a network, in a subscription with groups in two regions."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from reconciler.emulator import providers
from reconciler.emulator.gateway import Outcome
from reconciler.emulator.router import Response
from reconciler.emulator.world import World

SUBSCRIPTION = "11111111-1111-4111-8111-111111111111"
SCOPE = f"/subscriptions/{SUBSCRIPTION}"
COMPUTE = "providers/Microsoft.Compute"
WEST, NORTH = f"{SCOPE}/resourceGroups/rg-app/{COMPUTE}", f"{SCOPE}/resourceGroups/rg-north/{COMPUTE}"
HOST = "https://localhost:9443"


@dataclass(frozen=True)
class Disks:
    """Names are those of disks and snapshots of rg-app; a path stands for itself."""

    ask: Callable[..., Outcome]
    world: World

    def send(self, method: str, path: str, body: Any = None) -> Response:
        return self.ask(method, path, body).response

    def get(self, path: str) -> dict[str, Any]:
        response = self.send("GET", path)
        assert response.status == 200, response.body
        return response.body if isinstance(response.body, dict) else json.loads(response.body)

    def finish(self, response: Response) -> dict[str, Any]:
        """Waits for the operation that a 202 speaks of, no longer, and answers its status."""
        assert response.status == 202, response.body
        url = response.headers["Azure-AsyncOperation"].removeprefix(HOST)
        guid = url.partition("?")[0].rpartition("/")[2]
        operation = self.world.operations.get(guid)
        assert operation is not None
        assert operation.end is not None
        self.world.advance(max(timedelta(0), operation.end - self.world.clock.now()))
        return self.send("GET", url).body

    def make_disk(self, name: str, size: int = 10, sku: str = "Premium_LRS", **properties: Any) -> str:
        path = f"{WEST}/disks/{name}"
        body = {"location": "westeurope", "sku": {"name": sku}, "properties": {"diskSizeGB": size, **properties}}
        assert self.finish(self.send("PUT", path, body))["status"] == "Succeeded"
        return path

    def take(self, name: str, source: str, *, incremental: bool = True, **properties: Any) -> Response:
        creation = {"createOption": "Copy", "sourceResourceId": source}
        body = {"properties": {"creationData": creation, "incremental": incremental, **properties}}
        return self.send("PUT", f"{WEST}/snapshots/{name}", {"location": "westeurope", **body})

    def taken(self, name: str, source: str, **properties: Any) -> str:
        assert self.finish(self.take(name, source, **properties))["status"] == "Succeeded"
        return f"{WEST}/snapshots/{name}"

    def copy(
        self, name: str, source: str, location: str = "northeurope", group: str = "rg-north", **creation: Any
    ) -> Response:
        properties = {"creationData": {"createOption": "CopyStart", "sourceResourceId": source, **creation}}
        body = {"location": location, "properties": {**properties, "incremental": True}}
        return self.send("PUT", f"{SCOPE}/resourceGroups/{group}/{COMPUTE}/snapshots/{name}", body)

    def copied(self, name: str, source: str, **creation: Any) -> str:
        assert self.finish(self.copy(name, source, **creation))["status"] == "Succeeded"
        return f"{NORTH}/snapshots/{name}"

    def delete(self, path: str) -> dict[str, Any]:
        return self.finish(self.send("DELETE", path))

    def finish_group(self, compute: str) -> None:
        """Deletes the resource group of WEST or NORTH."""
        assert self.send("DELETE", compute.partition("/providers/")[0]).status == 202
        end = self.world.operations.next_end()
        assert end is not None
        self.world.advance(end - self.world.clock.now())

    def settings(self, **values: Any) -> None:
        dict(providers.seeds())["diskSettings"](self.world, values)


@pytest.fixture
def disks(ask: Callable[..., Outcome], world: World) -> Disks:
    seed = dict(providers.seeds())["resourceGroups"]
    seed(world, [{"subscription": "Tests", "name": "rg-north", "location": "northeurope"}])
    world.clock.auto_advance = False  # reading changes nothing
    return Disks(ask, world)


def refusal(response: Response) -> tuple[int, str]:
    return response.status, response.body["error"]["code"]
