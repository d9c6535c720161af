"""One emulator for the whole run, begun afresh for each story; the clients in the environments that it prints."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import environments
import pytest
import yaml
from command import Command, settled

HERE = Path(__file__).parent
ESTATE = HERE / "estate.yaml"
WAYS = ("custom cloud", "proxy")


def reconciler(*arguments: str) -> str:
    """Runs our own command; answers what it prints."""
    done = subprocess.run([sys.executable, "-m", "reconciler", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The state folder of a running emulator that has a proxy."""
    folder = tmp_path_factory.mktemp("emulator")
    reconciler("emulator", "start", "--proxy", "--home", str(folder), "--estate", str(ESTATE))
    yield folder
    reconciler("emulator", "stop", "--home", str(folder))


@pytest.fixture(scope="module", params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    """How the client gets there."""
    return str(request.param)


@pytest.fixture(scope="module")
def emulator(home: Path, way: str) -> Callable[..., str]:
    """`emulator("advance", "1d")`: our own command for it. It holds the estate and nothing else when a story begins."""

    def command(*arguments: str) -> str:
        return reconciler("emulator", *arguments, "--home", str(home))

    command("reset", "--estate", str(ESTATE))
    return command


@pytest.fixture(scope="session")
def signed_in(home: Path) -> Callable[[str, str, str], dict[str, str]]:
    """The environment of a client (a name of `emulator env`) by environment and way, made once."""
    made: dict[tuple[str, str], dict[str, str]] = {}

    def environment(client: str, name: str, way: str) -> dict[str, str]:
        if (client, way) not in made:
            through = ["--proxy"] if way == "proxy" else []
            settings = reconciler("emulator", "env", client, *through, "--home", str(home))
            made[client, way] = settled(settings, environments.make(name), home)
        return made[client, way]

    return environment


@pytest.fixture(scope="module")
def az(signed_in, emulator, way: str, home: Path) -> Command:
    """The Azure CLI, signed in as a service principal."""
    return Command("az", signed_in("az", "az", way), home)


@pytest.fixture(scope="module")
def custodian(signed_in, emulator, way: str, tmp_path_factory: pytest.TempPathFactory) -> Command:
    """Cloud Custodian, with a client secret."""
    return Command("custodian", signed_in("custodian", "c7n", way), tmp_path_factory.mktemp("custodian"))


@pytest.fixture(scope="module")
def ours(emulator, home: Path, tmp_path_factory: pytest.TempPathFactory) -> Command:
    """Our own command on the same Azure, with the policies beside this file."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    kept |= {"RECONCILER_CLOUD": "emulator", "RECONCILER_EMULATOR_HOME": str(home), "PYTHONUTF8": "1"}
    folder = tmp_path_factory.mktemp("ours")
    kept |= {"HOME": str(folder), "RECONCILER_JOURNAL": str(folder / "journals")}
    kept["RECONCILER_POLICIES"] = str(HERE / "policies.yaml")
    return Command(str(Path(sys.executable).parent / "reconciler"), kept, folder)


@pytest.fixture(scope="session")
def subscription() -> str:
    return str(yaml.safe_load(ESTATE.read_text(encoding="utf-8"))["subscriptions"][0]["id"])
