"""The lock between machines, as commands ask for it: --lock, --no-lock, --lock-timeout, or `lock` of the Scope."""

from __future__ import annotations

import contextlib
import getpass
import os
import platform
import re
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.options import together
from reconciler.errors import UsageError
from reconciler.publish.pipeline import pipeline_of

if TYPE_CHECKING:
    from reconciler.apply.lease import Holder, Lease
    from reconciler.azure.blob_address import Location
    from reconciler.azure.blob_lease import LeasedBlob
    from reconciler.azure.clients import Azure
    from reconciler.model.document import Declared
    from reconciler.workflow import Machinery

_SECONDS = {"s": 1, "m": 60, "h": 3600}


class Patience(click.ParamType[float]):
    """`90s`, `10m`, `2h` → seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Fails with what to write instead."""
        if isinstance(value, float):
            return value
        found = re.fullmatch(r"([0-9]{1,6})([smh])", str(value))
        if not found:
            self.fail(f"{value!r} is not a time: write 90s, 10m or 2h", param, ctx)
        return float(int(found[1]) * _SECONDS[found[2]])


WHICH_LOCK = together(
    click.option(
        "--lock",
        envvar="RECONCILER_LOCK",
        metavar="URL",
        help="Blob whose lease says who applies  [env: RECONCILER_LOCK; default: `lock` of the Scope].",
    ),
    click.option("--no-lock", is_flag=True, help="Go without the lock."),
)
LOCK = together(
    WHICH_LOCK,
    click.option(
        "--lock-timeout",
        type=Patience(),
        default="0s",
        show_default=True,
        help="How long to wait for the lock, as 10m.",
    ),
)


@dataclass(frozen=True, slots=True)
class Lock:
    """The blob to lease, how many seconds to wait for it, and what for: `apply` or `restore`."""

    location: Location
    patience: float = 0.0
    operation: str = "apply"


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line said of the lock: `address` "" leaves it to the Scope (never shown: it may hold a SAS);
    `none` goes without; `patience` is in seconds."""

    address: str = field(default="", repr=False)
    none: bool = False
    patience: float = 0.0

    @classmethod
    def of(cls, address: str | None, *, none: bool, patience: float = 0.0) -> Wish:
        """Raises UsageError where both an address and none are asked for on the command line."""
        written = click.get_current_context().get_parameter_source("lock") is click.core.ParameterSource.COMMANDLINE
        if none and written:
            raise UsageError("--lock and --no-lock contradict each other", advice="leave one of them out")
        return cls((address or "").strip(), none, patience)

    def lock(self, declared: Declared, operation: str = "apply") -> Lock | None:
        """Which lock that is; None where nobody wants one. Raises UsageError for an address that names no blob, and for
        a wish that would come to nothing: a secret that is empty, time to wait for no lock."""
        from reconciler.azure.blob_address import locate

        address = "" if self.none else self.address or declared.scope.value.lock or ""
        vain = "RECONCILER_LOCK is set and empty" if os.environ.get("RECONCILER_LOCK") == "" else ""
        vain = vain or ("--lock-timeout waits for no lock" if self.patience else "")
        if vain and not address and not self.none:
            raise UsageError(f"{vain}: nothing names one", advice="name it (--lock, `lock` of the Scope), or --no-lock")
        return Lock(locate(address), self.patience, operation) if address else None


@asynccontextmanager
async def locked(lock: Lock | None, azure: Azure, machinery: Machinery) -> AsyncIterator[Lease]:
    """The lock, held inside the `async with`, where there is one. Raises HeldError where somebody else has it, and
    AzureError where nobody can tell."""
    from reconciler.apply.lease import Lease, Watch

    if lock is None:
        yield Lease()
        return
    from reconciler.apply.lease_thread import hold_beside

    watch = Watch(machinery.emit, machinery.stop, azure.now)
    who = _holder(machinery.run, lock.operation, azure)
    opening = partial(_open, lock, azure)
    async with hold_beside(opening, str(lock.location), who, watch, lock.patience) as lease:
        yield lease


async def holder_now(lock: Lock, azure: Azure) -> str:
    """Who holds the lock right now, in words; "" where nobody does. Raises AzureError."""
    from reconciler.apply.lease import whose

    async with _open(lock, azure) as blob:
        holder = await whose(blob)
    return f"{holder} ({lock.location})" if holder else ""


def _open(lock: Lock, azure: Azure) -> AbstractAsyncContextManager[LeasedBlob]:
    from reconciler.azure.blob_lease import open_blob

    return open_blob(lock.location, azure.cloud, os.environ.get("AZURE_STORAGE_CONNECTION_STRING", ""))


def _holder(run: str, operation: str, azure: Azure) -> Holder:
    from reconciler.apply.lease import Holder

    user = ""
    with contextlib.suppress(OSError, KeyError):  # a container may know no name for the user it runs as
        user = getpass.getuser()
    return Holder(
        id=run,
        operation=operation,
        who=f"{user or 'somebody'}@{platform.node()}",
        version=version("reconciler"),
        created=azure.now().replace(microsecond=0),
        run=pipeline_of(os.environ).run,
    )
