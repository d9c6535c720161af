"""The meanings that reports carry along are those of docs/rules.md."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from reconciler.render.rule_meanings import rule_meanings

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| `?((?:ASR|BP|TH|GV|SN)-[0-9]+|[a-z][a-z_-]+)`? \|(?:.*\|)? ([^|]+) \|$", re.MULTILINE)
GUARD = re.compile(r"^\| (G[0-9]+) \| (.+) \|$", re.MULTILINE)


def told() -> dict[str, str]:
    rules = dict(ROW.findall((ROOT / "docs" / "rules.md").read_text(encoding="utf-8")))
    guards = GUARD.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    rules |= {code: f"A guard refuses {meaning}." for code, meaning in guards}
    return {code: rules[code].replace("`", "") for code in sorted(rules) if rules[code] != "meaning"}


def test_they_are_those_of_the_table() -> None:
    file = ROOT / "reconciler" / "render" / "rule_meanings.json"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(json.dumps(told(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    assert rule_meanings() == told(), "make golden"


def test_rules_findings_and_guards_are_all_in_it() -> None:
    meanings = rule_meanings()
    assert {"BP-12", "ASR-60", "SN-10", "no-match", "uncovered", "G101"} <= meanings.keys()
    assert all(meaning.endswith(".") and "|" not in meaning for meaning in meanings.values())
    assert meanings["no-match"] == "A selector matches no VM, and does not say allowEmpty: true."
