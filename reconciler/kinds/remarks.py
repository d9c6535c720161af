"""What the reader must know and no step mends: one finding for all VMs of which the same is true."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from reconciler.kinds.phrases import some_names
from reconciler.model.source import Source
from reconciler.plan.finding import Finding, Severity


@dataclass(frozen=True, slots=True)
class Remark:
    """`subject` is the document that it speaks of; the rest as in `Finding`."""

    code: str
    subject: str
    message: str
    advice: str
    severity: Severity = Severity.WARNING
    source: Source | None = None
    rule_source: str = ""
    topic: str = ""


@dataclass(slots=True)
class Remarks:
    """Collected while the desired side is worked out; names of VMs are sorted where they are told."""

    said: dict[Remark, dict[str, None]] = field(default_factory=dict)
    single: list[Finding] = field(default_factory=list)
    """Findings about one resource, with its address."""

    def add(self, remark: Remark, name: str) -> None:
        self.said.setdefault(remark, {})[name] = None

    def findings(self) -> Iterator[Finding]:
        for remark, names in self.said.items():
            yield Finding(
                code=remark.code,
                severity=remark.severity,
                message=f"{remark.subject}, {some_names(sorted(names))}: {remark.message}",
                advice=remark.advice,
                source=remark.source,
                rule_source=remark.rule_source,
                topic=remark.topic,
            )
        yield from self.single
