"""What a protection says, for people."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.kinds.phrases import Phrase
from reconciler.kinds.protected_vm.spec import ProtectedVmSpec

_STATES = {
    "Protected": "protected",
    "Stopped": "stopped",
    "Suspended": "suspended",
    "SoftDeleted": "soft-deleted",
    "Unknown": "unknown",
}


def protection_phrases(spec: ProtectedVmSpec) -> Iterator[Phrase]:
    """The policy by its name, the vault by its own."""
    yield Phrase("state", "state", _STATES[spec.state], usual=spec.state == "Protected")
    yield Phrase("settings", "vault", spec.settings.address.name)
    if spec.policy:
        yield Phrase("policy", "policy", spec.policy.address.name)
    yield Phrase("disks", "disks", str(spec.disks).replace("all disks", "all"))


def protection_summary(spec: ProtectedVmSpec) -> str:
    """`with policy daily-30d in vault rsv-prod-weu, all disks`."""
    policy = f"policy {spec.policy.address.name} in " if spec.policy else ""
    return f"with {policy}vault {spec.settings.address.name}, {spec.disks}"
