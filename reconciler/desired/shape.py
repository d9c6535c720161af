"""The gate for shape: JSON Schema's verdicts on a document, each at its line and in words of the field."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import jsonschema
from jsonschema.protocols import Validator

from reconciler.desired.load import Raw
from reconciler.desired.phrase import Violation, form, phrase, retype, show
from reconciler.desired.suggest import did_you_mean
from reconciler.model.document import Path
from reconciler.model.source import Source
from reconciler.plan.finding import Finding


def validator_for(schema: Mapping[str, Any]) -> Validator:
    """A validator that takes 1.0 for no whole number, lets no pattern end before a line break, and knows dates."""
    base = jsonschema.Draft202012Validator
    types = base.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int)
    extend: Any = jsonschema.validators.extend
    formats = jsonschema.FormatChecker(formats=())
    formats.checks("date", raises=ValueError)(_is_date)
    checked: Validator = extend(base, {"pattern": _pattern}, type_checker=types)(schema, format_checker=formats)
    return checked


def check_shape(raw: Raw, validator: Validator) -> list[Finding]:
    """Everything in which the document differs from its schema, by place. Code `schema`."""
    violations = (Violation.of(error) for error in validator.iter_errors(raw.value))
    found = {finding: None for violation in violations for finding in _explain(violation, raw)}
    return sorted(found, key=lambda finding: (finding.source or raw.source, finding.message))


def spell(path: Iterable[str | int]) -> str:
    """A path as people write it: `select.all[0].tags`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def place(raw: Raw, path: Path) -> Source:
    """Where the value at `path` stands; the nearest written ancestor where it was left out."""
    written = (raw.positions.get(path[:length]) for length in range(len(path), -1, -1))
    return next((source for source in written if source), raw.source)


def _is_date(value: Any) -> bool:
    if not isinstance(value, str):
        return True
    dt.date.fromisoformat(value)
    return re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value) is not None


def _pattern(_validator: Validator, pattern: str, instance: Any, _schema: Any) -> Iterator[jsonschema.ValidationError]:
    if isinstance(instance, str) and (instance.endswith("\n") or not re.search(pattern, instance)):
        yield jsonschema.ValidationError(f"{instance!r} does not match")


def _explain(violation: Violation, raw: Raw) -> Iterator[Finding]:
    if violation.keyword == "anyOf":
        yield from _explain_choice(violation, raw)
    elif violation.keyword == "additionalProperties":
        yield from _unknown_keys(violation, raw)
    elif violation.keyword == "required":
        yield from _missing_keys(violation, raw)
    elif violation.of_key:
        message, advice = phrase(violation, "")
        path = (*violation.path, str(violation.value))
        yield _finding(f"the key {message}", advice, raw.keys.get(path, place(raw, violation.path)))
    else:
        message, advice = phrase(violation, raw.spellings.get(violation.path, ""))
        yield _finding(f"{_subject(violation.path)} {message}", advice, place(raw, violation.path))


def _explain_choice(violation: Violation, raw: Raw) -> Iterator[Finding]:
    """Of several forms, speak of the one that was meant; of all of them where none was."""
    meant = [parts for parts in violation.parts if not any(_misfits(part, violation.path) for part in parts)]
    if meant:
        for part in min(meant, key=len):
            yield from _explain(part, raw)
        return
    misfits = [part for parts in violation.parts for part in parts if _misfits(part, violation.path)]
    spelling = raw.spellings.get(violation.path, "")
    takes_text = any(part.limit == "string" for part in misfits)
    advice = retype(violation.value, "string", spelling) if takes_text and violation.value is not None else ""
    message = f"must be {' or '.join(form(part) for part in misfits)}, not {show(violation.value, spelling)}"
    yield _finding(f"{_subject(violation.path)} {message}", advice, place(raw, violation.path))


def _misfits(part: Violation, path: Path) -> bool:
    """True where the value is not even of the type that this form takes."""
    if part.path != path:
        return False
    return part.keyword == "type" or (part.keyword == "enum" and not isinstance(part.value, str))


def _unknown_keys(violation: Violation, raw: Raw) -> Iterator[Finding]:
    known = violation.schema.get("properties", {})
    for key in violation.value:
        if key not in known:
            advice = did_you_mean(key, (name for name in known if name not in violation.value))
            source = raw.keys.get((*violation.path, key), place(raw, violation.path))
            yield _finding(f"unknown field `{spell((*violation.path, key))}`", advice, source)


def _missing_keys(violation: Violation, raw: Raw) -> Iterator[Finding]:
    known = violation.schema.get("properties", {})
    for key in violation.limit:
        if key not in violation.value:
            wanted = known.get(key, {})
            choices = " or ".join(map(str, wanted.get("enum", ())))
            text = str(wanted.get("const", choices or wanted.get("description", "")))
            source = raw.keys.get(violation.path, place(raw, violation.path))
            advice = f"add {key}: {text}" if text else f"add {key}"
            yield _finding(f"{_subject(violation.path)} lacks `{key}`", advice, source)


def _subject(path: Path) -> str:
    return f"`{spell(path)}`" if path else "the document"


def _finding(message: str, advice: str, source: Source) -> Finding:
    return Finding(code="schema", message=message, advice=advice, source=source)
