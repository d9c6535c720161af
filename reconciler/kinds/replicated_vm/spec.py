"""What we manage of a replicated VM: through which mapping, into which place, which disks, networks and size."""

from __future__ import annotations

from typing import Literal

import msgspec

from reconciler.model.arm_id import ArmId
from reconciler.model.casing import fold
from reconciler.model.resource import Ref, Spec

NAME = "replicated_vm"
State = Literal["Protected", "Seeding", "Unfinished", "Unknown"]
"""Protected, and everything after it: what can be failed over. Seeding: the initial replication goes on. Unfinished:
enabling failed, and may be tried again. Unknown: a state that this version does not know."""


class TargetDisk(msgspec.Struct, frozen=True, kw_only=True):
    """A replicated disk of the VM and the type of what a failover makes of it."""

    disk: str
    type: str


class TargetInterface(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a network interface goes, by the source's name: after a failover, and in drills. "" is Azure's choice."""

    name: str
    subnet: str = ""
    address: str = ""
    test_subnet: str = ""
    test_address: str = ""


class ReplicatedVmSpec(Spec, frozen=True, kw_only=True):
    """Desired is always `Protected`. Ids are folded in normal form: Site Recovery answers some in lower case.

    `mapping` says the vault, both regions and the policy. `networks` are the network mappings that must be there
    first; Azure does not tell which it used. What the policies do not say of size, networks and interfaces is taken
    from what is there.
    """

    mapping: Ref
    networks: tuple[Ref, ...] = ()
    state: State = "Protected"
    target_resource_group: str
    zone: str = ""
    availability_set: str = ""
    multi_vm_group: str = ""
    cache_storage_account: str
    disk_encryption_set: str = ""
    disks: tuple[TargetDisk, ...]
    target_size: str = ""
    network: str = ""
    test_network: str = ""
    nics: tuple[TargetInterface, ...] = ()


def normal_spec(spec: ReplicatedVmSpec) -> ReplicatedVmSpec:
    """Ids and names as Azure compares them, disks and interfaces in the order of their names."""
    disks = sorted(
        (TargetDisk(disk=ArmId(one.disk).key, type=one.type) for one in spec.disks), key=lambda one: one.disk
    )
    nics = sorted(
        (
            TargetInterface(
                name=fold(one.name),
                subnet=fold(one.subnet),
                address=one.address.lower(),
                test_subnet=fold(one.test_subnet),
                test_address=one.test_address.lower(),
            )
            for one in spec.nics
        ),
        key=lambda one: one.name,
    )
    wanted = msgspec.structs.replace(
        spec,
        target_resource_group=_key(spec.target_resource_group),
        availability_set=_key(spec.availability_set),
        multi_vm_group=fold(spec.multi_vm_group),
        cache_storage_account=_key(spec.cache_storage_account),
        disk_encryption_set=_key(spec.disk_encryption_set),
        disks=tuple(disks),
        network=_key(spec.network),
        test_network=_key(spec.test_network),
        nics=tuple(nics),
    )
    return spec if wanted == spec else wanted


def _key(text: str) -> str:
    return ArmId(text).key if text else ""
