"""Backup jobs: of configuration, of schedules and of requests."""

from __future__ import annotations

from typing import Any

import pytest


def jobs(caller: Any, filter_: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = caller.get("rsv-app/backupJobs", filter_)["value"]
    return found


@pytest.mark.parametrize(
    ("vm", "method", "more", "operation", "bag"),
    [
        ("web-01", "PUT", {}, "ConfigureBackup", {"Policy Name": "daily-30d"}),
        ("kept-01", "PUT", {"policy": "daily-9d"}, "ConfigureBackup", {"Policy Name": "daily-9d"}),
        (
            "kept-01",
            "PUT",
            {"policy": "", "protectionState": "ProtectionStopped"},
            "DisableBackup",
            {"Policy Name": ""},
        ),
        (
            "deleted-01",
            "PUT",
            {"policy": "", "protectionState": "ProtectionStopped", "isRehydrate": True},
            "Undelete",
            {"Undelete flag": "True"},
        ),
        ("kept-01", "DELETE", {}, "DeleteBackupData", {"Number of Recovery Points": "30"}),
    ],
)
def test_every_configuration_has_a_job(
    caller: Any, vm: str, method: str, more: dict[str, Any], operation: str, bag: dict[str, str]
) -> None:
    answer = caller.configure(vm, **more) if method == "PUT" else caller.send("DELETE", caller.item_path(vm))
    done = caller.finish(answer)
    job = caller.get(f"rsv-app/backupJobs/{done['properties']['jobId']}")["properties"]
    assert (job["operation"], job["status"], job["entityFriendlyName"]) == (operation, "Completed", vm)
    assert job["extendedInfo"]["propertyBag"] == {"VM Name": vm, **bag}
    assert job["duration"].startswith("PT")
    assert job["endTime"] > job["startTime"]
    (listed,) = jobs(caller, f"operation eq '{operation}'")
    assert "extendedInfo" not in listed["properties"]


def test_the_history_of_an_estate_has_jobs(caller: Any) -> None:
    completed = jobs(caller, "status eq 'Completed'")
    assert completed
    failed = jobs(caller, "operation eq 'Backup' and status eq 'Failed'")
    titles = {job["properties"]["errorDetails"][0]["errorTitle"] for job in failed}
    assert titles == {"UserErrorVmNotFoundV2", "UserErrorGuestAgentStatusUnavailable"}
    one = jobs(caller, f"jobId eq '{failed[0]['name']}'")
    assert [job["name"] for job in one] == [failed[0]["name"]]
    assert caller.get(f"rsv-app/backupJobs/{failed[0]['name']}")["properties"]["extendedInfo"]["tasksList"]


def test_jobs_are_newest_first_filtered_by_time_and_paged(caller: Any) -> None:
    found = jobs(caller, "startTime eq '2026-02-20 12:00:00 AM' and endTime eq '2026-02-21 12:00:00 AM'")
    times = [job["properties"]["startTime"] for job in jobs(caller)]
    assert times == sorted(times, reverse=True)
    assert {job["properties"]["startTime"][:10] for job in found} == {"2026-02-20"}
    caller.world.configuration = type(caller.world.configuration)(page_size=20)
    page = caller.get("rsv-app/backupJobs")
    names = [job["name"] for job in page["value"]]
    while "nextLink" in page:
        page = caller.get(page["nextLink"].removeprefix("https://localhost:9443"))
        names += [job["name"] for job in page["value"]]
    assert len(names) == len(set(names)) == len(times)
    assert caller.send("GET", "rsv-app/backupJobs?$skiptoken=x").status == 400


def test_a_scheduled_backup_is_seen_while_it_runs(caller: Any) -> None:
    caller.wait(hours=14, minutes=20)
    running = jobs(caller, "status eq 'InProgress'")
    assert "kept-01" in [job["properties"]["entityFriendlyName"] for job in running]
    caller.wait(hours=2)
    assert jobs(caller, "status eq 'InProgress'") == []


def test_who_asks_for_a_job_again_sees_its_end(caller: Any) -> None:
    """The clock stands still; `az backup job wait` reads the job and nothing else."""
    backup = caller.do("POST", caller.item_path("kept-01") + "/backup", {})["properties"]["jobId"]
    caller.configure("web-01")
    (configuration,) = jobs(caller, "operation eq 'ConfigureBackup'")
    for job in (backup, configuration["name"]):
        told = [caller.get(f"rsv-app/backupJobs/{job}")["properties"]["status"] for _ in range(2)]
        assert told[-1] == "Completed", told
    assert caller.item("web-01")["protectionState"] == "IRPending"


def test_cancel(caller: Any) -> None:
    done = caller.do("POST", caller.item_path("kept-01") + "/backup", {})
    path = f"rsv-app/backupJobs/{done['properties']['jobId']}"
    answer = caller.send("POST", f"{path}/cancel")
    assert (answer.status, answer.body) == (202, None)
    assert "api-version=2019-05-13-preview" in answer.headers["Azure-AsyncOperation"]
    caller.finish(answer)
    job = caller.get(path)["properties"]
    assert job["status"] == "CompletedWithWarnings"
    assert job["errorDetails"][0]["errorTitle"] == "UserErrorJobSuccessfullyCancelled"
    assert caller.item("kept-01")["lastBackupStatus"] == "CompletedWithWarnings"
    assert caller.send("POST", f"{path}/cancel").status == 400


def test_an_unknown_job_is_404(caller: Any) -> None:
    for guid in ("11111111-1111-4111-8111-111111111111", "0" * 8 + "-0000-4000-a000-000000000000", "what"):
        assert caller.send("GET", f"rsv-app/backupJobs/{guid}").status == 404
