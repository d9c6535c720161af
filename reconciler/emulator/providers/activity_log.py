"""The Activity Log of a subscription: who wrote to what, for 90 days of virtual time.

Every write that reached a resource provider leaves a Started event and one that says how it ended, both with the
correlation id of the request; one that Azure carries out later is Accepted in between.
"""

from __future__ import annotations

import base64
import binascii
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, NamedTuple

import msgspec

from reconciler.emulator import activity
from reconciler.emulator.activity import Activity
from reconciler.emulator.bearer import caller_of, object_id
from reconciler.emulator.clock import stamp
from reconciler.emulator.failures import bad_request
from reconciler.emulator.paging import next_link
from reconciler.emulator.providers.activity_filter import Filter, parse_filter, parse_select
from reconciler.emulator.router import Request, Response, Route
from reconciler.emulator.traffic import action_of
from reconciler.emulator.world import World

TYPE = "microsoft.insights/eventtypes"
_PAGE = 200
_CLAIMS = "http://schemas.microsoft.com/identity/claims/"
_UPN = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"
_TICKS_OF_1970 = 621_355_968_000_000_000


class Phase(NamedTuple):
    """One event of a write: when, in which order among those of one moment, and Azure's words for it."""

    at: datetime
    order: int
    status: str
    sub_status: int | None = None

    @property
    def name(self) -> tuple[str, str]:
        return ("BeginRequest", "Begin request") if self.status == "Started" else ("EndRequest", "End request")


def note_write(world: World, request: Request, status: int, correlation: str) -> None:
    """Writes down a request that changed something, or tried to. ``status`` is what the provider answered."""
    if not request.path.lower().startswith("/subscriptions/"):
        return
    action, path = action_of(request.method, request.path)
    written = Activity(
        number=0,
        at=world.clock.now(),
        method=request.method,
        resource=path.rpartition("/")[0] if request.method == "POST" else path,
        action=action,
        caller=caller_of(request.claims, request.principal),
        status=status,
        correlation=correlation,
        client_request=request.headers.get("x-ms-client-request-id", ""),
        claims={**request.claims},
        operations=tuple(world.operations.started),
    )
    activity.keep(world.store, written)


def list_events(world: World, request: Request) -> Response:
    """``GET /subscriptions/{id}/providers/Microsoft.Insights/eventtypes/management/values``, the newest first."""
    wanted = parse_filter(request.query.get("$filter", ""), world.clock.now())
    keys = parse_select(request.query.get("$select", ""))
    start = _position(request.query.get("$skiptoken", ""))
    size = world.configuration.page_sizes.get(TYPE, _PAGE)
    found = sorted(_found(world, request.params["subscription"], wanted), key=_place, reverse=True)
    rest = [item for item in found if start is None or _place(item) < start]
    page = [_event(world, *item) for item in rest[:size]]
    body: dict[str, Any] = {"value": [{key: event[key] for key in event if not keys or key in keys} for event in page]}
    if len(rest) > size:
        body["nextLink"] = next_link(request, _token(_place(rest[size - 1])))
    return Response(200, body)


def _found(world: World, subscription: str, wanted: Filter) -> Iterator[tuple[Activity, Phase]]:
    """What was begun before the window may have ended in it."""
    scope = f"/subscriptions/{subscription}/".lower()
    for written in activity.activities(world.store, wanted.earliest, wanted.until):
        if not written.resource.lower().startswith(scope) or not wanted.fits(written):
            continue
        for phase in _phases(world, written):
            if wanted.since <= phase.at <= wanted.until and wanted.has_status(phase.status):
                yield written, phase


def _phases(world: World, written: Activity) -> Iterator[Phase]:
    yield Phase(written.at, 0, "Started")
    if written.status >= HTTPStatus.BAD_REQUEST:
        yield Phase(written.at, 1, "Failed", written.status)
    elif not written.operations:
        yield Phase(written.at, 1, "Succeeded", written.status)
    else:
        yield Phase(written.at, 1, "Accepted", written.status)
        operations = [one for guid in written.operations if (one := world.operations.get(guid))]
        if operations and all(one.done for one in operations):
            failed = any(one.status == "Failed" for one in operations)
            end = max(one.end or written.at for one in operations)
            yield Phase(end, 2, "Failed" if failed else "Succeeded")


def _event(world: World, written: Activity, phase: Phase) -> dict[str, Any]:
    guid = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{written.correlation}/{written.number}/{phase.order}"))
    provider, _, kind = written.action.rpartition("/")[0].partition("/")
    sub_status = _sub_status(phase.sub_status)
    properties = {"eventCategory": "Administrative", "entity": written.resource, "message": written.action}
    if sub_status["value"]:
        properties["statusCode"] = sub_status["value"]
    return {
        "authorization": {"action": written.action, "scope": written.resource},
        "caller": written.caller,
        "channels": "Operation",
        "claims": _claims(world, written),
        "correlationId": written.correlation,
        "description": "",
        "eventDataId": guid,
        "eventName": {"value": phase.name[0], "localizedValue": phase.name[1]},
        "category": _same("Administrative"),
        "eventTimestamp": stamp(phase.at),
        "httpRequest": {
            "clientRequestId": written.client_request,
            "clientIpAddress": "127.0.0.1",
            "method": written.method,
        },
        "id": f"{written.resource}/events/{guid}/ticks/{_ticks(phase.at)}",
        "level": "Error" if phase.status == "Failed" else "Informational",
        "operationId": written.correlation,
        "operationName": _same(written.action),
        "properties": properties,
        "resourceGroupName": _group(written.resource),
        "resourceId": written.resource,
        "resourceProviderName": _same(provider),
        "resourceType": _same(f"{provider}/{kind.rpartition('/')[0] if written.method == 'POST' else kind}"),
        "status": _same(phase.status),
        "subStatus": sub_status,
        "submissionTimestamp": stamp(phase.at),
        "subscriptionId": written.resource.split("/")[2],
        "tenantId": world.configuration.tenant,
    }


def _claims(world: World, written: Activity) -> dict[str, str]:
    told = written.claims
    claims = {
        "aud": "https://management.core.windows.net/",
        "appid": told.get("appid", ""),
        f"{_CLAIMS}objectidentifier": told.get("oid") or object_id(written.caller),
        f"{_CLAIMS}tenantid": told.get("tid") or world.configuration.tenant,
        "name": told.get("name", ""),
        _UPN: told.get("upn", ""),
        "ver": "1.0",
    }
    return {name: value for name, value in claims.items() if value}


def _same(word: str) -> dict[str, str]:
    return {"value": word, "localizedValue": word}


def _sub_status(status: int | None) -> dict[str, str]:
    if status is None:
        return _same("")
    phrase = HTTPStatus(status).phrase
    return {"value": phrase.replace(" ", ""), "localizedValue": f"{phrase} (HTTP Status Code: {status})"}


def _group(resource: str) -> str:
    parts = resource.split("/")
    return parts[4] if len(parts) > 4 and parts[3].lower() == "resourcegroups" else ""


def _ticks(moment: datetime) -> int:
    return _TICKS_OF_1970 + int(moment.astimezone(UTC).timestamp() * 10_000_000)


def _place(item: tuple[Activity, Phase]) -> tuple[str, int, int]:
    written, phase = item
    return phase.at.astimezone(UTC).isoformat(), written.number, phase.order


def _token(place: tuple[str, int, int]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode()


def _position(token: str) -> tuple[str, int, int] | None:
    if not token:
        return None
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(token.encode()), type=tuple[str, int, int])
    except (binascii.Error, msgspec.DecodeError, ValueError) as error:
        raise bad_request("InvalidSkipToken", "The provided $skiptoken is not valid.") from error


ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/subscriptions/{subscription}/providers/Microsoft.Insights/eventtypes/management/values",
        list_events,
    ),
)
