"""`reconciler restore files VM`: a recovery point opened, so that its files can be copied."""

from __future__ import annotations

import asyncio
import os
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.cloud import CA_FILE, CLOUD, connect
from reconciler.cli.console import hint, note, printable
from reconciler.cli.options import POLICIES
from reconciler.cli.policies import read_policies
from reconciler.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from reconciler.restore.files import FileSource, Mount


@dataclass(frozen=True, slots=True)
class Wanted:
    """The command line."""

    machine: str
    point: str
    revoke: bool
    folder: Path
    auto_approve: bool


@click.command("files", short_help="Files of a VM, from its vault.")
@click.argument("vm")
@click.option("--recovery-point", "point", default="", metavar="POINT", help="As it is listed: latest, a time, an id.")
@click.option("--revoke", is_flag=True, help="Close what is open, in place of opening anything.")
@click.option(
    "--script-folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True, writable=True),
    default=Path(),
    help="Where the script is written  [default: here].",
)
@click.option("--auto-approve", is_flag=True, help="Do not ask.")
@POLICIES
@CLOUD
@CA_FILE
def files(
    vm: str,
    point: str,
    revoke: bool,
    script_folder: Path,
    auto_approve: bool,
    policies: tuple[Path, ...],
    cloud: str,
    ca_file: Path | None,
) -> ExitCode:
    """Open a recovery point for twelve hours: Azure answers with a script that mounts its disks and a password for it.

    The password is shown once, on the terminal, and is kept nowhere; opening the same point again tells it again.
    """
    if revoke == bool(point):
        raise UsageError(
            "say which recovery point to open, or that the open one is to be closed",
            advice="add --recovery-point latest, or --revoke",
        )
    if not revoke and not sys.stdout.isatty():
        raise UsageError(
            "the password is told on a terminal only, and standard output is none",
            why="it would end up in a file or a log",
            advice="run this at a terminal",
        )
    if not auto_approve and not sys.stdin.isatty():
        raise UsageError("nobody can be asked here for approval", advice="add --auto-approve")
    wanted = Wanted(vm, point, revoke, script_folder, auto_approve)
    return asyncio.run(_files(wanted, policies, cloud, ca_file))


async def _files(wanted: Wanted, policies: tuple[Path, ...], cloud: str, ca_file: Path | None) -> ExitCode:
    from reconciler.on_request import look_for_backups
    from reconciler.restore.files import close_files, find_files, find_open, open_files

    async with connect(cloud, ca_file) as azure:
        _, declared = read_policies(policies, azure.now().date())
        live = await look_for_backups(azure, declared)
        if wanted.revoke:
            source = await find_open(azure, live, wanted.machine)
            if source is None:
                note(f"Nothing to do: no recovery point of {wanted.machine} is open.")
                return ExitCode.OK
            if not _agreed(f"Close the files of {_spell(source)}: whoever has mounted them loses them", wanted):
                return ExitCode.ERROR
            await close_files(azure, source)
            note(f"Closed: the files of {_spell(source)}.")
            return ExitCode.OK
        source = await find_files(azure, live, wanted.machine, wanted.point)
        again = "again " if source.renews else ""
        if not _agreed(f"Open the files of {_spell(source)} {again}for twelve hours", wanted):
            return ExitCode.ERROR
        hint("Azure opens the recovery point; this takes about a minute ...")
        _tell(source, await open_files(azure, source), wanted.folder)
    return ExitCode.OK


def _spell(source: FileSource) -> str:
    from reconciler.model.vault_point import spell_time

    return f"{source.label} at {spell_time(source.point.taken)}"


def _agreed(question: str, wanted: Wanted) -> bool:
    if wanted.auto_approve:
        return True
    note(f"{question}.\nOnly 'yes' goes on.")
    if click.prompt("Go on", default="no", show_default=False, err=True) == "yes":
        return True
    note("Nothing was changed.")
    return False


def _tell(source: FileSource, mount: Mount, folder: Path) -> None:
    """The only place that the password goes to is this terminal."""
    from reconciler.restore.files import revoke_command

    path = folder / mount.name.replace("/", "_").replace("\\", "_")
    steps: tuple[str, ...]
    if mount.script:
        _write(path, mount.script)
        steps = (
            f"Script:    {path}",
            f"Run it:    sudo python3 {shlex.quote(str(path))}   (on the VM, or another with that file system)",
        )
    else:
        steps = (
            f"Download:  {mount.url}",
            f"Keep as:   {path.name}   (it reads its own name)",
            "Run it:    as administrator",
        )
    lines = (
        f"Open:      the files of {_spell(source)}, until {mount.until:%Y-%m-%dT%H:%M}Z",
        *steps,
        f"Password:  {mount.password}   (told once, kept nowhere)",
        f"Then:      unmount, and close it: {revoke_command(source)}",
    )
    click.echo("\n".join(map(printable, lines)))


def _write(path: Path, script: bytes) -> None:
    """For its owner's eyes, whatever was there before: other secrets than the password are in it, too."""
    try:
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(script)
    except OSError as error:
        raise UsageError(
            f"the script cannot be written to {path}: {error.strerror}",
            why="the recovery point is open",
            advice="name another place with --script-folder and run this again",
        ) from error
