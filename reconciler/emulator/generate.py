"""Estates of any size from a seed."""

from __future__ import annotations

from typing import Any

import msgspec


class Generation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    vms: int
    seed: int = 1


def generate(wanted: Generation) -> dict[str, Any]:
    return {"estate": f"generated-{wanted.vms}-{wanted.seed}"}
