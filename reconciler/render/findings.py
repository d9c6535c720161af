"""Findings one a line, as compilers write them: editors and CI jump to the place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reconciler.model.counting import count
from reconciler.model.source import Source
from reconciler.plan.finding import Finding, Severity
from reconciler.render import json
from reconciler.render.escape import visible
from reconciler.render.style import Tone, paint

_TONES = {
    Severity.ERROR: Tone.BAD,
    Severity.WARNING: Tone.CHANGE,
    Severity.DOUBT: Tone.CHANGE,
    Severity.INFO: Tone.QUIET,
}


def render_text(findings: Sequence[Finding], *, colour: bool = False) -> str:
    """`file:line:column: RULE message (advice)`; what is no error says so before the rule."""
    return "\n".join(paint(_line(finding), _TONES[finding.severity], colour=colour) for finding in findings)


def validation_text(findings: Sequence[Finding], files: int, *, colour: bool = False) -> str:
    """The findings of a directory, and a last line that sums up."""
    errors, others = _split(findings)
    found = f"{count(errors, 'error')}, {count(others, 'warning')}"
    summary = f"Not valid: {found} in {count(files, 'file')}." if errors else f"Valid: {count(files, 'file')}, {found}."
    last = paint(summary, Tone.BAD if errors else Tone.GOOD, colour=colour)
    return "\n".join((render_text(findings, colour=colour), "", last)) if findings else last


def validation_json(findings: Sequence[Finding], files: int, *, valid: bool) -> str:
    """The form of `terraform validate -json`, with the rule's code beside each message."""
    errors, others = _split(findings)
    return json.render(
        {
            "format_version": "1.0",
            "valid": valid,
            "error_count": errors,
            "warning_count": others,
            "file_count": files,
            "diagnostics": [_diagnostic(finding) for finding in findings],
        }
    )


def _line(finding: Finding) -> str:
    places = [str(finding.source)] if finding.source else []
    if finding.address:
        places.append(finding.address)
    where = "".join(f"{place}: " for place in places)
    kind = "" if finding.severity is Severity.ERROR else f"{finding.severity.value}: "
    advice = f" ({finding.advice})" if finding.advice else ""
    also = "".join(f" [see {place}]" for place in finding.also)
    return visible(f"{where}{kind}{finding.code} {finding.message}{advice}{also}")


def _split(findings: Sequence[Finding]) -> tuple[int, int]:
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    others = sum(finding.severity in (Severity.WARNING, Severity.DOUBT) for finding in findings)
    return errors, others


def _diagnostic(finding: Finding) -> dict[str, Any]:
    diagnostic: dict[str, Any] = {
        "severity": finding.severity.value,
        "code": finding.code,
        "summary": finding.message,
        "detail": finding.advice,
        "address": finding.address,
        "rule_source": finding.rule_source,
        "also": [_range(place) for place in finding.also],
    }
    if finding.source:
        diagnostic["range"] = _range(finding.source)
    return diagnostic


def _range(place: Source) -> dict[str, Any]:
    return {"filename": place.file, "start": {"line": place.line, "column": place.column}}
