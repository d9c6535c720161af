"""What virtual networks, interfaces, public addresses and security groups have in common: Microsoft.Network."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from reconciler.emulator.failures import ArmError, bad_request, not_found
from reconciler.emulator.operations import Operation
from reconciler.emulator.paging import list_response
from reconciler.emulator.providers.network_operations import accept
from reconciler.emulator.providers.resources import group_id
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.store import Body
from reconciler.emulator.world import World

WRITE, DELETION = timedelta(seconds=3), timedelta(seconds=4)
_KEPT = ("sku", "zones", "extendedLocation", "kind")


@dataclass(frozen=True, slots=True)
class NetworkCollection:
    """One tracked type of resource and its requests.

    ``told`` are properties that only the service sets: clients that read, change and write send them back.
    ``save`` stores a body whose ``properties`` are still those that were sent, filled as the service fills them (the
    second body is the one that is there already); ``view`` is how it is served; ``refuse`` raises for one that cannot
    be deleted, ``remove`` deletes it with all that belongs to it.
    """

    name: str
    told: tuple[str, ...]
    save: Callable[[World, Body, Body | None], None]
    view: Callable[[World, Body], Body]
    refuse: Callable[[World, Body], None]
    remove: Callable[[World, str], None]

    @property
    def type(self) -> str:
        return f"Microsoft.Network/{self.name}"

    @property
    def routes(self) -> tuple[Route, ...]:
        subscription, path = "/subscriptions/{subscription}", f"/providers/{self.type}"
        group = subscription + "/resourceGroups/{group}"
        one = f"{group}{path}/{{resource}}"
        return (
            Route("GET", subscription + path, self.list),
            Route("GET", group + path, self.list),
            Route("GET", one, self.get),
            Route("PUT", one, self.put),
            Route("PATCH", one, self.patch),
            Route("DELETE", one, self.delete),
        )

    @property
    def completions(self) -> Mapping[str, Callable[[World, Operation], None]]:
        return {
            f"{self.name}.ready": complete_write,
            f"{self.name}.ready.failed": fail_write,
            f"{self.name}.deleted": lambda world, operation: self.remove(world, operation.resource),
        }

    def list(self, world: World, request: Request) -> Response:
        scope = request.path.partition("/providers/")[0]
        return list_response(world, request, self.type, scope, view=lambda body: self.view(world, body))

    def get(self, world: World, request: Request) -> Response:
        return Response(200, self.view(world, resource_at(world, request)))

    def put(self, world: World, request: Request) -> Response:
        """201 for a new one, 200 for a change; both end with an operation. A PUT replaces what is there."""
        given = request.body or {}
        existing = world.store.get(request.path)
        body = self._body(world, request, given, existing)
        self.save(world, body, existing)
        operation = world.operations.start(
            f"{self.name}.write", duration=WRITE, on_done=(f"{self.name}.ready", {}), resource=body["id"]
        )
        headers = accept(world, request, operation, body["location"])
        headers.pop("Location")  # a PUT ends at the resource itself
        stored = world.store.get(body["id"]) or body
        return Response(200 if existing else 201, self.view(world, stored), headers)

    def patch(self, world: World, request: Request) -> Response:
        """Tags, and nothing else, at once."""
        body = resource_at(world, request)
        body["tags"] = (request.body or {}).get("tags") or {}
        body["etag"] = etag(body)
        world.store.replace(body["id"], body)
        return Response(200, self.view(world, body))

    def delete(self, world: World, request: Request) -> Response:
        body = world.store.get(request.path)
        if body is None:
            return Response(204)
        self.refuse(world, body)
        body["properties"]["provisioningState"] = "Deleting"
        world.store.replace(body["id"], body)
        operation = world.operations.start(
            f"{self.name}.delete", duration=DELETION, on_done=(f"{self.name}.deleted", {}), resource=body["id"]
        )
        return Response(202, headers=accept(world, request, operation, body["location"]))

    def _body(self, world: World, request: Request, given: Body, existing: Body | None) -> Body:
        location = str(given.get("location") or "").replace(" ", "").lower()
        if not location:
            raise bad_request("LocationRequired", "The location property is required for this definition.")
        name = request.params["resource"]
        if existing is not None and existing["location"] != location:
            message = (
                f"The resource '{name}' already exists in location '{existing['location']}' in resource group "
                f"'{request.params['group']}'. A resource with the same name cannot be created in location "
                f"'{location}'. Please select a new resource name."
            )
            raise ArmError(409, "InvalidResourceLocation", message)
        identity = existing["id"] if existing else f"{group_id(world, request)}/providers/{self.type}/{name}"
        held = (existing or {"properties": {}})["properties"].get("resourceGuid")
        made = derived_guid(f"{identity}/{world.clock.now()}".encode())
        body: Body = {
            "name": existing["name"] if existing else name,
            "id": identity,
            "etag": etag({**given, "before": existing}),
            "type": self.type,
            "location": location,
            **({"tags": given["tags"]} if given.get("tags") is not None else {}),
            **{key: given[key] for key in _KEPT if given.get(key)},
        }
        fixed = {"provisioningState": "Updating", "resourceGuid": held or made}
        sent = {name: value for name, value in request.properties().items() if name not in self.told}
        return {**body, "properties": {**sent, **fixed}}


def resource_at(world: World, request: Request) -> Body:
    """The resource that the path names; raises ArmError 404."""
    body = world.store.get(request.path)
    if body is None:
        raise not_found(request.path)
    return body


def refused(code: str, message: str) -> ArmError:
    """400 as Microsoft.Network refuses, with an empty list of details."""
    return ArmError(400, code, message, details=[])


def missing_reference(wanted: str, referrer: str) -> ArmError:
    """400 for a resource that is absent, or in another region."""
    message = (
        f"Resource {wanted} referenced by resource {referrer} was not found. Please make sure that the referenced "
        "resource exists, and that both resources are in the same region."
    )
    return refused("InvalidResourceReference", message)


def etag(content: Body) -> str:
    """Another one for whatever differs. Nothing here is drawn by chance: an estate goes on alike with networks."""
    return f'W/"{derived_guid(msgspec.json.encode(content))}"'


def derived_guid(seed: bytes) -> str:
    return str(uuid.UUID(bytes=hashlib.md5(seed, usedforsecurity=False).digest(), version=4))


def complete_write(world: World, operation: Operation) -> None:
    _set_state(world, operation.resource, "Succeeded")


def fail_write(world: World, operation: Operation) -> None:
    _set_state(world, operation.resource, "Failed")


def _set_state(world: World, identity: str, state: str) -> None:
    body = world.store.get(identity)
    if body is not None:
        body["properties"]["provisioningState"] = state
        world.store.replace(identity, body)
