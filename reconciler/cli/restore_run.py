"""How every `reconciler restore` runs: its common options, then plan, show, ask, and the same apply."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.apply import Asked, carry_out, mode_of, refuse_unasked
from reconciler.cli.cloud import CA_FILE, CLOUD, connect
from reconciler.cli.console import conclude, hint, wants_colour
from reconciler.cli.journals import JOURNAL, journal_folder
from reconciler.cli.lock import LOCK, Wish
from reconciler.cli.options import COLOUR, OUT, PARALLELISM, POLICIES, form, together
from reconciler.cli.plan import exit_code
from reconciler.cli.policies import read_policies
from reconciler.cli.report import Look, save_plan, show_plan
from reconciler.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from reconciler.model.restore_request import RestoreRequest
    from reconciler.plan.plan import Plan

GROUP = click.option("--resource-group", default="", help="Where it is made  [default: that of the source].")
ZONE = click.option("--zone", default="", help="Availability zone, as 1, or none  [default: that of the source].")
common = together(
    POLICIES,
    CLOUD,
    CA_FILE,
    OUT,
    click.option("--auto-approve", is_flag=True, help="Do not ask. For pipelines."),
    PARALLELISM,
    LOCK,
    JOURNAL,
    COLOUR,
    form("json"),
)
"""The options that all restores with a plan have."""


@dataclass(frozen=True, slots=True)
class Run:
    """The common options, as they were given; `word` is what must be typed to go on."""

    policies: tuple[Path, ...]
    cloud: str
    ca_file: Path | None
    out: Path | None
    auto_approve: bool
    parallelism: int
    journal: Path | None
    colour: bool | None
    form: str
    lock: str | None = None
    no_lock: bool = False
    lock_timeout: float = 0.0
    word: str = "yes"


def refuse(*complaints: str) -> None:
    """Raises UsageError with everything that is wrong with a command line, at once; nothing where nothing is."""
    found = [complaint for complaint in complaints if complaint]
    if found:
        raise UsageError("; ".join(found), advice="`--help` of this command has the options")


def restore(request: RestoreRequest, run: Run) -> ExitCode:
    """Plan what was asked for, and save it or carry it out."""
    if run.out and run.auto_approve:
        raise UsageError(
            "--out saves the plan for later, --auto-approve carries it out now", advice="leave one of them out"
        )
    if not run.out:
        refuse_unasked(run.form, auto_approve=run.auto_approve)
    return asyncio.run(_carry_out(request, run))


async def _carry_out(request: RestoreRequest, run: Run) -> ExitCode:
    from reconciler.on_request import plan_restore
    from reconciler.workflow import Wishes

    async with connect(run.cloud, run.ca_file) as azure:
        _, declared = read_policies(run.policies, azure.now().date())
        hint(f"Reading what there is to restore from in Azure ({azure.cloud.name}) ...")

        def planning() -> Awaitable[Plan]:
            return plan_restore(azure, declared, request)

        if run.out:
            return _save(await planning(), run, run.out)
        asked = Asked(
            policies=run.policies,
            wishes=Wishes(),
            saved=None,
            auto_approve=run.auto_approve,
            mode=mode_of(run.form),
            colour=wants_colour(run.colour),
            journal=journal_folder(run.journal),
            parallelism=run.parallelism,
            word=run.word,
        )
        wish = Wish.of(run.lock, none=run.no_lock, patience=run.lock_timeout)
        return await carry_out(asked, azure, planning, lock=wish.lock(declared, "restore"))


def _save(plan: Plan, run: Run, out: Path) -> ExitCode:
    show_plan(plan, Look(run.form, run.colour))
    save_plan(plan, out)
    return conclude(exit_code(plan, detailed=False))
