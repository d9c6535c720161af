"""The descriptions against the recordings, where these are at hand: they are not in this repository."""

from __future__ import annotations

import json
from collections import Counter
from urllib.parse import unquote

import pytest
import yaml

from tests.emulator.recorded.recordings import exchanges
from tests.emulator.recorded.shape import SHAPES, fits, marked
from tests.emulator.recorded.witness import book

DIFFERENCES = yaml.safe_load((SHAPES / "differences.yaml").read_text(encoding="utf-8"))


def test_recordings_fit_their_descriptions() -> None:
    described, wrong, seen = book(), {}, Counter()
    for exchange in exchanges():
        operation = described.find(exchange.method, unquote(exchange.path))
        if operation is None:
            continue
        seen[operation.request] += 1
        found = described.check(operation, exchange.status, exchange.headers, exchange.body, "recorded")
        if texts := list(found):
            wrong[exchange.name] = texts
    assert wrong.keys() == DIFFERENCES["recordings"].keys(), wrong
    unproved = [
        entry.request for entry in described.operations if entry.evidence == "recorded" and not seen[entry.request]
    ]
    proved = [entry.request for entry in described.operations if entry.evidence != "recorded" and seen[entry.request]]
    assert (unproved, proved) == ([], [])


def test_recordings_without_a_description_are_of_calls_that_are_absent() -> None:
    described = book()
    absent = [entry["request"] for entry in DIFFERENCES["absent"]]
    for exchange in exchanges():
        path = unquote(exchange.path)
        if described.find(exchange.method, path) is None:
            request = [
                text for text in absent if text.split(" ")[0] == exchange.method and fits(text.split(" ")[1], path)
            ]
            assert request, f"{exchange.name}: {exchange.method} {path} is neither described nor listed as absent"


def test_codes_are_recorded_or_not_as_the_list_says() -> None:
    answers = json.dumps([exchange.body for exchange in exchanges()])
    codes = DIFFERENCES["codes"]
    assert [code for code in codes["recorded"] if code not in answers] == []
    assert [code for code in (*codes["told"], *codes["plausible"]) if code in answers] == []


@pytest.mark.parametrize("mark", ["~", "!"])
def test_marks_are_borne_out_by_the_recordings(mark: str) -> None:
    """What is said to be recorded only (~), or missing in some recordings (!), is so."""
    described = book()
    claimed = set(marked(described, mark))
    held: set[str] = set()
    for exchange in exchanges():
        operation = described.find(exchange.method, unquote(exchange.path))
        if operation is not None and exchange.status in operation.answers:
            side = "served"
            for text in described.check(operation, exchange.status, exchange.headers, exchange.body, side):
                ending = "and marked as never served" if mark == "~" else " is missing"
                if ending in text and "body" in text:
                    held.add(text.rpartition("body")[2].split(" ")[0].rpartition(".")[2])
    assert {text.rpartition(".")[2].rstrip("~!") for text in claimed} <= held
