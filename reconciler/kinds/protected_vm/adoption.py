"""Live protected VMs → what each VM has of the aspect `backup`.

Only what goes on is adopted. What somebody stopped, suspended or deleted stays so: a Protection would start it again.
A vault need not be named: a VM stays where it is protected.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Literal

from reconciler.kinds.adoption import Adopted, AdoptedEstate, Held, left_out, not_adopted
from reconciler.kinds.base import Assignment
from reconciler.kinds.phrases import some_names
from reconciler.kinds.protected_vm.document import Backup, DiskList
from reconciler.kinds.protected_vm.inventory import NAME
from reconciler.kinds.protected_vm.machine_rules import MACHINE_RULES, Candidate
from reconciler.kinds.protected_vm.spec import Disks, ProtectedVmSpec
from reconciler.model.address import Address
from reconciler.model.document import Document
from reconciler.model.machine import Machine
from reconciler.model.observed import ItemFacts
from reconciler.model.protection import Protection
from reconciler.model.scope import Objectives
from reconciler.model.selector import Selector
from reconciler.model.source import Source
from reconciler.plan.finding import Severity

_NOWHERE = Source("adopt")


def adopt_backups(estate: AdoptedEstate) -> Iterator[Adopted]:
    """One share for each VM whose backups go on under a policy that is written."""
    tiers = _tiers(estate)
    shared: dict[tuple[str, Disks], Backup] = {}
    unwritten: dict[tuple[str, str], list[str]] = defaultdict(list)
    for resource in estate.resources(NAME):
        spec, facts = resource.spec, resource.observed
        if not isinstance(spec, ProtectedVmSpec) or not isinstance(facts, ItemFacts):
            continue
        machine = estate.machines.get(facts.machine_id)
        if machine is None:
            continue  # gone, or of another subscription: the comparison says so
        if spec.state != "Protected" or spec.policy is None:
            yield left_out(resource.address, _resting(spec, facts))
            continue
        policy = spec.policy.address.name
        if not (estate.has("Vault", facts.vault_id.name) and estate.has("BackupPolicy", policy)):
            unwritten[facts.vault_id.name, policy].append(machine.name)
            continue
        key = (policy, spec.disks)
        value = shared.setdefault(key, Backup(policy=policy, disks=_disks(spec.disks)))
        broken = _broken(value, machine, tiers.get(spec.policy.address, ""))
        if broken:
            yield not_adopted(resource.address, f"{broken}; its backup stays as it is, unmanaged")
        else:
            yield Held(machine.arm_id, "backup", value, f"vault {facts.vault_id.name}")
    for (vault, policy), names in sorted(unwritten.items()):
        yield _unwritten(vault, policy, names)


def _resting(spec: ProtectedVmSpec, facts: ItemFacts) -> str:
    what = {
        "SoftDeleted": "its backups were deleted and can still be brought back",
        "Stopped": "its backups are stopped, the recovery points are kept",
        "Suspended": "its backups are suspended",
    }.get(spec.state, f"its state ({facts.state.value}) is not known to this version")
    return f"{what} (vault {facts.vault_id.name}); that is left as it is, and not written"


def _unwritten(vault: str, policy: str, names: list[str]) -> Adopted:
    return not_adopted(
        "",
        f"vault {vault} or policy {policy} is not written, so the backup of {some_names(names)} stays unmanaged",
        "another finding says why",
    )


def _disks(disks: Disks) -> Literal["all", "osOnly"] | DiskList:
    match disks.mode:
        case "only":
            return DiskList(only=disks.luns)
        case "except":
            return DiskList(except_=disks.luns)
        case mode:
            return mode


def _tiers(estate: AdoptedEstate) -> dict[Address, str]:
    found: dict[Address, str] = {}
    for address, resource in estate.live.state.items():
        if address.kind == "backup_policy":
            found[address] = getattr(resource.spec, "tier", "")
    return found


def _broken(value: Backup, machine: Machine, tier: str) -> str:
    """The errors that a Protection of this VM would be: Azure lets be what it would refuse to a new VM."""
    document = Document("Protection", machine.name, Protection(select=Selector(), aspects={}), _NOWHERE)
    candidate = Candidate(Assignment(machine, "backup", value, document, _NOWHERE, Objectives()), tier)
    errors = (rule for rule in MACHINE_RULES if rule.severity is Severity.ERROR)
    return "; ".join(f"{rule.id} {found}" for rule in errors if (found := rule.breach(candidate)))
