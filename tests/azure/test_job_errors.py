"""A failed operation of Site Recovery with the causes that its job tells (recorded: job_details, errors)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from reconciler.azure.job_errors import JobBody, explain
from reconciler.errors import FailedError

FAILURE = FailedError("the operation on vm ended as Failed", code="45005", resource="vm", why="45005: not enabled")


def cause(**details: str | None) -> dict[str, Any]:
    return {"serviceErrorDetails": details, "providerErrorDetails": None, "errorLevel": "Error"}


def told(errors: list[Any] | None, tasks: list[Any] | None = None) -> FailedError:
    return explain(FAILURE, msgspec.convert({"properties": {"errors": errors, "tasks": tasks}}, JobBody))


EGRESS = cause(
    code="151192",
    message="Site recovery configuration failed.",
    possibleCauses="Connection\r\n cannot be established.",
    recommendedAction="Open the proxy.",
)


def test_code_cause_and_what_to_do() -> None:
    found = told([EGRESS])
    assert found.why == (
        "45005: not enabled\n        151192: Site recovery configuration failed. (Connection cannot be established.)"
    )
    assert found.advice == "Open the proxy."
    assert (found.message, found.code, found.resource) == (FAILURE.message, "45005", "vm")


def test_what_a_task_says_again_is_said_once() -> None:
    found = told([EGRESS], [{"friendlyName": "Install", "errors": [EGRESS, cause(code="1", message="more")]}])
    assert found.why.count("151192") == 1
    assert found.why.endswith("1: more")


def test_a_cause_that_only_the_job_tells_is_not_called_no_reason() -> None:
    silent = FailedError("the operation on plan ended as Failed", why="Azure gave no reason")
    found = explain(silent, msgspec.convert({"properties": {"errors": [EGRESS]}}, JobBody))
    assert found.why.startswith("151192: ")
    assert "no reason" not in found.why


@pytest.mark.parametrize("errors", [None, [], [cause()], [{"serviceErrorDetails": None}]])
def test_a_job_that_says_nothing_leaves_the_failure_as_it_was(errors: list[Any] | None) -> None:
    assert told(errors) is FAILURE
