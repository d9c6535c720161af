"""What the estate may choose about the service: limits, and rules that sources contradict each other on."""

import msgspec

from reconciler.emulator.providers.backup_names import POLICIES
from reconciler.emulator.providers.backup_refusals import refuse
from reconciler.emulator.world import World

_COLLECTION = "backup"


class Limits(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """`settings` in the backup section of an estate."""

    policy_writes_per_day: int = 50  # BP-53, counted per vault
    policies_per_vault: int = 200  # BP-51
    items_per_vault: int = 1000  # BP-50
    cross_subscription: bool = False  # BP-61: may a vault protect a VM of another subscription?
    soft_delete_can_be_disabled: bool = False  # BP-76: no longer, since November 2025


def read_limits(world: World) -> Limits:
    kept = world.store.document(_COLLECTION, "settings")
    return msgspec.convert(kept, Limits) if kept else Limits()


def set_limits(world: World, limits: Limits) -> None:
    world.store.put_document(_COLLECTION, "settings", msgspec.to_builtins(limits))


def count_policy_write(world: World, vault_id: str) -> None:
    """Raises the refusal of the write that goes beyond the day's limit of the vault (BP-53)."""
    day = world.clock.now().date().isoformat()
    key = f"policy-writes {vault_id.lower()}"
    kept = world.store.document(_COLLECTION, key) or {}
    written = kept["writes"] if kept.get("day") == day else 0
    if written >= read_limits(world).policy_writes_per_day:
        message = (
            "Operation is blocked as you have reached the limit on number of operations permitted in 24 hours.\r\n"
            "Contact Microsoft support or retry after 24 hours."
        )
        raise refuse("BP-53", "CloudDosAbsoluteLimitReached", message)
    world.store.put_document(_COLLECTION, key, {"day": day, "writes": written + 1})


def check_policy_room(world: World, vault_id: str) -> None:
    """Raises when the vault holds all the policies it may (BP-51). Plausible code: not recorded."""
    if world.store.count(POLICIES, vault_id) >= read_limits(world).policies_per_vault:
        message = "The number of policies in the vault has reached the limit.\r\nDelete policies that are not in use."
        raise refuse("BP-51", "BMSUserErrorPolicyLimitReached", message)
