"""The CONNECT proxy: clients of the public cloud reach the emulator with their defaults, and nothing else."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from azure.core.exceptions import ServiceRequestError, ServiceResponseError
from azure.identity import ClientSecretCredential
from azure.identity.aio import ClientSecretCredential as AsyncClientSecretCredential
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.compute.aio import ComputeManagementClient as AsyncComputeManagementClient

from reconciler.emulator.proxy import HOSTS, LARGEST_HEAD, Proxy
from reconciler.emulator.world import Configuration

SUBSCRIPTION = "11111111-1111-4111-8111-111111111111"
TENANT = "22222222-2222-4222-8222-222222222222"
CLIENT = "33333333-3333-4333-8333-333333333333"


@pytest.fixture
def proxied(serve, monkeypatch):
    """A server with a proxy, to which the environment leads, with small pages so that links are followed."""
    served = serve(proxy=0, configuration=Configuration(page_size=1))
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, served.running.proxy)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    return served


def say(address: str, request: bytes) -> bytes:
    """Everything that the proxy answers until it closes."""
    parts = urlsplit(address)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(4096), b""))


def test_a_client_with_its_defaults(proxied):
    """No endpoint, no authority, no discovery switch: only the trusted certificate is told."""
    trust = {"connection_verify": proxied.running.ca}
    with ClientSecretCredential(TENANT, CLIENT, "s", **trust) as credential:
        client = ComputeManagementClient(credential, SUBSCRIPTION, **trust)
        links: list[str] = []
        listed = client.virtual_machines.list_all(raw_response_hook=lambda page: links.append(next_link(page)))
        assert [machine.name for machine in listed] == ["app-01", "APP-02"]
        client.virtual_machines.begin_power_off("rg-app", "app-01").result()
    assert [urlsplit(link).netloc for link in links] == ["management.azure.com", ""]


def next_link(page) -> str:
    return page.http_response.json().get("nextLink", "")


async def test_an_asynchronous_client_with_its_defaults(proxied):
    trust = {"connection_verify": proxied.running.ca}
    async with (
        AsyncClientSecretCredential(TENANT, CLIENT, "s", **trust) as credential,
        AsyncComputeManagementClient(credential, SUBSCRIPTION, **trust) as client,
    ):
        assert [machine.name async for machine in client.virtual_machines.list_all()] == ["app-01", "APP-02"]


def test_a_fault_in_transport_passes_the_proxy(proxied):
    proxied.running.add_fault({"reset": "before", "path": "*/virtualMachines"})
    trust = {"connection_verify": proxied.running.ca}
    with ClientSecretCredential(TENANT, CLIENT, "s", **trust) as credential:
        client = ComputeManagementClient(credential, SUBSCRIPTION, retry_total=0, **trust)
        with pytest.raises((ServiceRequestError, ServiceResponseError)):
            list(client.virtual_machines.list_all())


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        ("CONNECT login.microsoftonline.com:443 HTTP/1.1", 200),
        ("CONNECT Management.Azure.com:443 HTTP/1.1", 200),
        ("CONNECT management.azure.com:80 HTTP/1.1", 403),
        ("CONNECT management.azure.com HTTP/1.1", 403),
        ("CONNECT graph.microsoft.com:443 HTTP/1.1", 403),
        ("CONNECT management.azure.com.evil.example:443 HTTP/1.1", 403),
        ("CONNECT 127.0.0.1:443 HTTP/1.1", 403),
        ("CONNECT [::1]:443 HTTP/1.1", 403),
        ("CONNECT  HTTP/1.1", 403),
        ("GET http://management.azure.com/subscriptions HTTP/1.1", 405),
        ("POST / HTTP/1.1", 405),
        ("CONNECT " + "x" * 2 * LARGEST_HEAD, 400),
    ],
)
def test_what_is_let_through(proxied, request_line, status):
    answer = say(proxied.running.proxy, f"{request_line}\r\nHost: x\r\n\r\n".encode())
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert (status == 200) is (b"leads to Azure Resource Manager and its sign-in only" not in answer)


def test_an_unfinished_request_is_refused(proxied):
    assert say(proxied.running.proxy, b"CONNECT management.azure.com:443 HTTP/1.1\r\n").startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("address", ["0.0.0.0", "192.168.1.1", "::"])
async def test_loopback_only(address):
    with pytest.raises(ValueError, match="the proxy listens on loopback only"):
        await Proxy(443).start(host=address)


async def test_no_emulator_behind_it(unused_port):
    proxy = Proxy(unused_port)
    reader, writer = await asyncio.open_connection("127.0.0.1", await proxy.start())
    writer.write(b"CONNECT management.azure.com:443 HTTP/1.1\r\n\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.1 502 ")
    writer.close()
    await proxy.stop()


async def test_stopping_cuts_open_tunnels():
    behind = await asyncio.start_server(lambda reader, _writer: reader.read(), "127.0.0.1", 0)
    proxy = Proxy(behind.sockets[0].getsockname()[1])
    reader, writer = await asyncio.open_connection("127.0.0.1", await proxy.start())
    writer.write(b"CONNECT management.azure.com:443 HTTP/1.1\r\n\r\n")
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
    await proxy.stop()
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await reader.readexactly(1)
    writer.close()
    behind.close()


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_certificate_has_every_name_that_is_let_through(proxied, certificates: Path):
    from cryptography import x509

    leaf = x509.load_pem_x509_certificates((certificates / "server.pem").read_bytes())[0]
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(names.get_values_for_type(x509.DNSName)) >= HOSTS
