"""Long-running operations of Microsoft.Compute: one status body, and a monitor URL that ends in the resource."""

from __future__ import annotations

from typing import Any

from reconciler.emulator.failures import ArmError
from reconciler.emulator.operations import Operation
from reconciler.emulator.polling import polling_headers
from reconciler.emulator.providers.compute_bodies import offset_stamp
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.world import World


def accept(
    world: World, request: Request, operation: Operation, location: str, *, collection: str = "operations"
) -> dict[str, str]:
    """The headers of a started operation: status URL, and the same with ``monitor=true``."""
    subscription = request.params["subscription"]
    path = f"/subscriptions/{subscription}/providers/Microsoft.Compute/locations/{location}/{collection}"
    base = f"{path}/{operation.guid}?p={world.configuration.tenant}"
    version = f"&api-version={request.api_version}"
    return polling_headers(
        world, request, operation=operation, async_url=base + version, location=f"{base}&monitor=true{version}"
    )


def poll(world: World, request: Request) -> Response:
    operation = world.poll(request.params["operation"])
    if operation is None:
        raise ArmError(404, "NotFound", f"Operation {request.params['operation']} is not found.")
    collection = request.path.split("/")[-2]
    headers: dict[str, str] = {}
    if not operation.done:
        headers = accept(world, request, operation, request.params["location"], collection=collection)
    if request.query.get("monitor", "").lower() == "true":
        return _monitor(world, operation, headers)
    headers.pop("Location", None)
    headers.pop("Azure-AsyncOperation", None)
    return Response(200, _status(world, operation), headers)


def _monitor(world: World, operation: Operation, headers: dict[str, str]) -> Response:
    if not operation.done:
        headers.pop("Azure-AsyncOperation", None)
        return Response(202, headers=headers)
    if operation.error:
        raise ArmError(409, operation.error["code"], operation.error["message"])
    return Response(200, _output(world, operation))


def _status(world: World, operation: Operation) -> dict[str, Any]:
    body: dict[str, Any] = {"startTime": offset_stamp(operation.start)}
    if operation.done and operation.end:
        body["endTime"] = offset_stamp(operation.end)
    body["status"] = operation.status
    if operation.error:
        body["error"] = operation.error
    elif operation.done and (output := _output(world, operation)) is not None:
        body["properties"] = {"output": output}
    return {**body, "name": operation.guid}


def _output(world: World, operation: Operation) -> Any:
    """What a finished operation hands out: the ``answer`` that was noted of it, else the resource as it is now."""
    if "answer" in operation.extra:
        return operation.extra["answer"]
    return world.store.get(operation.resource) if operation.extra.get("output") else None


_BASE = "/subscriptions/{subscription}/providers/Microsoft.Compute/locations/{location}"
ROUTES: tuple[Route, ...] = (
    Route("GET", _BASE + "/operations/{operation}", poll),
    Route("GET", _BASE + "/DiskOperations/{operation}", poll),
)
