"""Jobs of Azure Backup as they are told: recorded answers, and ones that make no sense."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.azure.backup_jobs import job_complaint, job_named, job_progress


def job(*tasks: dict[str, Any], **extended: Any) -> dict[str, Any]:
    return {"properties": {"status": "InProgress", "extendedInfo": {"tasksList": list(tasks), **extended}}}


TRANSFER = {"taskId": "Transfer data from vault", "duration": "PT0S", "status": "InProgress"}
MAKE = {"taskId": "Create the restored virtual machine", "status": "NotStarted"}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (job(TRANSFER, progressPercentage=1.0), "1 %, task 1 of 1: Transfer data from vault"),
        (
            job({**TRANSFER, "taskExecutionDetails": "62 GBs / 127 GBs Transferred"}, MAKE, progressPercentage=48.6),
            "49 %, task 1 of 2: Transfer data from vault (62 GBs / 127 GBs Transferred)",
        ),
        (
            job({**TRANSFER, "status": "Completed"}, {**MAKE, "status": "InProgress"}),
            "task 2 of 2: Create the restored virtual machine",
        ),
        (job(), ""),
        ({"properties": {"status": "InProgress"}}, ""),
        ({"properties": {"extendedInfo": "nothing"}}, ""),
        ({}, ""),
    ],
)
def test_progress(body: dict[str, Any], told: str) -> None:
    assert job_progress(body) == told


def test_a_failed_job_tells_azures_code_words_and_recommendation() -> None:
    error = {
        "errorCode": 400136,
        "errorTitle": "UserErrorVmNotFoundV2",
        "errorString": "Virtual machine doesn't exist.",
        "recommendations": ["Select a different virtual machine."],
    }
    envelope, advice = job_complaint({"properties": {"status": "Failed", "errorDetails": [error]}})
    assert envelope == {"error": {"code": "UserErrorVmNotFoundV2", "message": "Virtual machine doesn't exist."}}
    assert advice == "Select a different virtual machine."
    assert job_complaint({"properties": {"errorDetails": None}}) == ({}, "")
    assert job_complaint({"properties": 3}) == ({}, "")


@pytest.mark.parametrize(
    ("body", "name"), [({"properties": {"jobId": "j"}}, "j"), ({"properties": None}, ""), ({"properties": {}}, "")]
)
def test_the_job_that_an_operation_hands_over_to(body: dict[str, Any], name: str) -> None:
    assert job_named(body) == name
