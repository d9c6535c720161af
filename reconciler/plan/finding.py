"""Findings: what the reader must know and no step mends. Validation errors are findings too."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from reconciler.model.source import Source


class Severity(StrEnum):
    """`error` stops the command; `warning` and `doubt` (rules that Azure's own pages contradict) do not; `info` is for
    the record."""

    ERROR = "error"
    WARNING = "warning"
    DOUBT = "doubt"
    INFO = "info"


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`code` is a rule id (`BP-12`) or a name of ours (`uncovered`); `message` says what and why; `advice` what to
    write or do instead; `source` is the first place, `also` the others; `address` the resource."""

    code: str
    message: str
    severity: Severity = Severity.ERROR
    advice: str = ""
    source: Source | None = None
    also: tuple[Source, ...] = ()
    address: str = ""
    rule_source: str = ""
    """Where the rule comes from: an Azure page or a client's code, as in the rule table."""
    topic: str = ""
    """The chapter of a report that it belongs to: `objectives` or `unmanaged`; "" leaves that to its code."""

    def __str__(self) -> str:
        where = f"{self.source}: " if self.source else (f"{self.address}: " if self.address else "")
        text = f"{where}{self.code} {self.message}"
        return f"{text} ({self.advice})" if self.advice else text
