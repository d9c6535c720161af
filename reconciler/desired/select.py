"""Selectors and VMs → who gets what from whom: overlaps, exemptions, empty matches, VMs that nobody covers."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, groupby
from typing import Any

import msgspec

from reconciler.desired.references import EXPIRED, check_expiry
from reconciler.desired.roster import Positions, Roster
from reconciler.kinds.base import Assignment
from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.document import Declared, Document, Path
from reconciler.model.live import Live
from reconciler.model.machine import Machine
from reconciler.model.protection import Exemption, Protection
from reconciler.model.scope import Objectives
from reconciler.model.selector import Selector
from reconciler.plan.finding import Finding, Severity

_NAMED = 3
"""How many VMs a finding names before it only counts them."""


@dataclass(frozen=True, slots=True)
class Selection:
    """`assignments` by aspect and then VM; `uncovered` are the VMs that no Protection and no Exemption names.

    Where an overlap is an error, the assignment is that of the first Protection: the plan shows something stable, and
    the error keeps it from being applied.
    """

    assignments: tuple[Assignment, ...]
    uncovered: tuple[Machine, ...]
    findings: tuple[Finding, ...]


def select(declared: Declared, live: Live, aspects: Sequence[str], now: dt.datetime) -> Selection:
    """Resolve every selector over the VMs there are. An exemption that ran out before `now` (UTC) excuses nobody."""
    roster = Roster(live.selectable)
    protections = _by_place(declared.of("Protection", Protection).values())
    exemptions = _by_place(declared.of("Exemption", Exemption).values())
    matches = {id(document): roster.select(document.value.select) for document in (*protections, *exemptions)}
    findings = list(_unmatched([*protections, *exemptions], matches, declared, live))
    covered = frozenset().union(*(matches[id(item)] for item in protections))
    findings.extend(_ends(declared, now.date(), matches, covered, roster))

    excused: dict[str, Positions] = {}
    for aspect in aspects:
        holding = [item for item in exemptions if item.value.until >= now.date() and excuses(item.value, aspect)]
        excused[aspect] = frozenset().union(*(matches[id(item)] for item in holding))

    assignments: list[Assignment] = []
    for aspect in aspects:
        givers = [item for item in protections if aspect in item.value.aspects]
        winners, tied = _contest(givers, matches, excused[aspect])
        assignments.extend(_assignments(aspect, winners, declared, roster))
        findings.extend(_overlap(aspect, tie, roster) for tie in tied.values())

    named = covered.union(*excused.values())
    uncovered = tuple(roster.machines[position] for position in sorted(roster.everyone - named))
    findings.extend(_uncovered(machine) for machine in uncovered)
    return Selection(tuple(assignments), uncovered, tuple(findings))


def excuses(exemption: Exemption, aspect: str) -> bool:
    """True where the exemption speaks of this aspect: all of them, where it names none."""
    return exemption.from_ is None or aspect in exemption.from_


def effective(objectives: Objectives | None, defaults: Objectives) -> Objectives:
    """The objectives of a Protection, those of the Scope where it says nothing."""
    if objectives is None:
        return defaults
    names = Objectives.__struct_fields__
    return Objectives(**{name: getattr(objectives, name) or getattr(defaults, name) for name in names})


def _by_place(documents: Iterable[Document[Any]]) -> list[Document[Any]]:
    return sorted(documents, key=lambda document: document.source)


_Tie = tuple[Document[Protection], Document[Protection], list[int]]
_Tied = dict[tuple[str, str], _Tie]


def _contest(
    givers: Sequence[Document[Protection]], matches: dict[int, Positions], excused: Positions
) -> tuple[dict[int, Document[Protection]], _Tied]:
    """Position → the Protection that wins it, and the pairs that tie with the VMs that both want."""
    winners: dict[int, Document[Protection]] = {}
    tied: _Tied = {}
    ranked = sorted(givers, key=lambda document: -document.value.priority)
    for _, peers in groupby(ranked, key=lambda document: document.value.priority):
        wanting: dict[int, list[Document[Protection]]] = defaultdict(list)
        for document in peers:
            for position in matches[id(document)] - excused - winners.keys():
                wanting[position].append(document)
        for position, documents in wanting.items():
            winners[position] = documents[0]
            for first, second in combinations(documents, 2):
                pair = tied.setdefault((first.name, second.name), (first, second, []))
                pair[2].append(position)
    return winners, tied


def _assignments(
    aspect: str, winners: dict[int, Document[Protection]], declared: Declared, roster: Roster
) -> Iterator[Assignment]:
    defaults = declared.scope.value.defaults.objectives
    shared = {
        id(document): (
            document.value.aspects[aspect],
            document.at(aspect),
            effective(document.value.objectives, defaults),
        )
        for document in winners.values()
    }
    for position in sorted(winners):
        document = winners[position]
        value, source, objectives = shared[id(document)]
        yield Assignment(roster.machines[position], aspect, value, document, source, objectives)


def _overlap(aspect: str, tie: _Tie, roster: Roster) -> Finding:
    first, second, positions = tie
    named = _name(roster.machines[position] for position in sorted(positions))
    return Finding(
        code="overlap",
        message=f"protections `{first.name}` and `{second.name}` both give `{aspect}` to {named}",
        advice=f"narrow one selector, or give one a higher `priority`; the other is at {second.at(aspect)}",
        source=first.at(aspect),
        also=(second.at(aspect),),
    )


def _unmatched(
    documents: Sequence[Document[Any]], matches: dict[int, Positions], declared: Declared, live: Live
) -> Iterator[Finding]:
    """Selectors without a VM; where VMs of a subscription could not be read, nobody can tell."""
    unread = frozenset(live.unread_machines(declared.subscriptions))
    known = frozenset(machine.arm_id for machine in live.machines)
    for document in documents:
        if matches[id(document)] or document.value.allow_empty:
            yield from _missing(document.value.select, ("select",), document, known, unread, declared)
            continue
        what = f"{document.kind.lower()} `{document.name}`"
        hidden = sorted(unread & _reach(document.value.select, declared))
        if hidden:
            yield Finding(
                code="cannot-tell",
                message=f"cannot tell whether {what} matches a VM: those of {', '.join(hidden)} could not be read",
                severity=Severity.WARNING,
                advice="see why they could not be read; nothing is released on this ground",
                source=document.at("select"),
            )
            continue
        yield Finding(
            code="no-match",
            message=f"{what} matches none of {len(live.machines)} VMs",
            advice="correct the selector, or write allowEmpty: true where that is right; explain VM tells why not",
            source=document.at("select"),
        )


def _missing(
    selector: Selector,
    path: Path,
    document: Document[Any],
    known: frozenset[ArmId],
    unread: frozenset[str],
    declared: Declared,
) -> Iterator[Finding]:
    """Ids that name no VM, in a selector that matches others: a typing mistake, or a VM that was deleted."""
    for index, text in enumerate(selector.ids or ()):
        arm_id = ArmId(text)
        if arm_id not in known and declared.alias(arm_id.subscription) not in unread:
            yield Finding(
                code="no-vm",
                message=f"there is no VM {text}",
                severity=Severity.WARNING,
                advice="correct the id, or remove it if the VM was deleted",
                source=document.at(*path, "ids", index),
            )
    for key in ("all", "any"):
        for index, part in enumerate(getattr(selector, key) or ()):
            yield from _missing(part, (*path, key, index), document, known, unread, declared)


def _reach(selector: Selector, declared: Declared) -> frozenset[str]:
    """The subscriptions in which the selector could match at all."""
    reach = frozenset(declared.subscriptions)
    if selector.subscriptions is not None:
        reach &= frozenset(selector.subscriptions)
    if selector.ids is not None:
        reach &= frozenset(declared.alias(ArmId(text).subscription) or "" for text in selector.ids)
    for part in selector.all or ():
        reach &= _reach(part, declared)
    if selector.any is not None:
        reach &= frozenset().union(*(_reach(part, declared) for part in selector.any))
    return reach


def _ends(
    declared: Declared, today: dt.date, matches: dict[int, Positions], covered: Positions, roster: Roster
) -> Iterator[Finding]:
    """What `validate` says of exemptions that ran out or are about to, now with the VMs that they excuse no longer, or
    soon, and what becomes of these."""
    written = {document.at("until"): document for document in declared.of("Exemption", Exemption).values()}
    for finding in check_expiry(declared, today):
        assert finding.source is not None
        positions = matches[id(written[finding.source])]
        named = _name(roster.machines[position] for position in sorted(positions))
        if finding.code == EXPIRED:
            more = f"it no longer excuses {named}"
        else:
            more = f"it excuses {named}{_afterwards(len(positions & covered), len(positions - covered))}"
        yield msgspec.structs.replace(finding, message=f"{finding.message.rstrip('.')}; {more}")


def _afterwards(given: int, bare: int) -> str:
    """What becomes of VMs that are excused no longer."""
    protected = f"{given} {'gets' if given == 1 else 'get'} what a Protection says" if given else ""
    uncovered = f"{bare} {'is' if bare == 1 else 'are'} covered by nothing" if bare else ""
    fate = " and ".join(filter(None, (protected, uncovered)))
    return f"; then {fate}" if fate else ""


def _uncovered(machine: Machine) -> Finding:
    return Finding(
        code="uncovered",
        message="no Protection and no Exemption names this VM",
        severity=Severity.WARNING,
        advice="add it to a Protection, or to an Exemption with a reason",
        address=str(Address("virtual_machine", machine.scope, machine.name)),
    )


def _name(machines: Iterable[Machine]) -> str:
    """Some VMs by name and the rest by number: `3 VMs: prod/rg/a, prod/rg/b, prod/rg/c`."""
    names = [f"{machine.scope}/{machine.name}" for machine in machines]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    noun = "VM" if len(names) == 1 else "VMs"
    return f"{len(names)} {noun}: {', '.join(names[:_NAMED])}{more}" if names else "any VM"
