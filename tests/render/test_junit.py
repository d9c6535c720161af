"""JUnit: a failure is why the exit code is not 0, and nothing in a name breaks the XML."""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.etree import ElementTree as ET

import msgspec
import pytest

from reconciler.model.source import Source
from reconciler.plan.change import Action, Change, Reason, Step
from reconciler.plan.finding import Finding, Severity
from reconciler.plan.plan import Plan
from reconciler.render import junit
from reconciler.render.places import Places

HERE = Places("/repo", "/repo/estate")
LINE = Source("policies/web.yaml", 12, 3)
MISSED = Finding(
    code="rpo-missed", message="too old", severity=Severity.WARNING, topic="objectives", address="prod/rg/a"
)
FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
Golden = Callable[[str, str], None]


def failures(report: str) -> dict[str, str]:
    """Case → message of its first failure."""
    failed = (case for case in ET.fromstring(report).iter("testcase") if case.find("failure") is not None)
    return {case.attrib["name"]: case.find("failure").attrib["message"] for case in failed}  # type: ignore[union-attr]


def cases(report: str) -> dict[str, ET.Element]:
    return {case.attrib["name"]: case for case in ET.fromstring(report).iter("testcase")}


def change(reason: Reason, action: Action = Action.UPDATE) -> Change:
    address = "protected_vm.prod/rg/a"
    step = Step(id=f"{address}#put", kind="protected_vm", address=address, verb="put", title="t")
    return Change(
        address=address, kind="protected_vm", action=action, reason=reason, why="w", steps=(step,), source=LINE
    )


def test_golden(everything: Plan, golden: Golden) -> None:
    golden("plan.junit.xml", junit.render_plan(everything, HERE))
    golden("drift.junit.xml", junit.render_drift(everything, HERE))


@pytest.mark.parametrize("name", ["everything", "drifted", "scheduled", "hostile"])
@pytest.mark.parametrize("render", [junit.render_plan, junit.render_drift])
def test_every_report_is_xml_and_counts_right(
    name: str, render: Callable[[Plan, Places], str], request: pytest.FixtureRequest
) -> None:
    plan = request.getfixturevalue(name)
    report = render(plan, HERE)
    assert FORBIDDEN.search(report) is None
    assert report == render(plan, HERE)
    root = ET.fromstring(report)
    for element in (root, *root.iter("testsuite")):
        assert int(element.attrib["tests"]) == len(list(element.iter("testcase")))
        assert int(element.attrib["failures"]) == len(list(element.iter("failure")))


def test_a_drift_fails_and_what_is_due_does_not() -> None:
    drifted = Plan(created="", changes=(change(Reason.DIFFERS),), unchanged=29)
    assert failures(junit.render_drift(drifted, HERE)) == {"protected_vm.prod/rg/a": "has drifted: w"}
    assert failures(junit.render_drift(Plan(created="", changes=(change(Reason.DUE),)), HERE)) == {}
    put_off = Plan(created="", deferred=(change(Reason.DEFERRED),))
    assert failures(junit.render_drift(put_off, HERE)) == {"protected_vm.prod/rg/a": "is put off to a later run: w"}
    blocked = Plan(created="", changes=(change(Reason.CANNOT_CHANGE, Action.BLOCKED),))
    assert list(failures(junit.render_drift(blocked, HERE))) == ["protected_vm.prod/rg/a"]


def test_a_plan_fails_where_it_cannot_be_applied(everything: Plan) -> None:
    changes = Plan(created="", changes=(change(Reason.DIFFERS),), findings=(MISSED,), unchanged=29)
    assert failures(junit.render_plan(changes, HERE)) == {}
    failed = failures(junit.render_plan(everything, HERE))
    assert {name.split(" ")[0] for name in failed} >= {
        *(refusal.code for refusal in everything.refusals),
        *(error.code for error in everything.errors),
    }


def test_findings_fail_where_they_are_asked_to() -> None:
    plan = Plan(created="", findings=(MISSED,))
    assert failures(junit.render_drift(plan, HERE)) == {}
    failed = failures(junit.render_drift(plan, HERE, lambda finding: finding.topic == "objectives"))
    assert list(failed) == ["rpo-missed prod/rg/a"]


def test_a_picture_that_is_not_whole_fails() -> None:
    finding = Finding(code="unreadable", message="vault rsv-weu: denied", severity=Severity.WARNING)
    plan = Plan(created="", findings=(finding,), complete=False)
    for render in (junit.render_plan, junit.render_drift):
        assert failures(render(plan, HERE)) == {"all of Azure could be read": "vault rsv-weu: denied"}
    assert failures(junit.render_plan(Plan(created="", complete=False), HERE)) != {}


def test_what_is_in_step_is_one_case() -> None:
    report = cases(junit.render_drift(Plan(created="", unchanged=29), HERE))
    assert list(report) == ["what else there is: in step", "all of Azure could be read"]


def test_a_case_leads_to_the_policies() -> None:
    case = cases(junit.render_drift(Plan(created="", changes=(change(Reason.DIFFERS),)), HERE))[
        "protected_vm.prod/rg/a"
    ]
    assert (case.attrib["file"], case.attrib["line"]) == ("estate/policies/web.yaml", "12")
    assert case.attrib["classname"] == "reconciler.protected_vm"


def test_each_policy_file_is_a_case() -> None:
    wrong = [
        Finding(code="BP-12", message="7 days at least", advice="write 7", source=LINE),
        Finding(code="no-match", message="matches nothing", source=Source("policies/web.yaml", 20, 1)),
        Finding(code="BP-28", message="early", severity=Severity.WARNING, source=Source("policies/vaults.yaml", 3, 1)),
        Finding(code="file", message="is not there"),
    ]
    files = ["policies/vaults.yaml", "policies/web.yaml", "policies/fine.yaml"]
    report = junit.render_validation(wrong, files, HERE, strict=False)
    assert failures(report) == {
        "estate/policies/web.yaml": "estate/policies/web.yaml:12:3: error: BP-12 7 days at least (write 7)",
        "policies": "error: file is not there",
    }
    assert len(cases(report)["estate/policies/web.yaml"].findall("failure")) == 2
    assert "warning: BP-28 early" in (cases(report)["estate/policies/vaults.yaml"].findtext("system-out") or "")
    assert cases(report)["estate/policies/fine.yaml"].find("system-out") is None
    strict = failures(junit.render_validation(wrong, files, HERE, strict=True))
    assert list(strict) == ["policies", "estate/policies/vaults.yaml", "estate/policies/web.yaml"]


def test_no_name_breaks_out() -> None:
    evil = "a\"'><failure/>&\x00\x1b[2J\ufffe\ud800]]>"
    finding = msgspec.structs.replace(MISSED, address=evil, message=evil, severity=Severity.ERROR)
    report = junit.render_drift(Plan(created="", findings=(finding,)), HERE)
    assert FORBIDDEN.search(report) is None
    [name] = failures(report)
    assert "\"'><failure/>&\\x00\\x1b[2J\\ufffe\\ud800]]>" in name
