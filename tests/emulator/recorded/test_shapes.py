"""The descriptions themselves: whole, and honest about what is not as on Azure."""

from __future__ import annotations

import yaml

from reconciler.emulator import providers
from reconciler.emulator.providers import sign_in
from tests.emulator.recorded.shape import PLACES, SHAPES, marked
from tests.emulator.recorded.witness import book

DIFFERENCES = yaml.safe_load((SHAPES / "differences.yaml").read_text(encoding="utf-8"))


def test_every_name_that_is_referred_to_is_described() -> None:
    described = book()

    def names(shape: object) -> set[str]:
        if isinstance(shape, dict):
            return set().union(*map(names, shape.values())) if shape else set()
        if isinstance(shape, list):
            return set()
        return {text.strip()[1:] for text in str(shape).split("|") if text.strip().startswith("$")}

    used = set().union(*(names(shape) for shape in described.definitions.values()))
    used |= {name for entry in described.operations for answer in entry.answers.values() for name in names(answer.body)}
    assert used == described.definitions.keys() - {"error"} | (used & {"error"})


def test_every_route_is_described() -> None:
    """A provider that joins describes what it answers. Sign-in is no part of ARM."""
    described, missing = book(), []
    for module in providers.PROVIDERS:
        for route in () if module is sign_in else module.ROUTES:
            path = "/".join("*" if part.startswith("{") else part for part in route.template.split("/"))
            if described.find(route.method, path) is None:
                missing.append(f"{route.method} {route.template}")
    assert not missing


def test_everything_that_is_described_is_served() -> None:
    router = providers.router()
    assert not [e.request for e in book().operations if router.match(e.method, e.path.replace("*", "x")) is None]


def test_a_description_says_where_it_comes_from() -> None:
    for entry in book().operations:
        assert entry.evidence in ("recorded", "documented", "inferred"), entry.request
        assert entry.fidelity in ("faithful", "approximate"), entry.request
        assert entry.fidelity == "faithful" or entry.note or entry.evidence == "documented", entry.request


def test_every_difference_in_a_key_has_its_reason() -> None:
    assert sorted(marked(book())) == sorted(DIFFERENCES["fields"])


def test_a_missing_answer_is_neither_described_nor_served() -> None:
    for entry in DIFFERENCES["absent"]:
        method, _, template = entry["request"].partition(" ")
        path = template.format(**PLACES)
        assert providers.router().match(method, path.replace("*", "x")) is None, entry["request"]
        assert book().find(method, path) is None, entry["request"]
