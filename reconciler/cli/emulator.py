"""`reconciler emulator …`: a local Azure to try policies on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.console import note
from reconciler.cli.emulator_env import env
from reconciler.cli.emulator_faults import Factor, fault, latency, read_latency, throttle
from reconciler.cli.running_emulator import HOME, refusals, running
from reconciler.model.counting import count

if TYPE_CHECKING:
    from reconciler.emulator.remote import Running

ESTATE = click.option("--estate", type=click.Path(path_type=Path, dir_okay=False, exists=True), help="Estate file.")
VMS = click.option("--vms", type=click.IntRange(1, 200_000), help="Generate an estate of this many VMs instead.")
SEED = click.option("--seed", type=int, default=1, show_default=True, help="Seed of the generated estate.")


@click.group("emulator")
def command() -> None:
    """Run a local Azure to try policies on: real HTTPS, real ARM, a clock you can move, faults you can order."""


for subcommand in (env, fault, throttle, latency):
    command.add_command(subcommand)


@command.command(short_help="Start it in the background.")
@HOME
@ESTATE
@VMS
@SEED
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port; any free one by default.")
@click.option("--proxy", is_flag=True, help="Open a CONNECT proxy too, for clients of the public cloud as they are.")
@click.option("--proxy-port", type=click.IntRange(0, 65535), help="Port of that proxy; any free one by default.")
@click.option("--speed", type=click.FloatRange(min=0), help="Virtual seconds per second; 0 = frozen  [default: 1].")
@click.option(
    "--wait/--no-wait",
    "patient",
    default=False,
    help="Operations take their usual (virtual) time, or end as soon as they are polled  [default: no-wait].",
)
@click.option("--throttle", "factor", type=Factor(), help="Limit requests as ARM does: on, off, 0.1  [default: off].")
@click.option("--latency", "slowness", help="Answer late: 80ms, 1.5s, off, or a profile FILE  [default: off].")
def start(
    home: Path | None,
    estate: Path | None,
    vms: int | None,
    seed: int,
    port: int,
    proxy: bool,
    proxy_port: int | None,
    speed: float | None,
    patient: bool,
    factor: float | None,
    slowness: str | None,
) -> None:
    """Start it in the background, with the sample estate unless told otherwise."""
    from reconciler.emulator import lifecycle

    through = (proxy_port or 0) if proxy or proxy_port is not None else None
    with refusals():
        found = lifecycle.start(
            home, port=port, proxy=through, estate=estate, vms=vms, seed=seed, speed=speed, auto_advance=not patient
        )
        if factor is not None:
            found.throttle(factor)
        if slowness is not None:
            found.set_latency(read_latency(slowness))
        _describe(found)
    click.echo("Use it with --cloud emulator, or RECONCILER_CLOUD=emulator.")
    click.echo("For other clients: reconciler emulator env az|terraform|custodian|python|sh")


@command.command()
@HOME
def stop(home: Path | None) -> None:
    """Stop it. The estate stays as it is for the next start."""
    from reconciler.emulator import lifecycle

    with refusals():
        found = lifecycle.stop(home)
    click.echo(f"Stopped (process {found.pid})." if found else "No emulator was running.")


@command.command()
@HOME
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def status(home: Path | None, form: str) -> None:
    """Tell where it listens, what time it has, and what it holds."""
    found = running(home)
    with refusals():
        if form == "json":
            facts = {"endpoint": found.endpoint, "proxy": found.proxy or None, "ca": found.ca}
            click.echo(json.dumps({**facts, **found.status()}, indent=2))
        else:
            _describe(found)


@command.command(short_help="Move its clock on by DURATION.")
@click.argument("duration")
@HOME
def advance(duration: str, home: Path | None) -> None:
    """Move its clock on by DURATION (90d, 36h, 15m): backups happen, retention prunes, snapshots age."""
    with refusals():
        after = running(home).advance(duration)
    click.echo(f"It is now {_minute(after)} in the emulator.")


@command.command(short_help="Forget everything and begin again.")
@HOME
@ESTATE
@VMS
@SEED
def reset(home: Path | None, estate: Path | None, vms: int | None, seed: int) -> None:
    """Forget everything and begin again with the sample estate, a file, or a generated one."""
    found = running(home)
    with refusals():
        found.reset(estate, vms=vms, seed=seed)
        _describe(found)


@command.command(short_help="Write the policies of a generated estate.")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--vms", type=click.IntRange(1, 200_000), required=True, help="How many VMs.")
@SEED
def generate(directory: Path, vms: int, seed: int) -> None:
    """Write the policies of a generated estate into DIRECTORY, to go with `start --vms N --seed S`."""
    from reconciler.emulator.generate import Generation
    from reconciler.emulator.generate_policies import write_policies

    with refusals():
        written = write_policies(directory, Generation(vms=vms, seed=seed))
    click.echo(f"Wrote {len(written)} files below {directory}.")
    click.echo(f"Start its estate with: reconciler emulator start --vms {vms} --seed {seed}")


@command.command(short_help="Send one raw ARM request.")
@click.argument("method", type=click.Choice(["GET", "PUT", "PATCH", "POST", "DELETE"], case_sensitive=False))
@click.argument("path")
@click.option("--body", help="JSON body, or @FILE.")
@click.option("--as", "caller", metavar="UPN|APPID", help="Who sends it  [default: somebody@example.com].")
@HOME
def arm(method: str, path: str, body: str | None, caller: str | None, home: Path | None) -> None:
    """Send one raw ARM request, as someone in the portal would, and print the answer.

    PATH is the resource path with its api-version: '/subscriptions?api-version=2022-12-01'. The Activity Log tells of a
    write in the name of the caller: --as alice@example.com, or the id of an application.
    """
    from reconciler.emulator.portal import SOMEBODY, request

    found = running(home)
    with refusals():
        content = Path(body[1:]).read_text(encoding="utf-8") if body and body.startswith("@") else body
        answer = request(found, method.upper(), path, content, caller=caller or SOMEBODY)
    note(f"HTTP {answer.status}")
    if answer.text:
        click.echo(answer.text)


def _minute(status: dict[str, Any]) -> str:
    return str(status["now"])[:16].replace("T", " ") + " UTC"


def _describe(found: Running) -> None:
    facts = found.status()
    pace = "frozen" if not facts["speed"] else f"{facts['speed']:g} x"
    click.echo(f"Emulator at {found.endpoint} (process {found.pid})")
    click.echo(
        f"  estate  {facts['estate']}: {count(facts['subscriptions'], 'subscription')}, "
        f"{count(facts['virtualMachines'], 'VM')}, {count(facts['vaults'], 'vault')}"
    )
    click.echo(f"  clock   {_minute(facts)}, {pace}")
    if found.proxy:
        click.echo(f"  proxy   {found.proxy}")
    click.echo(f"  CA      {found.ca}")
