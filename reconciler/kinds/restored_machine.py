"""VMs that a restore makes out of restored disks. The VMs that are there anyway are the inventory's
(`virtual_machine`), and are never written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar

import msgspec

from reconciler.azure.clients import Azure
from reconciler.azure.failures import failure
from reconciler.azure.operations import Accepted, Operation
from reconciler.kinds.base import Comparison, Rule, Verdict
from reconciler.kinds.phrases import Phrase
from reconciler.kinds.restoration import DISKS, INTERFACES, Place, RestoredKind, same_word
from reconciler.model.arm_id import ArmId
from reconciler.model.counting import count
from reconciler.model.location import normalise_location
from reconciler.model.resource import Ref, Spec
from reconciler.plan.change import Consequence, Effect

if TYPE_CHECKING:
    from azure.mgmt.compute import models

API_VERSION = "2025-04-01"


class DataDisk(msgspec.Struct, frozen=True):
    """A data disk on its LUN; `caching` "" leaves it to Azure."""

    lun: int
    disk: Ref
    caching: str = ""


class Offer(msgspec.Struct, frozen=True):
    """`plan`: the marketplace offer whose terms the OS disk is under."""

    name: str
    product: str
    publisher: str


class RestoredMachineSpec(Spec, frozen=True, kw_only=True):
    """`zone` "" leaves the VM regional; `security_type` is "" (Standard) or TrustedLaunch, with secure boot and vTPM as
    the source has them; `license_type` is Windows_Server and the like; `ultra_ssd` lets Ultra disks be attached."""

    location: str
    size: str
    zone: str = ""
    os_type: str
    os_disk: Ref
    os_caching: str = ""
    data_disks: tuple[DataDisk, ...] = ()
    network_interface: Ref
    security_type: str = ""
    secure_boot: bool = False
    vtpm: bool = False
    license_type: str = ""
    ultra_ssd: bool = False
    offer: Offer | None = None

    def refs(self) -> Iterator[tuple[str, Ref]]:
        """The data disks are references, too."""
        yield from super().refs()
        for disk in self.data_disks:
            yield "data_disks", disk.disk


class AttachedBody(msgspec.Struct, frozen=True):
    """`managedDisk`."""

    id: str = ""


class AttachedDiskBody(msgspec.Struct, frozen=True, rename="camel"):
    """`osDisk`, or one of `dataDisks`."""

    lun: int = 0
    os_type: str | None = None
    caching: str | None = None
    managed_disk: AttachedBody | None = None


class StorageBody(msgspec.Struct, frozen=True, rename="camel"):
    """`properties.storageProfile`."""

    os_disk: AttachedDiskBody = AttachedDiskBody()
    data_disks: tuple[AttachedDiskBody, ...] | None = None


class HardwareBody(msgspec.Struct, frozen=True, rename="camel"):
    """`properties.hardwareProfile`."""

    vm_size: str = ""


class NetworkBody(msgspec.Struct, frozen=True, rename="camel"):
    """`properties.networkProfile`."""

    network_interfaces: tuple[AttachedBody, ...] = ()


class UefiBody(msgspec.Struct, frozen=True, rename="camel"):
    """`properties.securityProfile.uefiSettings`."""

    secure_boot_enabled: bool | None = None
    v_tpm_enabled: bool | None = msgspec.field(name="vTpmEnabled", default=None)


class SecurityBody(msgspec.Struct, frozen=True, rename="camel"):
    """`properties.securityProfile`."""

    security_type: str | None = None
    uefi_settings: UefiBody | None = None


class CapabilitiesBody(msgspec.Struct, frozen=True):
    """`properties.additionalCapabilities`."""

    ultra_ssd: bool | None = msgspec.field(name="ultraSSDEnabled", default=None)


class RestoredMachineProperties(msgspec.Struct, frozen=True, rename="camel"):
    """What is read of a VM that is restored, or restored from."""

    hardware_profile: HardwareBody = HardwareBody()
    storage_profile: StorageBody = StorageBody()
    network_profile: NetworkBody | None = None
    security_profile: SecurityBody | None = None
    license_type: str | None = None
    additional_capabilities: CapabilitiesBody | None = None
    provisioning_state: str | None = None


class RestoredMachineBody(msgspec.Struct, frozen=True):
    """One VM."""

    location: str = ""
    zones: tuple[str, ...] | None = None
    plan: Offer | None = None
    properties: RestoredMachineProperties = RestoredMachineProperties()


class RestoredMachineKind(RestoredKind[RestoredMachineSpec, RestoredMachineBody]):
    """A VM whose disks and network interface were made for it. It starts as soon as it is made."""

    name = "virtual_machine"
    title = "VM"
    spec = RestoredMachineSpec
    body = RestoredMachineBody
    api_version = API_VERSION
    permission = "Microsoft.Compute/virtualMachines/write"
    usually = "one to three minutes"
    rules: ClassVar[Mapping[str, Rule]] = dict.fromkeys(RestoredMachineSpec.__struct_fields__, Rule.FORBID)

    def live_spec(self, body: RestoredMachineBody, wanted: RestoredMachineSpec, place: Place) -> RestoredMachineSpec:
        """Disks and network interface by their addresses; what was left to Azure is not compared."""
        properties = body.properties
        storage, security = properties.storage_profile, properties.security_profile or SecurityBody()
        uefi = security.uefi_settings or UefiBody()
        network = properties.network_profile or NetworkBody()
        interface = network.network_interfaces[0] if network.network_interfaces else None
        trusted = bool(wanted.security_type)
        capabilities = properties.additional_capabilities or CapabilitiesBody()
        cached = {disk.lun for disk in wanted.data_disks if disk.caching}
        return RestoredMachineSpec(
            location=normalise_location(body.location),
            size=same_word(properties.hardware_profile.vm_size, wanted.size),
            zone=(body.zones or ("",))[0],
            os_type=same_word(storage.os_disk.os_type or "", wanted.os_type),
            os_disk=_ref("disk", storage.os_disk.managed_disk, place),
            os_caching=(storage.os_disk.caching or "") if wanted.os_caching else "",
            data_disks=tuple(
                DataDisk(
                    one.lun,
                    _ref("disk", one.managed_disk, place),
                    (one.caching or "") if one.lun in cached else "",
                )
                for one in sorted(storage.data_disks or (), key=lambda one: one.lun)
            ),
            network_interface=_ref("network_interface", interface, place),
            security_type=(security.security_type or "") if trusted else "",
            secure_boot=bool(uefi.secure_boot_enabled) if trusted else False,
            vtpm=bool(uefi.v_tpm_enabled) if trusted else False,
            license_type=(properties.license_type or "") if wanted.license_type else "",
            ultra_ssd=bool(capabilities.ultra_ssd) if wanted.ultra_ssd else False,
            offer=body.plan if wanted.offer else None,
        )

    def state(self, body: RestoredMachineBody) -> str:
        return body.properties.provisioning_state or ""

    def title_of(self, spec: RestoredMachineSpec, place: Place) -> str:
        return f"make VM {place.arm_id.name} of {count(1 + len(spec.data_disks), 'restored disk')}"

    def describe(self, spec: RestoredMachineSpec) -> Iterator[Phrase]:
        """What it is made of."""
        zone = f", zone {spec.zone}" if spec.zone else ""
        form = (spec.size or "unknown", spec.os_type, spec.security_type, f"in {spec.location}{zone}")
        yield Phrase("size", "size", ", ".join(part for part in form if part))
        yield Phrase("os_disk", "osDisk", spec.os_disk.address.name)
        for disk in spec.data_disks:
            yield Phrase("data_disks", f"dataDisks.{disk.lun}", f"{disk.disk.address.name} on LUN {disk.lun}")
        yield Phrase("network_interface", "networkInterface", spec.network_interface.address.name)

    def consequences(
        self,
        comparison: Comparison[RestoredMachineSpec],  # noqa: ARG002 -- the same of every VM that is made
        verdict: Verdict,  # noqa: ARG002
    ) -> tuple[Consequence, ...]:
        """What starts."""
        return (
            Consequence(
                effect=Effect.NONE,
                text="the VM starts at once, with the host name, accounts and services of its source: keep it from "
                "reaching what the source still serves",
            ),
        )

    async def put(self, azure: Azure, spec: RestoredMachineSpec, place: Place) -> Operation | None:
        """PUT through the typed client, sent once."""
        from azure.core.exceptions import AzureError as SdkError

        accepted = Accepted()
        try:
            await azure.compute(place.arm_id.subscription).virtual_machines.begin_create_or_update(
                place.arm_id.resource_group,
                place.arm_id.name,
                _machine(spec, place),
                polling=False,
                raw_response_hook=accepted,
            )
        except SdkError as error:
            raise failure(error, str(place.arm_id)) from error
        return accepted.operation(str(place.arm_id))


def _ref(kind: str, body: AttachedBody | None, place: Place) -> Ref:
    return Ref.of(place.address_of(kind, ArmId(body.id))) if body and body.id else Ref.of(place.address)


def _machine(spec: RestoredMachineSpec, place: Place) -> models.VirtualMachine:
    from azure.mgmt.compute import models

    def attached(disk: Ref) -> models.ManagedDiskParameters:
        return models.ManagedDiskParameters(id=str(place.sibling(disk.address, DISKS)))

    interface = str(place.sibling(spec.network_interface.address, INTERFACES))
    properties = models.VirtualMachineProperties(
        hardware_profile=models.HardwareProfile(vm_size=spec.size),
        storage_profile=models.StorageProfile(
            os_disk=models.OSDisk(
                create_option="Attach",
                os_type=spec.os_type,
                caching=spec.os_caching or None,
                managed_disk=attached(spec.os_disk),
            ),
            data_disks=[
                models.DataDisk(
                    lun=one.lun,
                    create_option="Attach",
                    caching=one.caching or None,
                    managed_disk=attached(one.disk),
                )
                for one in spec.data_disks
            ],
        ),
        network_profile=models.NetworkProfile(network_interfaces=[models.NetworkInterfaceReference(id=interface)]),
        license_type=spec.license_type or None,
    )
    if spec.ultra_ssd:
        properties.additional_capabilities = models.AdditionalCapabilities(ultra_ssd_enabled=True)
    if spec.security_type:
        properties.security_profile = models.SecurityProfile(
            security_type=spec.security_type,
            uefi_settings=models.UefiSettings(secure_boot_enabled=spec.secure_boot, v_tpm_enabled=spec.vtpm),
        )
    offer = spec.offer
    return models.VirtualMachine(
        location=spec.location,
        zones=[spec.zone] if spec.zone else None,
        plan=models.Plan(name=offer.name, product=offer.product, publisher=offer.publisher) if offer else None,
        properties=properties,
    )
