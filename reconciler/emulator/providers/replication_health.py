"""Eligibility of machines, the health of a vault, and who is told by mail (recorded: replication_eligibility)."""

from __future__ import annotations

from typing import Any

from reconciler.emulator.failures import not_found
from reconciler.emulator.providers.backup_names import VAULT
from reconciler.emulator.providers.compute import MACHINES
from reconciler.emulator.providers.replication_item_bodies import show_item
from reconciler.emulator.providers.replication_jobs import check_used
from reconciler.emulator.providers.replication_lists import list_below
from reconciler.emulator.providers.replication_names import CONTAINERS, FABRICS, ITEMS, below, vault_id
from reconciler.emulator.providers.replication_refusals import missing
from reconciler.emulator.providers.replication_support import obstacles
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.store import Body
from reconciler.emulator.world import World

ELIGIBILITY = "Microsoft.RecoveryServices/replicationEligibilityResults"
ALERTS = "Microsoft.RecoveryServices/vaults/replicationAlertSettings"
_HEALTHS = ("Normal", "Warning", "Critical")


def list_results(world: World, request: Request) -> Response:
    """Always one, and no ``nextLink``."""
    return Response(200, {"value": [_result(world, request)]})


def get_result(world: World, request: Request) -> Response:
    return Response(200, _result(world, request))


def _result(world: World, request: Request) -> Body:
    scope, _, _ = request.path.lower().partition("/providers/microsoft.recoveryservices/")
    machine = world.store.get(scope)
    if machine is None:
        raise not_found(request.path[: len(scope)])
    found = [
        {
            "code": one.code,
            "message": one.message,
            "possibleCauses": one.cause,
            "recommendedAction": one.action,
            "status": "Error",
        }
        for one in obstacles(world, machine)
    ]
    return {
        "name": "default",
        "type": ELIGIBILITY,
        "id": f"{request.path[: len(scope)]}/providers/{ELIGIBILITY}/default",
        "properties": {"clientRequestId": world.new_guid(), "errors": found},
    }


def get_health(world: World, request: Request) -> Response:
    """A summary: how many items are in which health, and what is wrong."""
    vault = vault_id(world, request)
    check_used(world, vault)
    items = [show_item(world, body)["properties"] for body in world.store.list(ITEMS, vault)]
    healths = [_health(item) for item in items]
    return Response(
        200,
        {
            "id": f"{vault}/replicationVaultHealth/default",
            "name": "default",
            "type": "Microsoft.RecoveryServices/vaults/replicationVaultHealth",
            "properties": {
                "vaultErrors": [],
                "protectedItemsHealth": _summary(healths, [error for item in items for error in item["healthErrors"]]),
                "fabricsHealth": _summary(["Normal"] * world.store.count(FABRICS, vault), []),
                "containersHealth": _summary(["Normal"] * world.store.count(CONTAINERS, vault), []),
            },
        },
    )


def _health(item: Body) -> str:
    found: list[str] = [item["replicationHealth"], item["failoverHealth"]]
    return max(found, key=_HEALTHS.index)


def _summary(healths: list[str], errors: list[Body]) -> Body:
    kinds: dict[str, list[Body]] = {}
    for error in errors:
        kinds.setdefault(error["errorCode"], []).append(error)
    issues = [
        {
            "summaryCode": code,
            "category": found[0]["errorCategory"],
            "severity": found[0]["errorLevel"],
            "summaryMessage": found[0]["possibleCauses"],
            "affectedResourceType": "VirtualMachine",
            "affectedResourceSubtype": "AzureToAzure",
            "affectedResourceCorrelationIds": [error["entityId"] for error in found],
        }
        for code, found in sorted(kinds.items())
    ]
    counts = {name: healths.count(name) for name in _HEALTHS if name in healths}
    return {"resourceCount": len(healths), "issues": issues, "categorizedResourceCounts": counts}


def list_alerts(world: World, request: Request) -> Response:
    return list_below(world, request, ALERTS)


def get_alert(world: World, request: Request) -> Response:
    body = world.store.get(below(world, request))
    if body is None:
        raise missing("Alert Setting", request.params["setting"])
    return Response(200, body)


def put_alert(world: World, request: Request) -> Response:
    """At once."""
    identity, sent = below(world, request), request.properties()
    properties: dict[str, Any] = {
        "sendToOwners": sent.get("sendToOwners") or "DoNotSend",
        "customEmailAddresses": sent.get("customEmailAddresses") or [],
        "locale": sent.get("locale") or "en-US",
    }
    body = {"id": identity, "name": request.params["setting"], "type": ALERTS, "properties": properties}
    world.store.put(identity, ALERTS, body)
    return Response(200, body)


_RESULTS = (
    "/subscriptions/{subscription}/resourceGroups/{group}/providers/"
    + MACHINES
    + "/{vm}/providers/Microsoft.RecoveryServices/replicationEligibilityResults"
)
_ALERT = VAULT + "/replicationAlertSettings"
ROUTES: tuple[Route, ...] = (
    Route("GET", _RESULTS, list_results),
    Route("GET", _RESULTS + "/default", get_result),
    Route("GET", VAULT + "/replicationVaultHealth", get_health),
    Route("GET", _ALERT, list_alerts),
    Route("GET", _ALERT + "/{setting}", get_alert),
    Route("PUT", _ALERT + "/{setting}", put_alert),
)
