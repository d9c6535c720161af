"""A rule of policy documents that can be checked offline, as data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from reconciler.model.document import Declared, Document
from reconciler.model.source import Source
from reconciler.plan.finding import Finding, Severity

D = TypeVar("D", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class Breach:
    """Where and how a document breaks a rule. `path` holds the YAML keys to the value; `advice` what to write instead;
    `also` the other places it speaks of."""

    path: tuple[str | int, ...]
    message: str
    advice: str
    also: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class DocumentRule(Generic[D]):
    """`id` is that of the rule table, or a name of ours; `source` names the Azure pages and clients it was read in.
    `check` is told of the other documents, too."""

    id: str
    severity: Severity
    source: str
    check: Callable[[Document[D], Declared], Iterable[Breach]]

    def finding(self, document: Document[D], breach: Breach) -> Finding:
        path = ".".join(str(part) for part in breach.path)
        return Finding(
            code=self.id,
            severity=self.severity,
            message=f"{document.kind} {document.name} {path}: {breach.message}",
            advice=breach.advice,
            source=document.at(*breach.path),
            also=breach.also,
            rule_source=self.source,
        )


def rule_of(code: str, severity: Severity, source: str, check: Callable[[D], Iterable[Breach]]) -> DocumentRule[D]:
    """A rule that needs to know nothing but what the document says."""
    return DocumentRule(code, severity, source, lambda document, _: check(document.value))


def check_rules(rules: Sequence[DocumentRule[Any]], document: Document[Any], declared: Declared) -> Iterator[Finding]:
    """All that is wrong with one document, each at the line that has to change."""
    for rule in rules:
        for breach in rule.check(document, declared):
            yield rule.finding(document, breach)
