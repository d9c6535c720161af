"""The admin API below ``/_emulator/``: the hands of the person (or test) who owns the emulated cloud.

Every call needs ``Authorization: Bearer <admin token>``; answers and bodies are JSON.

| call | does |
| --- | --- |
| GET status | estate, time, counts |
| POST clock | ``{"advance": "90d"}`` or ``{"speed": 60}`` or ``{"autoAdvance": true}`` |
| POST reset | ``{"path": ...}`` or ``{"estate": {...}}`` or ``{"generate": {"vms": 10000, "seed": 7}}`` |
| GET, POST, DELETE faults | the rules of ``faults.Fault``; POST takes one, or ``{"faults": [...]}``: all or none |
| GET, POST throttle | ``throttle.Regime``: ``{"factor": 1}`` is as ARM does it, 0 is off |
| GET, POST latency | ``latency.Latency``: milliseconds by sort of request; or ``{"latency": "80ms"}`` |
| POST guards | ``{"guard": ID, "approved": true}``: what the owner of a Resource Guard says |
| GET snapshots | each with the bytes that it takes up, which Azure tells only in the bill |
| GET invocations | the runbooks that recovery plans started, with what they were given |
| GET, DELETE requests[?limit=n] | the log |
| GET counters | requests by method and template |
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from reconciler.emulator import estate as estates
from reconciler.emulator.clock import parse_span
from reconciler.emulator.emulator import Emulator
from reconciler.emulator.failures import ArmError, bad_request
from reconciler.emulator.generate import Generation, generate
from reconciler.emulator.latency import Latency
from reconciler.emulator.providers.automation import invocations
from reconciler.emulator.providers.resource_guards import approve
from reconciler.emulator.providers.snapshot_families import snapshot_sizes
from reconciler.emulator.router import Response
from reconciler.emulator.throttle import Regime


class Admin:
    def __init__(self, emulator: Emulator, token: str, instance: str) -> None:
        self._emulator = emulator
        self._instance = instance
        self._token = token
        self._calls: Mapping[tuple[str, str], Callable[[Any, Mapping[str, str]], Any]] = {
            ("GET", "status"): self._status,
            ("POST", "clock"): self._clock,
            ("POST", "reset"): self._reset,
            ("GET", "faults"): lambda *_: emulator.world.faults.rules(),
            ("POST", "faults"): self._add_fault,
            ("DELETE", "faults"): self._clear_faults,
            ("GET", "throttle"): lambda *_: msgspec.to_builtins(emulator.world.throttle.regime),
            ("POST", "throttle"): self._throttle,
            ("GET", "latency"): lambda *_: msgspec.to_builtins(emulator.world.slowness.latency),
            ("POST", "latency"): self._latency,
            ("POST", "guards"): self._approve,
            ("GET", "snapshots"): lambda *_: snapshot_sizes(emulator.world),
            ("GET", "invocations"): lambda *_: invocations(emulator.world),
            ("GET", "requests"): self._requests,
            ("DELETE", "requests"): self._clear_requests,
            ("GET", "counters"): lambda *_: emulator.log.counts(),
        }

    def answer(self, method: str, target: str, headers: Mapping[str, str], content: bytes) -> Response:
        path, _, query = target.partition("?")
        try:
            self._authorise(headers)
            call = self._calls.get((method, path.removeprefix("/_emulator/").strip("/")))
            if call is None:
                raise ArmError(404, "UnknownAdminCall", f"there is no admin call {method} {path}")
            body = msgspec.json.decode(content) if content.strip() else {}
            answer = call(body, dict(parse_qsl(query)))
            self._emulator.world.commit()
        except ArmError as refusal:
            return Response(refusal.status, refusal.body())
        except (estates.EstateError, ValueError, KeyError, TypeError, OSError) as error:
            return Response(400, bad_request("InvalidAdminCall", str(error)).body())
        return Response(200, answer)

    def _authorise(self, headers: Mapping[str, str]) -> None:
        given = {name.lower(): value for name, value in headers.items()}.get("authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self._token}".encode()):
            raise ArmError(401, "AdminTokenMissing", "the admin API needs the token that the state folder holds")

    def _status(self, _body: Any, _query: Mapping[str, str]) -> dict[str, Any]:
        world = self._emulator.world
        world.settle()
        store = world.store
        return {
            "instance": self._instance,
            "estate": self._emulator.estate_name,
            "now": world.clock.now().isoformat(),
            "speed": world.clock.speed,
            "autoAdvance": world.clock.auto_advance,
            "subscriptions": store.count("Microsoft.Resources/subscriptions"),
            "virtualMachines": store.count("Microsoft.Compute/virtualMachines"),
            "vaults": store.count("Microsoft.RecoveryServices/vaults"),
            "resources": store.size(),
            "faults": len(world.faults.rules()),
            "requests": sum(self._emulator.log.counts().values()),
        }

    def _clock(self, body: Any, query: Mapping[str, str]) -> dict[str, Any]:
        world = self._emulator.world
        world.settle()
        if "speed" in body:
            world.clock.set_speed(float(body["speed"]))
        if "autoAdvance" in body:
            world.clock.auto_advance = bool(body["autoAdvance"])
        if "advance" in body:
            world.advance(parse_span(body["advance"]))
        return self._status(body, query)

    def _reset(self, body: Any, query: Mapping[str, str]) -> dict[str, Any]:
        if "generate" in body:
            estate = generate(msgspec.convert(body["generate"], Generation))
        elif "path" in body:
            estate = estates.read(Path(body["path"]))
        else:
            estate = body.get("estate") or estates.read(estates.SAMPLE)
        self._emulator.reset(estate)
        return self._status(body, query)

    def _add_fault(self, body: Any, _query: Mapping[str, str]) -> Any:
        faults = self._emulator.world.faults
        if "faults" in body:
            return msgspec.to_builtins(faults.load(body["faults"]))
        return msgspec.to_builtins(faults.add(body))

    def _clear_faults(self, _body: Any, _query: Mapping[str, str]) -> dict[str, Any]:
        self._emulator.gateway.clear_faults()
        return {}

    def _throttle(self, body: Any, _query: Mapping[str, str]) -> Any:
        self._emulator.world.throttle.set(msgspec.convert(body, Regime))
        return body

    def _latency(self, body: Any, _query: Mapping[str, str]) -> Any:
        latency = Latency.parse(body.get("latency", body))
        self._emulator.world.slowness.set(latency)
        return msgspec.to_builtins(latency)

    def _approve(self, body: Any, _query: Mapping[str, str]) -> Any:
        approve(self._emulator.world, str(body["guard"]), approved=bool(body.get("approved", True)))
        return body

    def _requests(self, _body: Any, query: Mapping[str, str]) -> Any:
        limit = int(query["limit"]) if "limit" in query else None
        return msgspec.to_builtins(self._emulator.log.recent(limit))

    def _clear_requests(self, _body: Any, _query: Mapping[str, str]) -> dict[str, Any]:
        self._emulator.log.clear()
        return {}
