"""The Azure Activity Log: who wrote to a resource, or to anything in a resource group, in the last 90 days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from reconciler.azure.clients import Azure
from reconciler.azure.failures import failure
from reconciler.errors import FailedError
from reconciler.model.arm_id import ArmId

if TYPE_CHECKING:
    from azure.mgmt.monitor.models import EventData

READ = "Microsoft.Insights/eventtypes/values/read"
"""The role action that reading it takes."""
REACH = timedelta(days=90) - timedelta(hours=1)
"""How far back is asked: Azure refuses more than 90 days, by its own clock."""
_SELECT = "caller,correlationId,eventTimestamp,operationName,resourceId,status"
_WRITES = ("/write", "/delete", "/action")
_CHANGE_NOTHING = (
    "/backup/action",
    "/restore/action",
    "/provisioninstantitemrecovery/action",
    "/revokeinstantitemrecovery/action",
    "/begingetaccess/action",
    "/endgetaccess/action",
)
"""Actions that leave a resource as it is; a scheduled backup is one of them every day."""


@dataclass(frozen=True, slots=True)
class Event:
    """One entry: a write has one for its start, and one or two more for how it goes on and ends. `at` is aware UTC."""

    resource: ArmId
    at: datetime
    caller: str
    operation: str
    correlation_id: str
    status: str


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The events of writes, the newest first. `whole` is False where older ones were left in Azure."""

    events: tuple[Event, ...]
    whole: bool


async def read_resource(azure: Azure, resource: ArmId, since: datetime, pages: int) -> Excerpt:
    """Who wrote to one resource (not to what lies below it). Raises AzureError."""
    wanted = f"resourceUri eq '{_quoted(str(resource))}'"
    return await _read(azure, resource.subscription, str(resource), since, wanted, pages)


async def read_group(azure: Azure, subscription: str, group: str, since: datetime, pages: int) -> Excerpt:
    """Who wrote to anything in a resource group. Raises AzureError."""
    place = f"/subscriptions/{subscription}/resourceGroups/{group}"
    return await _read(azure, subscription, place, since, f"resourceGroupName eq '{_quoted(group)}'", pages)


async def _read(azure: Azure, subscription: str, place: str, since: datetime, wanted: str, pages: int) -> Excerpt:
    from azure.core.exceptions import AzureError, DeserializationError

    window = f"eventTimestamp ge '{_moment(since)}' and eventTimestamp le '{_moment(azure.now())}'"
    events: list[Event] = []
    try:
        listed = azure.monitor(subscription).activity_logs.list(
            filter=f"{window} and {wanted}", select=_SELECT, cls=_at_least_empty
        )
        found: Any = listed.by_page()
        read = 0
        async for page in found:
            events.extend([event async for item in page if (event := _event(item))])
            read += 1
            if not found.continuation_token:
                return Excerpt(tuple(events), whole=True)
            if read == pages:
                break
            azure.check_link(found.continuation_token, place)
    except AzureError as error:
        raise failure(error, place) from error
    except DeserializationError as error:
        # its own words would repeat the page
        why = "an entry is not as Azure documents it"
        raise FailedError(f"the Activity Log of {place} makes no sense", resource=place, why=why) from error
    return Excerpt(tuple(events), whole=False)


def _event(item: EventData) -> Event | None:
    """A write, in our words; None for whatever else is in the log."""
    operation = str(item.operation_name.value or "") if item.operation_name else ""
    lower = operation.lower()
    if not lower.endswith(_WRITES) or lower.endswith(_CHANGE_NOTHING):
        return None
    if item.event_timestamp is None or not item.resource_id:
        return None
    at = item.event_timestamp
    return Event(
        resource=ArmId(item.resource_id),
        at=at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC),
        caller=item.caller or "",
        operation=operation,
        correlation_id=item.correlation_id or "",
        status=str(item.status.value or "") if item.status else "",
    )


def _at_least_empty(items: Any) -> Any:
    """A page without a list is one without events."""
    return items or []


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _quoted(text: str) -> str:
    return text.replace("'", "''")
