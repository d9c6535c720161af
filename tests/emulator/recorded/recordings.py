"""Recorded exchanges with Azure, where they are at hand: they are not in this repository."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_WIRE = Path(__file__).parents[3].parent / "shared" / "azure" / "wire"
RECORDINGS = _WIRE / "backup"
SNAPSHOTS = _WIRE / "snapshot"
REPLICATION = _WIRE / "asr"
_TRAFFIC = ("real traffic", "real traffic, except exchanges that carry their own kind", "mixed (marked per exchange)")


@dataclass(frozen=True)
class Exchange:
    """One request and its answer. ``number`` counts within its file."""

    file: str
    number: int
    method: str
    path: str
    query: str
    api_version: str
    sent: Any
    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def name(self) -> str:
        return f"{self.file}#{self.number}"


def _read(file: Path, name: str) -> Iterator[Exchange]:
    document = json.loads(file.read_text(encoding="utf-8"))
    if document.get("kind", _TRAFFIC[0]) not in _TRAFFIC:
        return  # examples of documentation, and requests that somebody made up around a real error
    for number, entry in enumerate(document["exchanges"]):
        if "kind" in entry:
            continue  # the same, of one exchange
        request, response = entry["request"], entry["response"]
        yield Exchange(
            file=name,
            number=number,
            method=request["method"],
            path=request["path"],
            query=request.get("query") or "",
            api_version=str(request.get("api_version") or ""),
            sent=request.get("body"),
            status=response["status"],
            headers={name.lower(): value for name, value in (response.get("headers") or {}).items()},
            body=response.get("body"),
        )


@cache
def exchanges() -> tuple[Exchange, ...]:
    """All recorded exchanges, file by file, in the order in which they happened."""
    files = [(file, file.stem) for file in sorted(RECORDINGS.glob("*.json"))]
    files += [(file, f"snapshot/{file.stem}") for file in sorted(SNAPSHOTS.glob("*.json"))]
    files += [(file, f"asr/{file.stem}") for file in sorted(REPLICATION.glob("*.json"))]
    return tuple(exchange for file, name in files for exchange in _read(file, name))
