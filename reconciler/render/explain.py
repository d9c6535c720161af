"""Why a VM gets what it gets, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.model.explanation import Candidate, Condition, Decision, Explanation, Setting
from reconciler.model.machine import Machine
from reconciler.render import json
from reconciler.render.escape import visible
from reconciler.render.style import Tone, paint

_OUTCOMES = {"protected": Tone.GOOD, "exempt": Tone.BACK, "unclear": Tone.ALARM, "uncovered": Tone.CHANGE}


def explanation_text(explanation: Explanation, *, colour: bool = False) -> str:
    """Who decides first, then the values with their lines, then every selector with what it found."""
    return "\n".join(paint(text, tone, colour=colour) for text, tone in _lines(explanation))


def explanation_json(explanations: Sequence[Explanation]) -> str:
    """The same, as JSON: one entry a VM."""
    return json.render({"format_version": "1.0", "explanations": [_document(item) for item in explanations]})


def _lines(explanation: Explanation) -> Iterator[tuple[str, Tone]]:
    machine = explanation.machine
    yield visible(f"{machine.scope}/{machine.name}"), Tone.STRONG
    yield visible(f"  {_portrait(machine)}"), Tone.QUIET
    for decision in explanation.decisions:
        yield visible(f"  {_decision(decision)}"), _OUTCOMES.get(decision.outcome, Tone.PLAIN)
    for remark in explanation.remarks:
        yield visible(f"  now: {remark}"), Tone.CHANGE
    if explanation.settings:
        yield "", Tone.PLAIN
        yield "Values", Tone.STRONG
        yield from _settings(explanation.settings)
    if explanation.candidates:
        yield "", Tone.PLAIN
        yield "Selectors", Tone.STRONG
        for candidate in sorted(explanation.candidates, key=lambda item: not item.matched):
            yield from _candidate(candidate)


def _portrait(machine: Machine) -> str:
    tags = ", ".join(f"{name}={text}" for name, text in sorted(machine.tags.items())) or "no tags"
    return f"{machine.location}, {machine.os_type.value}, {machine.security_type}; {tags}"


def _decision(decision: Decision) -> str:
    by = f" by {decision.document}" if decision.document else ""
    place = f" ({decision.source})" if decision.source else ""
    why = f": {decision.why}" if decision.why else ""
    return f"{decision.aspect}: {decision.outcome}{by}{place}{why}"


def _settings(settings: Sequence[Setting]) -> Iterator[tuple[str, Tone]]:
    address = ""
    for setting in settings:
        if setting.address != address:
            address = setting.address
            yield visible(f"  {address}"), Tone.PLAIN
        place = str(setting.source) if setting.source else "default"
        yield visible(f"    {setting.path}: {setting.value}  # {place}"), Tone.PLAIN


def _candidate(candidate: Candidate) -> Iterator[tuple[str, Tone]]:
    mark, tone = ("✓", Tone.GOOD) if candidate.matched else ("✗", Tone.QUIET)
    aspects = f" [{', '.join(candidate.aspects)}]" if candidate.aspects else ""
    note = f"; {candidate.note}" if candidate.note else ""
    yield visible(f"  {mark} {candidate.kind} {candidate.name}{aspects} ({candidate.source}){note}"), tone
    for condition in candidate.conditions:
        yield from _condition(condition, 6)


def _condition(condition: Condition, indent: int) -> Iterator[tuple[str, Tone]]:
    mark, tone = ("✓", Tone.GOOD) if condition.met else ("✗", Tone.BAD)
    asked = f": wants {condition.wanted}, has {condition.actual or 'nothing'}" if condition.wanted else ""
    key = f"part {condition.key}" if condition.key.isdigit() else condition.key
    yield visible(f"{' ' * indent}{mark} {key}{asked}"), tone
    for part in condition.parts:
        yield from _condition(part, indent + 2)


def _document(explanation: Explanation) -> dict[str, object]:
    machine = explanation.machine
    return {
        "machine": {
            "id": str(machine.arm_id),
            "subscription": machine.subscription,
            "resource_group": machine.resource_group,
            "name": machine.name,
            "location": machine.location,
            "os": machine.os_type.value,
            "tags": machine.tags,
        },
        "decisions": explanation.decisions,
        "remarks": explanation.remarks,
        "settings": explanation.settings,
        "candidates": explanation.candidates,
    }
