"""Why one VM is protected as it is: every selector on it, who decided, and the line that each value came from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler.desired.expand import Desired
from reconciler.desired.roster import Roster
from reconciler.desired.select import excuses
from reconciler.kinds.base import Assignment, Kind
from reconciler.model.arm_id import ArmId
from reconciler.model.document import Declared, Document, Path
from reconciler.model.explanation import Candidate, Condition, Decision, Explanation, Setting
from reconciler.model.live import Live
from reconciler.model.machine import Machine
from reconciler.model.protection import Exemption, Protection
from reconciler.model.replicated import ReplicationFacts
from reconciler.model.resource import Resource
from reconciler.model.selector import Selector


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
    """Everything that the policies say of one VM, and what `live` says of it. Pure; `desired` is what `expand` made,
    `now` aware UTC."""
    documents = sorted(declared.documents, key=lambda document: document.source)
    protections = [_weigh(item, machine) for item in documents if isinstance(item.value, Protection)]
    exemptions = [_excuse(item, machine, now.date()) for item in documents if isinstance(item.value, Exemption)]
    given = {item.aspect: item for item in desired.assignments if item.machine == machine}
    aspects = [kind.aspect.name for kind in kinds if kind.aspect]
    nothing = "uncovered" if machine in desired.uncovered else "none"
    return Explanation(
        machine=machine,
        candidates=(*protections, *exemptions),
        decisions=tuple(
            _decide(aspect, given.get(aspect), nothing, machine, declared, now.date()) for aspect in aspects
        ),
        settings=(*_settings(machine, desired, kinds), *_assigned(given, declared, kinds)),
        remarks=(*_copied(machine, live), *_found(machine, desired)),
    )


def _copied(machine: Machine, live: Live | None) -> Iterator[str]:
    """Of which VM it is a copy: Azure gives it the tags, and so the selectors match it, too."""
    for address, resource in live.state.items() if live else ():
        if isinstance(resource.observed, ReplicationFacts) and machine.arm_id in resource.observed.copies:
            yield f"made by a failover or a drill of {address.scope}/{address.name}: what is said of that VM holds"


def _found(machine: Machine, desired: Desired) -> Iterator[str]:
    """What was found of the VM's own resources."""
    scope, name = machine.scope.casefold(), machine.name.casefold()
    own = {str(item.address) for item in desired.state.values() if item.address.key[1:] == (scope, name)}
    for finding in desired.findings:
        if finding.address in own:
            yield finding.message + (f" → {finding.advice}" if finding.advice else "")


def _weigh(document: Document[Protection], machine: Machine) -> Candidate:
    priority = document.value.priority
    return Candidate(
        kind="Protection",
        name=document.name,
        source=document.source,
        matched=_meets(document.value.select, machine),
        conditions=tuple(_conditions(document.value.select, ("select",), document, machine)),
        aspects=tuple(document.value.aspects),
        note=f"priority {priority}" if priority else "",
    )


def _excuse(document: Document[Exemption], machine: Machine, today: dt.date) -> Candidate:
    value = document.value
    ends = f"ran out on {value.until}" if value.until < today else f"until {value.until}"
    return Candidate(
        kind="Exemption",
        name=document.name,
        source=document.source,
        matched=_meets(value.select, machine),
        conditions=tuple(_conditions(value.select, ("select",), document, machine)),
        aspects=value.from_ or (),
        note=f"{ends}: {value.reason}",
    )


def _meets(selector: Selector, machine: Machine) -> bool:
    """The verdict of the very code that plans use, on a roster of one."""
    return bool(Roster([machine]).select(selector))


def _conditions(selector: Selector, path: Path, document: Document[Any], machine: Machine) -> Iterator[Condition]:
    for key, alone in selector.given():
        met = _meets(alone, machine)
        here = (*path, key)
        if key in ("all", "any"):
            parts = tuple(
                _part(str(index + 1), part, (*here, index), document, machine)
                for index, part in enumerate(getattr(alone, key))
            )
            yield Condition(key, "", "", met, document.at(*here), parts)
        elif key == "not":
            assert alone.not_ is not None
            yield Condition(
                key, "", "", met, document.at(*here), tuple(_conditions(alone.not_, here, document, machine))
            )
        elif key == "tags":
            yield from _tags(alone, here, document, machine)
        else:
            wanted = getattr(alone, "resource_groups" if key == "resourceGroups" else key)
            yield Condition(key, _join(wanted), _actual(key, machine), met, document.at(*here))


def _part(key: str, selector: Selector, path: Path, document: Document[Any], machine: Machine) -> Condition:
    """One of the selectors inside `all` or `any`, by its number."""
    inner = tuple(_conditions(selector, path, document, machine))
    return Condition(key, "", "", _meets(selector, machine), document.at(*path), inner)


def _tags(selector: Selector, path: Path, document: Document[Any], machine: Machine) -> Iterator[Condition]:
    present = {name.casefold(): value for name, value in machine.tags.items()}
    for name, wanted in (selector.tags or {}).items():
        alone = Selector(tags={name: wanted})
        actual = present.get(name.casefold())
        yield Condition(
            key=f"tags.{name}",
            wanted=_join((wanted,) if isinstance(wanted, str) else wanted),
            actual="no such tag" if actual is None else actual,
            met=_meets(alone, machine),
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
    aspect: str, given: Assignment | None, nothing: str, machine: Machine, declared: Declared, today: dt.date
) -> Decision:
    """Who gives the VM this aspect, or excuses it; `nothing` is the outcome where nobody does."""
    excusing = [
        item
        for item in declared.of("Exemption", Exemption).values()
        if item.value.until >= today and excuses(item.value, aspect) and _meets(item.value.select, machine)
    ]
    if excusing:
        first = min(excusing, key=lambda item: item.source)
        why = f"exemption `{first.name}` excuses it until {first.value.until}"
        return Decision(aspect, "exempt", why, first.name, first.source)
    if given is None:
        return Decision(aspect, nothing, f"no Protection that matches gives {aspect}")
    others = [
        item
        for item in declared.of("Protection", Protection).values()
        if item is not given.protection and aspect in item.value.aspects and _meets(item.value.select, machine)
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


def _settings(machine: Machine, desired: Desired, kinds: Sequence[Kind[Any]]) -> Iterator[Setting]:
    """The values of the VM's own resources, then those of what they refer to, each resource once."""
    by_name = {kind.name: kind for kind in kinds}
    scope, name = machine.scope.casefold(), machine.name.casefold()
    queue = [item for item in desired.state.values() if item.address.key[1:] == (scope, name)]
    seen = {item.address for item in queue}
    while queue:
        resource = queue.pop(0)
        yield from _values(by_name[resource.address.kind], resource)
        for _, reference in resource.spec.refs():
            target = desired.state.get(reference.address)
            if target and target.address not in seen:
                seen.add(target.address)
                queue.append(target)


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
