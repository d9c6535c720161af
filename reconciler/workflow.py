"""The whole story in one page: policies and Azure in, a plan out; a plan in, Azure changed.

    policies ── validate ─→ Declared ─┐
    Azure ──── refresh ───→ Live ─────┴─ expand ─→ Desired ─ compare ─→ Plan ─ guard ─→ show │ save │ apply

Nothing here knows a resource kind, prints, or reads the clock of the machine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from reconciler.apply import journal as journals
from reconciler.apply.basis import check_basis
from reconciler.apply.events import Emit
from reconciler.apply.executor import execute
from reconciler.apply.journal import Journal
from reconciler.apply.journal_lines import Header
from reconciler.apply.lanes import Bounds
from reconciler.apply.lock import Holder, hold
from reconciler.apply.preflight import preflight
from reconciler.apply.result import Result
from reconciler.apply.resume import Resumed, resume
from reconciler.apply.run import Run, Stop
from reconciler.desired.expand import Desired, expand
from reconciler.desired.validate import Validation
from reconciler.diff.allowances import Allowances, lift
from reconciler.diff.clock import leave_out_timed
from reconciler.diff.engine import compare, sort_findings
from reconciler.diff.freezing import hold_frozen, tell_freeze
from reconciler.diff.guards import guard
from reconciler.diff.holding import hold_back
from reconciler.diff.limits import keep_within_limits
from reconciler.diff.targets import narrow
from reconciler.kinds.base import Kind, Situation
from reconciler.kinds.registry import asked_kinds, by_name, kinds, operated_kinds
from reconciler.live.refresh import refresh
from reconciler.model.clock_gap import ClockGap
from reconciler.model.document import Declared
from reconciler.model.live import Live
from reconciler.model.operation_request import OperationRequest
from reconciler.model.restore_request import BackupRequest, RestoreRequest
from reconciler.model.snapshot_schedule import ASPECT as SNAPSHOTS
from reconciler.model.snapshot_schedule import DOCUMENT as SCHEDULE
from reconciler.operate.resolve import resolve as undertake
from reconciler.plan.finding import Finding
from reconciler.plan.plan import Plan
from reconciler.restore.resolve import resolve
from reconciler.restore.wish import check_blocked, check_found

if TYPE_CHECKING:
    from reconciler.azure.clients import Azure

BACKUP = "backup"
"""The aspect of a Protection that vaults serve."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the person asked for beside the policies: which addresses, and which guards are lifted."""

    targets: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    allowances: Allowances = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Picture:
    """Both sides as they are now."""

    declared: Declared
    situation: Situation
    desired: Desired
    clock_gap: ClockGap | None = None
    """Where the clock that all this was worked out by is wrong."""


@dataclass(frozen=True, slots=True)
class Machinery:
    """What an apply needs beside the plan: who is told, how to stop, the journal's folder, and who this process is.

    `run` is the id of this apply, `version` that of the program. `waits`: whether long steps are waited for.
    """

    emit: Emit
    stop: Stop
    journal: Path
    holder: Holder
    run: str
    version: str
    bounds: Bounds = field(default_factory=Bounds)
    waits: bool = True


async def look(azure: Azure, declared: Declared) -> Picture:
    """Read the live estate and resolve the policies against it."""
    live = await refresh(azure, declared, kinds())
    desired = expand(declared, live, kinds(), azure.now())
    return Picture(declared, Situation(declared, desired.state, live, azure.now()), desired, azure.clock_gap)


def plan_of(picture: Picture, validation: Validation, wishes: Wishes) -> Plan:
    """Compare, keep to the service's limits, narrow to what was asked for, hold back; let the guards speak. Pure."""
    plan = compare(
        picture.situation,
        kinds(),
        (*validation.carried, *picture.desired.findings),
        assignments=picture.desired.assignments,
        policies=validation.digest,
    )
    known = picture.situation.desired.keys() | picture.situation.live.state.keys()
    plan = narrow(plan, known, wishes.targets, wishes.excludes)
    plan = keep_within_limits(plan, picture.situation, kinds())
    if picture.clock_gap and picture.declared.of(SCHEDULE):
        plan = leave_out_timed(plan, picture.clock_gap)
    plan = hold_back(plan, picture.situation, kinds(), wishes.allowances)
    plan = lift(guard(plan, picture.situation, kinds()), wishes.allowances)
    return tell_freeze(plan, picture.situation, kinds(), wishes.allowances)


def freeze(azure: Azure, declared: Declared, wishes: Wishes, plan: Plan) -> Plan:
    """The plan without what an open freeze window holds back now (guard G108)."""
    return hold_frozen(plan, Situation(declared, {}, Live({}), azure.now()), kinds(), wishes.allowances)


async def make_plan(azure: Azure, validation: Validation, declared: Declared, wishes: Wishes) -> Plan:
    """From policies to a plan, in one go."""
    return plan_of(await look(azure, declared), validation, wishes)


async def plan_restore(azure: Azure, declared: Declared, request: RestoreRequest) -> Plan:
    """What was asked for, as resources → a plan: the same comparison, with everything that is to be made on the desired
    side, and on the live one what is there under those names. What it is made from is on both: the plan rests on it.

    Raises UsageError where what to restore from is not found.
    """
    from_vault = isinstance(request, BackupRequest)
    live = await (look_for_backups if from_vault else look_for_snapshots)(azure, declared)
    wish = await resolve(azure, declared, live, request)
    makers = {kind.name: kind for kind in asked_kinds()}
    looks = (makers[item.address.kind].look(azure, item) for item in wish.resources)
    there = [found for found in await asyncio.gather(*looks) if found]
    rests_on = {item.address: item for item in wish.sources}
    asked_for = {item.address: item for item in wish.resources}
    situation = Situation(
        declared,
        rests_on | asked_for,
        Live(rests_on | {item.address: item for item in there}, live.machines, requests=live.requests),
        azure.now(),
    )
    noted = (finding for found in there for finding in check_found(found, asked_for.get(found.address)))
    findings = (*wish.findings, *noted)
    compared = compare(situation, (*asked_kinds(), *_taking_snapshots()), findings)
    plan = guard(compared, situation, (*asked_kinds(), *_taking_snapshots()))
    told = (finding for finding in plan.findings if finding.topic != "objectives")  # those are drift's matter
    kept = sort_findings((*told, *check_blocked(plan.changes)))
    return msgspec.structs.replace(plan, findings=kept, unchanged=plan.unchanged - len(rests_on), restore=wish.request)


async def plan_operation(azure: Azure, declared: Declared, request: OperationRequest) -> Plan:
    """A drill, a failover or what follows one → a plan. Nothing is compared: Azure says what may be done now.

    Raises UsageError where the plan, the VM or the recovery point is not found.
    """
    live = await refresh(azure, declared, operated_kinds())
    undertaking = await undertake(azure, declared, live, request)
    created = azure.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Plan(created=created, changes=undertaking.changes, findings=sort_findings(undertaking.findings))


async def look_for_snapshots(azure: Azure, declared: Declared) -> Live:
    """The VMs, their disks, and all that these can be restored from; nothing else."""
    return await refresh(azure, declared, _taking_snapshots())


async def look_for_backups(azure: Azure, declared: Declared) -> Live:
    """The VMs, and what the vaults hold of them; nothing else."""
    return await refresh(azure, declared, _serving(BACKUP))


def _taking_snapshots() -> tuple[Kind[Any], ...]:
    return _serving(SNAPSHOTS)


def _serving(aspect: str) -> tuple[Kind[Any], ...]:
    return tuple(kind for kind in kinds() if aspect in (kind.serves, kind.aspect.name if kind.aspect else ""))


@dataclass(frozen=True, slots=True)
class Review:
    """What a person (or a pipeline) decides on before anything is written."""

    plan: Plan
    preflight: tuple[Finding, ...]
    resumed: Resumed


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an apply went. `result` is None where the review said no, or there was nothing to do."""

    review: Review
    result: Result | None


async def apply(
    azure: Azure,
    machinery: Machinery,
    planning: Callable[[], Awaitable[Plan]],
    approve: Callable[[Review], bool],
    saved: Plan | None = None,
    hold_back_now: Callable[[Plan], Plan] = lambda plan: plan,
) -> Outcome:
    """Take up what earlier runs left open, plan, check, ask, and carry the plan out.

    `planning` makes the plan as things are now; a `saved` plan is carried out in its place when it still fits.
    `hold_back_now` takes out what must wait at the time of applying. Raises
    StalePlanError where it does not, and JournalError where another apply runs against the same cloud.
    """
    endpoint = azure.cloud.key
    run = Run(azure, by_name(), machinery.emit, machinery.stop, machinery.bounds, waits=machinery.waits)
    with hold(machinery.journal, endpoint, machinery.holder):
        resumed = await resume(run, journals.open_steps(machinery.journal, endpoint))
        plan = await planning()
        if saved:
            plan = check_basis(saved, plan, journals.begun(machinery.journal, endpoint, saved.digest))
        plan = hold_back_now(plan)
        review = Review(plan, await preflight(azure, plan) if plan.applyable else (), resumed)
        if machinery.stop.asked.is_set() or not approve(review) or not plan.applyable:
            return Outcome(review, None)
        with Journal.create(machinery.journal, _header(azure, machinery, saved or plan)) as journal:
            return Outcome(review, await execute(plan, run, journal, resumed.held))


def _header(azure: Azure, machinery: Machinery, plan: Plan) -> Header:
    return Header(
        at=azure.now(),
        run=machinery.run,
        plan=plan.digest,
        policies=plan.policies,
        endpoint=azure.cloud.key,
        pid=machinery.holder.pid,
        host=machinery.holder.host,
        reconciler=machinery.version,
    )
