"""Azurite, Microsoft's emulator of Azure Storage, for as long as the tests run: `make azurite` installs it."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROGRAM = Path(__file__).parent / "node_modules/azurite/dist/src/blob/main.js"
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""That of every Azurite, from Azure's documentation: no secret."""
CONTAINER = "locks"


@dataclass(frozen=True)
class Azurite:
    """A storage account on this machine. `endpoint` is that of its blobs, without the account."""

    endpoint: str

    @property
    def connection_string(self) -> str:
        return (
            f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};"
            f"BlobEndpoint={self.endpoint}/{ACCOUNT};"
        )

    def blob(self, name: str, container: str = CONTAINER) -> str:
        """The address of a blob."""
        return f"{self.endpoint}/{ACCOUNT}/{container}/{name}"


def installed() -> bool:
    """Whether there is a Node to run it and something to run."""
    return bool(shutil.which("node")) and PROGRAM.exists()


@contextmanager
def running() -> Iterator[Azurite]:
    """Listens on a free port, keeps everything in memory, and holds one container."""
    node = shutil.which("node")
    assert node, "ask `installed` first"
    loopback = ("--blobHost", "127.0.0.1", "--blobPort", "0")
    quiet = ("--silent", "--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry")  # nobody reads on
    command = (node, str(PROGRAM), *loopback, *quiet)
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        try:
            azurite = Azurite(_endpoint(process))
            _make_container(azurite)
            yield azurite
        finally:
            process.kill()


def _endpoint(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(r"listens on (http://\S+)", line):
            return found[1]
    raise AssertionError(f"Azurite ended with {process.wait()} instead of listening")


def _make_container(azurite: Azurite) -> None:
    from azure.storage.blob import BlobServiceClient

    with BlobServiceClient.from_connection_string(azurite.connection_string) as service:
        service.create_container(CONTAINER)
