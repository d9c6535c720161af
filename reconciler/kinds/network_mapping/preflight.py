"""What is known of a route's networks before anything is begun (ASR-14)."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.kinds.replication.route import LocatedRoute
from reconciler.model.arm_id import ArmId
from reconciler.model.casing import fold
from reconciler.model.document import Path
from reconciler.model.live import Live
from reconciler.model.replication_site import VirtualNetwork
from reconciler.plan.finding import Finding

_RULE, _SOURCE = "ASR-14", "tf-rvm:653, net"


def check_networks(route: LocatedRoute, live: Live) -> Iterator[Finding]:
    """Each network is there and in its region, and has the subnets that the route names."""
    value, source, target = route.value, route.leg.start.region, route.leg.end.region
    for index, pair in enumerate(value.networks):
        path: Path = ("networks", index)
        near = _known(live, pair.from_)
        far = _known(live, pair.to)
        yield from _check_network(route, live, (*path, "from"), pair.from_, source)
        yield from _check_network(route, live, (*path, "to"), pair.to, target)
        for here, there in (pair.subnets or {}).items():
            yield from _check_subnet(route, (*path, "subnets", here), near, here)
            yield from _check_subnet(route, (*path, "subnets", here), far, there)
    if value.test_network:
        yield from _check_network(route, live, ("testNetwork",), value.test_network, target)


def _known(live: Live, network: str) -> VirtualNetwork | None:
    return live.site.networks.get(ArmId(network))


def _check_network(route: LocatedRoute, live: Live, path: Path, network: str, region: str) -> Iterator[Finding]:
    arm_id = ArmId(network)
    if arm_id not in live.site.networks:
        return  # could not be read: a gap of its own says so
    found = live.site.networks[arm_id]
    if found is None:
        advice = "create it first, or name another: the reconciler never makes networks"
        yield _finding(route, path, f"virtual network {arm_id} does not exist", advice)
    elif found.location != region:
        message = f"virtual network {arm_id.name} is in {found.location}, not in {region}"
        yield _finding(route, path, message, f"name a virtual network in {region}")


def _check_subnet(route: LocatedRoute, path: Path, network: VirtualNetwork | None, name: str) -> Iterator[Finding]:
    if network is None or fold(name) in {fold(known) for known in network.subnets}:
        return
    there = ", ".join(sorted(network.subnets)) or "none"
    message = f"virtual network {network.arm_id.name} has no subnet {name!r}"
    yield _finding(route, path, message, f"write one of its subnets: {there}")


def _finding(route: LocatedRoute, path: Path, message: str, advice: str) -> Finding:
    where = ".".join(map(str, path))
    return Finding(
        code=_RULE,
        message=f"ReplicationRoute {route.name} {where}: {message}",
        advice=advice,
        source=route.document.at(*path),
        rule_source=_SOURCE,
    )
