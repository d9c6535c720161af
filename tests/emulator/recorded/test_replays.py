"""Recorded requests, sent to an emulator: what it answers, against what Azure answered, field by field."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pytest
import yaml

from tests.emulator.recorded.recordings import Exchange, exchanges
from tests.emulator.recorded.replay import Replay, differences
from tests.emulator.recorded.shape import SHAPES
from tests.emulator.recorded.witness import book

STORIES = yaml.safe_load((SHAPES / "replays.yaml").read_text(encoding="utf-8"))
LISTED = yaml.safe_load((SHAPES / "differences.yaml").read_text(encoding="utf-8"))["replays"]


def replayed(file: str) -> Iterator[tuple[Exchange, str]]:
    """Every difference in the answers to one file of requests."""
    states: dict[str, Any] = STORIES["replayed"][file]
    story = [exchange for exchange in exchanges() if exchange.file == file]
    emulator = None if "each" in states else Replay(story, states)
    for exchange in story:
        unknown = book().find(exchange.method, unquote(exchange.path)) is None
        if unknown or exchange.number in states.get("omit", {}):
            continue
        each = emulator or Replay([exchange], states["each"][exchange.number])
        for text in differences(exchange, each.send(exchange)):
            yield exchange, text


def reasons(exchange: Exchange, text: str) -> list[int]:
    return [
        number
        for number, entry in enumerate(LISTED)
        if re.fullmatch(entry["what"], text) and exchange.name in entry.get("where", [exchange.name])
    ]


@pytest.mark.parametrize("file", STORIES["replayed"])
def test_a_recorded_request_is_answered_as_it_was(file: str) -> None:
    unexplained = [f"{exchange.name}: {text}" for exchange, text in replayed(file) if not reasons(exchange, text)]
    assert not unexplained, "\n".join(unexplained)


def test_every_listed_difference_still_exists() -> None:
    found = [number for file in STORIES["replayed"] for pair in replayed(file) for number in reasons(*pair)]
    assert not [entry["what"] for number, entry in enumerate(LISTED) if number not in found]


def test_every_recording_is_replayed_or_says_why_not() -> None:
    files = {exchange.file for exchange in exchanges()} | {"errors-secondhand"}
    assert files == STORIES["replayed"].keys() | STORIES["notReplayed"].keys()
    assert not STORIES["replayed"].keys() & STORIES["notReplayed"].keys()
