"""What the service checks before it touches the protection of a VM (rules.md §1e-§1k)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.emulator.providers.backup_failures import VM_NOT_FOUND, describe_failure
from reconciler.emulator.providers.backup_limits import read_limits
from reconciler.emulator.providers.backup_names import ITEMS, MACHINES, part
from reconciler.emulator.providers.backup_policy_rules import policy_tier
from reconciler.emulator.providers.backup_refusals import (
    refuse,
    refuse_conflict,
    refuse_item_request,
    refuse_on_immutable,
    refuse_soft_deleted,
)
from reconciler.emulator.providers.backup_retention import is_retention_reduced
from reconciler.emulator.providers.protected_item_states import Protection, read_protection
from reconciler.emulator.providers.vault_settings import is_immutable
from reconciler.emulator.world import World

Body = dict[str, Any]

TRUSTED_LAUNCH_ON_STANDARD_SINCE = "2025-01-01"
MAX_DATA_DISKS = 32
ENHANCED_ONLY_DISKS = ("UltraSSD_LRS", "PremiumV2_LRS")
OS_DISK_LUN = -1


@dataclass(frozen=True)
class Aim:
    """Which item of which vault a request is about. `held` is None for a VM that the vault does not know."""

    vault: Body
    item_id: str
    vm_id: str
    held: Protection | None


def canonical_vm(world: World, sent: str) -> str:
    """The VM's id with the names as their owners spell them, whatever casing was sent."""
    names = part(sent, "subscriptions"), part(sent, "resourceGroups"), part(sent, "virtualMachines")
    if not all(names) or f"/providers/{MACHINES}/".lower() not in sent.lower():
        raise refuse_item_request(f"sourceResourceId {sent!r} is not the id of a virtual machine")
    subscription, group, name = names
    held_group = world.store.get(f"/subscriptions/{subscription}/resourceGroups/{group}")
    held = world.store.get(sent)
    group = held_group["name"] if held_group else group
    return f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{MACHINES}/{held['name'] if held else name}"


def check_names(container: str, item: str, vm_id: str) -> None:
    """The container and the item are named after the VM; casing does not matter."""
    wanted = f"iaasvmcontainerv2;{part(vm_id, 'resourceGroups')};{part(vm_id, 'virtualMachines')}".lower()
    if container.lower() != f"iaasvmcontainer;{wanted}" or item.lower() != f"vm;{wanted}":
        raise refuse_item_request(f"{container}/{item} is not named after {vm_id}")


def check_idle(world: World, item_id: str) -> None:
    if world.operations.running(item_id):
        raise refuse_conflict()


def check_enable(world: World, aim: Aim, policy: Body, disks: Mapping[str, Any] | None, api_version: str) -> None:
    """Everything about protecting a VM with a policy: a new VM, a changed policy or a resumed one."""
    if aim.held is not None and aim.held.deleted_at is not None:
        raise refuse_soft_deleted()
    machine = world.store.get(aim.vm_id)
    if machine is None:
        raise refuse("item", VM_NOT_FOUND, str(describe_failure(VM_NOT_FOUND)["message"]))
    if policy["properties"]["backupManagementType"] != "AzureIaasVM":
        message = "Policy is not valid for given provider type. Please choose valid policy for given provider."
        raise refuse("item", "BMSUserErrorInvalidPolicyForGivenProvider", message)
    _check_place(world, aim, machine)
    if aim.held is None:
        _check_room(world, aim.vault["id"])
    _check_elsewhere(world, aim)
    check_machine(machine, policy["properties"], api_version, is_new=aim.held is None)
    if disks is not None:
        _check_disks(machine, disks)
    if aim.held is not None:
        _check_change(world, aim.vault, aim.held, machine, policy)


def _check_place(world: World, aim: Aim, machine: Body) -> None:
    if machine["location"].replace(" ", "").lower() != aim.vault["location"]:
        message = (
            "The VM should be in the same location as that of the Recovery Services vault to enable protection\r\n"
            f"The VM is in {machine['location']}, the vault in {aim.vault['location']}."
        )
        raise refuse("BP-60", "BMSUserErrorInvalidInput", message)
    foreign = part(aim.vm_id, "subscriptions").lower() != part(aim.vault["id"], "subscriptions").lower()
    if foreign and not read_limits(world).cross_subscription:
        raise refuse("BP-61", "BMSUserErrorInvalidInput", "Input provided for the call is invalid")


def _check_room(world: World, vault_id: str) -> None:
    if world.store.count(ITEMS, vault_id) >= read_limits(world).items_per_vault:
        message = "The vault has reached the limit of virtual machines that it can protect."
        raise refuse("BP-50", "BMSUserErrorVaultItemLimitReached", message)


def _check_elsewhere(world: World, aim: Aim) -> None:
    """BP-62: one active protection a VM. A stopped or soft-deleted one in another vault is no obstacle."""
    for other in world.store.find(ITEMS, vm=aim.vm_id):
        if other.lower() != aim.item_id.lower() and (held := read_protection(world, other)).is_active:
            message = (
                "The virtual machine is already protected in another Recovery Services vault\r\n"
                f"Stop its protection in the vault {held.vault.rpartition('/')[2]} and retry the operation."
            )
            raise refuse("BP-62", "UserErrorVmAlreadyProtectedInAnotherVault", message)


def check_machine(machine: Mapping[str, Any], policy: Mapping[str, Any], api_version: str, *, is_new: bool) -> None:
    """BP-42 to BP-45: kinds of VMs and disks. `is_new` is false where the VM has been protected before."""
    properties = machine.get("properties", {})
    storage = properties.get("storageProfile") or {}
    os_disk, data_disks = storage.get("osDisk") or {}, storage.get("dataDisks") or []
    security = security_of(machine)
    if security == "ConfidentialVM":
        raise refuse("BP-44", "UserErrorConfidentialVMNotSupported", "Backup of confidential VMs is not supported.")
    if os_disk.get("writeAcceleratorEnabled"):
        message = "Virtual machines with a write-accelerated OS disk are not supported."
        raise refuse("BP-45", "UserErrorWriteAcceleratorNotSupported", message)
    if len(data_disks) > MAX_DATA_DISKS:
        message = f"Virtual machines with more than {MAX_DATA_DISKS} data disks are not supported."
        raise refuse("BP-45", "UserErrorUnsupportedDataDiskCount", message)
    if policy_tier(policy) == "V2":
        return
    if security == "TrustedLaunch" and is_new and api_version < TRUSTED_LAUNCH_ON_STANDARD_SINCE:
        message = "Trusted Launch virtual machines can be protected with an Enhanced policy only."
        raise refuse("BP-42", "UserErrorTrustedLaunchVMNotSupported", message)
    skus = {(disk.get("managedDisk") or {}).get("storageAccountType") for disk in (os_disk, *data_disks)}
    if skus & set(ENHANCED_ONLY_DISKS):
        message = "Ultra disks and Premium SSD v2 disks can be protected with an Enhanced policy only."
        raise refuse("BP-43", "UserErrorDiskTypeNotSupportedWithStandardPolicy", message)


def security_of(machine: Mapping[str, Any]) -> str:
    return str((machine.get("properties", {}).get("securityProfile") or {}).get("securityType") or "")


def _check_disks(machine: Mapping[str, Any], disks: Mapping[str, Any]) -> None:
    """BP-95: distinct LUNs that the VM has; the OS disk has none and is always kept."""
    luns, inclusion = disks.get("diskLunList"), disks.get("isInclusionList")
    data_disks = (machine.get("properties", {}).get("storageProfile") or {}).get("dataDisks") or []
    known = {disk.get("lun") for disk in data_disks}
    if not isinstance(luns, list) or not isinstance(inclusion, bool):
        raise refuse_item_request("BP-95 diskExclusionProperties needs diskLunList and isInclusionList")
    if len(set(luns)) != len(luns) or not set(luns) <= known:
        raise refuse_item_request(f"BP-95 LUNs {luns} are not distinct disks of the VM, which has {sorted(known)}")


def split_disks(machine: Mapping[str, Any], disks: Mapping[str, Any]) -> tuple[list[Body], list[Body]]:
    """The disks of a VM that are backed up, and those that are not, as lun and name; the OS disk is always kept."""
    storage = machine["properties"]["storageProfile"]
    attached: list[Body] = [{"lun": OS_DISK_LUN, "name": storage["osDisk"].get("name", "")}]
    attached += [{"lun": disk["lun"], "name": disk.get("name", "")} for disk in storage.get("dataDisks") or []]
    named, inclusion = set(disks["diskLunList"]), disks["isInclusionList"]
    kept = [disk for disk in attached if disk["lun"] == OS_DISK_LUN or (disk["lun"] in named) == inclusion]
    return kept, [disk for disk in attached if disk not in kept]


def _check_change(world: World, vault: Body, held: Protection, machine: Body, policy: Body) -> None:
    if held.security == "TrustedLaunch" and security_of(machine) != "TrustedLaunch":
        message = "Backup of a virtual machine that replaces a Trusted Launch one under the same name is not supported."
        raise refuse("BP-46", "UserErrorMigrationFromTrustedLaunchVMToNonTrustedVMNotAllowed", message)
    before = world.store.get(held.policy or held.last_policy)
    if before is None or before["id"].lower() == policy["id"].lower():
        return
    tiers = policy_tier(before["properties"]), policy_tier(policy["properties"])
    if tiers == ("V2", "V1"):
        message = "Changing the policy of a protected item from Enhanced to Standard is not supported."
        raise refuse("BP-40", "UserErrorMigrationFromEnhancedToStandardPolicyNotAllowed", message)
    if tiers == ("V1", "V2") and held.pending:
        message = "Another backup operation is currently in progress."
        raise refuse("BP-41", "UserErrorBackupOperationInProgress", message)
    if is_immutable(vault["properties"]) and is_retention_reduced(before["properties"], policy["properties"]):
        raise refuse_on_immutable("BP-81", "the policy keeps less than the one before")


def check_delete(vault: Body, held: Protection) -> None:
    if held.deleted_at is not None:
        raise refuse_soft_deleted()
    if is_immutable(vault["properties"]) and held.points:
        raise refuse_on_immutable("BP-81", "the item has recovery points that have not expired")
