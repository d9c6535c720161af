"""The kind `backup_policy`: one BackupPolicy in one vault."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import ClassVar

import msgspec

from reconciler.azure.clients import Azure
from reconciler.azure.failures import failure, unreadable
from reconciler.azure.operations import Accepted, Operation
from reconciler.errors import AzureError, FailedError
from reconciler.kinds.adoption import Adopted, AdoptedEstate
from reconciler.kinds.backup_policy.adoption import adopt_policies
from reconciler.kinds.backup_policy.document import BackupPolicy
from reconciler.kinds.backup_policy.phrases import policy_phrases
from reconciler.kinds.backup_policy.rules import check_policy
from reconciler.kinds.backup_policy.spec import BUILT_IN, BackupPolicySpec, spec_of
from reconciler.kinds.backup_policy.verdict import judge_policy
from reconciler.kinds.backup_policy.wire import AnyPolicy, spec_from
from reconciler.kinds.base import Comparison, DocumentKind, Expansion, Kind, Ownership, Quota, Rule, Situation, Verdict
from reconciler.kinds.located_vault import LocatedVault, declared_vaults, live_vaults, vault_facts
from reconciler.kinds.phrases import Phrase
from reconciler.kinds.resource_guard import UPDATE_POLICY, guard_proxy, guard_requests
from reconciler.kinds.term_consequences import term_consequences
from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.document import Declared
from reconciler.model.live import Unreadable
from reconciler.model.observed import ItemFacts, ItemState
from reconciler.model.resource import Ref, Resource
from reconciler.model.retention import reductions
from reconciler.plan.change import Action, Consequence, Effect, Step
from reconciler.plan.finding import Finding

API_VERSION = "2026-05-01"
BACKED_UP = frozenset(
    {ItemState.PROTECTED, ItemState.FIRST_BACKUP_PENDING, ItemState.FAILING, ItemState.SUSPENDED, ItemState.PAUSED}
)
"""States in which an item still follows its policy."""
FILTER = {"$filter": "backupManagementType eq 'AzureIaasVM'"}


class BackupPolicyKind(Kind[BackupPolicySpec]):
    """Policies are created where a VM needs them and changed in place; they are never deleted."""

    name = "backup_policy"
    title = "backup policy"
    spec = BackupPolicySpec
    rules: ClassVar[Mapping[str, Rule]] = {
        "vault": Rule.FORBID,
        "tier": Rule.FORBID,
        "schedule": Rule.UPDATE,
        "retention": Rule.UPDATE,
        "instant_restore": Rule.UPDATE,
        "tiering": Rule.UPDATE,
        "consistency": Rule.UPDATE,
    }
    documents = (
        DocumentKind("BackupPolicy", BackupPolicy, check_policy, "How often VMs are backed up, and for how long."),
    )
    quota = Quota.POLICY_WRITES

    def expand(self, expansion: Expansion) -> Iterator[Resource | Finding]:
        """One resource for each vault in which a VM needs a policy or in which it is already."""
        declared = expansion.declared
        policies = {name.casefold(): item for name, item in declared.of("BackupPolicy", BackupPolicy).items()}
        vaults = {vault.scope.casefold(): vault for vault in declared_vaults(declared).values()}
        live = (address for address in expansion.live.state if address.kind == self.name)
        wanted = {address for address in expansion.wanted if address.kind == self.name}
        for address in sorted(wanted.union(live)):
            document = policies.get(address.name.casefold())
            vault = vaults.get(address.scope.casefold())
            if document is None or vault is None:
                continue
            spec = spec_of(document.value, declared.scope.value.defaults.time_zone, Ref.of(vault.address))
            if spec is None:
                continue
            yield Resource(
                address=Address(self.name, vault.scope, document.name),
                spec=spec,
                arm_id=vault.arm_id.child("backupPolicies", document.name),
                location=vault.location,
                observed=spec.terms,
                source=document.source,
                origins={
                    "tier": document.at("tier"),
                    "schedule": document.at("schedule"),
                    "retention": document.at("retention"),
                    "instant_restore": document.at("instantRestore"),
                    "tiering": document.at("tiering"),
                    "consistency": document.at("consistency"),
                },
            )

    def adopt(self, estate: AdoptedEstate) -> Iterator[Adopted]:
        return adopt_policies(estate)

    async def read(self, azure: Azure, declared: Declared) -> AsyncIterator[Resource | Unreadable]:
        """One list a vault, in every vault of the Scope's subscriptions."""
        vaults, gaps = await live_vaults(azure, declared, self.name)
        for gap in gaps:
            yield gap
        spelling = {name.casefold(): name for name in declared.of("BackupPolicy", BackupPolicy)}
        answers = await asyncio.gather(*(self._read_vault(azure, vault, spelling) for vault in vaults))
        for answer in answers:
            if isinstance(answer, Unreadable):
                yield answer
            else:
                for resource in answer:
                    yield resource

    async def _read_vault(
        self, azure: Azure, vault: LocatedVault, spelling: Mapping[str, str]
    ) -> list[Resource] | Unreadable:
        found: list[Resource] = []
        owner = Ref.of(vault.address)
        try:
            async for body in azure.list(f"{vault.arm_id}/backupPolicies", API_VERSION, AnyPolicy, **FILTER):
                properties = body.decode()
                if properties is not None:
                    spec = spec_from(properties, owner)
                    name = spelling.get(body.name.casefold(), body.name)
                    address = Address(self.name, vault.scope, name)
                    found.append(Resource(address, spec, ArmId(body.id), vault.location, observed=spec.terms))
        except AzureError as error:
            return unreadable(
                error,
                kinds=(self.name,),
                scope=vault.scope,
                what=f"the list of backup policies in vault {vault.name}",
                action="Microsoft.RecoveryServices/vaults/backupPolicies/read",
            )
        return found

    def judge(self, comparison: Comparison[BackupPolicySpec]) -> Verdict | None:
        return judge_policy(comparison, self._affected(comparison.address, comparison.situation))

    def ownership(self, resource: Resource, situation: Situation) -> Ownership:
        """Built-in policies, and those of vaults that are not ours, are not worth a word."""
        ours = {vault.scope.casefold() for vault in declared_vaults(situation.declared).values()}
        if resource.address.name.casefold() in BUILT_IN or resource.address.scope.casefold() not in ours:
            return Ownership.IGNORED
        return Ownership.UNMANAGED

    def steps(self, comparison: Comparison[BackupPolicySpec], verdict: Verdict) -> tuple[Step, ...]:
        desired = comparison.desired
        if desired is None or desired.arm_id is None or verdict.action not in (Action.CREATE, Action.UPDATE):
            return ()
        vault = desired.arm_id.parent()
        settings = Address("vault_settings", *comparison.address.scope.rsplit("/", 1))
        guarded = False
        if comparison.live is not None:
            less = reductions(comparison.live_spec.terms, comparison.wanted_spec.terms)
            guarded = bool(less) and vault_facts(comparison.situation.live, settings).resource_guard
        verb = "create" if comparison.live is None else "update"
        return (
            Step(
                id=f"{comparison.address}#{verb}",
                kind=self.name,
                address=str(comparison.address),
                verb=verb,
                title=f"{verb} backup policy {comparison.address.name} in vault {vault.name}",
                arguments={
                    "vault": str(vault),
                    "name": comparison.address.name,
                    "policy": msgspec.json.decode(msgspec.json.encode(comparison.wanted_spec)),
                    "guarded": guarded,
                },
                lane=vault.key,
                exclusive=True,
                permission="Microsoft.RecoveryServices/vaults/backupPolicies/write",
                usually="a few seconds",
                needs_approval=str(guard_proxy(vault)) if guarded else "",
            ),
        )

    def consequences(self, comparison: Comparison[BackupPolicySpec], verdict: Verdict) -> tuple[Consequence, ...]:
        if verdict.action is not Action.UPDATE or comparison.live is None:
            return ()
        before, after = comparison.live_spec.terms, comparison.wanted_spec.terms
        today = comparison.situation.now.date()
        gap = comparison.situation.live.hides(Address("protected_vm", comparison.address.scope, ""))
        if gap:
            uncounted = Consequence(effect=Effect.NONE, text=f"how many VMs it is for is not known: {gap.message}")
            return (*term_consequences(before, after, None, today), uncounted)
        machines = len(self._affected(comparison.address, comparison.situation))
        return tuple(term_consequences(before, after, machines, today)) if machines else ()

    def describe(self, spec: BackupPolicySpec) -> Iterator[Phrase]:
        return policy_phrases(spec)

    def _affected(self, policy: Address, situation: Situation) -> list[ItemFacts]:
        """The VMs whose recovery points this policy governs now."""
        to = str(policy).casefold()
        return [
            resource.observed
            for resource in situation.live.state.values()
            if isinstance(resource.observed, ItemFacts)
            and resource.observed.state in BACKED_UP
            and any(ref.to.casefold() == to for _, ref in resource.spec.refs())
        ]

    async def perform(self, azure: Azure, step: Step) -> Operation | None:
        """PUT answers 200 at once; 202 is documented for policies that VMs use already."""
        from azure.core import exceptions

        from reconciler.kinds.backup_policy.request import policy_request

        vault, name = ArmId(step.arguments["vault"]), step.arguments["name"]
        spec = msgspec.convert(step.arguments["policy"], BackupPolicySpec)
        resource = str(vault.child("backupPolicies", name))
        requests = await guard_requests(azure, vault, UPDATE_POLICY) if step.arguments["guarded"] else []
        accepted = Accepted()
        try:
            await azure.backup(vault.subscription).protection_policies.create_or_update(
                vault.name, vault.resource_group, name, policy_request(spec, requests), raw_response_hook=accepted
            )
        except exceptions.AzureError as error:
            raise failure(error, resource) from error
        return accepted.operation(resource)

    async def verify(self, azure: Azure, step: Step) -> None:
        """GET and compare: fields that Azure dropped silently are named."""
        vault, name = ArmId(step.arguments["vault"]), step.arguments["name"]
        wanted = msgspec.convert(step.arguments["policy"], BackupPolicySpec)
        resource = str(vault.child("backupPolicies", name))
        properties = (await azure.get(resource, API_VERSION, AnyPolicy)).decode()
        found = spec_from(properties, wanted.vault) if properties else None
        if found == wanted:
            return
        differing = [
            f"{field}: sent {msgspec.to_builtins(getattr(wanted, field))}, "
            f"Azure has {msgspec.to_builtins(getattr(found, field, None))}"
            for field in wanted.__struct_fields__
            if getattr(found, field, None) != getattr(wanted, field)
        ]
        raise FailedError(
            f"Azure accepted backup policy {name} in vault {vault.name} and did not keep it as sent",
            resource=resource,
            why="; ".join(differing),
            advice="run plan to see what is left; if it stays, Azure does not support the value in this region",
        )
