"""Whether Azure would replicate a VM: its own answer, asked once for each VM, right before it is enabled.

A plan does not ask: that would be a request for every VM. What can be told from lists, it tells (`machine_rules`).
"""

from __future__ import annotations

import msgspec

from reconciler.azure.clients import Azure
from reconciler.errors import AbsentError, FailedError
from reconciler.kinds.replication.listing import API_VERSION
from reconciler.model.arm_id import ArmId


class ObstacleBody(msgspec.Struct, frozen=True, rename="camel"):
    """One of `errors`."""

    code: str = ""
    message: str = ""
    recommended_action: str = ""
    status: str = ""


class EligibilityProperties(msgspec.Struct, frozen=True, rename="camel"):
    """Eligible is where there are no errors (recorded)."""

    errors: tuple[ObstacleBody, ...] | None = None


class EligibilityBody(msgspec.Struct, frozen=True):
    """`replicationEligibilityResults/default` of a VM."""

    properties: EligibilityProperties = EligibilityProperties()


async def check_eligible(azure: Azure, machine: ArmId) -> None:
    """Raises FailedError with everything that Azure has against the VM, and what it advises."""
    path = machine.child("providers", "Microsoft.RecoveryServices", "replicationEligibilityResults", "default")
    try:
        body = await azure.get(str(path), API_VERSION, EligibilityBody)
    except AbsentError:
        return  # no answer is no objection: enabling tells
    errors = [one for one in body.properties.errors or () if one.status.lower() != "warning"]
    if errors:
        raise FailedError(
            f"Azure would not replicate {machine.name}: nothing was sent",
            code=errors[0].code,
            resource=str(machine),
            why="; ".join(f"{one.code}: {one.message}" for one in errors),
            advice=" ".join(dict.fromkeys(one.recommended_action for one in errors if one.recommended_action)),
        )
