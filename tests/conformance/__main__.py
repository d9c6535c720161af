"""`make conformance`: clients that nobody here wrote, as their makers ship them, drive the emulator.

Each step asserts on what the client itself prints. A step is one test; the table says which client, in which version,
on which way, has passed it. Ends with 1 when any step failed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path

import environments
import pytest
from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
STORIES = ("az_estate", "az_snapshots", "az_backup", "az_restore", "az_and_reconciler", "custodian_estate")
ENVIRONMENTS = {"az": "az", "custodian": "c7n"}


@dataclass
class Record:
    """What became of each step: a pytest plugin."""

    seconds: dict[tuple[str, str], float] = field(default_factory=dict)
    steps: dict[tuple[str, str], dict[tuple[str, str], str]] = field(default_factory=dict)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Function) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        way = str(item.callspec.params["way"]) if hasattr(item, "callspec") else "proxy"
        column = (item.module.CLIENT, way)
        step = (item.module.__name__, item.originalname.removeprefix("test_").replace("_", " "))
        self.seconds[column] = self.seconds.get(column, 0.0) + report.duration
        outcomes = self.steps.setdefault(step, {})
        if report.failed or (report.when == "call" and column not in outcomes):
            outcomes[column] = report.outcome
        return report


def show(record: Record) -> None:
    """The table: steps down, clients and ways across."""
    columns = sorted(record.seconds)
    versions = {client: environments.versions(ENVIRONMENTS[client]) for client, _ in columns}
    table = Table(title="What passed, by client and version", title_justify="left")
    table.add_column("story")
    table.add_column("step")
    for client, way in columns:
        table.add_column(f"{versions[client]}\n{way}", justify="center")
    said = {"passed": "ok", "failed": "FAILED"}
    before = ""
    for (story, step), outcomes in record.steps.items():
        if before and story != before:
            table.add_section()
        cells = [said[outcomes[column]] if column in outcomes else "" for column in columns]
        table.add_row("" if story == before else story.replace("_", " "), step, *cells)
        before = story
    table.add_section()
    table.add_row("", "steps passed", *(_count(record, column) for column in columns))
    table.add_row("", "seconds", *(f"{record.seconds[column]:.0f}" for column in columns))
    Console(width=None if sys.stdout.isatty() else 140).print(table)


def _count(record: Record, column: tuple[str, str]) -> str:
    outcomes = [found[column] for found in record.steps.values() if column in found]
    return f"{outcomes.count('passed')} of {len(outcomes)}"


def main() -> int:
    """Arguments: names of stories (all by default), and pytest's own, as `-x`. A step stands on those before it.

    Ends with pytest's exit code: a run without a step is a failure.
    """
    started = time.monotonic()
    for name in environments.PACKAGES:
        environments.make(name)
    record = Record()
    chosen = [argument for argument in sys.argv[1:] if argument in STORIES]
    files = [str(HERE / f"{story}.py") for story in chosen or STORIES]
    others = [argument for argument in sys.argv[1:] if argument not in chosen]
    options = ["-p", "no:cacheprovider", "--import-mode=prepend", "-o", "addopts=", "-q", "--tb=short", *others]
    code = pytest.main([*options, *files], plugins=[record])
    if record.steps:
        show(record)
    print(f"{time.monotonic() - started:.0f} s in all")
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
