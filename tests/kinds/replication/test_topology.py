"""Which of the live objects stand for what: the same whatever the order of the lists and the casing of the ids."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from reconciler.kinds.replication.listing import (
    ContainerBody,
    FabricBody,
    FabricDetails,
    FabricProperties,
    MappingBody,
    MappingDetails,
    MappingProperties,
)
from reconciler.kinds.replication.route import Leg, Place
from reconciler.kinds.replication.topology import Topology, topology_of
from reconciler.model.arm_id import ArmId

VAULT = "/Subscriptions/1/resourceGroups/rg-dr/providers/Microsoft.RecoveryServices/vaults/rsv-dr"
WEU, NEU = Place("westeurope"), Place("northeurope")


def fabric(name: str, region: str, type_: str = "Azure") -> FabricBody:
    details = FabricDetails(instance_type=type_, location=region)
    return FabricBody(id=f"{VAULT}/replicationFabrics/{name}", properties=FabricProperties(custom_details=details))


def container(fabric_name: str, name: str) -> ContainerBody:
    return ContainerBody(id=f"{VAULT}/replicationFabrics/{fabric_name}/replicationProtectionContainers/{name}")


def mapping(source: ContainerBody, target: ContainerBody, policy: str = "day") -> MappingBody:
    properties = MappingProperties(
        target_protection_container_id=target.id.lower(), policy_id=f"{VAULT}/replicationPolicies/{policy}"
    )
    return MappingBody(
        id=f"{source.id}/replicationProtectionContainerMappings/{policy}-{target.id.rpartition('/')[2]}",
        properties=properties,
    )


def chosen(
    fabrics: Sequence[FabricBody], containers: Sequence[ContainerBody], mappings: Sequence[MappingBody]
) -> dict[Place, str]:
    """The names of the containers that count, whatever the order in which they are listed."""
    answers = [
        topology_of(tuple(some), tuple(other), tuple(mappings))
        for some in itertools.permutations(fabrics)
        for other in itertools.permutations(containers)
    ]
    names = [_names(answer) for answer in answers]
    assert all(one == names[0] for one in names)
    return names[0]


def _names(topology: Topology) -> dict[Place, str]:
    return {place: ArmId(body.id).name for place, body in topology.containers.items()}


FABRICS = (fabric("f-weu", "West Europe"), fabric("f-neu", "northeurope"))
WEST, WEST_TOO, NORTH = container("f-weu", "a"), container("F-WEU", "b"), container("f-neu", "c")


def test_of_several_containers_the_one_with_mappings_counts_then_the_first_by_name() -> None:
    assert chosen(FABRICS, (WEST, WEST_TOO, NORTH), ()) == {WEU: "a", NEU: "c"}
    assert chosen(FABRICS, (WEST, WEST_TOO, NORTH), (mapping(WEST_TOO, NORTH),)) == {WEU: "b", NEU: "c"}


def test_mappings_of_other_containers_are_not_ours() -> None:
    theirs = mapping(WEST_TOO, NORTH)
    both = (mapping(WEST, NORTH), theirs)
    found = topology_of(FABRICS, (WEST, WEST_TOO, NORTH), both)
    assert [(leg, body.id) for leg, body in found.mappings] == [(Leg(WEU, NEU), both[0].id)]


def test_a_container_that_is_named_after_a_zone_stands_for_it() -> None:
    zone = container("f-weu", "asr-a2a-default-westeurope-z2-container")
    found = topology_of(FABRICS, (WEST, zone), (mapping(WEST, zone), mapping(zone, WEST)))
    assert _names(found) == {WEU: "a", Place("westeurope", "2"): "asr-a2a-default-westeurope-z2-container"}
    assert {leg for leg, _ in found.mappings} == {
        Leg(WEU, Place("westeurope", "2")),
        Leg(Place("westeurope", "2"), WEU),
    }


def test_of_two_fabrics_of_a_region_the_one_in_use_counts() -> None:
    second = fabric("z-weu", "westeurope")
    inside = container("z-weu", "z")
    assert chosen((*FABRICS, second), (inside, NORTH), ()) == {WEU: "z", NEU: "c"}


def test_fabrics_that_are_not_azures_are_no_regions() -> None:
    hyper_v = fabric("hv", "westeurope", "HyperVSite")
    assert topology_of((hyper_v,), (container("hv", "c"),), ()) == Topology()


def test_an_account_counts_only_while_it_keeps_agents_up_to_date() -> None:
    def told(status: str | None) -> str:
        details = MappingDetails(agent_auto_update_status=status, automation_account_arm_id="/subscriptions/1/aa")
        return MappingBody(id="/m", properties=MappingProperties(provider_specific_details=details)).update_account

    assert (told("Enabled"), told("Disabled"), told(None)) == ("/subscriptions/1/aa", "", "")
