"""A running emulator as other processes find it, and its admin API as plain functions."""

from __future__ import annotations

import http.client
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from reconciler.emulator.certificates import client_tls


class EmulatorError(Exception):
    """The emulator could not be started, was not found, or refused an admin call."""


class Running(msgspec.Struct, frozen=True, rename="camel"):
    """A server that listens. ``token`` opens its admin API; ``ca`` is the certificate that clients must trust.

    ``proxy`` is the address of its CONNECT proxy, "" where it has none.
    """

    endpoint: str
    ca: str
    token: str
    pid: int
    folder: str
    instance: str
    proxy: str = ""

    def ask(self, method: str, call: str, body: Any = None, *, timeout: float = 60.0) -> Any:
        """One admin call, e.g. ``ask("POST", "clock", {"advance": "90d"})``. Raises EmulatorError or OSError."""
        address = urlsplit(self.endpoint)
        connection = http.client.HTTPSConnection(
            address.hostname or "localhost", address.port, timeout=timeout, context=client_tls(Path(self.ca))
        )
        content = None if body is None else msgspec.json.encode(body)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        try:
            connection.request(method, f"/_emulator/{call}", body=content, headers=headers)
            answer = connection.getresponse()
            decoded = msgspec.json.decode(answer.read())
        except (http.client.HTTPException, msgspec.DecodeError) as error:
            raise EmulatorError(f"{self.endpoint} does not answer as an emulator does: {error}") from error
        finally:
            connection.close()
        if answer.status != 200:
            raise EmulatorError(decoded["error"]["message"])
        return decoded

    def status(self, *, timeout: float = 60.0) -> dict[str, Any]:
        """Estate, virtual time, counts of what it holds."""
        return dict(self.ask("GET", "status", timeout=timeout))

    def advance(self, span: str) -> dict[str, Any]:
        """Moves the clock by ``90d``, ``36h``, ``15m``; backups and other schedules happen on the way."""
        return dict(self.ask("POST", "clock", {"advance": span}, timeout=600.0))

    def set_speed(self, speed: float) -> dict[str, Any]:
        return dict(self.ask("POST", "clock", {"speed": speed}))

    def reset(
        self, path: Path | None = None, *, vms: int | None = None, seed: int = 1, estate: Any = None
    ) -> dict[str, Any]:
        """Forgets everything and loads a file, an estate, a generated one of ``vms`` machines, or the sample."""
        body: dict[str, Any] = {}
        if vms is not None:
            body["generate"] = {"vms": vms, "seed": seed}
        elif path is not None:
            body["path"] = str(path.resolve())
        elif estate is not None:
            body["estate"] = estate
        return dict(self.ask("POST", "reset", body, timeout=600.0))

    def add_fault(self, rule: dict[str, Any]) -> dict[str, Any]:
        """One rule in the shape of ``faults.Fault``; answers it with its id."""
        return dict(self.ask("POST", "faults", rule))

    def load_faults(self, rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """A schedule: every rule, or none where one is wrong."""
        return list(self.ask("POST", "faults", {"faults": rules}))

    def throttle(self, factor: float) -> None:
        """1: as ARM does it; 0: off; 0.1: a tenth of every limit. All quotas begin full."""
        self.ask("POST", "throttle", {"factor": factor})

    def set_latency(self, latency: str | dict[str, Any]) -> dict[str, Any]:
        """``80ms``, ``off``, or the fields of ``latency.Latency``; answers the profile."""
        return dict(self.ask("POST", "latency", {"latency": latency}))

    def approve(self, guard: str, *, approved: bool = True) -> None:
        """What the owner of a Resource Guard says to those who name a request on it."""
        self.ask("POST", "guards", {"guard": guard, "approved": approved})

    def snapshots(self) -> list[dict[str, Any]]:
        """Every snapshot of a disk: its ``id``, its ``family`` and ``disk``, and the ``usedBytes`` that it takes up."""
        return list(self.ask("GET", "snapshots"))

    def invocations(self) -> list[dict[str, Any]]:
        """The runbooks that recovery plans started, oldest first: runbook, job, time, RecoveryPlanContext."""
        return list(self.ask("GET", "invocations"))

    def faults(self) -> list[dict[str, Any]]:
        return list(self.ask("GET", "faults"))

    def clear_faults(self) -> None:
        self.ask("DELETE", "faults")

    def requests(self, limit: int | None = None) -> list[dict[str, Any]]:
        """The last requests, oldest first: the fields of ``request_log.LoggedRequest``."""
        return list(self.ask("GET", "requests" if limit is None else f"requests?limit={limit}"))

    def clear_requests(self) -> None:
        self.ask("DELETE", "requests")

    def counters(self) -> dict[str, int]:
        """Requests by ``METHOD template`` since the start or the last ``clear_requests``."""
        return dict(self.ask("GET", "counters"))
