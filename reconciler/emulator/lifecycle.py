"""Starting, finding and stopping an emulator that outlives the command that started it."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from reconciler.emulator.remote import EmulatorError, Running

HOME = "RECONCILER_EMULATOR_HOME"
_RECORD = "server.json"
_LOG = "server.log"
_PAUSE = 0.02  # seconds between two looks at a server that starts or stops


def state_folder(folder: Path | None = None) -> Path:
    """The given folder, or ``$RECONCILER_EMULATOR_HOME``, or the user's state folder. Made when missing (0700).

    Raises EmulatorError where it cannot be made.
    """
    if folder is None and os.environ.get(HOME):
        folder = Path(os.environ[HOME])
    if folder is None:
        import platformdirs

        folder = platformdirs.user_state_path("reconciler") / "emulator"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        why = error.strerror or error
        raise EmulatorError(f"cannot make its folder {folder}: {why}; name one you may write to in {HOME}") from error
    return folder.resolve()


def find(folder: Path | None = None) -> Running | None:
    """The server that runs on a state folder, or None. A record left behind by a killed one is not taken for it."""
    record = state_folder(folder) / _RECORD
    try:
        running = msgspec.json.decode(record.read_bytes(), type=Running)
        if _alive(running.pid) and running.status(timeout=15.0).get("instance") == running.instance:
            return running
    except (OSError, msgspec.DecodeError, EmulatorError):
        return None
    return None


def start(
    folder: Path | None = None,
    *,
    port: int = 0,
    proxy: int | None = None,
    estate: Path | None = None,
    vms: int | None = None,
    seed: int = 1,
    speed: float | None = None,
    auto_advance: bool = True,
    timeout: float = 60.0,
) -> Running:
    """The server of a state folder, started when there is none.

    ``estate`` or ``vms`` (generated from ``seed``) replace what the folder holds; with neither, a new server goes on
    with that or begins with the sample estate. ``speed`` (0: the clock stands still) is set on a server that is
    started, not on one that runs. ``proxy`` is the port of its CONNECT proxy (0: any free one). Safe when called
    twice at once. ``timeout`` in seconds.
    Raises EmulatorError with the server's own words when it does not come up.
    """
    home = state_folder(folder)
    with _start_lock(home):
        running = find(home)
        if running is not None:
            if proxy is not None and not running.proxy:
                raise EmulatorError("an emulator without a proxy is running on this folder: stop it first")
            if estate is not None or vms is not None:
                running.reset(estate, vms=vms, seed=seed)
            return running
        launch: dict[str, object] = {"folder": str(home), "port": port, "proxy": proxy}
        if speed is not None or not auto_advance:
            launch["pace"] = {"speed": 1.0 if speed is None else speed, "autoAdvance": auto_advance}
        if vms is not None:
            launch["generate"] = {"vms": vms, "seed": seed}
        elif estate is not None:
            launch["estate"] = str(estate.resolve())
        return _launch(home, launch, timeout)


def stop(folder: Path | None = None, *, timeout: float = 10.0) -> Running | None:
    """Stops the server of a state folder, whose state stays; answers what ran, or None.

    The process is ended only after it has proved, by the secret of its record, that it is the emulator.
    """
    running = find(folder)
    if running is None:
        return None
    os.kill(running.pid, signal.SIGTERM)
    deadline = time.monotonic() + timeout
    while _alive(running.pid):
        if time.monotonic() > deadline:
            raise EmulatorError(
                f"the emulator (process {running.pid}) does not stop; see {Path(running.folder) / _LOG}"
            )
        time.sleep(_PAUSE)
    return running


def _launch(home: Path, launch: dict[str, object], timeout: float) -> Running:
    (home / _RECORD).unlink(missing_ok=True)
    log = home / _LOG
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603  (our own interpreter and module)
            [sys.executable, "-m", "reconciler.emulator", msgspec.json.encode(launch).decode()],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if process.poll() is not None:
            said = log.read_text(errors="replace").strip().splitlines()
            raise EmulatorError(f"the emulator did not start: {said[-1] if said else 'it said nothing'}")
        if (home / _RECORD).exists() and (running := find(home)):
            process.returncode = 0  # it outlives us by design: nothing here is to wait for it
            return running
        time.sleep(_PAUSE)
    process.terminate()
    raise EmulatorError(f"the emulator did not answer within {timeout:.0f} s; see {log}")


@contextmanager
def _start_lock(home: Path) -> Iterator[None]:
    """One start at a time; SQLite's lock is gone with its process, on every system."""
    database = sqlite3.connect(home / "start.lock", timeout=120.0, isolation_level=None)
    try:
        database.execute("begin exclusive")
        yield
    except sqlite3.OperationalError as error:
        raise EmulatorError(f"{home}: another start is under way: {error}") from error
    finally:
        database.close()


def _alive(pid: int) -> bool:
    try:
        os.waitpid(pid, os.WNOHANG)  # a child of ours that ended would look alive until waited for
    except ChildProcessError:
        pass
    except OSError:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
