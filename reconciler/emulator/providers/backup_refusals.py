"""The errors of Recovery Services, by the rule that raises them.

Status and shape are those of recorded answers where there are any. Marked "plausible": the wire has not been seen
and the code or its text is the nearest known one. The rule id travels in a header that no client reads.
"""

from collections.abc import Sequence

from reconciler.emulator.failures import SERVICE, ArmError
from reconciler.emulator.providers.backup_policy_rules import INSTANT_EXCEEDS_VAULT, Refusal

RULE_HEADER = "x-emulator-rule"
"""Names the broken rule and what is wrong, where Azure's own message names no field."""

_POLICY_FORMAT = (
    "Input for create or update policy is not in proper format\r\nPlease check format of parameters like "
    "schedule time, schedule days, retention time and retention days "
)
_INSTANT_TEXT = (
    "Instant recovery point retention exceeds the vaulted retention of the policy\r\n"
    "Please choose an instant restore retention that is lower than the daily retention "
)


def refuse(rule: str, code: str, message: str, *, status: int = 400, hint: str = "") -> ArmError:
    """A refusal by the backup service: `target`, `details` and `innerError` are there and null."""
    said = f"{rule} {hint or message}".encode("ascii", "replace").decode()
    return ArmError(
        status,
        code,
        message,
        headers={**SERVICE, RULE_HEADER: " ".join(said.split())},
        extra={"target": None, "details": None, "innerError": None},
    )


def refuse_policy(refusals: Sequence[Refusal]) -> ArmError:
    """400 for a policy body. Azure names one code and no field."""
    code = next((found.code for found in refusals if found.code == INSTANT_EXCEEDS_VAULT), refusals[0].code)
    message = _INSTANT_TEXT if code == INSTANT_EXCEEDS_VAULT else _POLICY_FORMAT
    return refuse(refusals[0].rule, code, message, hint="; ".join(f"{r.rule} {r.text}" for r in refusals))


def refuse_item_request(hint: str) -> ArmError:
    """Names or body of a protected item that do not fit together."""
    message = (
        "Input for configure protection is not in proper format\r\n"
        "Please ensure that container exists and other parameters are in valid format"
    )
    return refuse("item", "BMSUserErrorInvalidConfigureProtectionRequest", message, hint=hint)


def refuse_soft_deleted() -> ArmError:
    """Anything but an undelete of a soft-deleted item (BP-72)."""
    message = (
        "This operation on a soft deleted backup item is not allowed\r\n"
        "Undelete the soft deleted backup item and try again."
    )
    return refuse("BP-72", "BMSUserErrorDataSourceInDeferredDeleteState", message)


def refuse_on_immutable(rule: str, hint: str) -> ArmError:
    """BP-81, BP-82; also what the service answers to a suspend in a vault that is not immutable (BP-71)."""
    message = (
        "The Vault and Backup Item is in Immutable state where destructive operations are not supported. "
        "The Vault and Backup Item is immutable, hence operation is denied. "
        "Refer to the documentation to learn more: https://aka.ms/AB-ImmutableVaults-States "
    )
    return refuse(rule, "UserErrorOperationDeniedOnImmutableItem", message, hint=hint)


def refuse_immutability_change(hint: str) -> ArmError:
    """BP-80: Locked at creation or straight from Disabled, or anything once Locked."""
    message = (
        "The immutable vault property for this vault is locked, hence, this setting cannot be disabled. "
        "The vault has its immutable vault property enabled and locked, and it can no longer be reverted to a "
        "non-immutable vault. Refer to the documentation to learn more: https://aka.ms/AB-ImmutableVaults-States "
    )
    return refuse("BP-80", "UserErrorUnsupportedVaultImmutabilityStateChange", message, hint=hint)


def refuse_redundancy_change() -> ArmError:
    """BP-90."""
    message = (
        "Storage Redundancy option is locked when the first machine is registered with the vault, "
        "and cannot be modified thereafter."
    )
    return refuse("BP-90", "StorageModelModifyError", message)


def refuse_guarded(guard: str, operation: str) -> ArmError:
    """BP-85: an operation that a Resource Guard protects, without a request on the guard. Plausible."""
    message = (
        f"The operation {operation} is protected by the resource guard {guard}. "
        "Get the required role on the resource guard and send the operation request of the guard with the call."
    )
    return refuse("BP-85", "UserErrorResourceGuardOperationNotAllowed", message, status=403)


def refuse_conflict() -> ArmError:
    """A second configuration of an item while the first still runs. The code is documented, the status plausible."""
    message = (
        "Another configure protection operation is in progress for this item\r\n"
        "Wait for the previous modify policy operation to finish and retry at a later time."
    )
    return refuse("item", "BMSUserErrorConflictingProtectionOperation", message, status=409)


def not_in_vault(what: str) -> ArmError:
    """404 for an item, job or recovery point that the vault does not have. Plausible: not recorded."""
    return refuse("item", "ResourceNotFound", f"{what} was not found in the vault.", status=404)
