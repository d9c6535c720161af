"""What was asked of the emulator: the last requests in memory, all of them in a file, and counts by template."""

from __future__ import annotations

from collections import Counter, deque
from pathlib import Path
from typing import IO

import msgspec


class LoggedRequest(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One line of the log. It holds no header but the client's request id, so no token can be in it.

    ``status`` 0 is a connection that a fault cut. ``operations`` are the guids that the request started.
    """

    time: str
    wall: str
    method: str
    path: str
    template: str
    status: int
    milliseconds: float
    query: str = ""
    operations: tuple[str, ...] = ()
    client_request_id: str = ""


class RequestLog:
    """``folder`` None keeps nothing on disk."""

    def __init__(self, folder: Path | None, *, kept: int = 20_000) -> None:
        self._recent: deque[LoggedRequest] = deque(maxlen=kept)
        self._counts: Counter[str] = Counter()
        self._file: IO[bytes] | None = None
        if folder is not None:
            path = folder / "requests.jsonl"
            self._file = path.open("ab", buffering=0)
            path.chmod(0o600)

    def add(self, request: LoggedRequest) -> None:
        self._recent.append(request)
        self._counts[f"{request.method} {request.template}"] += 1
        if self._file is not None:
            self._file.write(msgspec.json.encode(request) + b"\n")

    def recent(self, limit: int | None = None) -> list[LoggedRequest]:
        """The last requests, oldest first."""
        everything = list(self._recent)
        return everything if limit is None else everything[-limit:] if limit else []

    def counts(self) -> dict[str, int]:
        """Requests since the start or the last ``clear``, by ``METHOD template``."""
        return dict(sorted(self._counts.items()))

    def clear(self) -> None:
        self._recent.clear()
        self._counts.clear()
        if self._file is not None:
            self._file.truncate(0)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
