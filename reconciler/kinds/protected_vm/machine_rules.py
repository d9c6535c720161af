"""Rules that need the VM itself: BP-42 to BP-45, BP-95. One finding for all VMs of a Protection that break one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from reconciler.kinds.base import Assignment
from reconciler.kinds.phrases import some_names
from reconciler.kinds.protected_vm.document import Backup, DiskList
from reconciler.kinds.protected_vm.rules import MAX_DATA_DISKS
from reconciler.kinds.protected_vm.spec import disks_written
from reconciler.model.document import Declared
from reconciler.model.source import Source
from reconciler.plan.finding import Finding, Severity

ENHANCED_ONLY_DISKS = frozenset({"UltraSSD_LRS", "PremiumV2_LRS"})
VMS_PER_POLICY = 100


@dataclass(frozen=True, slots=True)
class Candidate:
    """One VM that is to be protected, and the tier of its policy."""

    assignment: Assignment
    tier: str

    @property
    def aspect(self) -> Backup:
        value: Backup = self.assignment.value
        return value


@dataclass(frozen=True, slots=True)
class MachineRule:
    """`breach` gives what is wrong with one VM, or None; equal words of one Protection are told once, at `path`."""

    id: str
    severity: Severity
    source: str
    path: tuple[str, ...]
    breach: Callable[[Candidate], str | None]
    advice: str


def _trusted_launch(candidate: Candidate) -> str | None:
    if candidate.tier == "Standard" and candidate.assignment.machine.security_type == "TrustedLaunch":
        return "Azure recommends tier Enhanced for Trusted Launch VMs"
    return None


def _disk_types(candidate: Candidate) -> str | None:
    needing = ENHANCED_ONLY_DISKS.intersection(candidate.assignment.machine.disk_types)
    if candidate.tier == "Standard" and needing:
        return f"{', '.join(sorted(needing))} disks need a policy of tier Enhanced"
    return None


def _confidential(candidate: Candidate) -> str | None:
    if candidate.assignment.machine.security_type == "ConfidentialVM":
        return "backup of confidential VMs is in preview in some regions and unsupported in others"
    return None


def _too_many_disks(candidate: Candidate) -> str | None:
    count = len(candidate.assignment.machine.data_disks)
    return f"{count} data disks; Azure backs up {MAX_DATA_DISKS} at most" if count > MAX_DATA_DISKS else None


def _missing_luns(candidate: Candidate) -> str | None:
    if not isinstance(candidate.aspect.disks, DiskList):
        return None
    luns = disks_written(candidate.aspect.disks).luns
    missing = sorted(set(luns).difference(candidate.assignment.machine.data_disks))
    if not missing:
        return None
    return f"no data disk with LUN {', '.join(str(lun) for lun in missing)}"


MACHINE_RULES = (
    MachineRule(
        "BP-42", Severity.WARNING, "iaas, enh", ("backup", "policy"), _trusted_launch, "use an Enhanced policy"
    ),
    MachineRule("BP-43", Severity.ERROR, "iaas, enh", ("backup", "policy"), _disk_types, "use an Enhanced policy"),
    MachineRule("BP-44", Severity.DOUBT, "iaas", ("backup",), _confidential, "exempt them, or try one VM first"),
    MachineRule("BP-45", Severity.ERROR, "iaas", ("backup",), _too_many_disks, "exempt them, or detach disks"),
    MachineRule(
        "BP-95", Severity.ERROR, "sel, tf-pvm, cli", ("backup", "disks"), _missing_luns, "select only VMs that have it"
    ),
)


def check_machines(assignments: Iterable[Assignment], declared: Declared) -> Iterator[Finding]:
    """What Azure would refuse of these VMs, as far as their list tells."""
    policies: dict[str, Any] = {
        document.name.casefold(): document.value for document in declared.documents if document.kind == "BackupPolicy"
    }
    broken: dict[tuple[MachineRule, str, Source, str], list[str]] = defaultdict(list)
    for assignment in assignments:
        tier = getattr(policies.get(assignment.value.policy.casefold()), "tier", "")
        candidate = Candidate(assignment, tier)
        for rule in MACHINE_RULES:
            message = rule.breach(candidate)
            if message:
                where = assignment.protection.at(*rule.path)
                broken[rule, message, where, assignment.protection.name].append(assignment.machine.name)
    for (rule, message, where, name), names in broken.items():
        yield Finding(
            code=rule.id,
            severity=rule.severity,
            message=f"Protection {name}, {some_names(names)}: {message}",
            advice=rule.advice,
            source=where,
            rule_source=rule.source,
        )
