"""One policy file → its documents as plain values, with the place of every key and value.

Built on the parser's events, not on its constructors: no objects, no aliases (and so no alias bombs), no recursion, and
every mistake of the file in one go.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

import yaml

from reconciler.desired.locate import display
from reconciler.desired.scalar import resolve
from reconciler.model.document import Path
from reconciler.model.source import Source
from reconciler.plan.finding import Finding

MOST_BYTES = 1024 * 1024
MOST_DEPTH = 40
MOST_DOCUMENTS = 1_000
_MOST_FINDINGS = 20

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_UNSEEN = re.compile("[\x85\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]")
"""Line breaks that YAML counts and editors do not, marks that turn the direction of reading, and spaces without width:
what a reviewer sees would not be what is read."""


@dataclass(slots=True)
class Raw:
    """One YAML document. `positions` says where each value stands, `keys` where its key does; `spellings` holds what
    was written where an unquoted value is not text (`1.10` for 1.1). `broken` marks one that has findings already."""

    source: Source
    value: Any = None
    positions: dict[Path, Source] = field(default_factory=dict)
    keys: dict[Path, Source] = field(default_factory=dict)
    spellings: dict[Path, str] = field(default_factory=dict)
    broken: bool = False


@dataclass(frozen=True, slots=True)
class Loaded:
    """The documents of one file, its mistakes, and the SHA-256 of its bytes, less the carriage returns that git writes
    on Windows."""

    documents: tuple[Raw, ...] = ()
    findings: tuple[Finding, ...] = ()
    digest: bytes = b""


def load(path: FilePath) -> Loaded:
    """Read one file. Whatever is wrong with it becomes a finding (`file`, `yaml`); never raises."""
    name = display(path)
    try:
        with path.open("rb") as stream:
            content = stream.read(MOST_BYTES + 1)
    except OSError as error:
        return Loaded(findings=(_refused("file", Source(name), f"cannot be read: {error.strerror}"),))
    return parse(content, name)


def parse(content: bytes, name: str) -> Loaded:
    """The documents in the bytes of a file that findings call `name`. Never raises, whatever the bytes are."""
    if len(content) > MOST_BYTES:
        message = f"is larger than {MOST_BYTES // 1024} KiB"
        return Loaded(findings=(_refused("file", Source(name), message, "split it into several files"),))
    digest = hashlib.sha256(content.replace(b"\r\n", b"\n")).digest()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8-sig", "replace")) + 1
        place = Source(name, before.count(b"\n") + 1, column)
        advice = "save it as UTF-8" if b"\0" not in content else "it looks like a binary file: policies are YAML text"
        return Loaded(findings=(_refused("yaml", place, "is not UTF-8 text", advice),), digest=digest)
    unfit = _unfit(text, name)
    if unfit:
        return Loaded(findings=(unfit,), digest=digest)
    builder = _Builder(name)
    builder.build(text)
    return Loaded(tuple(builder.documents), tuple(builder.findings), digest)


def _unfit(text: str, name: str) -> Finding | None:
    """The first character that YAML does not allow, or that no reader can see."""
    found = _FORBIDDEN.search(text) or _UNSEEN.search(text)
    if not found:
        return None
    before = text[: found.start()]
    place = Source(name, before.count("\n") + 1, found.start() - before.rfind("\n"))
    code = f"U+{ord(found[0]):04X}"
    if _UNSEEN.match(found[0]):
        message = f"holds the character {code} ({unicodedata.name(found[0], 'NEXT LINE')}), which nobody can see"
        advice = f'remove it; where it is meant, write it as "\\u{ord(found[0]):04X}" in double quotes'
        return _refused("yaml", place, message, advice)
    advice = "it looks like a binary file: policies are YAML text" if found[0] == "\0" else "remove it"
    return _refused("yaml", place, f"holds the character {code}, which YAML does not allow", advice)


class _StopError(Exception):
    """The rest of the file is not worth reading; the finding was made."""


@dataclass(slots=True)
class _Frame:
    """A collection that is still open. `key` is the mapping key whose value comes next."""

    container: dict[str, Any] | list[Any]
    path: Path
    key: str | None = None


class _Builder:
    """Builds the values of one file from parser events, with a stack of its own."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.documents: list[Raw] = []
        self.findings: list[Finding] = []
        self._frames: list[_Frame] = []
        self._document = Raw(Source(name))

    def build(self, text: str) -> None:
        handlers: dict[type[yaml.Event], Callable[[Any], None]] = {
            yaml.DocumentStartEvent: self._begin,
            yaml.DocumentEndEvent: self._end,
            yaml.MappingStartEvent: lambda event: self._open(event, {}),
            yaml.SequenceStartEvent: lambda event: self._open(event, []),
            yaml.MappingEndEvent: self._close,
            yaml.SequenceEndEvent: self._close,
            yaml.ScalarEvent: self._scalar,
            yaml.AliasEvent: self._alias,
        }
        try:
            events: Iterable[yaml.Event] = yaml.parse(text, Loader=_LOADER)
            for event in events:
                handle = handlers.get(type(event))
                if handle:
                    handle(event)
        except _StopError:
            self._give_up()
        except (yaml.YAMLError, ValueError) as error:
            self.findings.append(_syntax(error, text, self.name))
            self._give_up()

    def _give_up(self) -> None:
        """Keep what was read of the document at hand: its name is still known to others."""
        self._document.broken = True
        self.documents.append(self._document)

    def _begin(self, event: yaml.DocumentStartEvent) -> None:
        self._document = Raw(self._place(event))
        if len(self.documents) >= MOST_DOCUMENTS:
            self._refuse(event, f"more than {MOST_DOCUMENTS} documents in one file", "split it into several files")
            raise _StopError

    def _end(self, _event: yaml.DocumentEndEvent) -> None:
        if self._document.value is not None or self._document.broken:
            self.documents.append(self._document)
        self._document = Raw(Source(self.name))

    def _open(self, event: yaml.CollectionStartEvent, container: dict[str, Any] | list[Any]) -> None:
        frame = self._frames[-1] if self._frames else None
        if frame and frame.key is None and isinstance(frame.container, dict):
            self._refuse(event, "a key is a list or a mapping", "write the key as text")
            raise _StopError
        if len(self._frames) >= MOST_DEPTH:
            self._refuse(event, f"nested more than {MOST_DEPTH} levels deep")
            raise _StopError
        self._check_properties(event)
        self._frames.append(_Frame(container, self._add(event, container)))

    def _close(self, _event: yaml.CollectionEndEvent) -> None:
        self._frames.pop()

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        self._check_properties(event)
        control = _FORBIDDEN.search(event.value)
        if control:
            self._refuse(event, f"holds the character U+{ord(control[0]):04X}, which no name or text has", "remove it")
        frame = self._frames[-1] if self._frames else None
        if frame and frame.key is None and isinstance(frame.container, dict):
            self._key(event, frame)
            return
        value = resolve(event.value) if event.implicit[0] else event.value
        path = self._add(event, value)
        if not isinstance(value, str):
            self._document.spellings[path] = event.value

    def _key(self, event: yaml.ScalarEvent, frame: _Frame) -> None:
        key = frame.key = str(event.value)
        path = (*frame.path, key)
        first = self._document.keys.get(path)
        if first:
            self._refuse(event, f"key `{key}` is given twice", f"remove one of the two; the first is at {first}", first)
        elif not key:
            self._refuse(event, "a key is empty")
        else:
            self._document.keys[path] = self._place(event)

    def _alias(self, event: yaml.AliasEvent) -> None:
        self._refuse(event, f"alias *{event.anchor} is not supported", "write the value out")
        frame = self._frames[-1] if self._frames else None
        if frame and frame.key is None and isinstance(frame.container, dict):
            raise _StopError
        self._add(event, None)

    def _check_properties(self, event: Any) -> None:
        """Anchors and tags: neither has a use here that is worth its danger."""
        if event.anchor is not None:
            self._refuse(event, f"anchor &{event.anchor} is not supported", "write the value out where it is needed")
        if event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self._refuse(event, f"tag {tag} is not supported", "remove it; quote a value that must stay text")

    def _add(self, event: yaml.Event, value: Any) -> Path:
        """Put a value into the collection that is open, and note where it stands."""
        if not self._frames:
            self._document.value = value
            self._document.source = self._document.positions[()] = self._place(event)
            return ()
        frame = self._frames[-1]
        if isinstance(frame.container, list):
            path: Path = (*frame.path, len(frame.container))
            frame.container.append(value)
        else:
            assert frame.key is not None
            path = (*frame.path, frame.key)
            frame.container.setdefault(frame.key, value)
            frame.key = None
        self._document.positions[path] = self._place(event)
        return path

    def _place(self, event: yaml.Event) -> Source:
        return _at(self.name, event.start_mark)

    def _refuse(self, event: yaml.Event, message: str, advice: str = "", *also: Source) -> None:
        self._document.broken = True
        self.findings.append(_refused("yaml", self._place(event), message, advice, *also))
        if len(self.findings) >= _MOST_FINDINGS:
            raise _StopError


def _at(name: str, mark: Any) -> Source:
    return Source(name, mark.line + 1, mark.column + 1)


def _syntax(error: Exception, text: str, name: str) -> Finding:
    """The parser's own complaint, with the mistakes that people make most in words they know."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = str(getattr(error, "problem", None) or error)
    context = getattr(error, "context", None)
    opened = getattr(error, "context_mark", None)
    if not mark:
        return _refused("yaml", Source(name), f"is not YAML: {problem}")
    place = _at(name, mark)
    lines = text.splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    if line[mark.column : mark.column + 1] == "\t" or "\t" in line[: len(line) - len(line.lstrip())]:
        return _refused("yaml", place, "a tab where YAML wants spaces", "indent with spaces")
    if "end of stream" in problem and opened and "quoted" in str(context):
        return _refused("yaml", _at(name, opened), "the quote that opens here is never closed", "close it")
    message = f"is not YAML: {problem}" + (f" {context}" if context else "")
    return _refused("yaml", place, message, "check the indentation, colons and quotes here and on the line before")


def _refused(code: str, source: Source, message: str, advice: str = "", *also: Source) -> Finding:
    return Finding(code=code, message=message, advice=advice, source=source, also=also)
