"""Azure's error bodies, in every shape that was seen (backup.md §7), become our errors."""

from __future__ import annotations

import pytest

from reconciler.azure.failures import NO_CREDENTIALS, complaint, no_credentials, refusal, unreadable
from reconciler.errors import (
    AbsentError,
    ConflictError,
    DeniedError,
    DoubtfulError,
    FailedError,
    GuardedError,
    ThrottledError,
    UnreachableError,
)

WHERE = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.RecoveryServices/vaults/v"


def arm(code, message="because", **more):
    return {"error": {"code": code, "message": message, **more}}


OLD = {"target": None, "details": None, "innerError": None}
GONE_VM = "Could not perform the operation as VM no longer exists.\r\nStop protecting the machine."
DENIED = (
    "The client 'x' with object id 'y' does not have authorization to perform action "
    "'Microsoft.RecoveryServices/vaults/read' over scope '/subscriptions/s' or the scope is invalid."
)


@pytest.mark.parametrize(
    ("status", "body", "kind", "code", "words"),
    [
        (404, arm("ResourceNotFound", "The Resource was not found."), AbsentError, "ResourceNotFound", "not found"),
        (404, arm("ResourceGroupNotFound"), AbsentError, "ResourceGroupNotFound", "because"),
        (404, arm("NotFound", "Resource disk-1 is not found."), AbsentError, "NotFound", "disk-1"),
        (404, {}, AbsentError, "", "HTTP 404"),
        (404, None, AbsentError, "", "HTTP 404"),
        (404, arm("ResourceNotFound", GONE_VM, **OLD), FailedError, "ResourceNotFound", "no longer exists. Stop"),
        (404, arm("SubscriptionNotFound"), FailedError, "SubscriptionNotFound", "because"),
        (401, arm("InvalidAuthenticationToken"), DeniedError, "InvalidAuthenticationToken", "because"),
        (403, arm("AuthorizationFailed", DENIED), DeniedError, "AuthorizationFailed", "vaults/read"),
        (409, arm("Conflict"), ConflictError, "Conflict", "because"),
        (412, arm("PreconditionFailed"), ConflictError, "PreconditionFailed", "because"),
        (409, arm("MissingSubscriptionRegistration"), FailedError, "MissingSubscriptionRegistration", "because"),
        (429, arm("ResourceRequestsThrottled"), ThrottledError, "ResourceRequestsThrottled", "because"),
        (400, arm("BMSUserErrorInvalidInput", "a\r\nb", **OLD), FailedError, "BMSUserErrorInvalidInput", "a b"),
        (500, {"ErrorCode": "CloudInternalError", "Message": {"Language": "en", "Value": "oh"}, "Values": []},
         DoubtfulError, "CloudInternalError", "oh"),
        (502, "<html>Bad Gateway</html>", DoubtfulError, "", "Bad Gateway"),
        (400, {"error": "invalid_client", "error_description": "wrong"}, FailedError, "invalid_client", "wrong"),
        (400, {"code": "Flat", "message": "shape"}, FailedError, "Flat", "shape"),
        (400, arm("Outer", "", details=[{"code": "Inner", "message": "the real reason"}]), FailedError, "Outer",
         "the real reason"),
        (403, arm("UserErrorResourceGuard", "x"), GuardedError, "UserErrorResourceGuard", "x"),
        (400, arm("X", "The operation is protected by a Resource Guard"), GuardedError, "X", "Resource Guard"),
    ],
)  # fmt: skip
def test_refusals(status, body, kind, code, words):
    error = refusal(status, body, WHERE)
    assert type(error) is kind
    assert error.code == code
    assert words in error.why
    assert error.resource == WHERE
    assert WHERE in error.message or kind is DeniedError
    assert "\r" not in str(error)


def test_a_vault_without_a_guard_is_not_guarded():
    body = arm("ResourceNotFound", "The resource guard proxy was not found in the vault.")
    assert type(refusal(404, body, WHERE)) is AbsentError


def test_a_denial_names_the_role_action():
    error = refusal(403, arm("AuthorizationFailed", DENIED), WHERE)
    assert "may not perform Microsoft.RecoveryServices/vaults/read" in error.message
    assert "role" in error.advice


@pytest.mark.parametrize("body", [None, 5, [], "text", {"error": None}, {"error": {"code": None}}, {"Message": 3}])
def test_any_body_is_survived(body):
    assert complaint(body).code == ""


def test_a_denied_list_is_a_gap_that_names_the_action():
    gap = unreadable(
        refusal(403, arm("AuthorizationFailed", DENIED), WHERE),
        kinds=("vault",),
        scope="prod",
        what="the list of vaults",
        action="Microsoft.RecoveryServices/vaults/read",
    )
    assert gap.scope == "prod"
    assert "could not be read" in gap.message
    assert "Microsoft.RecoveryServices/vaults/read" in gap.advice
    assert "AuthorizationFailed" in gap.why


def test_missing_credentials_are_no_gap():
    error = no_credentials("tried this and that", WHERE)
    assert error.code == NO_CREDENTIALS
    with pytest.raises(DeniedError):
        unreadable(error, kinds=("vault",), scope="prod", what="x", action="y")


def test_an_unreachable_list_keeps_its_reason():
    error = UnreachableError("no answer", why="Name or service not known", advice="check the network")
    gap = unreadable(error, kinds=("vault",), scope="prod", what="x", action="y", location="westeurope")
    assert (gap.why, gap.advice, gap.location) == ("Name or service not known", "check the network", "westeurope")
