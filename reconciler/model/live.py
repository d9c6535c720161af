"""The live side as a whole: what was read, and what could not be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.disk import Disk
from reconciler.model.machine import Machine
from reconciler.model.replicated import ReplicationFacts
from reconciler.model.replication_site import ReplicationSite
from reconciler.model.resource import State
from reconciler.model.retention import PolicyTerms


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A collection that could not be read: whatever may lie behind it is *unknown*, never absent.

    `kinds` are the kinds whose resources it would have listed; `scope` is the address scope that is affected (`prod`,
    or `prod/rg-backup/rsv-weu` for one vault). With a `location`, whatever lies in that region of the scope's
    subscription may lie behind it, too (a VM protected in that vault); "" means no more than the scope. `message`,
    `why` and `advice` are for the reader.
    """

    kinds: tuple[str, ...]
    scope: str
    message: str
    why: str = ""
    advice: str = ""
    location: str = ""

    def hides(self, address: Address, location: str = "") -> bool:
        """True where a resource with this address (in this region) may exist without our having seen it."""
        if address.kind not in self.kinds:
            return False
        if address.within(self.scope) or (f"{address.scope}/{address.name}").casefold() == self.scope.casefold():
            return True
        alias = self.scope.partition("/")[0]
        return bool(self.location) and location == self.location and address.within(alias)


@dataclass(frozen=True)
class Live:
    """Everything one refresh saw.

    `resource_groups` holds `alias/name`, case-folded, of every resource group; `disks` are read only where the policies
    declare snapshots or replication, `site` what their routes name; `runbooks` says of each that a RecoveryPlan names
    whether it is there, nothing where that could not be read; `requests` counts the requests it took.
    """

    state: State
    machines: tuple[Machine, ...] = ()
    resource_groups: frozenset[str] = frozenset()
    unreadable: tuple[Unreadable, ...] = ()
    requests: int = 0
    disks: tuple[Disk, ...] = ()
    site: ReplicationSite = field(default_factory=ReplicationSite)
    runbooks: Mapping[ArmId, bool] = field(default_factory=dict)

    @cached_property
    def disks_by_id(self) -> Mapping[ArmId, Disk]:
        """The managed disks that were seen: one that is not here is gone, unless its list failed."""
        return {disk.arm_id: disk for disk in self.disks}

    @cached_property
    def machines_by_id(self) -> Mapping[ArmId, Machine]:
        """The VMs that were seen: one that is not here is gone, unless its list failed."""
        return {machine.arm_id: machine for machine in self.machines}

    @cached_property
    def selectable(self) -> tuple[Machine, ...]:
        """The VMs that policies speak of: not those that drills made. Azure gives them the tags of their VMs, and they
        are deleted when the drill is cleaned up."""
        seen = (resource.observed for resource in self.state.values())
        drills = {one for facts in seen if isinstance(facts, ReplicationFacts) for one in facts.test_copies}
        return tuple(one for one in self.machines if one.arm_id not in drills) if drills else self.machines

    @cached_property
    def terms_by_scope(self) -> Mapping[str, Mapping[str, PolicyTerms]]:
        """What the policies of each vault promise: address scope, case-folded → policy name → terms."""
        found: dict[str, dict[str, PolicyTerms]] = defaultdict(dict)
        for address, resource in self.state.items():
            if isinstance(resource.observed, PolicyTerms):
                found[address.scope.casefold()][address.name] = resource.observed
        return found

    def hides(self, address: Address, location: str = "") -> Unreadable | None:
        """The unreadable collection behind which `address` may lie, if any."""
        return next((gap for gap in self.unreadable if gap.hides(address, location)), None)

    def unread_machines(self, subscriptions: Iterable[str]) -> tuple[str, ...]:
        """The aliases among `subscriptions` whose VM list failed: selection there is incomplete."""
        return self.unread("virtual_machine", subscriptions)

    def unread(self, kind: str, subscriptions: Iterable[str]) -> tuple[str, ...]:
        """The aliases among `subscriptions` whose list of this kind (`virtual_machine`, `disk`) failed."""
        failed = {gap.scope.casefold() for gap in self.unreadable if kind in gap.kinds}
        return tuple(alias for alias in subscriptions if alias.casefold() in failed)
