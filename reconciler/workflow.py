"""The whole story in one page: policies and Azure in, a plan out; a plan in, Azure changed.

    policies ── validate ─→ Declared ─┐
    Azure ──── refresh ───→ Live ─────┴─ expand ─→ Desired ─ compare ─→ Plan ─ guard ─→ show │ save │ apply

Restores and operations begin in `on_request.py` and go on here. Nothing here knows a resource kind, prints, or reads
the clock of the machine.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from reconciler.apply import journal as journals
from reconciler.apply.basis import check_basis
from reconciler.apply.completion import brings_everything
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
from reconciler.desired.past import Checkout, Past, look_back, recall
from reconciler.desired.validate import Validation
from reconciler.diff.allowances import Allowances, lift
from reconciler.diff.clock import leave_out_timed
from reconciler.diff.engine import compare, sort_findings
from reconciler.diff.freezing import hold_frozen, tell_freeze
from reconciler.diff.guards import guard
from reconciler.diff.holding import hold_back
from reconciler.diff.limits import keep_within_limits
from reconciler.diff.origins import Sides, keep_only, trace
from reconciler.diff.targets import narrow
from reconciler.kinds.base import Situation
from reconciler.kinds.registry import by_name, kinds
from reconciler.kinds.stamp import Stamping, read_stamp, write_stamp
from reconciler.live.refresh import refresh
from reconciler.model.clock_gap import ClockGap
from reconciler.model.document import Declared
from reconciler.model.live import Live
from reconciler.model.snapshot_schedule import DOCUMENT as SCHEDULE
from reconciler.model.stamp import Stamp
from reconciler.plan.finding import Finding
from reconciler.plan.plan import Plan

if TYPE_CHECKING:
    from reconciler.azure.clients import Azure


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the person asked for beside the policies: which addresses, which guards are lifted, and changes of which
    origin (`mine`, `drift`; "" for all)."""

    targets: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    allowances: Allowances = field(default_factory=dict)
    only: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """Both sides as they are now."""

    declared: Declared
    situation: Situation
    desired: Desired
    clock_gap: ClockGap | None = None
    """Where the clock that all this was worked out by is wrong."""
    past: Past | None = None
    """What the base and the last apply asked for; None where nobody looked."""


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


async def look_with_past(azure: Azure, checkout: Checkout) -> Picture:
    """The same, and what the policies of the base and of the last apply ask of that very estate."""
    picture = await look(azure, checkout.declared)
    stamp = await read_stamp(azure, checkout.declared)
    past = recall(checkout, stamp, picture.desired.state, picture.situation.live, azure.now(), kinds())
    return replace(picture, past=past)


async def look_for_drift(azure: Azure, checkout: Checkout) -> tuple[Picture, Validation]:
    """Both sides for `drift`: Azure, and the policies that were last applied, or those here where nothing tells.

    Raises RevisionError where the policies that were applied cannot be had.
    """
    stamp = await read_stamp(azure, checkout.declared)
    applied, past = look_back(checkout, stamp, azure.now().date(), kinds())
    picture = await look(azure, applied.declared or checkout.declared)
    return replace(picture, past=past), applied.validation


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
    plan = keep_only(_tell_apart(plan, picture), wishes.only)
    plan = keep_within_limits(plan, picture.situation, kinds())
    if picture.clock_gap and picture.declared.of(SCHEDULE):
        plan = leave_out_timed(plan, picture.clock_gap)
    plan = hold_back(plan, picture.situation, kinds(), wishes.allowances)
    plan = lift(guard(plan, picture.situation, kinds()), wishes.allowances)
    return tell_freeze(plan, _timed(picture.situation, picture.clock_gap), kinds(), wishes.allowances)


def _tell_apart(plan: Plan, picture: Picture) -> Plan:
    """The plan with the origin of each change, as far as the past is known."""
    past, situation = picture.past, picture.situation
    if past is None:
        return plan
    plan = msgspec.structs.replace(plan, base=past.base, findings=sort_findings((*plan.findings, *past.findings)))
    if past.base is None or past.at_base is None or past.applied is None:
        return plan
    return trace(plan, Sides(situation.desired, past.at_base, past.applied, situation.live.state, past.base), kinds())


def freeze(azure: Azure, declared: Declared, wishes: Wishes, plan: Plan) -> Plan:
    """The plan without what an open freeze window holds back now (guard G108)."""
    situation = _timed(Situation(declared, {}, Live({}), azure.now()), azure.clock_gap)
    return hold_frozen(plan, situation, kinds(), wishes.allowances)


def _timed(situation: Situation, gap: ClockGap | None) -> Situation:
    """As it is by Azure's clock, where that of this machine is wrong: no window opens or closes by a wrong one."""
    return replace(situation, now=gap.corrected(situation.now)) if gap else situation


async def make_plan(azure: Azure, validation: Validation, declared: Declared, wishes: Wishes) -> Plan:
    """From policies to a plan, in one go."""
    return plan_of(await look(azure, declared), validation, wishes)


@dataclass(frozen=True, slots=True)
class Review:
    """What a person (or a pipeline) decides on before anything is written."""

    plan: Plan
    preflight: tuple[Finding, ...]
    resumed: Resumed


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an apply went. `result` is None where the review said no, or there was nothing to do; `stamping` tells where
    it was written what is applied now, and where it could not be."""

    review: Review
    result: Result | None
    stamping: Stamping = field(default_factory=Stamping)


async def apply(
    azure: Azure,
    machinery: Machinery,
    planning: Callable[[], Awaitable[Plan]],
    approve: Callable[[Review], bool],
    saved: Plan | None = None,
    hold_back_now: Callable[[Plan], Plan] = lambda plan: plan,
    checkout: Checkout | None = None,
) -> Outcome:
    """Take up what earlier runs left open, plan, check, ask, carry the plan out, and stamp what is applied then.

    `planning` makes the plan as things are now; a `saved` plan is carried out in its place when it still fits. Raises
    StalePlanError where it does not, and JournalError where another apply runs against the same cloud.
    `hold_back_now` takes out what must wait at the time of applying; `checkout` is what a plan of the policies came
    from, None where it came from something else.
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
            return Outcome(review, None, await _stamp(azure, machinery.stop, checkout, review, None))
        with Journal.create(machinery.journal, _header(azure, machinery, saved or plan)) as journal:
            result = await execute(plan, run, journal, resumed.held)
        return Outcome(review, result, await _stamp(azure, machinery.stop, checkout, review, result))


async def _stamp(
    azure: Azure, stop: Stop, checkout: Checkout | None, review: Review, result: Result | None
) -> Stamping:
    """Say on the vaults what is applied now, where all of it is.

    Outside of git nothing is begun, but what a vault says must not become a lie. Whoever has been asked to stop, as by
    a lock that was lost, writes nothing more: another apply may have.
    """
    earlier = review.resumed.in_doubt or review.resumed.going_on
    if checkout is None or earlier or stop.asked.is_set() or not brings_everything(review.plan, result):
        return Stamping()
    if checkout.repository is None and not isinstance(await read_stamp(azure, checkout.declared), Stamp):
        return Stamping()
    stamp = Stamp(commit=checkout.head, policies=checkout.here.digest, at=azure.now(), dirty=checkout.dirty)
    return await write_stamp(azure, checkout.declared, stamp)


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
