"""The expressions of GitHub workflows, as far as ours use them. What is not known here is an error, never empty."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Names = Mapping[str, Any]
_TOKEN = re.compile(r"\s*(?:('(?:[^']|'')*')|(\d+)|([A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*)|(==|!=|&&|\|\||[!(),]))")
_WHOLE = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_OPEN = ("event", "inputs", "vars", "secrets", "outputs")
"""Objects in which a name that is not there is empty, as GitHub has it: what people set, and what a step left out."""


class Expression:
    """One expression, read from left to right. Source: "Evaluate expressions in workflows and actions"."""

    def __init__(self, text: str, names: Names, functions: Mapping[str, Callable[[], bool]]) -> None:
        self._tokens = _tokens(text)
        self._names = names
        self._functions = functions

    def value(self) -> Any:
        found = self._either()
        assert not self._tokens, f"not understood: {self._tokens}"
        return found

    def _either(self) -> Any:
        found = self._both()
        while self._take("||"):
            other = self._both()
            found = found or other
        return found

    def _both(self) -> Any:
        found = self._equal()
        while self._take("&&"):
            other = self._equal()
            found = found and other
        return found

    def _equal(self) -> Any:
        found = self._single()
        while self._tokens and self._tokens[0] in ("==", "!="):
            same = self._tokens.pop(0) == "=="
            found = (_spelled(found).lower() == _spelled(self._single()).lower()) is same
        return found

    def _single(self) -> Any:
        if self._take("!"):
            return not self._single()
        if self._take("("):
            found = self._either()
            assert self._take(")"), "a parenthesis stays open"
            return found
        token = self._tokens.pop(0)
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        if token.isdigit():
            return int(token)
        if self._take("("):
            assert self._take(")"), f"{token}() takes no arguments here"
            return self._functions[token]()
        return look_up(self._names, token)

    def _take(self, token: str) -> bool:
        if self._tokens and self._tokens[0] == token:
            self._tokens.pop(0)
            return True
        return False


def look_up(names: Names, path: str) -> Any:
    """Raises KeyError for what no runner would know."""
    found: Any = names
    trail: list[str] = []
    for part in path.split("."):
        if isinstance(found, Mapping) and part in found:
            found = found[part]
        elif found is None or (trail and (set(trail) & set(_OPEN))):
            found = None
        else:
            raise KeyError(f"{path}: {part} is not known")
        trail.append(part)
    return found


def fill_in(text: str, evaluate: Callable[[str], Any]) -> str:
    """A text with its `${{ }}` evaluated."""
    return _WHOLE.sub(lambda match: _spelled(evaluate(match.group(1))), text)


def bare(condition: str) -> str:
    """The expression of an `if`, which may stand with or without its braces."""
    whole = _WHOLE.fullmatch(condition.strip())
    return whole.group(1) if whole else condition


def expressions(text: str) -> list[str]:
    """What stands between the braces."""
    return [found.strip() for found in _WHOLE.findall(text)]


def _tokens(text: str) -> list[str]:
    found, at = [], 0
    text = text.strip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        assert match, f"not understood: {text[at:]}"
        found.append(next(group for group in match.groups() if group is not None))
        at = match.end()
    return found


def _spelled(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
