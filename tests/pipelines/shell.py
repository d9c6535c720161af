"""What the machine of a pipeline has: a folder, bash, a Python, and nothing of ours in its variables."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.desired.history import History
from tests.stories.conftest import REPOSITORY, Story

_PATIENCE = 120.0
_PYTHON = f"""#!/bin/sh
# Stands for the Python of the machine and for the package registry: notes what would be installed.
for last; do :; done
case "$1 $2 $3" in
  "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
  "-m pip install")
    echo "$@" >> LOG
    if [ -f "$last/pyproject.toml" ]; then
      command="$(dirname "$0")/reconciler"
      printf '#!/bin/sh\\nexec {sys.executable} -m reconciler "$@"\\n' > "$command" && chmod +x "$command"
    fi ;;
  *) echo "not expected: $*" && exit 1 ;;
esac
"""
_GIT = f"""#!/bin/sh
# Stands for the network: what is fetched is this repository.
for last; do :; done
case "$1 $3" in
  "init "*) ln -s {REPOSITORY} "$last" ;;
  "-C fetch" | "-C checkout") ;;
  *) echo "not expected: $*" && exit 1 ;;
esac
"""


@dataclass(frozen=True)
class Ran:
    """A script that ran: its variables and what it said."""

    name: str
    code: int
    out: str
    environment: Mapping[str, str]


@dataclass
class Machine:
    """One machine for one job. `variables` are what the person who runs it has set up, `log` what was installed."""

    folder: Path
    variables: dict[str, str]
    ran: list[Ran] = field(default_factory=list)

    @classmethod
    def of(cls, story: Story, folder: Path) -> Machine:
        """A machine that reaches the story's Azure, and nothing else of it."""
        tools = folder / "tools"
        tools.mkdir(parents=True)
        python = _PYTHON.replace("LOG", shlex.quote(str(folder / "installed")))
        for name, text in {"python": python, "python3": python, "git": _GIT}.items():
            (tools / name).write_text(text)
            (tools / name).chmod(0o755)
        home = folder / "home"
        home.mkdir()
        path = os.pathsep.join((str(tools), os.defpath, "/usr/local/bin"))
        kept = {name: story.environment[name] for name in ("RECONCILER_CLOUD", "RECONCILER_EMULATOR_HOME")}
        return cls(
            folder, {"PATH": path, "HOME": str(home), "PYTHONUTF8": "1", "NO_PROXY": "127.0.0.1", "CI": "true", **kept}
        )

    @property
    def installed(self) -> list[list[str]]:
        log = self.folder / "installed"
        return [line.split() for line in log.read_text().splitlines()] if log.exists() else []

    def bash(self, name: str, script: str, environment: Mapping[str, str], *, cwd: Path, flags: str = "-e") -> Ran:
        """Runs a script as the runners do: bash without anybody's settings, which stops at the first failure."""
        whole = {**self.variables, **environment}
        done = subprocess.run(
            ["/bin/bash", "--noprofile", "--norc", *flags.split(), "-c", script],
            cwd=cwd,
            env=whole,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            timeout=_PATIENCE,
        )
        assert "Traceback" not in done.stdout, done.stdout
        self.ran.append(Ran(name, done.returncode, done.stdout, whole))
        return self.ran[-1]


def clone(origin: History, commit: str, folder: Path, *, depth: int) -> None:
    """What a runner fetches: the commit, detached; with `depth` 0 all that led there, and the branches of origin."""
    branches = {ref: origin.repo.refs[ref] for ref in origin.repo.refs.allkeys() if ref.startswith(b"refs/heads/")}
    origin.detach(commit)
    shutil.copytree(origin.root, folder, dirs_exist_ok=True)
    shutil.rmtree(folder / ".git" / "refs" / "heads")
    (folder / ".git" / "refs" / "heads").mkdir()
    if depth:
        (folder / ".git" / "shallow").write_text(f"{commit}\n")
        return
    for ref, found in branches.items():
        place = folder / ".git" / "refs" / "remotes" / "origin" / ref.decode().removeprefix("refs/heads/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"{found.decode()}\n")
