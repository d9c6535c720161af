"""Which lock a command takes: of the command line, the environment or the Scope; and none only where that is meant."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.cli.lock import Wish
from reconciler.errors import UsageError
from reconciler.model.document import Declared, Document
from reconciler.model.scope import Scope
from reconciler.model.source import Source

HERE = "https://shop.blob.core.windows.net/locks/here"
THERE = "https://shop.blob.core.windows.net/locks/there"


def declared(lock: str | None = None) -> Declared:
    scope = Scope(subscriptions={}, lock=lock)
    return Declared(Document("Scope", "shop", scope, Source("policies/scope.yaml", 1, 1)))


@pytest.mark.parametrize(
    ("wish", "scope", "found"),
    [
        (Wish(), None, None),
        (Wish(), HERE, HERE),
        (Wish(THERE), HERE, THERE),
        (Wish(THERE), None, THERE),
        (Wish(none=True), HERE, None),
        (Wish(none=True, patience=60.0), None, None),
    ],
)
def test_which_lock(wish: Wish, scope: str | None, found: str | None) -> None:
    lock = wish.lock(declared(scope))
    assert (str(lock.location) if lock else None) == found


def test_time_to_wait_for_no_lock_is_a_mistake() -> None:
    with pytest.raises(UsageError, match="--lock-timeout waits for no lock"):
        Wish(patience=60.0).lock(declared())


def test_a_secret_that_is_empty_is_a_mistake_where_nothing_else_names_a_lock(monkeypatch: Any) -> None:
    """As a pipeline hands on a secret that is not there: an apply without a lock is not what it asked for."""
    monkeypatch.setenv("RECONCILER_LOCK", "")
    with pytest.raises(UsageError, match="RECONCILER_LOCK is set and empty"):
        Wish().lock(declared())
    assert Wish(none=True).lock(declared()) is None
    lock = Wish().lock(declared(HERE))
    assert lock is not None
    assert str(lock.location) == HERE
