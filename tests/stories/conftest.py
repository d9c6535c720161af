"""The command as people run it: a process of its own, against an emulator in another."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from reconciler.emulator import lifecycle
from reconciler.emulator.estate import SAMPLE, read
from reconciler.emulator.portal import SOMEBODY, request
from reconciler.emulator.portal import Said as Answer
from reconciler.emulator.remote import Running
from tests.stories.small_estate import CLOCK

REPOSITORY = Path(__file__).parents[2]
SAMPLE_POLICIES = REPOSITORY / "policies"
API = "api-version=2026-05-01"
_GLANCE = 0.02
"""Seconds between two looks: whoever only asks takes the processor from what it waits for."""
_PATIENCE = 60.0
"""Seconds after which something that a story waits for is not going to happen."""


@dataclass(frozen=True)
class Said:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def told(self) -> str:
        return self.out + self.err


class Started:
    """A command that still runs. Its lines of standard output can be waited for."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []

    def line(self, text: str) -> str:
        """Waits for a line with this text."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if text in line:
                return line
        raise AssertionError(f"it ended without saying {text!r}:\n{''.join(self.lines)}")

    def kill(self) -> None:
        self.process.kill()
        self.end()

    def end(self) -> Said:
        out, err = self.process.communicate(timeout=_PATIENCE)
        return Said(self.process.returncode, "".join(self.lines) + (out or ""), err or "")


class Story:
    """One person, one folder, one Azure."""

    def __init__(self, azure: Running, folder: Path) -> None:
        self.azure = azure
        self.folder = folder
        self.policies = folder / "policies"
        self.policies.mkdir()
        self.environment = {
            "HOME": str(folder),
            "PATH": os.environ.get("PATH", ""),
            "PYTHONUTF8": "1",
            "RECONCILER_CLOUD": "emulator",
            "RECONCILER_EMULATOR_HOME": azure.folder,
            "RECONCILER_JOURNAL": str(folder / "journals"),
            "RECONCILER_POLICIES": str(self.policies),
        }

    def begin(self, estate: dict[str, Any], *documents: dict[str, Any]) -> None:
        """Azure as the story finds it, and the policies beside it."""
        self.azure.reset(estate=estate)
        if documents:
            self.write(*documents)

    def write(self, *documents: dict[str, Any]) -> None:
        """Replaces the policies."""
        whole = [{"apiVersion": "reconciler/v1", **document} for document in documents]
        text = yaml.safe_dump_all(whole, sort_keys=False, allow_unicode=True)
        (self.policies / "policies.yaml").write_text(text, encoding="utf-8")

    def run(self, *arguments: str, code: int | None = None, **environment: str) -> Said:
        """Runs the command to its end; `code` is what it must exit with."""
        done = subprocess.run(
            [sys.executable, "-m", "reconciler", *arguments],
            cwd=self.folder,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=_PATIENCE,
        )
        said = Said(done.returncode, done.stdout, done.stderr)
        assert "Traceback" not in said.told, said.told
        assert code is None or said.code == code, f"exit code {said.code}, not {code}:\n{said.told}"
        return said

    def start(self, *arguments: str) -> Started:
        """Starts the command and lets it run."""
        return Started(
            subprocess.Popen(
                [sys.executable, "-m", "reconciler", *arguments],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
            )
        )

    def arm(
        self, method: str, path: str, properties: dict[str, Any] | None = None, *, caller: str = SOMEBODY, **body: Any
    ) -> Answer:
        """One raw request, as somebody in the portal or with curl sends it; it must be accepted."""
        content = {**body, **({"properties": properties} if properties is not None else {})}
        text = msgspec.json.encode(content).decode() if content else None
        answer = request(self.azure, method, path if "?" in path else f"{path}?{API}", text, caller=caller)
        assert answer.status < 300, answer
        return answer

    def stand_still(self) -> None:
        """From now on no operation ends."""
        self.azure.ask("POST", "clock", {"speed": 0, "autoAdvance": False})

    def go_on(self) -> None:
        """Time passes again, ten minutes in a second, and jumps to the end of what somebody waits for."""
        self.azure.ask("POST", "clock", {"speed": 600, "autoAdvance": True})

    def until(self, condition: Callable[[], bool]) -> None:
        """Asks again and again until it is so."""
        deadline = time.monotonic() + _PATIENCE
        while not condition():
            assert time.monotonic() < deadline, "it did not come to that"
            time.sleep(_GLANCE)

    def writes(self) -> Counter[str]:
        """What Azure took, and how often: `PUT web-01`, by the last name of the resource. Look-ups do not count."""
        return Counter(
            f"{entry['method']} {entry['path'].rpartition('/')[2].rpartition(';')[2].lower()}"
            for entry in self.azure.requests()
            if entry["method"] in ("PUT", "PATCH", "DELETE") and 0 < entry["status"] < 400
        )

    def repeated(self) -> Counter[str]:
        """The writes that Azure took more than once, by the last name of the resource."""
        taken = Counter(
            (entry["method"], entry["path"].lower())
            for entry in self.azure.requests()
            if entry["method"] in ("PUT", "PATCH", "DELETE") and 0 < entry["status"] < 400
        )
        found = {key: count for key, count in taken.items() if count > 1}
        return Counter({f"{method} {path.rpartition(';')[2]}": count for (method, path), count in found.items()})

    def sent(self, method: str, name: str, status: int | None = None) -> int:
        """How often this was sent, whatever came of it (or with this answer)."""
        return sum(
            entry["method"] == method
            and entry["path"].rpartition("/")[2].rpartition(";")[2].lower() == name.lower()
            and status in (None, entry["status"])
            for entry in self.azure.requests()
        )


@pytest.fixture(scope="session")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One emulator in a process of its own, where a minute passes in a second."""
    home = tmp_path_factory.mktemp("azure")
    yield lifecycle.start(home, speed=60)
    lifecycle.stop(home)


@pytest.fixture
def story(azure: Running, tmp_path: Path) -> Story:
    return Story(azure, tmp_path)


@pytest.fixture
def sample(story: Story) -> Story:
    """The sample estate and a copy of its policies, on a Monday whose date does not change. The copy lies outside of
    git: what is committed around the tests is nothing to them."""
    story.begin({**read(SAMPLE), "clock": CLOCK})
    shutil.copytree(SAMPLE_POLICIES, story.policies, dirs_exist_ok=True)
    return story
