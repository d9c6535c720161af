"""Descriptions of Azure's answers (tests/emulator/shapes/*.yaml), and what an answer has against its description.

One description serves two sides: what the emulator serves, and what was recorded of Azure. The mark at the end of a key
says how they relate: ``key`` is always there on both sides, ``key?`` on neither, ``key!`` always in what we serve but
not in every (older) recording, ``key~`` was recorded and is never served, ``key+`` is served and was never recorded.
The last two are differences: tests/emulator/shapes/differences.yaml gives the reason of each.

A value is described by the name of a type (``instant``), by alternatives (``instant | null``), by the words that it may
be, in their casing (``[Healthy, Unhealthy]``), by a list (``{"[]": text}``), by an object, by an object with any keys
(``{"*": text}``), or by the name of another description (``$vault``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

import yaml

SHAPES = Path(__file__).parents[1] / "shapes"
Side = Literal["served", "recorded"]

_GROUP = "/subscriptions/*/resourceGroups/*"
_VAULT = f"{_GROUP}/providers/Microsoft.RecoveryServices/vaults/*"
PLACES = {
    "subscription": "/subscriptions/*",
    "group": _GROUP,
    "vault": _VAULT,
    "container": f"{_VAULT}/backupFabrics/*/protectionContainers/*",
    "item": f"{_VAULT}/backupFabrics/*/protectionContainers/*/protectedItems/*",
    "fabric": f"{_VAULT}/replicationFabrics/*",
    "protectionContainer": f"{_VAULT}/replicationFabrics/*/replicationProtectionContainers/*",
    "replicated": f"{_VAULT}/replicationFabrics/*/replicationProtectionContainers/*/replicationProtectedItems/*",
    "location": "/subscriptions/*/providers/Microsoft.RecoveryServices/locations/*",
    "vm": f"{_GROUP}/providers/Microsoft.Compute/virtualMachines/*",
    "disk": f"{_GROUP}/providers/Microsoft.Compute/disks/*",
    "snapshot": f"{_GROUP}/providers/Microsoft.Compute/snapshots/*",
    "collection": f"{_GROUP}/providers/Microsoft.Compute/restorePointCollections/*",
    "point": f"{_GROUP}/providers/Microsoft.Compute/restorePointCollections/*/restorePoints/*",
    "compute": "/subscriptions/*/providers/Microsoft.Compute",
    "scope": "**",
}
"""What ``{vault}`` and the like stand for in a request line."""

_CLOCK = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?"
PATTERNS = {
    "text": r"(?s).*",
    "empty": r"",
    "instant": rf"{_CLOCK}Z",
    "local-instant": _CLOCK,
    "offset-instant": rf"{_CLOCK}\+00:00",
    "us-instant": r"\d{1,2}/\d{1,2}/\d{4} \d{1,2}:\d\d:\d\d [AP]M",
    "duration": r"PT(\d+H)?(\d+M)?(\d+(\.\d{1,7})?S)?",
    "span": r"(\d+\.)?\d\d:\d\d:\d\d(\.\d{7})?",
    "guid": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "digits": r"\d+",
    "etag": r"W/\"datetime'[^']+'\"|\"\d+\"|\".+\"",
    "base64": r"[A-Za-z0-9+/]+=*",
    "id": r"/[sS]ubscriptions/.+",
    "url": r"https://.+",
}
_SCALARS = {
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "any": lambda value: True,
}


@dataclass(frozen=True)
class Described:
    """One answer. ``headers`` maps names (``name?`` may be absent) to the path that a URL there must have
    ("" = anything).
    """

    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Operation:
    does: str
    request: str
    answers: Mapping[int, Described]
    fidelity: str
    evidence: str
    note: str
    resource: str

    @property
    def method(self) -> str:
        return self.request.partition(" ")[0]

    @property
    def path(self) -> str:
        return expand(self.request.partition(" ")[2])


def expand(template: str) -> str:
    return re.sub(r"\{(\w+)\}", lambda match: PLACES[match[1]], template)


def fits(template: str, path: str) -> bool:
    """Whether a path has the form of a template; casing does not matter, as in ARM.

    ``*`` is one segment, a leading ``**`` any number of them.
    """
    wanted, found = (text.strip("/").lower().split("/") for text in (expand(template), path))
    if wanted[0] == "**":
        wanted = wanted[1:]
        found = found[-len(wanted) :]
    return len(wanted) == len(found) and all(w in ("*", f) for w, f in zip(wanted, found, strict=True))


class Book:
    """All descriptions. Raises AssertionError for a name that is described twice."""

    def __init__(self, folder: Path = SHAPES) -> None:
        self.definitions: dict[str, Any] = {}
        self.operations: list[Operation] = []
        for file in sorted(folder.glob("[0-9]*.yaml")):
            document = yaml.safe_load(file.read_text(encoding="utf-8"))
            doubled = self.definitions.keys() & document.get("definitions", {}).keys()
            assert not doubled, f"{file.name}: {doubled} are described twice"
            self.definitions |= document.get("definitions", {})
            self.operations += [_read(entry, document["resource"]) for entry in document.get("operations", [])]
        common = yaml.safe_load((folder / "headers.yaml").read_text(encoding="utf-8"))
        self.always: list[str] = common["always"]
        self.sometimes: list[str] = common["sometimes"]
        self.answered_in_time: list[str] = common["pollingHints"]

    def find(self, method: str, path: str) -> Operation | None:
        """The description of a call; the one with the most literal words if several fit."""
        found = [entry for entry in self.operations if entry.method == method and fits(entry.path, path)]
        return min(found, key=lambda entry: (entry.path.startswith("**"), entry.path.count("*")), default=None)

    def check(
        self, operation: Operation, status: int, headers: Mapping[str, str], body: Any, side: Side
    ) -> Iterator[str]:
        """What is wrong with an answer. An error that the operation does not name must be one of Azure's shapes."""
        described = operation.answers.get(status)
        if described is None:
            if status < 400:
                yield f"{operation.request}: nobody described an answer {status}"
                return
            described = Described(body="$error")
        at = f"{operation.request} {status}"
        yield from (f"{at}: header {text}" for text in self._check_headers(described, headers, side))
        if described.body is None:
            if body not in (None, "", b""):
                yield f"{at}: there is a body"
        else:
            yield from (f"{at}: {text}" for text in self.compare(described.body, body, side))

    def _check_headers(self, described: Described, headers: Mapping[str, str], side: Side) -> Iterator[str]:
        sent = {name.lower(): value for name, value in headers.items()}
        for mark, template in described.headers.items():
            name = mark.rstrip("?")
            if name not in sent:
                if name == mark:
                    yield f"{name} is missing"
            elif template and not fits(template, unquote(urlsplit(sent[name]).path)):
                yield f"{name} is not {template} but {sent[name][:200]}"
        if side == "served":
            yield from (f"{name} is missing" for name in self.always if name not in sent)
        known = [
            *(name.rstrip("?") for name in described.headers),
            *self.always,
            *self.sometimes,
            *self.answered_in_time,
        ]
        for name in sent:
            if not any(re.fullmatch(pattern, name) for pattern in known):
                yield f"{name} is described nowhere"

    def compare(self, shape: Any, value: Any, side: Side, at: str = "body") -> Iterator[str]:
        """What a value has against a description."""
        if isinstance(shape, list):
            if not any(value == word and type(value) is type(word) for word in shape):
                yield f"{at} is {value!r}, none of {shape}"
        elif isinstance(shape, dict):
            yield from self._compare_object(shape, value, side, at)
        else:
            alternatives = [text.strip() for text in str(shape).split("|")]
            tried = [list(self._compare_named(text, value, side, at)) for text in alternatives]
            if all(tried):
                yield from min(tried, key=len)  # of the alternative that fits best

    def _compare_named(self, name: str, value: Any, side: Side, at: str) -> Iterator[str]:
        if name.startswith("$"):
            yield from self.compare(self.definitions[name[1:]], value, side, at)
        elif name in _SCALARS:
            if not _SCALARS[name](value):
                yield f"{at} is {value!r:.120}, not {name}"
        elif not isinstance(value, str) or not re.fullmatch(PATTERNS[name], value):
            yield f"{at} is {value!r:.120}, not {name}"

    def _compare_object(self, shape: dict[str, Any], value: Any, side: Side, at: str) -> Iterator[str]:
        if "[]" in shape:
            if not isinstance(value, list):
                yield f"{at} is {value!r:.120}, not a list"
                return
            for entry in value:
                yield from self.compare(shape["[]"], entry, side, f"{at}[]")
            return
        if not isinstance(value, dict):
            yield f"{at} is {value!r:.120}, not an object"
            return
        described = {key.rstrip("?!~+"): (key[-1] if key[-1] in "?!~+" else "", inner) for key, inner in shape.items()}
        for key, (mark, inner) in described.items():
            if key == "*":
                continue
            if key in value:
                if mark == ("~" if side == "served" else "+"):
                    yield f"{at}.{key} is there, and marked as never {side}"
                yield from self.compare(inner, value[key], side, f"{at}.{key}")
            elif mark == "" or (mark == "!" and side == "served"):
                yield f"{at}.{key} is missing"
        for key in value.keys() - described.keys():
            if "*" in described:
                yield from self.compare(described["*"][1], value[key], side, f"{at}.{key}")
            else:
                yield f"{at}.{key} is described nowhere"


def _read(entry: dict[str, Any], resource: str) -> Operation:
    answers = {
        int(status): Described((answer or {}).get("body"), (answer or {}).get("headers") or {})
        for status, answer in entry["answers"].items()
    }
    return Operation(
        does=entry["does"],
        request=entry["request"],
        answers=answers,
        fidelity=entry.get("fidelity", "faithful"),
        evidence=entry.get("evidence", "recorded"),
        note=entry.get("note", ""),
        resource=resource,
    )


def marked(book: Book, marks: str = "~+") -> Iterator[str]:
    """``definition.path.key~`` of every key whose mark says that the two sides differ."""

    def walk(shape: Any, at: str) -> Iterator[str]:
        if isinstance(shape, dict):
            for key, inner in shape.items():
                if key[-1] in marks:
                    yield f"{at}.{key}"
                yield from walk(inner, f"{at}.{key.rstrip('?!~+')}")

    for name, shape in book.definitions.items():
        yield from walk(shape, name)
