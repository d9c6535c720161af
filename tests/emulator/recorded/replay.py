"""Recorded requests sent to an emulator that has the same names, and how its answers differ from the recorded ones."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from multidict import CIMultiDict

from reconciler.emulator import estate, providers
from reconciler.emulator.clock import Clock
from reconciler.emulator.gateway import Call, Gateway
from reconciler.emulator.providers.backup_names import ITEMS
from reconciler.emulator.router import Response
from reconciler.emulator.store import Store
from reconciler.emulator.world import Configuration, World
from tests.emulator.recorded.recordings import Exchange

BUILT_IN = ("DefaultPolicy", "EnhancedPolicy", "HourlyLogBackup")
LATER = timedelta(hours=1)
"""A backup on demand has ended by then."""
JOB_RUNS = timedelta(minutes=14)
"""A backup lasts longer."""
LONGEST_GAP = timedelta(days=2)
"""A longer one between two exchanges means that a file holds several recordings."""

_SEGMENT = re.compile(r"/resource[gG]roups/([^/\"\s]+)(?:/providers/([^/\"\s]+/[^/\"\s]+)/([^/\"?\s]+))?")
_ITEM = re.compile(r"iaasvmcontainerv2;([^;/\"\s]+);([^;/\"?\s]+)", re.IGNORECASE)
_ACCOUNT = re.compile(r"/resourceGroups/([^/\"]+)/providers/Microsoft.Storage/storageAccounts/([^/\"]+)")
_SUBNET = re.compile(
    r"/resourceGroups/([^/\"]+)/providers/Microsoft.Network/virtualNetworks/([^/\"]+)/subnets/([^/\"]+)"
)
_POLICY = re.compile(r"backupPolicies/([^/\"?\s]+)")
_WORD = re.compile(r"[A-Z][A-Za-z, ]{0,39}")


def estate_of(exchanges: list[Exchange], states: Mapping[str, Any]) -> dict[str, Any]:
    """An estate with what the recorded requests name. ``states`` says what a story begins with (replays.yaml)."""
    answers = [e.body for e in exchanges] if states.keys() & {"items", "machines", "vaults"} else []
    text = "\n".join([unquote(f"{e.path} {json.dumps(e.sent)}") for e in exchanges] + [json.dumps(a) for a in answers])
    subscription = exchanges[0].path.split("/")[2]
    region = re.search(r'"region": "([^"]+)"', text)
    location = next(
        (e.body["location"] for e in exchanges if isinstance(e.body, dict) and "location" in e.body),
        region[1] if region else "eastus",
    )
    groups = dict.fromkeys(match[1] for match in _SEGMENT.finditer(text))
    vaults: dict[str, str] = {}
    machines: dict[str, str] = {}
    for match in _SEGMENT.finditer(text):
        if (match[2] or "").lower() == "microsoft.recoveryservices/vaults":
            vaults.setdefault(match[3], match[1])
        elif (match[2] or "").lower() == "microsoft.compute/virtualmachines":
            machines.setdefault(match[3], match[1])
    for match in _ITEM.finditer(text):
        group = next((name for name in groups if name.lower() == match[1].lower()), match[1])
        machines.setdefault(match[2], group)
    machines = {name: group for name, group in machines.items() if name not in states.get("missing", [])}
    made = {e.path.rpartition("/")[2] for e in exchanges if e.method == "PUT"}
    made |= set(states.get("missing", []))
    policies = dict.fromkeys(match[1] for match in _POLICY.finditer(text) if match[1] not in (*BUILT_IN, *made))
    absent = states.get("vault") == "absent"
    document: dict[str, Any] = {
        "estate": "recorded",
        "clock": _date(exchanges[0]).isoformat(),
        "subscriptions": [{"id": subscription, "name": "S"}],
        "resourceGroups": [{"subscription": "S", "name": name, "location": location} for name in groups],
        "networks": [
            {
                "name": network,
                "resourceGroup": group,
                "addressPrefixes": ["10.0.0.0/16"],
                "subnets": {subnet: "10.0.0.0/24"},
                "machines": False,
            }
            for group, network, subnet in sorted(set(_SUBNET.findall(text)))
        ],
        "storageAccounts": [
            {"name": name, "resourceGroup": group, "location": location}
            for group, name in sorted(set(_ACCOUNT.findall(text)))
        ],
        "virtualMachines": [
            {
                "name": name,
                "resourceGroup": group,
                "location": location,
                "os": states.get("os", "Windows"),
                "upperCase": False,
                "power": states.get("power", "running"),
                "dataDisks": [32, 32, 32] if states.get("disks") else [],
            }
            for name, group in machines.items()
        ],
        "backup": {
            "settings": {"softDeleteCanBeDisabled": True},
            "policies": {name: {} for name in policies},
            "vaults": []
            if absent
            else [
                {
                    "name": name,
                    "subscription": "S",
                    "resourceGroup": group,
                    "location": location,
                    "policies": list(policies),
                    **({"softDelete": {"state": "Disabled", "days": 14}} if states.get("softDelete") == "off" else {}),
                    **({"resourceGuard": _guard(exchanges)} if states.get("guard") else {}),
                    "items": [_item(vm, vm_group, states) for vm, vm_group in machines.items() if states.get("items")],
                }
                for name, group in vaults.items()
            ],
        },
    }
    return document | states.get("sections", {})


def _item(machine: str, group: str, states: Mapping[str, Any]) -> dict[str, Any]:
    shape = {"vm": f"{group}/{machine}", "policy": "DefaultPolicy", "state": states["items"]}
    shape["historyDays"] = states.get("historyDays", 1)
    if states["items"] == "SoftDeleted":
        shape["deletedDaysAgo"] = states.get("daysAgo", 1)
    disks = {"included": {"include": [0, 2]}, "excluded": {"exclude": [1]}}.get(states.get("disks", ""))
    return shape | ({"disks": disks} if disks else {})


def _guard(exchanges: list[Exchange]) -> str:
    found = re.search(r"/subscriptions/[^\"]+/resourceGuards/[^/\"]+", json.dumps([e.sent for e in exchanges]))
    return (
        found[0] if found else "/subscriptions/s/resourceGroups/g/providers/Microsoft.DataProtection/resourceGuards/r"
    )


def _date(exchange: Exchange) -> datetime:
    sent = exchange.headers.get("date")
    return parsedate_to_datetime(sent).astimezone(UTC) if sent else datetime(2024, 4, 28, tzinfo=UTC)


class Replay:
    """One file of recordings against one emulator. Ids that Azure drew are replaced by those that the emulator drew."""

    def __init__(self, exchanges: list[Exchange], states: Mapping[str, Any]) -> None:
        document = estate_of(exchanges, states)
        self.world = World(
            store=Store(),
            clock=Clock(estate.origin(document), speed=0),
            configuration=Configuration(seed=states.get("seed", 1)),
            completions=providers.completions(),
            tickers=providers.tickers(),
        )
        estate.load(self.world, document)
        self._gateway = Gateway(self.world, providers.router())
        self._drawn: dict[str, str] = {}
        self._last = _date(exchanges[0])
        for item in self.world.store.ids(ITEMS) if states.get("backup") == "running" else ():
            self._call("POST", f"{quote(item, safe='/;')}/backup?api-version=2024-04-01", b"{}")
            self.world.advance(timedelta(minutes=1))

    def send(self, exchange: Exchange) -> Response:
        """The emulator's answer to a recorded request."""
        self._pass_time(exchange)
        parts = [unquote(part) for part in exchange.path.split("/")]
        path = "/".join(quote(self._ours(parts, index, exchange), safe=";") for index in range(len(parts)))
        query = re.sub(r"(^|&)api-version=[^&]*", "", exchange.query).strip("&").split("&t=")[0]
        version = exchange.api_version or "2026-08-01"
        target = f"{path}?api-version={version}" + (f"&{query}" if query and not query.startswith("t=") else "")
        sent = json.dumps(exchange.sent)
        for theirs, ours in self._drawn.items():
            sent = sent.replace(theirs, ours)
        content = b"" if exchange.sent is None else sent.encode()
        response = self._call(exchange.method, target, content)
        self._learn(exchange, response)
        return response

    def _pass_time(self, exchange: Exchange) -> None:
        """Time passes as it did; what was polled runs as long as it was recorded to run."""
        body = exchange.body if isinstance(exchange.body, dict) else {}
        status = body.get("status") or (body.get("properties") or {}).get("status")
        under_way = status in ("InProgress", "Cancelling") or (exchange.method == "GET" and exchange.status == 202)
        self.world.clock.auto_advance = not under_way
        gap, self._last = _date(exchange) - self._last, _date(exchange)
        is_job = "/backupJobs/" in exchange.path
        if timedelta(0) < gap < (JOB_RUNS if under_way else LONGEST_GAP) and (is_job or not under_way):
            self.world.advance(gap)
        if is_job and status in ("Completed", "CompletedWithWarnings"):
            self.world.advance(LATER)

    def _ours(self, parts: list[str], index: int, exchange: Exchange) -> str:
        theirs, collection = parts[index], parts[index - 1] if index else ""
        if theirs not in self._drawn and collection in ("backupJobs", "recoveryPoints"):
            self._drawn[theirs] = self._find("/".join(parts[:index]), collection, exchange) or theirs
        return self._drawn.get(theirs, theirs)

    def _find(self, before: str, collection: str, exchange: Exchange) -> str | None:
        """A job or point of the emulator that is like the recorded one, whose making was not recorded."""
        theirs = (exchange.body or {}).get("properties", {}) if isinstance(exchange.body, dict) else {}
        entries = decoded(self._call("GET", f"{quote(before, safe='/;')}?api-version=2024-04-01"))["value"]
        wanted = theirs.get("status") or ("InProgress" if exchange.path.endswith("/cancel") else None)
        for entry in entries:
            if collection == "recoveryPoints" or entry["properties"]["status"] == wanted:
                return str(entry["name"])
        return None

    def _call(self, method: str, target: str, content: bytes = b"") -> Response:
        headers = CIMultiDict({"content-type": "application/json"})
        call = Call(method, target, headers, content, "https://management.azure.com", "recorded")
        return self._gateway.answer(call).response

    def _learn(self, exchange: Exchange, response: Response) -> None:
        ours = {name.lower(): value for name, value in response.headers.items()}
        for name in ("azure-asyncoperation", "location"):
            if name in exchange.headers and name in ours:
                theirs_id, our_id = (
                    urlsplit(url).path.rpartition("/")[2] for url in (exchange.headers[name], ours[name])
                )
                self._drawn.setdefault(theirs_id, our_id)
        recorded, served = exchange.body, decoded(response)
        if isinstance(recorded, dict) and isinstance(served, dict):
            jobs = [(body.get("properties") or {}).get("jobId") for body in (recorded, served)]
            if all(jobs):
                self._drawn.setdefault(jobs[0], jobs[1])


def decoded(response: Response) -> Any:
    """The body as a client reads it; None if there is none."""
    if isinstance(response.body, bytes):
        return json.loads(response.body) if response.body else None
    return response.body


def differences(exchange: Exchange, response: Response) -> Iterator[str]:
    """Status, header names, and the body: which fields are there, of which type, and the words in them."""
    if exchange.status != response.status:
        yield f"status is {response.status}, not {exchange.status}"
        return
    served = {name.lower() for name in response.headers}
    yield from (f"header {name} is missing" for name in sorted(exchange.headers.keys() - served - {"content-type"}))
    yield from (f"header {name} is there" for name in sorted(served - exchange.headers.keys()))
    theirs, ours = _facts(exchange.body), _facts(decoded(response))
    told: set[str] = set()
    for path in sorted(theirs.keys() | ours.keys()):
        if path.rpartition(".")[0] in told or path.removesuffix("[]") in told - {path}:
            told.add(path)
            continue
        if (path in ours) != (path in theirs):
            told.add(path)
        if path not in ours:
            yield f"{path} is missing"
        elif path not in theirs:
            yield f"{path} is there"
        elif types := _types(theirs[path]) ^ _types(ours[path]):
            yield f"{path} differs in {' and '.join(sorted(types))}"
        elif _words(theirs[path]) != _words(ours[path]):
            yield f"{path} is {_words(ours[path])}, not {_words(theirs[path])}"


def _facts(body: Any) -> dict[str, list[Any]]:
    """Every path of a body with the values there; the entries of a list count as one."""
    found: defaultdict[str, list[Any]] = defaultdict(list)

    def walk(value: Any, path: str) -> None:
        found[path].append(value)
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(inner, f"{path}.{key}")
        elif isinstance(value, list):
            for entry in value:
                walk(entry, f"{path}[]")

    walk(body, "body")
    return dict(found)


def _types(values: list[Any]) -> set[str]:
    return {"null" if value is None else type(value).__name__ for value in values}


def _words(values: list[Any]) -> list[str]:
    """Booleans and words of Azure; names, ids, times and texts are its own business."""
    words = {
        str(value) for value in values if isinstance(value, bool) or (isinstance(value, str) and _WORD.fullmatch(value))
    }
    return sorted(words)
