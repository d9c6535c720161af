"""The front of ARM: what happens to a request before and after the resource provider sees it."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
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
from reconciler.emulator.operations import Effect
from reconciler.emulator.providers.authorization import check_permission
from reconciler.emulator.router import Match, Request, Response, Route, Router
from reconciler.emulator.world import World

_log = logging.getLogger(__name__)
_GUARDED = ("/subscriptions", "/providers", "/tenants")  # what needs a bearer token; sign-in itself does not
_MESSAGES = {
    429: ("TooManyRequests", "The request is being throttled."),
    500: ("InternalServerError", "An internal server error occurred."),
    502: ("InvalidGatewayHost", "The gateway host is invalid."),
    503: ("ServerTimeout", "The request timed out."),
    504: ("GatewayTimeout", "The gateway did not receive a response within the specified time period."),
}


@dataclass(frozen=True, slots=True)
class Call:
    """A request as it came over the wire: ``target`` is the still encoded path and query."""

    method: str
    target: str
    headers: Mapping[str, str]
    content: bytes
    base_url: str
    principal: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """An answer, and what a fault does to its transport. ``operations`` are the guids that the request started."""

    response: Response
    template: str
    delay: float = 0.0
    reset: Literal["before", "after"] | None = None
    operations: tuple[str, ...] = ()


class Gateway:
    """Routes, checks what ARM itself checks (api-version, subscription, resource group), applies faults."""

    def __init__(self, world: World, router: Router) -> None:
        self.world = world
        self._router = router
        self._remaining: Counter[str] = Counter()

    def answer(self, call: Call) -> Outcome:
        """Never raises for what a client can send; what was changed is durable when it returns."""
        world = self.world
        world.settle()
        raw_path = call.target.partition("?")[0]
        path = "/" + "/".join(unquote(part) for part in raw_path.split("/") if part)
        fault = world.faults.strike(call.method, path, (call.principal, call.headers.get("user-agent", "")))
        template = path
        try:
            if not call.principal and path.lower().startswith(_GUARDED):
                raise unauthenticated()
            match = self._router.match(call.method, raw_path)
            if match is None:
                raise ArmError(404, "InvalidResourceType", f"The resource type could not be found for path '{path}'.")
            template = match.route.template
            response, operations = self._reach(call, match, path, fault)
        except ArmError as refusal:
            response, operations = Response(refusal.status, refusal.body(), refusal.headers), ()
        world.commit()
        response = replace(response, headers={**self._common_headers(call), **response.headers})
        outcome = Outcome(response, template, operations=operations)
        return replace(outcome, delay=fault.delay, reset=fault.reset) if fault else outcome

    def _reach(self, call: Call, match: Match, path: str, fault: Fault | None) -> tuple[Response, tuple[str, ...]]:
        if fault and fault.status and not fault.after:
            raise _refusal(fault)
        if fault and fault.reset == "before":
            return Response(503), ()
        operations = self.world.operations
        operations.started.clear()
        operations.effect = _effect(fault)
        try:
            request = _read(call, match, path)
            self._check_scope(request, match.route.template)
            if "subscription" in request.params or "scope" in request.params:
                check_permission(self.world, request)
            response = _handle(self.world, match.route, request)
        finally:
            operations.effect = None
        if fault and fault.status:
            self.world.commit()
            raise _refusal(fault)
        return response, tuple(operations.started)

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
        kind = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}.get(call.method, "writes")
        self._remaining[kind] += 1
        limit = 16_499 if kind == "reads" else 2_999
        return {
            "Cache-Control": "no-cache",
            "Date": now.strftime("%a, %d %b %Y %H:%M:%S GMT"),
            "x-ms-request-id": guid,
            "x-ms-correlation-request-id": correlation,
            "x-ms-routing-request-id": f"WESTEUROPE:{now:%Y%m%dT%H%M%SZ}:{guid}",
            f"x-ms-ratelimit-remaining-subscription-{kind}": str(limit - self._remaining[kind] % 200),
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


def _refusal(fault: Fault) -> ArmError:
    status = fault.status or 500
    code, message = _MESSAGES.get(status, ("Failed", "The request failed."))
    headers = dict(SERVICE)
    if fault.retry_after is not None:
        headers["Retry-After"] = str(fault.retry_after)
    return ArmError(status, fault.code or code, fault.message or message, headers=headers)


def _effect(fault: Fault | None) -> Effect | None:
    if fault is None or fault.operation is None:
        return None
    if fault.operation == "hangs":
        return Effect(hangs=True)
    code = fault.code or "InternalServerError"
    return Effect(error={"code": code, "message": fault.message or "The operation failed."})
