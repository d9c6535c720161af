"""An exemption that is about to end is announced once by every report, and is no drift."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from tests.stories.conftest import Story
from tests.stories.small_estate import CLOCK, POLICIES, item, small

pytestmark = pytest.mark.story
SOON = dt.datetime.fromisoformat(CLOCK).date() + dt.timedelta(days=5)
EXEMPTION: dict[str, Any] = {
    "kind": "Exemption",
    "name": "spare",
    "select": {"names": ["app-03"]},
    "reason": "it is rebuilt from its image",
    "until": SOON,
}


def test_it_is_announced_once_and_is_no_drift(story: Story) -> None:
    story.begin(small(item("app-01"), item("app-02")), *POLICIES, EXEMPTION)
    for command in (("plan",), ("drift",), ("plan", "--format", "markdown")):
        said = story.run(*command, code=0)
        assert said.out.count("ends in 5 days") == 1, command
        assert "it excuses 1 VM: prod/rg-app/app-03; then 1 gets what a Protection says" in said.out
    soon = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=14)
    story.write(*POLICIES, {**EXEMPTION, "until": soon})
    assert story.run("validate", code=0).told.count("`spare` ends in 14 days") == 1
