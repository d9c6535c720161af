"""A small world of three kinds: boxes (one for each VM) stand on shelves, and photos are taken by the clock. Real
kinds, with nothing of Azure in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

import msgspec
import pytest

from reconciler.kinds.base import Aspect, Assignment, Comparison, Kind, Ownership, Quota, Rule, Situation, Verdict
from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.document import Declared, Document
from reconciler.model.live import Live, Unreadable
from reconciler.model.machine import Machine
from reconciler.model.protection import Protection
from reconciler.model.resource import Ref, Resource, Spec
from reconciler.model.scope import Limits, Objectives, Scope
from reconciler.model.selector import Selector
from reconciler.model.source import Source
from reconciler.plan.change import Action, Consequence, Effect, Phase, Reason, Step
from reconciler.plan.finding import Finding, Severity
from reconciler.plan.plan import Plan

NOW = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000001"


class ShelfSpec(Spec):
    height: int = 1
    place: str = "west"
    colours: tuple[str, ...] = ()
    tags: dict[str, str] = msgspec.field(default_factory=dict)
    note: str = ""


class BoxSpec(Spec):
    shelf: Ref
    size: str = "small"
    state: str = "Standing"


class PhotoSpec(Spec):
    state: str = "present"
    waits_for: Ref | None = None


@dataclass(frozen=True)
class BoxFacts:
    """What is seen of a box: its age changes by itself, its owner does not."""

    age: int = field(default=0, metadata={"volatile": True})
    owner: str = ""


class FakeKind(Kind[Any]):
    def expand(self, expansion: Any) -> Iterator[Any]:
        return iter(())

    async def read(self, azure: Any, declared: Any) -> Any:
        for nothing in ():
            yield nothing

    async def perform(self, azure: Any, step: Step) -> None:
        return None

    async def verify(self, azure: Any, step: Step) -> None:
        return None

    def step(self, comparison: Comparison[Any], verb: str, phase: Phase = Phase.SETUP, lane: str = "") -> Step:
        address = str(comparison.address)
        return Step(
            id=f"{address}#{verb}", kind=self.name, address=address, verb=verb, title=verb, phase=phase, lane=lane
        )


class Shelf(FakeKind):
    """Grows and shrinks; a shelf that shrinks prunes, a high one is for ever, and an undeclared one can be ours."""

    name = "shelf"
    title = "shelf"
    spec = ShelfSpec
    rules: ClassVar = {
        "height": Rule.UPDATE,
        "place": Rule.FORBID,
        "colours": Rule.UPDATE,
        "tags": Rule.UPDATE,
        "note": Rule.IGNORE,
    }
    quota = Quota.POLICY_WRITES

    def normalise(self, spec: ShelfSpec) -> ShelfSpec:
        return msgspec.structs.replace(spec, colours=tuple(sorted(spec.colours)))

    def ownership(self, resource: Resource, situation: Situation) -> Ownership:
        return {"ours": Ownership.RELEASED, "nobody": Ownership.IGNORED}.get(resource.spec.note, Ownership.UNMANAGED)

    def steps(self, comparison: Comparison[Any], verdict: Verdict) -> tuple[Step, ...]:
        lane = lane_of(comparison.address)
        if verdict.action is Action.RELEASE:
            return (self.step(comparison, "clear", Phase.TEARDOWN, lane),)
        return (self.step(comparison, "put", lane=lane),)

    def consequences(self, comparison: Comparison[Any], verdict: Verdict) -> tuple[Consequence, ...]:
        if comparison.desired and comparison.live and comparison.wanted_spec.height < comparison.live_spec.height:
            return (Consequence(effect=Effect.PRUNES, text="prunes", figures={"recovery_points_pruned": 3}),)
        if comparison.desired and comparison.wanted_spec.height == 99:
            return (Consequence(effect=Effect.IRREVERSIBLE, text="for ever"),)
        return ()


class Box(FakeKind):
    """One for each VM. An open box is undeleted, a box with the size `gone` is deleted on release."""

    name = "box"
    title = "box"
    spec = BoxSpec
    rules: ClassVar = {"shelf": Rule.UPDATE, "size": Rule.UPDATE, "state": Rule.UPDATE}
    per_machine = True
    aspect = Aspect(name="boxing", type=BoxSpec, references={}, check=lambda *_: ())
    quota = Quota.CONFIGURATIONS

    def judge(self, comparison: Comparison[Any]) -> Verdict | None:
        if comparison.desired is None:
            return {
                "kept": Verdict(Action.NO_OP, Reason.NOT_DECLARED, "kept as it is"),
                "gone": Verdict(Action.DELETE, Reason.NOT_DECLARED, "data goes"),
            }.get(comparison.live_spec.size)
        if comparison.wanted_spec.size == "impossible":
            return Verdict(Action.BLOCKED, Reason.CANNOT_CHANGE, "too large", "by hand")
        if comparison.live and comparison.live_spec.state == "SoftDeleted":
            return Verdict(Action.UNDELETE, Reason.SOFT_DELETED, "soft-deleted")
        return None

    def ownership(self, resource: Resource, situation: Situation) -> Ownership:
        return Ownership.RELEASED

    def steps(self, comparison: Comparison[Any], verdict: Verdict) -> tuple[Step, ...]:
        target = comparison.desired or comparison.live
        assert target is not None
        lane = lane_of(target.spec.shelf.address)
        if verdict.action in (Action.RELEASE, Action.DELETE):
            return (self.step(comparison, "take-down", Phase.TEARDOWN, lane),)
        if comparison.live and comparison.changed("shelf"):
            old = lane_of(comparison.live_spec.shelf.address)
            return (
                self.step(comparison, "take-down", Phase.TEARDOWN, old),
                self.step(comparison, "put-up", lane=lane),
            )
        if verdict.action is Action.UNDELETE:
            return (self.step(comparison, "undelete", lane=lane), self.step(comparison, "put-up", lane=lane))
        return (self.step(comparison, "put-up", lane=lane),)

    def consequences(self, comparison: Comparison[Any], verdict: Verdict) -> tuple[Consequence, ...]:
        if verdict.action is Action.DELETE:
            return (Consequence(effect=Effect.DELETES, text="all gone"),)
        return ()

    def outcome(self, resource: Resource, objectives: Objectives, now: datetime) -> Iterator[Finding]:
        if objectives.rpo and resource.observed and resource.observed.age > int(objectives.rpo[:-1]):
            yield Finding(code="rpo", message=f"older than {objectives.rpo}", severity=Severity.WARNING)


class Photo(FakeKind):
    """Desired is what is to stay and what is to go; an album that holds a torn one cannot be added to."""

    name = "photo"
    title = "photo"
    spec = PhotoSpec
    rules: ClassVar = {"state": Rule.UPDATE, "waits_for": Rule.IGNORE}

    def judge(self, comparison: Comparison[Any]) -> Verdict | None:
        if comparison.wanted_spec.state == "torn":
            return Verdict(Action.BLOCKED, Reason.CANNOT_CHANGE, "torn", "by hand")
        if comparison.live is None:
            return Verdict(Action.CREATE, Reason.DUE, "every hour")
        return Verdict(Action.DELETE, Reason.EXPIRED, "old")

    def ownership(self, resource: Resource, situation: Situation) -> Ownership:
        return Ownership.IGNORED

    def steps(self, comparison: Comparison[Any], verdict: Verdict) -> tuple[Step, ...]:
        if verdict.action is Action.DELETE:
            return (self.step(comparison, "burn", Phase.TEARDOWN),)
        return (self.step(comparison, "take"),)


def lane_of(shelf: Address) -> str:
    """Shelves called `hall-1` and `hall-2` stand in one room."""
    return f"{SUBSCRIPTION}/rooms/{shelf.name.partition('-')[0]}".casefold()


class Estate:
    """Builders of both sides, in few words."""

    kinds = (Photo(), Box(), Shelf())
    now = NOW

    def shelf(self, name: str, **spec: Any) -> Resource:
        address = Address("shelf", "prod/rg", name)
        return Resource(address, ShelfSpec(**spec), ArmId(lane_of(address)), source=Source("shelves.yaml", 3, 1))

    def box(self, name: str, shelf: str = "low", *, facts: BoxFacts | None = None, **spec: Any) -> Resource:
        on = Address("shelf", "prod/rg", shelf)
        where = ArmId(f"{lane_of(on)}/boxes/{name}")
        return Resource(Address("box", "prod/rg", name), BoxSpec(shelf=Ref.of(on), **spec), where, observed=facts)

    def photo(self, name: str, state: str = "present", after: str = "", scope: str = "prod/rg") -> Resource:
        waits = Ref.of(Address("photo", scope, after)) if after else None
        return Resource(Address("photo", scope, name), PhotoSpec(state=state, waits_for=waits))

    def facts(self, **values: Any) -> BoxFacts:
        return BoxFacts(**values)

    def declared(self, limits: Limits | None = None) -> Declared:
        scope = Scope(subscriptions={"prod": SUBSCRIPTION[-36:]}, limits=limits or Limits())
        return Declared(Document("Scope", "scope", scope, Source("scope.yaml", 1, 1)))

    def situation(
        self,
        desired: tuple[Resource, ...] = (),
        live: tuple[Resource, ...] = (),
        unreadable: tuple[Unreadable, ...] = (),
        limits: Limits | None = None,
    ) -> Situation:
        return Situation(
            self.declared(limits),
            {item.address: item for item in desired},
            Live({item.address: item for item in live}, unreadable=unreadable),
            NOW,
        )

    def plan(self, *args: Any, **values: Any) -> Plan:
        from reconciler.diff.engine import compare

        return compare(self.situation(*args, **values), self.kinds)

    def assignment(self, name: str, rpo: str) -> Assignment:
        machine = Machine(ArmId(f"{SUBSCRIPTION}/vm/{name}"), "prod", "rg", name, "west")
        protection = Document("Protection", "p", Protection(select=Selector(), aspects={}), Source("p.yaml", 1, 1))
        return Assignment(machine, "boxing", None, protection, Source("p.yaml", 2, 1), Objectives(rpo=rpo))


@pytest.fixture
def estate() -> Estate:
    return Estate()
