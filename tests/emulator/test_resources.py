"""Subscriptions, resource groups, lists of resources and tags."""

from __future__ import annotations

import json

import pytest

SUBSCRIPTION = "11111111-1111-4111-8111-111111111111"
SCOPE = f"/subscriptions/{SUBSCRIPTION}"
GROUP = f"{SCOPE}/resourceGroups/rg-app"
DISK = f"{GROUP}/providers/Microsoft.Compute/disks/data"
TAGS = "providers/Microsoft.Resources/tags/default"


def page(outcome):
    body = outcome.response.body
    return json.loads(body) if isinstance(body, bytes) else body


def test_subscription_names_its_tenant(ask, world):
    (subscription,) = ask("GET", "/subscriptions").response.body["value"]
    assert subscription.items() >= {"subscriptionId": SUBSCRIPTION, "displayName": "Tests", "state": "Enabled"}.items()
    assert subscription["tenantId"] == world.configuration.tenant
    assert ask("GET", SCOPE).response.body == subscription


def test_group_life(ask):
    made = ask("PUT", f"{GROUP}-Ünï", {"location": "West Europe", "tags": {"a": "1"}}).response
    assert (made.status, made.body["name"], made.body["location"]) == (201, "rg-app-Ünï", "westeurope")
    assert ask("PUT", f"{GROUP}-ÜNÏ", {"location": "westeurope"}).response.status == 200
    assert ask("GET", f"{GROUP}-%C3%BCn%C3%AF").response.body["name"] == "rg-app-Ünï"
    assert ask("PATCH", f"{GROUP}-ünï", {"tags": {"b": "2"}}).response.body["tags"] == {"b": "2"}
    assert ask("HEAD", f"{GROUP}-ünï").response.status == 204
    accepted = ask("DELETE", f"{GROUP}-ünï").response
    assert accepted.status == 202
    assert ask("GET", accepted.headers["Location"].removeprefix("https://localhost:9443")).response.status == 200
    assert ask("HEAD", f"{GROUP}-ünï").response.status == 404


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [({}, 400, "LocationRequired"), ({"location": "eastus2"}, 409, "InvalidResourceGroupLocation")],
)
def test_group_refusals(ask, body, status, code):
    outcome = ask("PUT", GROUP, body)
    assert (outcome.response.status, outcome.response.body["error"]["code"]) == (status, code)


def test_deleting_a_group_takes_what_is_in_it(ask, world):
    ask("PUT", DISK, {"location": "westeurope", "properties": {"diskSizeGB": 4}})
    location = ask("DELETE", GROUP).response.headers["Location"]
    ask("GET", location.removeprefix("https://localhost:9443"))
    assert not world.store.has(DISK)


@pytest.fixture
def disks(ask):
    for name, tags in [("a", {"Env": "prod"}), ("b", {"env": "dev"}), ("c", {})]:
        ask("PUT", f"{GROUP}/providers/Microsoft.Compute/disks/{name}", {"location": "westeurope", "tags": tags})


@pytest.mark.usefixtures("disks")
@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["a", "b", "c"]),
        ("$filter=resourceType eq 'Microsoft.Compute/disks'", ["a", "b", "c"]),
        ("$filter=resourceType eq 'Microsoft.Compute/virtualMachines'", []),
        ("$filter=tagName eq 'ENV' and tagValue eq 'prod'", ["a"]),
        ("$filter=tagName eq 'env'", ["a", "b"]),
        ("$filter=resourceGroup eq 'RG-APP'", ["a", "b", "c"]),
        ("$filter=resourceGroup eq 'other'", []),
        ("$top=2", ["a", "b"]),
    ],
)
@pytest.mark.parametrize("scope", [SCOPE, GROUP])
def test_resource_lists(ask, scope, query, names):
    body = ask("GET", f"{scope}/resources?{query}").response.body
    assert [found["name"] for found in body["value"]] == names
    assert all("properties" not in found for found in body["value"])


@pytest.mark.usefixtures("disks")
def test_resource_lists_are_paged(ask, world):
    world.configuration = type(world.configuration)(page_size=2)
    first = ask("GET", f"{SCOPE}/resources").response.body
    second = ask("GET", first["nextLink"].removeprefix("https://localhost:9443")).response.body
    assert [found["name"] for found in first["value"] + second["value"]] == ["a", "b", "c"]
    assert "nextLink" not in second


@pytest.mark.usefixtures("disks")
@pytest.mark.parametrize(
    ("operation", "given", "after"),
    [
        ("Merge", {"ENV": "test", "new": "1"}, {"Env": "test", "new": "1"}),
        ("Replace", {"only": "this"}, {"only": "this"}),
        ("Delete", {"env": "prod"}, {}),
        ("Delete", {"env": "other value"}, {"Env": "prod"}),
    ],
)
def test_tags_of_any_resource(ask, operation, given, after):
    disk = f"{GROUP}/providers/Microsoft.Compute/disks/A"
    answer = ask("PATCH", f"{disk}/{TAGS}", {"operation": operation, "properties": {"tags": given}}).response
    assert (answer.status, answer.body["properties"]["tags"]) == (200, after)
    assert ask("GET", disk).response.body["tags"] == after
    assert ask("GET", f"{disk}/{TAGS}").response.body["properties"]["tags"] == after


@pytest.mark.usefixtures("disks")
def test_tag_refusals(ask):
    disk = f"{GROUP}/providers/Microsoft.Compute/disks/a"
    many = {f"t{number}": "x" for number in range(51)}
    assert ask("PUT", f"{disk}/{TAGS}", {"properties": {"tags": many}}).response.status == 400
    assert ask("PATCH", f"{disk}/{TAGS}", {"operation": "Guess", "properties": {}}).response.status == 400
    assert ask("GET", f"{disk}-none/{TAGS}").response.status == 404
    assert ask("DELETE", f"{disk}/{TAGS}").response.status == 200
    assert ask("GET", disk).response.body["tags"] == {}


def test_provider_registrations(ask):
    namespaces = {found["namespace"] for found in page(ask("GET", f"{SCOPE}/providers"))["value"]}
    assert {"Microsoft.Compute", "Microsoft.RecoveryServices"} <= namespaces
    registered = ask("POST", f"{SCOPE}/providers/Microsoft.Compute/register").response.body
    assert registered["registrationState"] == "Registered"
