"""Starting, finding and stopping a server in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from reconciler.emulator import lifecycle
from reconciler.emulator.remote import EmulatorError

SUBSCRIPTION = "11111111-1111-4111-8111-111111111111"


@pytest.fixture
def home(tmp_path):
    yield tmp_path / "state"
    lifecycle.stop(tmp_path / "state")


def test_start_find_stop_and_go_on(home):
    assert lifecycle.find(home) is None
    running = lifecycle.start(home)
    assert lifecycle.find(home) == running == lifecycle.start(home)
    assert running.status()["estate"] == "nordhavn"
    later = running.advance("3d")["now"]
    assert (home / "server.json").stat().st_mode & 0o777 == 0o600
    assert lifecycle.stop(home) == running
    assert (lifecycle.find(home), lifecycle.stop(home)) == (None, None)
    assert lifecycle.start(home).status()["now"] > later


def test_a_given_speed_replaces_the_kept_one(home):
    assert lifecycle.start(home).status()["speed"] == 1
    lifecycle.stop(home)
    assert lifecycle.start(home, speed=60).status()["speed"] == 60
    lifecycle.stop(home)
    status = lifecycle.start(home, auto_advance=False).status()
    assert (status["speed"], status["autoAdvance"]) == (1, False)


def test_two_starts_at_once_are_one_server(home):
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: lifecycle.start(home), range(2))
    assert first == second


def test_a_killed_server_is_not_found_and_its_state_is_kept(home, tmp_path):
    estate = tmp_path / "estate.yaml"
    estate.write_text(f"estate: mine\nsubscriptions: [{{id: {SUBSCRIPTION}, name: X}}]\n")
    running = lifecycle.start(home, estate=estate)
    running.add_fault({"status": 500})
    os.kill(running.pid, signal.SIGKILL)
    os.waitpid(running.pid, 0)
    assert (home / "server.json").exists()
    assert lifecycle.find(home) is None
    again = lifecycle.start(home)
    assert again.pid != running.pid
    assert (again.status()["estate"], again.status()["faults"]) == ("mine", 1)


def test_a_record_of_another_process_is_not_trusted(home):
    home.mkdir()
    record = {"endpoint": "https://localhost:1", "ca": "/none", "token": "t", "pid": os.getpid()}
    (home / "server.json").write_text(json.dumps({**record, "folder": str(home), "instance": "x"}))
    assert lifecycle.find(home) is None
    assert lifecycle.stop(home) is None


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("nonsense: 1", "no section 'nonsense'"),
        ("virtualMachines: [{name: a, resourceGroup: none}]", "no resource group none"),
        ("virtualMachines: [{name: a, resourcegroup: x}]", "resourcegroup"),
        ("clock: yesterday", "not a date and time"),
        ("[1, 2", "while parsing"),
        ("- a", "is a mapping"),
    ],
)
def test_a_wrong_estate_is_explained(home, tmp_path, content, complaint):
    estate = tmp_path / "estate.yaml"
    estate.write_text(content)
    with pytest.raises(EmulatorError) as caught:
        lifecycle.start(home, estate=estate)
    assert complaint in str(caught.value)


def test_a_taken_port_is_explained(home, tmp_path):
    running = lifecycle.start(home)
    port = int(running.endpoint.rsplit(":", 1)[1])
    with pytest.raises(EmulatorError, match=f"cannot listen on port {port}"):
        lifecycle.start(tmp_path / "other", port=port)


def test_the_folder_comes_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv(lifecycle.HOME, str(tmp_path / "mine"))
    assert lifecycle.state_folder() == tmp_path / "mine"
    assert lifecycle.state_folder(tmp_path / "yours") == tmp_path / "yours"


def test_foreground_ends_on_interrupt(home):
    launch = json.dumps({"folder": str(home)})
    home.mkdir()
    process = subprocess.Popen([sys.executable, "-m", "reconciler.emulator", launch], stderr=subprocess.PIPE)
    while lifecycle.find(home) is None:
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=10)
    assert (process.returncode, said) == (0, b"")
    assert not (home / "server.json").exists()


def test_the_proxy_is_found_and_not_added_to_a_server_without_one(home):
    running = lifecycle.start(home, proxy=0)
    assert running.proxy.startswith("http://127.0.0.1:")
    assert lifecycle.find(home) == lifecycle.start(home) == lifecycle.start(home, proxy=0) == running
    lifecycle.stop(home)
    assert lifecycle.start(home).proxy == ""
    with pytest.raises(EmulatorError, match="without a proxy is running on this folder: stop it first"):
        lifecycle.start(home, proxy=0)
