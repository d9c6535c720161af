"""Long-running operations: facts with a start and an end on the virtual clock. Providers render them."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from reconciler.emulator.clock import Clock
from reconciler.emulator.failures import ArmError
from reconciler.emulator.store import Store

Status = Literal["InProgress", "Succeeded", "Failed"]
_COLLECTION = "operations"


class Operation(msgspec.Struct, frozen=True):
    """``completion`` names a registered function that takes effect at ``end``; ``arguments`` and ``extra`` are JSON.

    ``job`` is the id of the job that clients find beside the operation. A hanging operation has no ``end``.
    """

    guid: str
    kind: str
    start: datetime
    end: datetime | None
    status: Status = "InProgress"
    completion: str | None = None
    arguments: dict[str, Any] = {}
    resource: str = ""
    job: str | None = None
    error: dict[str, Any] | None = None
    extra: dict[str, Any] = {}

    @property
    def done(self) -> bool:
        return self.status != "InProgress"


class Effect(msgspec.Struct, frozen=True):
    """What a fault does to the operation that the current request starts: it hangs, or it ends with an error."""

    hangs: bool = False
    error: dict[str, Any] | None = None


class Operations:
    """All operations ever started. ``completions`` maps the registered names to what they do."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        new_guid: Callable[[], str],
        completions: Mapping[str, Callable[[Operation], None]],
    ) -> None:
        self._store = store
        self._clock = clock
        self._new_guid = new_guid
        self._completions = completions
        self._by_guid: dict[str, Operation] = {}
        self._due: list[tuple[datetime, int, str]] = []
        self._sequence = 0
        self._polls: dict[str, int] = {}
        self.effect: Effect | None = None
        self.started: list[str] = []
        for stored in store.documents(_COLLECTION):
            self._keep(msgspec.convert(stored, Operation))

    def start(
        self,
        kind: str,
        *,
        duration: timedelta,
        on_done: tuple[str, dict[str, Any]] | None = None,
        resource: str = "",
        job: str | None = None,
        guid: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> Operation:
        """Starts an operation that ends ``duration`` (virtual) from now, with ``on_done`` (name, JSON arguments)."""
        name, arguments = on_done or (None, {})
        if name is not None and name not in self._completions:
            raise KeyError(f"no completion is registered under the name {name}")
        now = self._clock.now()
        effect = self.effect or Effect()
        operation = Operation(
            guid=guid or self._new_guid(),
            kind=kind,
            start=now,
            end=None if effect.hangs else now + duration,
            completion=name,
            arguments=arguments,
            resource=resource,
            job=job,
            error=effect.error,
            extra=extra or {},
        )
        self._save(operation)
        self.started.append(operation.guid)
        return operation

    def get(self, guid: str) -> Operation | None:
        return self._by_guid.get(guid.lower())

    def running(self, resource: str) -> list[Operation]:
        """Unfinished operations that were started for a resource (exact id, any casing)."""
        wanted = resource.lower()
        return [found for _, _, guid in self._due if (found := self._by_guid[guid]).resource.lower() == wanted]

    def running_below(self, scope: str) -> list[Operation]:
        """Unfinished operations on what lies below a resource (any casing), the next to end first."""
        prefix = scope.lower() + "/"
        due = (self._by_guid[guid] for _, _, guid in sorted(self._due))
        return [found for found in due if found.resource.lower().startswith(prefix)]

    def count_poll(self, awaited: str) -> int:
        """Counts one poll of an operation, or of whatever else; answers how many there were, this one included."""
        self._polls[awaited] = self._polls.get(awaited, 0) + 1
        return self._polls[awaited]

    def next_end(self) -> datetime | None:
        return self._due[0][0] if self._due else None

    def finish_next(self) -> Operation:
        """Ends the operation that is due first and carries out what it completes.

        One that fails carries out what is registered as its completion's name and ``.failed``, if anything is.
        """
        _, _, guid = heapq.heappop(self._due)
        operation = self._by_guid[guid]
        error = operation.error
        if error is None and operation.completion is not None:
            try:
                self._completions[operation.completion](operation)
            except ArmError as refusal:
                error = refusal.error()
        if error is not None and (fail := self._completions.get(f"{operation.completion}.failed")):
            fail(operation)
        operation = self._by_guid[guid]  # a completion may have added to it with ``note``
        finished = msgspec.structs.replace(operation, status="Failed" if error else "Succeeded", error=error)
        self._save(finished)
        return finished

    def note(self, guid: str, **extra: Any) -> None:
        """Adds facts to ``extra`` of an operation."""
        operation = self._by_guid[guid]
        self._save(msgspec.structs.replace(operation, extra={**operation.extra, **extra}), queue=False)

    def _save(self, operation: Operation, *, queue: bool = True) -> None:
        self._store.put_document(_COLLECTION, operation.guid, msgspec.to_builtins(operation))
        self._keep(operation, queue=queue)

    def _keep(self, operation: Operation, *, queue: bool = True) -> None:
        self._by_guid[operation.guid] = operation
        if queue and operation.end is not None and not operation.done:
            self._sequence += 1
            heapq.heappush(self._due, (operation.end, self._sequence, operation.guid))
