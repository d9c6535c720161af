"""Selectors: every case of tests/cases/desired/selectors.yaml, and the index against the slow and obvious reading."""

from __future__ import annotations

import fnmatch
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from reconciler.desired.roster import Roster
from reconciler.model.arm_id import ArmId
from reconciler.model.machine import Machine, OsType
from reconciler.model.selector import Selector

TABLE = yaml.safe_load((Path(__file__).parents[1] / "cases" / "desired" / "selectors.yaml").read_text(encoding="utf-8"))
IDS = {"prod": "00000000-0000-0000-0000-00000000000a", "dev": "00000000-0000-0000-0000-00000000000b"}


def machine(entry: dict[str, Any]) -> Machine:
    vm = f"resourceGroups/{entry['group']}/providers/Microsoft.Compute/virtualMachines/{entry['name']}"
    return Machine(
        arm_id=ArmId(f"/subscriptions/{IDS[entry['subscription']]}/{vm}"),
        subscription=entry["subscription"],
        resource_group=entry["group"],
        name=entry["name"],
        location=entry["location"],
        os_type=OsType(entry["os"]),
        tags=entry["tags"],
    )


@pytest.mark.parametrize("case", TABLE["cases"], ids=lambda case: case["case"])
def test_case(case: dict[str, Any]) -> None:
    roster = Roster([machine(entry) for entry in TABLE["machines"]])
    assert sorted(roster.select(msgspec.convert(case["select"], Selector))) == case["picks"]


NAMES = ["a", "A", "ab", "b", "ba"]
GLOBS = st.lists(st.sampled_from([*NAMES, "*", "a*", "?", "?b", "*a*"]), min_size=1, max_size=2).map(tuple)
LEAVES = st.one_of(
    st.builds(lambda names: Selector(names=names), GLOBS),
    st.builds(lambda groups: Selector(resource_groups=groups), GLOBS),
    st.builds(
        lambda names, alias: Selector(names=names, subscriptions=(alias,)), GLOBS, st.sampled_from(["prod", "dev"])
    ),
    st.builds(lambda system: Selector(os=(system,)), st.sampled_from(["Windows", "Linux"])),
    st.builds(
        lambda tags: Selector(tags=tags),
        st.dictionaries(st.sampled_from("aAb"), st.sampled_from(["x", "X", "*", "?"]) | GLOBS, min_size=1, max_size=2),
    ),
)
SELECTORS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: Selector(all=tuple(parts))),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: Selector(any=tuple(parts))),
        inner.map(lambda part: Selector(not_=part)),
        st.tuples(inner, GLOBS).map(lambda pair: Selector(not_=pair[0], names=pair[1])),
    ),
    max_leaves=6,
)
MACHINES = st.builds(
    lambda name, group, alias, system, tags: machine(
        {"name": name, "group": group, "subscription": alias, "os": system, "location": "westeurope", "tags": tags}
    ),
    st.sampled_from(NAMES),
    st.sampled_from(NAMES),
    st.sampled_from(["prod", "dev"]),
    st.sampled_from(["Windows", "Linux", "Unknown"]),
    st.dictionaries(st.sampled_from("ab"), st.sampled_from(["x", "X", "", "xa"]), max_size=2),
)


def obviously(selector: Selector, vm: Machine) -> bool:
    """What a selector means, one VM at a time and with another matcher of globs."""

    def any_glob(globs: tuple[str, ...], value: str) -> bool:
        return any(fnmatch.fnmatchcase(value, glob) for glob in globs)

    def lower(values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(value.lower() for value in values)

    tags = {name.lower(): value for name, value in vm.tags.items()}
    return (
        (selector.all is None or all(obviously(part, vm) for part in selector.all))
        and (selector.any is None or any(obviously(part, vm) for part in selector.any))
        and (selector.not_ is None or not obviously(selector.not_, vm))
        and (selector.names is None or any_glob(lower(selector.names), vm.name.lower()))
        and (selector.resource_groups is None or any_glob(lower(selector.resource_groups), vm.resource_group.lower()))
        and (selector.subscriptions is None or vm.subscription in selector.subscriptions)
        and (selector.os is None or vm.os_type.value in selector.os)
        and all(
            name.lower() in tags and any_glob((wanted,) if isinstance(wanted, str) else wanted, tags[name.lower()])
            for name, wanted in (selector.tags or {}).items()
        )
    )


@given(SELECTORS, st.lists(MACHINES, max_size=6))
def test_the_index_says_what_the_words_mean(selector: Selector, machines: list[Machine]) -> None:
    expected = {position for position, vm in enumerate(machines) if obviously(selector, vm)}
    assert Roster(machines).select(selector) == expected
