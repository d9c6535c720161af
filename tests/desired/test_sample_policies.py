"""The policies of the sample estate: what a newcomer reads first must be right, and complete in his editor."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path

import pytest

from reconciler.desired.load import load
from reconciler.desired.locate import locate
from reconciler.desired.schema import stale
from reconciler.desired.shape import check_shape, validator_for
from reconciler.desired.validate import validate
from reconciler.kinds.registry import kinds
from reconciler.plan.finding import Severity

ROOT = Path(__file__).parents[2]
FILES = locate([ROOT / "policies"]).files
EDITOR = re.compile(r"# yaml-language-server: \$schema=(\S+)\n")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_an_editor_finds_the_schema_and_agrees_with_the_file(file: Path) -> None:
    line = EDITOR.match(file.read_text(encoding="utf-8"))
    assert line
    schema = (file.parent / line[1]).resolve()
    assert schema.parent == ROOT / "schemas"
    validator = validator_for(json.loads(schema.read_text(encoding="utf-8")))
    documents = load(file).documents
    assert documents
    assert [finding for raw in documents for finding in check_shape(raw, validator)] == []


def test_they_are_valid_without_a_warning() -> None:
    validation = validate([ROOT / "policies"], dt.date(2026, 11, 22), kinds())
    assert [str(item) for item in validation.findings if item.severity is not Severity.INFO] == []
    assert validation.declared


def test_the_committed_schemas_are_those_of_the_kinds() -> None:
    assert stale(ROOT / "schemas", kinds()) == []
