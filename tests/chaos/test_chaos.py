"""The chaos law: whatever goes wrong on the way, applies that are repeated until they say done end in the declared
state, and nothing was lost, done twice, or touched that no plan named.

`make test` draws 30 runs, `make chaos` 500 (CHAOS_RUNS, CHAOS_SEED). A run: an estate, policies, a schedule of faults
and of kills are drawn; applies run as processes of their own against a real emulator process.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import runpy
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, seed, settings
from hypothesis import strategies as st

from reconciler.emulator import lifecycle, portal
from reconciler.emulator.remote import Running

RUNS = int(os.environ.get("CHAOS_RUNS", "30"))
SEED = int(os.environ.get("CHAOS_SEED", "20261122"))
MOST_APPLIES = 25
SUBSCRIPTION = "11111111-1111-4111-8111-111111111111"
SCOPE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups"
OURS = f"{SCOPE}/rg-backup/providers/Microsoft.RecoveryServices/vaults/rsv-ours"
FOREIGN = f"{SCOPE}/rg-other/providers/Microsoft.RecoveryServices/vaults/rsv-foreign"
API = "api-version=2026-10-01"
ITEMS = "$filter=backupManagementType eq 'AzureIaasVM' and itemType eq 'VM'"
APPLY = str(Path(__file__).with_name("apply_once.py"))
FORK = multiprocessing.get_context("forkserver")
FORK.set_forkserver_preload(
    [
        "reconciler.workflow",
        "reconciler.kinds.registry",
        "reconciler.cli.cloud",
        "reconciler.emulator.remote",
        "azure.mgmt.recoveryservices.aio",
        "azure.mgmt.recoveryservicesbackup.aio",
    ]
)


@dataclass(frozen=True)
class Drawn:
    """One run: per VM its state in Azure; whether our vault is there; what is declared of it; what goes wrong."""

    machines: tuple[str, ...]
    vault_exists: bool
    soft_delete_days: int
    immutability: str
    days: int
    faults: tuple[dict[str, Any], ...]
    kills: tuple[int, ...]


STATES = ("none", "right", "other", "stopped", "deleted", "pending", "foreign", "unselected", "disks")
EFFECTS = st.one_of(
    st.builds(lambda after: {"status": 429, "retryAfter": after}, st.integers(1, 120)),
    st.sampled_from([{"status": code} for code in (500, 502, 503, 504)]),
    st.sampled_from([{"status": code, "after": True} for code in (500, 504)]),
    st.sampled_from([{"reset": "before"}, {"reset": "after"}]),
    st.just({"operation": "fails", "code": "UserErrorGuestAgentStatusUnavailable"}),
    st.sampled_from([{"operation": "lost"}, {"operation": "forgotten"}]),
    st.sampled_from([{"page": "repeats"}, {"page": "endless"}, {"page": "foreign"}]),
    st.sampled_from([{"body": "malformed"}, {"body": "truncated"}]),
    st.builds(lambda reads: {"stale": reads}, st.integers(1, 4)),
    st.sampled_from([{"status": 401}, {"status": 403, "code": "AuthorizationFailed"}]),
)
PATHS = (
    "*",
    "*/protecteditems/*",
    "*/backuppolicies/*",
    "*/vaults/rsv-ours",
    "*/operations*",
    "*/virtualmachines",
    "*/backupprotecteditems",
)


@st.composite
def fault(draw: st.DrawFn) -> dict[str, Any]:
    rule = dict(draw(EFFECTS))
    rule["path"] = draw(st.sampled_from(PATHS))
    method = draw(st.sampled_from([None, "GET", "PUT", "PATCH"]))
    if method:
        rule["method"] = method
    return {**rule, "count": draw(st.integers(1, 6)), "skip": draw(st.integers(0, 6))}


DRAWN = st.builds(
    Drawn,
    machines=st.lists(st.sampled_from(STATES), min_size=1, max_size=6).map(tuple),
    vault_exists=st.booleans(),
    soft_delete_days=st.sampled_from([14, 30]),
    immutability=st.sampled_from(["Disabled", "Unlocked"]),
    days=st.sampled_from([30, 60]),
    faults=st.lists(fault(), max_size=5).map(tuple),
    kills=st.lists(st.integers(1, 40), max_size=3).map(tuple),
)


STALE_ITEMS = Drawn(
    machines=("pending", "none", "disks", "unselected", "right"),
    vault_exists=False,
    soft_delete_days=14,
    immutability="Disabled",
    days=60,
    faults=(
        {"stale": 3, "path": "*/protecteditems/*", "count": 1, "skip": 5},
        {"stale": 4, "path": "*/protecteditems/*", "count": 1, "skip": 4},
        {"status": 504, "path": "*/protecteditems/*", "count": 3, "skip": 2},
    ),
    kills=(25, 1, 37),
)
"""Found by a longer run: reads that trail behind a write, while its answer was lost and the apply was killed twice."""


def estate(drawn: Drawn) -> dict[str, Any]:
    def items(states: tuple[str, ...]) -> list[dict[str, Any]]:
        shapes = {
            "right": {"policy": "daily"},
            "other": {"policy": "elsewhere"},
            "stopped": {"state": "ProtectionStopped", "policy": "daily", "stoppedDaysAgo": 0},
            "deleted": {"state": "SoftDeleted", "policy": "daily", "deletedDaysAgo": 3},
            "pending": {"state": "IRPending", "policy": "daily"},
            "disks": {"policy": "daily", "disks": {"include": [0]}},
            "foreign": {"policy": "elsewhere"},
        }
        return [
            {"vm": f"rg-app/app-{number}", "historyDays": 5, **shapes[state]}
            for number, state in enumerate(drawn.machines)
            if state in states
        ]

    where = {"subscription": "Chaos", "location": "westeurope"}
    ours = {"name": "rsv-ours", "resourceGroup": "rg-backup", **where}
    ours["items"] = items(("right", "other", "stopped", "deleted", "pending", "disks"))
    foreign = {"name": "rsv-foreign", "resourceGroup": "rg-other", **where, "policies": ["elsewhere"]}
    foreign["items"] = items(("foreign",))
    return {
        "estate": "chaos",
        "clock": "2026-03-02T08:00:00+00:00",
        "subscriptions": [{"id": SUBSCRIPTION, "name": "Chaos"}],
        "resourceGroups": [
            {"subscription": "Chaos", "name": name, "location": "westeurope"}
            for name in ("rg-app", "rg-backup", "rg-other")
        ],
        "virtualMachines": [
            {
                "name": f"app-{number}",
                "resourceGroup": "rg-app",
                "os": "Linux",
                "dataDisks": [32],
                "tags": {"env": "lab" if state == "unselected" else "prod"},
            }
            for number, state in enumerate(drawn.machines)
        ],
        "backup": {
            "policies": {"daily": {"retention": {"daily": 30}}, "elsewhere": {"retention": {"daily": 14}}},
            "vaults": [*([ours] if drawn.vault_exists else []), foreign],
        },
    }


def policies(drawn: Drawn) -> str:
    return f"""
apiVersion: reconciler/v1
kind: Scope
name: chaos
subscriptions: {{prod: {SUBSCRIPTION}}}
---
apiVersion: reconciler/v1
kind: Vault
name: rsv-ours
subscription: prod
resourceGroup: rg-backup
location: westeurope
softDelete: {{state: 'On', days: {drawn.soft_delete_days}}}
immutability: {drawn.immutability}
---
apiVersion: reconciler/v1
kind: BackupPolicy
name: daily
tier: Standard
schedule: {{frequency: Daily, time: '22:00'}}
retention: {{daily: {{days: {drawn.days}}}}}
---
apiVersion: reconciler/v1
kind: Protection
name: all
select: {{tags: {{env: prod}}}}
backup: {{policy: daily}}
allowEmpty: true
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("chaos")
    yield lifecycle.start(folder, speed=0)
    lifecycle.stop(folder)


@dataclass
class Figures:
    """What the runs amounted to."""

    runs: int = 0
    applies: int = 0
    killed: int = 0
    requests: int = 0
    writes: int = 0
    faults: int = 0

    def __str__(self) -> str:
        return (
            f"chaos: seed {SEED}, {self.runs} runs, {self.applies} applies of which {self.killed} were killed, "
            f"{self.faults} fault rules, {self.requests} requests of which {self.writes} started a write"
        )


@pytest.fixture(scope="module")
def figures(request: pytest.FixtureRequest) -> Iterator[Figures]:
    told = Figures()
    yield told
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print(f"\n{told}")


@dataclass
class Story:
    """The applies of one run, and what each plan named."""

    running: Running
    folder: Path
    steps: list[tuple[str, str, str]] = field(default_factory=list)

    def apply(self, number: int, dies_at: int) -> dict[str, Any]:
        says = self.folder / f"said-{number}.json"
        order = {
            "endpoint": self.running.endpoint,
            "ca": self.running.ca,
            "token": self.running.token,
            "journals": str(self.folder / "journals"),
            "policies": str(self.folder / "policies"),
            "run": f"r{number}",
            "dies_at": dies_at,
            "says": str(says),
        }
        process = FORK.Process(target=runpy.run_path, args=(APPLY,), kwargs={"init_globals": {"order": order}})
        process.start()
        process.join(120)
        assert process.exitcode is not None, "an apply does not end"
        said: dict[str, Any] = json.loads(says.read_text()) if says.exists() else {"exit": None, "steps": []}
        self.steps += [(step, lane, name) for step, lane, name in said["steps"]]
        return {**said, "code": process.exitcode}


def ask(running: Running, path: str) -> Any:
    said = portal.request(running, "GET", path)
    return json.loads(said.text) if said.status == 200 else None


def items_of(running: Running, vault: str) -> list[dict[str, Any]]:
    listed = ask(running, f"{vault}/backupProtectedItems?{API}&{ITEMS}")
    return listed["value"] if listed else []


def recovery_points(running: Running) -> set[tuple[str, str]]:
    """VM and time of every point in both vaults."""
    return {
        (item["properties"]["virtualMachineId"].lower(), point["properties"]["recoveryPointTime"])
        for vault in (OURS, FOREIGN)
        for item in items_of(running, vault)
        for point in ask(running, f"{item['id']}/recoveryPoints?{API}")["value"]
    }


def active_items(running: Running) -> Counter[str]:
    """How many vaults back a VM up; each may be in one only."""
    idle = ("ProtectionStopped", "BackupsSuspended")
    return Counter(
        item["properties"]["virtualMachineId"].lower()
        for vault in (OURS, FOREIGN)
        for item in items_of(running, vault)
        if item["properties"]["protectionState"] not in idle
    )


def foreign(running: Running) -> Any:
    """Everything in the vault that is not ours, less what changes by itself."""
    kept = ("policyId", "policyName", "protectionState", "sourceResourceId")
    listed = [{key: item["properties"].get(key) for key in kept} for item in items_of(running, FOREIGN)]
    return [ask(running, f"{FOREIGN}?{API}"), ask(running, f"{FOREIGN}/backupPolicies?{API}"), listed]


def check_writes(story: Story, drawn: Drawn, log: list[dict[str, Any]]) -> int:
    """No write that no plan named; no operation more often than its step, but for those that were made to fail, and
    for those that a list did not show yet: the next apply, which plans from lists, sends the same PUT again, and Azure
    has the same one item afterwards (`active_items`)."""
    writes = [entry for entry in log if entry["method"] != "GET" and not entry["path"].startswith("/_emulator")]
    started: Counter[str] = Counter()
    for entry in writes:
        path = entry["path"].lower()
        assert any(path.startswith(lane) and name.lower() in path for _, lane, name in story.steps) or (
            path.endswith("/refreshcontainers") and path.startswith(OURS.lower())
        ), f"no plan named this write: {entry}"
        if entry.get("operations") and "/protecteditems/" in path:
            started[path.rpartition(";")[2]] += 1
    excused = sum(rule["count"] for rule in drawn.faults if rule.get("operation") == "fails")
    excused += sum(rule["count"] * rule["stale"] for rule in drawn.faults if "stale" in rule)
    named = Counter(dict.fromkeys(started, 0))
    for _, name in {(step, name.lower()) for step, _, name in story.steps if step.startswith("protected_vm")}:
        named[name] += 1
    for name, times in started.items():
        told = "\n".join(f"{one['method']} {one['path']} {one['status']}" for one in log if name in one["path"].lower())
        assert times <= named[name] + excused, f"{name}: {times} operations for {named[name]} steps\n{told}"
    return len(writes)


@seed(SEED)
@settings(
    max_examples=RUNS,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate, Phase.shrink) if RUNS <= 30 else (Phase.explicit, Phase.generate),
)
@given(drawn=DRAWN)
@example(drawn=STALE_ITEMS)
def test_applies_that_are_repeated_until_done_converge_and_lose_nothing(
    running: Running, figures: Figures, drawn: Drawn
) -> None:
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    try:
        (folder / "policies").mkdir()
        (folder / "policies" / "all.yaml").write_text(policies(drawn))
        running.reset(estate=estate(drawn))
        points, others = recovery_points(running), foreign(running)
        running.clear_requests()
        for rule in drawn.faults:
            running.add_fault(rule)
        story = Story(running, folder)
        said: dict[str, Any] = {}
        for number in range(MOST_APPLIES):
            dies_at = drawn.kills[number] if number < len(drawn.kills) else 0
            said = story.apply(number, dies_at)
            figures.applies += 1
            figures.killed += said["code"] == -9
            if said["exit"] == 0 and said["code"] == 0:
                break
        assert said["exit"] == 0, f"not done after {MOST_APPLIES} applies: {said}"
        log = running.requests()
        running.clear_faults()
        again = story.apply(MOST_APPLIES, 0)
        assert (again["exit"], again["empty"]) == (0, True), again
        assert points <= recovery_points(running), "recovery points were lost"
        assert foreign(running) == others, "something that is not ours was touched"
        assert set(active_items(running).values()) <= {1}, "a VM is backed up twice"
        figures.writes += check_writes(story, drawn, log)
        figures.requests += len(log)
        figures.runs += 1
        figures.faults += len(drawn.faults)
    finally:
        running.clear_faults()
        shutil.rmtree(folder)
