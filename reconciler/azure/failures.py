"""What went wrong, in our words: Azure's answers and the SDK's exceptions become the errors of `reconciler.errors`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from reconciler.errors import (
    AbsentError,
    AzureError,
    ConflictError,
    DeniedError,
    DoubtfulError,
    FailedError,
    GuardedError,
    ThrottledError,
    UnreachableError,
)
from reconciler.model.live import Unreadable

if TYPE_CHECKING:
    from azure.core import exceptions

NO_CREDENTIALS = "CredentialUnavailable"
"""The code of the DeniedError that says that nobody is signed in."""
_ACTION = re.compile(r"perform action '([^']+)'")
_SPACE = re.compile(r"\s+")
_GONE_CODES = frozenset({"", "resourcenotfound", "notfound", "resourcegroupnotfound", "parentresourcenotfound"})
_BUSINESS_404 = "vm no longer exists"
"""Recovery Services says ResourceNotFound for this, too, of a vault that is there (backup.md §7)."""

_ADVICE: Mapping[str, str] = {
    "missingsubscriptionregistration": "register the provider once: az provider register -n Microsoft.RecoveryServices",
    "subscriptionnotfound": "check the id of the subscription, and that you are signed in to its tenant",
    "resourcegroupnotfound": "create the resource group first: az group create",
    "requestdisallowedbypolicy": "an Azure Policy assignment forbids it: the message names the assignment",
    "scopelocked": "a lock lies on the resource or its group: az lock list",
    "clouddosabsolutelimitreached": "Azure allows no more of these writes today: run it again tomorrow",
}


@dataclass(frozen=True, slots=True)
class Complaint:
    """Azure's own code and words, out of any of its error shapes."""

    code: str = ""
    message: str = ""


def complaint(body: Any) -> Complaint:
    """Code and message of a decoded error body: ARM's envelope, the regional `ErrorCode` shape, `{}`, or anything."""
    if not isinstance(body, Mapping):
        return Complaint(message=_clean(body) if isinstance(body, str) else "")
    inner = body.get("error")
    if isinstance(inner, Mapping):
        return Complaint(_code(inner), _clean(inner.get("message")) or _first_detail(inner, "message"))
    if isinstance(inner, str):
        return Complaint(inner, _clean(body.get("error_description")))
    if "ErrorCode" in body:
        words = body.get("Message")
        text = words.get("Value") if isinstance(words, Mapping) else words
        return Complaint(_clean(body["ErrorCode"]), _clean(text))
    return Complaint(_clean(body.get("code")), _clean(body.get("message")))


def refusal(status: int, body: Any, resource: str) -> AzureError:
    """The error for an answer with a status of 400 or more. `resource` is the ARM id or path that was asked for."""
    said = complaint(body)
    why = f"{said.code}: {said.message}" if said.code and said.message else said.code or said.message
    why = why or f"HTTP {status} without a body"
    code = said.code.lower()
    if status != 404 and is_guarded(said):
        return guarded(said, resource)
    if status == 404 and code in _GONE_CODES and _BUSINESS_404 not in said.message.lower():
        return AbsentError(f"{resource} does not exist", code=said.code, resource=resource, why=why)
    if status in (401, 403):
        return _denied(said, resource, why)
    if status == 429:
        advice = "run it again later, or with fewer subscriptions at once"
        message = f"Azure limits the requests for {resource}"
        return ThrottledError(message, code=said.code, resource=resource, why=why, advice=advice)
    advice = _ADVICE.get(code, "")
    if status in (409, 412) and code != "missingsubscriptionregistration":
        advice = advice or "something else changes it: wait until that has ended and run this again"
        message = f"{resource} cannot be changed now"
        return ConflictError(message, code=said.code, resource=resource, why=why, advice=advice)
    kind = DoubtfulError if status >= 500 else FailedError
    return kind(
        f"Azure refused the request for {resource} (HTTP {status})",
        code=said.code,
        resource=resource,
        why=why,
        advice=advice,
    )


def is_guarded(said: Complaint) -> bool:
    """True where Azure asks for the approval of a Resource Guard (BP-85)."""
    text = f"{said.code} {said.message}".lower()
    return "resourceguard" in text.replace(" ", "") or "multiuserauth" in text.replace("-", "").replace(" ", "")


def guarded(said: Complaint, resource: str) -> GuardedError:
    """The error for a step that a Resource Guard holds back; it is never retried (BP-86)."""
    return GuardedError(
        f"{resource} is protected by a Resource Guard",
        code=said.code,
        resource=resource,
        why=f"{said.code}: {said.message}",
        advice="ask the owner of the Resource Guard for approval, then run this again",
    )


def failure(error: exceptions.AzureError, resource: str) -> AzureError:
    """What an exception of the SDK means. `resource` is the ARM id or path that was asked for."""
    from azure.core import exceptions

    if isinstance(error, exceptions.ClientAuthenticationError) and _is_sign_in(error.response):
        return no_credentials(str(error.message), resource)
    if isinstance(error, exceptions.HttpResponseError) and error.response is not None:
        return refusal(error.status_code or 500, _body(error.response), resource)
    if isinstance(error, exceptions.DecodeError) and not isinstance(error, exceptions.IncompleteReadError):
        return FailedError(f"Azure's answer for {resource} is not JSON", resource=resource, why=_clean(error.message))
    return UnreachableError(
        f"no answer for {resource}",
        resource=resource,
        why=_clean(error.message) or type(error).__name__,
        advice="check the network, the proxy settings and the cloud's address",
    )


def no_credentials(said: str, resource: str) -> DeniedError:
    """No way of signing in worked: what was tried, and what to do."""
    return DeniedError(
        "no Azure credentials were found, or none of them was accepted",
        code=NO_CREDENTIALS,
        resource=resource,
        why="\n        ".join(_clean(line) for line in said.splitlines() if line.strip()),
        advice="run `az login`; in CI use workload identity federation (AZURE_CLIENT_ID, AZURE_TENANT_ID, "
        "AZURE_FEDERATED_TOKEN_FILE); on Azure a managed identity",
    )


def unreadable(
    error: AzureError, *, kinds: tuple[str, ...], scope: str, what: str, action: str, location: str = ""
) -> Unreadable:
    """A list that failed, as a gap in the live state: `what` is the collection in words, `action` the role action that
    reading it takes. Missing credentials are no gap but the end of the run: they are raised again."""
    if error.code == NO_CREDENTIALS:
        raise error
    advice = error.advice
    if isinstance(error, DeniedError):
        advice = f"give the identity a role with {action} on the subscription"
    return Unreadable(
        kinds=kinds,
        scope=scope,
        message=f"{what} could not be read",
        why=error.why or error.message,
        advice=advice,
        location=location,
    )


def _denied(said: Complaint, resource: str, why: str) -> DeniedError:
    action = _ACTION.search(said.message)
    if action and said.code.lower() != "linkedauthorizationfailed":
        message = f"the identity may not perform {action[1]} on {resource}"
        advice = f"give it a role with {action[1]}; a role given minutes ago needs a new sign-in"
    else:
        message = f"Azure denies access to {resource}"
        advice = "check the role assignments of the identity, and that it belongs to the tenant of the subscription"
    return DeniedError(message, code=said.code, resource=resource, why=why, advice=advice)


def _code(error: Mapping[str, Any]) -> str:
    """Site Recovery says BadRequest to everything, and what it means in the first detail (site-recovery.md §8)."""
    code = _clean(error.get("code"))
    return (_first_detail(error, "code") if code.lower() == "badrequest" else "") or code


def _first_detail(error: Mapping[str, Any], field: str) -> str:
    details = error.get("details")
    if isinstance(details, list) and details and isinstance(details[0], Mapping):
        return _clean(details[0].get(field))
    return ""


def _is_sign_in(response: Any) -> bool:
    """True where nobody answered, or where the answer is the sign-in service's, not Resource Manager's."""
    url = str(getattr(getattr(response, "request", None), "url", ""))
    return response is None or "/oauth2/" in url or "/subscriptions/" not in url


def _body(response: Any) -> Any:
    try:
        return msgspec.json.decode(response.body() if hasattr(response, "body") else response.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _clean(text: Any) -> str:
    """One line: messages of Recovery Services hold CRLF in the middle (backup.md §7)."""
    return _SPACE.sub(" ", str(text)).strip() if text is not None else ""
