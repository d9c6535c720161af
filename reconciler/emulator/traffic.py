"""What sort of request one is, and which role action it needs, told from method and path alone."""

from __future__ import annotations

import re
from typing import Literal

Sort = Literal["read", "list", "write", "delete", "poll"]
_VERBS = {"GET": "read", "HEAD": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}
_OPERATIONS = re.compile(r"[a-z]*operations?(results?|status(es)?)?")
SORTS: tuple[Sort, ...] = ("read", "list", "write", "delete", "poll")


def sort_of(method: str, path: str) -> Sort:
    """A poll asks for one of ``operations``, ``operationResults``, ``operationsStatus``, ``backupOperations`` or so."""
    if method == "DELETE":
        return "delete"
    if method not in ("GET", "HEAD"):
        return "write"
    segments = [part.lower() for part in path.split("/") if part]
    if len(segments) > 1 and _OPERATIONS.fullmatch(segments[-2]):
        return "poll"
    below = len(segments) - next((i for i in range(len(segments), 0, -1) if segments[i - 1] == "providers"), 0)
    provided = below < len(segments)
    return "list" if below % 2 == (0 if provided else 1) else "read"


def action_of(method: str, path: str) -> tuple[str, str]:
    """The role action that a request needs, and the scope (resource) it is needed on."""
    parts = [part for part in path.split("/") if part]
    places = [index for index, part in enumerate(parts) if part.lower() == "providers"]
    if not places or places[-1] + 1 >= len(parts):
        types = "/".join(part for part in parts[0::2] if part)
        return f"Microsoft.Resources/{types}/{_VERBS.get(method, 'write')}", path
    start = places[-1] + 1
    namespace, rest = parts[start], parts[start + 1 :]
    if method == "POST":
        return f"{namespace}/{'/'.join([*rest[0:-1:2], rest[-1]])}/action", path
    return f"{namespace}/{'/'.join(rest[0::2])}/{_VERBS.get(method, 'write')}", path
