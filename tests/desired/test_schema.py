"""The JSON Schemas: what editors get is what `validate` uses, for a kind of our own and for all that there are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from reconciler.desired.load import parse
from reconciler.desired.schema import COMBINED, combined_schema, document_types, schema_files, stale, write
from reconciler.desired.shape import validator_for
from reconciler.kinds.base import Kind
from reconciler.kinds.registry import kinds as registered

Kinds = tuple[Kind[Any], ...]
SHAPES = Path(__file__).parents[1] / "cases" / "desired" / "shape.yaml"


@pytest.fixture(scope="module", params=["ours", "registered"])
def files(request: pytest.FixtureRequest, kinds: Kinds) -> dict[str, str]:
    return schema_files(kinds if request.param == "ours" else registered())


def objects(schema: Any) -> Iterator[dict[str, Any]]:
    """Every mapping inside a schema."""
    if isinstance(schema, dict):
        yield schema
    for item in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from objects(item)


def test_they_are_schemas_without_loose_ends(files: dict[str, str]) -> None:
    for text in files.values():
        schema = json.loads(text)
        jsonschema.Draft202012Validator.check_schema(schema)
        referred = {item["$ref"] for item in objects(schema) if "$ref" in item}
        assert referred == {f"#/$defs/{name}" for name in schema["$defs"]}


def test_no_field_may_be_misspelt_and_none_is_null(files: dict[str, str]) -> None:
    for name, text in files.items():
        for item in objects(json.loads(text)):
            if item.get("type") == "object" and not (name == COMBINED and item.get("title") == "Policies"):
                assert item.get("additionalProperties") is not None, item
            assert item.get("type") != "null"
            assert item.get("default", "") is not None


def test_every_field_tells_what_it_is_for(files: dict[str, str]) -> None:
    for text in files.values():
        for item in objects(json.loads(text)):
            for field, wanted in item.get("properties", {}).items():
                described = wanted.get("description") or "const" in wanted or wanted.get("items", {}).get("description")
                assert described, f"{item.get('title')}.{field}"


def test_one_schema_a_kind_and_one_for_all(kinds: Kinds) -> None:
    assert list(schema_files(kinds)) == [
        "exemption.schema.json",
        "lock.schema.json",
        COMBINED,
        "protection.schema.json",
        "scope.schema.json",
    ]


@pytest.mark.parametrize("case", yaml.safe_load(SHAPES.read_text(encoding="utf-8")), ids=lambda case: case["case"])
def test_the_schema_for_all_agrees_with_validate(case: dict[str, Any], kinds: Kinds) -> None:
    validator = validator_for(combined_schema(document_types(kinds)))
    documents = parse(f"apiVersion: reconciler/v1\n{case['text']}".encode(), "case.yaml").documents
    assert all(validator.is_valid(document.value) for document in documents) == (not case.get("findings"))


def test_written_files_are_up_to_date_until_something_changes(tmp_path: Path, kinds: Kinds) -> None:
    folder = tmp_path / "schemas"
    assert stale(folder, kinds) == list(schema_files(kinds))
    write(folder, kinds)
    assert stale(folder, kinds) == []
    (folder / "lock.schema.json").write_text("{}")
    (folder / "scope.schema.json").unlink()
    (folder / "gone.schema.json").write_text("{}")
    assert stale(folder, kinds) == ["gone.schema.json", "lock.schema.json", "scope.schema.json"]
    write(folder, kinds)
    assert stale(folder, kinds) == []
    assert not (folder / "gone.schema.json").exists()
