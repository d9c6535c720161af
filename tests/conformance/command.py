"""A client's command line, run as its users run it: in the environment that `reconciler emulator env` prints."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENCE = 300.0  # seconds that one command may take
_INHERITED = ("LANG", "LC_ALL", "TMPDIR", "TZ")


@dataclass(frozen=True)
class Said:
    """How a command ended and what it said."""

    command: str
    code: int
    out: str
    err: str

    def told(self) -> str:
        return f"$ {self.command}\nexit code {self.code}\n{self.out[-3000:]}\n{self.err[-3000:]}"


@dataclass(frozen=True)
class Command:
    """`environment` is the whole of it: nothing of this machine's own settings leaks in but the locale."""

    program: str
    environment: Mapping[str, str]
    folder: Path

    def run(self, *arguments: str) -> Said:
        """Runs to the end, whatever the end is."""
        done = subprocess.run(
            [self.program, *arguments],
            cwd=self.folder,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        return Said(" ".join([Path(self.program).name, *arguments]), done.returncode, done.stdout, done.stderr)

    def tell(self, *arguments: str) -> str:
        """What it prints. Fails with everything that was said where it does not exit with 0."""
        said = self.run(*arguments)
        assert said.code == 0, said.told()
        return said.out

    def read(self, *arguments: str) -> Any:
        """The JSON that it prints; None where it prints nothing."""
        text = self.tell(*arguments)
        return json.loads(text) if text.strip() else None

    def refuse(self, *arguments: str) -> str:
        """What it says when it does not succeed."""
        said = self.run(*arguments)
        assert said.code != 0, said.told()
        return said.err


def settled(settings: str, commands: Path, folder: Path) -> dict[str, str]:
    """The environment that a shell has after it ran `settings`, with a client's commands first on the path.

    Raises AssertionError with what the shell said where a line fails.
    """
    show = f"{sys.executable} -c 'import json, os; print(json.dumps(dict(os.environ)))'"
    bare = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    bare |= {"HOME": str(folder), "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}", "PYTHONUTF8": "1"}
    shell = ["sh", "-e", "-c", f"{settings}\n{show}"]
    done = subprocess.run(shell, env=bare, cwd=folder, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, f"{settings}\nends with {done.returncode}: {done.stderr}"
    environment: dict[str, str] = json.loads(done.stdout.strip().splitlines()[-1])
    return environment
