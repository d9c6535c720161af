"""Long-running operations, in the shapes that the services answer with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from reconciler.azure.operations import Operation, operation_from, retry_after, wait
from reconciler.errors import ConflictError, DeniedError, FailedError, GuardedError, OperationTimeoutError

GUID = "7d1f6a5e-0c3b-4b7e-9d55-2f9f3a1b6c11"
GROUP = "/subscriptions/00000000-1111-2222-3333-444444444444/resourceGroups/rg"
VAULT = f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/v"
STATUS = f"{VAULT}/backupOperations/{GUID}"
RESULT = f"{VAULT}/backupOperationResults/{GUID}"
HOUR = timedelta(hours=1)
RUNNING = {
    "id": GUID,
    "name": GUID,
    "status": "InProgress",
    "startTime": "2026-03-02T08:00:00.1234567Z",
    "endTime": "0001-01-01T00:00:00",
}
DONE = {
    **RUNNING,
    "status": "Succeeded",
    "endTime": RUNNING["startTime"],
    "properties": {"objectType": "OperationStatusJobExtendedInfo", "jobId": "a-job"},
}


def on(script, via="azure-async", path=STATUS, **more):
    return Operation(url=f"{script.endpoint}{path}?api-version=2026-08-01&t=1", via=via, resource=VAULT, **more)


@pytest.mark.parametrize(
    ("status", "headers", "state", "expected"),
    [
        (202, {"Azure-AsyncOperation": "https://x/a", "Location": "https://x/b"}, "", ("azure-async", "https://x/a")),
        (202, {"location": "https://x/b"}, "", ("location", "https://x/b")),
        (201, {"azure-asyncoperation": "https://x/a"}, "Provisioning", ("azure-async", "https://x/a")),
        (201, {}, "Provisioning", ("resource", f"{VAULT}?api-version=2026-07-01")),
        (201, {}, "Succeeded", None),
        (200, {}, "Succeeded", None),
        (200, {}, "", None),
        (204, {}, "", None),
        (200, {"Azure-AsyncOperation": "https://x/a"}, "Succeeded", ("azure-async", "https://x/a")),
        (201, {"Location": "https://x/resource"}, "Succeeded", None),
        (204, {"Azure-AsyncOperation": "https://x/still-there"}, "", None),
    ],
)
def test_what_there_is_to_wait_for(status, headers, state, expected):
    found = operation_from(status, headers, VAULT, state=state, api_version="2026-07-01")
    assert (found and (found.via, found.url)) == expected


async def test_status_document_until_succeeded(script, door, say, waits):
    script.on[STATUS] = [say(body=RUNNING), say(body=RUNNING), say(body=DONE)]
    polls = []
    async with door() as azure:
        final = await wait(azure, on(script), limit=HOUR, on_poll=polls.append)
    assert final["properties"]["jobId"] == "a-job"
    assert polls == ["InProgress", "InProgress"]
    assert waits.seconds == [2.0, 3.0]


async def test_waits_grow_to_half_a_minute(script, door, say, waits):
    script.on[STATUS] = [say(body=RUNNING)] * 12 + [say(body=DONE)]
    async with door() as azure:
        await wait(azure, on(script), limit=HOUR)
    assert waits.seconds == sorted(waits.seconds)
    assert waits.seconds[-1] == 30.0


async def test_waits_as_long_as_azure_says(script, door, say, waits):
    script.on[STATUS] = [
        say(body=RUNNING, headers={"Retry-After": "61"}),
        say(body=RUNNING, headers={"x-ms-retry-after-ms": "40"}),
        say(body=DONE),
    ]
    async with door() as azure:
        await wait(azure, on(script), limit=HOUR)
    assert waits.seconds == [61.0, 0.04]


async def test_vault_document_with_crlf(script, door, say):
    script.on[STATUS] = [say(body=b'{\r\n  "id": "x",\r\n  "name": "NDA5NTs=",\r\n  "status": "Succeeded"\r\n}')]
    async with door() as azure:
        assert (await wait(azure, on(script), limit=HOUR))["status"] == "Succeeded"


async def test_results_stay_202_and_end_in_204(script, door, say, waits):
    again = f"{script.endpoint}{RESULT}?api-version=2026-08-01&t=2"
    script.on[RESULT] = [say(202, headers={"Location": again}), say(202, headers={"Location": again}), say(204)]
    async with door() as azure:
        assert await wait(azure, on(script, "location", RESULT), limit=HOUR) == {}
    assert [request.rel_url.query["t"] for request in script.seen] == ["1", "2", "2"]
    assert len(waits.seconds) == 2


async def test_results_may_end_in_the_resource(script, door, say):
    script.on[RESULT] = [say(202), say(200, {"id": VAULT, "properties": {}})]
    async with door() as azure:
        assert (await wait(azure, on(script, "location", RESULT), limit=HOUR))["id"] == VAULT


async def test_204_ends_a_status_document_too(script, door, say):
    script.on[STATUS] = [say(body=RUNNING), say(204)]
    async with door() as azure:
        assert await wait(azure, on(script), limit=HOUR) == {}


async def test_provisioning_state_of_the_resource(script, door, say):
    script.on[VAULT] = [
        say(body={"properties": {"provisioningState": "Provisioning"}}),
        say(body={"id": VAULT, "properties": {"provisioningState": "Succeeded"}}),
    ]
    operation = Operation(url=f"{VAULT}?api-version=2026-07-01", via="resource", resource=VAULT)
    async with door() as azure:
        assert (await wait(azure, operation, limit=HOUR))["id"] == VAULT


async def test_404_of_a_deleted_vaults_operation_is_success(script, door, say):
    gone = say(404, {"error": {"code": "ResourceNotFound", "message": "The Resource was not found."}})
    script.on[STATUS] = [say(body=RUNNING), gone]
    async with door() as azure:
        assert await wait(azure, on(script, gone_is_success=True), limit=HOUR) == {}
        with pytest.raises(FailedError, match="no longer knows the operation"):
            await wait(azure, on(script), limit=HOUR)


@pytest.mark.parametrize("state", ["Failed", "Canceled", "failed"])
async def test_failed_operations_give_azures_code_and_words(script, door, say, state):
    error = {"code": "UserErrorGuestAgentStatusUnavailable", "message": "The VM agent\r\nis not there."}
    script.on[STATUS] = [say(body={**RUNNING, "status": state, "error": error})]
    async with door() as azure:
        with pytest.raises(FailedError) as caught:
            await wait(azure, on(script), limit=HOUR)
    assert caught.value.code == "UserErrorGuestAgentStatusUnavailable"
    assert "The VM agent is not there." in caught.value.why
    assert VAULT in caught.value.message


async def test_failed_provisioning(script, door, say):
    script.on[VAULT] = [say(body={"properties": {"provisioningState": "Failed"}})]
    operation = Operation(url=f"{VAULT}?api-version=2026-07-01", via="resource", resource=VAULT)
    async with door() as azure:
        with pytest.raises(FailedError, match="ended as Failed"):
            await wait(azure, operation, limit=HOUR)


async def test_an_operation_that_needs_approval(script, door, say):
    error = {"code": "UserErrorResourceGuardOperation", "message": "Resource Guard approval is needed"}
    script.on[STATUS] = [say(body={**RUNNING, "status": "Failed", "error": error})]
    async with door() as azure:
        with pytest.raises(GuardedError):
            await wait(azure, on(script), limit=HOUR)


async def test_polls_that_break_do_not_break_the_operation(script, door, say, waits):
    broken = say(500, {"ErrorCode": "CloudInternalError", "Message": {"Value": "try again"}})
    limited = say(429, {"error": {"code": "ResourceRequestsThrottled", "message": "wait"}}, {"Retry-After": "324"})
    script.on[STATUS] = [broken] * 8 + [say(drop=True)] * 5 + [limited] * 8 + [say(body=DONE)]
    async with door() as azure:
        assert (await wait(azure, on(script), limit=timedelta(hours=5)))["status"] == "Succeeded"
    assert 324.0 in waits.seconds


@pytest.mark.parametrize(("status", "kind"), [(403, DeniedError), (409, ConflictError), (400, FailedError)])
async def test_refused_polls_are_errors(script, door, say, status, kind):
    script.on[STATUS] = [say(status, {"error": {"code": "X", "message": "y"}})]
    async with door() as azure:
        with pytest.raises(kind):
            await wait(azure, on(script), limit=HOUR)


async def test_an_operation_that_hangs(script, door, say, waits):
    script.on[STATUS] = [say(body=RUNNING)]
    operation = on(script)
    operation = msgspec.structs.replace(operation, url=f"{operation.url}&s=signature&h=hash")
    async with door() as azure:
        with pytest.raises(OperationTimeoutError, match="has not ended") as caught:
            await wait(azure, operation, limit=timedelta(minutes=10))
    assert 600 <= sum(waits.seconds) <= 640
    assert "InProgress" in caught.value.why
    assert "signature" not in str(caught.value)


async def test_a_later_run_goes_on_waiting(script, door, say):
    script.on[STATUS] = [say(body=RUNNING), say(body=DONE)]
    kept = msgspec.json.encode(on(script, gone_is_success=True))
    async with door() as azure:
        again = msgspec.json.decode(kept, type=Operation)
        assert (await wait(azure, again, limit=HOUR))["status"] == "Succeeded"
    assert {request.method for request in script.seen} == {"GET"}


NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "60"}, 60.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "0.05"}, 0.05),
        ({"retry-after": "Mon, 02 Mar 2026 08:01:30 GMT"}, 90.0),
        ({"retry-after": "Mon, 02 Mar 2026 07:00:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"x-ms-retry-after-ms": "20"}, 0.02),
        ({"retry-after": "5", "x-ms-retry-after-ms": "20"}, 5.0),
        ({"x-ms-retry-after-ms": "x"}, None),
    ],
)
def test_retry_after(headers, seconds):
    assert retry_after(headers, NOW) == seconds


SNAPSHOT = f"{GROUP}/providers/Microsoft.Compute/snapshots/s"


def copying(percent, **more):
    known = {} if percent is None else {"completionPercent": percent}
    return {"id": SNAPSHOT, "properties": {"provisioningState": "Succeeded", **known, **more}}


def copy_of(script):
    return on(script, background=f"{script.endpoint}{SNAPSHOT}?api-version=2025-01-02")


async def test_a_copy_is_waited_for_until_it_is_complete(script, door, say):
    script.on[STATUS] = [say(body=RUNNING), say(body=DONE)]
    script.on[SNAPSHOT] = [say(body=copying(one)) for one in (None, 0.0, 41.7, 100.0)]
    polls = []
    async with door() as azure:
        final = await wait(azure, copy_of(script), limit=HOUR, on_poll=polls.append)
    assert final["properties"]["completionPercent"] == 100.0
    assert polls == ["InProgress", "Succeeded", "0 % copied", "42 % copied"]


async def test_a_copy_whose_operation_is_forgotten_goes_on(script, door, say):
    script.on[STATUS] = [say(404, body={"error": {"code": "NotFound", "message": "gone"}})]
    script.on[SNAPSHOT] = [say(body=copying(99)), say(body=copying(100))]
    async with door() as azure:
        assert (await wait(azure, copy_of(script), limit=HOUR))["id"] == SNAPSHOT


async def test_a_copy_that_fails_says_why(script, door, say):
    script.on[STATUS] = [say(body=DONE)]
    error = {"errorCode": "CopySourceNotFound", "errorMessage": "the source is gone"}
    script.on[SNAPSHOT] = [say(body=copying(40, copyCompletionError=error))]
    async with door() as azure:
        with pytest.raises(FailedError) as raised:
            await wait(azure, copy_of(script), limit=HOUR)
    assert raised.value.code == "CopySourceNotFound"
    assert "the source is gone" in raised.value.why
