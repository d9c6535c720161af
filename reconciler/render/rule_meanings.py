"""What each rule and finding means, in a sentence: the table of docs/rules.md, carried along in `rule_meanings.json`.
`make golden` writes that file again; a test fails where it is old."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources

import msgspec


def rule_meanings() -> Mapping[str, str]:
    """Code → meaning."""
    raw = resources.files("reconciler.render").joinpath("rule_meanings.json").read_bytes()
    return msgspec.json.decode(raw, type=dict[str, str])
