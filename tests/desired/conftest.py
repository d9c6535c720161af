"""A kind of our own, small and knowing nothing of Azure, so that the language is tested without any real one; and git
repositories of our own."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import msgspec
import pytest
from msgspec import Meta

from reconciler.kinds.base import Aspect, Comparison, DocumentKind, Expansion, Kind, Rule, Verdict
from reconciler.model.address import Address
from reconciler.model.document import Declared, Document
from reconciler.model.live import Unreadable
from reconciler.model.protection import Protection
from reconciler.model.resource import Ref, Resource, Spec
from reconciler.plan.change import Step
from reconciler.plan.finding import Finding, Severity
from tests.desired.history import History


class Only(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Some of the doors."""

    only: Annotated[tuple[int, ...], Meta(min_length=1, description="Numbers of doors.")]


class Lock(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """A lock, as a stand-in for a policy."""

    strength: Annotated[int, Meta(ge=1, le=9, description="1 to 9.")]
    opens_at: Annotated[str, Meta(pattern=r"^[0-9]{2}:[0-9]{2}$", description="Time of day as HH:MM.")] = "08:00"
    colour: Annotated[Literal["Red", "Green"], Meta(description="Red or Green.")] = "Red"
    silent: Annotated[bool, Meta(description="Makes no noise.")] = False
    checked: Annotated[dt.date | None, Meta(description="Day of the last inspection.")] = None


class Locked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """Puts a lock on VMs."""

    lock: Annotated[str, Meta(min_length=1, description="Name of a Lock.")]
    spare_lock: Annotated[str | None, Meta(description="Another Lock.")] = None
    doors: Annotated[Literal["all", "front"] | Only, Meta(description="all, front, or {only: [numbers]}.")] = "all"


class LockSpec(Spec, frozen=True, kw_only=True):
    strength: int


class LockedSpec(Spec, frozen=True, kw_only=True):
    lock: Ref
    doors: str


def lock_address(name: str) -> Address:
    return Address("lock", "shop", name)


class _Inert(Kind[Any]):
    """What no test of the language needs."""

    def read(self, azure: Any, declared: Declared) -> AsyncIterator[Resource | Unreadable]:
        raise AssertionError("the language never reads Azure")

    def steps(self, comparison: Comparison[Any], verdict: Verdict) -> tuple[Step, ...]:
        return ()

    async def perform(self, azure: Any, step: Step) -> None:
        raise AssertionError("the language never writes")

    async def verify(self, azure: Any, step: Step) -> None:
        raise AssertionError("the language never writes")


def check_lock(document: Document[Lock], _declared: Declared) -> Iterable[Finding]:
    if document.value.strength == 4:
        yield Finding(
            code="LK-04", message="four is unlucky", severity=Severity.WARNING, source=document.at("strength")
        )


def check_locked(document: Document[Protection], value: Locked, _declared: Declared) -> Iterable[Finding]:
    if value.spare_lock == value.lock:
        yield Finding(code="LK-05", message="the spare is the lock itself", source=document.at("locked", "spareLock"))


class LockedVm(_Inert):
    name = "locked_vm"
    title = "locked VM"
    spec = LockedSpec
    rules: ClassVar = {"lock": Rule.UPDATE, "doors": Rule.UPDATE}
    aspect = Aspect("locked", Locked, {"lock": "Lock", "spare_lock": "Lock"}, check_locked, "A lock on the VM.")

    def expand(self, expansion: Expansion) -> Iterator[Resource | Finding]:
        for assignment in expansion.assignments:
            machine, value = assignment.machine, assignment.value
            if machine.size == "doorless":
                yield Finding(code="LK-09", message=f"{machine.name} has no door", source=assignment.source)
                continue
            yield Resource(
                address=Address("locked_vm", machine.scope, machine.name),
                spec=LockedSpec(lock=Ref.of(lock_address(value.lock)), doors=str(value.doors)),
                source=assignment.source,
                origins={"lock": assignment.protection.at("locked", "lock")},
            )


class LockKind(_Inert):
    name = "lock"
    title = "lock"
    spec = LockSpec
    rules: ClassVar = {"strength": Rule.UPDATE}
    documents = (DocumentKind("Lock", Lock, check_lock, "A lock."),)

    def expand(self, expansion: Expansion) -> Iterator[Resource | Finding]:
        for name, document in expansion.declared.of("Lock", Lock).items():
            if lock_address(name) in expansion.wanted and name != "phantom":
                yield Resource(
                    address=lock_address(name),
                    spec=LockSpec(strength=document.value.strength),
                    source=document.source,
                    origins={"strength": document.at("strength")},
                )


@pytest.fixture(scope="session")
def today() -> dt.date:
    return dt.date(2026, 11, 22)


@pytest.fixture(scope="session")
def kinds() -> tuple[Kind[Any], ...]:
    return (LockedVm(), LockKind())


@pytest.fixture
def policies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty `policies/` in a directory of its own, which is also the current one."""
    monkeypatch.chdir(tmp_path)
    folder = Path("policies")
    folder.mkdir()
    return folder


@pytest.fixture
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> History:
    """An empty repository, in which we stand."""
    history = History(tmp_path / "estate")
    monkeypatch.chdir(history.root)
    return history


@pytest.fixture
def another_history(tmp_path: Path) -> History:
    """One more, beside it."""
    return History(tmp_path / "another")
