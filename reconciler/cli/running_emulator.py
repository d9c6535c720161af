"""The emulator that a command speaks to: where it is looked for, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.errors import UsageError

if TYPE_CHECKING:
    from reconciler.emulator.remote import Running

HOME = click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder that holds the estate, the CA and the token [env: RECONCILER_EMULATOR_HOME].",
)


@contextmanager
def refusals() -> Iterator[None]:
    """What the emulator refuses, as an error of ours."""
    from reconciler.emulator.remote import EmulatorError

    try:
        yield
    except (EmulatorError, OSError) as error:
        raise UsageError(f"emulator: {error}") from error


def running(home: Path | None) -> Running:
    """The emulator that runs on this folder. Raises UsageError, with what to type, where none does."""
    from reconciler.emulator import lifecycle

    with refusals():
        found = lifecycle.find(home)
    if found is None:
        raise UsageError("no emulator is running", advice="start one with: reconciler emulator start")
    return found
