"""Policies as the loader hands them over: decoded, each value knowing its line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest

from reconciler.kinds.backup_policy.document import BackupPolicy
from reconciler.model.document import Declared, Document, Path
from reconciler.model.scope import Scope
from reconciler.model.source import Source


@pytest.fixture
def policy() -> Callable[..., Document[BackupPolicy]]:
    """`policy({...}, "name")`: the body as in YAML; the n-th value of it stands in line n."""

    def make(body: Mapping[str, Any], name: str = "daily-30d") -> Document[BackupPolicy]:
        paths = list(_paths({"name": name, **body}, ()))
        places = {path: Source("policies/backup.yaml", line, 1) for line, path in enumerate(paths, 1)}
        return Document("BackupPolicy", name, msgspec.convert(body, BackupPolicy), places[()], places)

    return make


def _paths(value: Any, here: Path) -> list[Path]:
    found = [here]
    inner = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        found += _paths(part, (*here, key))
    return found


@pytest.fixture
def scope_with() -> Callable[..., Declared]:
    """A Scope with these defaults, and nothing else."""

    def make(**defaults: Any) -> Declared:
        body = {"subscriptions": {"prod": "11111111-1111-4111-8111-111111111111"}, "defaults": defaults}
        source = Source("policies/scope.yaml", 1, 1)
        return Declared(Document("Scope", "scope", msgspec.convert(body, Scope), source))

    return make
