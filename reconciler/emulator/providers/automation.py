"""Automation accounts and runbooks: that they exist, and the record of who invoked them with what.

Recovery plans run runbooks; nothing runs here, but every invocation becomes a job of the account that can be read.
Written from Azure's API specification; not recorded.
"""

from __future__ import annotations

from typing import Any

import msgspec

from reconciler.emulator.clock import stamp
from reconciler.emulator.failures import bad_request, not_found
from reconciler.emulator.paging import list_response
from reconciler.emulator.providers.compute_estate import declared_group
from reconciler.emulator.providers.resources import group_id
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.store import Body
from reconciler.emulator.world import World

ACCOUNTS = "Microsoft.Automation/automationAccounts"
RUNBOOKS = f"{ACCOUNTS}/runbooks"
JOBS = f"{ACCOUNTS}/jobs"


class AutomationShape(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A line of an estate's ``automationAccounts``. ``failing`` runbooks end with an error."""

    name: str
    resource_group: str
    subscription: str | None = None
    location: str | None = None
    runbooks: list[str] = []
    failing: list[str] = []


def list_accounts(world: World, request: Request) -> Response:
    """Those of a subscription or of a resource group."""
    return list_response(world, request, ACCOUNTS, request.path.partition("/providers/")[0])


def list_inside(world: World, request: Request) -> Response:
    """The runbooks or jobs of an account."""
    account, _, collection = request.path.rpartition("/")
    _find(world, account)
    return list_response(world, request, f"{ACCOUNTS}/{collection}", account)


def get_resource(world: World, request: Request) -> Response:
    return Response(200, _find(world, request.path))


def _find(world: World, resource: str) -> Body:
    body = world.store.get(resource)
    if body is None:
        raise not_found(resource)
    return body


def put_account(world: World, request: Request) -> Response:
    """201 for a new account, 200 for one that is there; at once."""
    given, held = request.body or {}, world.store.get(request.path)
    if not given.get("location"):
        raise bad_request("LocationRequired", "The location property is required for this definition.")
    identity = held["id"] if held else f"{group_id(world, request)}/providers/{ACCOUNTS}/{request.params['account']}"
    body = _account(world, identity, str(given["location"]), given.get("tags"))
    world.store.put(identity, ACCOUNTS, body)
    return Response(200 if held else 201, body)


def put_runbook(world: World, request: Request) -> Response:
    account = _find(world, request.path.partition("/runbooks/")[0])
    held = world.store.has(request.path)
    body = _runbook(world, account, request.params["runbook"])
    world.store.put(body["id"], RUNBOOKS, body)
    return Response(200 if held else 201, body)


def delete_resource(world: World, request: Request) -> Response:
    if not world.store.has(request.path):
        return Response(204)
    world.store.delete_under(request.path)
    world.store.delete(request.path)
    return Response(200)


def invoke(world: World, runbook_id: str, parameters: dict[str, Any]) -> tuple[str, bool]:
    """Notes that a runbook was started. Answers the name of its job, and whether it ends well.

    Raises ArmError 404 for a runbook that is not there.
    """
    runbook = _find(world, runbook_id)
    account = runbook["id"].partition("/runbooks/")[0]
    name, now = world.new_guid(), stamp(world.clock.now())
    fails = bool(world.store.hidden(runbook["id"]).get("fails"))
    body: Body = {
        "id": f"{account}/jobs/{name}",
        "name": name,
        "type": JOBS,
        "properties": {
            "jobId": name,
            "runbook": {"name": runbook["name"]},
            "status": "Failed" if fails else "Completed",
            "creationTime": now,
            "startTime": now,
            "endTime": now,
            "exception": "The runbook failed." if fails else None,
            "parameters": {key: msgspec.json.encode(value).decode() for key, value in parameters.items()},
        },
    }
    world.store.put(body["id"], JOBS, body, hidden={"parameters": parameters, "runbook": runbook["id"]})
    number = len(world.store.documents("runbook-invocations"))
    note = {"runbook": runbook["id"], "job": body["id"], "time": now, "failed": fails, **parameters}
    world.store.put_document("runbook-invocations", f"{number:08d}", note)
    return name, not fails


def invocations(world: World) -> list[dict[str, Any]]:
    """Every runbook that was started, oldest first, with the parameters that it was given."""
    return world.store.documents("runbook-invocations")


def _account(world: World, identity: str, location: str, tags: dict[str, str] | None) -> Body:
    now = stamp(world.clock.now())
    return {
        "id": identity,
        "name": identity.rpartition("/")[2],
        "type": ACCOUNTS,
        "location": location.replace(" ", "").lower(),
        "tags": tags or {},
        "properties": {
            "sku": {"name": "Basic", "family": None, "capacity": None},
            "state": "Ok",
            "creationTime": now,
            "lastModifiedTime": now,
        },
    }


def _runbook(world: World, account: Body, name: str) -> Body:
    now = stamp(world.clock.now())
    return {
        "id": f"{account['id']}/runbooks/{name}",
        "name": name,
        "type": RUNBOOKS,
        "location": account["location"],
        "tags": {},
        "properties": {
            "runbookType": "PowerShell",
            "state": "Published",
            "creationTime": now,
            "lastModifiedTime": now,
        },
    }


def seed(world: World, section: Any) -> None:
    """Accounts and runbooks of an estate; raises ValueError for a line that is wrong."""
    for shape in msgspec.convert(section, list[AutomationShape]):
        group = declared_group(world, shape.name, shape.resource_group, shape.subscription)
        location = shape.location or group["location"]
        account = _account(world, f"{group['id']}/providers/{ACCOUNTS}/{shape.name}", location, None)
        world.store.put(account["id"], ACCOUNTS, account)
        for name in (*shape.runbooks, *shape.failing):
            runbook = _runbook(world, account, name)
            world.store.put(runbook["id"], RUNBOOKS, runbook, hidden={"fails": name in shape.failing})


SECTION = "automationAccounts"

_S = "/subscriptions/{subscription}"
_ACCOUNTS = "/providers/Microsoft.Automation/automationAccounts"
_ACCOUNT = _S + "/resourceGroups/{group}" + _ACCOUNTS + "/{account}"
ROUTES: tuple[Route, ...] = (
    Route("GET", _S + _ACCOUNTS, list_accounts),
    Route("GET", _S + "/resourceGroups/{group}" + _ACCOUNTS, list_accounts),
    Route("GET", _ACCOUNT, get_resource),
    Route("PUT", _ACCOUNT, put_account),
    Route("DELETE", _ACCOUNT, delete_resource),
    Route("GET", _ACCOUNT + "/runbooks", list_inside),
    Route("GET", _ACCOUNT + "/runbooks/{runbook}", get_resource),
    Route("PUT", _ACCOUNT + "/runbooks/{runbook}", put_runbook),
    Route("GET", _ACCOUNT + "/jobs", list_inside),
    Route("GET", _ACCOUNT + "/jobs/{job}", get_resource),
)
