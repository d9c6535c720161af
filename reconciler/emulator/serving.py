"""Running a server in this process: in the foreground, or for the length of a ``with`` in tests."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from reconciler.emulator.certificates import server_tls
from reconciler.emulator.emulator import Emulator, Pace
from reconciler.emulator.estate import SAMPLE as SAMPLE_ESTATE
from reconciler.emulator.estate import EstateError, read
from reconciler.emulator.generate import Generation, generate
from reconciler.emulator.proxy import Proxy
from reconciler.emulator.remote import EmulatorError, Running
from reconciler.emulator.server import Server
from reconciler.emulator.world import Configuration

RECORD = "server.json"


class Launch(msgspec.Struct, frozen=True, rename="camel"):
    """How to start. ``estate`` (a file) or ``generate`` replaces what the folder holds; with neither, the server
    goes on with that, or begins with the sample estate. ``port`` 0 is any free one; ``proxy`` is the port of the
    CONNECT proxy, None for no proxy.
    """

    folder: str
    port: int = 0
    proxy: int | None = None
    estate: str | None = None
    generate: Generation | None = None
    pace: Pace | None = None
    configuration: Configuration = Configuration()


class Served(NamedTuple):
    """A server in this process, and the emulator behind it, for tests that look inside."""

    running: Running
    emulator: Emulator


@asynccontextmanager
async def running_server(
    folder: Path,
    *,
    estate: dict[str, Any] | None = None,
    port: int = 0,
    proxy: int | None = None,
    pace: Pace | None = None,
    configuration: Configuration | None = None,
    persistent: bool = False,
) -> AsyncIterator[Served]:
    """A server as long as the block lasts. ``folder`` holds its certificates, and its state when ``persistent``."""
    state = folder if persistent else None
    emulator = Emulator(state, estate=estate, pace=pace, configuration=configuration)
    try:
        async with _listening(emulator, folder, port, proxy) as running:
            yield Served(running, emulator)
    finally:
        emulator.close()


async def serve(launch: Launch) -> None:
    """Serves in the foreground until SIGTERM or SIGINT. Raises EmulatorError when it cannot begin."""
    folder = Path(launch.folder)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    emulator = _open(folder, launch)
    record = folder / RECORD
    try:
        async with _listening(emulator, folder, launch.port, launch.proxy) as running:
            _publish(record, running)
            await stopped.wait()
            record.unlink(missing_ok=True)
    except OSError as error:
        ports = str(launch.port) if not launch.proxy else f"{launch.port} or {launch.proxy}"
        raise EmulatorError(f"cannot listen on port {ports}: {error}") from error
    finally:
        emulator.close()


@asynccontextmanager
async def _listening(emulator: Emulator, folder: Path, port: int, proxy: int | None) -> AsyncIterator[Running]:
    token = secrets.token_urlsafe(24)
    async with AsyncExitStack() as stack:
        server = Server(emulator, server_tls(folder), token)
        stack.push_async_callback(server.stop)
        bound = await server.start(port)
        proxied = ""
        if proxy is not None:
            front = Proxy(bound)
            stack.push_async_callback(front.stop)
            proxied = f"http://127.0.0.1:{await front.start(proxy)}"
        yield Running(
            endpoint=f"https://localhost:{bound}",
            ca=str(folder / "ca.pem"),
            token=token,
            pid=os.getpid(),
            folder=str(folder),
            instance=server.instance,
            proxy=proxied,
        )


def _open(folder: Path, launch: Launch) -> Emulator:
    import sqlite3

    try:
        wanted = _wanted(launch)
        return Emulator(
            folder,
            estate=wanted or read(SAMPLE_ESTATE),
            replace=wanted is not None,
            configuration=launch.configuration,
            pace=launch.pace,
        )
    except EstateError as error:
        raise EmulatorError(f"the estate cannot be built: {error}") from error
    except sqlite3.Error as error:
        raise EmulatorError(f"{folder / 'state.db'}: {error}; is another emulator running on this folder?") from error


def _wanted(launch: Launch) -> dict[str, Any] | None:
    if launch.generate is not None:
        return generate(launch.generate)
    return read(Path(launch.estate)) if launch.estate else None


def _publish(record: Path, running: Running) -> None:
    fresh = record.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(running))
    fresh.replace(record)
