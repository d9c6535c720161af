"""The plan: what the diff found, what the guards say of it, and the live values it rests on."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator

import msgspec

from reconciler.model.restore_request import RestoreRequest
from reconciler.plan.change import BY_TIME, Action, Change, Step
from reconciler.plan.finding import Finding, Severity
from reconciler.plan.provenance import Base, LastWrites, Origin, Provenance


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """A guard that refuses this plan. `code` is stable (`G103`); `count` is the number that `--allow CODE=N` must
    reach; `addresses` are the changes it speaks of."""

    code: str
    title: str
    message: str
    count: int
    addresses: tuple[str, ...] = ()
    advice: str = ""


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How many resources of each action, and how many of the estate need nothing."""

    create: int = 0
    update: int = 0
    release: int = 0
    undelete: int = 0
    delete: int = 0
    blocked: int = 0
    deferred: int = 0
    unchanged: int = 0


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Pure data. `created` is UTC, ISO 8601; `basis` is the fingerprint of the live values behind the changes;
    `complete` is False when something could not be read; `deferred` are changes that a service limit puts off to a
    later run, or a guard holds back (G107, G108); `allowed` are the guards that were lifted, as `CODE=N`."""

    created: str
    changes: tuple[Change, ...] = ()
    deferred: tuple[Change, ...] = ()
    findings: tuple[Finding, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    allowed: tuple[str, ...] = ()
    unchanged: int = 0
    basis: str = ""
    complete: bool = True
    policies: str = ""
    """Digest of the policy files it was made from."""
    targets: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    only: str = ""
    """`mine` or `drift`, where the plan was narrowed to changes of that origin; "" for all."""
    unknown: tuple[str, ...] = ()
    """Addresses behind a list that could not be read: nothing is planned for them, and nothing is known of them."""
    machines: int = 0
    """VMs that the selectors looked at."""
    restore: RestoreRequest | None = None
    """What was asked to be restored; None where the policies asked for everything."""
    base: Base | None = None
    """What the origins were told by; None where no base is known."""
    origins: dict[str, Provenance] = {}
    """Address of a change → where it comes from; without what only the clock asks for."""
    last_writes: dict[str, LastWrites] = {}
    """Address of a change that is drift → who wrote to it last; nothing where nobody asked."""

    def __repr__(self) -> str:
        """Short: asyncio spells out the result of the main task when it ends, and that of 40,000 changes takes seconds
        and 200 MiB."""
        return f"<Plan of {self.created}: {len(self.changes):,} changes>"

    @property
    def actionable(self) -> tuple[Change, ...]:
        """The changes that apply would make: those with steps that are not blocked."""
        return tuple(change for change in self.changes if change.action is not Action.BLOCKED and change.steps)

    @property
    def blocked(self) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.action is Action.BLOCKED)

    @property
    def empty(self) -> bool:
        """True when there is nothing to do, now or later, and nothing was refused as impossible."""
        return not self.changes and not self.deferred

    @property
    def due(self) -> tuple[Change, ...]:
        """The changes that only the clock asks for: snapshots to take and to let go."""
        return tuple(change for change in self.changes if change.reason in BY_TIME)

    @property
    def drift(self) -> tuple[Change, ...]:
        """What differs for another reason than the clock, now or put off."""
        return tuple(change for change in (*self.changes, *self.deferred) if change.reason not in BY_TIME)

    def of_origin(self, *origins: Origin) -> tuple[Change, ...]:
        """The changes, now or put off, that come from one of these."""
        told = self.origins
        everything = (*self.changes, *self.deferred)
        return tuple(item for item in everything if item.address in told and told[item.address].origin in origins)

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity is Severity.ERROR)

    @property
    def applyable(self) -> bool:
        """True when apply would start: no errors, no refusals, and something to do."""
        return bool(self.actionable) and not self.errors and not self.refusals

    @property
    def counts(self) -> Counts:
        tally = Counter(change.action for change in self.changes)
        return Counts(
            create=tally[Action.CREATE],
            update=tally[Action.UPDATE],
            release=tally[Action.RELEASE],
            undelete=tally[Action.UNDELETE],
            delete=tally[Action.DELETE],
            blocked=tally[Action.BLOCKED],
            deferred=len(self.deferred),
            unchanged=self.unchanged,
        )

    @property
    def digest(self) -> str:
        """SHA-256 over what would be done and the live values it rests on; the time of planning does not count."""
        body = msgspec.json.encode((self.changes, self.deferred, self.basis, self.policies), order="deterministic")
        return hashlib.sha256(body).hexdigest()

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the live values behind the actionable changes: what `basis` must hold."""
        values: dict[str, str] = {}
        for change in self.actionable:
            values.update(change.basis)
        return hashlib.sha256(msgspec.json.encode(values, order="deterministic")).hexdigest()

    def steps(self) -> Iterator[Step]:
        """Every step that apply would run, change by change."""
        for change in self.actionable:
            yield from change.steps
