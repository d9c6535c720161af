"""What ARM itself refuses, and faults as input."""

from __future__ import annotations

import json

import pytest

SUBSCRIPTION = "11111111-1111-4111-8111-111111111111"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-app"
MACHINE = f"{GROUP}/providers/Microsoft.Compute/virtualMachines"


def error_of(outcome):
    return outcome.response.status, outcome.response.body["error"]["code"]


@pytest.mark.parametrize(
    ("target", "status", "code"),
    [
        ("/subscriptions/00000000-0000-0000-0000-000000000009/resourceGroups", 404, "SubscriptionNotFound"),
        (f"/subscriptions/{SUBSCRIPTION}/resourceGroups/none", 404, "ResourceGroupNotFound"),
        (MACHINE.replace("rg-app", "none"), 404, "ResourceGroupNotFound"),
        (f"{MACHINE}/none", 404, "ResourceNotFound"),
        (f"{GROUP}/providers/Microsoft.Nothing/things/x", 404, "InvalidResourceType"),
        (f"{MACHINE}?$skiptoken=%2F%2B", 400, "InvalidSkipToken"),
    ],
)
def test_refusals(ask, target, status, code):
    assert error_of(ask("GET", target)) == (status, code)


def test_gateway_404_names_its_cause(ask):
    response = ask("GET", f"{MACHINE}/none").response
    assert response.headers["x-ms-failure-cause"] == "gateway"
    assert "'Microsoft.Compute/virtualMachines/none' under resource group 'rg-app'" in response.body["error"]["message"]


def test_api_version_is_required(ask):
    assert error_of(ask("GET", MACHINE, api_version="")) == (400, "MissingApiVersionParameter")


def test_bearer_token_is_required(ask):
    outcome = ask("GET", MACHINE, principal="")
    assert error_of(outcome) == (401, "AuthenticationFailed")
    assert outcome.response.headers["WWW-Authenticate"].startswith("Bearer ")


def test_common_headers(ask):
    headers = ask("GET", GROUP, headers={"x-ms-correlation-request-id": "mine"}).response.headers
    assert headers["x-ms-correlation-request-id"] == "mine"
    assert headers["Date"] == "Mon, 02 Mar 2026 08:00:00 GMT"
    assert {"x-ms-request-id", "x-ms-routing-request-id", "x-ms-ratelimit-remaining-subscription-reads"} <= set(headers)


@pytest.mark.parametrize("body", [["not", "an", "object"], "text", 7])
def test_a_body_that_is_no_object_is_refused(ask, body):
    assert error_of(ask("PUT", GROUP, body)) == (400, "InvalidRequestContent")


def test_a_body_that_no_handler_foresaw_is_an_answer(ask):
    assert error_of(ask("PUT", f"{MACHINE}/x", {"location": "westeurope", "properties": [1]})) == (
        500,
        "InternalServerError",
    )


MADE = f"{GROUP}-made"


@pytest.mark.parametrize(
    ("rule", "status", "took_effect"),
    [
        ({"status": 429, "retryAfter": 7, "count": 1}, 429, False),
        ({"status": 500, "count": 1, "method": "put"}, 500, False),
        ({"status": 504, "after": True, "count": 1, "path": "*/RG-APP-*"}, 504, True),
        ({"status": 503, "count": 1, "pathRegex": "resourcegroups/rg-app-made$"}, 503, False),
        ({"status": 409, "code": "Conflict", "count": 1, "caller": "test*"}, 409, False),
        ({"reset": "before", "count": 1}, 503, False),
        ({"reset": "after", "count": 1}, 201, True),
        ({"status": 500, "count": 1, "method": "GET"}, 201, True),
        ({"status": 500, "count": 1, "caller": "somebody"}, 201, True),
        ({"status": 500, "count": 1, "skip": 1}, 201, True),
        ({"status": 500, "probability": 0.0}, 201, True),
    ],
)
def test_faults(world, ask, rule, status, took_effect):
    world.faults.add(rule)
    outcome = ask("PUT", MADE, {"location": "westeurope"})
    assert outcome.response.status == status
    assert outcome.reset == rule.get("reset")
    assert world.store.has(MADE) == took_effect
    if "retryAfter" in rule:
        assert outcome.response.headers["Retry-After"] == "7"


def test_count_is_used_up(world, ask):
    world.faults.add({"status": 500, "count": 2})
    assert [ask("GET", GROUP).response.status for _ in range(4)] == [500, 500, 200, 200]


def test_probability_is_drawn_from_the_seed(world, ask):
    world.faults.add({"status": 500, "probability": 0.5})
    statuses = [ask("GET", GROUP).response.status for _ in range(60)]
    assert 10 < statuses.count(500) < 50


@pytest.mark.parametrize(
    ("rule", "complaint"),
    [
        ({}, "has one of"),
        ({"status": 500, "reset": "after"}, "has one of"),
        ({"status": 500, "probability": 2}, "probability"),
        ({"sttus": 500}, "sttus"),
        ({"operation": "explodes"}, "operation"),
        ({"status": 200}, "between 400 and 599"),
        ({"stale": 0}, "at least 1"),
        ({"page": "repeats", "body": "malformed"}, "has one of"),
        ({"status": 500, "pathRegex": "("}, "pathRegex"),
        ({"status": 500, "starts": "soon"}, "not a span of time"),
    ],
)
def test_wrong_rules_are_refused(world, rule, complaint):
    with pytest.raises(ValueError, match=complaint):
        world.faults.add(rule)
    assert world.faults.rules() == []


@pytest.mark.parametrize("kind", ["fails", "hangs"])
def test_operation_faults(world, ask, kind):
    world.faults.add({"operation": kind, "method": "DELETE", "code": "Broken", "count": 1})
    accepted = ask("DELETE", GROUP).response
    assert accepted.status == 202
    poll = ask("GET", accepted.headers["Location"].removeprefix("https://localhost:9443"))
    assert poll.response.status == (409 if kind == "fails" else 202)
    assert world.store.has(GROUP)


def test_outcome_names_what_was_started(world, ask):
    outcome = ask("DELETE", GROUP)
    assert [world.operations.get(guid).kind for guid in outcome.operations] == ["deleteResourceGroup"]


def test_next_link_keeps_the_query_and_its_host(world, ask):
    world.configuration = type(world.configuration)(page_size=1)
    for name in ("one", "two"):
        ask("PUT", f"{GROUP}-{name}", {"location": "westeurope", "tags": {"a": "b c"}})
    target = f"/subscriptions/{SUBSCRIPTION}/resourceGroups?$filter=tagName eq 'a' and tagValue eq 'b c'"
    first = json.loads(ask("GET", target).response.body)
    assert first["nextLink"].startswith("https://localhost:9443/subscriptions/")
    second = json.loads(ask("GET", first["nextLink"].removeprefix("https://localhost:9443")).response.body)
    assert [page["value"][0]["name"] for page in (first, second)] == ["rg-app-one", "rg-app-two"]
