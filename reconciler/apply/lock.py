"""One apply at a time per cloud and machine: two would send the same steps twice.

The operating system holds the lock and drops it when the process ends, however it ends: it cannot be left behind by a
killed job, so there is nothing to break by force. What the file says is only for the message to the second comer.
Between machines git's own ordering applies (one merge queue): see `docs/decisions`.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec

from reconciler.errors import JournalError


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Who applies, for the message to others. `since` is aware UTC."""

    pid: int
    host: str
    since: datetime
    run: str = ""

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}, since {self.since:%Y-%m-%d %H:%M:%S} UTC"


class LockedError(JournalError):
    """Another apply is running. `holder` is None when it could not be told."""

    def __init__(self, holder: Holder | None, path: Path) -> None:
        who = str(holder) if holder else "another process"
        super().__init__(
            "another apply is running against the same cloud",
            why=f"{who} holds {path}",
            advice="wait until it has ended; if it hangs, stop it with Ctrl-C: the next apply takes up what it left",
        )
        self.holder = holder


@contextlib.contextmanager
def hold(folder: Path, endpoint: str, holder: Holder) -> Iterator[None]:
    """The lock for applies against `endpoint`, held inside the `with`. Raises LockedError where another one has it."""
    path = _path(folder, endpoint)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise JournalError(
            f"cannot open the lock {path}",
            why=error.strerror or str(error),
            advice="make the folder writable, or choose another with --journal",
        ) from error
    try:
        if not _take(descriptor):
            raise LockedError(_read(path), path)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, msgspec.json.encode(holder))
        yield
    finally:
        os.close(descriptor)


def held_by(folder: Path, endpoint: str) -> Holder | None:
    """Who applies right now, for `plan` and `drift` to say; None where nobody does. Changes nothing."""
    path = _path(folder, endpoint)
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return None
    try:
        return None if _take(descriptor) else _read(path)
    finally:
        os.close(descriptor)


def _path(folder: Path, endpoint: str) -> Path:
    return folder / f"apply-{hashlib.sha256(endpoint.casefold().encode()).hexdigest()[:12]}.lock"


def _read(path: Path) -> Holder | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Holder)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None


if sys.platform == "win32":
    import msvcrt

    def _take(descriptor: int) -> bool:
        os.lseek(descriptor, 1 << 30, os.SEEK_SET)  # far behind the text, which others must be able to read
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(descriptor, 0, os.SEEK_SET)
        return True

else:
    import fcntl

    def _take(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
