"""The server on its socket: TLS, hosts, headers, the admin API, faults in transport."""

from __future__ import annotations

import http.client
import json
import ssl

import pytest

from reconciler.emulator.certificates import client_tls, server_tls
from reconciler.emulator.remote import EmulatorError
from reconciler.emulator.server import Server, principal_of
from reconciler.emulator.world import Configuration

SUBSCRIPTION = "11111111-1111-4111-8111-111111111111"
MACHINES = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/virtualMachines"


def send(served, method, path, *, host=None, token="t", tls=None, body=None):
    port = int(served.running.endpoint.rsplit(":", 1)[1])
    connection = http.client.HTTPSConnection(
        "localhost", port, timeout=10, context=tls or client_tls(served.running.ca)
    )
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    connection.putrequest(method, path, skip_host=True)
    connection.putheader("Host", host or f"localhost:{port}")
    for name, value in headers.items():
        connection.putheader(name, value)
    content = json.dumps(body).encode() if body is not None else b""
    connection.putheader("Content-Length", str(len(content)))
    connection.endheaders(content)
    answer = connection.getresponse()
    read = answer.read()
    connection.close()
    return answer, json.loads(read) if read else None


def test_nobody_else_trusts_its_certificate(server):
    with pytest.raises(ssl.SSLCertVerificationError):
        send(server, "GET", MACHINES, tls=ssl.create_default_context())


def test_keys_are_the_owners_alone(server, certificates):
    assert {(certificates / name).stat().st_mode & 0o777 for name in ("ca.key", "server.pem")} == {0o600}


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("evil.example:443", 421),
        ("localhost.evil.example", 421),
        ("management.azure.com", 200),
        ("127.0.0.1:1", 200),
    ],
)
def test_unknown_hosts_are_refused(server, host, status):
    answer, body = send(server, "GET", f"{MACHINES}?api-version=1", host=host)
    assert answer.status == status
    if status == 200:
        assert len(body["value"]) == 2


@pytest.mark.parametrize("address", ["0.0.0.0", "192.168.1.1", "::"])
async def test_loopback_only(server, certificates, address):
    with pytest.raises(ValueError, match="loopback"):
        await Server(server.emulator, server_tls(certificates), "t").start(host=address)


def test_links_follow_the_host_header(serve):
    served = serve(configuration=Configuration(page_size=1))
    _, body = send(served, "GET", f"{MACHINES}?api-version=1", host="management.azure.com")
    assert body["nextLink"].startswith("https://management.azure.com/subscriptions/")


def test_without_a_token_arm_answers_401(server):
    answer, body = send(server, "GET", f"{MACHINES}?api-version=1", token=None)
    assert (answer.status, body["error"]["code"]) == (401, "AuthenticationFailed")


def test_json_and_empty_answers(server):
    answer, _ = send(server, "GET", f"{MACHINES}?api-version=1")
    assert answer.getheader("Content-Type") == "application/json; charset=utf-8"
    assert answer.getheader("Date") == "Mon, 02 Mar 2026 08:00:00 GMT"
    gone, body = send(server, "DELETE", f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-app?api-version=1")
    assert (gone.status, body, gone.getheader("Content-Length")) == (202, None, "0")


@pytest.mark.parametrize(("when", "took_effect"), [("before", False), ("after", True)])
def test_reset_connections(server, when, took_effect):
    server.running.add_fault({"reset": when, "method": "PUT", "count": 1})
    path = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/new?api-version=1"
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError, ssl.SSLEOFError)):
        send(server, "PUT", path, body={"location": "westeurope"})
    assert server.running.requests()[-1]["status"] == 0
    assert (send(server, "GET", path)[0].status == 200) is took_effect


def test_log_and_counters(server):
    send(server, "GET", f"{MACHINES}?api-version=1", token="secret-token")
    (request,) = server.running.requests()
    assert (request["method"], request["status"], request["path"]) == ("GET", 200, MACHINES)
    assert "secret-token" not in json.dumps(request)
    template = "GET /subscriptions/{subscription}/providers/Microsoft.Compute/virtualMachines"
    assert server.running.counters() == {template: 1}
    server.running.clear_requests()
    assert server.running.requests() == []


def test_admin_needs_its_token(server):
    answer, body = send(server, "GET", "/_emulator/status", token="guess")
    assert (answer.status, body["error"]["code"]) == (401, "AdminTokenMissing")


@pytest.mark.parametrize(
    ("method", "call"),
    [
        ("POST", "clock"),
        ("POST", "reset"),
        ("POST", "faults"),
        ("DELETE", "faults"),
        ("POST", "throttle"),
        ("POST", "latency"),
        ("POST", "guards"),
        ("GET", "requests"),
        ("GET", "what-is-not-there"),
    ],
)
@pytest.mark.parametrize("token", [None, "", "guess"])
def test_no_admin_call_is_let_in_without_the_token(server, method, call, token):
    answer, body = send(server, method, f"/_emulator/{call}", token=token)
    assert (answer.status, body["error"]["code"]) == (401, "AdminTokenMissing")


def test_the_admin_token_does_not_help_through_an_unknown_host(server):
    answer, body = send(server, "GET", "/_emulator/status", token=server.running.token, host="evil.example")
    assert (answer.status, body["error"]["code"]) == (421, "UnknownHost")


def test_admin_approves_what_a_guard_is_asked_for(server):
    server.running.approve("/Guards/G", approved=False)
    assert server.emulator.world.store.document("guard-approvals", "/guards/g") is False
    server.running.approve("/guards/g")
    assert server.emulator.world.store.document("guard-approvals", "/guards/g") is True


def test_admin_moves_the_clock(server):
    assert server.running.advance("1d12h")["now"] == "2026-03-03T20:00:00+00:00"
    assert server.running.set_speed(2)["speed"] == 2
    with pytest.raises(EmulatorError, match="not a span"):
        server.running.advance("soon")


def test_admin_resets(server, tmp_path):
    file = tmp_path / "estate.yaml"
    file.write_text(f"estate: mine\nsubscriptions:\n  - {{id: {SUBSCRIPTION}, name: X}}\n")
    assert server.running.reset(file)["virtualMachines"] == 0
    assert server.running.reset(vms=20)["virtualMachines"] == 20
    assert server.running.reset()["estate"] == "nordhavn"
    assert server.running.reset(estate={"estate": "bare"})["resources"] == 0


@pytest.mark.parametrize(
    ("estate", "complaint"),
    [
        ({"virtualMachine": []}, "no section 'virtualMachine'"),
        ({"subscriptions": [], "virtualMachines": [{"name": "a", "resourceGroup": "x"}]}, "no resource group x"),
    ],
)
def test_a_wrong_estate_changes_nothing(server, estate, complaint):
    before = server.running.status()
    with pytest.raises(EmulatorError, match=complaint):
        server.running.reset(estate=estate)
    assert server.running.status() == before


def test_admin_faults(server):
    rule = server.running.add_fault({"status": 429, "count": 3, "retryAfter": 1})
    assert server.running.faults() == [rule]
    server.running.clear_faults()
    assert server.running.faults() == []
    with pytest.raises(EmulatorError, match="a fault has one of"):
        server.running.add_fault({"count": 1})


def test_admin_loads_a_schedule_whole_or_not_at_all(server):
    with pytest.raises(EmulatorError, match=r"rule 1: .*between 400 and 599; rule 3: .*nonsense"):
        server.running.load_faults([{"status": 200}, {"status": 500}, {"nonsense": 1}])
    assert server.running.faults() == []
    loaded = server.running.load_faults([{"status": 500, "starts": "1h"}, {"stale": 2, "ends": "2026-03-02T09:00:00"}])
    assert server.running.faults() == loaded
    assert [rule["id"] for rule in loaded] == ["0001", "0002"]
    assert loaded[0]["starts"] == "2026-03-02T09:00:00+00:00"


def test_admin_sets_quotas_and_latency(server):
    server.running.throttle(0.5)
    assert server.running.ask("GET", "throttle") == {"factor": 0.5, "hourly": {}}
    assert server.running.set_latency("80ms")["list"] == 80
    assert server.running.ask("GET", "latency")["poll"] == 80
    for call, wrong in (("throttle", {"factor": -1}), ("latency", {"latency": "soon"})):
        with pytest.raises(EmulatorError):
            server.running.ask("POST", call, wrong)


@pytest.mark.parametrize(
    ("header", "principal"),
    [("", ""), ("Basic x", ""), ("Bearer ", ""), ("Bearer opaque", "unknown"), ("bearer a.b.c", "unknown")],
)
def test_principals(header, principal):
    assert principal_of(header) == principal
