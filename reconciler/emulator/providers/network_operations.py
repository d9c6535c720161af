"""Long-running operations of Microsoft.Network: a status at ``operations``, an end at ``operationResults``."""

from __future__ import annotations

from typing import Any

from reconciler.emulator.failures import ArmError
from reconciler.emulator.operations import Operation
from reconciler.emulator.polling import polling_headers
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.world import World


def accept(world: World, request: Request, operation: Operation, location: str) -> dict[str, str]:
    """The headers of a started operation."""
    base = f"/subscriptions/{request.params['subscription']}/providers/Microsoft.Network/locations/{location}"
    version = f"?api-version={request.api_version}"
    headers = polling_headers(
        world,
        request,
        operation=operation,
        async_url=f"{base}/operations/{operation.guid}{version}",
        location=f"{base}/operationResults/{operation.guid}{version}",
    )
    return {**headers, "Azure-AsyncNotification": "Enabled"}


def poll_status(world: World, request: Request) -> Response:
    operation = _polled(world, request)
    body: dict[str, Any] = {"status": operation.status}
    if operation.error:
        body["error"] = {"details": [], **operation.error}
    headers = {} if operation.done else accept(world, request, operation, request.params["location"])
    headers.pop("Location", None)
    headers.pop("Azure-AsyncOperation", None)
    return Response(200, body, headers)


def poll_result(world: World, request: Request) -> Response:
    """202 until the end; then 200, or 204 for a deletion, or the error."""
    operation = _polled(world, request)
    if not operation.done:
        return Response(202, headers=accept(world, request, operation, request.params["location"]))
    if operation.error:
        raise ArmError(400, operation.error["code"], operation.error["message"], details=[])
    return Response(200 if world.store.has(operation.resource) else 204)


def _polled(world: World, request: Request) -> Operation:
    operation = world.poll(request.params["operation"])
    if operation is None:
        message = f"Operation {request.params['operation']} is not found."
        raise ArmError(404, "OperationNotFound", message, details=[])
    return operation


_BASE = "/subscriptions/{subscription}/providers/Microsoft.Network/locations/{location}"
ROUTES: tuple[Route, ...] = (
    Route("GET", _BASE + "/operations/{operation}", poll_status),
    Route("GET", _BASE + "/operationResults/{operation}", poll_result),
)
