"""What routes name and the reconciler never writes: cache storage accounts and virtual networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.model.arm_id import ArmId


@dataclass(frozen=True, slots=True)
class CacheAccount:
    """A storage account, in the facts that Site Recovery asks for (ASR-20, ASR-21).

    `type` is Azure's `kind` (StorageV2, BlockBlobStorage), `sku` as Standard_LRS. `blobs_kept` is the soft delete of
    blobs; `open_to_azure` says whether trusted services get past the firewall.
    """

    arm_id: ArmId
    location: str
    type: str
    sku: str
    shared_key: bool = True
    blobs_kept: bool = False
    open_to_azure: bool = True


@dataclass(frozen=True, slots=True)
class VirtualNetwork:
    """A virtual network and the names of its subnets."""

    arm_id: ArmId
    location: str
    subnets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReplicationSite:
    """What stands at both ends of the declared routes. None is what is not there; what could not be read is missing.

    `groups` holds the region of every resource group, by `alias/name`, case-folded.
    """

    accounts: Mapping[ArmId, CacheAccount | None] = field(default_factory=dict)
    networks: Mapping[ArmId, VirtualNetwork | None] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)
