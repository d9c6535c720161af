"""Who is left without a word, where there are several aspects."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import pytest

from reconciler.desired.select import select
from reconciler.model.arm_id import ArmId
from reconciler.model.document import Declared, Document
from reconciler.model.live import Live
from reconciler.model.machine import Machine
from reconciler.model.protection import Exemption, Protection
from reconciler.model.scope import Scope
from reconciler.model.selector import Selector
from reconciler.model.source import Source

NOW = dt.datetime(2026, 3, 2, 3, 0, tzinfo=dt.UTC)
SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
VM = Machine(
    ArmId(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/a"),
    "prod",
    "rg",
    "a",
    "westeurope",
)
ALL = Selector(names=("*",))


class Anything(msgspec.Struct, frozen=True):
    """The value of an aspect."""


def protecting(*aspects: str) -> Protection:
    return Protection(select=ALL, aspects={name: Anything() for name in aspects})


def excusing(*aspects: str, until: dt.date = dt.date(2027, 1, 1)) -> Exemption:
    return Exemption(select=ALL, reason="it is only a test", until=until, from_=aspects or None)


@pytest.mark.parametrize(
    ("values", "uncovered"),
    [
        ((), True),
        ((protecting("backup"),), False),
        ((protecting("snapshots"),), False),
        ((protecting("backup", "snapshots"),), False),
        ((excusing(),), False),
        ((excusing("backup"),), False),
        ((excusing("backup"), protecting("snapshots")), False),
        ((excusing("backup", until=dt.date(2026, 1, 1)),), True),
    ],
)
def test_uncovered_is_who_no_policy_speaks_of(values: tuple[Any, ...], uncovered: bool) -> None:
    documents = tuple(
        Document(type(value).__name__, f"d{number}", value, Source("p.yaml", number + 1, 1))
        for number, value in enumerate(values)
    )
    scope = Document("Scope", "scope", Scope(subscriptions={"prod": SUBSCRIPTION}), Source("scope.yaml", 1, 1))
    found = select(Declared(scope, documents), Live({}, (VM,)), ["backup", "snapshots"], NOW)
    assert found.uncovered == ((VM,) if uncovered else ())
