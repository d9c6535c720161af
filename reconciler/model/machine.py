"""Virtual machines as selectors see them. We never write to a VM."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from reconciler.model.arm_id import ArmId
from reconciler.model.disk import Attachment


class OsType(StrEnum):
    WINDOWS = "Windows"
    LINUX = "Linux"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class Machine:
    """One VM of a subscription of the Scope, in the facts that selectors, placement and rules need.

    `subscription` is the alias; `location` is normalised (`westeurope`); `data_disks` are the LUNs; `security_type` is
    Standard, TrustedLaunch or ConfidentialVM; `disks` are its managed disks, the OS disk
    first; `disk_types` holds the storage types of all its managed disks, where the VM says them (UltraSSD_LRS and
    PremiumV2_LRS need an Enhanced policy: BP-43).
    """

    arm_id: ArmId
    subscription: str
    resource_group: str
    name: str
    location: str
    os_type: OsType = OsType.UNKNOWN
    tags: Mapping[str, str] = field(default_factory=dict)
    data_disks: tuple[int, ...] = ()
    disk_types: tuple[str, ...] = ()
    disks: tuple[Attachment, ...] = ()
    security_type: str = "Standard"
    size: str = ""
    zones: tuple[str, ...] = ()

    @property
    def scope(self) -> str:
        """The address scope of everything that belongs to this VM: alias and resource group."""
        return f"{self.subscription}/{self.resource_group}"
