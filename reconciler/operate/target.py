"""From what a person types to what is operated: a declared recovery plan with its VMs, or one replicated VM."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.errors import UsageError
from reconciler.kinds.replicated_vm.spec import ReplicatedVmSpec
from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.casing import fold
from reconciler.model.document import Declared
from reconciler.model.live import Live
from reconciler.model.recovery_plan import DOCUMENT, RecoveryPlanFacts
from reconciler.model.replicated import ReplicationFacts
from reconciler.model.resource import Resource

_NAMED = 8
"""How many choices a message names."""


@dataclass(frozen=True, slots=True)
class Member:
    """One replicated VM, and what is seen of it."""

    resource: Resource
    facts: ReplicationFacts

    @property
    def address(self) -> Address:
        return self.resource.address

    @property
    def name(self) -> str:
        return self.address.name

    @property
    def spec(self) -> ReplicatedVmSpec:
        spec = self.resource.spec
        assert isinstance(spec, ReplicatedVmSpec)
        return spec


@dataclass(frozen=True, slots=True)
class Target:
    """`plan` is None where one VM is operated by itself. `missing` are members of the plan that were not found."""

    resource: Resource
    members: tuple[Member, ...]
    plan: RecoveryPlanFacts | None = None
    missing: tuple[ArmId, ...] = ()

    @property
    def name(self) -> str:
        """What a person types to confirm."""
        return self.resource.address.name

    @property
    def title(self) -> str:
        return f"recovery plan {self.name}" if self.plan else f"VM {self.name}"

    @property
    def arm_id(self) -> ArmId:
        """The recovery plan, or the replicated item, as Azure answered it."""
        return self.plan.plan_id if self.plan else self.members[0].facts.item_id

    @property
    def allowed(self) -> tuple[str, ...]:
        """Azure's words for what may be done with it as a whole."""
        return self.plan.allowed_operations if self.plan else self.members[0].facts.allowed_operations

    @property
    def reversed(self) -> bool:
        """Whether it is replicated back to where it came from."""
        return bool(self.members) and all(member.facts.reversed for member in self.members)


def find_target(text: str, declared: Declared, live: Live) -> Target:
    """The recovery plan (as declared) or the replicated VM that `text` means: a name, group/name, alias/group/name, or
    an ARM id, of the VM that the policies speak of or of the one that runs now.

    Raises UsageError where there is none, or more than one.
    """
    names = {fold(name) for name in declared.of(DOCUMENT)}
    plans = [
        resource
        for resource in live.state.values()
        if isinstance(resource.observed, RecoveryPlanFacts) and fold(resource.address.name) in names
    ]
    members = [
        Member(resource, resource.observed)
        for resource in live.state.values()
        if isinstance(resource.observed, ReplicationFacts)
    ]
    found = [
        *(_of_plan(plan, members) for plan in plans if _means(text, plan.address, (plan.arm_id,))),
        *(Target(one.resource, (one,)) for one in members if _means(text, one.address, _ids(one.facts))),
    ]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(
            f"{text!r} may mean {len(found)} things",
            advice=f"write one of {_listed(one.resource.address for one in found)}",
        )
    known = _listed([*(plan.address for plan in plans), *(one.address for one in members)])
    nothing = "declare a ReplicationRoute, replicate VMs along it, and apply"
    unread = live.unreadable[0] if live.unreadable else None
    raise UsageError(
        f"{text!r} is no declared recovery plan and no replicated VM" + (" that could be read" if unread else ""),
        why=f"{unread.message}: it may be there" if unread else "",
        advice=f"there is {known}" if known else unread.advice or "try again" if unread else nothing,
    )


def _of_plan(resource: Resource, members: Iterable[Member]) -> Target:
    facts: RecoveryPlanFacts = resource.observed
    by_item = {member.facts.item_id: member for member in members}
    return Target(
        resource,
        tuple(by_item[item] for item in facts.items if item in by_item),
        facts,
        tuple(item for item in facts.items if item not in by_item),
    )


def _ids(facts: ReplicationFacts) -> tuple[ArmId | None, ...]:
    return (facts.home_id, facts.machine_id, facts.item_id, facts.recovery_machine_id if facts.failed_over else None)


def _means(text: str, address: Address, ids: Iterable[ArmId | None]) -> bool:
    if text.strip("/").casefold().startswith("subscriptions/"):
        return ArmId(text) in ids
    spelled = f"{address.scope}/{address.name}"
    return f"/{fold(spelled)}".endswith(f"/{fold(text.strip('/'))}")


def _listed(addresses: Iterable[Address]) -> str:
    names = [f"{address.scope}/{address.name}" for address in addresses]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
