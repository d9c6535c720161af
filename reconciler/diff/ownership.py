"""Live resources that no policy asks for: released, reported, or passed over in silence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.kinds.base import Kind, Ownership, Situation
from reconciler.model.address import Address
from reconciler.model.live import Live, Unreadable
from reconciler.model.resource import Resource
from reconciler.plan.finding import Finding, Severity


def unclaimed(situation: Situation, kinds: Mapping[str, Kind[Any]]) -> Iterator[tuple[Resource, Ownership]]:
    """Every live resource without a desired one, and what it is to us."""
    for address, resource in situation.live.state.items():
        if address not in situation.desired:
            yield resource, kinds[address.kind].ownership(resource, situation)


def unmanaged(resource: Resource) -> Finding:
    """The report of a resource that is not ours. It is never touched."""
    return Finding(
        code="unmanaged",
        message="no policy asks for it; it is left as it is",
        severity=Severity.INFO,
        address=str(resource.address),
        topic="unmanaged",
    )


def unselected(kind: Kind[Any], resource: Resource, live: Live) -> Unreadable | None:
    """The failed VM list, if any, because of which the policies may have passed over the VM of this resource.

    Releasing it then would take a failed read for an absence.
    """
    if not kind.per_machine or not live.unreadable:
        return None
    machine = Address("virtual_machine", resource.address.scope, resource.address.name)
    return live.hides(machine, resource.location)
