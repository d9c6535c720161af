"""Vaults and where their resources are addressed: what every kind that lives in a vault needs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from reconciler.azure.clients import Azure
from reconciler.azure.failures import unreadable
from reconciler.azure.vault_list import vault_list
from reconciler.errors import AzureError
from reconciler.kinds.base import Verdict
from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.casing import fold
from reconciler.model.document import Declared
from reconciler.model.live import Live, Unreadable
from reconciler.model.location import normalise_location
from reconciler.model.observed import VaultFacts
from reconciler.model.protection import Protection
from reconciler.model.vault import OnRelease, Vault, vault_id
from reconciler.plan.change import Action, Reason


@dataclass(frozen=True, slots=True)
class LocatedVault:
    """A vault of a subscription of the Scope. `group` is `alias/rg`; `scope` is `alias/rg/vault`, the address scope of
    what lies in it, both in the spelling of the policies where they declare the vault."""

    name: str
    group: str
    location: str
    arm_id: ArmId
    declared: bool
    on_release: OnRelease = "keep"

    @property
    def scope(self) -> str:
        return f"{self.group}/{self.name}"

    @property
    def address(self) -> Address:
        return Address("vault", self.group, self.name)

    @property
    def settings(self) -> Address:
        return Address("vault_settings", self.group, self.name)

    @property
    def lane(self) -> str:
        return self.arm_id.key


def declared_vaults(declared: Declared) -> dict[ArmId, LocatedVault]:
    """The vaults that the policies declare, by ARM id, in order of name. Unknown aliases are the loader's business."""
    found: dict[ArmId, LocatedVault] = {}
    for name, document in sorted(declared.of("Vault", Vault).items()):
        arm_id = vault_id(document, declared)
        if arm_id is None:
            continue
        vault = document.value
        found[arm_id] = LocatedVault(
            name=name,
            group=f"{vault.subscription}/{vault.resource_group}",
            location=normalise_location(vault.location),
            arm_id=arm_id,
            declared=True,
            on_release=vault.on_release,
        )
    return found


def vaults_left(declared: Declared) -> frozenset[str]:
    """The vaults that aspects move VMs out of (`moveFrom`): folded names and ids."""
    protections = declared.of("Protection", Protection).values()
    aspects = (aspect for document in protections for aspect in document.value.aspects.values())
    return frozenset(fold(name.strip("/")) for aspect in aspects for name in getattr(aspect, "move_from", None) or ())


def vault_at(settings: Address, declared: Declared) -> ArmId | None:
    """The ARM id of the vault with this address of its settings; None for a subscription outside the Scope."""
    alias, _, group = settings.scope.partition("/")
    subscription = declared.subscriptions.get(alias)
    if subscription is None:
        return None
    return ArmId(
        f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.RecoveryServices/vaults"
    ).child(settings.name)


async def live_vaults(azure: Azure, declared: Declared, kind: str) -> tuple[list[LocatedVault], list[Unreadable]]:
    """Every vault of the Scope's subscriptions, and a gap for each subscription whose vaults could not be listed."""
    known = declared_vaults(declared)

    async def read(alias: str, subscription_id: str) -> list[LocatedVault] | Unreadable:
        try:
            vaults = await vault_list(azure, subscription_id)
        except AzureError as error:
            return unread_vaults(error, kind, alias)
        return [
            known.get(vault.arm_id) or LocatedVault(vault.name, vault.scope(alias), vault.region, vault.arm_id, False)
            for vault in vaults
        ]

    answers = await asyncio.gather(*(read(*pair) for pair in declared.subscriptions.items()))
    vaults = [vault for answer in answers if not isinstance(answer, Unreadable) for vault in answer]
    return vaults, [answer for answer in answers if isinstance(answer, Unreadable)]


def unread_vaults(error: AzureError, kind: str, alias: str) -> Unreadable:
    """The gap that a failed list of vaults leaves; one and the same for every kind that reads it."""
    return unreadable(
        error,
        kinds=(kind,),
        scope=alias,
        what=f"the list of Recovery Services vaults in subscription {alias}",
        action="Microsoft.RecoveryServices/vaults/read",
    )


def vault_facts(live: Live, settings: Address) -> VaultFacts:
    """What is known of a vault's protection settings; those of a new vault where it is not there yet. What must not go
    wrong where they could not be read asks `settings_unread` first."""
    found = live.state.get(settings)
    if found is not None and isinstance(found.observed, VaultFacts):
        return found.observed
    return VaultFacts(location=found.location if found else "")


def settings_unread(live: Live, settings: Address) -> Verdict | None:
    """The refusal of a change that hangs on how its vault is set, where that could not be read."""
    gap = None if settings in live.state else live.hides(settings)
    if gap is None:
        return None
    return Verdict(
        Action.BLOCKED,
        Reason.UNREADABLE,
        f"how vault {settings.name} is set is not known: {gap.message}",
        gap.advice or "plan again once it can be read",
    )
