"""Names that are computed, not kept: the jobs and recovery points of runs are found again from their own names."""

import re

from reconciler.emulator.providers.backup_names import draw
from reconciler.emulator.providers.protected_item_states import Protection

_POINT_BASE = 10007
_RUN_GUID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4})-4([0-9a-f]{3})-a([0-9a-f]{3})-([0-9a-f]{2})[0-9a-f]{10}")


def run_guid(protection: Protection, scheduled: int) -> str:
    """The job of a run: a guid that holds the run's instant, so that nobody needs to store it."""
    digits, noise = f"{scheduled:012x}", draw(protection.seed, scheduled)
    return f"{_item_mark(protection)}-{digits[:4]}-4{digits[4:7]}-a{digits[7:10]}-{digits[10:]}{noise:010x}"


def _item_mark(protection: Protection) -> str:
    return f"{draw('job', protection.seed):08x}"


def read_run_guid(guid: str) -> tuple[str, int] | None:
    """The mark of the item and the run's instant; None for a guid that is no run's."""
    match = _RUN_GUID.fullmatch(guid.lower())
    return (guid[:8].lower(), int("".join(match.groups()), 16)) if match else None


def is_marked(protection: Protection, mark: str) -> bool:
    return _item_mark(protection) == mark


def point_name(protection: Protection, scheduled: int) -> str:
    return str(scheduled * _POINT_BASE + draw("point", protection.seed) % _POINT_BASE)


def read_point_name(name: str) -> int | None:
    """The instant of the run that made the point."""
    return int(name) // _POINT_BASE if name.isdecimal() else None
