"""Whether what was promised is kept: the objectives of each VM against what Azure really holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from reconciler.kinds.base import Assignment, Kind, Situation
from reconciler.model.address import Address
from reconciler.model.scope import Objectives
from reconciler.plan.finding import Finding


def outcomes(
    situation: Situation, kinds: Mapping[str, Kind[Any]], assignments: Iterable[Assignment]
) -> Iterator[Finding]:
    """What the kinds say of every live resource that a policy asks for.

    A VM has the objectives of the Protection that it was assigned by; everything else those of the Scope.
    """
    judging = {name for name, kind in kinds.items() if type(kind).outcome is not Kind.outcome}
    if not judging:
        return
    promised = _promised(kinds, judging, assignments)
    default = situation.declared.scope.value.defaults.objectives
    for address in situation.desired:
        live = situation.live.state.get(address) if address.kind in judging else None
        if live is not None:
            for finding in kinds[address.kind].outcome(live, promised.get(address, default), situation.now):
                yield msgspec.structs.replace(finding, topic="objectives", address=finding.address or str(address))


def _promised(
    kinds: Mapping[str, Kind[Any]], judging: set[str], assignments: Iterable[Assignment]
) -> dict[Address, Objectives]:
    by_aspect = {
        kind.aspect.name: name for name, kind in kinds.items() if kind.aspect and kind.per_machine and name in judging
    }
    return {
        Address(by_aspect[item.aspect], item.machine.scope, item.machine.name): item.objectives
        for item in assignments
        if item.aspect in by_aspect
    }
