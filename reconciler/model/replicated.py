"""What we see of a replicated VM and do not manage. Kinds, drills and failovers share it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from reconciler.model.arm_id import ArmId
from reconciler.model.observed import VOLATILE


@dataclass(frozen=True, slots=True)
class SourceInterface:
    """A network interface of a replicated VM where it runs now: what decides where it goes. Known once it is protected.

    `network` is the virtual network, `subnet` the name of the subnet of its primary address.
    """

    name: str
    network: ArmId
    subnet: str


@dataclass(frozen=True, slots=True)
class ReplicatedDiskFacts:
    """A replicated disk. `replica` is the disk in the target region that Azure keeps up to date."""

    disk: ArmId
    size_gib: int
    is_os: bool = False
    replica: ArmId | None = None


@dataclass(frozen=True, slots=True)
class ReplicationFacts:
    """`observed` of a live `replicated_vm` resource.

    `machine_id` is the VM that is replicated now: after a reprotect the one that was failed over to. `home_id` is the
    VM that the policies speak of, whose address the resource has. `item_id` is the id Azure answered with; after a
    reprotect it lies in the other container, under the same name. `target_id` is the VM that a failover makes: its name
    is known before, and a failback leaves it where it is; `test_target_id` the one that a drill
    under way makes, `test_machine_id` the one that it has made. `protection_state`, `active_location` (Primary,
    Recovery) and `test_failover_state` are Azure's words; `allowed_operations` gates every operation (ASR-50).
    `rpo_seconds` is None before the first recovery point. Times are aware UTC.
    """

    vault_id: ArmId
    item_id: ArmId
    machine_id: ArmId
    name: str
    policy_name: str
    primary_region: str
    recovery_region: str
    initial_primary_region: str = ""
    lifecycle_id: str = ""
    protection_state: str = field(default="", metadata=VOLATILE)
    description: str = field(default="", metadata=VOLATILE)
    active_location: str = field(default="Primary", metadata=VOLATILE)
    test_failover_state: str = field(default="", metadata=VOLATILE)
    allowed_operations: tuple[str, ...] = field(default=(), metadata=VOLATILE)
    health: str = field(default="", metadata=VOLATILE)
    health_errors: tuple[str, ...] = field(default=(), metadata=VOLATILE)
    rpo_seconds: int | None = field(default=None, metadata=VOLATILE)
    last_test_failover: datetime | None = field(default=None, metadata=VOLATILE)
    recovery_machine_id: ArmId | None = field(default=None, metadata=VOLATILE)
    since: datetime | None = field(default=None, metadata=VOLATILE)
    home_id: ArmId | None = None
    target_id: ArmId | None = None
    test_target_id: ArmId | None = None
    test_machine_id: ArmId | None = field(default=None, metadata=VOLATILE)
    rpo_calculated: datetime | None = field(default=None, metadata=VOLATILE)
    initial_primary_zone: str = ""
    primary_zone: str = ""
    percent: int | None = field(default=None, metadata=VOLATILE)
    interfaces: tuple[SourceInterface, ...] = ()
    disks: tuple[ReplicatedDiskFacts, ...] = ()

    @property
    def protected(self) -> bool:
        """Whether it could be failed over now: the end of the enabling operation is not protection."""
        return self.protection_state == "Protected"

    @property
    def frozen(self) -> bool:
        """Whether it is failed over, in a drill or on its way back: then people are at work, and nothing is changed."""
        return self.failed_over or self.in_drill or self.reversed

    @property
    def copies(self) -> tuple[ArmId, ...]:
        """VMs beside its home that are, were or will be it: made by a failover or a drill, or left behind by a failback
        (ASR-56). Azure gives them its tags, so selectors take them for VMs of their own."""
        home = self.home_id or self.machine_id
        made = (self.machine_id, self.recovery_machine_id, self.target_id, *self.test_copies)
        return tuple(one for one in made if one is not None and one != home)

    @property
    def test_copies(self) -> tuple[ArmId, ...]:
        """The VMs that drills make: they go again, so nothing protects them."""
        return tuple(dict.fromkeys(one for one in (self.test_machine_id, self.test_target_id) if one is not None))

    @property
    def gib(self) -> int:
        """What an initial replication has to send."""
        return sum(disk.size_gib for disk in self.disks)

    @property
    def failed_over(self) -> bool:
        """Whether the VM runs in the recovery region, committed or not."""
        return self.active_location == "Recovery" or self.protection_state.startswith("UnplannedFailover")

    @property
    def reversed(self) -> bool:
        """Whether it is replicated back: from where it failed over to, to where it came from."""
        if self.primary_region == self.recovery_region:
            return bool(self.initial_primary_zone) and self.initial_primary_zone != self.primary_zone
        return bool(self.initial_primary_region) and self.initial_primary_region != self.primary_region

    @property
    def in_drill(self) -> bool:
        """Whether a test failover has not been cleaned up."""
        return self.test_failover_state not in ("", "None")
