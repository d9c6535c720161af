"""The kind `fabric`: a region, as Site Recovery knows it in one vault."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from datetime import datetime
from typing import ClassVar

from reconciler.azure.clients import Azure
from reconciler.azure.operations import Operation
from reconciler.kinds.base import Comparison, Expansion, Kind, Ownership, Rule, Situation, Verdict
from reconciler.kinds.located_vault import LocatedVault
from reconciler.kinds.replication.ids import fabric_id
from reconciler.kinds.replication.jobs import find_open_job
from reconciler.kinds.replication.listing import API_VERSION, FabricBody, read_vaults
from reconciler.kinds.replication.route import FABRIC, fabric_address, located_routes
from reconciler.kinds.replication.topology import read_topology
from reconciler.kinds.replication.writes import begin, check_kept, replication_step
from reconciler.model.arm_id import ArmId
from reconciler.model.document import Declared
from reconciler.model.live import Unreadable
from reconciler.model.resource import Ref, Resource, Spec
from reconciler.plan.change import Action, Step
from reconciler.plan.finding import Finding


class FabricSpec(Spec, frozen=True, kw_only=True):
    """One region in one vault: nothing of it can change."""

    vault: Ref
    region: str


class FabricKind(Kind[FabricSpec]):
    """Made for both ends of a route that VMs take, one after the other; never deleted."""

    name = FABRIC
    title = "replication fabric"
    spec = FabricSpec
    rules: ClassVar[Mapping[str, Rule]] = {"vault": Rule.FORBID, "region": Rule.FORBID}

    def expand(self, expansion: Expansion) -> Iterator[Resource | Finding]:
        """One for each region of a vault that a container is wanted in."""
        made = set()
        for route in located_routes(expansion.declared):
            for place in (route.leg.start, route.leg.end):
                address = fabric_address(route.scope, place.region)
                if address in expansion.wanted and address not in made:
                    made.add(address)
                    yield Resource(
                        address=address,
                        spec=FabricSpec(vault=Ref.of(route.vault.address), region=place.region),
                        arm_id=fabric_id(expansion.live, route.vault, place.region),
                        location=place.region,
                        source=route.document.source,
                        origins={"vault": route.document.at("vault")},
                    )

    def read(self, azure: Azure, declared: Declared) -> AsyncIterator[Resource | Unreadable]:
        """The fabrics of every vault that a route names, whatever they are called."""
        return read_vaults(
            azure, declared, self.name, _read_vault, "the replication topology", "replicationFabrics/read"
        )

    def ownership(self, resource: Resource, situation: Situation) -> Ownership:  # noqa: ARG002
        """Regions that no VM is replicated from or to any longer cost nothing and are not worth a word."""
        return Ownership.IGNORED

    def steps(self, comparison: Comparison[FabricSpec], verdict: Verdict) -> tuple[Step, ...]:
        desired = comparison.desired
        if desired is None or desired.arm_id is None or verdict.action is not Action.CREATE:
            return ()
        region, vault = comparison.wanted_spec.region, comparison.address.scope.rpartition("/")[2]
        return (
            replication_step(
                comparison,
                "create",
                f"create replication fabric {region} in vault {vault}",
                arguments={"id": str(desired.arm_id), "region": region},
                permission="replicationFabrics/write",
                usually="about a minute",
            ),
        )

    async def perform(self, azure: Azure, step: Step) -> Operation | None:
        """PUT; one that is there already is left as it is."""
        from azure.mgmt.recoveryservicessiterecovery import models

        arm_id = ArmId(step.arguments["id"])
        details = models.AzureFabricCreationInput(location=step.arguments["region"])
        body = models.FabricCreationInput(properties=models.FabricCreationInputProperties(custom_details=details))
        fabrics = azure.site_recovery(arm_id.subscription).replication_fabrics
        names = (arm_id.resource_group, arm_id.segment("vaults"), arm_id.name)
        return await begin(fabrics.begin_create, *names, body=body, resource=arm_id)

    async def verify(self, azure: Azure, step: Step) -> None:
        """The fabric is there, in its region."""
        arm_id, region = ArmId(step.arguments["id"]), step.arguments["region"]
        found = (await azure.get(str(arm_id), API_VERSION, FabricBody)).region
        differing = [f"region: sent {region}, Azure has {found or 'none'}"] if found != region else []
        check_kept(arm_id, "replication fabric", differing)

    async def running(self, azure: Azure, step: Step, since: datetime) -> Operation | None:
        """A fabric that is still being made: a second one would fail."""
        arm_id = ArmId(step.arguments["id"])
        return await find_open_job(azure, arm_id, "CreateSite", (arm_id.name, step.arguments["region"]), since)


async def _read_vault(azure: Azure, vault: LocatedVault) -> Iterable[Resource]:
    topology = await read_topology(azure, vault)
    return [
        Resource(
            fabric_address(vault.scope, region),
            FabricSpec(vault=Ref.of(vault.address), region=region),
            ArmId(body.id),
            region,
        )
        for region, body in topology.fabrics.items()
    ]
