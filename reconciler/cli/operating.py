"""What drill, failover, commit, reprotect and failback have in common: the plan first, its name typed, a record."""

from __future__ import annotations

import asyncio
import getpass
import platform
from collections.abc import Awaitable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.apply import Asked, carry_out, mode_of, refuse_unasked
from reconciler.cli.cloud import CA_FILE, CLOUD, connect
from reconciler.cli.console import hint, note, wants_colour
from reconciler.cli.journals import JOURNAL, journal_folder
from reconciler.cli.options import COLOUR, POLICIES, form, together
from reconciler.cli.policies import read_policies
from reconciler.cli.progress import Mode
from reconciler.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from reconciler.apply.events import Emit
    from reconciler.apply.record import Scribe
    from reconciler.azure.clients import Azure
    from reconciler.model.operation_request import OperationRequest
    from reconciler.plan.plan import Plan

operating = together(
    click.argument("target", metavar="PLAN|VM"),
    POLICIES,
    CLOUD,
    CA_FILE,
    click.option("--confirm", default="", metavar="NAME", help="Type the name of PLAN or VM here: for pipelines."),
    click.option(
        "--record",
        type=click.Path(path_type=Path, dir_okay=False),
        help="File for the record of what happened, as JSON  [default: beside the journal].",
    ),
    JOURNAL,
    COLOUR,
    form("json"),
)
"""The argument and the options that all of these commands have."""
POINT = click.option(
    "--recovery-point",
    "point",
    default="latest",
    show_default=True,
    metavar="POINT",
    help="latest, latest-processed, latest-app-consistent; of a VM also a time (ISO 8601, UTC) or a point's name.",
)


@dataclass(frozen=True, slots=True)
class Run:
    """The common options, as they were given. `waits`: whether long steps are waited for."""

    policies: tuple[Path, ...]
    cloud: str
    ca_file: Path | None
    confirm: str
    record: Path | None
    journal: Path | None
    colour: bool | None
    form: str
    waits: bool = True


def undertake(request: OperationRequest, run: Run) -> ExitCode:
    """Plan, show, have the name typed, carry out, and leave a record."""
    name = request.target.rstrip("/").rpartition("/")[2]
    if run.confirm and run.confirm != name:
        raise UsageError(
            f"--confirm {run.confirm} is not what {request.verb} was asked for: {name}",
            advice=f"write --confirm {name}, if that is what you mean",
        )
    if not run.confirm:
        refuse_unasked(run.form, auto_approve=False, instead=f"--confirm {name}")
    return asyncio.run(_carry_out(request, run, name))


async def _carry_out(request: OperationRequest, run: Run, name: str) -> ExitCode:
    from reconciler.on_request import plan_operation
    from reconciler.workflow import Wishes

    async with connect(run.cloud, run.ca_file) as azure:
        _, declared = read_policies(run.policies, azure.now().date())
        hint(f"Reading what is replicated in Azure ({azure.cloud.name}) ...")

        def planning() -> Awaitable[Plan]:
            return plan_operation(azure, declared, request)

        secretary = Secretary(request, run, name, azure)
        asked = Asked(
            policies=run.policies,
            wishes=Wishes(),
            saved=None,
            auto_approve=bool(run.confirm),
            mode=mode_of(run.form),
            colour=wants_colour(run.colour),
            journal=journal_folder(run.journal),
            parallelism=16,
            command="drill" if request.verb == "cleanup" else request.verb,
            word=name,
            waits=run.waits,
            witness=secretary.begin,
        )
        try:
            code = await carry_out(asked, azure, planning)
        finally:
            secretary.end()
        if code is ExitCode.OK and secretary.succeeded and asked.mode is not Mode.JSON:
            _tell_next(request)
        return code


def _tell_next(request: OperationRequest) -> None:
    from reconciler.operate.next_steps import next_steps

    for line in next_steps(request):
        note(line)


class Secretary:
    """Keeps the record: a first one when the operation begins, which a killed process leaves, and the whole at its
    end."""

    def __init__(self, request: OperationRequest, run: Run, name: str, azure: Azure) -> None:
        self._request, self._azure = request, azure
        stamp = f"{azure.now():%Y%m%dT%H%M%SZ}-{request.verb}-{name}.json"
        self._path = run.record or journal_folder(run.journal) / "records" / stamp
        self._scribe: Scribe | None = None

    @property
    def succeeded(self) -> bool:
        return self._scribe is not None and self._scribe.record().outcome == "succeeded"

    def begin(self, plan: Plan) -> Emit:
        """Raises JournalError, with nothing begun, where the record cannot be written."""
        from reconciler.apply.record import Origin, Scribe, save

        self._scribe = Scribe(Origin(self._request, f"{getpass.getuser()}@{platform.node()}"), plan, self._azure.now())
        save(self._scribe.record(), self._path)
        return self._scribe.take

    def end(self) -> None:
        """The whole record, where it came to that."""
        from reconciler.apply.record import save

        if self._scribe is not None:
            save(self._scribe.record(), self._path)
            note(f"Record:         {self._path}")
