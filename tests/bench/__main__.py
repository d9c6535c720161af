"""`make bench`: what a plan costs against the floor of fetching the same pages, and what starting up costs.

Whole processes are measured, by the operating system's own account (wait4): CPU is user + system seconds, peak is the
largest resident set. Each figure is the median of RUNS runs; ratios are made within one run of this program.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from scheduled import KEPT, scheduled_estate, write_schedule

from reconciler.emulator import lifecycle
from reconciler.emulator.generate import Generation
from reconciler.emulator.generate_policies import write_policies
from reconciler.emulator.remote import Running

RUNS = 3
SIZES = (100, 1_000, 10_000)
HERE = Path(__file__).parent
RECONCILER = (sys.executable, "-m", "reconciler")


class Cost(NamedTuple):
    """Seconds and MiB of one process."""

    wall: float
    cpu: float
    peak: float
    code: int


def measure(command: Sequence[str], environment: dict[str, str], given: str = "") -> Cost:
    started = time.perf_counter()
    process = subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    assert process.stdin
    process.stdin.write(given.encode())
    process.stdin.close()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - started
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, process.returncode)


def median(costs: Sequence[Cost]) -> Cost:
    return Cost(
        *(statistics.median(column) for column in list(zip(*costs, strict=True))[:3]), max(c.code for c in costs)
    )


def plan_against_floor(vms: int, home: Path, *, snapshots: bool = False) -> None:
    running = lifecycle.start(home / "emulator", vms=vms, seed=7)
    try:
        policies, wanted = home / "policies", Generation(vms=vms, seed=7)
        write_policies(policies, wanted)
        if snapshots:
            write_schedule(policies)
            estate = home / "estate.json"
            estate.write_text(json.dumps(scheduled_estate(running, wanted)), encoding="utf-8")
            running.reset(estate)
        environment = {**os.environ, lifecycle.HOME: str(home / "emulator")}
        plan = (*RECONCILER, "plan", "--cloud", "emulator", "--policies", str(policies))
        measure(plan, environment)
        running.clear_requests()
        planned = median([measure(plan, environment) for _ in range(RUNS)])
        urls, requests, pages = traffic(running)
        order = json.dumps({"ca": running.ca, "token": running.token, "urls": urls})
        floor = median([measure((sys.executable, str(HERE / "floor.py")), environment, order) for _ in range(RUNS)])
        size = f"{vms:,}{'*' if snapshots else ' '}"
        print(
            f"{size:>8} {requests:>8}  {pages:>5}  {planned.wall:>6.2f}  {planned.cpu:>6.2f}  {planned.peak:>6.0f}  "
            f"{floor.cpu:>9.2f}  {floor.peak:>10.0f}  {planned.cpu / floor.cpu:>9.2f}  {planned.code:>4}"
        )
    finally:
        lifecycle.stop(home / "emulator")


def traffic(running: Running) -> tuple[list[str], int, int]:
    """The URLs that one plan fetched, how many requests it sent, and how many of them were pages of lists."""
    log = running.requests()
    once = log[: len(log) // RUNS]
    urls = [f"{running.endpoint}{quote(entry['path'])}?{entry['query']}" for entry in once if entry["method"] == "GET"]
    return urls, len(once), sum(is_collection(entry["path"]) for entry in once)


def is_collection(path: str) -> bool:
    """Behind the provider, resources are pairs of type and name; a collection ends with a type."""
    return len(path.rpartition("/providers/")[2].strip("/").split("/")[bool("/providers/" in path) :]) % 2 == 1


def start_up() -> None:
    print("\nstart-up (median of 5)       wall s   cpu s  peak MiB")
    for name, command in {
        "python -c pass": (sys.executable, "-c", "pass"),
        "reconciler --help": (*RECONCILER, "--help"),
        "reconciler validate": (*RECONCILER, "validate", "--policies", str(HERE.parents[1] / "policies")),
    }.items():
        cost = median([measure(command, dict(os.environ)) for _ in range(5)])
        print(f"{name:<28} {cost.wall:>6.2f}  {cost.cpu:>6.2f}  {cost.peak:>8.0f}")


def main() -> None:
    print(f"plan on generated estates, median of {RUNS}; floor = the same pages with aiohttp and json alone")
    print("    VMs  requests  pages  wall s   cpu s     MiB  floor cpu  floor MiB  cpu ratio  exit")
    for vms in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            plan_against_floor(vms, Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        plan_against_floor(SIZES[-1], Path(folder), snapshots=True)
    print(f"* every VM has a schedule of daily snapshots: of each disk {KEPT} are there, one is due, one has to go")
    start_up()


if __name__ == "__main__":
    main()
