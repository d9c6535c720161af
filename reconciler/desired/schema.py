"""JSON Schemas of the policy language, made from the very structs that documents are decoded into.

One schema a document kind, and `policies.schema.json` for files that mix them. Editors complete and underline with
them, `validate` uses the same ones, and `make check` refuses a commit in which they are stale.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from reconciler.kinds.base import Kind
from reconciler.model.protection import Exemption
from reconciler.model.scope import Objectives, Scope
from reconciler.model.selector import Selector

API_VERSION = "reconciler/v1"
HEADER = ("apiVersion", "kind", "name")
COMBINED = "policies.schema.json"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REF = "#/$defs/{name}"
_NAME = {
    "description": "What other documents, plans and reports call it: unique for its kind, without / and line breaks.",
    "type": "string",
    "pattern": r"^[^/\s\u0000-\u001f\u007f]([^/\u0000-\u001f\u007f]*[^/\s\u0000-\u001f\u007f])?$",
    "maxLength": 260,
}

Types = Mapping[str, type[msgspec.Struct]]
Json = dict[str, Any]


def document_types(kinds: Sequence[Kind[Any]]) -> Types:
    """The struct of every `kind:` of the language, without the header; Protection is composed from the aspects."""
    brought = {document.name: document.type for kind in kinds for document in kind.documents}
    return {"Scope": Scope, **brought, "Protection": _protection(kinds), "Exemption": Exemption}


def document_schemas(types: Types) -> dict[str, Json]:
    """One self-contained JSON Schema a kind."""
    parts, definitions = _components(types)
    return {
        kind: {"$schema": _DIALECT, **part, "$defs": {name: definitions[name] for name in _needed(part, definitions)}}
        for kind, part in parts.items()
    }


def combined_schema(types: Types) -> Json:
    """The schema of a document of any kind: `kind` decides."""
    parts, definitions = _components(types)
    return {
        "$schema": _DIALECT,
        "title": "Policies",
        "description": "How Azure VMs must be protected.",
        "type": "object",
        "properties": {**_header(None), "kind": {"description": "What this document is.", "enum": list(parts)}},
        "required": list(HEADER),
        "allOf": [
            {
                "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
                "then": {"$ref": _REF.format(name=kind)},
            }
            for kind in parts
        ],
        "$defs": definitions | parts,
    }


def schema_files(kinds: Sequence[Kind[Any]]) -> dict[str, str]:
    """File name → text of every schema file, byte for byte the same at each call."""
    types = document_types(kinds)
    schemas = {f"{_kebab(kind)}.schema.json": schema for kind, schema in document_schemas(types).items()}
    schemas[COMBINED] = combined_schema(types)
    return {name: json.dumps(schema, indent=2, ensure_ascii=False) + "\n" for name, schema in sorted(schemas.items())}


def write(folder: Path, kinds: Sequence[Kind[Any]]) -> None:
    """Bring the schema files in `folder` up to date, and remove those of kinds that are gone."""
    files = schema_files(kinds)
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.schema.json"):
        if path.name not in files:
            path.unlink()
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


def stale(folder: Path, kinds: Sequence[Kind[Any]]) -> list[str]:
    """The names of schema files in `folder` that are missing, outdated or of no kind."""
    files = schema_files(kinds)
    present = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.schema.json")}
    return sorted(name for name in files.keys() | present.keys() if files.get(name) != present.get(name))


def _protection(kinds: Sequence[Kind[Any]]) -> type[msgspec.Struct]:
    aspects = [
        (kind.aspect.name, Annotated[kind.aspect.type | None, Meta(description=kind.aspect.description)], None)
        for kind in kinds
        if kind.aspect
    ]
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = [
        ("select", Annotated[Selector, Meta(description="The VMs it speaks of.")]),
        *aspects,
        (
            "objectives",
            Annotated[Objectives | None, Meta(description="What must be achieved; default: those of the Scope.")],
            None,
        ),
        (
            "priority",
            Annotated[int, Meta(ge=-1000, le=1000, description="Of two Protections of one VM, the higher one wins.")],
            0,
        ),
        ("allow_empty", Annotated[bool, Meta(description="Accept that no VM matches.")], False),
    ]
    doc = "Which VMs are protected, and how. One that no longer names a VM releases it; it deletes nothing."
    return msgspec.defstruct(
        "Protection",
        fields,
        frozen=True,
        kw_only=True,
        forbid_unknown_fields=True,
        rename="camel",
        namespace={"__doc__": doc, "__module__": __name__},
    )


def _components(types: Types) -> tuple[dict[str, Json], dict[str, Json]]:
    """The schema of each document, header included, and the definitions that they refer to."""
    references, components = msgspec.json.schema_components(types.values(), ref_template=_REF)
    definitions = {name: _tidy(component) for name, component in components.items()}
    parts: dict[str, Json] = {}
    for kind, reference in zip(types, references, strict=True):
        body = definitions.pop(reference["$ref"].rpartition("/")[2])
        body["title"] = kind
        body["properties"] = _header(kind) | body["properties"]
        body["required"] = [*HEADER, *body["required"]]
        parts[kind] = body
    return parts, dict(sorted(definitions.items()))


def _header(kind: str | None) -> Json:
    return {
        "apiVersion": {"description": "The version of the policy language.", "const": API_VERSION},
        "kind": {"description": "What this document is.", "const": kind},
        "name": _NAME,
    }


def _tidy(schema: Any) -> Any:
    """The schema without null: a key that says nothing is left out, not given no value. What docstrings say is one
    line, as editors show it."""
    if isinstance(schema, list):
        return [_tidy(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    tidy = {key: _tidy(value) for key, value in schema.items() if not (key == "default" and value is None)}
    if "default" in tidy:
        tidy["default"] = _without_null(tidy["default"])
    if isinstance(tidy.get("description"), str):
        tidy["description"] = " ".join(tidy["description"].split())
    if "anyOf" not in tidy:
        return tidy
    branches = [branch for branch in tidy["anyOf"] if branch != {"type": "null"}]
    if len(branches) > 1:
        return tidy | {"anyOf": branches}
    branch = branches[0]
    texts = [
        text for text in (tidy.get("description"), branch.get("description") if "pattern" in branch else "") if text
    ]
    del tidy["anyOf"]
    return branch | tidy | ({"description": " ".join(texts)} if texts else {})


def _without_null(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {key: _without_null(item) for key, item in value.items() if item is not None}


def _needed(part: Json, definitions: Mapping[str, Json]) -> list[str]:
    """The definitions that a schema refers to, directly and through others."""
    needed: set[str] = set()
    open_ends = [part]
    while open_ends:
        for name in _references(open_ends.pop()):
            if name not in needed:
                needed.add(name)
                open_ends.append(definitions[name])
    return sorted(needed)


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, list):
        for item in schema:
            yield from _references(item)
    elif isinstance(schema, dict):
        reference = schema.get("$ref")
        if isinstance(reference, str):
            yield reference.rpartition("/")[2]
        for item in schema.values():
            yield from _references(item)


def _kebab(kind: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", kind).lower()
