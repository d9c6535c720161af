"""The kind `network_mapping`: into which network of the other region a VM of this network fails over, in one
direction."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from typing import ClassVar

from reconciler.azure.clients import Azure
from reconciler.azure.operations import Operation
from reconciler.kinds.base import Comparison, Expansion, Kind, Ownership, Rule, Situation, Verdict
from reconciler.kinds.located_vault import LocatedVault
from reconciler.kinds.network_mapping.preflight import check_networks
from reconciler.kinds.phrases import Phrase
from reconciler.kinds.replication.ids import fabric_id, network_mapping_id
from reconciler.kinds.replication.listing import API_VERSION, NetworkMappingBody, read_vaults
from reconciler.kinds.replication.route import (
    NETWORK_MAPPING,
    Leg,
    LocatedRoute,
    Place,
    fabric_address,
    located_routes,
    network_mapping_address,
)
from reconciler.kinds.replication.topology import read_network_mappings, read_topology
from reconciler.kinds.replication.writes import begin, check_kept, replication_step
from reconciler.model.address import Address
from reconciler.model.arm_id import ArmId
from reconciler.model.document import Declared
from reconciler.model.live import Live, Unreadable
from reconciler.model.resource import Ref, Resource, Spec
from reconciler.plan.change import Action, Reason, Step
from reconciler.plan.finding import Finding


class NetworkMappingSpec(Spec, frozen=True, kw_only=True):
    """Two fabrics and two networks, by ARM id."""

    source: Ref
    target: Ref
    network: str
    to: str


class NetworkMappingKind(Kind[NetworkMappingSpec]):
    """Made there and back for the networks of a route that VMs take; never changed, never deleted."""

    name = NETWORK_MAPPING
    title = "network mapping"
    spec = NetworkMappingSpec
    rules: ClassVar[Mapping[str, Rule]] = {
        "source": Rule.FORBID,
        "target": Rule.FORBID,
        "network": Rule.FORBID,
        "to": Rule.FORBID,
    }

    def expand(self, expansion: Expansion) -> Iterator[Resource | Finding]:
        """Both directions of each network of a route whose VMs, or whose container mapping, ask for one."""
        routes = [
            route
            for route in located_routes(expansion.declared)
            if expansion.wanted.intersection((*route.network_mappings, route.mapping))
        ]
        for route in routes:
            yield from check_networks(route, expansion.live)
        made: dict[Address, Resource] = {}
        for back in (False, True):  # what a route says comes before what another one needs for its way back
            for route in routes:
                for resource in _mappings(route, expansion.live, back=back):
                    made.setdefault(resource.address, resource)
        yield from made.values()

    def read(self, azure: Azure, declared: Declared) -> AsyncIterator[Resource | Unreadable]:
        """The network mappings between the fabrics of every vault that a route names."""
        return read_vaults(
            azure, declared, self.name, _read_vault, "the list of network mappings", "replicationFabrics/read"
        )

    def normalise(self, spec: NetworkMappingSpec) -> NetworkMappingSpec:
        """Azure answers with both networks in lower case (recorded: network_mapping)."""
        network, to = ArmId(spec.network).key, ArmId(spec.to).key
        return NetworkMappingSpec(source=spec.source, target=spec.target, network=network, to=to)

    def judge(self, comparison: Comparison[NetworkMappingSpec]) -> Verdict | None:
        """Blocked where the network leads elsewhere: a mapping is never replaced, for VMs rely on it."""
        if comparison.live is None or comparison.live.arm_id is None or not comparison.changed("to"):
            return None
        there, wanted = ArmId(comparison.live_spec.to), ArmId(comparison.wanted_spec.to)
        return Verdict(
            Action.BLOCKED,
            Reason.CANNOT_CHANGE,
            f"network {ArmId(comparison.live_spec.network).name} is mapped to {there.name}, the policies say "
            f"{wanted.name}; Azure has no change of a network mapping",
            f"write to: {there} in the route, or delete the mapping (az rest --method delete --url "
            f"'{comparison.live.arm_id}?api-version={API_VERSION}') and apply again; VMs that are replicated already "
            "keep the network that they have",
        )

    def ownership(self, resource: Resource, situation: Situation) -> Ownership:  # noqa: ARG002
        """Mappings that no route asks for do nothing by themselves."""
        return Ownership.IGNORED

    def steps(self, comparison: Comparison[NetworkMappingSpec], verdict: Verdict) -> tuple[Step, ...]:
        desired = comparison.desired
        if desired is None or desired.arm_id is None or verdict.action is not Action.CREATE:
            return ()
        network, to, fabric = desired.observed
        vault = comparison.address.scope.rpartition("/")[2]
        return (
            replication_step(
                comparison,
                "create",
                f"map network {ArmId(network).name} to {ArmId(to).name} in vault {vault}",
                arguments={"id": str(desired.arm_id), "network": network, "to": to, "fabric": fabric},
                permission="replicationFabrics/replicationNetworks/replicationNetworkMappings/write",
                usually="a few seconds",
            ),
        )

    def describe(self, spec: NetworkMappingSpec) -> Iterator[Phrase]:
        yield Phrase("network", "networks.from", ArmId(spec.network).name)
        yield Phrase("to", "networks.to", ArmId(spec.to).name)

    async def perform(self, azure: Azure, step: Step) -> Operation | None:
        """PUT; a mapping that is there as it should be is left as it is."""
        from azure.mgmt.recoveryservicessiterecovery import models

        arm_id = ArmId(step.arguments["id"])
        properties = models.CreateNetworkMappingInputProperties(
            recovery_fabric_name=step.arguments["fabric"],
            recovery_network_id=step.arguments["to"],
            fabric_specific_details=models.AzureToAzureCreateNetworkMappingInput(
                primary_network_id=step.arguments["network"]
            ),
        )
        mappings = azure.site_recovery(arm_id.subscription).replication_network_mappings
        segments = (arm_id.segment(name) for name in ("vaults", "replicationFabrics", "replicationNetworks"))
        names = (arm_id.resource_group, *segments, arm_id.name)
        body = models.CreateNetworkMappingInput(properties=properties)
        return await begin(mappings.begin_create, *names, body=body, resource=arm_id)

    async def verify(self, azure: Azure, step: Step) -> None:
        """Both networks are as they were sent: Azure was seen to drop them silently."""
        arm_id, sent = ArmId(step.arguments["id"]), step.arguments
        found = (await azure.get(str(arm_id), API_VERSION, NetworkMappingBody)).properties
        answers = {"network": found.primary_network_id, "to": found.recovery_network_id}
        differing = [
            f"{name}: sent {sent[name]}, Azure has {answer or 'none'}"
            for name, answer in answers.items()
            if ArmId(answer or "") != ArmId(sent[name])
        ]
        check_kept(arm_id, "network mapping", differing)


def _mappings(route: LocatedRoute, live: Live, *, back: bool) -> Iterator[Resource]:
    """There, or back: of several networks that lead into one, the first is the way back."""
    if route.zone_to_zone:
        return
    leg = route.leg.back if back else route.leg
    for index, pair in enumerate(route.value.networks):
        network, to = (pair.to, pair.from_) if back else (pair.from_, pair.to)
        place = route.document.at("networks", index)
        yield Resource(
            address=network_mapping_address(route.scope, leg, ArmId(network)),
            spec=_spec(route.scope, leg, network, to),
            arm_id=network_mapping_id(live, route.vault, leg, ArmId(network)),
            location=leg.start.region,
            observed=(network, to, fabric_id(live, route.vault, leg.end.region).name),
            source=place,
            origins={"network": place, "to": place},
        )


def _spec(scope: str, leg: Leg, network: str, to: str) -> NetworkMappingSpec:
    return NetworkMappingSpec(
        source=Ref.of(fabric_address(scope, leg.start.region)),
        target=Ref.of(fabric_address(scope, leg.end.region)),
        network=network,
        to=to,
    )


async def _read_vault(azure: Azure, vault: LocatedVault) -> Iterable[Resource]:
    topology = await read_topology(azure, vault)
    found: list[Resource] = []
    for body in sorted(await read_network_mappings(azure, vault), key=lambda one: ArmId(one.id).key):
        arm_id, properties = ArmId(body.id), body.properties
        start = topology.region_of(arm_id.parent(2))
        end = topology.region_of(ArmId(properties.recovery_fabric_arm_id or ""))
        network, to = properties.primary_network_id or "", properties.recovery_network_id or ""
        if start and end and network:
            leg = Leg(Place(start), Place(end))
            address = network_mapping_address(vault.scope, leg, ArmId(network))
            found.append(Resource(address, _spec(vault.scope, leg, network, to), arm_id, start))
    return found
