"""How Azure Backup writes instants and lengths of time: four notations in one API (backup.md §1, §2, §6)."""

from datetime import UTC, datetime, timedelta

NEVER_ENDED = "0001-01-01T00:00:00"
"""`endTime` of an operation or task that still runs: .NET's smallest date, without a zone."""

NEVER_BACKED_UP = "2001-01-01T00:00:00Z"
"""`lastBackupTime` before the first backup."""


def parse_time(text: str) -> datetime:
    """An aware UTC instant from what clients send; a missing zone means UTC. Raises ValueError."""
    parsed = datetime.fromisoformat(text.strip())
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)


def from_epoch(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def wire_time(moment: datetime) -> str:
    """`2024-04-28T06:39:16.1055905Z`: trailing zeros of the fraction are dropped, the whole fraction if it is zero."""
    text = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f"{moment.microsecond:06d}".rstrip("0")
    return f"{text}.{fraction}Z" if fraction else f"{text}Z"


def us_time(moment: datetime) -> str:
    """`5/28/2024 12:00:00 AM`, as in the property bags of jobs."""
    hour = moment.hour % 12 or 12
    half = "AM" if moment.hour < 12 else "PM"
    return f"{moment.month}/{moment.day}/{moment.year} {hour}:{moment:%M:%S} {half}"


def time_span(length: timedelta) -> str:
    """.NET's TimeSpan, `13.23:59:42.8656002`: days only when there are some, seven digits or none."""
    days, rest = length.days, length.seconds
    text = f"{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}"
    if length.microseconds:
        text += f".{length.microseconds:06d}0"
    return f"{days}.{text}" if days else text


def iso_duration(length: timedelta) -> str:
    """`PT41M16.2122671S` or `PT0S`: hours, minutes and seconds, each left out when zero."""
    seconds = length.days * 86400 + length.seconds
    hours, minutes, rest = seconds // 3600, seconds // 60 % 60, seconds % 60
    fraction = f".{length.microseconds:06d}".rstrip("0") if length.microseconds else ""
    text = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    if rest or fraction or not text:
        text += f"{rest}{fraction}S"
    return f"PT{text}"
