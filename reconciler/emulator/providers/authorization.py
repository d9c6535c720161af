"""What the caller may do: role assignments of an estate, the permission list, and the gate that ARM puts before RPs.

The estate's section ``roleAssignments`` holds what one principal was given; without it everything is allowed::

    roleAssignments:
      - {scope: /subscriptions/..., actions: [Microsoft.RecoveryServices/vaults/read], notActions: []}

An action is derived from method and path as ARM does: ``{namespace}/{types}/read|write|delete``, and for POST
``{namespace}/{types}/{last segment}/action``. Conditions and deny assignments are absent.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from reconciler.emulator.failures import GATEWAY, ArmError
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.traffic import action_of
from reconciler.emulator.world import World

SECTION = "roleAssignments"
_COLLECTION = "authorization"
_KEY = "assignments"
_OWN = "microsoft.authorization/permissions/read"


def seed(world: World, section: list[dict[str, Any]]) -> None:
    """Takes over the assignments of an estate; an empty section means that everything is allowed."""
    if section:
        world.store.put_document(_COLLECTION, _KEY, section)


def check_permission(world: World, request: Request) -> None:
    """Raises ArmError 403 AuthorizationFailed where no assignment allows the request."""
    action, scope = action_of(request.method, request.path)
    if action.lower() == _OWN or is_allowed(world, action, scope):
        return
    raise ArmError(
        403,
        "AuthorizationFailed",
        f"The client '{request.principal}' with object id '{request.principal}' does not have authorization to perform "
        f"action '{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, please "
        "refresh your credentials.",
        headers=GATEWAY,
    )


def is_allowed(world: World, action: str, scope: str) -> bool:
    """Whether the one principal of the estate may do this there."""
    assignments = world.store.document(_COLLECTION, _KEY)
    return not assignments or any(_allows(held, action) for held in _above(assignments, scope))


def list_permissions(world: World, request: Request) -> Response:
    """``GET {scope}/providers/Microsoft.Authorization/permissions``: one entry an assignment on the scope or above."""
    scope = "/" + request.params["scope"].strip("/")
    if scope.lower().startswith("/subscriptions/") and "/providers/" in scope.lower() and not world.store.has(scope):
        raise ArmError(404, "ResourceNotFound", f"The Resource '{scope}' was not found.", headers=GATEWAY)
    assignments = world.store.document(_COLLECTION, _KEY)
    found = [{"scope": scope, "actions": ["*"]}] if not assignments else _above(assignments, scope)
    return Response(
        200,
        {
            "value": [
                {
                    "actions": held.get("actions", []),
                    "notActions": held.get("notActions", []),
                    "dataActions": [],
                    "notDataActions": [],
                }
                for held in found
            ]
        },
    )


def _above(assignments: list[dict[str, Any]], scope: str) -> list[dict[str, Any]]:
    wanted = scope.lower().rstrip("/") + "/"
    return [held for held in assignments if wanted.startswith(held["scope"].lower().rstrip("/") + "/")]


def _allows(held: dict[str, Any], action: str) -> bool:
    def named(patterns: list[str]) -> bool:
        return any(_pattern(pattern).fullmatch(action) for pattern in patterns)

    return named(held.get("actions", [])) and not named(held.get("notActions", []))


@cache
def _pattern(glob: str) -> re.Pattern[str]:
    return re.compile(re.escape(glob).replace(r"\*", ".*"), re.IGNORECASE)


ROUTES: tuple[Route, ...] = (Route("GET", "{*scope}/providers/Microsoft.Authorization/permissions", list_permissions),)
