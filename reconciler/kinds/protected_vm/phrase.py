"""Many VMs in one sentence."""

from __future__ import annotations

from collections.abc import Sequence

_SHOWN = 3


def some_names(names: Sequence[str]) -> str:
    """`vm-1, vm-2, vm-3 and 9 more VMs`; `VM vm-1` for one."""
    if len(names) == 1:
        return f"VM {names[0]}"
    shown = ", ".join(names[:_SHOWN])
    rest = len(names) - _SHOWN
    return f"{shown} and {rest} more VMs" if rest > 0 else f"VMs {shown}"
