"""Where the policies lie in their repository: machines that read a report know files by the path from its root."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from urllib.parse import quote

from reconciler.model.source import Source


@dataclass(frozen=True, slots=True)
class Places:
    """`folder` is the one that the names of files are relative to, `root` that of the repository; both absolute, with
    forward slashes. `scope` is the Scope document: what concerns no line of its own is told there."""

    root: str
    folder: str
    scope: Source | None = None

    def path(self, file: str) -> str:
        """From the root, as `estate/policies/web.yaml`; the absolute path of what lies outside."""
        whole = posixpath.normpath(posixpath.join(self.folder, file))
        inside = self.root.rstrip("/") + "/"
        return whole.removeprefix(inside)

    def uri(self, file: str) -> str:
        """The same as a URI: relative to the root, or `file://`."""
        path = quote(self.path(file))
        return f"file://{path}" if path.startswith("/") else path
