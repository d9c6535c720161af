"""``$filter`` and ``$select`` of the Activity Log: a handful of patterns, and nothing else.

``eventTimestamp ge '…' [and eventTimestamp le '…']``, then at most one of a resource group, a resource (resourceUri, or
resourceId as ``az`` has it), a provider or a correlation id. ``az`` and the portal narrow it by caller, status, levels
and event channels; ``az`` leaves out quotes and the Z of UTC.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from reconciler.emulator.activity import KEPT, Activity
from reconciler.emulator.failures import ArmError
from reconciler.emulator.index import normal

_CLAUSE = re.compile(r"\s*(\w+)\s+(ge|le|eq)\s+(?:'([^']*)'|([^'\s]+))\s*", re.IGNORECASE)
_AND = re.compile(r"\s+and\s+", re.IGNORECASE)
_RESOURCE = ("resourceuri", "resourceid")
_ONE_OF = frozenset({"resourcegroupname", *_RESOURCE, "resourceprovider", "correlationid"})
_BESIDE = frozenset({"caller", "status", "levels", "eventchannels"})
_LONGEST = timedelta(days=1)
"""What was begun that long before a window is looked at, too: it may have ended within."""
# fmt: off
_PROPERTIES = (
    "authorization", "caller", "category", "channels", "claims", "correlationId", "description", "eventDataId",
    "eventName", "eventTimestamp", "httpRequest", "id", "level", "operationId", "operationName", "properties",
    "resourceGroupName", "resourceId", "resourceProviderName", "resourceType", "status", "subStatus",
    "submissionTimestamp", "subscriptionId", "tenantId",
)
# fmt: on


class Filter(NamedTuple):
    """``by`` holds the further clauses: lower-case names, values as they were given."""

    since: datetime
    until: datetime
    by: Mapping[str, str]

    @property
    def earliest(self) -> datetime:
        return self.since - _LONGEST

    def fits(self, written: Activity) -> bool:
        """Whether a write is asked for, but for its time and how it ended."""
        resource = normal(written.resource)
        asked = {
            "resourcegroupname": (f"{resource}/".split("/") + [""] * 5)[4],
            **dict.fromkeys(_RESOURCE, resource),
            "resourceprovider": written.action.partition("/")[0].lower(),
            "correlationid": written.correlation.lower(),
            "caller": written.caller.lower(),
        }
        told = {name: normal(value) if name in _RESOURCE else value.lower() for name, value in self.by.items()}
        return all(asked[name] == value for name, value in told.items() if name in asked)

    def has_status(self, status: str) -> bool:
        level = "error" if status == "Failed" else "informational"
        levels = [item.strip().lower() for item in self.by.get("levels", level).split(",")]
        return level in levels and self.by.get("status", status).lower() == status.lower()


def parse_filter(text: str, now: datetime) -> Filter:
    """Raises ArmError 400 for what Azure does not understand, and for a start that is more than 90 days back."""
    times: dict[str, datetime] = {}
    by: dict[str, str] = {}
    for clause in _AND.split(text.strip()) if text.strip() else ():
        match = _CLAUSE.fullmatch(clause)
        if match is None:
            raise _refused(f"The $filter clause '{clause}' is not valid.")
        name, operator, value = match[1].lower(), match[2].lower(), match[3] if match[3] is not None else match[4]
        if name == "eventtimestamp" and operator in ("ge", "le") and operator not in times:
            times[operator] = _moment(value)
        elif name in _ONE_OF | _BESIDE and operator == "eq" and name not in by:
            by[name] = value
        else:
            raise _refused(f"$filter={match[1]} {match[2]} is not supported.")
    if "ge" not in times:
        raise _refused("The $filter query parameter is required, with at least the start time: eventTimestamp ge.")
    if len(by.keys() & _ONE_OF) > 1:
        raise _refused(
            "The $filter holds more than one of resourceGroupName, resourceUri, resourceProvider and correlationId."
        )
    return _within(times["ge"], times.get("le", now), now, by)


def parse_select(text: str) -> frozenset[str]:
    """The properties to answer; none means all. Raises ArmError 400 for one that there is not."""
    wanted = {name.strip() for name in text.split(",") if name.strip()}
    known = {name.lower(): name for name in _PROPERTIES}
    unknown = sorted(name for name in wanted if name.lower() not in known)
    if unknown:
        raise _refused(f"$select={unknown[0]} is not supported.")
    return frozenset(known[name.lower()] for name in wanted)


def _within(since: datetime, until: datetime, now: datetime, by: Mapping[str, str]) -> Filter:
    if since < now - KEPT:
        raise _refused("The start time cannot be more than 90 days in the past.")
    if until < since:
        raise _refused("The end time cannot be before the start time.")
    return Filter(since, until, by)


def _moment(text: str) -> datetime:
    """UTC, with or without a Z; what has another offset is not read."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise _refused(f"'{text}' is not a valid eventTimestamp.") from error
    if found.utcoffset():
        raise _refused(f"'{text}' is not a valid eventTimestamp: it must be in UTC.")
    return found.replace(tzinfo=UTC)


def _refused(message: str) -> ArmError:
    """The flat shape of this service's errors."""
    return ArmError(400, "BadRequest", message, body={"code": "BadRequest", "message": message})
