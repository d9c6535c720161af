"""The kind `replication_policy`: one ReplicationPolicy in one vault."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from typing import Any, ClassVar

import msgspec

from reconciler.azure.clients import Azure
from reconciler.azure.operations import Operation
from reconciler.kinds.adoption import Adopted, AdoptedEstate
from reconciler.kinds.base import Comparison, DocumentKind, Expansion, Kind, Ownership, Rule, Situation, Verdict
from reconciler.kinds.located_vault import LocatedVault
from reconciler.kinds.phrases import Phrase
from reconciler.kinds.replication.ids import POLICIES, policy_id
from reconciler.kinds.replication.listing import API_VERSION, PolicyBody, PolicyDetails, read_vaults, replication_list
from reconciler.kinds.replication.route import POLICY, policy_address, replication_vaults
from reconciler.kinds.replication.writes import begin, check_kept, replication_step
from reconciler.kinds.replication_policy.adoption import adopt_policies
from reconciler.kinds.replication_policy.consequences import policy_consequences
from reconciler.kinds.replication_policy.rules import check_policy
from reconciler.kinds.replication_policy.spec import ReplicationPolicySpec, spec_from, spec_of, spoken_minutes
from reconciler.model.arm_id import ArmId
from reconciler.model.casing import fold
from reconciler.model.document import Declared
from reconciler.model.live import Unreadable
from reconciler.model.replication import POLICY as DOCUMENT
from reconciler.model.replication import ReplicationPolicy
from reconciler.model.resource import Ref, Resource
from reconciler.plan.change import Action, Consequence, Step
from reconciler.plan.finding import Finding

_A2A = "A2A"
_CRASH_CONSISTENT_MINUTES = 5


class ReplicationPolicyKind(Kind[ReplicationPolicySpec]):
    """Made in the vaults whose routes need it, changed in place for all VMs that follow it, never deleted."""

    name = POLICY
    title = "replication policy"
    spec = ReplicationPolicySpec
    rules: ClassVar[Mapping[str, Rule]] = {
        "vault": Rule.FORBID,
        "retention_minutes": Rule.UPDATE,
        "app_consistent_minutes": Rule.UPDATE,
        "multi_vm_sync": Rule.UPDATE,
    }
    documents = (
        DocumentKind(DOCUMENT, ReplicationPolicy, check_policy, "How far back replicated VMs can be recovered."),
    )

    def expand(self, expansion: Expansion) -> Iterator[Resource | Finding]:
        """One for each vault in which a container mapping wants it or in which it is already."""
        documents = {fold(name): one for name, one in expansion.declared.of(DOCUMENT, ReplicationPolicy).items()}
        live = {address for address in expansion.live.state if address.kind == self.name}
        for vault in replication_vaults(expansion.declared).values():
            for document in documents.values():
                address = policy_address(vault.scope, document.name)
                if address not in expansion.wanted and address not in live:
                    continue
                yield Resource(
                    address=address,
                    spec=spec_of(document.value, Ref.of(vault.address)),
                    arm_id=policy_id(expansion.live, vault, document.name),
                    location=vault.location,
                    source=document.source,
                    origins={
                        "retention_minutes": document.at("recoveryPointRetention"),
                        "app_consistent_minutes": document.at("appConsistentEvery"),
                        "multi_vm_sync": document.at("multiVmSync"),
                    },
                )

    def adopt(self, estate: AdoptedEstate) -> Iterator[Adopted]:
        return adopt_policies(estate)

    async def read(self, azure: Azure, declared: Declared) -> AsyncIterator[Resource | Unreadable]:
        """The policies for VMs of Azure, in every vault that a route names."""
        names = {fold(name): name for name in declared.of(DOCUMENT)}

        async def read(azure: Azure, vault: LocatedVault) -> Iterable[Resource]:
            bodies = await replication_list(azure, vault.arm_id, POLICIES, PolicyBody)
            return [found for body in bodies if (found := _resource(body, vault, names)) is not None]

        what = "the list of replication policies"
        async for found in read_vaults(azure, declared, self.name, read, what, "replicationPolicies/read"):
            yield found

    def ownership(self, resource: Resource, situation: Situation) -> Ownership:  # noqa: ARG002
        """The portal makes policies of its own; they cost nothing and are not worth a word."""
        return Ownership.IGNORED

    def steps(self, comparison: Comparison[ReplicationPolicySpec], verdict: Verdict) -> tuple[Step, ...]:
        desired = comparison.desired
        if desired is None or desired.arm_id is None or verdict.action not in (Action.CREATE, Action.UPDATE):
            return ()
        verb = "create" if verdict.action is Action.CREATE else "update"
        vault = comparison.address.scope.rpartition("/")[2]
        return (
            replication_step(
                comparison,
                verb,
                f"{verb} replication policy {comparison.address.name} in vault {vault}",
                arguments={"id": str(desired.arm_id), "policy": msgspec.to_builtins(comparison.wanted_spec)},
                permission="replicationPolicies/write",
                usually="a few seconds",
            ),
        )

    def consequences(self, comparison: Comparison[ReplicationPolicySpec], verdict: Verdict) -> tuple[Consequence, ...]:
        return tuple(policy_consequences(comparison)) if verdict.action is Action.UPDATE else ()

    def describe(self, spec: ReplicationPolicySpec) -> Iterator[Phrase]:
        yield Phrase("retention_minutes", "recoveryPointRetention", spoken_minutes(spec.retention_minutes))
        every = spoken_minutes(spec.app_consistent_minutes)
        yield Phrase("app_consistent_minutes", "appConsistentEvery", every, usual=not spec.app_consistent_minutes)
        sync = "true" if spec.multi_vm_sync else "false"
        yield Phrase("multi_vm_sync", "multiVmSync", sync, usual=spec.multi_vm_sync)

    async def perform(self, azure: Azure, step: Step) -> Operation | None:
        """PUT of a new policy, PATCH of one that is there: their bodies name the settings otherwise."""
        from azure.mgmt.recoveryservicessiterecovery import models

        arm_id = ArmId(step.arguments["id"])
        settings = _settings(msgspec.convert(step.arguments["policy"], ReplicationPolicySpec))
        policies = azure.site_recovery(arm_id.subscription).replication_policies
        names = (arm_id.resource_group, arm_id.segment("vaults"), arm_id.name)
        if step.verb == "create":
            made = models.CreatePolicyInputProperties(provider_specific_input=settings)
            body = models.CreatePolicyInput(properties=made)
            return await begin(policies.begin_create, *names, body=body, resource=arm_id)
        changed = models.UpdatePolicyInputProperties(replication_provider_settings=settings)
        update = models.UpdatePolicyInput(properties=changed)
        return await begin(policies.begin_update, *names, body=update, resource=arm_id)

    async def verify(self, azure: Azure, step: Step) -> None:
        """Every value is as it was sent."""
        arm_id = ArmId(step.arguments["id"])
        wanted = msgspec.convert(step.arguments["policy"], ReplicationPolicySpec)
        body = await azure.get(str(arm_id), API_VERSION, PolicyBody)
        found = spec_from(body.properties.provider_specific_details or PolicyDetails(), wanted.vault)
        differing = [
            f"{name}: sent {getattr(wanted, name)}, Azure has {getattr(found, name)}"
            for name in wanted.__struct_fields__
            if getattr(wanted, name) != getattr(found, name)
        ]
        check_kept(arm_id, "replication policy", differing)


def _settings(spec: ReplicationPolicySpec) -> Any:
    from azure.mgmt.recoveryservicessiterecovery import models

    return models.A2APolicyCreationInput(
        recovery_point_history=spec.retention_minutes,
        app_consistent_frequency_in_minutes=spec.app_consistent_minutes,
        crash_consistent_frequency_in_minutes=_CRASH_CONSISTENT_MINUTES,
        multi_vm_sync_status="Enable" if spec.multi_vm_sync else "Disable",
    )


def _resource(body: PolicyBody, vault: LocatedVault, names: Mapping[str, str]) -> Resource | None:
    details = body.properties.provider_specific_details
    if details is None or details.instance_type != _A2A:
        return None
    arm_id = ArmId(body.id)
    address = policy_address(vault.scope, names.get(fold(arm_id.name), arm_id.name))
    return Resource(address, spec_from(details, Ref.of(vault.address)), arm_id, vault.location)
