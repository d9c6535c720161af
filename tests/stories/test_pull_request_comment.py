"""The comment of a pull request, made of one reading of Azure: yours, drift and pending, each in its own section."""

from __future__ import annotations

import re

import pytest

from tests.stories.conftest import Story
from tests.stories.small_estate import DAILY, DEVELOPMENT, PRODUCTION
from tests.stories.three_way import MERGED, Team

pytestmark = pytest.mark.story
SHORTER = {"backup.yaml": [{**DAILY, "retention": {"daily": {"days": 14}}}, PRODUCTION, DEVELOPMENT]}


def test_the_comment_says_whose_each_change_is(story: Story) -> None:
    team = Team(story)
    team.apply()
    merged = team.commit(MERGED)
    team.stop_protection("app-01")
    head = team.branch("shorter", merged, SHORTER)

    asked = [part for form in ("markdown", "html", "json", "text") for part in ("--report", f"{form}=plan.{form}")]
    reading = story.run("plan", "--base", "main", code=3).err
    said = story.run("plan", "--base", "main", *asked, code=3, RECONCILER_COMMENT="prod")
    assert requests(said.err) == requests(reading), "four reports cost no request more"

    comment = (story.folder / "plan.markdown").read_text(encoding="utf-8")
    first, verdict, *_ = comment.split("\n")
    assert first == "<!-- reconciler:plan:prod -->"
    assert verdict.startswith("## Refused by G104: apply does not start. Your change updates 2 backup policies")
    assert verdict.endswith(" and prunes up to 48 recovery points; 1 more change is drift, 1 is pending.")
    titles = re.findall(r"^### (.*)$", comment, re.MULTILINE)
    yours, drift, pending = (
        next(title for title in titles if title.startswith(word)) for word in ("Yours", "Drift", "Pending")
    )
    assert titles[0] == "Read these first"
    assert titles.index(yours) < titles.index(drift) < titles.index(pending)
    assert yours == f"Yours: this branch against main ({merged[:7]}) (2)"
    assert drift.startswith(f"Drift: changed in Azure since {team.first[:7]} was applied on ")
    assert f"this branch ({head[:7]})" in comment
    assert re.search(r"\(yours\): \*\*prunes up to \d+ recovery points", comment)
    parts = dict(zip(titles, re.split(r"^### .*$", comment, flags=re.MULTILINE)[1:], strict=True))
    assert "/daily" in parts[yours]
    assert "app-01" in parts[drift]
    assert "rsv-dev" in parts[pending]
    assert verdict[3:] in said.out.replace("\n", " ")
    assert (story.folder / "plan.html").stat().st_size > 0


def requests(told: str) -> list[str]:
    return re.findall(r"[\d,]+ requests?", told)
