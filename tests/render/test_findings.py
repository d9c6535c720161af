"""Findings as compilers write them, and as `terraform validate -json` does."""

from __future__ import annotations

import json

from reconciler.model.source import Source
from reconciler.plan.finding import Finding, Severity
from reconciler.render.findings import render_text, validation_json, validation_text

ERROR = Finding(code="BP-12", message="7 days at least", advice="write 7", source=Source("p.yaml", 3, 5))
WARNING = Finding(
    code="BP-52", message="many VMs", severity=Severity.WARNING, source=Source("p.yaml"), also=(Source("q.yaml", 1, 1),)
)
NAMED = Finding(code="uncovered", message="not covered", severity=Severity.INFO, address="vm.p/rg/\x1b[31m")


def test_one_finding_a_line() -> None:
    assert render_text([ERROR, WARNING, NAMED]).split("\n") == [
        "p.yaml:3:5: BP-12 7 days at least (write 7)",
        "p.yaml: warning: BP-52 many VMs [see q.yaml:1:1]",
        "vm.p/rg/\\x1b[31m: info: uncovered not covered",
    ]


def test_the_last_line_sums_up() -> None:
    assert validation_text([], 3) == "Valid: 3 files, 0 errors, 0 warnings."
    assert validation_text([WARNING], 1).endswith("\n\nValid: 1 file, 0 errors, 1 warning.")
    assert validation_text([ERROR, WARNING], 2).endswith("\n\nNot valid: 1 error, 1 warning in 2 files.")
    assert "\x1b[31mNot valid" in validation_text([ERROR], 2, colour=True)


def test_the_names_of_terraform() -> None:
    values = json.loads(validation_json([ERROR, NAMED], 2, valid=False))
    assert (values["valid"], values["error_count"], values["warning_count"], values["file_count"]) == (False, 1, 0, 2)
    first, second = values["diagnostics"]
    assert (first["severity"], first["code"], first["summary"], first["detail"]) == (
        "error", "BP-12", "7 days at least", "write 7",
    )  # fmt: skip
    assert first["range"] == {"filename": "p.yaml", "start": {"line": 3, "column": 5}}
    assert "range" not in second
