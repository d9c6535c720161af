"""`reconciler status`: what goes on, of ours and in Azure."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.cloud import CA_FILE, CLOUD, connect
from reconciler.cli.console import conclude, wants_colour, write
from reconciler.cli.journals import JOURNAL, journal_folder
from reconciler.cli.lock import WHICH_LOCK, Wish, holder_now
from reconciler.cli.options import COLOUR, POLICIES, form
from reconciler.cli.policies import read_policies
from reconciler.errors import AzureError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.apply.journal import OpenStep
    from reconciler.azure.clients import Azure
    from reconciler.model.activity import Activity, OwnStep, RunningJob
    from reconciler.model.document import Declared


@click.command("status")
@POLICIES
@CLOUD
@CA_FILE
@WHICH_LOCK
@JOURNAL
@COLOUR
@form("json")
def command(
    policies: tuple[Path, ...],
    cloud: str,
    ca_file: Path | None,
    lock: str | None,
    no_lock: bool,
    journal: Path | None,
    colour: bool | None,
    form: str,
) -> ExitCode:
    """Tell what runs: steps of earlier runs that are not known to have ended, and the jobs of the declared vaults, each
    with the task that it is at. Changes nothing, and waits for nothing.
    """
    from reconciler.render.activity import activity_json, activity_text

    activity = asyncio.run(_look(policies, cloud, ca_file, journal_folder(journal), Wish.of(lock, none=no_lock)))
    if form == "json":
        write(activity_json(activity))
    else:
        coloured = wants_colour(colour)
        write(activity_text(activity, colour=coloured), colour=coloured)
    return conclude(ExitCode.INCOMPLETE if activity.unread else ExitCode.OK)


async def _look(policies: tuple[Path, ...], cloud: str, ca_file: Path | None, journal: Path, wish: Wish) -> Activity:
    from reconciler.apply.journal import open_steps
    from reconciler.apply.lock import held_by
    from reconciler.model.activity import Activity
    from reconciler.operate.jobs import read_jobs

    async with connect(cloud, ca_file) as azure:
        _, declared = read_policies(policies, azure.now().date())
        left = open_steps(journal, azure.cloud.key)
        found = await read_jobs(azure, declared)
        holder = held_by(journal, azure.cloud.key)
        locked, blind = await _ask_lock(wish, declared, azure)
        return Activity(
            now=azure.now(),
            applying=str(holder) if holder else "",
            locked=locked,
            steps=tuple(_own(step, found.jobs) for step in left),
            jobs=tuple(found.jobs),
            unread=(*found.unread, *blind),
        )


async def _ask_lock(wish: Wish, declared: Declared, azure: Azure) -> tuple[str, tuple[str, ...]]:
    """Who holds the lock between machines, and what kept us from knowing."""
    lock = wish.lock(declared)
    try:
        return (await holder_now(lock, azure) if lock else ""), ()
    except AzureError as error:
        return "", (f"{error.message} ({error.why})",)


def _own(left: OpenStep, jobs: Iterable[RunningJob]) -> OwnStep:
    from reconciler.model.activity import OwnStep

    name = left.operation.job if left.operation else ""
    job = next((job for job in jobs if name and job.name == name), None)
    return OwnStep(
        address=left.step.address,
        title=left.step.title,
        since=left.since,
        accepted=left.operation is not None,
        owed=left.owed,
        job=name,
        progress=job.progress or job.state if job else "",
    )
