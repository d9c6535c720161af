"""Which route a VM takes: the one that its Protection names, or the one from its region to the wanted one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.kinds.base import Assignment
from reconciler.kinds.remarks import Remark
from reconciler.kinds.replication.route import LocatedRoute, located_routes
from reconciler.model.casing import fold
from reconciler.model.document import Declared
from reconciler.model.location import normalise_location
from reconciler.model.machine import Machine
from reconciler.model.replication import Replication
from reconciler.plan.finding import Severity


@dataclass(frozen=True, slots=True)
class Routing:
    """The routes that are declared, to choose from."""

    routes: tuple[LocatedRoute, ...]

    @classmethod
    def of(cls, declared: Declared) -> Routing:
        return cls(located_routes(declared))

    def choose(self, item: Assignment) -> LocatedRoute | Remark:
        """The route of a VM, or what is wrong, with all the routes there are."""
        aspect: Replication = item.value
        if aspect.route is not None:
            return self._named(item, aspect.route)
        target = normalise_location(aspect.target_region or "")
        found = self.between(item.machine.location, target)
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(route.name for route in found)
            return _remark(
                item,
                "targetRegion",
                f"several routes go from {item.machine.location} to {target}: {names}",
                "name one: replication.route",
            )
        return _remark(
            item,
            "targetRegion",
            f"no ReplicationRoute goes from {item.machine.location} to {target}; there are {self.listed()}",
            f"declare one with from: {item.machine.location} and to: {target}, or select other VMs",
        )

    def between(self, source: str, target: str) -> Sequence[LocatedRoute]:
        """The routes from one region to another."""
        return [one for one in self.routes if (one.leg.start.region, one.leg.end.region) == (source, target)]

    def listed(self) -> str:
        """For people: `weu-neu (westeurope to northeurope)`."""
        return ", ".join(f"{one.name} ({one.leg.start} to {one.leg.end})" for one in self.routes) or "none"

    def _named(self, item: Assignment, name: str) -> LocatedRoute | Remark:
        found = next((one for one in self.routes if fold(one.name) == fold(name)), None)
        if found is None:
            return _remark(
                item,
                "route",
                f"route {name} leads nowhere: its vault is not declared",
                "declare the vault that the route names",
            )
        if found.leg.start.region != item.machine.location:
            return _remark(
                item,
                "route",
                f"route {found.name} begins in {found.leg.start} and the VM is in {item.machine.location}; "
                f"there are {self.listed()}",
                "name a route from there, use targetRegion, or select other VMs",
            )
        return found


def crosses_regions(machine: Machine, route: LocatedRoute) -> bool:
    """Whether the VM leaves its region; from zone to zone it stays."""
    return machine.location != route.leg.end.region


def _remark(item: Assignment, field: str, message: str, advice: str) -> Remark:
    return Remark(
        code="ASR-10",
        subject=f"Protection {item.protection.name}",
        message=message,
        advice=advice,
        severity=Severity.ERROR,
        source=item.protection.at("replication", field),
        rule_source="a2a",
    )
