"""Time zones: Azure takes Windows ids only (BP-08), people write IANA names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tzlocal.windows_tz import tz_win, win_tz

_OTHER_NAMES = {
    "z": "UTC",
    "gmt": "UTC",
    "est5edt": "Eastern Standard Time",
    "cst6cdt": "Central Standard Time",
    "mst7mdt": "Mountain Standard Time",
    "pst8pdt": "Pacific Standard Time",
    "us/east-indiana": "US Eastern Standard Time",
    "europe/uzhgorod": "FLE Standard Time",
    "europe/zaporozhye": "FLE Standard Time",
}
"""IANA names, case-folded, that the Unicode table of Windows zones leaves out."""


@lru_cache(maxsize=256)
def windows_zone(name: str) -> str | None:
    """The Windows id for an IANA or a Windows name, in any casing; None for an unknown one."""
    if name in win_tz:
        return name
    if not name:
        return None
    if name in tz_win:
        return str(tz_win[name])
    wanted = name.casefold()
    if wanted in _OTHER_NAMES:
        return _OTHER_NAMES[wanted]
    for known in win_tz:
        if known.casefold() == wanted:
            return str(known)
    return next((str(windows) for iana, windows in tz_win.items() if iana.casefold() == wanted), None)


@lru_cache(maxsize=256)
def zone_info(name: str) -> ZoneInfo | None:
    """The clocks of a zone by its IANA or Windows name, in any casing; None for one that nobody knows."""
    iana = next((str(zone) for zone in tz_win if zone and zone.casefold() == name.casefold()), name)
    windows = windows_zone(name)
    for candidate in (iana, str(win_tz.get(windows, "")) if windows else ""):
        try:
            return ZoneInfo(candidate)
        except (ValueError, OSError, ZoneInfoNotFoundError):
            continue
    return None


def similar_zones(name: str) -> list[str]:
    """Known names that an unknown one may have meant, the closest first."""
    known = {str(zone).casefold(): str(zone) for zone in (*win_tz, *tz_win) if zone}
    cities = {zone.rpartition("/")[2]: zone for key, zone in known.items() if "/" in key}
    by_city = {city.casefold(): zone for city, zone in cities.items()}
    wanted = name.casefold()
    close = [known[key] for key in get_close_matches(wanted, known, n=3, cutoff=0.7)]
    if not close:
        close = [by_city[key] for key in get_close_matches(wanted.rpartition("/")[2], by_city, n=3, cutoff=0.7)]
    return close


def shifts_in_summer(windows_id: str) -> bool:
    """True where clocks of that zone change during the year: a backup then starts an hour off."""
    return len(set(_clock(win_tz.get(windows_id, "")))) > 1


def keeps_other_time(name: str, windows_id: str) -> bool:
    """True where the clocks of an IANA zone and of the Windows zone that Azure has for it differ in some month."""
    here, there = _clock(name), _clock(win_tz.get(windows_id, ""))
    return bool(here and there) and here != there


@lru_cache(maxsize=256)
def _clock(iana: str) -> tuple[timedelta | None, ...]:
    """The offset from UTC in the middle of each month; nothing for a zone that this machine does not know."""
    try:
        zone = ZoneInfo(iana)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return ()
    return tuple(datetime(2026, month, 15, tzinfo=UTC).astimezone(zone).utcoffset() for month in range(1, 13))
