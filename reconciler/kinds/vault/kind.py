"""Recovery Services vaults: made, tagged, and never deleted. What they are set to is `vault_settings`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar

import msgspec

from reconciler.azure.clients import Azure
from reconciler.azure.failures import failure
from reconciler.azure.operations import Accepted, Operation
from reconciler.azure.vault_list import API_VERSION, LiveVault, vault_list
from reconciler.errors import AbsentError, AzureError, ConflictError, FailedError
from reconciler.kinds.adoption import Adopted, AdoptedEstate
from reconciler.kinds.base import Comparison, DocumentKind, Expansion, Kind, Rule, Verdict
from reconciler.kinds.located_vault import unread_vaults
from reconciler.kinds.vault.adoption import adopt_vaults
from reconciler.kinds.vault.rules import check_vault
from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.document import Declared
from reconciler.model.live import Unreadable
from reconciler.model.location import normalise_location
from reconciler.model.resource import Resource, Spec
from reconciler.model.vault import Vault, vault_address, vault_id
from reconciler.plan.change import Action, Reason, Step
from reconciler.plan.finding import Finding

_TAGS_VERSION = "2021-04-01"


class VaultSpec(Spec, frozen=True, kw_only=True):
    """`tags` holds only the tags that a policy speaks of: those of the platform and of other people are theirs."""

    location: str
    tags: dict[str, str] = msgspec.field(default_factory=dict)


class VaultKind(Kind[VaultSpec]):
    """A vault, created by a PUT and tagged through the tags service, which leaves all other tags alone."""

    name = "vault"
    title = "vault"
    spec = VaultSpec
    rules: ClassVar[Mapping[str, Rule]] = {"location": Rule.FORBID, "tags": Rule.UPDATE}
    documents = (
        DocumentKind(
            "Vault",
            Vault,
            check_vault,
            "A Recovery Services vault: region, redundancy, safety, and what happens to VMs that are released from it.",
        ),
    )

    def expand(self, expansion: Expansion) -> Iterator[Resource | Finding]:
        """One vault for each Vault document."""
        for document in expansion.declared.of("Vault", Vault).values():
            arm_id = vault_id(document, expansion.declared)
            if arm_id is None:
                continue
            location = normalise_location(document.value.location)
            yield Resource(
                address=vault_address(document),
                spec=VaultSpec(location=location, tags=dict(document.value.tags or {})),
                arm_id=arm_id,
                location=location,
                source=document.source,
                origins={"location": document.at("location"), "tags": document.at("tags")},
            )

    def adopt(self, estate: AdoptedEstate) -> Iterator[Adopted]:
        return adopt_vaults(estate)

    async def read(self, azure: Azure, declared: Declared) -> AsyncIterator[Resource | Unreadable]:
        """Every vault of every subscription, from one list each (shared with `vault_settings`)."""
        wanted = {vault_address(document): document for document in declared.of("Vault", Vault).values()}

        async def read(alias: str, subscription_id: str) -> list[Resource] | Unreadable:
            try:
                vaults = await vault_list(azure, subscription_id)
            except AzureError as error:
                return unread_vaults(error, self.name, alias)
            return [_resource(vault, alias, wanted) for vault in vaults]

        for answer in await asyncio.gather(*(read(*pair) for pair in declared.subscriptions.items())):
            if isinstance(answer, Unreadable):
                yield answer
            else:
                for resource in answer:
                    yield resource

    def normalise(self, spec: VaultSpec) -> VaultSpec:
        """Regions by their technical name, tags in order."""
        return VaultSpec(location=normalise_location(spec.location), tags=dict(sorted(spec.tags.items())))

    def judge(self, comparison: Comparison[VaultSpec]) -> Verdict | None:
        """Blocked where the resource group is missing, or where the vault lies in another region."""
        if comparison.desired is None:
            return None
        if comparison.live is None:
            return _missing_group(comparison)
        if comparison.changed("location"):
            wanted, there = comparison.wanted_spec.location, comparison.live_spec.location
            return Verdict(
                Action.BLOCKED,
                Reason.CANNOT_CHANGE,
                f"the vault is in {there}, the policies say {wanted}; a vault never leaves its region (BP-64)",
                f"write location: {there}, or declare a vault of another name in {wanted}",
            )
        return None

    def steps(self, comparison: Comparison[VaultSpec], verdict: Verdict) -> tuple[Step, ...]:
        """One PUT for a new vault, one merge of tags for one that is there."""
        desired = comparison.desired
        if desired is None or desired.arm_id is None:
            return ()
        tags, location = comparison.wanted_spec.tags, comparison.wanted_spec.location
        arguments: dict[str, Any] = {"id": str(desired.arm_id), "tags": tags}
        if verdict.action is Action.CREATE:
            verb, title, action = "create", f"create vault {desired.address.name} in {location}", _WRITE
            arguments["location"] = location
        else:
            verb, title, action = "tag", f"tag vault {desired.address.name}", _TAG
        return (
            Step(
                id=f"{comparison.address}#{verb}",
                kind=self.name,
                address=str(comparison.address),
                verb=verb,
                title=title,
                arguments=arguments,
                lane=desired.arm_id.key,
                exclusive=True,
                permission=action,
                usually="under a minute",
            ),
        )

    async def perform(self, azure: Azure, step: Step) -> Operation | None:
        """PUT of the vault, or merge of its tags. Both can be sent twice."""
        arm_id = ArmId(step.arguments["id"])
        if step.verb == "create":
            return await _create(azure, arm_id, step.arguments)
        body = {"operation": "Merge", "properties": {"tags": step.arguments["tags"]}}
        await azure.send("PATCH", f"{arm_id}/providers/Microsoft.Resources/tags/default", _TAGS_VERSION, body)
        return None

    async def verify(self, azure: Azure, step: Step) -> None:
        """The vault is there, ready, in its region, and carries the tags."""
        arm_id, wanted = ArmId(step.arguments["id"]), step.arguments
        vault = await azure.get(str(arm_id), API_VERSION, LiveVault)
        tags = _only(vault.tags or {}, wanted["tags"])
        different = [f"tags.{name}" for name, value in wanted["tags"].items() if tags.get(name) != value]
        if wanted.get("location") not in (None, vault.region):
            different.append("location")
        state = vault.properties.provisioning_state if vault.properties else None
        if (state or "Succeeded").lower() != "succeeded":
            different.append("provisioningState")
        if different:
            raise FailedError(
                f"vault {arm_id.name} is not as written: {', '.join(different)}",
                resource=str(arm_id),
                why=f"Azure accepted the change and answers location {vault.region}, tags {tags}, state {state}",
                advice="run plan to see the difference",
            )

    async def running(self, azure: Azure, step: Step, since: datetime) -> Operation | None:  # noqa: ARG002
        """A vault that is still being made."""
        arm_id = ArmId(step.arguments["id"])
        try:
            vault = await azure.get(str(arm_id), API_VERSION, LiveVault)
        except AbsentError:
            return None
        state = (vault.properties.provisioning_state if vault.properties else None) or ""
        if step.verb != "create" or state.lower() in ("", "succeeded", "failed"):
            return None
        return Operation(url=f"{arm_id}?api-version={API_VERSION}", via="resource", resource=str(arm_id))


_WRITE = "Microsoft.RecoveryServices/vaults/write"
_TAG = "Microsoft.Resources/tags/write"


def _resource(vault: LiveVault, alias: str, wanted: Mapping[Address, Any]) -> Resource:
    address = Address("vault", vault.scope(alias), vault.name)
    document = wanted.get(address)
    declared_tags = (document.value.tags or {}) if document else {}
    return Resource(
        address=address,
        spec=VaultSpec(location=vault.region, tags=_only(vault.tags or {}, declared_tags)),
        arm_id=vault.arm_id,
        location=vault.region,
    )


def _only(tags: Mapping[str, str | None], wanted: Mapping[str, str]) -> dict[str, str]:
    """The tags among `tags` that `wanted` speaks of, in its spelling: Azure compares their names without casing."""
    spelling = {name.casefold(): name for name in wanted}
    return {
        spelling[name.casefold()]: value or "" for name, value in sorted(tags.items()) if name.casefold() in spelling
    }


def _missing_group(comparison: Comparison[VaultSpec]) -> Verdict | None:
    live = comparison.situation.live
    group = Address("resource_group", comparison.address.subscription, comparison.address.scope.partition("/")[2])
    if comparison.address.scope.casefold() in live.resource_groups or live.hides(group):
        return None
    subscription_id = comparison.situation.declared.subscriptions.get(comparison.address.subscription, "")
    return Verdict(
        Action.BLOCKED,
        Reason.NOT_IN_AZURE,
        f"the resource group {group.name} does not exist in subscription {comparison.address.subscription}",
        f"az group create --name {group.name} --location {comparison.wanted_spec.location} "
        f"--subscription {subscription_id}",
    )


async def _create(azure: Azure, arm_id: ArmId, arguments: Mapping[str, Any]) -> Operation | None:
    from azure.core.exceptions import AzureError as SdkError
    from azure.mgmt.recoveryservices import models

    body = models.Vault(
        location=arguments["location"],
        tags=arguments["tags"] or None,
        sku=models.Sku(name="RS0", tier="Standard"),
        properties=models.VaultProperties(public_network_access="Enabled"),
    )
    accepted = Accepted()
    try:
        await azure.vaults(arm_id.subscription).vaults.begin_create_or_update(
            arm_id.resource_group, arm_id.name, body, polling=False, raw_response_hook=accepted
        )
    except SdkError as error:
        raise _explained(failure(error, str(arm_id)), arm_id, arguments["location"]) from error
    return accepted.operation(str(arm_id))


def _explained(error: AzureError, arm_id: ArmId, location: str) -> AzureError:
    """A refused PUT often means that a vault of this name lies soft-deleted, which no list of vaults shows (BP-74)."""
    if isinstance(error, ConflictError) or (type(error) is FailedError and not error.advice):
        error.advice = (
            "a deleted vault of this name may still be kept: az rest --method get --url "
            f"'/subscriptions/{arm_id.subscription}/providers/Microsoft.RecoveryServices/locations/{location}"
            f"/deletedVaults?api-version={API_VERSION}'; undelete it, or take another name"
        )
    return error
