"""Files of faults and latencies, as people write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec


class ScheduleError(ValueError):
    """A file that cannot be read; the message names it."""


def read_schedule(path: Path) -> list[dict[str, Any]]:
    """The rules of a file: ``faults:`` and a list of the fields of ``faults.Fault``. Raises ScheduleError."""
    rules = read_mapping(path).get("faults")
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        raise ScheduleError(f"{path}: a schedule of faults is 'faults:' and a list of rules")
    return rules


def read_mapping(path: Path) -> dict[str, Any]:
    """A YAML or JSON file whose top level is a mapping. Raises ScheduleError."""
    import yaml

    try:
        found = msgspec.to_builtins(yaml.safe_load(path.read_bytes()))  # moments become text: a rule is JSON
    except (OSError, yaml.YAMLError) as error:
        raise ScheduleError(f"{path}: {' '.join(str(error).split())}") from error
    if not isinstance(found, dict):
        raise ScheduleError(f"{path}: expected a mapping")
    return found
