"""docs/rules.md is in step with the code: every rule id stands where the code looks after it, with its severity."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from reconciler.kinds.backup_policy.rules import RULES
from reconciler.kinds.container_mapping.rules import ROUTE_RULES
from reconciler.kinds.protected_vm.machine_rules import MACHINE_RULES
from reconciler.kinds.replication_policy.rules import POLICY_RULES
from reconciler.plan.finding import Severity

ROOT = Path(__file__).parents[1]
CODE = ROOT / "reconciler"
TEXT = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
ID = re.compile(r"\b(?:ASR|BP|TH|GV|SN)-[0-9]+\b")
ROWS = {
    cells[0]: cells[1:]
    for line in TEXT.splitlines()
    if ID.match((cells := [cell.strip() for cell in line.strip("| ").split("|")])[0])
}
LETTERS = {Severity.ERROR: "E", Severity.WARNING: "W", Severity.DOUBT: "U", Severity.INFO: "I"}
OFFLINE = {path for path in (CODE / "kinds").rglob("*rules.py") if path.name != "machine_rules.py"}
EMULATOR = set((CODE / "emulator").rglob("*.py"))
ADOPTION = set((CODE / "kinds").rglob("*adoption.py"))  # names the rule by which Azure's state cannot be declared
LIVE = {path for floor in ("kinds", "diff", "apply", "restore") for path in (CODE / floor).rglob("*.py")}
LIVE -= OFFLINE | ADOPTION


def spoken(path: Path) -> Iterator[str]:
    """The texts of a module that a user may read: its string literals, without docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documented:
            yield node.value


def codes(path: Path) -> Iterator[str]:
    """The codes that a module gives its findings, where they are written out."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Finding":
            values = (item.value for item in node.keywords if item.arg == "code")
            yield from (str(value.value) for value in values if isinstance(value, ast.Constant))


def ids(paths: set[Path]) -> set[str]:
    return {found for path in paths for text in spoken(path) for found in ID.findall(text)}


def ticked(column: int) -> set[str]:
    return {rule for rule, cells in ROWS.items() if cells[column] == "yes"}


def test_each_rule_stands_where_the_code_looks_after_it() -> None:
    assert ticked(1) == ids(OFFLINE)
    assert ticked(2) == ids(LIVE)
    assert ticked(3) == {found for path in EMULATOR for found in ID.findall(path.read_text(encoding="utf-8"))}


def test_severities_are_those_of_the_rules() -> None:
    for rule in (*RULES, *MACHINE_RULES, *POLICY_RULES, *ROUTE_RULES):
        assert LETTERS[rule.severity] in ROWS[rule.id][0].split(", "), rule.id


def test_rules_that_only_warn_are_not_called_errors() -> None:
    known = {rule.id for rule in RULES}
    for rule in known:
        letters = {LETTERS[other.severity] for other in (*RULES, *MACHINE_RULES) if other.id == rule}
        assert letters >= set(ROWS[rule][0].split(", ")) - {"B"}, rule


def test_the_table_is_in_order_and_says_something() -> None:
    numbers = [(rule[:2], int(rule[3:])) for rule in ROWS if rule.startswith("BP")]
    assert numbers == sorted(numbers)
    assert all(cells[4].endswith(".") for cells in ROWS.values())
    assert TEXT.count("\n| BP-") == len(numbers)


def test_every_finding_of_our_own_is_explained() -> None:
    explained = set(re.findall(r"^\| `([a-z_-]+)` \|", TEXT, re.MULTILINE))
    given = {code for path in set(CODE.rglob("*.py")) - EMULATOR for code in codes(path)}
    given = {code for code in given if not ID.fullmatch(code)}
    assert given <= explained
    sources = "".join(path.read_text(encoding="utf-8") for path in set(CODE.rglob("*.py")) - EMULATOR)
    assert [code for code in explained if f'"{code}"' not in sources] == []
