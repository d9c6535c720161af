"""The folder that the policies go into: empty or not there before, whole or not there afterwards."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from reconciler.errors import UsageError

_SCHEMAS = "schemas"
_MOST_NAMED = 5


def check_free(folder: Path) -> None:
    """Raises UsageError where something is there already: nothing of it is ever overwritten."""
    try:
        entries = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else None
    except OSError as error:
        raise UsageError(f"{folder} cannot be read: {error.strerror}", advice="check its permissions") from error
    if entries is None and (folder.exists() or folder.is_symlink()):
        raise UsageError(f"{folder} is no folder", advice="name a folder that is empty or not there yet")
    if entries:
        more = f" and {len(entries) - _MOST_NAMED} more" if len(entries) > _MOST_NAMED else ""
        raise UsageError(
            f"{folder} is not empty: {', '.join(entries[:_MOST_NAMED])}{more}",
            why="adopt overwrites nothing",
            advice="name a folder that is empty or not there yet, and merge by hand what you want of it",
        )


def find_schemas(folder: Path) -> dict[str, str]:
    """The JSON Schemas beside the folder: file name → path from the folder. Nothing where there are none."""
    beside = folder.absolute().parent / _SCHEMAS
    if not beside.is_dir():
        return {}
    return {path.name: f"../{_SCHEMAS}/{path.name}" for path in sorted(beside.glob("*.schema.json"))}


def write_whole(folder: Path, files: Mapping[str, str]) -> None:
    """All files, or none. Raises UsageError where they cannot be written, or something came there in the meantime."""
    check_free(folder)
    place = folder.absolute()
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        staging = place.with_name(f".{place.name}-{os.getpid()}")
        staging.mkdir()
    except OSError as error:
        raise UsageError(f"{folder} cannot be made: {error.strerror}", advice="check the path") from error
    try:
        for name, text in files.items():
            path = staging / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        staging.rename(place)  # an empty folder gives way, one that is not refuses
    except OSError as error:
        shutil.rmtree(staging, ignore_errors=True)
        raise UsageError(f"{folder} cannot be written: {error.strerror}", advice="check the path") from error
