"""VMs of an estate that is adopted: a few lines each."""

from __future__ import annotations

from typing import Any

from reconciler.model.arm_id import ArmId
from reconciler.model.machine import Machine, OsType

PROD = "11111111-1111-4111-8111-111111111111"
DEV = "22222222-2222-4222-8222-222222222222"


def vm(name: str, group: str = "rg-app", subscription: str = "prod", **fields: Any) -> Machine:
    """A VM; `os` is Windows or Linux, all else as in Machine."""
    identity = PROD if subscription == "prod" else DEV
    system = OsType(fields.pop("os", "Linux"))
    return Machine(
        arm_id=ArmId(
            f"/subscriptions/{identity}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/{name}"
        ),
        subscription=subscription,
        resource_group=group,
        name=name,
        location=fields.pop("location", "westeurope"),
        os_type=system,
        **fields,
    )
