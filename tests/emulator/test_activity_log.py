"""The Activity Log: what every write leaves in it, what it can be asked, and what it forgets."""

from __future__ import annotations

import tracemalloc
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.monitor import MonitorManagementClient
from azure.mgmt.monitor.models import EventData

from reconciler.emulator import activity
from reconciler.emulator.activity import Activity
from reconciler.emulator.bearer import object_id, token_in_name_of
from reconciler.emulator.portal import request
from reconciler.emulator.serving import Served
from reconciler.emulator.store import Store
from reconciler.emulator.world import Configuration, World
from tests.emulator.conftest import GROUP, NOW, SUBSCRIPTION, Ask, Serve

EVENTS = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Insights/eventtypes/management/values"
SINCE = f"eventTimestamp ge '{(NOW - timedelta(days=1)).isoformat()[:19]}Z'"
DISK = f"{GROUP}/providers/Microsoft.Compute/disks/d-01"
TAGS = f"{GROUP}/providers/Microsoft.Resources/tags/default"
EMPTY_DISK = {"location": "westeurope", "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 8}}


def events(ask: Ask, filtered: str = SINCE, select: str = "", **options: Any) -> list[dict[str, Any]]:
    target = f"{EVENTS}?$filter={quote(filtered)}" + (f"&$select={select}" if select else "")
    answer = ask("GET", target, api_version="2015-04-01", **options)
    assert answer.response.status == 200, answer.response.body
    return list(answer.response.body["value"])


def told(event: dict[str, Any]) -> tuple[str, str, str]:
    return event["operationName"]["value"], event["status"]["value"], event["subStatus"]["value"]


def test_a_write_leaves_its_start_and_its_end(ask: Ask) -> None:
    sent = ask("PUT", TAGS, {"properties": {"tags": {"a": "b"}}})
    ended, started = events(ask)
    assert told(started) == ("Microsoft.Resources/tags/write", "Started", "")
    assert told(ended) == ("Microsoft.Resources/tags/write", "Succeeded", "OK")
    assert started["correlationId"] == ended["correlationId"] == sent.response.headers["x-ms-correlation-request-id"]
    assert started["eventDataId"] != ended["eventDataId"]
    assert ended["resourceId"] == TAGS
    assert ended["resourceGroupName"] == "rg-app"


def test_what_goes_on_is_accepted_until_it_has_ended(ask: Ask, world: World) -> None:
    world.clock.auto_advance = False
    ask("PUT", DISK, EMPTY_DISK)
    assert [event["status"]["value"] for event in events(ask)] == ["Accepted", "Started"]
    world.advance(timedelta(hours=1))
    ended, accepted, started = events(ask)
    assert told(ended) == ("Microsoft.Compute/disks/write", "Succeeded", "")
    assert ended["eventTimestamp"] > accepted["eventTimestamp"] == started["eventTimestamp"]


def test_what_a_provider_refuses_failed(ask: Ask) -> None:
    many = {str(number): "x" for number in range(51)}
    assert ask("PATCH", TAGS, {"operation": "Merge", "properties": {"tags": many}}).response.status == 400
    failed = events(ask)[0]
    assert told(failed) == ("Microsoft.Resources/tags/write", "Failed", "BadRequest")
    assert failed["level"] == "Error"


def test_an_action_is_written_down_of_the_resource(ask: Ask) -> None:
    ask("PUT", DISK, EMPTY_DISK)
    ask("POST", f"{DISK}/beginGetAccess", {"access": "Read", "durationInSeconds": 60})
    newest = events(ask)[0]
    assert newest["operationName"]["value"] == "Microsoft.Compute/disks/beginGetAccess/action"
    assert newest["resourceId"] == DISK
    assert newest["resourceType"]["value"] == "Microsoft.Compute/disks"


def test_reads_and_what_arm_itself_refuses_leave_nothing(ask: Ask) -> None:
    ask("GET", GROUP)
    ask("PUT", f"/subscriptions/{SUBSCRIPTION}/resourceGroups/none/providers/Microsoft.Compute/disks/d", EMPTY_DISK)
    ask("PUT", DISK, EMPTY_DISK, principal="")
    assert events(ask) == []


@pytest.mark.parametrize(
    ("clause", "names"),
    [
        ("resourceGroupName eq 'RG-APP'", {"d-01", "default"}),
        ("resourceGroupName eq rg-other", set()),
        (f"resourceUri eq '{DISK.upper()}/'", {"d-01"}),
        (f"resourceUri eq '{GROUP}'", set()),
        (f"resourceId eq {DISK}", {"d-01"}),
        ("resourceProvider eq 'microsoft.compute'", {"d-01"}),
        ("correlationId eq 'run-7'", {"default"}),
        ("caller eq 'nobody@example.com'", set()),
        ("resourceGroupName eq 'rg-app' and status eq 'Succeeded'", {"d-01", "default"}),
        ("eventChannels eq 'Admin, Operation' and levels eq 'Critical,Error'", set()),
        (f"eventTimestamp le '{(NOW - timedelta(hours=1)).isoformat()[:19]}.1234567Z'", set()),
    ],
)
def test_it_is_narrowed_by_one_thing(ask: Ask, clause: str, names: set[str]) -> None:
    ask("PUT", DISK, EMPTY_DISK)
    ask("PUT", TAGS, {"properties": {"tags": {}}}, headers={"x-ms-correlation-request-id": "run-7"})
    ask("GET", DISK), ask("GET", DISK), ask("GET", DISK)
    assert {event["resourceId"].rpartition("/")[2] for event in events(ask, f"{SINCE} and {clause}")} == names


@pytest.mark.parametrize(
    "filtered",
    [
        "",
        "eventTimestamp le '2026-03-02T08:00:00Z'",
        "eventTimestamp ge 'yesterday'",
        "eventTimestamp ge '2026-03-02T08:00:00+01:00'",
        "eventTimestamp ge '2025-12-01T00:00:00Z'",
        f"{SINCE} and eventTimestamp le '2026-02-01T00:00:00Z'",
        f"{SINCE} and resourceGroupName eq 'a' and resourceUri eq '/b'",
        f"{SINCE} and resourceType eq 'b'",
        f"{SINCE} and caller ge 'a'",
        f"{SINCE} or caller eq 'a'",
        f"{SINCE} and {SINCE}",
    ],
)
def test_any_other_filter_is_refused(ask: Ask, filtered: str) -> None:
    answer = ask("GET", f"{EVENTS}?$filter={quote(filtered)}", api_version="2015-04-01").response
    assert (answer.status, answer.body["code"]) == (400, "BadRequest")


def test_it_is_asked_as_az_asks(ask: Ask) -> None:
    ask("PUT", DISK, EMPTY_DISK)
    window = "eventTimestamp ge 2026-03-01T08:00:00.123456 and eventTimestamp le 2026-03-02T09:00:00"
    assert len(events(ask, f"{window} and resourceId eq '{DISK}' and caller eq 'tests'")) == 0
    assert len(events(ask, f"{window} and resourceGroupName eq 'rg-app'", select="caller%20,%20status")) == 2


def test_selected_properties_are_all_there_is(ask: Ask) -> None:
    ask("PUT", DISK, EMPTY_DISK)
    assert {frozenset(event) for event in events(ask, select="caller,eventtimestamp")} == {
        frozenset({"caller", "eventTimestamp"})
    }
    assert (
        ask("GET", f"{EVENTS}?$filter={quote(SINCE)}&$select=colour", api_version="2015-04-01").response.status == 400
    )


def test_it_is_forgotten_after_ninety_days(ask: Ask, world: World) -> None:
    ask("PUT", DISK, EMPTY_DISK)
    world.advance(timedelta(days=89))
    back = f"eventTimestamp ge '{(NOW - timedelta(hours=1)).isoformat()[:19]}Z'"
    assert len(events(ask, back)) == 3
    world.advance(timedelta(days=2))
    assert ask("GET", f"{EVENTS}?$filter={quote(back)}", api_version="2015-04-01").response.status == 400
    oldest = (NOW + timedelta(days=91) - activity.KEPT).isoformat()[:19]
    assert events(ask, f"eventTimestamp ge '{oldest}Z'") == []


def test_it_takes_a_right_of_its_own(ask: Ask, world: World) -> None:
    held = {"scope": f"/subscriptions/{SUBSCRIPTION}", "actions": ["Microsoft.Compute/*"], "notActions": []}
    world.store.put_document("authorization", "assignments", [held])
    answer = ask("GET", f"{EVENTS}?$filter={quote(SINCE)}", api_version="2015-04-01").response
    assert answer.status == 403
    assert "Microsoft.Insights/eventtypes/values/read" in answer.body["error"]["message"]
    held["actions"] = ["Microsoft.Insights/eventtypes/values/Read"]
    world.store.put_document("authorization", "assignments", [held])
    assert events(ask) == []


def _client(server: Served, credential: Any) -> MonitorManagementClient:
    return MonitorManagementClient(
        credential, SUBSCRIPTION, base_url=server.running.endpoint, connection_verify=server.running.ca
    )


def _since(server: Served) -> str:
    return f"eventTimestamp ge '{(server.emulator.world.clock.now() - timedelta(days=1)).isoformat()[:19]}Z'"


def test_the_sdk_reads_all_pages_and_who_it_was(serve: Serve, credential: Any) -> None:
    server = serve(configuration=Configuration(page_sizes={"microsoft.insights/eventtypes": 3}))
    body = '{"location": "westeurope", "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 8}}'
    path = f"{DISK}?api-version=2025-01-02"
    for number, caller in enumerate(("alice@example.com", "0a1b2c3d-0000-4000-8000-000000000001", "x@example.com")):
        assert request(server.running, "PUT", path.replace("d-01", f"d-0{number}"), body, caller=caller).status < 300
    with _client(server, credential) as client:
        found: list[EventData] = list(client.activity_logs.list(filter=_since(server)))
    assert sum(entry.template.endswith("management/values") for entry in server.emulator.log.recent()) > 1
    assert len({event.event_data_id for event in found}) == len(found) == 6
    times = [event.event_timestamp for event in found if event.event_timestamp]
    assert times == sorted(times, reverse=True)
    assert [event.caller for event in found[::2]] == [
        "x@example.com",
        "0a1b2c3d-0000-4000-8000-000000000001",
        "alice@example.com",
    ]
    assert found[-1].claims is not None
    assert found[-1].claims["http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"] == "alice@example.com"
    assert found[-1].http_request is not None
    assert found[-1].http_request.method == "PUT"


def test_the_sdk_is_told_what_is_wrong_with_a_filter(server: Served, credential: Any) -> None:
    with _client(server, credential) as client, pytest.raises(HttpResponseError) as refused:
        list(client.activity_logs.list(filter="eventTimestamp ge '2020-01-01T00:00:00Z'"))
    assert refused.value.status_code == 400
    assert "90 days" in refused.value.message


def test_a_token_that_says_nothing_still_has_an_owner(ask: Ask) -> None:
    ask("PUT", DISK, EMPTY_DISK, principal="unknown")
    assert {event["caller"] for event in events(ask)} == {object_id("unknown")}
    assert token_in_name_of("a@b.c") != token_in_name_of("a")


def test_a_long_run_stays_small() -> None:
    store = Store()
    tracemalloc.start()
    for number in range(20_000):
        written = Activity(
            0, NOW + timedelta(minutes=number), "PUT", f"{DISK}-{number}", "a/write", "c", 200, f"{number}"
        )
        activity.keep(store, written)
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert used < 5_000_000
    last = NOW + timedelta(minutes=19_999)
    found = [one.number for one in activity.activities(store, last - timedelta(days=1), last)]
    assert found == sorted(found, reverse=True)
    assert len(found) == 1441


def test_pages_of_more_than_ninety_days_are_let_go() -> None:
    store = Store()
    for number in range(3_000):
        activity.keep(store, Activity(0, NOW + timedelta(hours=number), "PUT", DISK, "a/write", "c", 200, "x"))
    assert len(store.documents("activity")) <= 90 * 24 // 32 + 2
    assert not [*activity.activities(store, NOW, NOW + timedelta(days=20))]
