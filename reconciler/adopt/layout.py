"""Documents → files, as a person would arrange and comment them. Everything in them came from Azure: values are quoted
by the YAML library, comments hold only what can be seen on one line."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

from reconciler.adopt.draft import Draft, Sheet
from reconciler.model.counting import count
from reconciler.model.machine import Machine

API_VERSION = "reconciler/v1"
_WIDTH = 118
_SHORT = 90
_MOST_DOCUMENTS = 500
_MOST_NAMED = 40
_FOLDER = "protections"
_TIME = re.compile(r"[0-9]{1,2}:[0-9]{2}")
_WORDS = (
    *("subscriptions", "resourceGroups", "providers"),
    *("Microsoft.Network", "virtualNetworks", "Microsoft.Storage", "storageAccounts"),
    *("Microsoft.Compute", "availabilitySets", "proximityPlacementGroups", "capacityReservationGroups"),
    *("diskEncryptionSets", "diskAccesses", "Microsoft.Automation", "automationAccounts", "runbooks"),
)
_SEGMENTS = {word.lower(): word for word in _WORDS}
"""What ids consist of beside names: Site Recovery answers with small letters, and nobody writes those."""
_NAMES_AT = frozenset({2, 4, 8, 10, 12})
"""Where the names stand between the slashes of an id."""
_HEAD = (
    "Written by `reconciler adopt` from what Azure had. From now on these files are yours: change them, and look at "
    "the plan."
)


class _Dumper(yaml.SafeDumper):
    """Without anchors, as the same list may stand in several documents; lists are indented below their key."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, indentless=False)

    def serialize(self, node: yaml.Node) -> None:
        """The document itself is never on one line, however short it is."""
        if isinstance(node, yaml.MappingNode):
            node.flow_style = False
        _unfold(node)
        super().serialize(node)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 -- PyYAML's signature
        return True


def _represent(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", _respelled(text))


_Dumper.add_representer(str, _represent)


def _respelled(text: str) -> str:
    """An ARM id as documentation spells it, names left alone; any other text as it is."""
    if not text.lower().startswith("/subscriptions/"):
        return text
    parts = enumerate(text.split("/"))
    return "/".join(part if place in _NAMES_AT else _SEGMENTS.get(part.lower(), part) for place, part in parts)


def _unfold(node: yaml.Node) -> None:
    """Mappings that would be wider than a line are written below each other; times of day are quoted everywhere."""
    if isinstance(node, yaml.ScalarNode) and _TIME.fullmatch(node.value):
        node.style = "'"
    if not isinstance(node, yaml.MappingNode | yaml.SequenceNode):
        return
    parts = [part for pair in node.value for part in (pair if isinstance(pair, tuple) else (pair,))]
    if isinstance(node, yaml.MappingNode) and sum(len(part.value) + 2 for part in parts) > _SHORT:
        node.flow_style = False
    if any(len(part.value) > _SHORT for part in parts if isinstance(part, yaml.ScalarNode)):
        node.flow_style = False  # ids: one a line
    for part in parts:
        _unfold(part)


def lay_out(
    draft: Draft, scope: Mapping[str, Any], uncovered: Sequence[Machine], heads: Mapping[str, str]
) -> dict[str, str]:
    """Path below the folder → text, in order. `scope` is the body of the Scope, `heads` what a kind of document is."""
    files: dict[str, list[str]] = defaultdict(list)
    files["scope.yaml"] = [_scope(scope, uncovered)]
    by_kind: dict[str, list[Sheet]] = defaultdict(list)
    for sheet in draft.sheets:
        if sheet.kind != "Scope":
            by_kind[sheet.kind].append(sheet)
    for kind, sheets in sorted(by_kind.items()):
        for place, sheet in enumerate(sorted(sheets, key=lambda one: (one.name.casefold(), one.name))):
            part, first = divmod(place, _MOST_DOCUMENTS)
            told = [heads.get(kind, "")] if not first and not part else []
            files[_file_of(kind, part)].append(
                _document(kind, sheet.name, sheet.value, (*told, " ".join(sheet.origins)))
            )
    for one in draft.protections:
        files[f"{_FOLDER}/{one.name}.yaml"].append(_document("Protection", one.name, one.body, (one.comment,)))
    return {path: "---\n".join(parts) for path, parts in files.items()}


def schema_lines(files: Mapping[str, str], schemas: Mapping[str, str]) -> dict[str, str]:
    """The files with the line by which an editor finds the schema, where `schemas` names one: path of the file's kind
    (`vault.schema.json`) → path from the folder of policies."""
    found: dict[str, str] = {}
    for path, text in files.items():
        kind = re.search(r"^kind: (\w+)$", text, re.MULTILINE)
        name = f"{_kebab(kind[1])}.schema.json" if kind else ""
        up = "../" * path.count("/")
        line = f"# yaml-language-server: $schema={up}{schemas[name]}\n#\n" if name in schemas else ""
        found[path] = (line if text.startswith("#") else line.removesuffix("#\n")) + text
    return found


def dump(document: Mapping[str, Any]) -> str:
    """One YAML document: keys in the order given, short lists on one line; whatever YAML 1.1 or 1.2 would take for
    something else than text is quoted."""
    text: str = yaml.dump(
        dict(document), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH, default_flow_style=None
    )
    return text


def comment(text: str) -> str:
    """Lines of a comment; what nobody can see is spelled out, so that no value of Azure's ends it."""
    seen = "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text)
    lines: list[str] = []
    line = "#"
    for word in seen.split():
        if len(line) + len(word) >= _WIDTH and line != "#":
            lines.append(line)
            line = "#"
        line = f"{line} {word}"
    return "\n".join((*lines, line)) + "\n" if seen else ""


def _document(kind: str, name: str, value: Mapping[str, Any], comments: Iterable[str]) -> str:
    told = "".join(comment(text) for text in comments if text)
    return told + dump({"apiVersion": API_VERSION, "kind": kind, "name": name, **value})


def _scope(scope: Mapping[str, Any], uncovered: Sequence[Machine]) -> str:
    comments = [_HEAD]
    if uncovered:
        named = ", ".join(f"{one.scope}/{one.name}" for one in uncovered[:_MOST_NAMED])
        more = f" and {len(uncovered) - _MOST_NAMED} more" if len(uncovered) > _MOST_NAMED else ""
        comments.append(
            f"{count(len(uncovered), 'VM')} had no protection, and no Exemption was made up for them: {named}{more}."
        )
    return _document("Scope", "estate", scope, comments)


def _file_of(kind: str, part: int) -> str:
    name = _kebab(kind)
    plural = f"{name[:-1]}ies" if name.endswith("y") else f"{name}s"
    return f"{plural}{f'-{part + 1}' if part else ''}.yaml"


def _kebab(kind: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", kind).lower()
