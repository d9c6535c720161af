"""Lists of resources of every type, as ARM itself keeps them: Microsoft.Resources/resources."""

from __future__ import annotations

import re
from typing import Any

from reconciler.emulator.paging import next_link
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.store import Body, Where
from reconciler.emulator.world import World

_CLAUSE = re.compile(r"(\w+)\s+eq\s+'([^']*)'", re.IGNORECASE)


def list_resources(world: World, request: Request) -> Response:
    """Tracked resources as ARM itself knows them: no ``properties``. Filters: resourceType, resourceGroup, tags."""
    clauses = {name.lower(): value for name, value in _CLAUSE.findall(request.query.get("$filter", ""))}
    scope = request.path.rpartition("/")[0]
    wanted = clauses.get("resourcetype", "").lower()
    types = [t for t in world.store.types() if t.count("/") == 1 and not t.startswith("microsoft.resources/")]
    ids = sorted((i for t in types if wanted in ("", t) for i in world.store.ids(t, scope)), key=str.lower)
    group = clauses.get("resourcegroup", "").lower()
    if group:
        ids = [i for i in ids if f"/resourcegroups/{group}/" in i.lower()]
    where = tag_filter(request)
    start = request.query.get("$skiptoken", "").lower()
    remaining = [i for i in ids if i.lower() > start] if start else ids
    top = request.query.get("$top", "")
    size = int(top) if top.isdecimal() and int(top) else world.configuration.page_size
    bodies = (world.store.get(i) or {} for i in remaining)
    value: list[Body] = []
    for body in bodies:
        if where is None or where(body):
            value.append(_brief(body))
        if len(value) == size:
            break
    answer: dict[str, Any] = {"value": value}
    if len(value) == size and not top and value[-1]["id"] != remaining[-1]:
        answer["nextLink"] = next_link(request, value[-1]["id"])
    return Response(200, answer)


def _brief(body: Body) -> Body:
    kept = ("id", "name", "type", "location", "tags", "sku", "kind", "managedBy", "identity", "zones", "plan")
    return {name: body[name] for name in kept if name in body}


def tag_filter(request: Request) -> Where | None:
    """What ``$filter=tagName eq 'x' and tagValue eq 'y'`` lets through; None without such a filter."""
    clauses = {name.lower(): value for name, value in _CLAUSE.findall(request.query.get("$filter", ""))}
    if "tagname" not in clauses:
        return None
    name, value = clauses["tagname"].lower(), clauses.get("tagvalue")

    def has_tag(body: Body) -> bool:
        held = {key.lower(): text for key, text in body.get("tags", {}).items()}
        return name in held and value in (None, held[name])

    return has_tag


_S = "/subscriptions/{subscription}"
ROUTES: tuple[Route, ...] = (
    Route("GET", _S + "/resources", list_resources),
    Route("GET", _S + "/resourceGroups/{group}/resources", list_resources),
)
