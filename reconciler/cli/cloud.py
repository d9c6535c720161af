"""Which Azure a command speaks to, and the door to it."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.console import note
from reconciler.errors import UsageError
from reconciler.model.duration import format_age

if TYPE_CHECKING:
    from reconciler.azure.clients import Azure
    from reconciler.emulator.remote import Running

CLOUD = click.option(
    "--cloud",
    default="public",
    show_default=True,
    envvar="RECONCILER_CLOUD",
    metavar="NAME|URL",
    help="public, usgov, china, emulator, or the https address of a Resource Manager [env: RECONCILER_CLOUD].",
)
CA_FILE = click.option(
    "--ca-file",
    envvar="RECONCILER_CA_FILE",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Certificate authorities to trust for a custom address [env: RECONCILER_CA_FILE].",
)
_LONG_WAIT = 5.0
"""Waits that Azure forces on us are told from this many seconds on."""


@asynccontextmanager
async def connect(name: str, ca_file: Path | None = None) -> AsyncIterator[Azure]:
    """The open door to the cloud of that name; an emulator is found, or started for the length of the command.

    Raises UsageError for an unknown name and UnreachableError for an address that does not answer.
    """
    from reconciler.azure.clients import Azure
    from reconciler.azure.clouds import discover_cloud, emulator_cloud, known_cloud

    if name.lower() == "emulator":
        async with _emulator() as found:
            cloud = emulator_cloud(found.endpoint, Path(found.ca), found.token)
            async with Azure(cloud, clock=VirtualClock(found), on_wait=_tell_wait) as azure:
                yield azure
        return
    if name.startswith("https://"):
        authority = os.environ.get("AZURE_AUTHORITY_HOST", "")
        if authority:
            from reconciler.azure.clouds import custom_cloud

            cloud = custom_cloud(name, authority, ca_file=ca_file)
        else:
            cloud = await discover_cloud(name, ca_file)
    else:
        cloud = known_cloud(name)
    async with Azure(cloud, clock=lambda: datetime.now(UTC), on_wait=_tell_wait) as azure:
        yield azure


@asynccontextmanager
async def _emulator() -> AsyncIterator[Running]:
    from reconciler.emulator import lifecycle
    from reconciler.emulator.remote import EmulatorError

    try:
        found = lifecycle.find()
        if found is not None:
            yield found
            return
        found = lifecycle.start()
    except EmulatorError as error:
        raise UsageError(f"emulator: {error}") from error
    note("No emulator is running: started one for this command. (Keep one with: reconciler emulator start)")
    try:
        yield found
    finally:
        lifecycle.stop()


class VirtualClock:
    """The emulator's time: asked for, and carried on at its speed in between.

    Operations make it jump (a client that polls does not wait in vain), so it is asked again after `_FRESH` seconds.
    """

    _FRESH = 0.25

    def __init__(self, running: Running) -> None:
        self._running = running
        self._ask()

    def __call__(self) -> datetime:
        """Aware UTC."""
        from reconciler.emulator.remote import EmulatorError

        if time.monotonic() - self._asked > self._FRESH:
            with contextlib.suppress(EmulatorError, OSError):  # it has gone: the request that follows says so better
                self._ask()
        return self._origin + timedelta(seconds=(time.monotonic() - self._asked) * self._speed)

    def _ask(self) -> None:
        facts = self._running.status()
        self._asked = time.monotonic()
        self._origin, self._speed = datetime.fromisoformat(facts["now"]), float(facts["speed"])


def _tell_wait(seconds: float, why: str) -> None:
    if seconds >= _LONG_WAIT:
        note(f"Waiting {format_age(timedelta(seconds=seconds))}: {why}")
