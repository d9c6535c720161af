"""`reconciler emulator fault|throttle|latency`: make the local Azure as hard to live with as the real one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from reconciler.cli.running_emulator import HOME, refusals, running
from reconciler.errors import UsageError


class Factor(click.ParamType[float]):
    """``on`` is 1, ``off`` is 0, any other number a multiple of Azure's limits."""

    name = "on|off|FACTOR"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Fails, as click wants it, for anything else."""
        try:
            factor = {"on": 1.0, "off": 0.0}.get(str(value).lower()) if isinstance(value, str) else value
            factor = float(value) if factor is None else float(factor)
        except ValueError:
            factor = -1.0
        if not 0 <= factor < float("inf"):
            self.fail(f"{value!r} is not on, off or a number such as 0.1", param, ctx)
        return factor


@click.group(short_help="Make requests or operations go wrong.")
def fault() -> None:
    """Make requests or operations go wrong, to see what happens. docs/emulator.md has the table of faults."""


@fault.command("add")
@HOME
@click.option("--method", help="GET, PUT, … (any by default).")
@click.option("--path", help="Glob on the path, as '*/backupPolicies/*'.")
@click.option("--sort", type=click.Choice(["read", "list", "write", "delete", "poll"]), help="Sort of request.")
@click.option("--status", "code", type=click.IntRange(400, 599), help="Answer with this status.")
@click.option("--retry-after", type=click.IntRange(0), help="Seconds in the Retry-After header.")
@click.option("--after", is_flag=True, help="Answer so only after the request has taken effect.")
@click.option("--reset", "cut", type=click.Choice(["before", "after"]), help="Cut the connection.")
@click.option(
    "--operation",
    type=click.Choice(["fails", "hangs", "lost", "forgotten"]),
    help="What becomes of the operation it starts.",
)
@click.option("--page", type=click.Choice(["repeats", "endless", "foreign"]), help="Where a list's nextLink leads.")
@click.option("--body", type=click.Choice(["malformed", "truncated"]), help="Spoil the body of the answer.")
@click.option("--stale", type=click.IntRange(1), help="How many reads do not see the write yet.")
@click.option("--delay", type=click.FloatRange(min=0), default=0.0, help="Answer this many seconds late.")
@click.option("--count", type=click.IntRange(1), help="How many requests it hits (no end by default).")
@click.option("--skip", type=click.IntRange(0), default=0, help="How many matching requests pass first.")
@click.option("--probability", type=click.FloatRange(0, 1), default=1.0, show_default=True)
@click.option("--seed", type=int, help="Seed of its chance  [default: the emulator's].")
@click.option("--starts", help="When it begins: a span from now (2h) or a moment, in the emulator's time.")
@click.option("--ends", help="When it ends.")
def fault_add(home: Path | None, code: int | None, cut: str | None, **options: Any) -> None:
    """Add a rule; rules are kept until cleared. Example: --path '*/protectedItems/*' --status 429 --count 3."""
    rule = {_camel(name): value for name, value in options.items() if value not in (None, False, 0.0)}
    if code is not None:
        rule["status"] = code
    if cut is not None:
        rule["reset"] = cut
    if options["probability"] == 0.0:
        rule["probability"] = 0.0
    with refusals():
        click.echo(json.dumps(running(home).add_fault(rule)))


@fault.command("load", short_help="Add every rule of FILE, or none.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@HOME
def fault_load(file: Path, home: Path | None) -> None:
    """Add every rule of FILE (YAML or JSON: `faults:` and a list), or none where one is wrong."""
    from reconciler.emulator.schedule import ScheduleError, read_schedule

    try:
        rules = read_schedule(file)
    except ScheduleError as error:
        raise UsageError(str(error), advice="docs/emulator.md shows a schedule of faults") from error
    with refusals():
        for rule in running(home).load_faults(rules):
            click.echo(json.dumps(rule))


@fault.command("list")
@HOME
def fault_list(home: Path | None) -> None:
    """Print the rules in force, one JSON object a line."""
    with refusals():
        for rule in running(home).faults():
            click.echo(json.dumps(rule))


@fault.command("clear")
@HOME
def fault_clear(home: Path | None) -> None:
    """Remove every rule."""
    with refusals():
        running(home).clear_faults()
    click.echo("No faults are in force.")


@click.command(short_help="Limit requests as ARM does.")
@click.argument("factor", type=Factor())
@HOME
def throttle(factor: float, home: Path | None) -> None:
    """Limit requests as ARM does (on), not at all (off), or by a FACTOR of its limits (0.1)."""
    with refusals():
        running(home).throttle(factor)
    click.echo(f"Requests are limited to {factor:g} times what ARM allows." if factor else "Requests are not limited.")


@click.command(short_help="Answer late.")
@click.argument("latency")
@HOME
def latency(latency: str, home: Path | None) -> None:
    """Answer as late as LATENCY says: 80ms, 1.5s, off, or a profile FILE (YAML or JSON)."""
    with refusals():
        click.echo(json.dumps(running(home).set_latency(read_latency(latency))))


def read_latency(given: str) -> str | dict[str, Any]:
    """The profile of a file, or the text itself. Raises UsageError for a file that holds none."""
    from reconciler.emulator.schedule import ScheduleError, read_mapping

    if not Path(given).is_file():
        return given
    try:
        return read_mapping(Path(given))
    except ScheduleError as error:
        raise UsageError(str(error), advice="docs/emulator.md shows a latency profile") from error


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)
