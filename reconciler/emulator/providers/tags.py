"""Tags on any resource: ``{resource}/providers/Microsoft.Resources/tags/default``."""

from __future__ import annotations

from reconciler.emulator.failures import bad_request, not_found
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.store import Body
from reconciler.emulator.world import World

LARGEST_NUMBER = 50  # tags on one resource


def get_tags(world: World, request: Request) -> Response:
    return Response(200, _render(_resource(world, request)))


def patch_tags(world: World, request: Request) -> Response:
    """``Merge`` adds and overwrites, ``Replace`` sets the whole, ``Delete`` removes what has this name and value."""
    body = _resource(world, request)
    given = request.properties().get("tags") or {}
    held: dict[str, str] = body.get("tags") or {}
    operation = str((request.body or {}).get("operation", "")).lower()
    if operation == "merge":
        body["tags"] = _merge(held, given)
    elif operation == "replace":
        body["tags"] = given
    elif operation == "delete":
        lowered = {name.lower(): value for name, value in given.items()}
        body["tags"] = {name: value for name, value in held.items() if lowered.get(name.lower()) != value}
    else:
        raise bad_request("InvalidTagOperation", "The operation must be one of Merge, Replace and Delete.")
    return _save(world, body)


def put_tags(world: World, request: Request) -> Response:
    body = _resource(world, request)
    body["tags"] = request.properties().get("tags") or {}
    return _save(world, body)


def delete_tags(world: World, request: Request) -> Response:
    body = _resource(world, request)
    body["tags"] = {}
    _save(world, body)
    return Response(200)


def _merge(held: dict[str, str], given: dict[str, str]) -> dict[str, str]:
    """Tag names are equal whatever their case; the spelling that was there first stays."""
    spelling = {name.lower(): name for name in held}
    return {**held, **{spelling.get(name.lower(), name): value for name, value in given.items()}}


def _resource(world: World, request: Request) -> Body:
    body = world.store.get(request.params["scope"])
    if body is None:
        raise not_found(request.params["scope"])
    return body


def _save(world: World, body: Body) -> Response:
    if len(body["tags"]) > LARGEST_NUMBER:
        message = f"The number of tags on a resource cannot be more than {LARGEST_NUMBER}."
        raise bad_request("InvalidTagNameCount", message)
    world.store.replace(body["id"], body)
    return Response(200, _render(body))


def _render(body: Body) -> Body:
    return {
        "id": f"{body['id']}/providers/Microsoft.Resources/tags/default",
        "name": "default",
        "type": "Microsoft.Resources/tags",
        "properties": {"tags": body.get("tags") or {}},
    }


_TAGS = "/{*scope}/providers/Microsoft.Resources/tags/default"
ROUTES: tuple[Route, ...] = (
    Route("GET", _TAGS, get_tags),
    Route("PATCH", _TAGS, patch_tags),
    Route("PUT", _TAGS, put_tags),
    Route("DELETE", _TAGS, delete_tags),
)
