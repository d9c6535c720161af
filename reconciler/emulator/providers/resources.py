"""Subscriptions, resource groups, resource lists and tags: Microsoft.Resources."""

from __future__ import annotations

from reconciler.emulator.failures import not_found
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.world import World


def get_group(world: World, request: Request) -> Response:
    body = world.store.get(request.path)
    if body is None:
        raise not_found(request.path)
    return Response(200, body)


ROUTES: tuple[Route, ...] = (Route("GET", "/subscriptions/{subscription}/resourceGroups/{group}", get_group),)
