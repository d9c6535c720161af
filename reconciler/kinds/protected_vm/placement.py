"""In which vault each VM is protected. A VM stays where it is; new ones go where their policy is followed already, as
far as there is room: the vault that another team has for its own VMs gets nobody else's."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from reconciler.kinds.base import Assignment, Expansion
from reconciler.kinds.located_vault import LocatedVault, declared_vaults
from reconciler.kinds.phrases import some_names
from reconciler.kinds.protected_vm.document import Backup
from reconciler.kinds.protected_vm.inventory import NAME
from reconciler.kinds.protected_vm.rules import moves_from
from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.machine import Machine
from reconciler.model.observed import ItemFacts, ItemState
from reconciler.model.resource import Resource
from reconciler.model.source import Source
from reconciler.plan.finding import Finding, Severity

ACTIVE = frozenset(
    {
        ItemState.PROTECTED,
        ItemState.FIRST_BACKUP_PENDING,
        ItemState.FAILING,
        ItemState.SUSPENDED,
        ItemState.PAUSED,
        ItemState.UNKNOWN,
    }
)
"""States in which Azure refuses to protect the VM in another vault (BP-62); when in doubt, it does."""


def machine_address(machine: Machine) -> Address:
    return Address(NAME, machine.scope, machine.name)


@dataclass
class Placement:
    """Places one assignment after the other; what cannot be placed is told by `findings`, one for a whole group."""

    expansion: Expansion
    vaults: dict[ArmId, LocatedVault]
    used: Counter[ArmId]
    followed: Counter[tuple[ArmId, str]] = field(default_factory=Counter)
    """How many VMs follow each policy of each vault, by folded name."""
    _homeless: dict[tuple[str, str, Source], list[str]] = field(default_factory=lambda: defaultdict(list))
    _crowded: dict[tuple[str, str, Source], list[str]] = field(default_factory=lambda: defaultdict(list))
    _elsewhere: dict[tuple[ArmId, str, Source], list[str]] = field(default_factory=lambda: defaultdict(list))
    _distant: dict[tuple[ArmId, str, Source], list[str]] = field(default_factory=lambda: defaultdict(list))
    _foreign: list[Finding] = field(default_factory=list)

    @classmethod
    def of(cls, expansion: Expansion) -> Placement:
        used: Counter[ArmId] = Counter()
        followed: Counter[tuple[ArmId, str]] = Counter()
        for resource in expansion.live.state.values():
            facts = resource.observed
            if isinstance(facts, ItemFacts):
                used.update([facts.vault_id, *(other.vault_id for other in facts.others)])
                followed[facts.vault_id, facts.policy_name.casefold()] += 1
        return cls(expansion, declared_vaults(expansion.declared), used, followed)

    def place(self, assignment: Assignment, live: Resource | None) -> LocatedVault | None:
        """The vault for one VM, `live` being what is protected of it; None where there is none or where it is not ours
        to choose."""
        aspect: Backup = assignment.value
        holding = self._holding(live)
        if live is not None and not self._may_leave(assignment, live, aspect):
            return None
        if aspect.vault is not None:
            chosen = self._named(assignment, aspect.vault, holding)
            return chosen or next((vault for vault in holding if vault.location == assignment.machine.location), None)
        for vault in holding:
            if vault.location == assignment.machine.location or self._lies_there(live, vault):
                return vault
        return self._with_room(assignment)

    @staticmethod
    def _lies_there(live: Resource | None, vault: LocatedVault) -> bool:
        """True where the VM is active in this vault: then it is in its region, whatever the policies say of that."""
        return live is not None and live.observed.vault_id == vault.arm_id and live.observed.state in ACTIVE

    def _holding(self, live: Resource | None) -> list[LocatedVault]:
        """The declared vaults that hold something of the VM, the one that counts first."""
        if live is None:
            return []
        facts: ItemFacts = live.observed
        ids = (facts.vault_id, *(other.vault_id for other in facts.others))
        return [self.vaults[vault] for vault in ids if vault in self.vaults]

    def _may_leave(self, assignment: Assignment, live: Resource, aspect: Backup) -> bool:
        """False for a VM that is active in a vault of somebody else, unless `moveFrom` names that vault."""
        facts: ItemFacts = live.observed
        if facts.vault_id in self.vaults or facts.state not in ACTIVE or moves_from(aspect, facts.vault_id):
            return True
        self._foreign.append(
            Finding(
                code="foreign-vault",
                message=f"protected in vault {facts.vault_id.name} (policy {facts.policy_name or 'none'}), which no "
                "policy declares; it is left there",
                severity=Severity.WARNING,
                advice=f"declare that vault, or add moveFrom: [{facts.vault_id.name}] to move its VMs",
                source=assignment.source,
                address=str(live.address),
            )
        )
        return False

    def _named(self, assignment: Assignment, name: str, holding: list[LocatedVault]) -> LocatedVault | None:
        vault = next((vault for vault in self.vaults.values() if vault.name.casefold() == name.casefold()), None)
        if vault is None:
            return None  # the loader reports unknown names
        machine = assignment.machine
        source = assignment.protection.at("backup", "vault")
        if vault.location != machine.location:
            self._elsewhere[vault.arm_id, machine.location, source].append(machine.name)
            return None
        if vault.group.partition("/")[0].casefold() != machine.subscription.casefold():
            self._distant[vault.arm_id, machine.subscription, source].append(machine.name)
        if vault not in holding:
            self.used[vault.arm_id] += 1
        return vault

    def _with_room(self, assignment: Assignment) -> LocatedVault | None:
        machine = assignment.machine
        candidates = [
            vault
            for vault in self.vaults.values()
            if vault.location == machine.location
            and vault.group.partition("/")[0].casefold() == machine.subscription.casefold()
        ]
        key = (machine.subscription, machine.location, assignment.source)
        if not candidates:
            self._homeless[key].append(machine.name)
            return None
        limit = self.expansion.declared.scope.value.limits.vms_per_vault
        policy = assignment.value.policy.casefold()
        candidates.sort(key=lambda vault: -self.followed[vault.arm_id, policy])
        vault = next((vault for vault in candidates if self.used[vault.arm_id] < limit), None)
        if vault is None:
            self._crowded[key].append(machine.name)
            return None
        self.used[vault.arm_id] += 1
        return vault

    def findings(self) -> Iterator[Finding]:
        """Everything that could not be placed, or that Azure may refuse."""
        yield from self._foreign
        regions = sorted({vault.location for vault in self.vaults.values()})
        for (alias, location, source), names in self._homeless.items():
            yield Finding(
                code="BP-60",
                message=f"no declared vault in region {location} of subscription {alias} for {some_names(names)}; "
                f"there are vaults in {', '.join(regions) or 'no region'}",
                advice=f"declare a Vault with location: {location} and subscription: {alias}, or name one of another "
                "subscription with backup.vault",
                source=source,
                rule_source="cli, iaas",
            )
        limit = self.expansion.declared.scope.value.limits.vms_per_vault
        for (alias, location, source), names in self._crowded.items():
            yield Finding(
                code="BP-50",
                message=f"the declared vaults in region {location} of subscription {alias} are full ({limit} VMs each)"
                f": no room for {some_names(names)}",
                advice="declare another Vault in that region",
                source=source,
                rule_source="faq, iaas",
            )
        yield from self._wrong_places()

    def _wrong_places(self) -> Iterator[Finding]:
        for (arm_id, location, source), names in self._elsewhere.items():
            vault = self.vaults[arm_id]
            yield Finding(
                code="BP-60",
                message=f"vault {vault.name} is in {vault.location} and {some_names(names)} in {location}: a VM is "
                "protected in its own region",
                advice="name a vault of that region, or leave backup.vault out",
                source=source,
                also=(self._vault_source(vault),),
                rule_source="cli, iaas",
            )
        for (arm_id, alias, source), names in self._distant.items():
            vault = self.vaults[arm_id]
            yield Finding(
                code="BP-61",
                message=f"vault {vault.name} is in another subscription than {some_names(names)} ({alias}): Azure's "
                "pages of 2026-01 refuse that, its CLI 2.91 does it",
                severity=Severity.DOUBT,
                advice=f"try it with one VM first, or declare a vault in subscription {alias}",
                source=source,
                rule_source="iaas, cli",
            )

    def _vault_source(self, vault: LocatedVault) -> Source:
        return self.expansion.declared.of("Vault")[vault.name].at("location")
