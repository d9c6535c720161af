"""`reconciler apply`: change Azure so that it matches the policies."""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import sys
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import click

from reconciler.cli.base import BASE_OF_APPLY, choose_base
from reconciler.cli.checkout import checkout
from reconciler.cli.cloud import CA_FILE, CLOUD, connect
from reconciler.cli.conclusion import conclude_apply
from reconciler.cli.console import conclude, note, wants_colour
from reconciler.cli.happenings import Trouble
from reconciler.cli.interrupts import interrupts
from reconciler.cli.journals import JOURNAL, journal_folder
from reconciler.cli.lock import LOCK, Lock, Wish, locked
from reconciler.cli.options import ALL, ALLOW, COLOUR, EXCLUDE, ONLY, PARALLELISM, POLICIES, TARGET, form, is_written
from reconciler.cli.planning import compare
from reconciler.cli.policies import read_policies, tell
from reconciler.cli.progress import Mode, watch
from reconciler.cli.refusal import refuse
from reconciler.cli.report import Look, show_plan
from reconciler.cli.saved import DIGEST, load_saved
from reconciler.desired.past import Policies
from reconciler.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from reconciler.apply.events import Emit, Event
    from reconciler.azure.clients import Azure
    from reconciler.desired.past import Checkout
    from reconciler.plan.plan import Plan
    from reconciler.workflow import Machinery, Review, Wishes


@dataclass(frozen=True, slots=True)
class Asked:
    """The command line, as far as an apply needs it. `saved` is the plan from a file; `word` is what a person must type
    to go on. `waits`: whether long steps are waited for. `witness` is told of the plan that was approved, and answers
    who is told of its events."""

    policies: tuple[Path, ...]
    wishes: Wishes
    saved: Plan | None
    auto_approve: bool
    mode: Mode
    colour: bool
    journal: Path
    parallelism: int
    command: str = "apply"
    word: str = "yes"
    waits: bool = True
    witness: Callable[[Plan], Emit] | None = None
    base: str | None = None
    lock: Wish | None = None


@click.command("apply")
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@POLICIES
@CLOUD
@CA_FILE
@TARGET
@EXCLUDE
@BASE_OF_APPLY
@ONLY
@ALLOW
@click.option("--auto-approve", is_flag=True, help="Do not ask. For pipelines; guards still refuse.")
@click.option("--no-wait", is_flag=True, help="Leave long steps once Azure has accepted them: the next run goes on.")
@PARALLELISM
@LOCK
@DIGEST
@JOURNAL
@COLOUR
@form("json")
def command(
    file: Path | None,
    digest: str | None,
    policies: tuple[Path, ...],
    cloud: str,
    ca_file: Path | None,
    target: tuple[str, ...],
    exclude: tuple[str, ...],
    base: str | None,
    only: str,
    allow: tuple[str, ...],
    auto_approve: bool,
    no_wait: bool,
    parallelism: int,
    lock: str | None,
    no_lock: bool,
    lock_timeout: float,
    journal: Path | None,
    colour: bool | None,
    form: str,
) -> int:
    """Carry out the plan saved in FILE, or plan now, ask, and carry that out.

    Exit 0 all done (or going on in Azure, with --no-wait), 1 error, 3 refused by a guard, stale plan or another digest,
    4 incomplete: run it again.
    """
    from reconciler.diff.allowances import parse_allowances
    from reconciler.workflow import Wishes

    saved = load_saved(file, digest)
    wishes = Wishes(target, exclude, parse_allowances(allow), "" if only == ALL else only)
    if saved:
        wishes = _as_saved(saved, wishes, based=is_written("base"))
    refuse_unasked(form, auto_approve=auto_approve or bool(saved))
    asked = Asked(
        policies=policies,
        wishes=wishes,
        saved=saved,
        auto_approve=auto_approve,
        mode=mode_of(form),
        colour=wants_colour(colour),
        journal=journal_folder(journal),
        parallelism=parallelism,
        waits=not no_wait,
        base=base,
        lock=Wish.of(lock, none=no_lock, patience=lock_timeout),
    )
    return asyncio.run(_apply(asked, cloud, ca_file))


def _as_saved(saved: Plan, wishes: Wishes, *, based: bool) -> Wishes:
    """Those of the plan, and a freeze that is lifted now. Raises UsageError for what belongs to `plan --out`; `based`
    tells whether --base was written."""
    from reconciler.diff.allowances import parse_allowances
    from reconciler.diff.freezing import CODE as FREEZE
    from reconciler.workflow import Wishes

    if wishes.targets or wishes.excludes or wishes.only or based or wishes.allowances.keys() - {FREEZE}:
        raise UsageError(
            "a saved plan is carried out as it is: --target, --exclude, --base, --only and --allow (but "
            f"{FREEZE}) belong to `plan --out`",
            advice="leave them out, or plan again with them",
        )
    return Wishes(saved.targets, saved.excludes, {**parse_allowances(saved.allowed), **wishes.allowances})


async def _apply(asked: Asked, cloud: str, ca_file: Path | None) -> ExitCode:
    from reconciler.on_request import plan_restore
    from reconciler.workflow import freeze

    async with connect(cloud, ca_file) as azure:
        today = azure.now().date()
        validation, declared = read_policies(asked.policies, today)
        request = asked.saved.restore if asked.saved else None
        chosen = None if asked.saved else choose_base(asked.base, {}, None)

        async def planning() -> Plan:
            if request:
                return await plan_restore(azure, declared, request)
            return (await compare(azure, found, asked.wishes, traced=asked.saved is None)).plan

        def hold_back_now(plan: Plan) -> Plan:
            return plan if request else freeze(azure, declared, asked.wishes, plan)

        with checkout(Policies(declared, validation), asked.policies, chosen, today) as found:
            lock = asked.lock.lock(declared, "restore" if request else "apply") if asked.lock else None
            return await carry_out(asked, azure, planning, hold_back_now, None if request else found, lock)


async def carry_out(
    asked: Asked,
    azure: Azure,
    planning: Callable[[], Awaitable[Plan]],
    hold_back_now: Callable[[Plan], Plan] = lambda plan: plan,
    found: Checkout | None = None,
    lock: Lock | None = None,
) -> ExitCode:
    """Plan, show, ask, apply, and tell how it went; all of it with the lock, where there is one."""
    from reconciler.workflow import apply

    with Screen(asked, azure) as screen:
        machinery = screen.machinery()
        async with locked(lock, azure, machinery) as lease:
            outcome = await apply(
                azure,
                machinery,
                planning,
                lambda review: screen.approve(review) and not lease.lost,
                asked.saved,
                hold_back_now,
                found,
            )
    if screen.declined:
        return conclude(ExitCode.ERROR, "nobody said that it may go on")
    code = conclude_apply(outcome, asked, screen.troubles)
    return conclude(ExitCode.INCOMPLETE, "the lock was lost; run it again") if lease.lost else code


def mode_of(form: str) -> Mode:
    """How events are told: `json` lines, or text for a terminal or a log."""
    return Mode.JSON if form == "json" else Mode.LIVE if sys.stdout.isatty() else Mode.PLAIN


def refuse_unasked(form: str, *, auto_approve: bool, instead: str = "") -> None:
    """Raises UsageError where nobody can be asked for approval. `instead` is the option that gives it beforehand."""
    if not auto_approve and (form == "json" or not sys.stdin.isatty()):
        either = "--auto-approve, or review a plan (`--out plan.json`) and apply that file"
        raise UsageError("nobody can be asked here for approval", advice=f"add {instead or either}")


class Screen:
    """What the person sees and does while an apply goes on: events, the question, Ctrl-C."""

    def __init__(self, asked: Asked, azure: Azure) -> None:
        from reconciler.apply.run import Stop

        self._asked = asked
        self._azure = azure
        self._stop = Stop()
        self._open = contextlib.ExitStack()
        self._emit: Emit | None = None
        self._witness: Emit | None = None
        self.troubles: list[Trouble] = []
        self.declined = False
        """Whether somebody was asked and did not say that it may go on."""

    def __enter__(self) -> Self:
        from importlib.metadata import version

        from reconciler.apply.events import Version

        self._begin(Mode.JSON if self._asked.mode is Mode.JSON else Mode.PLAIN)
        if self._asked.mode is Mode.JSON:
            self._tell(Version(at=self._azure.now(), reconciler=version("reconciler")))
        return self

    def __exit__(self, *exc: object) -> None:
        self._open.close()

    def machinery(self) -> Machinery:
        """What the workflow needs of this process."""
        from importlib.metadata import version

        from reconciler.apply.lanes import Bounds
        from reconciler.apply.lock import Holder
        from reconciler.workflow import Machinery

        run = uuid.uuid4().hex[:12]
        holder = Holder(pid=os.getpid(), host=platform.node(), since=self._azure.now(), run=run)
        return Machinery(
            emit=self._tell,
            stop=self._stop,
            journal=self._asked.journal,
            holder=holder,
            run=run,
            version=version("reconciler"),
            bounds=Bounds(overall=self._asked.parallelism),
            waits=self._asked.waits,
        )

    def approve(self, review: Review) -> bool:
        """Show the plan, refuse what must be refused, ask. Raises the refusals of `reconciler.errors`."""
        self._open.close()
        plan = review.plan
        if self._asked.mode is not Mode.JSON:
            show_plan(plan, Look(colour=self._asked.colour))
            if review.preflight:
                tell(review.preflight)
        refuse(review)
        if not plan.applyable:
            return False
        if not self._asked.saved and not self._asked.auto_approve:
            note(f"\nOnly {self._asked.word!r} goes on.")
            if click.prompt("Apply", default="no", show_default=False, err=True) != self._asked.word:
                note("Nothing was changed.")
                self.declined = True
                return False
        if self._asked.witness:
            self._witness = self._asked.witness(plan)
        self._begin(self._asked.mode)
        return True

    def _begin(self, mode: Mode) -> None:
        self._open = contextlib.ExitStack()
        self._open.enter_context(interrupts(self._stop.request))
        self._emit = self._open.enter_context(watch(mode, now=self._azure.now))

    def _tell(self, event: Event) -> None:
        if isinstance(event, Trouble):
            self.troubles.append(event)
        for listener in (self._emit, self._witness):
            if listener:
                listener(event)
