"""Environments of other people's clients, made from locked requirements (with hashes) below `.conformance/`."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1] / ".conformance"
PACKAGES = {"az": ("azure-cli",), "c7n": ("c7n", "c7n-azure")}
"""The environments, and the packages that tell their version."""


def make(name: str) -> Path:
    """The environment's folder of commands; made when it is not there, or when the lock has changed. Takes minutes.

    Dependencies are not resolved again: the lock is complete, and everything in it is checked by its hash.
    """
    lock = HERE / f"requirements-{name}.txt"
    folder = ROOT / name
    stamp = folder / ".ready"
    wanted = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        print(
            f"Installing {', '.join(PACKAGES[name])} in {folder.relative_to(ROOT.parent)} (once, minutes) ...",
            flush=True,
        )
        venv.create(folder, clear=True, with_pip=True)
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "--no-deps"]
        subprocess.run([commands(folder) / "python", *install, "-r", lock], check=True)
        stamp.write_text(wanted)
    return commands(folder)


def commands(folder: Path) -> Path:
    return folder / ("Scripts" if os.name == "nt" else "bin")


def versions(name: str) -> str:
    """`azure-cli 2.91.0`, as the installed packages say."""
    code = r"import sys, importlib.metadata as m; print(*(f'{p} {m.version(p)}' for p in sys.argv[1:]), sep='\n')"
    command = [str(commands(ROOT / name) / "python"), "-c", code, *PACKAGES[name]]
    said: str = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return said.strip()
