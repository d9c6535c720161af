"""The form for programs: that of the saved plan (`reconciler.plan.file`)."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from reconciler.plan import file
from reconciler.plan.plan import Plan

_COMMAND = re.compile(r"##(?=(?:vso)?\[)", re.IGNORECASE)
"""What pipelines obey in a log (`reconciler.render.escape.obeyed_by_none`); lines of JSON begin with none of theirs."""


def render_plan(plan: Plan) -> str:
    """The plan as `plan --out` would save it."""
    return safe(file.encode(plan))


def render_drift(plan: Plan) -> str:
    """The differences under `resource_drift`."""
    return safe(file.encode(plan, drift=True))


def render(document: Any) -> str:
    """Any document of structs and plain values, indented."""
    return safe(msgspec.json.format(msgspec.json.encode(document), indent=2))


def safe(body: bytes) -> str:
    """The same JSON, in which characters that a terminal or a pipeline's log might obey or hide are written as
    `\\uXXXX`."""
    text = _COMMAND.sub(r"#\\u0023", body.decode().rstrip("\n"))
    return "\n".join(line if line.isprintable() else "".join(map(_escape, line)) for line in text.split("\n"))


def _escape(char: str) -> str:
    if char.isprintable():
        return char
    units = char.encode("utf-16-be")
    return "".join(f"\\u{units[index]:02x}{units[index + 1]:02x}" for index in range(0, len(units), 2))
