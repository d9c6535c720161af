"""What `emulator env` prints: as it was read last (golden), and as Python that really runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.emulator import lifecycle
from reconciler.emulator.client_settings import CLIENTS, Account, settings
from reconciler.emulator.remote import EmulatorError, Running

GOLDEN = Path(__file__).parents[1] / "golden" / "emulator-env.txt"
ACCOUNT = Account("72f98800-0000-4000-8000-00000000beef", "11111111-1111-4111-8111-111111111111")
PLAIN = Running(
    endpoint="https://localhost:9443",
    ca="/home/ida/my state/ca.pem",
    token="admin-token",
    pid=1,
    folder="/home/ida/my state",
    instance="an-instance",
)
PROXIED = Running(
    **{**{name: getattr(PLAIN, name) for name in PLAIN.__struct_fields__}, "proxy": "http://127.0.0.1:9480"}
)
WAYS = [(client, proxy) for client in CLIENTS for proxy in (False, True) if (client, proxy) != ("custodian", False)]


def test_every_client_as_printed():
    printed = {f"{client}{' --proxy' if proxy else ''}": printed_for(client, proxy) for client, proxy in WAYS}
    text = "\n".join(f"=== {name}\n{lines}" for name, lines in printed.items())
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")


def printed_for(client: str, proxy: bool) -> str:
    return settings(client, PROXIED if proxy else PLAIN, ACCOUNT, proxy=proxy)


@pytest.mark.parametrize(("client", "proxy"), WAYS)
def test_the_admin_token_is_told_to_nobody(client, proxy):
    assert PLAIN.token not in printed_for(client, proxy)


@pytest.mark.parametrize(("client", "proxy"), [way for way in WAYS if way[0] != "python"])
def test_the_lines_are_shell(client, proxy):
    assert subprocess.run(["sh", "-n", "-c", printed_for(client, proxy)], capture_output=True).stderr == b""


def test_a_path_with_a_blank_stays_one_word():
    said = subprocess.run(
        ["sh", "-c", printed_for("custodian", True) + 'printf %s "$REQUESTS_CA_BUNDLE"'], capture_output=True, text=True
    )
    assert said.stdout == PLAIN.ca


@pytest.mark.parametrize(
    ("client", "running", "proxy", "complaint"),
    [
        ("az", PLAIN, True, "start it with: reconciler emulator start --proxy"),
        ("custodian", PROXIED, False, "use its proxy, with --proxy"),
    ],
)
def test_ways_that_do_not_exist(client, running, proxy, complaint):
    with pytest.raises(EmulatorError, match=complaint):
        settings(client, running, ACCOUNT, proxy=proxy)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("emulator home")
    estate = folder / "estate.yaml"
    estate.write_text(
        f"estate: env\nsubscriptions: [{{id: {ACCOUNT.subscription}, name: X}}]\n"
        "resourceGroups: [{subscription: X, name: rg, location: westeurope}]\n"
        "virtualMachines: [{name: vm-1, resourceGroup: rg}, {name: vm-2, resourceGroup: rg}]\n"
    )
    lifecycle.start(folder, estate=estate, proxy=0)
    yield folder
    lifecycle.stop(folder)


def env(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "reconciler", "emulator", "env", *arguments, "--home", str(home)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.parametrize("way", [[], ["--proxy"]])
def test_the_python_that_is_printed_runs(home, way):
    said = subprocess.run([sys.executable, "-c", env(home, "python", *way).stdout], capture_output=True, text=True)
    assert (said.stdout, said.stderr) == ("vm-1\nvm-2\n", "")


@pytest.mark.parametrize("way", [[], ["--proxy"]])
def test_our_own_plan_with_the_lines_of_sh(home, tmp_path, way):
    """Through the proxy, this program too takes the emulator for Azure itself."""
    policies = tmp_path / "policies.yaml"
    policies.write_text(
        f"apiVersion: reconciler/v1\nkind: Scope\nname: all\nsubscriptions: {{x: {ACCOUNT.subscription}}}\n"
    )
    script = f'{env(home, "sh", *way).stdout}\n"$0" -m reconciler plan --policies "$1"'
    said = subprocess.run(["sh", "-c", script, sys.executable, str(tmp_path)], capture_output=True, text=True)
    assert said.returncode == 0, said.stdout + said.stderr
    assert "2 VMs" in said.stdout


def test_a_subscription_that_is_not_there(home):
    said = env(home, "az", "--subscription", "nowhere")
    assert (said.returncode, "it has no subscription nowhere" in said.stderr) == (1, True)


def test_no_emulator(tmp_path):
    said = env(tmp_path, "az")
    assert (said.returncode, "reconciler emulator start" in said.stderr) == (1, True)


def test_the_keys_of_the_authority_stay_in_their_folder(home):
    """The private key lies in one file, its owner's alone, in a folder of its owner's, and in nothing that is said."""
    key = (home / "ca.key").read_text()
    secret = key.splitlines()[1]
    holding = [file.name for file in home.rglob("*") if file.is_file() and secret.encode() in file.read_bytes()]
    assert holding == ["ca.key"]
    assert (home / "ca.key").stat().st_mode & 0o777 == 0o600
    assert "PRIVATE KEY" not in (home / "ca.pem").read_text()
    running = lifecycle.find(home)
    assert running is not None
    assert secret not in str(running.status()) + str(running) + "".join(env(home, "sh").stdout)
