"""The words for how far a job of Site Recovery is."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.azure.job_progress import progress


def job(*tasks: dict[str, Any]) -> dict[str, Any]:
    return {"id": "/j", "name": "j", "properties": {"state": "InProgress", "tasks": list(tasks)}}


def task(name: str, state: str, *children: dict[str, Any], **details: Any) -> dict[str, Any]:
    group = {"groupTaskCustomDetails": {"childTasks": list(children)}} if children else {}
    return {"friendlyName": name, "state": state, **group, "customDetails": details or None}


MANUAL = task("ask", "InProgress", instanceType="ManualActionTaskDetails", instructions="Is the database up?")
CASES: list[tuple[Any, str]] = [
    (job(task("check", "Succeeded"), task("make", "InProgress"), task("end", "NotStarted")), "task 2 of 3: make"),
    (job(task("check", "NotStarted"), task("make", "NotStarted")), "0 of 2 tasks done"),
    (job(task("check", "Succeeded"), task("shut", "Other"), task("make", "NotStarted")), "2 of 3 tasks done"),
    (
        job(task("Group 1", "InProgress", task("a", "Succeeded"), *(task(n, "InProgress") for n in "bcde"))),
        "task 1 of 1: Group 1 (b, c, d, …)",
    ),
    (
        job(task("Group 1", "Suspended", task("a", "Succeeded"), MANUAL)),
        "waits for manual action 'ask': Is the database up?",
    ),
    (job(task("Group 1", "Suspended", {**MANUAL, "state": "Succeeded"})), "task 1 of 1: Group 1"),
    (job(), ""),
    ({"properties": {"tasks": None}}, ""),
    ({"properties": {"tasks": "?"}}, ""),
    (None, ""),
]


@pytest.mark.parametrize(("body", "words"), CASES)
def test_progress(body: Any, words: str) -> None:
    assert progress(body) == words
