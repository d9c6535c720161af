"""What the service checks before it restores (rules.md §1l). Codes that no source names are plausible and listed so."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.emulator.failures import ArmError, group_not_found
from reconciler.emulator.providers.backup_failures import VM_NOT_FOUND, describe_failure
from reconciler.emulator.providers.backup_names import part
from reconciler.emulator.providers.backup_refusals import refuse
from reconciler.emulator.providers.compute import power_state
from reconciler.emulator.providers.restore_requests import (
    NEW_MACHINE,
    RECOVERY_TYPES,
    REHYDRATION,
    REPLACE,
    REQUEST,
    RestoreSource,
    choose_luns,
    staging_account,
)
from reconciler.emulator.world import World

Body = Mapping[str, Any]

RESTORES_PER_DAY = 20
NETWORK_ACCESS = ("SameAsOnSourceDisks", "EnablePrivateAccessForAllDisks", "EnablePublicAccessForAllDisks")


@dataclass(frozen=True)
class Ask:
    """A restore as it was asked for. ``region`` is where it is to go, ``secondary`` that this is the other region."""

    source: RestoreSource
    sent: Body
    point_name: str
    region: str
    secondary: bool = False

    @property
    def kind(self) -> str:
        return str(self.sent.get("recoveryType") or "")

    @property
    def targets(self) -> tuple[str, ...]:
        """The ids of whatever the restore writes to."""
        named = (self.sent.get(name) for name in ("targetResourceGroupId", "targetVirtualMachineId"))
        return tuple(str(target) for target in (*named, staging_account(self.sent)) if target)


def check_restore(world: World, ask: Ask) -> None:
    """Raises the refusal of the first rule that the request breaks."""
    for rule in _RULES:
        rule(world, ask)


def find_refusals(world: World, ask: Ask) -> Iterator[ArmError]:
    """The refusals of all rules that the request breaks. One of a wrong form has no others."""
    for rule in _RULES:
        try:
            rule(world, ask)
        except ArmError as refusal:
            yield refusal
            if rule is _check_form:
                return


def _invalid(rule: str, hint: str) -> ArmError:
    return refuse(rule, "BMSUserErrorInvalidInput", "Input provided for the call is invalid", hint=hint)


def _check_form(_world: World, ask: Ask) -> None:
    sent, source = ask.sent, ask.source
    if sent.get("objectType") == REHYDRATION:
        message = "The recovery point is not in the archive tier, so there is nothing to rehydrate."
        raise refuse("BP-104", "UserErrorRecoveryPointNotArchived", message)
    if sent.get("objectType") != REQUEST:
        raise _invalid("BP-100", f"objectType {sent.get('objectType')!r} is not {REQUEST}")
    if ask.kind not in RECOVERY_TYPES:
        raise _invalid("BP-100", f"recoveryType {ask.kind!r} is none of {', '.join(RECOVERY_TYPES)}")
    if sent.get("recoveryPointId", ask.point_name) != ask.point_name:
        raise _invalid("BP-100", f"recoveryPointId {sent['recoveryPointId']!r} is not the point of the URL")
    named = str(sent.get("sourceResourceId") or source.protection.vm)
    if named.lower() != source.protection.vm.lower():
        raise _invalid("BP-100", f"sourceResourceId {named!r} is not the VM of the protected item")
    if str(sent.get("region") or ask.region).replace(" ", "").lower() != ask.region:
        raise _invalid("BP-100", f"region {sent['region']!r} is not {ask.region}")


def _check_tier(_world: World, ask: Ask) -> None:
    """A point that never reached the vault goes with its snapshot, also where a stopped item keeps it in its list."""
    if not ask.source.is_fresh and not ask.source.is_vaulted:
        message = "The snapshot of the recovery point is gone, and the recovery point is not in the vault."
        raise refuse("BP-112", "UserErrorInstantRpNotFound", message)


def _check_luns(_world: World, ask: Ask) -> None:
    choose_luns(ask.sent, ask.source)


def _check_staging(world: World, ask: Ask) -> None:
    """An account that does not exist is found out by the job only: recorded so. One elsewhere is refused."""
    account_id = staging_account(ask.sent)
    if not account_id:
        raise _invalid("BP-100", "storageAccountId is missing")
    account = world.store.get(account_id)
    if account is not None and str(account["location"]).lower() != ask.region:
        message = (
            f"The storage account must be in the region {ask.region} to which the virtual machine is restored\r\n"
            f"The storage account {account['name']} is in {account['location']}."
        )
        raise refuse("BP-100", "UserErrorStagingStorageAccountInOtherRegion", message)
    wants_identity = (ask.sent.get("identityInfo") or {}).get("isSystemAssignedIdentity")
    if wants_identity and "systemassigned" not in str((ask.source.vault.get("identity") or {}).get("type")).lower():
        message = "The vault has no system-assigned identity to access the storage account with."
        raise refuse("BP-100", "UserErrorVaultIdentityNotFound", message)


def _check_groups(world: World, ask: Ask) -> None:
    for target in ask.targets[:-1]:
        group = part(target, "resourceGroups")
        if not world.store.has(f"/subscriptions/{part(target, 'subscriptions')}/resourceGroups/{group}"):
            raise group_not_found(group)


def _check_new_machine(world: World, ask: Ask) -> None:
    """BP-105: a name that is free, a network and a subnet that are there, and a group; all or none."""
    if ask.kind != NEW_MACHINE:
        return
    needed = ("targetVirtualMachineId", "virtualNetworkId", "subnetId", "targetResourceGroupId")
    missing = [name for name in needed if not ask.sent.get(name)]
    if missing:
        raise _invalid("BP-105", f"a restore to a new VM needs {', '.join(missing)}")
    machine, network, subnet = (str(ask.sent[name]) for name in needed[:3])
    if world.store.has(machine):
        message = f"A virtual machine with the name {part(machine, 'virtualMachines')} already exists."
        raise refuse("BP-105", "UserErrorTargetVirtualMachineAlreadyExists", message)
    held = world.store.get(network)
    below = subnet.lower().startswith(f"{network.lower()}/subnets/")
    if held is None or held["location"] != ask.region or not below or not world.store.has(subnet):
        message = (
            f"The virtual network or subnet was not found in the region {ask.region}\r\nMake sure that {subnet} exists."
        )
        raise refuse("BP-105", "UserErrorTargetVirtualNetworkNotFound", message)


def _check_replace(world: World, ask: Ask) -> None:
    """BP-101: in place of the disks of a VM that is there and does not run."""
    if ask.kind != REPLACE:
        return
    if ask.secondary:
        message = "Replacing the disks of a virtual machine is not supported from the secondary region."
        raise refuse("BP-101", "UserErrorOriginalLocationRestoreNotSupported", message)
    vm_id = ask.source.protection.vm
    if not world.store.has(vm_id):
        raise refuse("BP-101", VM_NOT_FOUND, str(describe_failure(VM_NOT_FOUND)["message"]))
    if power_state(world, vm_id) != "deallocated":
        message = "The virtual machine must be shut down and deallocated before its disks are replaced."
        raise refuse("BP-101", "UserErrorVmNotShutDown", message)


def _check_subscriptions(_world: World, ask: Ask) -> None:
    home = part(ask.source.vault["id"], "subscriptions").lower()
    if all(part(target, "subscriptions").lower() == home for target in ask.targets):
        return
    settings = ask.source.vault["properties"].get("restoreSettings") or {}
    state = (settings.get("crossSubscriptionRestoreSettings") or {}).get("crossSubscriptionRestoreState")
    if state != "Enabled":
        message = "Cross Subscription Restore is disabled for this vault."
        raise refuse("BP-102", "UserErrorCrossSubscriptionRestoreNotAllowed", message)
    if not ask.source.is_vaulted:
        message = "A recovery point that is in the snapshot tier only cannot be restored to another subscription."
        raise refuse("BP-102", "UserErrorCrossSubscriptionRestoreNotAllowed", message)


def _check_zones(_world: World, ask: Ask) -> None:
    """BP-103: to another zone only out of a vault that keeps its data in all of them, or in the other region."""
    source, zones = ask.source, [zone for zone in ask.sent.get("zones") or [] if zone != "NoZone"]
    pinned = source.machine.get("zones") or []
    if not zones or (zones == pinned and not ask.secondary):
        return
    redundancy = source.vault["properties"]["redundancySettings"]["standardTierStorageRedundancy"]
    if source.is_vaulted and (redundancy == "ZoneRedundant" or (ask.secondary and pinned)):
        return
    message = (
        "Cross Zonal Restore is supported for recovery points in the vault tier of a zone-redundant vault, "
        "or of zone-pinned virtual machines in the secondary region."
    )
    raise refuse("BP-103", "UserErrorCrossZonalRestoreNotSupported", message)


def _check_disks(_world: World, ask: Ask) -> None:
    """BP-105: a disk encryption set, and who may reach the restored disks."""
    source, sent = ask.source, ask.sent
    if sent.get("diskEncryptionSetId") and not source.vault["properties"].get("encryption"):
        message = "A disk encryption set can be given only if the vault is encrypted with a customer-managed key."
        raise refuse("BP-105", "UserErrorDiskEncryptionSetNotAllowed", message)
    option = (sent.get("targetDiskNetworkAccessSettings") or {}).get("targetDiskNetworkAccessOption")
    if (option is not None) != has_private_disk(source) or option not in (None, *NETWORK_ACCESS):
        hint = "needed if a disk of the point has private access, and only then"
        raise _invalid("BP-105", f"targetDiskNetworkAccessOption {option!r}: {hint}")
    if option == NETWORK_ACCESS[0] and ask.secondary:
        raise _invalid("BP-105", f"{option} is not possible in the secondary region")


_RULES: tuple[Callable[[World, Ask], None], ...] = (
    _check_form,
    _check_tier,
    _check_luns,
    _check_staging,
    _check_groups,
    _check_new_machine,
    _check_replace,
    _check_subscriptions,
    _check_zones,
    _check_disks,
)


def has_private_disk(source: RestoreSource) -> bool:
    return any(disk["properties"].get("networkAccessPolicy") == "AllowPrivate" for disk in source.disks.values())


def count_restore(world: World, item_id: str) -> None:
    """Raises the refusal of the restore that goes beyond the day's limit of the VM (BP-54). A day is one of UTC."""
    day, key = world.clock.now().date().isoformat(), f"restores {item_id.lower()}"
    kept = world.store.document("backup", key) or {}
    begun = kept["begun"] if kept.get("day") == day else 0
    if begun >= RESTORES_PER_DAY:
        message = f"The limit of {RESTORES_PER_DAY} restores a day is reached for this virtual machine."
        raise refuse("BP-54", "UserErrorRestoreLimitReached", message)
    world.store.put_document("backup", key, {"day": day, "begun": begun + 1})
