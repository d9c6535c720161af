"""Time zones: Azure takes Windows ids only (BP-08), people write IANA names."""

from __future__ import annotations

from datetime import UTC, datetime
from difflib import get_close_matches
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tzlocal.windows_tz import tz_win, win_tz


@lru_cache(maxsize=256)
def windows_zone(name: str) -> str | None:
    """The Windows id for an IANA or a Windows name, in any casing; None for an unknown one."""
    if name in win_tz:
        return name
    if name in tz_win:
        return str(tz_win[name])
    wanted = name.casefold()
    if wanted in {"utc", "etc/utc", "z"}:
        return "UTC"
    for known in win_tz:
        if known.casefold() == wanted:
            return str(known)
    return next((str(windows) for iana, windows in tz_win.items() if iana.casefold() == wanted), None)


def similar_zones(name: str) -> list[str]:
    """Known names that an unknown one may have meant, the closest first."""
    known = {str(zone).casefold(): str(zone) for zone in (*win_tz, *tz_win)}
    cities = {zone.rpartition("/")[2]: zone for key, zone in known.items() if "/" in key}
    by_city = {city.casefold(): zone for city, zone in cities.items()}
    wanted = name.casefold()
    close = [known[key] for key in get_close_matches(wanted, known, n=3, cutoff=0.7)]
    if not close:
        close = [by_city[key] for key in get_close_matches(wanted.rpartition("/")[2], by_city, n=3, cutoff=0.7)]
    return close


def shifts_in_summer(windows_id: str) -> bool:
    """True where clocks of that zone change during the year: a backup then starts an hour off."""
    try:
        zone = ZoneInfo(win_tz[windows_id])
    except (KeyError, ZoneInfoNotFoundError):
        return False
    offsets = {datetime(2026, month, 15, tzinfo=UTC).astimezone(zone).utcoffset() for month in (1, 4, 7, 10)}
    return len(offsets) > 1
