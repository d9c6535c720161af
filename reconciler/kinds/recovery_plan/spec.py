"""What we manage of a recovery plan: regions, groups, and what is done around them, in order."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from reconciler.model.arm_id import ArmId
from reconciler.model.resource import Ref, Spec

NAME = "recovery_plan"
FAILOVER_TYPES = ("testFailover", "unplannedFailover")
DIRECTIONS = ("primaryToRecovery", "recoveryToPrimary")


class PlanAction(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One action: exactly one of `runbook` (ARM id), `script` (path) and `manual` (what a person must do) is set.

    `side` and `minutes` say where and how long runbooks and scripts run; "" and None for manual ones.
    """

    name: str
    runbook: str = ""
    script: str = ""
    manual: str = ""
    side: str = ""
    minutes: int | None = None
    failover_types: tuple[str, ...] = FAILOVER_TYPES
    directions: tuple[str, ...] = DIRECTIONS

    @property
    def what(self) -> str:
        """In a word, for people."""
        return "runbook" if self.runbook else "script" if self.script else "manual"


class Around(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Actions before and after a phase of the plan; their order is significant."""

    before: tuple[PlanAction, ...] = ()
    after: tuple[PlanAction, ...] = ()


class PlanGroup(Around, frozen=True, kw_only=True, omit_defaults=True):
    """VMs that are started together, as ARM ids: they are failed over in parallel, so their order says nothing."""

    members: tuple[str, ...] = ()


class RecoveryPlanSpec(Spec, frozen=True, kw_only=True):
    """`primary` and `recovery` are fabrics; zones are told from zone to zone only. `machines` are the replicated VMs of
    all groups: they say what must be there first."""

    primary: Ref
    recovery: Ref
    primary_zone: str = ""
    recovery_zone: str = ""
    groups: tuple[PlanGroup, ...] = ()
    shutdown: Around = Around()
    failover: Around = Around()
    machines: tuple[Ref, ...] = ()

    def sections(self) -> Iterator[tuple[str, str, Around]]:
        """Every part that actions stand around: the spec field, its name for people, and the part."""
        yield "shutdown", "shutdown", self.shutdown
        yield "failover", "failover", self.failover
        for number, group in enumerate(self.groups):
            yield "groups", f"groups[{number}]", group

    def members(self) -> tuple[ArmId, ...]:
        """The VMs of all groups, in order."""
        return tuple(ArmId(member) for group in self.groups for member in group.members)


def normal_plan(spec: RecoveryPlanSpec) -> RecoveryPlanSpec:
    """One spelling: Site Recovery answers with ids of VMs in lower case, and in any order within a group."""
    return msgspec.structs.replace(
        spec,
        groups=tuple(_normal_group(group) for group in spec.groups),
        shutdown=_normal(spec.shutdown),
        failover=_normal(spec.failover),
        machines=tuple(sorted(set(spec.machines), key=lambda ref: ref.address)),
    )


def _normal_group(group: PlanGroup) -> PlanGroup:
    around = _normal(group)
    members = tuple(sorted({ArmId(member).key for member in group.members}))
    return PlanGroup(members=members, before=around.before, after=around.after)


def _normal(around: Around) -> Around:
    return Around(before=tuple(map(_normal_action, around.before)), after=tuple(map(_normal_action, around.after)))


def _normal_action(action: PlanAction) -> PlanAction:
    """Azure knows planned failovers too; of Azure VMs there are none (ASR-50)."""
    return msgspec.structs.replace(
        action,
        runbook=ArmId(action.runbook).key if action.runbook else "",
        failover_types=tuple(one for one in FAILOVER_TYPES if one in action.failover_types),
        directions=tuple(one for one in DIRECTIONS if one in action.directions),
    )
