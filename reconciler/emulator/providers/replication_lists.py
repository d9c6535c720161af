"""Lists of Site Recovery: ``nextLink`` is always there, null on the last page (recorded)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from reconciler.emulator.paging import list_response
from reconciler.emulator.providers.replication_jobs import check_used, look_below
from reconciler.emulator.providers.replication_names import below, vault_of
from reconciler.emulator.router import Request, Response
from reconciler.emulator.store import Body, Where
from reconciler.emulator.world import World


def list_below(
    world: World,
    request: Request,
    type_: str,
    *,
    view: Callable[[Body], Body] | None = None,
    where: Where | None = None,
) -> Response:
    """One page of what lies below the resource that a collection's path belongs to, at any depth.

    Raises 400 for a vault that Site Recovery never served. A client that reads the list again waits for what is under
    way in the vault.
    """
    scope = below(world, request).rpartition("/")[0]
    check_used(world, vault_of(scope))
    look_below(world, vault_of(scope))
    response = list_response(world, request, type_, scope, view=view, where=where)
    body = bytes(response.body)
    is_last = body.endswith(b"]}")
    return replace(response, body=body[:-1] + b',"nextLink":null}') if is_last else response
