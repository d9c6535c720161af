"""SARIF 2.1.0 (OASIS): findings and changes at the line of the policies that asks for them, as code hosts show them in
the diff of a pull request.

GitHub reads a part of it (docs.github.com, "SARIF support for code scanning"): every result needs a location, so that
what has none of its own stands at the Scope, and where there is no Scope either among the notifications of the run. It
takes 25,000 results of a run: the gravest stay, and what is left out is told.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from reconciler.model.counting import count
from reconciler.model.source import Source
from reconciler.plan.change import BY_TIME, Action, Change
from reconciler.plan.finding import Finding, Severity
from reconciler.plan.plan import Plan, Refusal
from reconciler.plan.provenance import Origin
from reconciler.render import json
from reconciler.render.comment import told_apart
from reconciler.render.escape import visible
from reconciler.render.folding import ALARMING
from reconciler.render.places import Places
from reconciler.render.rule_meanings import rule_meanings
from reconciler.render.wording import DriftWording, PlanWording, Wording

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
MOST_RESULTS = 25_000
_MOST_RELATED = 20
_LEVELS = ("error", "warning", "note")
_OF_SEVERITY = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.DOUBT: "warning",
    Severity.INFO: "note",
}
_ORIGINS = {
    Origin.BOTH: "your edit meets drift in Azure",
    Origin.PENDING: "merged, and not applied yet",
    Origin.DRIFT: "drift in Azure, no edit of yours",
}
_UNTOLD = {
    Origin.BOTH: "your edit meets what has drifted in Azure, or was never applied",
    Origin.DRIFT: "drifted in Azure or never applied, no edit of yours",
}
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Result:
    """Before it has its place. `key` is what it is known by from run to run: nothing in it moves with the lines, or
    grows with the age of what it tells of."""

    rule: str
    level: str
    text: str
    source: Source | None
    key: tuple[str, ...]
    also: tuple[Source, ...] = ()
    address: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)


def render_validation(findings: Sequence[Finding], places: Places, comment: str = "") -> str:
    """What `validate` found. `comment` tells several analyses of one commit apart (`prod`), here and below: of two that
    are called the same, code hosts keep the last."""
    return _render(_Run("validate", comment), [_of_finding(item) for item in findings], places, {})


def render_plan(plan: Plan, places: Places, comment: str = "") -> str:
    """What apply would do: changes are notes, and warnings where they touch what can be recovered or mend a drift."""
    changes = (*plan.changes, *plan.deferred)
    results = [
        *(_of_finding(item) for item in plan.findings),
        *(_of_refusal(item) for item in plan.refusals),
        *(_of_change(item, plan, "plan", PlanWording(), _level_in_plan(item, plan)) for item in changes),
    ]
    return _render(_Run("plan", comment, plan.complete), results, places, _titles("plan", changes))


def render_drift(plan: Plan, places: Places, comment: str = "") -> str:
    """How Azure differs: warnings, and errors where a VM is not protected at all. What is only due is no drift."""
    results = [
        *(_of_finding(item) for item in plan.findings),
        *(_of_change(item, plan, "drift", DriftWording(), _level_in_drift(item)) for item in plan.drift),
    ]
    return _render(_Run("drift", comment, plan.complete), results, places, _titles("drift", plan.drift))


def _of_finding(finding: Finding) -> Result:
    advice = f" ({finding.advice})" if finding.advice else ""
    subject = f"{finding.address}: " if finding.address else ""
    file = finding.source.file if finding.source else ""
    return Result(
        rule=finding.code,
        level=_OF_SEVERITY[finding.severity],
        text=f"{subject}{finding.message}{advice}",
        source=finding.source,
        key=(finding.address, file, "" if finding.address else _NUMBER.sub("", finding.message)),
        also=finding.also,
        address=finding.address,
    )


def _of_refusal(refusal: Refusal) -> Result:
    advice = f" ({refusal.advice})" if refusal.advice else ""
    text = f"refused: {refusal.title}: {refusal.message}{advice}"
    return Result(refusal.code, "error", text, None, (refusal.title,))


def _of_change(change: Change, plan: Plan, command: str, wording: Wording, level: str) -> Result:
    """At the lines that ask for what differs, or at the document where everything is new."""
    lines = dict.fromkeys(item.source for item in change.details if item.source and change.before is not None)
    first, *others = lines or [change.source]
    effects = [item.text for item in change.consequences if wording.tells(item)]
    manual = [f"what to do: {change.manual}"] if change.manual else []
    told = plan.origins.get(change.address)
    origins = _ORIGINS if plan.base is None or plan.base.applied else {**_ORIGINS, **_UNTOLD}
    origin = [origins[told.origin]] if told and told.origin in origins and wording.acting else []
    return Result(
        rule=f"{command}/{change.kind}",
        level=level,
        text="; ".join([f"{change.address} {wording.sentence(change)}", *effects, *manual, *origin]),
        source=first,
        key=(change.address,),
        also=tuple(source for source in others if source),
        address=change.address,
        properties={
            "action": change.action.value,
            "effect": change.effect.value,
            **({"origin": told.origin.value} if told else {}),
        },
    )


def _level_in_plan(change: Change, plan: Plan) -> str:
    told = plan.origins.get(change.address)
    drifted = told is not None and told.origin in (Origin.DRIFT, Origin.BOTH)
    return "warning" if drifted or change.effect in ALARMING or change.action is Action.BLOCKED else "note"


def _level_in_drift(change: Change) -> str:
    unprotected = change.protects and change.action in (Action.CREATE, Action.UNDELETE)
    return "error" if unprotected and change.reason not in BY_TIME else "warning"


def _titles(command: str, changes: Iterable[Change]) -> dict[str, str]:
    """Rule → what a change of that kind means."""
    does = {"plan": "Apply would change", "drift": "Azure differs from the policies in"}[command]
    return {f"{command}/{item.kind}": f"{does} a resource of kind {item.title or item.kind}." for item in changes}


@dataclass(frozen=True, slots=True)
class _Run:
    """Which analysis it is, and whether it saw all that there is."""

    command: str
    comment: str
    complete: bool = True

    @property
    def category(self) -> str:
        suffix = told_apart(self.comment)
        return f"reconciler/{self.command}/{suffix}{'/' if suffix else ''}"


def _render(analysis: _Run, results: Sequence[Result], places: Places, titles: Mapping[str, str]) -> str:
    placed = [item for item in results if item.source or places.scope]
    kept = sorted(placed, key=lambda item: _order(item, places))[:MOST_RESULTS]
    rules = {rule: index for index, rule in enumerate(sorted({item.rule for item in kept}))}
    fingerprints = _fingerprints(kept)
    notes = [_notification(item.level, item.text) for item in results if not (item.source or places.scope)]
    if len(kept) < len(placed):
        left = f"{count(len(placed) - len(kept), 'result')} left out: code hosts take {MOST_RESULTS:,} of a run"
        notes.append(_notification("warning", left))
    run = {
        "tool": {"driver": _driver(kept, rules, {**rule_meanings(), **titles})},
        "automationDetails": {"id": analysis.category},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "The root of the repository."}}},
        "invocations": [{"executionSuccessful": analysis.complete, "toolExecutionNotifications": notes}],
        "results": [
            _result(item, rules[item.rule], places, print_) for item, print_ in zip(kept, fingerprints, strict=True)
        ],
    }
    return json.render({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _order(result: Result, places: Places) -> tuple[Any, ...]:
    source = result.source or places.scope or Source("")
    return (_LEVELS.index(result.level), source, result.rule, result.address, result.text)


def _driver(results: Sequence[Result], rules: Iterable[str], meanings: Mapping[str, str]) -> dict[str, Any]:
    gravest = {item.rule: item.level for item in reversed(results)}
    number = version("reconciler")
    described = [_rule(rule, meanings.get(rule, f"{rule}."), gravest[rule]) for rule in rules]
    return {"name": "reconciler", "version": number, "semanticVersion": number, "rules": described}


def _rule(rule: str, meaning: str, level: str) -> dict[str, Any]:
    advice = "The message says where and what to do; docs/rules.md of reconciler lists every rule with its source."
    return {
        "id": rule,
        "shortDescription": {"text": meaning},
        "fullDescription": {"text": meaning},
        "help": {"text": f"{meaning} {advice}"},
        "defaultConfiguration": {"level": level},
    }


def _result(result: Result, index: int, places: Places, fingerprint: str) -> dict[str, Any]:
    source = result.source or places.scope
    assert source is not None
    related = [
        {"id": number, **_location(place, places)} for number, place in enumerate(result.also[:_MOST_RELATED], 1)
    ]
    location = _location(source, places)
    if result.address:
        location["logicalLocations"] = [{"fullyQualifiedName": visible(result.address), "kind": "resource"}]
    return {
        "ruleId": result.rule,
        "ruleIndex": index,
        "level": result.level,
        "message": {"text": _plain(result.text)},
        "locations": [location],
        **({"relatedLocations": related} if related else {}),
        "partialFingerprints": {"primaryLocationLineHash": fingerprint, "reconciler/v1": fingerprint},
        **({"properties": dict(result.properties)} if result.properties else {}),
    }


def _location(source: Source, places: Places) -> dict[str, Any]:
    uri = places.uri(source.file)
    artifact = {"uri": uri} if uri.startswith("file://") else {"uri": uri, "uriBaseId": "%SRCROOT%"}
    region = {"startLine": max(source.line, 1), **({"startColumn": source.column} if source.column else {})}
    return {"physicalLocation": {"artifactLocation": artifact, "region": region}}


def _fingerprints(results: Iterable[Result]) -> Iterator[str]:
    """One for each result: SHA-256 over what it is known by, and the how manieth of its like it is."""
    seen: Counter[tuple[str, ...]] = Counter()
    for item in results:
        key = (item.rule, *item.key)
        seen[key] += 1
        yield hashlib.sha256("\0".join((*key, str(seen[key]))).encode()).hexdigest()[:40]


def _notification(level: str, text: str) -> dict[str, Any]:
    return {"level": level, "message": {"text": _plain(text)}}


def _plain(text: str) -> str:
    """Plain text, in which SARIF would read `[words](place)` as a link."""
    return visible(text).replace("](", "] (")
