"""Why one VM is protected as it is: every selector on it, who decided, and the line that each value came from."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from reconciler.desired.expand import Desired
from reconciler.desired.roster import Roster
from reconciler.desired.select import excuses
from reconciler.kinds.base import Assignment, Kind
from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.casing import fold
from reconciler.model.document import Declared, Document, Path
from reconciler.model.explanation import Candidate, Condition, Decision, Explanation, Setting
from reconciler.model.live import Live
from reconciler.model.machine import Machine
from reconciler.model.protection import Exemption, Protection
from reconciler.model.replicated import ReplicationFacts
from reconciler.model.resource import Resource
from reconciler.model.selector import Selector
from reconciler.plan.finding import Finding


def find_machines(machines: Sequence[Machine], text: str) -> tuple[Machine, ...]:
    """The VMs that `text` may mean: an ARM id, `alias/group/name`, `group/name` or a name, in any casing."""
    wanted = text.casefold().strip("/")
    if wanted.startswith("subscriptions/"):
        return tuple(machine for machine in machines if machine.arm_id == ArmId(text))
    suffix = "/" + wanted
    return tuple(item for item in machines if f"/{item.scope}/{item.name}".casefold().endswith(suffix))


def explain(
    machine: Machine,
    declared: Declared,
    desired: Desired,
    kinds: Sequence[Kind[Any]],
    now: dt.datetime,
    live: Live | None = None,
) -> Explanation:
    """Everything that the policies say of one VM, and what `live` says of it. Pure; `desired` is what `expand` made."""
    return next(explain_all((machine,), declared, desired, kinds, now, live))


def explain_all(
    machines: Iterable[Machine],
    declared: Declared,
    desired: Desired,
    kinds: Sequence[Kind[Any]],
    now: dt.datetime,
    live: Live | None = None,
) -> Iterator[Explanation]:
    """The same of many VMs, in their order: what is declared and live is gone through once. `now` is aware UTC."""
    known = _Known.of(declared, desired, live)
    describe = cache(_Describe(desired, kinds))
    aspects = [kind.aspect.name for kind in kinds if kind.aspect]
    today = now.date()
    for machine in machines:
        alone = Roster([machine])
        given = known.given.get(machine.arm_id, {})
        nothing = "uncovered" if machine.arm_id in known.uncovered else "none"
        own = known.own.get((fold(machine.scope), fold(machine.name)), ())
        yield Explanation(
            machine=machine,
            candidates=(
                *(_weigh(item, alone) for item in known.protections),
                *(_excuse(item, alone, today) for item in known.exemptions),
            ),
            decisions=tuple(_decide(aspect, given.get(aspect), nothing, alone, known, today) for aspect in aspects),
            settings=(*_settings(own, describe), *_assigned(given, declared, kinds)),
            remarks=(*known.copies.get(machine.arm_id, ()), *_found(own, known)),
        )


@dataclass(frozen=True, slots=True)
class _Known:
    """Both sides, indexed. `own` are the resources of a VM by its scope and name, `found` the findings by address."""

    protections: tuple[Document[Protection], ...]
    exemptions: tuple[Document[Exemption], ...]
    given: Mapping[ArmId, Mapping[str, Assignment]]
    uncovered: frozenset[ArmId]
    own: Mapping[tuple[str, str], Sequence[Resource]]
    copies: Mapping[ArmId, Sequence[str]]
    found: Mapping[str, Sequence[Finding]]

    @classmethod
    def of(cls, declared: Declared, desired: Desired, live: Live | None) -> _Known:
        given: dict[ArmId, dict[str, Assignment]] = defaultdict(dict)
        for assignment in desired.assignments:
            given[assignment.machine.arm_id][assignment.aspect] = assignment
        own: dict[tuple[str, str], list[Resource]] = defaultdict(list)
        for resource in desired.state.values():
            own[resource.address.key[1:]].append(resource)
        copies: dict[ArmId, list[str]] = defaultdict(list)
        for made, told in _copied(live):
            copies[made].append(told)
        found: dict[str, list[Finding]] = defaultdict(list)
        for finding in desired.findings:
            found[finding.address].append(finding)
        return cls(
            protections=tuple(sorted(declared.of("Protection", Protection).values(), key=lambda item: item.source)),
            exemptions=tuple(sorted(declared.of("Exemption", Exemption).values(), key=lambda item: item.source)),
            given=given,
            uncovered=frozenset(machine.arm_id for machine in desired.uncovered),
            own=own,
            copies=copies,
            found=found,
        )


def _copied(live: Live | None) -> Iterator[tuple[ArmId, str]]:
    """The copies that failovers and drills made: Azure gives them the tags, and so the selectors match them, too."""
    for address, resource in live.state.items() if live else ():
        if isinstance(resource.observed, ReplicationFacts):
            of = f"{address.scope}/{address.name}"
            for made in resource.observed.copies:
                yield made, f"made by a failover or a drill of {of}: what is said of that VM holds"


def _found(own: Sequence[Resource], known: _Known) -> Iterator[str]:
    """What was found of the VM's own resources."""
    for resource in own:
        for finding in known.found.get(str(resource.address), ()):
            yield finding.message + (f" → {finding.advice}" if finding.advice else "")


def _weigh(document: Document[Protection], alone: Roster) -> Candidate:
    priority = document.value.priority
    return Candidate(
        kind="Protection",
        name=document.name,
        source=document.source,
        matched=_meets(document.value.select, alone),
        conditions=tuple(_conditions(document.value.select, ("select",), document, alone)),
        aspects=tuple(document.value.aspects),
        note=f"priority {priority}" if priority else "",
    )


def _excuse(document: Document[Exemption], alone: Roster, today: dt.date) -> Candidate:
    value = document.value
    ends = f"ran out on {value.until}" if value.until < today else f"until {value.until}"
    return Candidate(
        kind="Exemption",
        name=document.name,
        source=document.source,
        matched=_meets(value.select, alone),
        conditions=tuple(_conditions(value.select, ("select",), document, alone)),
        aspects=value.from_ or (),
        note=f"{ends}: {value.reason}",
    )


def _meets(selector: Selector, alone: Roster) -> bool:
    """The verdict of the very code that plans use, on a roster of one."""
    return bool(alone.select(selector))


def _conditions(selector: Selector, path: Path, document: Document[Any], alone: Roster) -> Iterator[Condition]:
    for key, only in selector.given():
        met = _meets(only, alone)
        here = (*path, key)
        if key in ("all", "any"):
            parts = tuple(
                _part(str(index + 1), part, (*here, index), document, alone)
                for index, part in enumerate(getattr(only, key))
            )
            yield Condition(key, "", "", met, document.at(*here), parts)
        elif key == "not":
            assert only.not_ is not None
            yield Condition(key, "", "", met, document.at(*here), tuple(_conditions(only.not_, here, document, alone)))
        elif key == "tags":
            yield from _tags(only, here, document, alone)
        else:
            wanted = getattr(only, "resource_groups" if key == "resourceGroups" else key)
            yield Condition(key, _join(wanted), _actual(key, alone.machines[0]), met, document.at(*here))


def _part(key: str, selector: Selector, path: Path, document: Document[Any], alone: Roster) -> Condition:
    """One of the selectors inside `all` or `any`, by its number."""
    inner = tuple(_conditions(selector, path, document, alone))
    return Condition(key, "", "", _meets(selector, alone), document.at(*path), inner)


def _tags(selector: Selector, path: Path, document: Document[Any], alone: Roster) -> Iterator[Condition]:
    present = {name.casefold(): value for name, value in alone.machines[0].tags.items()}
    for name, wanted in (selector.tags or {}).items():
        only = Selector(tags={name: wanted})
        actual = present.get(name.casefold())
        yield Condition(
            key=f"tags.{name}",
            wanted=_join((wanted,) if isinstance(wanted, str) else wanted),
            actual="no such tag" if actual is None else actual,
            met=_meets(only, alone),
            source=document.at(*path, name),
        )


def _actual(key: str, machine: Machine) -> str:
    return {
        "ids": str(machine.arm_id),
        "names": machine.name,
        "resourceGroups": machine.resource_group,
        "subscriptions": machine.subscription,
        "locations": machine.location,
        "os": machine.os_type.value,
    }[key]


def _join(values: Sequence[str]) -> str:
    return " or ".join(values)


def _decide(
    aspect: str, given: Assignment | None, nothing: str, alone: Roster, known: _Known, today: dt.date
) -> Decision:
    """Who gives the VM this aspect, or excuses it; `nothing` is the outcome where nobody does."""
    excusing = [
        item
        for item in known.exemptions
        if item.value.until >= today and excuses(item.value, aspect) and _meets(item.value.select, alone)
    ]
    if excusing:
        first = excusing[0]
        why = f"exemption `{first.name}` excuses it until {first.value.until}"
        return Decision(aspect, "exempt", why, first.name, first.source)
    if given is None:
        return Decision(aspect, nothing, f"no Protection that matches gives {aspect}")
    others = [
        item
        for item in known.protections
        if item is not given.protection and aspect in item.value.aspects and _meets(item.value.select, alone)
    ]
    winner = given.protection
    equal = [item for item in others if item.value.priority == winner.value.priority]
    named = ", ".join(f"`{item.name}` ({item.value.priority})" for item in equal or others)
    if equal:
        why = f"`{winner.name}` and {named} have the same priority"
        return Decision(aspect, "unclear", why, winner.name, given.source)
    if others:
        why = f"`{winner.name}` has priority {winner.value.priority}, above {named}"
    else:
        why = f"`{winner.name}` is the only Protection that matches and gives {aspect}"
    return Decision(aspect, "protected", why, winner.name, given.source)


def _settings(own: Sequence[Resource], describe: Callable[[Address], _Described]) -> Iterator[Setting]:
    """The values of the VM's own resources, then those of what they refer to, each resource once."""
    queue = deque(item.address for item in own)
    seen = set(queue)
    while queue:
        described = describe(queue.popleft())
        yield from described.settings
        fresh = [address for address in described.refers_to if address not in seen]
        seen.update(fresh)
        queue.extend(dict.fromkeys(fresh))


@dataclass(frozen=True, slots=True)
class _Described:
    """A resource in words, and what it refers to."""

    settings: tuple[Setting, ...]
    refers_to: tuple[Address, ...]


class _Describe:
    """Each resource as its kind puts it. Policies are shared by many VMs: put a cache before it."""

    def __init__(self, desired: Desired, kinds: Sequence[Kind[Any]]) -> None:
        self._state = desired.state
        self._kinds = {kind.name: kind for kind in kinds}

    def __call__(self, address: Address) -> _Described:
        resource = self._state[address]
        refers_to = (reference.address for _, reference in resource.spec.refs())
        settings = tuple(_values(self._kinds[address.kind], resource))
        return _Described(settings, tuple(target for target in refers_to if target in self._state))


def _assigned(given: Mapping[str, Assignment], declared: Declared, kinds: Sequence[Kind[Any]]) -> Iterator[Setting]:
    """What the assignments of the VM come to, where its own resources do not tell."""
    for kind in kinds:
        item = given.get(kind.aspect.name) if kind.aspect else None
        if item:
            yield from kind.settings(item, declared)


def _values(kind: Kind[Any], resource: Resource) -> Iterator[Setting]:
    """What the resource is told, as its kind puts it; the line that gave it, None where it is a default."""
    for phrase in kind.describe(resource.spec):
        yield Setting(str(resource.address), phrase.name, phrase.text, resource.origins.get(phrase.field))
