"""Directories of policies: every case of tests/cases/desired/{shape,references}.yaml, and what stands around them."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.desired.load import Raw
from reconciler.desired.references import EXPIRED
from reconciler.desired.schema import document_schemas, document_types
from reconciler.desired.shape import check_shape, validator_for
from reconciler.desired.validate import Validation, validate
from reconciler.kinds.base import Kind
from reconciler.model.protection import Protection
from reconciler.model.source import Source
from reconciler.plan.finding import Severity

Kinds = tuple[Kind[Any], ...]
CASES = Path(__file__).parents[1] / "cases" / "desired"
SHAPES = yaml.safe_load((CASES / "shape.yaml").read_text(encoding="utf-8"))
REFERENCES = yaml.safe_load((CASES / "references.yaml").read_text(encoding="utf-8"))
SCOPE = """\
apiVersion: reconciler/v1
kind: Scope
name: shop
subscriptions:
  prod: 00000000-0000-0000-0000-00000000000a
  dev: 00000000-0000-0000-0000-00000000000b
"""
BASE = "{apiVersion: reconciler/v1, kind: Lock, name: base, strength: 1}\n"
USE = "{apiVersion: reconciler/v1, kind: Protection, name: use, select: {names: [x]}, locked: {lock: base}}\n"


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def said(validation: Validation) -> list[str]:
    return [str(finding) for finding in validation.findings]


@pytest.mark.parametrize("case", SHAPES, ids=lambda case: case["case"])
def test_shape(case: dict[str, Any], policies: Path, kinds: Kinds, today: dt.date) -> None:
    write(policies, scope=SCOPE, base=BASE, case="apiVersion: reconciler/v1\n" + case["text"])
    found = validate([policies], today, kinds)
    errors = [str(finding) for finding in found.findings if finding.severity is Severity.ERROR]
    assert [line.removeprefix("policies/case.yaml:").replace(": schema ", ": ", 1) for line in errors] == case.get(
        "findings", []
    )
    assert (found.declared is None) == bool(errors)


@pytest.mark.parametrize("case", REFERENCES, ids=lambda case: case["case"])
def test_references(case: dict[str, Any], policies: Path, kinds: Kinds, today: dt.date) -> None:
    if not case.get("alone"):
        write(policies, scope=SCOPE, base=BASE)
    for name, text in case["files"].items():
        (policies / name).write_text(text, encoding="utf-8")
    found = validate([policies], today, kinds)
    unused = [] if not case["files"] else [line for line in said(found) if ": unused " in line]
    assert [line for line in said(found) if line not in unused] == case.get("findings", [])


def test_what_is_declared(policies: Path, kinds: Kinds, today: dt.date) -> None:
    text = """\
apiVersion: reconciler/v1
kind: Protection
name: use
select: {names: [x]}
locked:
  lock: base
  doors: {only: [1, 2]}
objectives: {rpo: 24h}
priority: 5
"""
    declared = validate([write(policies, scope=SCOPE, base=BASE, use=text)], today, kinds).declared
    assert declared
    document = declared.of("Protection", Protection)["use"]
    assert document.value.aspects["locked"].doors.only == (1, 2)  # type: ignore[attr-defined]
    assert document.value.priority == 5
    assert document.at("locked", "doors", "only", 1) == Source("policies/use.yaml", 7, 21)
    assert document.at("locked", "spareLock") == Source("policies/use.yaml", 6, 3)
    assert declared.alias("00000000-0000-0000-0000-00000000000B") == "dev"


def test_an_expired_exemption_alone_does_not_keep_a_plan_from_naming_its_vms(
    policies: Path, kinds: Kinds, today: dt.date
) -> None:
    lapsed = BASE.replace("kind: Lock", "kind: Exemption").replace(
        "strength: 1", "select: {names: [x]}, until: 2020-01-01"
    )
    write(policies, scope=SCOPE, base=BASE, use=USE, off=lapsed.replace("until", "reason: nobody needs it, until"))
    found = validate([policies], today, kinds)
    assert [finding.code for finding in found.findings] == [EXPIRED]
    assert not found.valid
    assert found.declared is not None
    assert found.carried == ()


def test_mistakes_of_every_sort_are_told_in_one_run(policies: Path, kinds: Kinds, today: dt.date) -> None:
    write(policies, scope=SCOPE, a="a: [", b="{apiVersion: reconciler/v1, kind: Lock, name: b, strength: 0}\n")
    write(policies, c=USE.replace("base", "nothing"))
    (policies / "d.yaml").symlink_to("nowhere")
    (policies / "e.yaml").write_bytes(b"\x00\xff")
    found = validate([policies], today, kinds)
    assert [(str(item.source), item.code) for item in found.findings] == [
        ("policies/a.yaml:2:1", "yaml"),
        ("policies/b.yaml:1:60", "schema"),
        ("policies/c.yaml:1:95", "reference"),
        ("policies/d.yaml", "file"),
        ("policies/e.yaml:1:2", "yaml"),
    ]


def test_the_digest_is_of_what_files_say_not_of_what_they_are_called(
    policies: Path, kinds: Kinds, today: dt.date
) -> None:
    write(policies, scope=SCOPE, base=BASE)
    first = validate([policies], today, kinds).digest
    (policies / "base.yaml").rename(policies / "renamed.yaml")
    assert validate([policies / ".." / "policies"], today, kinds).digest == first
    write(policies, renamed=BASE.replace("1}", "2}"))
    assert validate([policies], today, kinds).digest != first


def test_no_policies_at_all(kinds: Kinds, today: dt.date, policies: Path) -> None:
    found = validate([policies], today, kinds)
    assert said(found) == ["policies: file holds no policies (put *.yaml files below it, or name another directory)"]
    assert found.declared is None


PLAIN = st.none() | st.booleans() | st.integers(-3, 12) | st.text("a*: -", max_size=4) | st.just(1.5)
OUTER = ["apiVersion", "kind", "name", "select", "locked", "strength", "until", "reason", "subscriptions", "limits"]
KEYS = st.sampled_from(OUTER) | st.sampled_from(["names", "tags", "not", "all", "lock", "doors", "only", "x", ""])
WORDS = st.sampled_from(["reconciler/v1", "Lock", "Protection", "Exemption", "Scope", "2027-01-01"])
VALUES = st.recursive(
    PLAIN | WORDS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)


@example(kind="Lock", body={"strength": 1.5})
@given(
    kind=st.sampled_from(["Scope", "Lock", "Protection", "Exemption"]), body=st.dictionaries(KEYS, VALUES, max_size=6)
)
def test_no_document_surprises_us(kind: str, body: dict[str, Any], kinds: Kinds) -> None:
    schema = document_schemas(document_types(kinds))[kind]
    raw = Raw(Source("f.yaml", 1, 1), value=body | {"kind": kind})
    findings = check_shape(raw, validator_for(schema))
    assert all(finding.code == "schema" and finding.message for finding in findings)


def test_validation_loads_nothing_that_talks_to_azure() -> None:
    code = (
        "import sys; import reconciler.desired.validate, reconciler.desired.explain, reconciler.kinds.registry as r;"
        "r.kinds(); print(sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not {"azure", "aiohttp", "deepdiff", "rich", "trustme", "msal"} & set(yaml.safe_load(loaded))
