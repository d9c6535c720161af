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

from reconciler.emulator import lifecycle
from reconciler.emulator.remote import Running
from tests.chaos.drawn import DRAWN, STALE_ITEMS, STALE_LIST, Drawn, estate, policies
from tests.chaos.holdings import OURS, active_items, foreign, recovery_points
from tests.chaos.snapshots import check_snapshots, others, put_before

RUNS = int(os.environ.get("CHAOS_RUNS", "30"))
SEED = int(os.environ.get("CHAOS_SEED", "20261122"))
MOST_APPLIES = 25
APPLY = str(Path(__file__).with_name("apply_once.py"))
FORK = multiprocessing.get_context("forkserver")
FORK.set_forkserver_preload(
    [
        "reconciler.workflow",
        "reconciler.kinds.registry",
        "reconciler.cli.cloud",
        "reconciler.emulator.remote",
        "azure.mgmt.compute.aio",
        "azure.mgmt.recoveryservices.aio",
        "azure.mgmt.recoveryservicesbackup.aio",
    ]
)


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


def check_writes(story: Story, drawn: Drawn, log: list[dict[str, Any]]) -> int:
    """No write that no plan named; no operation more often than its step, but for those that were made to fail, and
    for those that a list did not show yet: the next apply, which plans from lists, sends the same PUT again, and Azure
    has the same one item afterwards (`active_items`)."""
    writes = [entry for entry in log if entry["method"] != "GET" and not entry["path"].startswith("/_emulator")]
    started: Counter[str] = Counter()
    for entry in writes:
        path = entry["path"].lower()
        assert any(
            (path.startswith(lane) and name.lower() in path) or path.endswith(f"/{name.lower()}")
            for _, lane, name in story.steps
        ) or (path.endswith("/refreshcontainers") and path.startswith(OURS.lower())), (
            f"no plan named this write: {entry}"
        )
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
@example(drawn=STALE_LIST)
def test_applies_that_are_repeated_until_done_converge_and_lose_nothing(
    running: Running, figures: Figures, drawn: Drawn
) -> None:
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    try:
        (folder / "policies").mkdir()
        (folder / "policies" / "all.yaml").write_text(policies(drawn))
        running.reset(estate=estate(drawn))
        put_before(running, drawn)
        points, theirs = recovery_points(running), (foreign(running), others(running))
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
        assert (foreign(running), others(running)) == theirs, "something that is not ours was touched"
        check_snapshots(running, drawn)
        assert set(active_items(running).values()) <= {1}, "a VM is backed up twice"
        figures.writes += check_writes(story, drawn, log)
        figures.requests += len(log)
        figures.runs += 1
        figures.faults += len(drawn.faults)
    finally:
        running.clear_faults()
        shutil.rmtree(folder)
