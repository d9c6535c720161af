"""The subnet that a restored VM is connected to. The network interface of its source is never taken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.model.arm_id import ArmId
from reconciler.model.restore_request import BackupRequest, MachineRequest
from reconciler.plan.finding import Finding, Severity
from reconciler.restore.surroundings import Network, Surroundings


@dataclass(frozen=True, slots=True)
class Connection:
    """ARM ids of the subnet, "" where none was found, and of the network security group, "" for none."""

    subnet: str = ""
    security_group: str = ""
    findings: tuple[Finding, ...] = ()


def connect(request: MachineRequest | BackupRequest, region: str, around: Surroundings) -> Connection:
    """The subnet that was asked for, or that of the source VM; the source's security group where it can serve. Pure."""
    if around.unread:
        return Connection(findings=(_refused(f"the networks could not be read: {around.unread}", _READ),))
    own = around.interface.subnet if around.interface else ""
    text = request.subnet or (own if around.region == region else "")
    if not text:
        why = "is gone" if around.machine is None else f"is in {around.region}, and the restored one in {region}"
        return Connection(findings=(_refused(f"the VM {why}: its subnet cannot be taken", _choices(region, around)),))
    found = [(network, network.subnet(_subnet_name(text))) for network in around.networks if _means(text, network)]
    fitting = [subnet for network, subnet in found if subnet and network.location == region]
    if len(fitting) != 1:
        return Connection(findings=(_unfit(text, region, found, fitting, around),))
    group, notes = _security_group(region, around)
    return Connection(fitting[0], group, tuple(notes))


def _means(text: str, network: Network) -> bool:
    if text.startswith("/"):
        return ArmId(text).parent() == network.arm_id
    return network.arm_id.name.casefold() == text.partition("/")[0].casefold()


def _subnet_name(text: str) -> str:
    return text.rstrip("/").rpartition("/")[2]


def _unfit(
    text: str, region: str, found: list[tuple[Network, str]], fitting: list[str], around: Surroundings
) -> Finding:
    if len(fitting) > 1:
        return _refused(f"{text!r} may mean {len(fitting)} subnets", f"write one of {', '.join(sorted(fitting))}")
    elsewhere = sorted({network.location for network, subnet in found if subnet})
    if elsewhere:
        where = " and ".join(elsewhere)
        return _refused(f"subnet {text} is in {where}, the VM would be in {region}", _choices(region, around))
    return _refused(f"there is no subnet {text}", _choices(region, around))


def _choices(region: str, around: Surroundings) -> str:
    names = [f"{network.arm_id.name}/{name}" for network in around.networks for name in network.subnets]
    here = [
        f"{network.arm_id.name}/{name}"
        for network in around.networks
        if network.location == region
        for name in network.subnets
    ]
    if here:
        return f"name one with --subnet, as {', '.join(sorted(here)[:5])}"
    more = f" (there are {len(names)} elsewhere)" if names else ""
    return f"there is no subnet in {region}{more}: create one, then name it with --subnet vnet/subnet"


def _security_group(region: str, around: Surroundings) -> tuple[str, Iterator[Finding] | tuple[Finding, ...]]:
    group = around.interface.security_group if around.interface else ""
    if not group or around.region == region:
        return group, ()
    note = Finding(
        code="security-group-left",
        severity=Severity.WARNING,
        message=f"the network security group {ArmId(group).name} is in {around.region} and cannot serve in {region}: "
        "only that of the subnet protects the VM",
        advice="give the new network interface one of its own region",
    )
    return "", (note,)


_READ = "give the identity Microsoft.Network/virtualNetworks/read and networkInterfaces/read, then run this again"


def _refused(message: str, advice: str) -> Finding:
    return Finding(code="subnet-unknown", message=message, advice=advice)
