"""Site Recovery's errors: refusals at once, and the causes of operations that fail later (site-recovery.md §8).

A refusal is 400 ``BadRequest`` or 404 ``NotFound`` around one detail, whose code names the cause; a failed operation
tells a number and a sentence, and its job the rest. Recorded: ``FabricArmEntityMissing``, ``VMDisksMissing``,
``SubscriptionIdNotRegisteredWithSrs``, 45005, 150261, 151192, 161011. The other codes are plausible: the rule is
documented, its code was not seen. The rule's id travels in a header that no client reads.
"""

from __future__ import annotations

from reconciler.emulator.failures import SERVICE, ArmError
from reconciler.emulator.providers.backup_refusals import RULE_HEADER
from reconciler.emulator.providers.replication_names import guid_of

_RETRY = "Correct the input and retry the operation."


def refuse(
    rule: str, code: str, message: str, *, causes: str = "", action: str = _RETRY, status: int = 400
) -> ArmError:
    """A refusal at once: nothing was started."""
    detail = {
        "activityId": guid_of("activity", code, message),
        "clientRequestId": guid_of("request", code, message),
        "code": code,
        "message": message,
        "possibleCauses": causes or message,
        "recommendedAction": action,
    }
    said = f"{rule} {message}".encode("ascii", "replace").decode()
    return ArmError(
        status,
        "NotFound" if status == 404 else "BadRequest",
        message,
        details=[detail],
        headers={**SERVICE, RULE_HEADER: " ".join(said.split())},
    )


def missing(kind: str, name: str) -> ArmError:
    """404 for an object of Site Recovery. ``kind`` as in `Fabric`; its code as recorded of fabrics."""
    if kind == "Fabric":
        return refuse(
            "wire",
            "FabricArmEntityMissing",
            f"Fabric with name {name} could not be located.",
            causes="The fabric might have been unregistered from the Microsoft Azure Site Recovery vault.",
            action="Retry the operation with a valid site.",
            status=404,
        )
    code = f"{kind.replace(' ', '')}ArmEntityMissing"
    message = f"{kind} with name {name} could not be located."
    return refuse("wire", code, message, action=f"Retry the operation with a valid {kind.lower()}.", status=404)


def never_used() -> ArmError:
    """400 for any read of a vault that Site Recovery has never served: not 404 (recorded code, plausible words)."""
    message = "The subscription is not registered with the Site Recovery service for this vault."
    action = "Create a replication policy or a fabric in the vault first."
    return refuse("wire", "SubscriptionIdNotRegisteredWithSrs", message, action=action)


def fail(rule: str, code: str, message: str, *, cause: str, task: str = "", action: str = _RETRY) -> ArmError:
    """What an operation that was accepted ends with: its status tells code and message, its job all of it."""
    extra = {"possibleCauses": cause, "recommendedAction": action, "rule": rule, "task": task}
    return ArmError(409, code, message, extra=extra)


def another_job() -> ArmError:
    """What an operation fails with while another one holds the vault or the item (recorded number, plausible words)."""
    return fail(
        "wire",
        "532",
        "The operation could not be started because another operation is in progress.",
        cause="Another operation on the object is in progress.",
        action="Wait until the other operation is finished and retry.",
    )
