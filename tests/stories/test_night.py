"""A night from a pipeline: one reading of Azure, reports for machines, and a bell that rings unless all is well."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.publish.conftest import Reply, Served, serve
from tests.stories.conftest import Story
from tests.stories.small_estate import POLICIES, item, small

pytestmark = pytest.mark.story
SECRET = "verysecret"
IN_STEP = tuple(item(f"app-0{number}") for number in (1, 2, 3))


@pytest.fixture
def bell() -> Iterator[Served]:
    with serve(lambda sent: Reply(200)) as served:
        yield served


@pytest.fixture
def night(story: Story, bell: Served) -> Story:
    """app-03 is not protected, in a repository whose root is the story's folder."""
    story.begin(small(*IN_STEP[:2]), *POLICIES)
    (story.folder / ".git").mkdir()
    story.environment |= {
        "NO_PROXY": "127.0.0.1",
        "RECONCILER_NOTIFY": f"{bell.base}/{SECRET}",
        "GITHUB_ACTIONS": "true",
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": "acme/estate",
        "GITHUB_RUN_ID": "5",
        "GITHUB_SHA": "0123456789abcdef",
    }
    return story


def results(night: Story, name: str) -> list[Any]:
    return list(json.loads((night.folder / name).read_text(encoding="utf-8"))["runs"][0]["results"])


def test_a_drift_rings_and_is_reported_at_its_line(night: Story, bell: Served) -> None:
    said = night.run("drift", "--report", "sarif=d.sarif", "--report", "junit=d.xml", "--report", "json=d.json", code=2)
    [alert] = [sent.body for sent in bell.sent]
    assert alert["verdict"] in said.out
    assert (alert["exit_code"], alert["commit"]) == (2, "0123456789abcdef")
    assert alert["run"] == "https://github.com/acme/estate/actions/runs/5"
    assert any("app-03" in item["text"] for item in alert["top"])
    assert SECRET not in said.told
    assert "Notified 127.0.0.1." in said.err
    [found] = [item for item in results(night, "d.sarif") if item["ruleId"].startswith("drift/")]
    assert (found["ruleId"], found["level"]) == ("drift/protected_vm", "error")
    place = found["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "policies/policies.yaml"
    assert place["region"]["startLine"] > 1
    failed = [
        case.attrib for case in ET.parse(night.folder / "d.xml").iter("testcase") if case.find("failure") is not None
    ]
    assert [(case["name"].rpartition("/")[2], case["file"]) for case in failed] == [
        ("app-03", "policies/policies.yaml")
    ]


def test_no_bell_where_all_is_well(night: Story, bell: Served) -> None:
    night.azure.reset(estate=small(*IN_STEP))
    night.run("drift", code=0)
    assert bell.sent == []


def test_a_night_that_could_not_tell_rings(night: Story, bell: Served) -> None:
    night.run("drift", code=1, RECONCILER_CLOUD="https://127.0.0.1:9")
    night.write({"kind": "Scop", "name": "wrong"})
    night.run("drift", code=1)
    assert [sent.body["title"] for sent in bell.sent] == ["Drift cannot be told: there are errors"] * 2
    assert bell.sent[1].body["verdict"] == "the policies are not valid, so nothing was compared"
    assert bell.sent[0].body["advice"] or bell.sent[0].body["verdict"]


def test_a_bell_that_is_broken_hides_nothing(night: Story, bell: Served) -> None:
    bell.answer = lambda sent: Reply(410, {"message": SECRET})
    said = night.run("drift", code=2)
    assert "Nobody was notified at 127.0.0.1" in said.err
    assert "answered 410" in said.err
    assert SECRET not in said.told


def test_a_plan_points_at_the_line_that_asks(night: Story, bell: Served) -> None:
    night.run("plan", "--out", "plan.json", "--report", "sarif=p.sarif", "--report", "junit=p.xml", code=0)
    [found] = [item for item in results(night, "p.sarif") if item["ruleId"] == "plan/protected_vm"]
    assert found["level"] == "note"
    assert list(ET.parse(night.folder / "p.xml").iter("failure")) == []
    night.run("show", "plan.json", "--report", "sarif=s.sarif", code=0)
    assert found["partialFingerprints"] in [item["partialFingerprints"] for item in results(night, "s.sarif")]
    assert bell.sent == []


def test_a_reader_that_goes_away_keeps_nobody_from_being_told(night: Story, bell: Served) -> None:
    started = night.start("drift", "--report", "markdown=d.md")
    assert started.process.stdout is not None
    started.process.stdout.close()
    assert started.process.wait(60) == 2
    assert "app-03" in (night.folder / "d.md").read_text(encoding="utf-8")
    assert [sent.body["exit_code"] for sent in bell.sent] == [2]


def test_a_report_that_cannot_be_written_costs_no_other(night: Story, bell: Served) -> None:
    """Its draft has a longer name than any file can have."""
    said = night.run("drift", "--report", f"json={'x' * 254}", "--report", "markdown=d.md", code=1)
    assert "cannot write a report" in said.err
    assert "app-03" in (night.folder / "d.md").read_text(encoding="utf-8")
    assert len(bell.sent) == 1
