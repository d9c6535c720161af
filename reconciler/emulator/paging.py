"""Lists as ARM pages them: the service chooses the page, ``nextLink`` carries an opaque ``$skiptoken``."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import msgspec

from reconciler.emulator.failures import bad_request
from reconciler.emulator.router import Request, Response
from reconciler.emulator.store import Body, Where
from reconciler.emulator.world import World


def list_response(
    world: World,
    request: Request,
    type_: str,
    scope: str = "",
    *,
    where: Where | None = None,
    view: Callable[[Body], Body] | None = None,
    size: int | None = None,
) -> Response:
    """One page of resources of a type below a scope. ``view`` turns a stored body into a served one."""
    length = size or world.configuration.page_size_of(type_)
    try:
        page = world.store.page(type_, scope, size=length, token=request.query.get("$skiptoken"), where=where)
    except ValueError as error:
        raise bad_request("InvalidSkipToken", "The provided $skiptoken is not valid.") from error
    bodies = page.bodies
    if view is not None:
        bodies = [msgspec.json.encode(view(msgspec.json.decode(body))) for body in bodies]
    parts = [b'{"value":[', b",".join(bodies), b"]"]
    if page.token:
        parts.append(b',"nextLink":' + msgspec.json.encode(next_link(request, page.token)))
    return Response(200, b"".join([*parts, b"}"]))


def next_link(request: Request, token: str) -> str:
    kept = {**request.query, "$skiptoken": token}
    query = "&".join(f"{quote(name, safe='$-')}={quote(value, safe='')}" for name, value in kept.items())
    return f"{request.base_url}{quote(request.path, safe='/;()')}?{query}"
