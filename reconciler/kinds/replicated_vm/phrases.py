"""What a replication says, for people."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.kinds.phrases import Phrase
from reconciler.kinds.replicated_vm.spec import ReplicatedVmSpec, TargetInterface
from reconciler.model.arm_id import ArmId

_STATES = {
    "Protected": "protected",
    "Seeding": "initial replication in progress",
    "Unfinished": "enabling failed",
    "Unknown": "unknown",
}


def replication_phrases(spec: ReplicatedVmSpec) -> Iterator[Phrase]:
    """Route, vault and policy; then what a failover makes of the VM."""
    mapping = spec.mapping.address
    yield Phrase("state", "state", _STATES[spec.state], usual=spec.state == "Protected")
    yield Phrase("mapping", "vault", mapping.scope.rpartition("/")[2])
    yield Phrase("mapping", "route", mapping.name)
    yield Phrase("target_resource_group", "targetResourceGroup", _name(spec.target_resource_group))
    yield from _given("zone", "zone", spec.zone)
    yield from _given("availability_set", "availabilitySet", _name(spec.availability_set))
    yield from _given("multi_vm_group", "multiVmGroup", spec.multi_vm_group)
    yield Phrase("cache_storage_account", "cacheStorageAccount", _name(spec.cache_storage_account))
    yield from _given("disk_encryption_set", "diskEncryptionSet", _name(spec.disk_encryption_set))
    for disk in spec.disks:
        yield Phrase("disks", f"disks.{_name(disk.disk)}", disk.type or "as the source")
    yield from _given("target_size", "targetSize", spec.target_size)
    yield from _given("network", "network", _name(spec.network))
    yield from _given("test_network", "testNetwork", _name(spec.test_network))
    for nic in spec.nics:
        yield Phrase("nics", f"nics.{nic.name}", _where(nic))


def replication_summary(spec: ReplicatedVmSpec) -> str:
    """`along westeurope-to-northeurope-dr in vault rsv-dr, 2 disks, into rg-app-dr`."""
    mapping = spec.mapping.address
    disks = f"{len(spec.disks)} disk{'' if len(spec.disks) == 1 else 's'}"
    vault = mapping.scope.rpartition("/")[2]
    return f"along {mapping.name} in vault {vault}, {disks}, into {_name(spec.target_resource_group)}"


def _given(field: str, name: str, text: str) -> Iterator[Phrase]:
    if text:
        yield Phrase(field, name, text)


def _name(arm_id: str) -> str:
    return ArmId(arm_id).name if arm_id else ""


def _where(nic: TargetInterface) -> str:
    usual = " ".join(part for part in (nic.subnet, nic.address) if part) or "left to Azure"
    drill = " ".join(part for part in (nic.test_subnet, nic.test_address) if part)
    return f"{usual}; in drills {drill}" if drill else usual
