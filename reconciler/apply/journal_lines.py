"""The lines of a journal: what each says, and how they are read back.

A line without its newline was being written when the process died: it does not count, and neither does what it
announces, for nothing happens before its line is on disk.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

import msgspec

from reconciler.azure.operations import Operation
from reconciler.errors import JournalError
from reconciler.plan.change import Step

VERSION = 1


class Ended(StrEnum):
    """How a step ended. SETTLED: found not to be running by a later run, which planned anew."""

    DONE = "done"
    FAILED = "failed"
    NEEDS_APPROVAL = "needs_approval"
    SETTLED = "settled"


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="record"):
    """One line. `at` is aware UTC."""

    at: datetime


class Header(Record, frozen=True, kw_only=True, tag="run"):
    """First line: whose run it is, and against which cloud. `plan` and `policies` are digests."""

    run: str
    plan: str
    policies: str
    endpoint: str
    pid: int
    host: str
    reconciler: str
    version: int = VERSION


class Starting(Record, frozen=True, kw_only=True, tag="starting"):
    """Written before the step's write is sent, whole: to verify it later needs no plan."""

    step: Step


class Owed(Record, frozen=True, kw_only=True, tag="owed"):
    """Written before a step that must be taken back: `step` does that, and is open until it is done."""

    step: Step


class Accepted(Record, frozen=True, kw_only=True, tag="accepted"):
    """Azure took the write up as an operation."""

    step: str
    operation: Operation


class Finished(Record, frozen=True, kw_only=True, tag="ended"):
    """The step is over, one way or another."""

    step: str
    ended: Ended
    message: str = ""


Line: TypeAlias = Header | Owed | Starting | Accepted | Finished
_DECODER = msgspec.json.Decoder(Line)


def read_lines(path: Path) -> Iterator[Line]:
    """The records that are whole. Raises JournalError for a file that is not a journal, or of a later version."""
    started: set[str] = set()
    try:
        lines = path.read_bytes().split(b"\n")[:-1]
    except OSError as error:
        raise refusal("read", path, error) from error
    for number, line in enumerate(lines, start=1):
        try:
            record = _DECODER.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise _damaged(path, number, str(error)) from error
        if isinstance(record, Header) is not (number == 1):
            raise _damaged(path, number, "the header belongs in the first line, and only there")
        if isinstance(record, Header) and record.version != VERSION:
            raise _damaged(path, number, f"it is of version {record.version}, this program reads version {VERSION}")
        if isinstance(record, Owed | Starting):
            started.add(record.step.id)
        elif isinstance(record, Accepted | Finished) and record.step not in started:
            raise _damaged(path, number, f"{record.step} never started")
        yield record


def refusal(verb: str, path: Path, error: OSError) -> JournalError:
    """What the file system says no to. `verb` is ours: read, write, move."""
    return JournalError(
        f"cannot {verb} the journal {path}",
        why=error.strerror or str(error),
        advice="nothing is sent to Azure that the journal could not note: make the folder writable, or choose another "
        "with --journal",
    )


def _damaged(path: Path, line: int, why: str) -> JournalError:
    return JournalError(
        f"{path}:{line}: the journal of an earlier apply is damaged",
        why=why,
        advice="make sure in the portal (Backup jobs) that nothing of that run is in progress, then move the file away",
    )
