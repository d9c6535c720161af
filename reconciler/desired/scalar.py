"""What an unquoted YAML value means here: YAML 1.2, and stricter.

YAML 1.1 reads `on` and `yes` as booleans, `08:30` as a number of minutes, `0123` as octal and `2027-03-31` as a date.
Here all of those are the text that was written.
"""

from __future__ import annotations

import re

Scalar = str | int | float | bool | None

_WORDS: dict[str, Scalar] = {"": None, "~": None, "null": None, "true": True, "false": False}
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,17})\.[0-9]{1,18}")

_MEANT_TRUE = frozenset({"true", "yes", "on", "y"})
_MEANT_FALSE = frozenset({"false", "no", "off", "n"})
_MEANT_INTEGER = re.compile(r"[+-]?[0-9][0-9_]{0,17}(\.0+)?")


def resolve(text: str) -> Scalar:
    """The value of an unquoted scalar: `true`, `false`, `null`, a decimal number, or else its text."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text):
        return float(text)
    return text


def boolean_meant(text: str) -> str:
    """`true` or `false` for a text that was probably meant as one (`yes`, `Off`), else ""."""
    word = text.casefold()
    if word in _MEANT_TRUE:
        return "true"
    return "false" if word in _MEANT_FALSE else ""


def integer_meant(text: str) -> str:
    """The decimal spelling of a text that was probably meant as a whole number (`0123`, `1_000`, `7.0`), else ""."""
    if not _MEANT_INTEGER.fullmatch(text):
        return ""
    return str(int(text.partition(".")[0].replace("_", "")))
