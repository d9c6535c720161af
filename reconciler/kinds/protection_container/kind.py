"""The kind `protection_container`: what replicated VMs lie in, one a region, and one a zone from zone to zone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from typing import ClassVar

from reconciler.azure.clients import Azure
from reconciler.azure.operations import Operation
from reconciler.kinds.base import Comparison, Expansion, Kind, Ownership, Rule, Situation, Verdict
from reconciler.kinds.located_vault import LocatedVault
from reconciler.kinds.replication.ids import container_id
from reconciler.kinds.replication.listing import API_VERSION, ContainerBody, read_vaults
from reconciler.kinds.replication.route import CONTAINER, container_address, fabric_address, located_routes
from reconciler.kinds.replication.topology import read_topology
from reconciler.kinds.replication.writes import begin, check_kept, replication_step
from reconciler.model.arm_id import ArmId
from reconciler.model.document import Declared
from reconciler.model.live import Unreadable
from reconciler.model.resource import Ref, Resource, Spec
from reconciler.plan.change import Action, Step
from reconciler.plan.finding import Finding


class ContainerSpec(Spec, frozen=True, kw_only=True):
    """A container has nothing but its place."""

    fabric: Ref


class ProtectionContainerKind(Kind[ContainerSpec]):
    """Made where a mapping needs one and the region has none; never deleted."""

    name = CONTAINER
    title = "protection container"
    spec = ContainerSpec
    rules: ClassVar[Mapping[str, Rule]] = {"fabric": Rule.FORBID}

    def expand(self, expansion: Expansion) -> Iterator[Resource | Finding]:
        """One for each end of a container mapping that is wanted."""
        made = set()
        for route in located_routes(expansion.declared):
            for place in (route.leg.start, route.leg.end):
                address = container_address(route.scope, place)
                if address in expansion.wanted and address not in made:
                    made.add(address)
                    yield Resource(
                        address=address,
                        spec=ContainerSpec(fabric=Ref.of(fabric_address(route.scope, place.region))),
                        arm_id=container_id(expansion.live, route.vault, place),
                        location=place.region,
                        source=route.document.source,
                    )

    def read(self, azure: Azure, declared: Declared) -> AsyncIterator[Resource | Unreadable]:
        """The containers that stand for their region or zone, whatever they are called."""
        return read_vaults(
            azure, declared, self.name, _read_vault, "the replication topology", "replicationFabrics/read"
        )

    def ownership(self, resource: Resource, situation: Situation) -> Ownership:  # noqa: ARG002
        """Empty containers cost nothing; what lies in them is told by its own kind."""
        return Ownership.IGNORED

    def steps(self, comparison: Comparison[ContainerSpec], verdict: Verdict) -> tuple[Step, ...]:
        desired = comparison.desired
        if desired is None or desired.arm_id is None or verdict.action is not Action.CREATE:
            return ()
        vault = comparison.address.scope.rpartition("/")[2]
        return (
            replication_step(
                comparison,
                "create",
                f"create protection container {comparison.address.name} in vault {vault}",
                arguments={"id": str(desired.arm_id)},
                permission="replicationFabrics/replicationProtectionContainers/write",
                usually="a few seconds",
            ),
        )

    async def perform(self, azure: Azure, step: Step) -> Operation | None:
        """PUT; one that is there already is left as it is."""
        from azure.mgmt.recoveryservicessiterecovery import models

        arm_id = ArmId(step.arguments["id"])
        properties = models.CreateProtectionContainerInputProperties(
            provider_specific_input=[models.A2AContainerCreationInput()]
        )
        containers = azure.site_recovery(arm_id.subscription).replication_protection_containers
        names = (arm_id.resource_group, arm_id.segment("vaults"), arm_id.segment("replicationFabrics"), arm_id.name)
        body = models.CreateProtectionContainerInput(properties=properties)
        return await begin(containers.begin_create, *names, body=body, resource=arm_id)

    async def verify(self, azure: Azure, step: Step) -> None:
        """The container is there."""
        arm_id = ArmId(step.arguments["id"])
        found = ArmId((await azure.get(str(arm_id), API_VERSION, ContainerBody)).id)
        check_kept(arm_id, "protection container", [] if found == arm_id else [f"Azure answers with {found}"])


async def _read_vault(azure: Azure, vault: LocatedVault) -> Iterable[Resource]:
    topology = await read_topology(azure, vault)
    return [
        Resource(
            container_address(vault.scope, place),
            ContainerSpec(fabric=Ref.of(fabric_address(vault.scope, place.region))),
            ArmId(body.id),
            place.region,
        )
        for place, body in topology.containers.items()
    ]
