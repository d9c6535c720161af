"""Regions that Site Recovery does not take in every role (ASR-10): a small table, from the support matrix of Azure
to Azure. Any other pair is allowed; Azure has the last word."""

from __future__ import annotations

SOURCE_ONLY = frozenset({"brazilsouth"})
"""VMs can be replicated from there, not to there."""
TARGET_ONLY = frozenset({"brazilsoutheast"})
"""VMs can be replicated to there, not from there."""
NO_VAULT = frozenset({"newzealandnorth"})
"""No vault for Site Recovery can be made there."""
CLOUDS = ("china", "usgov", "usdod")
"""How the names of regions of national clouds begin: a VM never leaves its cloud."""


def cloud_of(region: str) -> str:
    """`china`, `usgov`, or "" for the public cloud; the regions of the DoD belong to the government's cloud."""
    found = next((name for name in CLOUDS if region.startswith(name)), "")
    return "usgov" if found == "usdod" else found
