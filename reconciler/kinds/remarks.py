"""What is to be said of many VMs in the same words: said once, with their names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from reconciler.kinds.phrases import some_names
from reconciler.plan.finding import Finding


@dataclass
class Remarks:
    """Collects findings that speak of one VM each; those with equal words become one."""

    _names: dict[Finding, list[str]] = field(default_factory=dict)

    def add(self, finding: Finding, machine: str) -> None:
        """`finding.message` goes on after the names: "no recovery point is taken"."""
        self._names.setdefault(finding, []).append(machine)

    def findings(self) -> Iterator[Finding]:
        """One for each sentence, in the order in which they were first said."""
        for finding, names in self._names.items():
            yield msgspec.structs.replace(finding, message=f"{some_names(names)}: {finding.message}")
