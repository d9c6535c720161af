"""Settings of a vault: redundancy, cross-region restore, soft delete and immutability, each a floor where Azure lets
it be one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar

from reconciler.azure.clients import Azure
from reconciler.azure.failures import failure, unreadable
from reconciler.azure.operations import Accepted, Operation
from reconciler.azure.vault_list import API_VERSION, LiveVault, vault_list, with_settings
from reconciler.errors import AzureError, FailedError
from reconciler.kinds.adoption import Adopted, AdoptedEstate
from reconciler.kinds.base import Comparison, Expansion, Kind, Ownership, Rule, Situation, Verdict
from reconciler.kinds.located_vault import declared_vaults, unread_vaults, vaults_left
from reconciler.kinds.phrases import Phrase
from reconciler.kinds.vault_settings.adoption import adopt_settings
from reconciler.kinds.vault_settings.effects import settings_effects
from reconciler.kinds.vault_settings.phrases import settings_phrases
from reconciler.kinds.vault_settings.spec import (
    IMMUTABILITIES,
    SOFT_DELETE_STATES,
    VaultSettingsSpec,
    facts_of,
    settings_of,
    stronger,
)
from reconciler.kinds.vault_settings.steps import settings_steps
from reconciler.kinds.vault_settings.wire import patch_body
from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.casing import fold
from reconciler.model.document import Declared, Document
from reconciler.model.live import Unreadable
from reconciler.model.location import normalise_location
from reconciler.model.observed import VaultFacts
from reconciler.model.resource import Ref, Resource
from reconciler.model.vault import Vault, settings_address, vault_address, vault_id
from reconciler.plan.change import Action, Consequence, Reason, Step
from reconciler.plan.finding import Finding

_LOOKS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 60.0)
"""Seconds between looks at a vault that does not show the new settings yet: on a new vault some appear minutes late."""


class VaultSettingsKind(Kind[VaultSettingsSpec]):
    """What a declared vault must be set to. Everything stronger than that is left alone."""

    name = "vault_settings"
    title = "vault settings"
    spec = VaultSettingsSpec
    rules: ClassVar[Mapping[str, Rule]] = {
        "vault": Rule.FORBID,
        "redundancy": Rule.UPDATE,
        "cross_region_restore": Rule.UPDATE,
        "soft_delete": Rule.UPDATE,
        "soft_delete_days": Rule.UPDATE,
        "immutability": Rule.UPDATE,
    }

    def expand(self, expansion: Expansion) -> Iterator[Resource | Finding]:
        """The settings of each declared vault: what the document says, over what is there already."""
        for document in expansion.declared.of("Vault", Vault).values():
            arm_id = vault_id(document, expansion.declared)
            if arm_id is None:
                continue
            address = settings_address(document)
            found = expansion.live.state.get(address)
            live = found.spec if found and isinstance(found.spec, VaultSettingsSpec) else None
            yield Resource(
                address=address,
                spec=_wanted(document, live),
                arm_id=arm_id,
                location=normalise_location(document.value.location),
                source=document.source,
                origins={
                    "redundancy": document.at("redundancy"),
                    "cross_region_restore": document.at("crossRegionRestore"),
                    "soft_delete": document.at("softDelete", "state"),
                    "soft_delete_days": document.at("softDelete", "days"),
                    "immutability": document.at("immutability"),
                },
            )

    def adopt(self, estate: AdoptedEstate) -> Iterator[Adopted]:
        return adopt_settings(estate)

    async def read(self, azure: Azure, declared: Declared) -> AsyncIterator[Resource | Unreadable]:
        """The settings of each vault that is declared or that VMs are moved out of: a request each. One that fails
        hides those of its vault, a failed list those of its subscription."""
        ours, left = declared_vaults(declared), vaults_left(declared)

        async def read(alias: str, subscription_id: str) -> list[Resource | Unreadable]:
            try:
                vaults = await vault_list(azure, subscription_id)
            except AzureError as error:
                return [unread_vaults(error, self.name, alias)]
            wanted = (
                vault
                for vault in vaults
                if vault.arm_id in ours or left & {fold(vault.name), vault.arm_id.key.strip("/")}
            )
            return list(await asyncio.gather(*(_read_vault(azure, vault, alias) for vault in wanted)))

        for answers in await asyncio.gather(*(read(*pair) for pair in declared.subscriptions.items())):
            for answer in answers:
                yield answer

    def judge(self, comparison: Comparison[VaultSettingsSpec]) -> Verdict | None:
        """Blocked where Azure allows no way back, or no way there any more."""
        if comparison.desired is None:
            return None
        wanted = comparison.wanted_spec
        if wanted.cross_region_restore and wanted.redundancy != "GeoRedundant":
            return _blocked(
                f"cross-region restore needs redundancy GeoRedundant; the vault is {wanted.redundancy} (BP-91)",
                "leave crossRegionRestore out, or write redundancy: GeoRedundant",
            )
        if comparison.live is None:
            return None
        return _no_way(comparison, comparison.live_spec, wanted)

    def ownership(self, resource: Resource, situation: Situation) -> Ownership:  # noqa: ARG002
        """Nobody else's settings are worth a word: the vault itself is reported."""
        return Ownership.IGNORED

    def steps(self, comparison: Comparison[VaultSettingsSpec], verdict: Verdict) -> tuple[Step, ...]:  # noqa: ARG002
        """One PATCH for each setting; a new vault gets all of them in writing."""
        desired = comparison.desired
        if desired is None or desired.arm_id is None:
            return ()
        return tuple(settings_steps(comparison))

    def consequences(
        self,
        comparison: Comparison[VaultSettingsSpec],
        verdict: Verdict,  # noqa: ARG002
    ) -> tuple[Consequence, ...]:
        """What each setting does to the backups in the vault."""
        return tuple(settings_effects(comparison)) if comparison.desired else ()

    def describe(self, spec: VaultSettingsSpec) -> Iterator[Phrase]:
        return settings_phrases(spec)

    async def perform(self, azure: Azure, step: Step) -> Operation | None:
        """PATCH of the vault: 202 with an operation, or 200 and done."""
        from azure.core.exceptions import AzureError as SdkError

        arm_id = ArmId(step.arguments["id"])
        accepted = Accepted()
        try:
            await azure.vaults(arm_id.subscription).vaults.begin_update(
                arm_id.resource_group,
                arm_id.name,
                patch_body(step.arguments),
                polling=False,
                raw_response_hook=accepted,
            )
        except SdkError as error:
            raise failure(error, str(arm_id)) from error
        return accepted.operation(str(arm_id))

    async def verify(self, azure: Azure, step: Step) -> None:
        """Reads the vault until it shows the written settings; some appear seconds late."""
        arm_id = ArmId(step.arguments["id"])
        wanted = {name: value for name, value in step.arguments.items() if name != "id"}
        different: dict[str, Any] = {}
        for pause in (*_LOOKS, None):
            vault = await azure.get(str(arm_id), API_VERSION, LiveVault)
            found = settings_of(vault, Ref(step.address))
            different = {name: getattr(found, name) for name, value in wanted.items() if not _kept(name, found, value)}
            if not different:
                return
            if pause is not None:
                await azure.pause(pause)
        told = ", ".join(f"{name} is {there}, not {wanted[name]}" for name, there in different.items())
        raise FailedError(
            f"vault {arm_id.name} is not set as written: {told}",
            resource=str(arm_id),
            why=f"Azure accepted the change and still shows the old value after {sum(_LOOKS):.0f} s",
            advice="run plan to see whether it took effect in the meantime",
        )

    async def running(self, azure: Azure, step: Step, since: datetime) -> Operation | None:  # noqa: ARG002
        """Never: a vault shows nothing of a PATCH under way, and the same PATCH may be sent twice."""
        return None


def _wanted(document: Document[Vault], live: VaultSettingsSpec | None) -> VaultSettingsSpec:
    """What the document says; what it leaves out stays as it is; a floor that is exceeded already is met."""
    vault, ref = document.value, Ref.of(vault_address(document))
    base = live or VaultSettingsSpec(vault=ref)
    soft, days, immutability = base.soft_delete, base.soft_delete_days, base.immutability
    if vault.soft_delete:
        soft = stronger(vault.soft_delete.state, base.soft_delete, SOFT_DELETE_STATES)
        days = max(vault.soft_delete.days, base.soft_delete_days)
    if vault.immutability == "Unlocked":
        immutability = stronger("Unlocked", base.immutability, IMMUTABILITIES)
    elif vault.immutability:
        immutability = vault.immutability
    redundancy = vault.redundancy or base.redundancy
    cross = base.cross_region_restore if vault.cross_region_restore is None else vault.cross_region_restore
    return VaultSettingsSpec(
        vault=ref,
        redundancy=redundancy,
        cross_region_restore=cross,
        soft_delete=soft,
        soft_delete_days=days,
        immutability=immutability,
    )


async def _read_vault(azure: Azure, listed: LiveVault, alias: str) -> Resource | Unreadable:
    scope = listed.scope(alias)
    try:
        vault = await with_settings(azure, listed)
    except AzureError as error:
        return unreadable(
            error,
            kinds=(VaultSettingsKind.name,),
            scope=f"{scope}/{listed.name}",
            what=f"the settings of vault {listed.name}",
            action="Microsoft.RecoveryServices/vaults/read",
        )
    settings = settings_of(vault, Ref.of(Address("vault", scope, vault.name)))
    return Resource(
        address=Address("vault_settings", scope, vault.name),
        spec=settings,
        arm_id=vault.arm_id,
        location=vault.region,
        observed=facts_of(vault, settings),
    )


def _blocked(why: str, manual: str) -> Verdict:
    return Verdict(Action.BLOCKED, Reason.CANNOT_CHANGE, why, manual)


def _no_way(
    comparison: Comparison[VaultSettingsSpec], live: VaultSettingsSpec, wanted: VaultSettingsSpec
) -> Verdict | None:
    facts = comparison.live.observed if comparison.live else None
    locked = isinstance(facts, VaultFacts) and facts.redundancy_locked
    if live.redundancy != wanted.redundancy and locked:
        return _blocked(
            f"redundancy stays {live.redundancy}: Azure allows {wanted.redundancy} only before the first VM is "
            "protected in the vault (BP-90)",
            f"write redundancy: {live.redundancy}; or declare another vault with {wanted.redundancy} and move the VMs "
            "there with moveFrom: their old recovery points stay in this vault, and each VM starts with a full backup",
        )
    if live.cross_region_restore and not wanted.cross_region_restore:
        return _blocked(
            "cross-region restore cannot be switched off again (BP-91)",
            "write crossRegionRestore: true, or declare another vault without it and move the VMs there",
        )
    if live.immutability == "Locked" and wanted.immutability != "Locked":
        return _blocked(
            f"immutability is Locked for ever; the policies say {wanted.immutability} (BP-80)",
            "write immutability: Locked; or declare another vault and move the VMs there",
        )
    return None


def _kept(name: str, found: VaultSettingsSpec, wanted: Any) -> bool:
    """True where the vault is at least what was written: somebody may have gone further in the meantime."""
    there = getattr(found, name)
    if name == "soft_delete":
        return bool(stronger(there, wanted, SOFT_DELETE_STATES) == there)
    if name == "soft_delete_days":
        return bool(there >= wanted)
    return bool(there == wanted or (name == "immutability" and there == "Locked"))
