"""The RecoveryPlan document, shape only, and what we see of a live plan and do not manage."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from reconciler.model.arm_id import ArmId
from reconciler.model.observed import VOLATILE
from reconciler.model.replication import ArmIdText, Name
from reconciler.model.scope import Duration
from reconciler.model.selector import Selector

DOCUMENT = "RecoveryPlan"
FailoverType = Literal["testFailover", "unplannedFailover"]
Direction = Literal["primaryToRecovery", "recoveryToPrimary"]


class RecoveryAction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """What happens before or after a group: exactly one of runbook, script and manual (ASR-63)."""

    name: Annotated[str, Meta(min_length=1, description="Name of the action, unique in its plan.")]
    runbook: Annotated[ArmIdText | None, Meta(description="ARM id of a runbook, in the vault's subscription.")] = None
    script: Annotated[Name | None, Meta(description="Path of a script.")] = None
    manual: Annotated[Name | None, Meta(description="What a person must do; the failover waits for it (ASR-64).")] = (
        None
    )
    timeout: Annotated[Duration | None, Meta(description="Of runbooks and scripts, as 10m.")] = None
    side: Annotated[Literal["primary", "recovery"], Meta(description="Where runbooks and scripts run.")] = "recovery"
    failover_types: Annotated[tuple[FailoverType, ...], Meta(min_length=1, description="When it runs.")] = (
        "testFailover",
        "unplannedFailover",
    )
    directions: Annotated[tuple[Direction, ...], Meta(min_length=1, description="In which direction it runs.")] = (
        "primaryToRecovery",
        "recoveryToPrimary",
    )


class RecoveryGroup(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """VMs that are started together, after the group before it."""

    name: Annotated[str, Meta(min_length=1, description="Name of the group: how the policies and reports call it.")]
    members: Annotated[Selector, Meta(description="Its VMs: replicated ones, each in one group only.")]
    before: Annotated[tuple[RecoveryAction, ...], Meta(description="Actions before the group, in order.")] = ()
    after: Annotated[tuple[RecoveryAction, ...], Meta(description="Actions after the group, in order.")] = ()
    allow_empty: Annotated[bool, Meta(description="Accept that no VM matches: the group holds actions only.")] = False


class Actions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Actions around a phase of the whole plan."""

    before: Annotated[tuple[RecoveryAction, ...], Meta(description="In order.")] = ()
    after: Annotated[tuple[RecoveryAction, ...], Meta(description="In order.")] = ()


class RecoveryPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """Which VMs fail over together, in which order, with what done in between. Its name in Azure is the document's."""

    route: Annotated[str, Meta(min_length=1, description="Name of the ReplicationRoute of its VMs.")]
    groups: Annotated[tuple[RecoveryGroup, ...], Meta(min_length=1, max_length=7, description="In order (ASR-60).")]
    shutdown: Annotated[Actions, Meta(description="Actions around the shutdown of the source VMs.")] = Actions()
    failover: Annotated[Actions, Meta(description="Actions around the failover itself.")] = Actions()


_AT_WORK = frozenset({"notstarted", "inprogress", "suspended", "cancelling"})


@dataclass(frozen=True, slots=True)
class RecoveryPlanFacts:
    """`observed` of a live `recovery_plan` resource. Shared with drills and failovers.

    `items` are the protected items of its groups, in order. `allowed_operations` are Azure's words, and gate every
    operation (ASR-50). `scenario` is what a job does with the plan, `scenario_status` how far it is ("Suspended": a
    manual action waits), `job_id` that job. Times are aware UTC.
    """

    plan_id: ArmId
    vault_id: ArmId
    primary_region: str
    recovery_region: str
    items: tuple[ArmId, ...] = ()
    allowed_operations: tuple[str, ...] = field(default=(), metadata=VOLATILE)
    scenario: str = field(default="", metadata=VOLATILE)
    scenario_status: str = field(default="", metadata=VOLATILE)
    job_id: str = field(default="", metadata=VOLATILE)
    last_test_failover: datetime | None = field(default=None, metadata=VOLATILE)
    last_failover: datetime | None = field(default=None, metadata=VOLATILE)

    @property
    def busy(self) -> bool:
        """Whether a job works on it, or waits for a person: Azure refuses changes until it has ended."""
        return self.scenario_status.replace(" ", "").lower() in _AT_WORK
