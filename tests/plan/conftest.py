"""Random plans: every field of every struct, with values that JSON can hold."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st

from reconciler.model.source import Source
from reconciler.plan.change import Action, Change, Consequence, Effect, FieldChange, Phase, Reason, Step
from reconciler.plan.finding import Finding, Severity
from reconciler.plan.plan import Plan, Refusal

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=4,
)
OBJECT = st.dictionaries(TEXT, JSON, max_size=2)
SOURCE = st.none() | st.builds(Source, TEXT, st.integers(0, 99), st.integers(0, 99))


def tuples(of: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(of, max_size=2).map(tuple)


STEP = st.builds(
    Step,
    id=TEXT,
    kind=TEXT,
    address=TEXT,
    verb=TEXT,
    title=TEXT,
    arguments=OBJECT,
    phase=st.sampled_from(Phase),
    lane=TEXT,
    exclusive=st.booleans(),
    after=tuples(TEXT),
    needs_approval=TEXT,
)
CONSEQUENCE = st.builds(
    Consequence,
    effect=st.sampled_from(Effect),
    text=TEXT,
    figures=st.dictionaries(TEXT, st.integers(0, 9), max_size=2),
)
CHANGE = st.builds(
    Change,
    address=TEXT,
    kind=TEXT,
    action=st.sampled_from(Action),
    reason=st.sampled_from(Reason),
    why=TEXT,
    before=st.none() | OBJECT,
    after=st.none() | OBJECT,
    fields=tuples(st.builds(FieldChange, path=TEXT, before=JSON, after=JSON)),
    consequences=tuples(CONSEQUENCE),
    steps=tuples(STEP),
    source=SOURCE,
    lane=TEXT,
    manual=TEXT,
    title=TEXT,
    protects=st.booleans(),
    basis=st.dictionaries(TEXT, TEXT, max_size=2),
)
PLANS = st.builds(
    Plan,
    created=TEXT,
    changes=tuples(CHANGE),
    deferred=tuples(CHANGE),
    findings=tuples(
        st.builds(Finding, code=TEXT, message=TEXT, severity=st.sampled_from(Severity), source=SOURCE, address=TEXT)
    ),
    refusals=tuples(
        st.builds(Refusal, code=TEXT, title=TEXT, message=TEXT, count=st.integers(0, 9), addresses=tuples(TEXT))
    ),
    allowed=tuples(TEXT),
    unchanged=st.integers(0, 9),
    basis=TEXT,
    complete=st.booleans(),
    policies=TEXT,
    targets=tuples(TEXT),
    excludes=tuples(TEXT),
    unknown=tuples(TEXT),
    machines=st.integers(0, 9),
)


@pytest.fixture
def plan() -> Plan:
    """One small plan with something in it."""
    step = Step(id="a.b/c#put", kind="a", address="a.b/c", verb="put", title="put")
    change = Change(
        address="a.b/c",
        kind="a",
        action=Action.CREATE,
        reason=Reason.NOT_IN_AZURE,
        after={"size": 1},
        steps=(step,),
        basis={"a.b/c": "absent"},
    )
    refusal = Refusal(code="G102", title="too many", message="2 of 3", count=2, addresses=("a.b/c",))
    return Plan(created="2026-03-02T03:00:00Z", changes=(change,), refusals=(refusal,), basis="f")


@pytest.fixture(scope="session")
def plans() -> st.SearchStrategy[Plan]:
    return PLANS
