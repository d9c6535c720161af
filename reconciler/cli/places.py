"""The repository that the command runs in: reports for machines name files from its root."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.model.source import Source
    from reconciler.render.places import Places


def find_places(scope: Source | None, folder: Path | None = None) -> Places:
    """From the working directory upwards to `.git` (a file in work trees and submodules); without one, the working
    directory is the root."""
    from reconciler.render.places import Places

    here = (folder or Path.cwd()).resolve()
    root = next((place for place in (here, *here.parents) if (place / ".git").exists()), here)
    return Places(root.as_posix(), here.as_posix(), scope)
