"""The journal of an apply: what was sent, what Azure accepted, what ended; so that a killed run can be taken up again.

JSON lines, one file a run, each line on disk (fsync) before the run goes on. A line without its newline was being
written when the process died: it does not count, and neither does what it announces, for nothing happens before its
line is on disk. Operations are kept with their polling URLs, which Azure signs: whoever reads the file can read the
status of those operations until the signature ends, so it is for its owner alone (0600, folder 0700) and is not for
publication. It holds no credentials.

The folder's top level holds the runs that have steps left open; runs that ended clean move to `finished/`, of which the
newest are kept for the record and may be deleted at any time.
"""

from __future__ import annotations

import contextlib
import errno
import os
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from reconciler.apply.journal_lines import (
    Accepted,
    Ended,
    Finished,
    Header,
    Line,
    Owed,
    Starting,
    read_lines,
    refusal,
)
from reconciler.azure.operations import Operation
from reconciler.plan.change import Step

FINISHED = "finished"
KEPT = 100
"""How many finished journals stay for the record."""


@dataclass(frozen=True, slots=True)
class OpenStep:
    """A step of an earlier run that was sent, or was about to be, and is not known to have ended.

    `operation` is None when it is in doubt whether Azure received the write at all. `owed`: it takes another one back.
    """

    step: Step
    since: datetime
    operation: Operation | None
    run: str
    journal: Path
    owed: bool = False


class Journal:
    """The open journal of one run, or of an earlier one that is taken up. Raises JournalError on any I/O error."""

    def __init__(self, path: Path, descriptor: int, size: int = 0) -> None:
        self.path = path
        self._descriptor = descriptor
        self._size = size

    @classmethod
    def create(cls, folder: Path, header: Header) -> Self:
        """A new journal in `folder` (made when missing), named by time and run, with its header on disk.

        Runs against the same cloud that were killed after their last step are filed away; the caller holds the lock.
        """
        path = folder / f"{header.at:%Y%m%dT%H%M%SZ}-{header.run}.jsonl"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            for earlier in folder.glob("*.jsonl"):
                if _about(earlier, header.endpoint) and not _open_in(earlier):
                    _file_away(earlier)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
            _sync_folder(folder)
        except OSError as error:
            raise refusal("write", path, error) from error
        journal = cls(path, descriptor)
        journal.write(header)
        return journal

    @classmethod
    def reopen(cls, path: Path) -> Self:
        """An earlier run's journal, to note how its steps ended. A torn last line is cut off."""
        try:
            whole = path.read_bytes().rfind(b"\n") + 1
            descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
            os.ftruncate(descriptor, whole)
        except OSError as error:
            raise refusal("write", path, error) from error
        return cls(path, descriptor, whole)

    def owing(self, step: Step, at: datetime) -> None:
        """Before the step that `step` takes back is noted as starting."""
        self.write(Owed(at=at, step=step))

    def starting(self, step: Step, at: datetime) -> None:
        """Before the write is sent. Only when this returned may it be sent."""
        self.write(Starting(at=at, step=step))

    def accepted(self, step: str, operation: Operation, at: datetime) -> None:
        """As soon as Azure has answered with an operation."""
        self.write(Accepted(at=at, step=step, operation=operation))

    def ended(self, step: str, ended: Ended, at: datetime, message: str = "") -> None:
        """When the step is over and nothing of it can still run in Azure."""
        self.write(Finished(at=at, step=step, ended=ended, message=message))

    def write(self, record: Line) -> None:
        """One line, on disk when this returns; or else (disk full) nothing of it, and JournalError."""
        line = msgspec.json.encode(record) + b"\n"
        try:
            if os.write(self._descriptor, line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(self._descriptor)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, self._size)
            raise refusal("write", self.path, error) from error
        self._size += len(line)

    def close(self) -> None:
        """Closes the file, and files it under `finished/` when nothing of it is left open."""
        os.close(self._descriptor)
        if not _open_in(self.path):
            try:
                _file_away(self.path)
            except OSError as error:
                raise refusal("move", self.path, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_steps(folder: Path, endpoint: str) -> list[OpenStep]:
    """Steps of earlier runs against `endpoint` that may still run in Azure, oldest run first; read only.

    Raises JournalError where a journal is damaged: what it kept from being sent twice is then unknown.
    """
    return [step for path in sorted(folder.glob("*.jsonl")) if _about(path, endpoint) for step in _open_in(path)]


def begun(folder: Path, endpoint: str, digest: str) -> frozenset[str]:
    """Addresses for which some earlier run of the plan with this digest has sent a step, or was about to."""
    return frozenset(
        record.step.address
        for path in (*folder.glob("*.jsonl"), *(folder / FINISHED).glob("*.jsonl"))
        if _about(path, endpoint, digest)
        for record in read_lines(path)
        if isinstance(record, Starting)
    )


def _file_away(path: Path) -> None:
    finished = path.parent / FINISHED
    finished.mkdir(exist_ok=True, mode=0o700)
    path.replace(finished / path.name)
    for old in sorted(finished.glob("*.jsonl"))[:-KEPT]:
        old.unlink(missing_ok=True)


def _about(path: Path, endpoint: str, digest: str = "") -> bool:
    header = next(read_lines(path), None)
    return isinstance(header, Header) and header.endpoint == endpoint and digest in ("", header.plan)


def _open_in(path: Path) -> list[OpenStep]:
    run = ""
    left: dict[str, OpenStep] = {}
    for record in read_lines(path):
        match record:
            case Header():
                run = record.run
            case Owed():
                left[record.step.id] = OpenStep(record.step, record.at, None, run, path, owed=True)
            case Starting():
                owed = record.step.id in left and left[record.step.id].owed
                left[record.step.id] = OpenStep(record.step, record.at, None, run, path, owed)
            case Accepted():
                left[record.step] = replace(left[record.step], operation=record.operation)
            case Finished() if record.ended in (Ended.DONE, Ended.SETTLED) or not left[record.step].owed:
                left.pop(record.step)
            case Finished():  # what is owed stays so until it is done
                left[record.step] = replace(left[record.step], operation=None)
    return list(left.values())


def _sync_folder(folder: Path) -> None:
    """Puts a new file's name on disk; folders cannot be opened on Windows, and need not be."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
