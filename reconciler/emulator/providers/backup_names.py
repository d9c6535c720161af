"""How Azure Backup spells the names of VMs: several casings of one resource group live side by side.

Recorded: the group in a container's name is mostly lower-cased, often kept and sometimes upper-cased; the VM's name
is mostly lower-cased; containers show the group upper-cased. Which spelling a VM gets hangs on its id alone.
"""

from itertools import pairwise
from zlib import crc32

VAULTS = "Microsoft.RecoveryServices/vaults"
POLICIES = f"{VAULTS}/backupPolicies"
CONTAINERS = f"{VAULTS}/backupFabrics/protectionContainers"
ITEMS = f"{CONTAINERS}/protectedItems"
JOBS = f"{VAULTS}/backupJobs"
GUARD_PROXIES = f"{VAULTS}/backupResourceGuardProxies"
MACHINES = "Microsoft.Compute/virtualMachines"

VAULT = "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.RecoveryServices/vaults/{vault}"
CONTAINER = VAULT + "/backupFabrics/{fabric}/protectionContainers/{container}"
ITEM = CONTAINER + "/protectedItems/{item}"

_LOWER, _KEPT = 71, 96  # of 100; the rest is upper-cased
_LOWER_VM = 84


def draw(*words: object) -> int:
    """A number that hangs on these words alone: chance that is the same in every run and process."""
    return crc32("/".join(str(word) for word in words).lower().encode())


def part(resource_id: str, kind: str) -> str:
    """The segment after `kind` in an ARM id, in its own casing; "" if there is none."""
    segments = resource_id.split("/")
    for name, value in pairwise(segments):
        if name.lower() == kind.lower():
            return value
    return ""


def spell_group(vm_id: str) -> str:
    group = part(vm_id, "resourceGroups")
    chance = draw("group", vm_id) % 100
    return group.lower() if chance < _LOWER else group if chance < _KEPT else group.upper()


def spell_machine(vm_id: str) -> str:
    name = part(vm_id, "virtualMachines")
    return name.lower() if draw("vm", vm_id) % 100 < _LOWER_VM else name


def vm_name(vm_id: str) -> str:
    """`iaasvmcontainerv2;{group};{vm}`: what containers, items and protectable items have in common."""
    return f"iaasvmcontainerv2;{spell_group(vm_id)};{spell_machine(vm_id)}"


def container_id(vault_id: str, vm_id: str) -> str:
    return f"{vault_id}/backupFabrics/Azure/protectionContainers/IaasVMContainer;{vm_name(vm_id)}"


def item_id(vault_id: str, vm_id: str) -> str:
    return f"{container_id(vault_id, vm_id)}/protectedItems/VM;{vm_name(vm_id)}"


def upper_group(vm_id: str) -> str:
    """The VM's id as containers show it, with the resource group in capitals, for every second VM."""
    if draw("container", vm_id) % 2:
        return vm_id
    group = part(vm_id, "resourceGroups")
    return vm_id.replace(f"/{group}/", f"/{group.upper()}/", 1)
