"""What the policies said: at the base of a branch, and at the last apply. Told apart from Azure by `diff/origins.py`.

The policies of the last apply are not kept anywhere but in git: the stamp on the vaults names their commit and their
digest, and where the digest is that of a set at hand, no git is needed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from reconciler.desired.expand import expand
from reconciler.desired.git.revision import RevisionError
from reconciler.desired.validate import Validation, validate_files
from reconciler.kinds.base import Kind
from reconciler.model.counting import count
from reconciler.model.document import Declared
from reconciler.model.live import Live, Unreadable
from reconciler.model.resource import State
from reconciler.model.stamp import SHORT, Stamp, spell
from reconciler.plan.finding import Finding, Severity
from reconciler.plan.provenance import Base

if TYPE_CHECKING:
    from reconciler.desired.git.repository import Repository

_ANEW = "apply the policies here: that says anew what is applied"
_NAMED = 3
"""Mistakes of policies that are told where they stand in the way."""


@dataclass(frozen=True, slots=True)
class Policies:
    """A whole set of policies: those here, or those at a commit. `declared` is None where there were none."""

    declared: Declared | None
    validation: Validation

    @property
    def digest(self) -> str:
        return self.validation.digest


@dataclass(frozen=True, slots=True)
class Checkout:
    """The policies here, the git repository around them (None: outside of git), and the base they are held against.

    `head` is the commit that is checked out, `dirty` tells that the policies are not those of it; `ref` and `commit`
    are the base as it was asked for and the commit it came to, `base` the policies there: None where none is asked for,
    or where they are not valid, which `invalid` tells. `findings` say what stood in the way of the base, `trouble` what
    did of the repository.
    """

    here: Policies
    repository: Repository | None = None
    head: str = ""
    dirty: bool = False
    ref: str = ""
    commit: str = ""
    base: Policies | None = None
    invalid: bool = False
    findings: tuple[Finding, ...] = ()
    trouble: RevisionError | None = None

    @property
    def declared(self) -> Declared:
        """What the policies here declare."""
        assert self.here.declared is not None
        return self.here.declared


@dataclass(frozen=True, slots=True)
class Past:
    """The desired states of the base and of the last apply, `base` for the reader. The first two are None where neither
    is known; where one is, it stands for the other."""

    at_base: State | None
    applied: State | None
    base: Base | None
    findings: tuple[Finding, ...] = ()


def read_policies_at(
    repository: Repository, commit: str, today: date, kinds: Sequence[Kind[Any]]
) -> tuple[Policies, str]:
    """The policies of a commit, and where they lay if that was elsewhere. Raises RevisionError where they are not
    there; whether they are valid is told by their `validation`."""
    revision = repository.at(commit)
    validation = validate_files(revision.files, today, kinds)
    return Policies(validation.declared, validation), revision.note


def find_applied(checkout: Checkout, stamp: Stamp, today: date, kinds: Sequence[Kind[Any]]) -> Policies:
    """The policies that were last applied. Raises RevisionError, saying why, where they cannot be had."""
    for known in (checkout.here, checkout.base):
        if known and known.digest == stamp.policies:
            return known
    message = f"the policies that were last applied ({spell(stamp)}) are not known here"
    if stamp.dirty or not stamp.commit:
        why = "they were not as committed" if stamp.commit else "they were in no git repository"
        raise RevisionError(message, why=why, advice="apply from a clean checkout: that says anew what is applied")
    if checkout.trouble:
        raise RevisionError(message, why=checkout.trouble.message, advice=checkout.trouble.advice)
    if checkout.repository is None:
        why = "the policies here are others, and lie in no git repository to look that commit up in"
        raise RevisionError(message, why=why, advice="run it where the repository of the policies is checked out")
    try:
        found, _ = read_policies_at(checkout.repository, stamp.commit, today, kinds)
    except RevisionError as error:
        why = f"{error.message}{f' ({error.why})' if error.why else ''}"
        advice = f"{error.advice}. Where that commit is gone for good (rebased away, or of another repository): {_ANEW}"
        raise RevisionError(message, why=why, advice=advice) from error
    if found.digest != stamp.policies:
        why = "that commit has other policies at these paths than were applied"
        raise RevisionError(message, why=why, advice="name the same --policies as the apply did, or apply anew")
    if found.declared is None and found.validation.files:
        why = f"they are not valid for this version: {mistakes(found.validation)}"
        raise RevisionError(message, why=why, advice=_ANEW)
    return found


def recall(
    checkout: Checkout,
    found: Stamp | Unreadable | None,
    here: State,
    live: Live,
    now: datetime,
    kinds: Sequence[Kind[Any]],
) -> Past:
    """What base and last apply asked of the Azure there is now. Pure but for what is read from git.

    `found` is what the vaults say. Where the last apply is not known, a warning says why and the base stands in for it;
    where there is no base, the last apply does.
    """
    stamp, findings = _as_far_as_read(checkout, found)
    applied: Policies | None = None
    behind: tuple[Finding, ...] = ()
    if stamp:
        try:
            behind = tell_behind(checkout, stamp)
            findings.extend(behind)
            applied = find_applied(checkout, stamp, now.date(), kinds)
        except RevisionError as error:
            findings.append(_unknown(error))
    told = msgspec.structs.replace(describe(checkout, stamp), behind=bool(behind))
    at_base, at_apply = checkout.base or applied, applied or checkout.base
    if at_base is None or at_apply is None or checkout.invalid:
        return Past(None, None, None, tuple(findings))
    states = {checkout.here.digest: here}
    for policies in (at_base, at_apply):
        if policies.digest not in states:
            findings += [told for told in _renamed(policies, checkout.declared) if told not in findings]
            seen = _seen_by(policies, checkout.declared, live)
            states[policies.digest] = expand(policies.declared, seen, kinds, now).state if policies.declared else {}
    return Past(states[at_base.digest], states[at_apply.digest], told, tuple(findings))


def look_back(
    checkout: Checkout, found: Stamp | Unreadable | None, today: date, kinds: Sequence[Kind[Any]]
) -> tuple[Policies, Past]:
    """The policies that drift is measured by: those of the last apply, and those here where nothing tells of one.

    Raises RevisionError where there was one and its policies cannot be had: whatever is not applied yet would look like
    drift.
    """
    stamp, findings = _as_far_as_read(checkout, found)
    if stamp is None:
        return checkout.here, Past(None, None, None, tuple(findings))
    applied = find_applied(checkout, stamp, today, kinds)
    findings += [*tell_behind(checkout, stamp), *tell_unapplied(checkout, stamp)]
    return applied, Past(None, None, describe(checkout, stamp), tuple(findings))


def describe(checkout: Checkout, stamp: Stamp | None) -> Base:
    """What was compared with, for the reader."""
    return Base(
        ref=checkout.ref,
        commit=checkout.commit,
        policies=checkout.base.digest if checkout.base else "",
        applied=stamp.commit if stamp else "",
        applied_at=stamp.at if stamp else None,
        applied_dirty=bool(stamp and stamp.dirty),
        head=checkout.head,
        dirty=checkout.dirty,
    )


def tell_behind(checkout: Checkout, stamp: Stamp) -> tuple[Finding, ...]:
    """A warning where what is checked out lacks the last applied commit. Raises RevisionError."""
    repository = checkout.repository
    if not repository or not checkout.head or not stamp.commit or stamp.policies == checkout.here.digest:
        return ()
    if not repository.behind(stamp.commit):
        return ()
    onto = checkout.ref or "onto the branch that is applied"
    return (
        Finding(
            code="behind",
            severity=Severity.WARNING,
            message=f"{checkout.head[:SHORT]}, which is checked out, lacks {spell(stamp)}: what that brought "
            "is not in these policies, and an apply of them would take it back",
            advice=f"merge or rebase first: git fetch, then git rebase {onto}",
        ),
    )


def tell_unapplied(checkout: Checkout, stamp: Stamp) -> tuple[Finding, ...]:
    """What waits to be applied, for `drift`, which does not compare with it."""
    if stamp.policies == checkout.here.digest:
        return ()
    since = checkout.repository.count_since(stamp.commit) if checkout.repository and stamp.commit else None
    changed = f"{count(since, 'commit')} since then change the policies" if since else "the policies here are others"
    state = " (not committed)" if checkout.dirty else ""
    return (
        Finding(
            code="unapplied",
            severity=Severity.INFO,
            message=f"Azure is compared with {spell(stamp)}; {changed}{state} and are not applied yet",
            advice="`reconciler plan` tells what they would change",
        ),
    )


def _as_far_as_read(checkout: Checkout, found: Stamp | Unreadable | None) -> tuple[Stamp | None, list[Finding]]:
    """The stamp, and what is to be told so far. A list of vaults that failed may hide a stamp: the plan is incomplete
    anyway, and in a git repository the reader is told what that means for the origins."""
    findings = list(checkout.findings)
    if not isinstance(found, Unreadable):
        return found, [*findings, *_doubts(found)]
    if checkout.repository:
        message = f"{found.message}, so what was last applied is not known; what is not applied yet may look like drift"
        finding = Finding(code="applied-unknown", message=message, severity=Severity.WARNING, advice=found.advice)
        findings.append(finding)
    return None, findings


def _doubts(stamp: Stamp | None) -> Iterator[Finding]:
    if stamp and stamp.doubts:
        yield Finding(
            code="stamp-disputed",
            severity=Severity.WARNING,
            message=f"what was last applied is disputed; {spell(stamp)} counts, and {'; '.join(stamp.doubts)}",
            advice="a whole `reconciler apply` writes all stamps anew; who wrote these tags, the Activity Log of the "
            "vaults tells",
        )


def _unknown(error: RevisionError) -> Finding:
    """The last apply is not known: a warning that keeps the way out."""
    why = f": {error.why}" if error.why else ""
    return Finding(
        code="applied-unknown",
        severity=Severity.WARNING,
        message=f"{error.message}{why}; an earlier merge that is not applied yet cannot be told from drift",
        advice=error.advice,
    )


def mistakes(validation: Validation) -> str:
    """The first errors, in one line."""
    errors = [str(finding) for finding in validation.findings if finding.severity is Severity.ERROR]
    more = f"; and {len(errors) - _NAMED} more" if len(errors) > _NAMED else ""
    return "; ".join(errors[:_NAMED]) + more


def _renamed(policies: Policies, here: Declared) -> Iterator[Finding]:
    """A warning where a subscription had another alias then: no address in it is what it was."""
    theirs = policies.declared.subscriptions if policies.declared else {}
    names = {home.lower(): alias for alias, home in theirs.items()}
    for alias, home in here.subscriptions.items():
        earlier = names.get(home.lower(), alias)
        if earlier != alias:
            yield Finding(
                code="renamed-alias",
                severity=Severity.WARNING,
                message=f"the Scope calls subscription {home} {alias} here, and {earlier} in the policies that changes "
                f"are told apart by: whatever changes in {alias} looks like your change, drift too",
                advice="rename an alias in a commit of its own, and apply that first",
            )


def _seen_by(policies: Policies, here: Declared, live: Live) -> Live:
    """Azure as far as the Scope of these policies goes: they select no VMs of subscriptions that it does not name."""
    theirs = policies.declared.subscriptions if policies.declared else {}
    known = {alias for alias, home in here.subscriptions.items() if theirs.get(alias, "").lower() == home.lower()}
    if known == here.subscriptions.keys():
        return live
    return dataclasses.replace(
        live,
        machines=tuple(machine for machine in live.machines if machine.subscription in known),
        state={address: found for address, found in live.state.items() if address.subscription in known},
    )
