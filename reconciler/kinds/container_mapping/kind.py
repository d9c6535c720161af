"""The kind `container_mapping`: that VMs of one place may be replicated to another under a policy, in one direction."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from reconciler.azure.clients import Azure
from reconciler.azure.operations import Operation
from reconciler.kinds.base import Comparison, DocumentKind, Expansion, Kind, Ownership, Rule, Situation, Verdict
from reconciler.kinds.container_mapping.preflight import check_account, check_target_group
from reconciler.kinds.container_mapping.requests import map_containers, read_back
from reconciler.kinds.container_mapping.rules import check_route
from reconciler.kinds.located_vault import LocatedVault
from reconciler.kinds.phrases import Phrase
from reconciler.kinds.replication.ids import container_id, mapping_id, policy_id
from reconciler.kinds.replication.jobs import find_open_job
from reconciler.kinds.replication.listing import read_vaults
from reconciler.kinds.replication.route import (
    MAPPING,
    Leg,
    LocatedRoute,
    container_address,
    located_routes,
    mapping_address,
    policy_address,
)
from reconciler.kinds.replication.topology import read_topology
from reconciler.kinds.replication.writes import replication_step
from reconciler.model.arm_id import ArmId
from reconciler.model.casing import fold
from reconciler.model.document import Declared
from reconciler.model.live import Live, Unreadable
from reconciler.model.replication import POLICY as POLICY_DOCUMENT
from reconciler.model.replication import ROUTE, ReplicationRoute
from reconciler.model.resource import Ref, Resource, Spec
from reconciler.plan.change import Action, Consequence, Effect, Step
from reconciler.plan.finding import Finding


class ContainerMappingSpec(Spec, frozen=True, kw_only=True):
    """`update_account` is the automation account that keeps the agents up to date; "" where nothing does (ASR-41)."""

    source: Ref
    target: Ref
    policy: Ref
    update_account: str = ""


@dataclass(frozen=True, slots=True)
class Ends:
    """`observed` of a desired mapping: what a new one is told, in the spelling of Azure or of the policies."""

    target: ArmId
    policy: ArmId
    update_account: str


class ContainerMappingKind(Kind[ContainerMappingSpec]):
    """Made there and back for a route that VMs take. Only the updates of the agent can change; never deleted."""

    name = MAPPING
    title = "container mapping"
    spec = ContainerMappingSpec
    rules: ClassVar[Mapping[str, Rule]] = {
        "source": Rule.FORBID,
        "target": Rule.FORBID,
        "policy": Rule.FORBID,
        "update_account": Rule.UPDATE,
    }
    serves = "replication"
    documents = (
        DocumentKind(
            ROUTE,
            ReplicationRoute,
            check_route,
            "From which region to which VMs are replicated, and how.",
            references={"vault": "Vault", "policy": POLICY_DOCUMENT},
        ),
    )

    def expand(self, expansion: Expansion) -> Iterator[Resource | Finding]:
        """Both directions of each route that VMs take, and what speaks against taking it."""
        routes = [route for route in located_routes(expansion.declared) if route.mapping in expansion.wanted]
        for route in routes:
            yield from check_account(route, expansion.live)
            yield from check_target_group(route, expansion)
        made: set[str] = set()
        for route in routes:
            for leg in route.legs:
                resource = _resource(route, leg, _update_account(routes, route), expansion.live)
                if fold(str(resource.address)) not in made:
                    made.add(fold(str(resource.address)))
                    yield resource

    async def read(self, azure: Azure, declared: Declared) -> AsyncIterator[Resource | Unreadable]:
        """The mappings between the containers that stand for a place, whatever they are called."""
        policies = {fold(name): name for name in declared.of(POLICY_DOCUMENT)}

        async def read(azure: Azure, vault: LocatedVault) -> Iterable[Resource]:
            topology = await read_topology(azure, vault)
            return [
                Resource(
                    mapping_address(vault.scope, leg, name),
                    _spec(vault.scope, leg, name, body.update_account),
                    ArmId(body.id),
                    leg.start.region,
                )
                for leg, body in topology.mappings
                for name in (policies.get(fold(body.policy), body.policy),)
                if name
            ]

        what = "the replication topology"
        async for found in read_vaults(azure, declared, self.name, read, what, "replicationFabrics/read"):
            yield found

    def normalise(self, spec: ContainerMappingSpec) -> ContainerMappingSpec:
        """The account as ids are compared."""
        account = ArmId(spec.update_account).key if spec.update_account else ""
        return ContainerMappingSpec(source=spec.source, target=spec.target, policy=spec.policy, update_account=account)

    def ownership(self, resource: Resource, situation: Situation) -> Ownership:  # noqa: ARG002
        """Mappings that no VM is replicated through cost nothing and are not worth a word."""
        return Ownership.IGNORED

    def steps(self, comparison: Comparison[ContainerMappingSpec], verdict: Verdict) -> tuple[Step, ...]:
        desired = comparison.desired
        if desired is None or desired.arm_id is None or verdict.action not in (Action.CREATE, Action.UPDATE):
            return ()
        ends: Ends = desired.observed
        arguments = {"id": str(desired.arm_id), "account": ends.update_account}
        name, vault = comparison.address.name, comparison.address.scope.rpartition("/")[2]
        if verdict.action is Action.CREATE:
            verb, title, usually = "create", f"map containers {name} in vault {vault}", "one to two minutes"
            arguments |= {"target": str(ends.target), "policy": str(ends.policy)}
        else:
            verb, title, usually = "update", f"change how agents are updated: {name} in vault {vault}", "a minute"
        return (
            replication_step(
                comparison,
                verb,
                title,
                arguments=arguments,
                permission="replicationFabrics/replicationProtectionContainers"
                "/replicationProtectionContainerMappings/write",
                usually=usually,
            ),
        )

    def consequences(self, comparison: Comparison[ContainerMappingSpec], verdict: Verdict) -> tuple[Consequence, ...]:
        if verdict.action is not Action.UPDATE or comparison.wanted_spec.update_account:
            return ()
        text = "the agents on the VMs are no longer kept up to date; replication stops when one is too old"
        return (Consequence(effect=Effect.WEAKENS, text=text),)

    def describe(self, spec: ContainerMappingSpec) -> Iterator[Phrase]:
        yield Phrase("source", "from", spec.source.address.name)
        yield Phrase("target", "to", spec.target.address.name)
        yield Phrase("policy", "policy", spec.policy.address.name)
        account = ArmId(spec.update_account).name if spec.update_account else "none"
        yield Phrase("update_account", "agentUpdateAccount", account, usual=not spec.update_account)

    async def perform(self, azure: Azure, step: Step) -> Operation | None:
        return await map_containers(azure, step)

    async def verify(self, azure: Azure, step: Step) -> None:
        await read_back(azure, step)

    async def running(self, azure: Azure, step: Step, since: datetime) -> Operation | None:
        """Containers that are still being mapped; their job is about the policy."""
        if step.verb != "create":
            return None
        policy = ArmId(step.arguments["policy"]).name
        return await find_open_job(azure, ArmId(step.arguments["id"]), "AssociateProtectionProfile", (policy,), since)


def _resource(route: LocatedRoute, leg: Leg, account: str, live: Live) -> Resource:
    document, address = route.document, mapping_address(route.scope, leg, route.policy)
    there = live.state.get(address)
    return Resource(
        address=address,
        spec=_spec(route.scope, leg, route.policy, account),
        arm_id=there.arm_id if there else mapping_id(live, route.vault, leg, route.policy),
        location=leg.start.region,
        observed=Ends(container_id(live, route.vault, leg.end), policy_id(live, route.vault, route.policy), account),
        source=document.source,
        origins={
            "source": document.at("from"),
            "target": document.at("to"),
            "policy": document.at("policy"),
            "update_account": document.at("agentUpdateAccount"),
        },
    )


def _update_account(routes: Iterable[LocatedRoute], route: LocatedRoute) -> str:
    """The account of the mapping: that of the first route which shares it and names one."""
    same = (one for one in routes if {one.mapping, one.way_back} & {route.mapping, route.way_back})
    return next((one.value.agent_update_account for one in same if one.value.agent_update_account), "")


def _spec(scope: str, leg: Leg, policy: str, account: str) -> ContainerMappingSpec:
    return ContainerMappingSpec(
        source=Ref.of(container_address(scope, leg.start)),
        target=Ref.of(container_address(scope, leg.end)),
        policy=Ref.of(policy_address(scope, policy)),
        update_account=account,
    )
