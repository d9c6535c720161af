"""The front of ARM: what happens to a request before and after the resource provider sees it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote

import msgspec

from reconciler.emulator.failures import (
    SERVICE,
    ArmError,
    bad_request,
    group_not_found,
    subscription_not_found,
    unauthenticated,
)
from reconciler.emulator.faults import Fault
from reconciler.emulator.lag import Lag
from reconciler.emulator.misfortune import check_pollable, effect, lose_operation, refusal, spoil
from reconciler.emulator.polling import waiting_headers
from reconciler.emulator.providers.activity_log import note_write
from reconciler.emulator.providers.authorization import check_permission
from reconciler.emulator.router import Match, Request, Response, Route, Router
from reconciler.emulator.traffic import sort_of
from reconciler.emulator.world import World

_log = logging.getLogger(__name__)
_GUARDED = ("/subscriptions", "/providers", "/tenants")  # what needs a bearer token; sign-in itself does not


@dataclass(frozen=True, slots=True)
class Call:
    """A request as it came over the wire: ``target`` is the still encoded path and query."""

    method: str
    target: str
    headers: Mapping[str, str]
    content: bytes
    base_url: str
    principal: str
    claims: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """An answer, and what a fault or the latency does to its transport: wall seconds of ``delay``, a connection cut
    without an answer or (``truncated``) in the middle of one. ``operations`` are the guids that the request started.
    """

    response: Response
    template: str
    delay: float = 0.0
    reset: Literal["before", "after"] | None = None
    operations: tuple[str, ...] = ()
    truncated: bool = False


class Gateway:
    """Routes, checks what ARM itself checks (api-version, subscription, resource group), applies faults."""

    def __init__(self, world: World, router: Router) -> None:
        self.world = world
        self._router = router
        self._lag = Lag(world)
        self._written: tuple[Request, int] | None = None

    def clear_faults(self) -> None:
        """Nothing goes wrong any more, reads that trail behind earlier writes among it. What has failed stays so."""
        self.world.faults.clear()
        self._lag.catch_up()

    def answer(self, call: Call) -> Outcome:
        """Never raises for what a client can send; what was changed is durable when it returns."""
        world = self.world
        raw_path = call.target.partition("?")[0]
        path = "/" + "/".join(unquote(part) for part in raw_path.split("/") if part)
        delay = world.slowness.spend(sort_of(call.method, path))
        world.settle()
        template, fault = path, None
        world.operations.started.clear()
        self._written = None
        quota: dict[str, str] = {}
        try:
            match = self._match(call, raw_path, path)
            template = match.route.template
            if path.lower().startswith(_GUARDED):
                quota = world.throttle.admit(call.principal, call.method, path)
            fault = world.faults.strike(call.method, path, (call.principal, call.headers.get("user-agent", "")))
            response = self._reach(call, match, path, fault)
        except ArmError as error:
            response = Response(error.status, error.body(), error.headers)
        waiting = waiting_headers(response.headers, call.headers.get("user-agent", ""))
        response = replace(response, headers={**self._common_headers(call), **quota, **response.headers, **waiting})
        self._note(response.headers["x-ms-correlation-request-id"])
        world.commit()
        outcome = Outcome(response, template, delay, operations=tuple(world.operations.started))
        if fault is None:
            return outcome
        return replace(outcome, delay=delay + fault.delay, reset=fault.reset, truncated=fault.body == "truncated")

    def _match(self, call: Call, raw_path: str, path: str) -> Match:
        if not call.principal and path.lower().startswith(_GUARDED):
            raise unauthenticated()
        match = self._router.match(call.method, raw_path)
        if match is None:
            raise ArmError(404, "InvalidResourceType", f"The resource type could not be found for path '{path}'.")
        return match

    def _reach(self, call: Call, match: Match, path: str, fault: Fault | None) -> Response:
        if fault and fault.status and not fault.after:
            raise refusal(fault, call.method, path, call.principal)
        if fault and fault.reset == "before":
            return Response(503)
        operations = self.world.operations
        operations.effect = effect(fault)
        try:
            request = _read(call, match, path)
            self._check_scope(request, match.route.template)
            if "subscription" in request.params or "scope" in request.params:
                check_permission(self.world, request)
            response = self._handle(match.route, request, fault)
        finally:
            operations.effect = None
        if fault is None:
            return response
        lose_operation(self.world, fault, response, tuple(operations.started))
        if fault.status:
            self.world.commit()
            raise refusal(fault, call.method, path, call.principal)
        return spoil(fault, request, response)

    def _handle(self, route: Route, request: Request, fault: Fault | None) -> Response:
        if request.method in ("GET", "HEAD"):
            check_pollable(self.world, request.path)
            self.world.look_at(request.path)
            return self._lag.answer(lambda: _handle(self.world, route, request))
        if fault and fault.stale:
            self._lag.remember(request.path, fault.stale)
        try:
            response = _handle(self.world, route, request)
        except ArmError as refused:
            self._written = request, refused.status
            raise
        self._written = request, response.status
        return response

    def _note(self, correlation: str) -> None:
        if self._written is not None:
            request, status = self._written
            note_write(self.world, request, status, correlation)

    def _check_scope(self, request: Request, template: str) -> None:
        """ARM refuses calls below a missing subscription or resource group before any provider sees them."""
        subscription = request.params.get("subscription")
        if subscription is None:
            return
        if not request.api_version:
            message = "The api-version query parameter (?api-version=) is required for all requests."
            raise bad_request("MissingApiVersionParameter", message)
        scope = f"/subscriptions/{subscription}"
        if not self.world.store.has(scope):
            raise subscription_not_found(subscription)
        group = request.params.get("group")
        if group is None or template.endswith("{group}"):
            return
        if not self.world.store.has(f"{scope}/resourceGroups/{group}"):
            raise group_not_found(group)

    def _common_headers(self, call: Call) -> dict[str, str]:
        guid = self.world.new_guid()
        now = self.world.clock.now().astimezone(UTC)
        correlation = call.headers.get("x-ms-correlation-request-id", guid)
        return {
            "Cache-Control": "no-cache",
            "Date": now.strftime("%a, %d %b %Y %H:%M:%S GMT"),
            "x-ms-request-id": guid,
            "x-ms-correlation-request-id": correlation,
            "x-ms-routing-request-id": f"WESTEUROPE:{now:%Y%m%dT%H%M%SZ}:{guid}",
            "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
            "X-Content-Type-Options": "nosniff",
        }


def _handle(world: World, route: Route, request: Request) -> Response:
    """A body of a shape that no handler foresaw must not end as a dropped connection."""
    try:
        return route.handler(world, request)
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        _log.exception("%s %s", request.method, route.template)
        message = f"The emulator could not carry out this request: {type(error).__name__}: {error}"
        raise ArmError(500, "InternalServerError", message, headers=SERVICE) from error


def _read(call: Call, match: Match, path: str) -> Request:
    query = call.target.partition("?")[2]
    return Request(
        method=call.method,
        path=path,
        params=match.params,
        query={name.lower(): value for name, value in parse_qsl(query, keep_blank_values=True)},
        headers=call.headers,
        body=_parse(call),
        base_url=call.base_url,
        principal=call.principal,
        claims=call.claims,
    )


def _parse(call: Call) -> Any:
    if not call.content.strip():
        return None
    if call.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(call.content.decode()))
    try:
        return msgspec.json.decode(call.content.removeprefix(b"\xef\xbb\xbf"), type=dict[str, Any])
    except msgspec.DecodeError as error:
        message = f"The request content was invalid and could not be deserialized: '{error}'."
        raise bad_request("InvalidRequestContent", message) from error
