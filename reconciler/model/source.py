"""The place in the policies that a value came from."""

from __future__ import annotations

import msgspec


class Source(msgspec.Struct, frozen=True, order=True):
    """A position in a file: `line` and `column` count from 1; 0 means the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        if not self.line:
            return self.file
        return f"{self.file}:{self.line}:{self.column}"
