"""What a difference looks like to its reader."""

from __future__ import annotations

from collections.abc import Callable

from reconciler.diff.fields import SpecComparer
from tests.kinds.replicated_vm.conftest import CACHE, KIND, ROUTE, Estate


def test_two_things_of_one_name_are_told_apart(replicated: Callable[..., Estate]) -> None:
    """Else a reader would see that it is blocked, and not what differs."""
    estate = replicated()
    estate.routes["weu-neu"] = {**ROUTE, "cacheStorageAccount": CACHE.replace("rg-app", "rg-other")}
    desired, _ = estate.expand()
    ((address, live),) = estate.live().state.items()
    told = SpecComparer().details(KIND, live, desired[address])
    assert [(one.name, one.before, one.after) for one in told if one.name == "cacheStorageAccount"] == [
        ("cacheStorageAccount", CACHE, CACHE.replace("rg-app", "rg-other"))
    ]
