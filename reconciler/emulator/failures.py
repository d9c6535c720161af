"""Azure's error bodies. Codes and shapes as recorded from the gateway and the resource providers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

GATEWAY = {"x-ms-failure-cause": "gateway"}
SERVICE = {"x-ms-failure-cause": "service"}


class ArmError(Exception):
    """A refusal, rendered as ``{"error": {"code", "message", ...}}``.

    ``details`` joins the error object when given; ``body`` replaces the whole body (a missing backup policy
    answers ``{}``); ``headers`` are sent along.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        details: list[dict[str, Any]] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.details = details
        self.headers: Mapping[str, str] = headers or {}
        self.shape = body
        self.extra: Mapping[str, Any] = extra or {}

    def body(self) -> Any:
        if self.shape is not None:
            return self.shape
        return {"error": self.error()}

    def error(self) -> dict[str, Any]:
        """The bare error object, as operation status bodies carry it."""
        error: dict[str, Any] = {"code": self.code, "message": self.message, **self.extra}
        if self.details is not None:
            error["details"] = self.details
        return error


def not_found(resource_id: str) -> ArmError:
    """404 from the gateway for a resource that does not exist (vaults, virtual machines, disks ...)."""
    _, _, tail = resource_id.partition("/providers/")
    parts = tail.split("/")
    group = resource_id.split("/")[4] if resource_id.count("/") > 4 else ""
    kind = "/".join([parts[0], *parts[1::2]])
    name = "/".join(parts[2::2])
    message = (
        f"The Resource '{kind}/{name}' under resource group '{group}' was not found. "
        "For more details please go to https://aka.ms/ARMResourceNotFoundFix"
    )
    return ArmError(404, "ResourceNotFound", message, headers=GATEWAY)


def group_not_found(group: str) -> ArmError:
    message = f"Resource group '{group}' could not be found."
    return ArmError(404, "ResourceGroupNotFound", message, headers=GATEWAY)


def subscription_not_found(subscription: str) -> ArmError:
    message = f"The subscription '{subscription}' could not be found."
    return ArmError(404, "SubscriptionNotFound", message, headers=GATEWAY)


def bad_request(code: str, message: str) -> ArmError:
    return ArmError(400, code, message)


def unauthenticated() -> ArmError:
    """401 for a call without a bearer token, with the challenge that SDKs and the Azure CLI parse."""
    challenge = 'Bearer authorization_uri="https://login.microsoftonline.com/", error="invalid_token"'
    return ArmError(
        401,
        "AuthenticationFailed",
        "Authentication failed. The 'Authorization' header is missing.",
        headers={"WWW-Authenticate": challenge, **GATEWAY},
    )
