"""Selectors that are found: exact over all VMs, the same in every run, and what a person would have written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.adopt.census import Census, sayable
from reconciler.adopt.globs import count_stems, shorten
from reconciler.adopt.protections import draft_protections, slug
from reconciler.adopt.selectors import Selectors
from reconciler.desired.roster import Roster
from reconciler.kinds.adoption import Held
from reconciler.kinds.protected_vm.document import Backup
from reconciler.model.machine import Machine
from reconciler.model.selector import Selector
from tests.adopt.conftest import vm


def selector_of(machines: Sequence[Machine], wanted: Sequence[Machine]) -> dict[str, Any]:
    census = Census(machines)
    return dict(Selectors(census).name(census.mask(one.arm_id for one in wanted)).selector)


def chosen(machines: Sequence[Machine], selector: dict[str, Any]) -> set[str]:
    """Whom the policy language itself selects by it."""
    roster = Roster(machines)
    found = roster.select(msgspec.convert(selector, Selector))
    return {machines[position].arm_id.key for position in found}


def ids(*machines: Machine) -> list[str]:
    return [str(machine.arm_id) for machine in machines]


def tier(number: int, env: str, kind: str, group: str = "rg-mixed", **fields: Any) -> list[Machine]:
    return [vm(f"{env}-{kind}-{place}", group, tags={"env": env, "tier": kind}, **fields) for place in range(number)]


CASES: dict[str, tuple[list[Machine], list[Machine], dict[str, Any]]] = {
    "one tag": (tier(4, "prod", "web"), tier(4, "dev", "web"), {"tags": {"env": "prod"}}),
    "two tags, several values": (
        tier(3, "prod", "web") + tier(3, "prod", "app"),
        tier(3, "prod", "db") + tier(3, "dev", "web") + tier(3, "dev", "app"),
        {"tags": {"env": "prod", "tier": ["app", "web"]}},
    ),
    "tags before the resource group": (
        tier(3, "prod", "web", "rg-web"),
        tier(3, "prod", "db", "rg-db"),
        {"tags": {"tier": "web"}},
    ),
    "groups by their beginning": (
        [vm(f"a{n}", f"rg-web-{n}") for n in range(4)],
        [vm(f"b{n}", f"rg-app-{n}") for n in range(4)],
        {"resourceGroups": ["rg-web-*"]},
    ),
    "the region": (
        [vm(f"a{n}", f"g{n}x", location="northeurope") for n in range(9)],
        [vm(f"b{n}", f"h{n}x") for n in range(9)],
        {"locations": ["northeurope"]},
    ),
    "all but one": (
        tier(8, "prod", "web"),
        [vm("prod-web-x", "rg-mixed", tags={"env": "prod", "tier": "web"}), *tier(3, "dev", "web")],
        {"all": [{"tags": {"env": "prod"}}, {"not": {"ids": ids(vm("prod-web-x", "rg-mixed"))}}]},
    ),
    "everybody": (tier(3, "prod", "web"), [], {"subscriptions": ["prod"]}),
    "nothing in common": (
        [vm("alpha"), vm("omega")],
        [vm("beta"), vm("gamma"), vm("delta", subscription="dev")],
        {"ids": ids(vm("alpha"), vm("omega"))},
    ),
    "a name that is there twice": (
        [vm("jump", "rg-one")],
        [vm("jump", "rg-two"), *(vm(name, "rg-one") for name in ("alpha", "beta", "gamma", "delta", "omega"))],
        {"ids": ids(vm("jump", "rg-one"))},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_selector_is_the_one_a_person_would_write(case: str) -> None:
    wanted, others, selector = CASES[case]
    machines = [*others, *wanted]
    assert selector_of(machines, wanted) == selector
    assert chosen(machines, selector) == {one.arm_id.key for one in wanted}


def test_tags_that_services_write_explain_nothing() -> None:
    wanted = [vm(f"a{n}", tags={"hidden-link": "x"}) for n in range(3)]
    others = [vm(f"b{n}") for n in range(3)]
    assert "tags" not in selector_of([*wanted, *others], wanted)


@pytest.mark.parametrize("value", ["*", "web?", "", " web", "we\nb", "we\u200bb", "we\x1b[31mb"])
def test_what_would_mean_something_else_is_in_no_selector(value: str) -> None:
    assert not sayable(value)
    wanted = [vm(f"a{n}", tags={"tier": value}) for n in range(3)]
    others = [vm(f"b{n}", tags={"tier": "db"}) for n in range(3)]
    machines = [*wanted, *others]
    selector = selector_of(machines, wanted)
    assert "tags" not in selector
    assert chosen(machines, selector) == {one.arm_id.key for one in wanted}


WORDS = st.sampled_from(["web", "db", "Web", "rg-web-1", "rg-web-2", "rg-db", "x*", "a b", "yes", "1.10"])
MACHINES = st.lists(
    st.builds(
        lambda name, group, subscription, location, system, tags, shout: vm(
            name,
            group,
            subscription,
            location=location,
            os=system,
            tags={key.upper() if shout else key: value for key, value in tags.items()},
        ),
        st.sampled_from([f"vm-{n}" for n in range(8)] + ["jump", "Jump-2", "web-1", "web-2", "web-3"]),
        st.sampled_from(["rg-web-1", "rg-web-2", "rg-web-3", "RG-Web-4", "rg-db", "other"]),
        st.sampled_from(["prod", "dev"]),
        st.sampled_from(["westeurope", "northeurope"]),
        st.sampled_from(["Windows", "Linux", "Unknown"]),
        st.dictionaries(st.sampled_from(["env", "tier", "owner"]), WORDS, max_size=3),
        st.booleans(),
    ),
    min_size=1,
    max_size=24,
    unique_by=lambda one: one.arm_id.key,
)


@given(machines=MACHINES, data=st.data())
def test_protections_name_exactly_who_has_what(machines: list[Machine], data: st.DataObject) -> None:
    """Every VM gets what it has, from one Protection; those that have nothing get nothing; in any order of reading."""
    policies = data.draw(
        st.lists(st.sampled_from(["", "daily", "weekly"]), min_size=len(machines), max_size=len(machines))
    )
    has = {one.arm_id: policy for one, policy in zip(machines, policies, strict=True) if policy}
    held = [Held(machine, "backup", Backup(policy=policy)) for machine, policy in has.items()]
    census = Census(machines)
    drafted = draft_protections(held, census, Selectors(census))
    got: dict[str, str] = {}
    for one in drafted:
        for key in chosen(machines, dict(one.body["select"])):
            assert key not in got, "two Protections for one VM"
            got[key] = one.body["backup"]["policy"]
    assert got == {arm_id.key: policy for arm_id, policy in has.items()}
    turned = draft_protections(held[::-1], census, Selectors(census))
    assert turned == drafted


@given(
    values=st.sets(st.from_regex(r"[a-c]{1,2}(-[a-c]{1,2}){0,2}[0-9]{0,2}", fullmatch=True), max_size=20),
    data=st.data(),
)
def test_a_wildcard_stands_for_names_of_the_list_only(values: set[str], data: st.DataObject) -> None:
    wanted = data.draw(st.sets(st.sampled_from(sorted(values)))) if values else set()
    short = shorten(wanted, count_stems(values))
    assert len(short) <= len(wanted)
    exact = {text for text in short if not text.endswith("*")}
    stems = tuple(text[:-1] for text in short if text.endswith("*"))
    assert {value for value in values if value in exact or (stems and value.startswith(stems))} == wanted


@pytest.mark.parametrize(
    ("text", "name"), [("prod/../../x", "prod-x"), ("Ä B", "b"), ("..", ""), ("a" * 80, "a" * 60), ("web_01", "web-01")]
)
def test_a_name_of_a_file_is_harmless(text: str, name: str) -> None:
    assert slug(text) == name
