"""Callers of an estate with two regions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.emulator.recorded.recordings import REPLICATION
from tests.emulator.site_recovery.replicator import ESTATE, Caller, make_world

collect_ignore = [] if REPLICATION.is_dir() else ["test_recorded.py"]


@pytest.fixture
def caller() -> Caller:
    """Nothing is replicated yet."""
    return Caller(make_world(ESTATE))


@pytest.fixture
def paired(caller: Caller) -> Caller:
    """Fabrics, containers and mappings in both directions are there."""
    caller.build_topology()
    return caller


@pytest.fixture
def caller_of() -> Callable[[dict[str, Any]], Caller]:
    """A caller of another estate."""
    return lambda document: Caller(make_world(document))
