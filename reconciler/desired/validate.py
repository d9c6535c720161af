"""A directory of policies → what it declares, or everything that is wrong with it. No network, no Azure."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reconciler.desired.decode import decode, salvage_scope
from reconciler.desired.freeze_rules import check_freeze
from reconciler.desired.git.revision import PolicyFile
from reconciler.desired.load import Loaded, Raw, load, parse
from reconciler.desired.locate import display, locate
from reconciler.desired.references import ABOUT_EXEMPTIONS, EXPIRED, Names, check_expiry, check_references
from reconciler.desired.schema import API_VERSION, HEADER, Types, document_schemas, document_types
from reconciler.desired.shape import check_shape, place, validator_for
from reconciler.desired.suggest import did_you_mean
from reconciler.kinds.base import Kind
from reconciler.model.document import Declared, Document
from reconciler.model.protection import Protection
from reconciler.model.scope import Scope
from reconciler.model.source import Source
from reconciler.plan.finding import Finding, Severity

_MOST_PLACES = 5
"""How many other places a finding names before it only counts them."""


@dataclass(frozen=True, slots=True)
class Validation:
    """`declared` is None where anything is wrong but an exemption that ran out: with one of those a plan can still be
    made, and names its VMs. `digest` is of the contents of the files, whatever these are called."""

    declared: Declared | None
    findings: tuple[Finding, ...]
    files: tuple[Path, ...] = ()
    digest: str = ""

    @property
    def valid(self) -> bool:
        return not any(finding.severity is Severity.ERROR for finding in self.findings)

    @property
    def carried(self) -> tuple[Finding, ...]:
        """The findings that a plan made from `declared` still has to show: expansion says the others again, and
        better."""
        return tuple(finding for finding in self.findings if finding.code not in ABOUT_EXEMPTIONS)


def validate(paths: Sequence[Path], today: dt.date, kinds: Sequence[Kind[Any]]) -> Validation:
    """Read and check every policy below `paths`. Never raises: what is wrong is in `findings`, by place.

    `today` decides which exemptions have run out.
    """
    located = locate(paths)
    loaded = [load(file) for file in located.files]
    read = _Read(loaded, located.files, located.findings, display(paths[0]) if paths else "")
    return _check(read, today, kinds)


def validate_files(files: Sequence[PolicyFile], today: dt.date, kinds: Sequence[Kind[Any]]) -> Validation:
    """The same for files that are not on disk, such as those of a commit. Never raises."""
    loaded = [parse(file.content, file.name) for file in files]
    read = _Read(loaded, tuple(Path(file.name) for file in files), (), files[0].name if files else "")
    return _check(read, today, kinds)


@dataclass(frozen=True, slots=True)
class _Read:
    """The policy files as they were found. `place` stands for all of them, where what is wrong is in none."""

    loaded: Sequence[Loaded]
    files: tuple[Path, ...]
    findings: tuple[Finding, ...]
    place: str


def _check(read: _Read, today: dt.date, kinds: Sequence[Kind[Any]]) -> Validation:
    findings = [*read.findings, *(finding for loaded in read.loaded for finding in loaded.findings)]
    raws = [raw for loaded in read.loaded for raw in loaded.documents]
    types = document_types(kinds)
    shapes = _Shapes(types, kinds)
    documents = [document for raw in raws for document in shapes.read(raw, findings)]
    findings.extend(_repeated(raws))
    findings.extend(_scopes(raws, read.place))
    known = _declared(documents, raws)
    if known:
        names = Names({kind: [name for written, name, _ in _headers(raws) if written == kind] for kind in types})
        findings.extend(check_references(known, kinds, names))
        findings.extend(check_expiry(known, today))
        findings.extend(check_freeze(known, today))
        findings.extend(_check_meaning(known, kinds))
    wrong = any(finding.severity is Severity.ERROR and finding.code != EXPIRED for finding in findings)
    digest = hashlib.sha256(b"".join(sorted(loaded.digest for loaded in read.loaded))).hexdigest()
    return Validation(None if wrong else known, _ordered(findings), read.files, digest)


class _Shapes:
    """Raw → typed documents, against the schema of their kind."""

    def __init__(self, types: Types, kinds: Sequence[Kind[Any]]) -> None:
        self._types = types
        self._aspects = [kind.aspect.name for kind in kinds if kind.aspect]
        self._validators = {kind: validator_for(schema) for kind, schema in document_schemas(types).items()}

    def read(self, raw: Raw, findings: list[Finding]) -> Iterator[Document[Any]]:
        """The document, where it has no mistake; else its mistakes are added to `findings`."""
        if raw.broken:
            return
        wrong = self._header(raw)
        if wrong:
            findings.append(wrong)
            return
        mistakes = check_shape(raw, self._validators[raw.value["kind"]])
        if mistakes:
            findings.extend(mistakes)
            return
        document = decode(raw, self._types, self._aspects)
        if isinstance(document, Finding):
            findings.append(document)
        else:
            yield document

    def _header(self, raw: Raw) -> Finding | None:
        """What keeps us from knowing which schema the document is to follow."""
        if not isinstance(raw.value, dict):
            example = f"apiVersion: {API_VERSION}, kind: …, name: …"
            return Finding(
                code="schema", message="is not a document", advice=f"begin with {example}", source=raw.source
            )
        version, kind = raw.value.get("apiVersion"), raw.value.get("kind")
        if version not in (None, API_VERSION) and kind not in self._types:
            return Finding(
                code="schema",
                message=f"`apiVersion` is `{version}`: this is no policy of ours",
                advice=f"write {API_VERSION}, or move the file out of the policies",
                source=place(raw, ("apiVersion",)),
            )
        if "kind" not in raw.value:
            advice = "add kind: " + ", ".join(self._types)
            return Finding(code="schema", message="the document lacks `kind`", advice=advice, source=raw.source)
        if not isinstance(kind, str) or kind not in self._types:
            advice = did_you_mean(str(kind), self._types)
            return Finding(code="schema", message=f"unknown kind `{kind}`", advice=advice, source=place(raw, ("kind",)))
        return None


def _headers(raws: Sequence[Raw]) -> Iterator[tuple[str, str, Raw]]:
    """Kind and name of every document that has them, mistakes or not."""
    for raw in raws:
        if isinstance(raw.value, dict):
            _, kind, name = (raw.value.get(key) for key in HEADER)
            if isinstance(kind, str) and isinstance(name, str):
                yield kind, name, raw


def _repeated(raws: Sequence[Raw]) -> Iterator[Finding]:
    """The same object twice is one error that names all its places."""
    places: dict[tuple[str, str], list[tuple[str, Source]]] = {}
    for kind, name, raw in _headers(raws):
        if kind != "Scope":
            places.setdefault((kind, name.casefold()), []).append((name, place(raw, ("name",))))
    for (kind, _), found in places.items():
        if len(found) > 1:
            first, *others = (source for _, source in found)
            yield Finding(
                code="duplicate",
                message=f"{kind} `{found[0][0]}` is declared {len(found)} times",
                advice=f"rename or remove all but one; also at {_places(others)}",
                source=first,
                also=tuple(others[:_MOST_PLACES]),
            )


def _places(sources: Sequence[Source]) -> str:
    more = f" and {len(sources) - _MOST_PLACES} more places" if len(sources) > _MOST_PLACES else ""
    return ", ".join(map(str, sources[:_MOST_PLACES])) + more


def _scopes(raws: Sequence[Raw], place: str) -> Iterator[Finding]:
    scopes = [raw.source for raw in raws if isinstance(raw.value, dict) and raw.value.get("kind") == "Scope"]
    if len(scopes) > 1:
        yield Finding(
            code="scope",
            message=f"there are {len(scopes)} Scopes, where exactly one is needed",
            advice=f"merge them into one; also at {_places(scopes[1:])}",
            source=scopes[0],
            also=tuple(scopes[1 : _MOST_PLACES + 1]),
        )
    elif not scopes and raws:
        yield Finding(
            code="scope",
            message="there is no Scope: nobody says which subscriptions the policies speak of",
            advice="add a document of kind Scope with `subscriptions`",
            source=Source(place),
        )


def _declared(documents: Sequence[Document[Any]], raws: Sequence[Raw]) -> Declared | None:
    """What the sound documents say together. A Scope with mistakes is stood in for by what can be read of it."""
    others = tuple(document for document in documents if document.kind != "Scope")
    scope = next((document for document in documents if document.kind == "Scope"), None)
    if scope:
        return Declared(scope, others)
    raw = next((raw for kind, _, raw in _headers(raws) if kind == "Scope"), None)
    if not raw:
        return None
    stand_in = Scope(subscriptions=salvage_scope(raw))
    return Declared(Document("Scope", raw.value["name"], stand_in, raw.source, raw.positions), others)


def _check_meaning(declared: Declared, kinds: Sequence[Kind[Any]]) -> Iterator[Finding]:
    """The rules that each kind brings, on its documents and on its aspect of Protections."""
    checks: Mapping[str, Any] = {item.name: item.check for kind in kinds for item in kind.documents}
    aspects = {kind.aspect.name: kind.aspect for kind in kinds if kind.aspect}
    for document in declared.documents:
        if document.kind in checks:
            yield from checks[document.kind](document, declared)
        if isinstance(document.value, Protection):
            for name, value in document.value.aspects.items():
                yield from aspects[name].check(document, value, declared)


def _ordered(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Each finding once, by file, line and column."""
    nowhere = Source("")
    return tuple(sorted(dict.fromkeys(findings), key=lambda item: (item.source or nowhere, item.code, item.message)))
