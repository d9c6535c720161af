"""SARIF: valid by the standard's own schema, and in the part of it that GitHub reads."""

from __future__ import annotations

import json as standard_json
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft4Validator

from reconciler.model.source import Source
from reconciler.plan.change import Action, Change, Consequence, Detail, Effect, Reason
from reconciler.plan.finding import Finding, Severity
from reconciler.plan.plan import Plan
from reconciler.plan.provenance import Origin, Provenance
from reconciler.render import sarif
from reconciler.render.places import Places

SCHEMA = standard_json.loads((Path(__file__).parent / "sarif-schema-2.1.0.json").read_text(encoding="utf-8"))
SCOPE = Source("policies/scope.yaml", 1, 1)
HERE = Places("/repo", "/repo", SCOPE)
LINE = Source("policies/web.yaml", 12, 3)
WRONG = Finding(code="BP-12", message="7 days at least, see policies/web.yaml:3:4", advice="write 7", source=LINE)
Golden = Callable[[str, str], None]


def run_of(report: str) -> Any:
    """The one run of a report that is valid."""
    document = standard_json.loads(report)
    assert [error.message for error in Draft4Validator(SCHEMA).iter_errors(document)] == []
    assert document["version"] == "2.1.0"
    [run] = document["runs"]
    return run


def check_for_github(run: Any) -> None:
    """The properties that GitHub documents as required, and its limits."""
    driver = run["tool"]["driver"]
    assert driver["name"] == "reconciler"
    for rule in driver["rules"]:
        assert rule["id"]
        for text in ("shortDescription", "fullDescription", "help"):
            assert 1 <= len(rule[text]["text"]) <= 1_024
        assert rule["defaultConfiguration"]["level"] in ("error", "warning", "note")
    assert len(run["results"]) <= 25_000
    prints = [result["partialFingerprints"]["primaryLocationLineHash"] for result in run["results"]]
    assert len(set(prints)) == len(prints), "two alerts would become one"
    for result in run["results"]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        assert result["message"]["text"]
        [location] = result["locations"]
        physical = location["physicalLocation"]
        assert physical["artifactLocation"]["uri"]
        assert physical["region"]["startLine"] >= 1


@pytest.mark.parametrize("name", ["everything", "drifted", "scheduled", "hostile"])
@pytest.mark.parametrize("render", [sarif.render_plan, sarif.render_drift])
@pytest.mark.parametrize("scope", [SCOPE, None])
def test_every_report_is_valid(
    name: str, render: Callable[[Plan, Places], str], scope: Source | None, request: pytest.FixtureRequest
) -> None:
    plan = request.getfixturevalue(name)
    places = Places("/repo", "/repo", scope)
    report = render(plan, places)
    check_for_github(run_of(report))
    assert report == render(plan, places)
    assert all(line.isprintable() for line in report.split("\n"))


def test_the_plan(everything: Plan, golden: Golden) -> None:
    mine = f'ersion": "{version("reconciler")}"'
    golden("plan.sarif.json", sarif.render_plan(everything, HERE).replace(mine, 'ersion": "x"'))
    golden("drift.sarif.json", sarif.render_drift(everything, HERE).replace(mine, 'ersion": "x"'))


def test_a_finding_stands_at_its_line() -> None:
    other = Source("policies/other file.yaml", 4)
    run = run_of(sarif.render_validation([msgspec.structs.replace(WRONG, also=(other,))], HERE))
    [result] = run["results"]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "policies/web.yaml", "uriBaseId": "%SRCROOT%"}
    assert place["region"] == {"startLine": 12, "startColumn": 3}
    related = result["relatedLocations"][0]["physicalLocation"]
    assert related["artifactLocation"]["uri"] == "policies/other%20file.yaml"
    assert related["region"] == {"startLine": 4}
    assert result["message"]["text"] == "7 days at least, see policies/web.yaml:3:4 (write 7)"
    [rule] = run["tool"]["driver"]["rules"]
    assert rule["id"] == "BP-12"
    assert rule["shortDescription"]["text"].startswith("Retention: 7 to 9999 days")


@pytest.mark.parametrize(
    ("root", "folder", "file", "uri"),
    [
        ("/repo", "/repo", "policies/web.yaml", "policies/web.yaml"),
        ("/repo", "/repo/estate", "policies/web.yaml", "estate/policies/web.yaml"),
        ("/repo", "/repo/estate/ci", "../policies/web.yaml", "estate/policies/web.yaml"),
        ("/repo", "/repo", "/repo/policies/web.yaml", "policies/web.yaml"),
        ("/repo", "/repo", "./policies//web.yaml", "policies/web.yaml"),
        ("/repo", "/repo", "policies/ä #?%.yaml", "policies/%C3%A4%20%23%3F%25.yaml"),
        ("/repo", "/repo", "/elsewhere/web.yaml", "file:///elsewhere/web.yaml"),
        ("/repo", "/repo", "../repository/web.yaml", "file:///repository/web.yaml"),
        ("/", "/policies", "web.yaml", "policies/web.yaml"),
    ],
)
def test_files_are_told_from_the_root_of_the_repository(root: str, folder: str, file: str, uri: str) -> None:
    assert Places(root, folder).uri(file) == uri


@pytest.mark.parametrize(
    ("severity", "level"),
    [
        (Severity.ERROR, "error"),
        (Severity.WARNING, "warning"),
        (Severity.DOUBT, "warning"),
        (Severity.INFO, "note"),
    ],
)
def test_levels_are_those_of_the_findings(severity: Severity, level: str) -> None:
    [result] = run_of(sarif.render_validation([msgspec.structs.replace(WRONG, severity=severity)], HERE))["results"]
    assert result["level"] == level


def change(action: Action, effect: Effect = Effect.NONE, **values: Any) -> Change:
    given: dict[str, Any] = {"address": "protected_vm.prod/rg/a", "source": LINE, "reason": Reason.DIFFERS, **values}
    consequence = Consequence(effect=effect, text="what it does")
    return Change(kind="protected_vm", action=action, protects=True, consequences=(consequence,), **given)


@pytest.mark.parametrize(
    ("made", "in_plan", "in_drift"),
    [
        (change(Action.UPDATE), "note", "warning"),
        (change(Action.UPDATE, Effect.PRUNES), "warning", "warning"),
        (change(Action.CREATE, Effect.STRENGTHENS), "note", "error"),
        (change(Action.UNDELETE), "note", "error"),
        (change(Action.RELEASE, Effect.STOPS), "warning", "warning"),
        (change(Action.BLOCKED), "warning", "warning"),
    ],
)
def test_levels_of_changes(made: Change, in_plan: str, in_drift: str) -> None:
    plan = Plan(created="", changes=(made,))
    assert run_of(sarif.render_plan(plan, HERE))["results"][0]["level"] == in_plan
    assert run_of(sarif.render_drift(plan, HERE))["results"][0]["level"] == in_drift


def test_a_change_stands_at_the_line_that_asks_for_what_differs() -> None:
    exact = Source("policies/daily.yaml", 9, 11)
    detail = Detail(name="retention.daily", before="30 days", after="14 days", source=exact)
    made = change(Action.UPDATE, Effect.PRUNES, before={"a": 1}, details=(detail,))
    origins = {made.address: Provenance(origin=Origin.MINE)}
    [result] = run_of(sarif.render_plan(Plan(created="", changes=(made,), origins=origins), HERE))["results"]
    assert result["ruleId"] == "plan/protected_vm"
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 9, "startColumn": 11}
    assert result["locations"][0]["logicalLocations"] == [
        {"fullyQualifiedName": "protected_vm.prod/rg/a", "kind": "resource"}
    ]
    assert result["properties"] == {"action": "update", "effect": "prunes", "origin": "mine"}
    assert "retention.daily 30 days → 14 days; what it does" in result["message"]["text"]


@pytest.mark.parametrize(
    ("origin", "level", "said"),
    [
        (Origin.MINE, "note", "what it does"),
        (Origin.PENDING, "note", "merged, and not applied yet"),
        (Origin.DRIFT, "warning", "drift in Azure, no edit of yours"),
        (Origin.BOTH, "warning", "your edit meets drift in Azure"),
    ],
)
def test_a_drift_is_not_taken_for_the_edit(origin: Origin, level: str, said: str) -> None:
    made = change(Action.UPDATE)
    plan = Plan(created="", changes=(made,), origins={made.address: Provenance(origin=origin)})
    [result] = run_of(sarif.render_plan(plan, HERE))["results"]
    assert (result["level"], result["properties"]["origin"]) == (level, origin.value)
    assert result["message"]["text"].endswith(said)


def test_what_is_due_is_no_drift(scheduled: Plan) -> None:
    assert [item for item in run_of(sarif.render_drift(scheduled, HERE))["results"] if "/" in item["ruleId"]] == []


def test_fingerprints_stay_when_lines_move() -> None:
    def prints(finding: Finding, made: Change) -> list[str]:
        run = run_of(sarif.render_plan(Plan(created="", findings=(finding,), changes=(made,)), HERE))
        return [item["partialFingerprints"]["reconciler/v1"] for item in run["results"]]

    moved = msgspec.structs.replace(
        WRONG, source=Source(LINE.file, 99, 9), message="7 days at least, see policies/web.yaml:90:4"
    )
    before = prints(WRONG, change(Action.UPDATE))
    assert prints(moved, change(Action.UPDATE, source=Source(LINE.file, 50, 1))) == before
    elsewhere = msgspec.structs.replace(WRONG, source=Source("policies/other.yaml", 12, 3))
    assert prints(elsewhere, change(Action.UPDATE))[0] != before[0]
    assert prints(WRONG, change(Action.UPDATE, address="protected_vm.prod/rg/b"))[1] != before[1]


def test_an_alert_stays_the_same_from_night_to_night() -> None:
    def prints(age: str) -> list[str]:
        finding = Finding(code="rpo-missed", message=f"{age} old", severity=Severity.WARNING, address="prod/rg/a")
        results = run_of(sarif.render_drift(Plan(created="", findings=(finding, finding)), HERE))["results"]
        return [item["partialFingerprints"]["reconciler/v1"] for item in results]

    assert prints("3 d 4 h") == prints("4 d")
    assert len(set(prints("4 d"))) == 2


def test_what_has_no_place_stands_at_the_scope_or_is_told_beside() -> None:
    finding = Finding(
        code="uncovered", message="no policy speaks of it", severity=Severity.WARNING, address="prod/rg/a"
    )
    plan = Plan(created="", findings=(finding,), complete=False)
    [result] = run_of(sarif.render_plan(plan, HERE))["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "policies/scope.yaml"
    run = run_of(sarif.render_plan(plan, Places("/repo", "/repo")))
    [invocation] = run["invocations"]
    assert run["results"] == []
    assert invocation["executionSuccessful"] is False
    [told] = invocation["toolExecutionNotifications"]
    assert told == {"level": "warning", "message": {"text": "prod/rg/a: no policy speaks of it"}}


def test_the_gravest_stay_where_there_are_too_many() -> None:
    notes = [Finding(code="unused", message=f"{n}", severity=Severity.INFO, source=LINE) for n in range(25_005)]
    document = standard_json.loads(sarif.render_validation([*notes, WRONG], HERE))
    [run] = document["runs"]
    assert len(run["results"]) == 25_000
    assert run["results"][0]["ruleId"] == "BP-12"
    [told] = run["invocations"][0]["toolExecutionNotifications"]
    assert told["message"]["text"] == "6 results left out: code hosts take 25,000 of a run"


def test_no_name_becomes_a_link_or_moves_the_cursor() -> None:
    evil = msgspec.structs.replace(
        WRONG, message="VM [a](https://evil.example) \x1b[2J\u202e\n## title", address="a\nb"
    )
    [result] = run_of(sarif.render_validation([evil], HERE))["results"]
    assert "](" not in result["message"]["text"]
    assert result["message"]["text"].isprintable()
    assert result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == "a\\nb"


@pytest.mark.parametrize(
    ("comment", "category"),
    [("", "reconciler/plan/"), ("prod", "reconciler/plan/prod/"), ("a b\n../<c>", "reconciler/plan/a-b-../-c/")],
)
def test_analyses_of_one_commit_are_told_apart(comment: str, category: str, everything: Plan) -> None:
    run = run_of(sarif.render_plan(everything, HERE, comment))
    assert run["automationDetails"]["id"] == category
