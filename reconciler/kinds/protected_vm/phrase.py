"""What a protection says, for people; and many VMs in one sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.kinds.phrases import Phrase
from reconciler.kinds.protected_vm.spec import ProtectedVmSpec

_SHOWN = 3
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


def some_names(names: Sequence[str]) -> str:
    """`vm-1, vm-2, vm-3 and 9 more VMs`; `VM vm-1` for one."""
    if len(names) == 1:
        return f"VM {names[0]}"
    shown = ", ".join(names[:_SHOWN])
    rest = len(names) - _SHOWN
    return f"{shown} and {rest} more VMs" if rest > 0 else f"VMs {shown}"
