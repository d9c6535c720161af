"""The kind `restore_point_collection`: where the restore points of one VM by one schedule lie. It carries our tags.

It is made when the first point is due, and never deleted by us: Azure bills nothing for an empty one, and deleting a
collection deletes whatever points it holds. One that is empty and that nobody needs is reported.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from typing import ClassVar

from reconciler.azure.clients import Azure
from reconciler.azure.operations import Operation
from reconciler.kinds.base import Comparison, Expansion, Kind, Ownership, Rule, Situation, Verdict
from reconciler.kinds.obstacle import Obstacle, group_missing
from reconciler.kinds.owned_collections import COLLECTION, KEEP, owned_collections
from reconciler.kinds.phrases import Phrase
from reconciler.kinds.restore_point_collection.expansion import expand_collections
from reconciler.kinds.restore_point_collection.requests import read_back, send
from reconciler.kinds.restore_point_collection.spec import CollectionSpec
from reconciler.model import snapshot_schedule
from reconciler.model.address import Address
from reconciler.model.document import Declared
from reconciler.model.duration import parse_duration
from reconciler.model.keeping import parse_keep, say
from reconciler.model.live import Unreadable
from reconciler.model.resource import Resource
from reconciler.model.snapshot_schedule import Keep
from reconciler.plan.change import Action, Consequence, Effect, Step
from reconciler.plan.finding import Finding

CREATE = "Microsoft.Compute/restorePointCollections/write"
TAG = "Microsoft.Resources/tags/write"


class RestorePointCollectionKind(Kind[CollectionSpec]):
    """One collection for each VM and schedule."""

    name = COLLECTION
    title = "restore point collection"
    spec = CollectionSpec
    serves = snapshot_schedule.ASPECT
    rules: ClassVar[Mapping[str, Rule]] = {
        "schedule": Rule.FORBID,
        "machine": Rule.FORBID,
        "keep": Rule.UPDATE,
        "tags": Rule.IGNORE,
    }

    def expand(self, expansion: Expansion) -> Iterator[Resource | Finding]:
        return expand_collections(expansion)

    async def read(self, azure: Azure, declared: Declared) -> AsyncIterator[Resource | Unreadable]:
        """Those that carry our tags; the collections of Azure Backup and of others are no business of ours."""
        collections, gaps = await owned_collections(azure, declared, COLLECTION)
        for gap in gaps:
            yield gap
        for one in collections:
            spec = CollectionSpec(schedule=one.schedule, machine=str(one.machine), keep=one.keep)
            yield Resource(one.address, spec, one.arm_id, one.location, observed=one)

    def judge(self, comparison: Comparison[CollectionSpec]) -> Verdict | None:
        """A new one needs room in its region, and its resource group, which is never created."""
        if comparison.desired is None or comparison.live is not None:
            return None
        if isinstance(comparison.desired.observed, Obstacle):
            return comparison.desired.observed.verdict()
        live, group = comparison.situation.live, comparison.address.scope
        alias, _, name = group.partition("/")
        if group.casefold() in live.resource_groups or live.hides(Address("resource_group", alias, name)):
            return None
        subscription = comparison.situation.declared.subscriptions.get(alias, "")
        return group_missing(alias, subscription, name, comparison.desired.location).verdict()

    def ownership(self, resource: Resource, situation: Situation) -> Ownership:  # noqa: ARG002
        """Never released: `expand` reports those that nobody needs."""
        return Ownership.IGNORED

    def steps(self, comparison: Comparison[CollectionSpec], verdict: Verdict) -> tuple[Step, ...]:
        if verdict.action not in (Action.CREATE, Action.UPDATE) or comparison.desired is None:
            return ()
        wanted, create = comparison.wanted_spec, comparison.live is None
        place = (comparison.desired if create else comparison.live) or comparison.desired
        arguments = {"id": str(place.arm_id), "tags": wanted.tags if create else {KEEP: wanted.keep}}
        if create:
            arguments |= {"machine": wanted.machine, "location": comparison.desired.location}
        return (
            Step(
                id=f"{comparison.address}#{'create' if create else 'tag'}",
                kind=self.name,
                address=str(comparison.address),
                verb="create" if create else "tag",
                title=f"{'create' if create else 'tag'} restore point collection {comparison.address.name}",
                arguments=arguments,
                lane=wanted.machine.casefold(),
                permission=CREATE if create else TAG,
                usually="a few seconds",
            ),
        )

    def consequences(self, comparison: Comparison[CollectionSpec], verdict: Verdict) -> tuple[Consequence, ...]:  # noqa: ARG002
        """What a new retention promises; which points go at once, their own changes tell."""
        if comparison.live is None or comparison.desired is None:
            return ()
        before, after = parse_keep(comparison.live_spec.keep), parse_keep(comparison.wanted_spec.keep)
        if before is None or after is None or before == after:
            return ()
        text = f"keeps {say(after)} from now on, instead of {say(before)}"
        return (Consequence(effect=Effect.WEAKENS if _keeps_less(before, after) else Effect.STRENGTHENS, text=text),)

    def describe(self, spec: CollectionSpec) -> Iterable[Phrase]:
        keep = parse_keep(spec.keep)
        if keep is not None:
            yield Phrase("keep", "keep", say(keep))

    def summarise(self, spec: CollectionSpec) -> str:
        return f"for the restore points of schedule {spec.schedule}"

    async def perform(self, azure: Azure, step: Step) -> Operation | None:
        await send(azure, step)
        return None

    async def verify(self, azure: Azure, step: Step) -> None:
        await read_back(azure, step)


def _keeps_less(before: Keep, after: Keep) -> bool:
    """Whether any rule holds fewer than it did. What the others hold instead is not weighed."""
    numbers = ("count", "hourly", "daily", "weekly", "monthly", "yearly")
    if any((getattr(after, name) or 0) < (getattr(before, name) or 0) for name in numbers):
        return True
    return before.age is not None and (after.age is None or parse_duration(after.age) < parse_duration(before.age))
