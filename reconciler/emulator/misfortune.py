"""What a fault does to a request: the refusal it answers, the operation it spoils, the answer it spoils."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec

from reconciler.emulator.failures import GATEWAY, SERVICE, ArmError
from reconciler.emulator.faults import Fault
from reconciler.emulator.operations import Effect
from reconciler.emulator.router import Request, Response
from reconciler.emulator.traffic import action_of
from reconciler.emulator.world import World

FOREIGN = "https://management.azure.com.example.org"
_COLLECTION = "unpollable"
_POLLED = ("azure-asyncoperation", "location")
_MESSAGES = {
    401: ("InvalidAuthenticationToken", "The access token is no longer valid: a new one with other claims is needed."),
    429: ("TooManyRequests", "The request is being throttled."),
    500: ("InternalServerError", "An internal server error occurred."),
    502: ("InvalidGatewayHost", "The gateway host is invalid."),
    503: ("ServerTimeout", "The request timed out."),
    504: ("GatewayTimeout", "The gateway did not receive a response within the specified time period."),
}


def refusal(fault: Fault, method: str, path: str, principal: str) -> ArmError:
    """The error of a fault with a ``status``, in Azure's own words for it."""
    status = fault.status or 500
    code, message = _MESSAGES.get(status, ("Failed", "The request failed."))
    headers = dict(SERVICE)
    if status == 401:
        headers = {**GATEWAY, "WWW-Authenticate": _challenge()}
    if status == 403:
        headers = dict(GATEWAY)
        action, scope = action_of(method, path)
        code, message = (
            "AuthorizationFailed",
            (
                f"The client '{principal}' with object id '{principal}' does not have authorization to perform "
                f"action '{action}' over scope '{scope}' or the scope is invalid."
            ),
        )
    if fault.retry_after is not None:
        headers["Retry-After"] = str(fault.retry_after)
    return ArmError(status, fault.code or code, fault.message or message, headers=headers)


def effect(fault: Fault | None) -> Effect | None:
    """What becomes of an operation that the request starts."""
    if fault is None or fault.operation not in ("fails", "hangs"):
        return None
    if fault.operation == "hangs":
        return Effect(hangs=True)
    code = fault.code or "InternalServerError"
    return Effect(error={"code": code, "message": fault.message or "The operation failed."})


def lose_operation(world: World, fault: Fault, response: Response, operations: tuple[str, ...]) -> None:
    """From now on the addresses that the answer gave for polling are answered 404 (by ``check_pollable``)."""
    if fault.operation not in ("lost", "forgotten") or not operations:
        return
    for name, value in response.headers.items():
        if name.lower() in _POLLED:
            key = urlsplit(value).path.lower()
            world.store.put_document(_COLLECTION, key, {"operation": operations[0], "from": fault.operation})


def check_pollable(world: World, path: str) -> None:
    """Raises ArmError 404 for the address of an operation that a fault made Azure forget. The operation goes on."""
    lost: dict[str, str] | None = world.store.document(_COLLECTION, quote(path.lower(), safe="/;()"))
    if lost is None:
        return
    operation = world.poll(lost["operation"])
    if lost["from"] == "lost" or operation is None or operation.done:
        message = f"The operation '{path.rpartition('/')[2]}' was not found."
        raise ArmError(404, "ResourceNotFound", message, headers=SERVICE)


def spoil(fault: Fault, request: Request, response: Response) -> Response:
    """The answer with the ``page`` or ``body`` of the fault; a truncated one is cut by the server."""
    if response.status != 200 or response.body is None:
        return response
    if fault.body == "malformed":
        content = response.body if isinstance(response.body, bytes) else msgspec.json.encode(response.body)
        return replace(response, body=content[: max(1, len(content) * 2 // 3)] + b'"\x00')
    if fault.page is None:
        return response
    page: Any = response.body
    page = msgspec.json.decode(page) if isinstance(page, bytes) else dict(page)
    if "value" not in page:
        return response
    return replace(response, body={**page, "nextLink": _link(fault, request)})


def _link(fault: Fault, request: Request) -> str:
    base = FOREIGN if fault.page == "foreign" else request.base_url
    query = dict(request.query)
    if fault.page == "endless":
        query["page"] = str(int(query.get("page", "0")) + 1)
    rendered = "&".join(f"{quote(name, safe='$-')}={quote(value, safe='')}" for name, value in query.items())
    return f"{base}{quote(request.path, safe='/;()')}?{rendered}"


def _challenge() -> str:
    claims = base64.urlsafe_b64encode(b'{"access_token":{"nbf":{"essential":true,"value":"1772438400"}}}').decode()
    return (
        'Bearer authorization_uri="https://login.microsoftonline.com/common", error="insufficient_claims", '
        f'claims="{claims}"'
    )
