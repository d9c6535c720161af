"""What a restore may do beyond its vault: ARM checks it on whatever the request links to (BP-110)."""

from collections.abc import Iterator

from reconciler.emulator.failures import GATEWAY, ArmError
from reconciler.emulator.providers.authorization import is_allowed
from reconciler.emulator.providers.restore_requests import NEW_MACHINE, REPLACE, staging_account
from reconciler.emulator.providers.restore_rules import Ask
from reconciler.emulator.world import World

WRITE_MACHINE = "Microsoft.Compute/virtualMachines/write"
WRITE_DISK = "Microsoft.Compute/disks/write"
WRITE_ACCOUNT = "Microsoft.Storage/storageAccounts/write"
JOIN = "Microsoft.Network/virtualNetworks/subnets/join/action"


def check_linked(world: World, ask: Ask, principal: str) -> None:
    """Raises ArmError 403 for the first linked resource on which the caller lacks what the restore needs.

    The actions are those of the documented roles; which of them ARM looks at was not recorded.
    """
    scope = f"{ask.source.item_id}/recoveryPoints/{ask.point_name}"
    for action, linked in _needs(ask):
        if linked and not is_allowed(world, action, linked):
            raise ArmError(
                403,
                "LinkedAuthorizationFailed",
                f"The client '{principal}' with object id '{principal}' has permission to perform action "
                f"'Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/recoveryPoints/"
                f"restore/action' on scope '{scope}'; however, it does not have permission to perform action(s) "
                f"'{action}' on the linked scope(s) '{linked}' (respectively) or the linked scope(s) are invalid.",
                headers=GATEWAY,
            )


def _needs(ask: Ask) -> Iterator[tuple[str, str]]:
    yield WRITE_ACCOUNT, staging_account(ask.sent)
    group = str(ask.sent.get("targetResourceGroupId") or "")
    if ask.kind == REPLACE:
        yield WRITE_MACHINE, ask.source.protection.vm
    elif ask.kind == NEW_MACHINE:
        yield WRITE_MACHINE, group
        yield JOIN, str(ask.sent.get("subnetId") or "")
    yield WRITE_DISK, group
