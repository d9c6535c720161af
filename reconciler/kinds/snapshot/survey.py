"""Everything that one expansion of snapshots rests on, worked out once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from reconciler.kinds.base import Expansion
from reconciler.kinds.remarks import Remarks
from reconciler.kinds.snapshot.holdings import Holdings, Point
from reconciler.kinds.snapshot.spec import NAME
from reconciler.kinds.snapshot.timetable import Timetable, timetables
from reconciler.model.address import Address
from reconciler.model.casing import fold
from reconciler.model.keeping import kept
from reconciler.model.machine import Machine
from reconciler.model.observed import ItemFacts
from reconciler.model.snapshot_schedule import Keep

READ = ("virtual_machine", "disk", NAME)
"""The lists without which nothing of a subscription is deleted."""


@dataclass(frozen=True)
class Survey:
    """`timetables` by the folded name of their schedule."""

    expansion: Expansion
    timetables: Mapping[str, Timetable]
    holdings: Holdings
    remarks: Remarks = field(default_factory=Remarks)
    _held: dict[tuple[Keep, frozenset[datetime]], Mapping[datetime, tuple[str, ...]]] = field(default_factory=dict)

    @classmethod
    def of(cls, expansion: Expansion) -> Survey:
        return cls(
            expansion, timetables(expansion.declared, expansion.now), Holdings.of(expansion.live.state, expansion.now)
        )

    def held(self, keep: Keep, slots: Iterable[datetime]) -> Mapping[datetime, tuple[str, ...]]:
        """The slots that `keep` holds now. Most disks of a schedule have the same ones: they are worked out once."""
        key = (keep, frozenset(slots))
        found = self._held.get(key)
        if found is None:
            found = self._held[key] = kept(keep, key[1], self.expansion.now)
        return found

    def blind_to(self, points: Iterable[Point]) -> bool:
        """Whether something that matters of one of these snapshots could not be read."""
        return bool(self.blind) and any(fold(point.address.subscription) in self.blind for point in points)

    @cached_property
    def blind(self) -> frozenset[str]:
        """The folded aliases of subscriptions where something that matters could not be read."""
        aliases = tuple(self.expansion.declared.subscriptions)
        return frozenset(fold(alias) for kind in READ for alias in self.expansion.live.unread(kind, aliases))

    @cached_property
    def disk_names(self) -> Mapping[str, str]:
        """Folded uniqueId → name of every disk that is there."""
        return {fold(disk.unique_id): disk.arm_id.name for disk in self.expansion.live.disks}

    def group_missing(self, alias: str, group: str) -> bool:
        """Whether it is certain that there is no such resource group."""
        live = self.expansion.live
        if f"{alias}/{group}".casefold() in live.resource_groups:
            return False
        return live.hides(Address("resource_group", alias, group)) is None

    def backup(self, machine: Machine) -> ItemFacts | None:
        """What Azure Backup holds of a VM, as far as it could be read."""
        found = self.expansion.live.state.get(Address("protected_vm", machine.scope, machine.name))
        return found.observed if found and isinstance(found.observed, ItemFacts) else None

    def backup_unknown(self, machine: Machine) -> bool:
        address = Address("protected_vm", machine.scope, machine.name)
        live = self.expansion.live
        return bool(live.unreadable) and live.hides(address, machine.location) is not None
