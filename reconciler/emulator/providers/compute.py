"""Virtual machines and disks: Microsoft.Compute."""

from __future__ import annotations

from reconciler.emulator.failures import not_found
from reconciler.emulator.paging import list_response
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.world import World

MACHINES = "Microsoft.Compute/virtualMachines"
DISKS = "Microsoft.Compute/disks"


def list_machines(world: World, request: Request) -> Response:
    scope = request.path.partition("/providers/")[0]
    return list_response(world, request, MACHINES, scope)


def get_machine(world: World, request: Request) -> Response:
    body = world.store.get(request.path)
    if body is None:
        raise not_found(request.path)
    return Response(200, body)


ROUTES: tuple[Route, ...] = (
    Route("GET", "/subscriptions/{subscription}/providers/Microsoft.Compute/virtualMachines", list_machines),
    Route(
        "GET",
        "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/{vm}",
        get_machine,
    ),
)
