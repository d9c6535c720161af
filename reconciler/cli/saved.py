"""The saved plan that an apply was given, and whether it is the one that was approved."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.errors import UsageError

if TYPE_CHECKING:
    from reconciler.plan.plan import Plan

DIGEST = click.option(
    "--digest",
    metavar="SHA256",
    help="Refuse FILE unless it is the plan that was approved: its SHA-256, as `plan --out` tells it (or sha256sum).",
)
_SHA256 = re.compile(r"[0-9a-f]{64}")


def load_saved(file: Path | None, digest: str | None) -> Plan | None:
    """The plan in FILE, None without one. Raises PlanDigestError where it is another than that of `digest`, and
    UsageError for a digest that names none: a gate that is asked for never stands open."""
    from reconciler.plan.file import load

    wanted = digest if digest is None else digest.strip().lower()
    if wanted == "":
        raise UsageError(
            "--digest is empty",
            why="a variable that is not set looks like this",
            advice="hand on what `plan --out` or `sha256sum` said of the file",
        )
    if wanted is not None and not _SHA256.fullmatch(wanted):
        raise UsageError(f"--digest {digest} is no SHA-256", advice="it is the 64 digits that `sha256sum FILE` prints")
    if file is None:
        if wanted:
            raise UsageError("--digest is of a saved plan, and there is none", advice="name its file: apply FILE")
        return None
    return load(file, wanted)
