"""What is wrong with one value, and what to write instead: the words for each keyword of JSON Schema."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from jsonschema import ValidationError

from reconciler.desired.scalar import boolean_meant, integer_meant
from reconciler.desired.suggest import did_you_mean
from reconciler.model.document import Path

_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping (key: value)",
}


@dataclass(frozen=True, slots=True)
class Violation:
    """One verdict of JSON Schema: `value`, at `path`, breaks `keyword: limit` of `schema`. `parts` are the verdicts of
    each form of a choice (`anyOf`); `of_key` is True where the value is itself a key."""

    keyword: str
    limit: Any
    value: Any
    path: Path
    schema: Mapping[str, Any]
    parts: tuple[tuple[Violation, ...], ...] = ()
    of_key: bool = False

    @classmethod
    def of(cls, error: ValidationError, above: Path = ()) -> Violation:
        """`error` as jsonschema raises it; `above` is the path of the verdict that it is part of."""
        path = above + tuple(error.relative_path)
        forms: dict[Any, list[Violation]] = {}
        for part in error.context or ():
            forms.setdefault(part.relative_schema_path[0], []).append(cls.of(part, path))
        return cls(
            keyword=str(error.validator),
            limit=error.validator_value,
            value=error.instance,
            path=path,
            schema=error.schema if isinstance(error.schema, Mapping) else {},
            parts=tuple(tuple(form) for form in forms.values()),
            of_key="propertyNames" in error.relative_schema_path,
        )


def phrase(violation: Violation, spelling: str) -> tuple[str, str]:
    """What is wrong, to follow the name of the field, and advice. `spelling` is what was written, where that is not
    the text of the value."""
    if violation.value is None:
        return "has no value", "write one, or leave the key out"
    say = _PHRASES.get(violation.keyword)
    return say(violation, spelling) if say else (f"breaks {violation.keyword}: {violation.limit}", "")


def form(violation: Violation) -> str:
    """What a form of a choice would have taken, for a value that is of another type."""
    return _choices(violation) if violation.keyword == "enum" else _TYPES.get(str(violation.limit), "something else")


def show(value: Any, spelling: str) -> str:
    """The value as it was written, cut where it is long."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return f"the text `{value[:60]}…`" if len(value) > 60 else f"the text `{value}`"
    return f"`{spelling or value}`" if value is not None else "nothing"


def retype(value: Any, wanted: str, spelling: str) -> str:
    """How to write a value so that it is of the JSON type `wanted`; "" where that is not plain."""
    if wanted == "string" and spelling:
        return f'write "{spelling}", in quotes'
    if wanted == "array" and not isinstance(value, dict):
        return "write it as a list: [ … ]"
    if wanted == "boolean":
        meant = boolean_meant(value) if isinstance(value, str) else ""
        return _bare(meant, value) or "write true or false"
    if wanted == "integer" and not isinstance(value, (dict, list, bool)):
        return _bare(integer_meant(spelling or str(value)), value) or "write it in digits, as 30"
    return ""


def _bare(meant: str, value: Any) -> str:
    return f"write {meant}" + (", without quotes" if meant == value else "") if meant else ""


def _say_type(violation: Violation, spelling: str) -> tuple[str, str]:
    wanted = str(violation.limit)
    if wanted == "string" and spelling and violation.schema.get("format") == "date":
        return _say_date(violation, spelling)
    if wanted == "string" and spelling and not re.search(violation.schema.get("pattern", ""), spelling):
        return _say_form(violation, spelling)
    advice = retype(violation.value, wanted, spelling)
    return f"must be {_TYPES.get(wanted, wanted)}, not {show(violation.value, spelling)}", advice


def _say_choice(violation: Violation, spelling: str) -> tuple[str, str]:
    known = [str(value) for value in violation.limit]
    text = f"is {show(violation.value, spelling)}, not {_choices(violation)}"
    near = did_you_mean(str(violation.value), known)
    return text, near if near.startswith("did") else ""


def _say_constant(violation: Violation, spelling: str) -> tuple[str, str]:
    return f"is {show(violation.value, spelling)}", f"write {violation.limit}"


def _say_form(violation: Violation, spelling: str) -> tuple[str, str]:
    if violation.value == "":
        return "is empty", "write a value"
    wanted = str(violation.schema.get("description", "")) or f"it must match {violation.limit}"
    return f"is {show(violation.value, spelling)}, which has the wrong form", wanted


def _say_date(violation: Violation, spelling: str) -> tuple[str, str]:
    return f"is {show(violation.value, spelling)}, which is no date", "write year-month-day, as 2027-03-31"


def _say_low(violation: Violation, spelling: str) -> tuple[str, str]:
    return f"is {show(violation.value, spelling)}", f"write {violation.limit} or more"


def _say_high(violation: Violation, spelling: str) -> tuple[str, str]:
    return f"is {show(violation.value, spelling)}", f"write {violation.limit} or less"


def _say_short(violation: Violation, _spelling: str) -> tuple[str, str]:
    if not violation.value:
        return "is empty", "write a value, or leave the key out"
    return "is too short", f"write {violation.limit} characters or more"


def _say_long(violation: Violation, _spelling: str) -> tuple[str, str]:
    return "is too long", f"{violation.limit} at most"


def _choices(violation: Violation) -> str:
    known = [f"`{value}`" for value in violation.limit]
    return known[0] if len(known) == 1 else f"one of {', '.join(known)}"


_PHRASES: Mapping[str, Callable[[Violation, str], tuple[str, str]]] = {
    "type": _say_type,
    "enum": _say_choice,
    "const": _say_constant,
    "pattern": _say_form,
    "format": _say_date,
    "minimum": _say_low,
    "maximum": _say_high,
    "minLength": _say_short,
    "minItems": _say_short,
    "minProperties": _say_short,
    "maxLength": _say_long,
    "maxItems": _say_long,
}
