"""docs/emulator-fidelity.md, made from the descriptions and the list of differences."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from tests.emulator.recorded.shape import Book, Operation

PAGE = Path(__file__).parents[3] / "docs" / "emulator-fidelity.md"

_HEAD = """# How faithful the emulator is

The emulator answers as Azure was seen to answer. Every answer that it gives in a test is held against a description
(`tests/emulator/shapes`: which fields there are, of which type, in which casing, null or absent; status and headers),
and so is every exchange with Azure that was recorded. Recorded requests are sent to it again, and the answers compared
field by field. What differs is listed here; the list is tested, and this page is made from it (`make golden`).

The recordings are those of azure-cli, azure-powershell and Cloud Custodian: 346 exchanges of 2017 to 2026, most of 2024
with api-version 2024-04-01. They are not in this repository; tests read them where they lie beside it.

**faithful**: as recorded, or as documented where that is said. **approximate**: what differs is said. Evidence:
*recorded* exchanges; *documented* by Azure's API specification or pages; *inferred* from the nearest recorded call.
"""


def render(book: Book, differences: dict[str, Any]) -> str:
    """The whole page."""
    parts = [_HEAD, *_operations(book), *_absent(differences), *_fields(differences), *_codes(differences["codes"])]
    parts += [*_replication_codes(differences["replicationCodes"])]
    parts += [
        "## Told differently\n",
        *(f"- **{e['what']}**: {e['how'].strip()}" for e in differences["behaviours"]),
        "",
    ]
    parts += ["## Replayed requests\n", "What an answer to a recorded request lacks or has besides, and why:\n"]
    parts += ["| in the emulator's answer | why |\n| --- | --- |", *map(_replay, differences["replays"])]
    return "\n".join(parts).rstrip() + "\n"


def _replay(entry: dict[str, Any]) -> str:
    """The pattern that the comparison is held against, without what makes it a regular expression in a table."""
    what = entry["what"].replace("\\", "").replace("(.value[])?", "[.value[]]").replace(".*", "…").replace("|", "\\|")
    return f"| `{what}` | {entry['reason']} |"


def _operations(book: Book) -> Iterator[str]:
    for resource, entries in groupby(book.operations, key=lambda entry: entry.resource):
        yield f"## {resource}\n"
        yield "| | request | answers | | evidence |\n| --- | --- | --- | --- | --- |"
        yield from map(_row, listed := list(entries))
        yield ""
        yield from (f"- **{entry.does}**: {entry.note.strip()}" for entry in listed if entry.note)
        yield ""


def _row(entry: Operation) -> str:
    statuses = ", ".join(str(status) for status in entry.answers)
    return f"| {entry.does} | `{entry.request}` | {statuses} | {entry.fidelity} | {entry.evidence} |"


def _absent(differences: dict[str, Any]) -> Iterator[str]:
    yield "## Absent\n"
    yield "| | request | why |\n| --- | --- | --- |"
    yield from (f"| {entry['does']} | `{entry['request']}` | {entry['reason']} |" for entry in differences["absent"])
    yield "\nSo are backups of databases and files, and whatever else is not named on this page.\n"


def _fields(differences: dict[str, Any]) -> Iterator[str]:
    yield "## Fields that were recorded and are not served\n"
    yield "| field | why |\n| --- | --- |"
    yield from (f"| `{name.rstrip('~+')}` | {reason} |" for name, reason in differences["fields"].items())
    yield ""


def _codes(codes: dict[str, Any]) -> Iterator[str]:
    yield "## Error codes\n"
    yield f"Recorded: {', '.join(f'`{code}`' for code in codes['recorded'])}, and those of ARM itself.\n"
    yield "Told by documentation, issues or the code of other clients, without a recorded answer:\n"
    yield "| code | for | in doubt |\n| --- | --- | --- |"
    yield from (f"| `{code}` | {known['rule']} | {known['doubt']} |" for code, known in codes["told"].items())
    yield "\nPlausible: the rule is documented, its code is not, so nothing may hang on these names:\n"
    yield "| code | for |\n| --- | --- |"
    yield from (f"| `{code}` | {known['rule']} |" for code, known in codes["plausible"].items())
    yield "\nBorrowed, for cases of which no answer was recorded:\n"
    yield from (f"- `{code}`: {known['rule']}" for code, known in codes["borrowed"].items())
    yield ""


def _replication_codes(codes: dict[str, Any]) -> Iterator[str]:
    yield "## Error codes of Site Recovery\n"
    yield "| code | told by |\n| --- | --- |"
    yield from (f"| `{code}` | {source} |" for code, source in codes["told"].items())
    yield "\nPlausible: the rule is documented, its code is not, so nothing may hang on these names:\n"
    yield "| code | for |\n| --- | --- |"
    yield from (f"| `{code}` | {rule} |" for code, rule in codes["plausible"].items())
    yield ""
