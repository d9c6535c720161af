"""Network interfaces that a restore makes. There is no SDK for networks among our dependencies: one plain PUT
(docs/decisions/0013)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import msgspec

from reconciler.azure.clients import Azure
from reconciler.azure.operations import Operation, operation_from
from reconciler.kinds.base import Rule
from reconciler.kinds.phrases import Phrase
from reconciler.kinds.restoration import Place, RestoredKind, same_id
from reconciler.model.arm_id import ArmId
from reconciler.model.location import normalise_location
from reconciler.model.resource import Spec

API_VERSION = "2024-05-01"


class RestoredInterfaceSpec(Spec, frozen=True, kw_only=True):
    """One IP configuration with a dynamic private address of `subnet` (ARM id), and no public one. `security_group` is
    the ARM id of a network security group, "" for none; `machine` that of the VM it is for: one that serves another VM
    is taken. `addressing` is what one that is there has beside that, in words: such a one is not ours, either."""

    location: str
    subnet: str
    machine: str
    security_group: str = ""
    addressing: tuple[str, ...] = ()


class IdBody(msgspec.Struct, frozen=True):
    """A reference to another resource."""

    id: str = ""


class ConfigurationProperties(msgspec.Struct, frozen=True):
    """`properties` of one IP configuration."""

    subnet: IdBody | None = None
    public_address: IdBody | None = msgspec.field(default=None, name="publicIPAddress")
    allocation: str = msgspec.field(default="Dynamic", name="privateIPAllocationMethod")
    balancer_pools: tuple[IdBody, ...] | None = msgspec.field(default=None, name="loadBalancerBackendAddressPools")
    gateway_pools: tuple[IdBody, ...] | None = msgspec.field(default=None, name="applicationGatewayBackendAddressPools")
    application_groups: tuple[IdBody, ...] | None = msgspec.field(default=None, name="applicationSecurityGroups")


class ConfigurationBody(msgspec.Struct, frozen=True):
    """One of `properties.ipConfigurations`."""

    properties: ConfigurationProperties = ConfigurationProperties()


class DnsBody(msgspec.Struct, frozen=True, rename="camel"):
    """`properties.dnsSettings`."""

    dns_servers: tuple[str, ...] | None = None


class InterfaceProperties(msgspec.Struct, frozen=True, rename="camel"):
    """What is read of a network interface."""

    ip_configurations: tuple[ConfigurationBody, ...] = ()
    network_security_group: IdBody | None = None
    virtual_machine: IdBody | None = None
    provisioning_state: str | None = None
    dns_settings: DnsBody | None = None
    forwarding: bool | None = msgspec.field(default=None, name="enableIPForwarding")


class InterfaceBody(msgspec.Struct, frozen=True):
    """One network interface."""

    location: str = ""
    properties: InterfaceProperties = InterfaceProperties()

    @property
    def subnet(self) -> str:
        """ARM id of the subnet of its first IP configuration."""
        found = (one.properties.subnet.id for one in self.properties.ip_configurations if one.properties.subnet)
        return next(found, "")

    @property
    def security_group(self) -> str:
        group = self.properties.network_security_group
        return group.id if group else ""

    @property
    def addressing(self) -> tuple[str, ...]:
        """What none that a restore makes has, and what somebody may rely on."""
        every, dns = [one.properties for one in self.properties.ip_configurations], self.properties.dns_settings
        found = {
            "several IP configurations": len(every) > 1,
            "a public address": any(one.public_address for one in every),
            "a static private address": any(one.allocation.casefold() != "dynamic" for one in every),
            "a load balancer": any(one.balancer_pools or one.gateway_pools for one in every),
            "application security groups": any(one.application_groups for one in every),
            "DNS servers of its own": bool(dns and dns.dns_servers),
            "IP forwarding": bool(self.properties.forwarding),
        }
        return tuple(name for name, there in found.items() if there)


class RestoredInterfaceKind(RestoredKind[RestoredInterfaceSpec, InterfaceBody]):
    """The network interface of a restored VM; never that of the VM it was restored from."""

    name = "network_interface"
    title = "network interface"
    spec = RestoredInterfaceSpec
    body = InterfaceBody
    api_version = API_VERSION
    permission = "Microsoft.Network/networkInterfaces/write"
    usually = "a few seconds"
    rules: ClassVar[Mapping[str, Rule]] = dict.fromkeys(RestoredInterfaceSpec.__struct_fields__, Rule.FORBID)

    def live_spec(self, body: InterfaceBody, wanted: RestoredInterfaceSpec, place: Place) -> RestoredInterfaceSpec:  # noqa: ARG002
        user = body.properties.virtual_machine
        return RestoredInterfaceSpec(
            location=normalise_location(body.location),
            machine=same_id(user.id, wanted.machine) if user and user.id else wanted.machine,
            subnet=same_id(body.subnet, wanted.subnet),
            security_group=same_id(body.security_group, wanted.security_group),
            addressing=body.addressing,
        )

    def state(self, body: InterfaceBody) -> str:
        return body.properties.provisioning_state or ""

    def title_of(self, spec: RestoredInterfaceSpec, place: Place) -> str:
        return f"make network interface {place.arm_id.name} in subnet {_subnet_name(spec)}"

    def summarise(self, spec: RestoredInterfaceSpec) -> str:
        return f"in subnet {_subnet_name(spec)}, with a new private address and no public one"

    def describe(self, spec: RestoredInterfaceSpec) -> Iterator[Phrase]:
        """Where it leads, and whom it serves."""
        yield Phrase("subnet", "subnet", _subnet_name(spec))
        yield Phrase("machine", "virtualMachine", ArmId(spec.machine).name)
        if spec.security_group:
            yield Phrase("security_group", "networkSecurityGroup", ArmId(spec.security_group).name)
        usual = not spec.addressing
        yield Phrase("addressing", "addressing", ", ".join(spec.addressing) or "one dynamic private address", usual)

    async def put(self, azure: Azure, spec: RestoredInterfaceSpec, place: Place) -> Operation | None:
        """PUT, sent once. Raises for every status of 400 or more."""
        configuration = {"subnet": {"id": spec.subnet}, "privateIPAllocationMethod": "Dynamic", "primary": True}
        properties: dict[str, Any] = {"ipConfigurations": [{"name": "ipconfig1", "properties": configuration}]}
        if spec.security_group:
            properties["networkSecurityGroup"] = {"id": spec.security_group}
        body = {"location": spec.location, "properties": properties}
        answer = await azure.send("PUT", str(place.arm_id), API_VERSION, body)
        said = answer.body.get("properties") if isinstance(answer.body, Mapping) else None
        state = str(said.get("provisioningState") or "") if isinstance(said, Mapping) else ""
        return operation_from(answer.status, answer.headers, str(place.arm_id), state=state, api_version=API_VERSION)


def _subnet_name(spec: RestoredInterfaceSpec) -> str:
    subnet = ArmId(spec.subnet)
    return f"{subnet.segment('virtualNetworks')}/{subnet.name}"
