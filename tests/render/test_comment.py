"""The comment of a pull request: it fits, it is whole, what is lost stands first, and no name in it acts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from html.parser import HTMLParser

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from reconciler.plan.change import Action, Change, Consequence, Detail, Effect, Reason, Step
from reconciler.plan.finding import Finding, Severity
from reconciler.plan.plan import Plan, Refusal
from reconciler.plan.provenance import Base, Origin, Provenance
from reconciler.render import escape, markdown
from reconciler.render.comment import Block, fit, length

Render = Callable[[Plan], str]
BOTH_REPORTS = pytest.mark.parametrize("render", [markdown.render_plan, markdown.render_drift])
TAGS = {
    *("h2", "h3", "p", "ul", "li", "strong", "code", "pre", "details", "summary", "sub", "hr"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
"""All that we write ourselves: no link, no picture, no script."""
ACTING = re.compile(
    r"@\S|#\w|!\d|~\S|\$\S|%\w|\^\d|&\w|://|www\.|GH-\d|:[a-z+][\w+-]*:|:100:|:\d+\]|\b[0-9a-f]{7,40}\b",
)
"""What a forge would act upon inside of one text node."""


OWN = re.compile(r"· plan [0-9a-f]{12}\b")
"""The digest of the plan, which we write ourselves."""


class Page(HTMLParser):
    """What a CommonMark reader makes of a comment: its elements, and its text nodes outside of code."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.texts: list[str] = []
        self.code: list[str] = []
        self.attributes: set[tuple[str, str]] = set()
        self.comments: list[str] = []
        self.feed(MarkdownIt("commonmark", {"html": True}).enable("table").render(source))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes |= {(name, value or "") for name, value in attrs}
        if tag != "hr":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        (self.code if {"code", "pre"} & set(self.open) else self.texts).append(data)

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


def check_whole(comment: str, name: str) -> Page:
    """The laws of every comment: bound, marker, and everything that is opened is closed."""
    assert length(comment) <= markdown.MOST_CHARACTERS
    first, verdict, *_ = comment.split("\n")
    assert first == f"<!-- reconciler:{name} -->"
    assert verdict.startswith("## ")
    page = Page(comment)
    assert page.open == []
    assert set(page.tags) <= TAGS
    assert page.attributes <= {("class", "language-diff"), ("class", "language-console"), ("style", "text-align:right"),
                               ("style", "text-align:left")}  # fmt: skip
    assert set(page.comments) <= {f" reconciler:{name} ", " "}
    fences = re.findall(r"^`{3,}", comment, re.MULTILINE)
    assert len(fences) % 2 == 0
    assert page.tags["pre"] == len(fences) // 2
    return page


@BOTH_REPORTS
def test_no_trick_acts(tricky: Plan, render: Render) -> None:
    comment = render(tricky)
    page = check_whole(comment, render.__name__.removeprefix("render_"))
    for text in page.texts:
        assert not ACTING.search(OWN.sub("", text)), text
    assert not [line for line in comment.split("\n") if line.startswith(("/", " /"))], "a quick action of GitLab"
    assert all(line.isprintable() for line in comment.split("\n"))


@pytest.mark.parametrize(
    ("comment", "first"),
    [
        ("", "<!-- reconciler:plan -->"),
        ("prod", "<!-- reconciler:plan:prod -->"),
        ("team/web_1.eu", "<!-- reconciler:plan:team/web_1.eu -->"),
        ("x --> <script>", "<!-- reconciler:plan:x-script -->"),
        ("a--b\n@octocat", "<!-- reconciler:plan:a-b-octocat -->"),
        ("--!>", "<!-- reconciler:plan -->"),
        ("n" * 900, f"<!-- reconciler:plan:{'n' * 100} -->"),
    ],
)
def test_the_marker_cannot_be_broken_out_of(comment: str, first: str) -> None:
    shown = markdown.render_plan(Plan(created=""), comment)
    assert shown.split("\n")[0] == first


def moved(number: int, policy: str, effect: Effect | None = None) -> Change:
    """One VM that gets another policy; those of one policy are alike."""
    address = f"protected_vm.prod/rg-{number % 25:02}/vm-{number:05}-with-a-name-of-some-length"
    consequences = (Consequence(effect=effect, text=f"{policy} keeps less"),) if effect else ()
    return Change(
        address=address,
        kind="protected_vm",
        title="protected VM",
        protects=True,
        action=Action.UPDATE,
        reason=Reason.DIFFERS,
        before={"policy": "old"},
        after={"policy": policy},
        details=(Detail(name="policy", before="daily-30d", after=policy),),
        consequences=consequences,
        steps=(Step(id=f"{address}#put", kind="protected_vm", address=address, verb="put", title="put"),),
    )


@pytest.fixture
def fleet() -> Plan:
    """5,000 VMs and 40 different changes, of which 8 lose something: the last ones, so that order alone does not save
    them."""
    changes = tuple(
        moved(number, f"policy-{number % 40:02}", Effect.PRUNES if number % 40 >= 32 else None)
        for number in range(5000)
    )
    origins = {
        change.address: Provenance(origin=(Origin.MINE, Origin.DRIFT, Origin.PENDING, Origin.BOTH)[number % 4])
        for number, change in enumerate(changes)
    }
    return Plan(created="2026-03-02T03:00:00Z", changes=changes, base=Base(ref="origin/main"), origins=origins)


def test_five_thousand_vms_are_forty_lines_to_open(fleet: Plan) -> None:
    comment = markdown.render_plan(fleet)
    check_whole(comment, "plan")
    for number in range(40):
        assert f"policy daily-30d → policy-{number:02} on 125 VMs" in comment
    above, _, below = comment.partition("### Yours")
    for number in range(32, 40):
        assert f"**policy-{number:02} keeps less**" in above
    assert "shortened to fit a comment: the HTML report of this run" in below
    assert "left out" not in below
    _, *parts = re.split(r"policy daily-30d → policy-(\d+) on 125 VMs", below)
    listed = {int(number): body.count("-with-a-name") for number, body in zip(parts[::2], parts[1::2], strict=True)}
    assert len(listed) == 40
    lost, others = [listed[number] for number in range(32, 40)], [listed[number] for number in range(32)]
    assert min(lost) >= max(others), "the lists of what is lost are kept the longest"
    assert max(lost) == 125
    assert len(comment) > 0.9 * markdown.MOST_CHARACTERS, "there is room for more"


def test_a_plan_of_all_different_changes_says_what_is_lost_as_long_as_it_can(fleet: Plan) -> None:
    quiet = tuple(moved(number, f"policy-{number:05}") for number in range(3000))
    loud = tuple(moved(number, f"policy-{number:05}", Effect.DELETES) for number in range(3000, 3040))
    for base in (None, fleet.base):
        origins = {
            change.address: Provenance(origin=tuple(Origin)[number % 4])
            for number, change in enumerate((*quiet, *loud))
        }
        plan = Plan(created="", changes=(*quiet, *loud), base=base, origins=origins if base else {})
        comment = markdown.render_plan(plan)
        check_whole(comment, "plan")
        for change in loud:
            assert escape.markdown(f"{change.address} will be updated: policy daily-30d → ") in comment
        assert re.search(r"… and [\d,]+ more parts left out: the HTML report", comment)


NAMES = st.one_of(st.text(max_size=40), st.text(max_size=40).map(lambda text: (text + "@#`|<x>\n") * 9))
EFFECTS = st.lists(st.builds(Consequence, effect=st.sampled_from(Effect), text=NAMES), max_size=3).map(tuple)
CHANGES = st.lists(
    st.builds(
        Change,
        address=NAMES.map(lambda name: f"vm.{name}"),
        kind=NAMES,
        action=st.sampled_from(Action),
        reason=st.sampled_from(Reason),
        why=NAMES,
        manual=NAMES,
        details=st.lists(st.builds(Detail, name=NAMES, before=NAMES, after=NAMES), max_size=2).map(tuple),
        consequences=EFFECTS,
        steps=st.sampled_from([(), (Step(id="a#b", kind="a", address="a", verb="b", title="c"),)]),
    ),
    max_size=12,
)
FINDINGS = st.lists(
    st.builds(Finding, code=NAMES, message=NAMES, severity=st.sampled_from(Severity), advice=NAMES, address=NAMES),
    max_size=8,
).map(tuple)
REFUSALS = st.lists(
    st.builds(Refusal, code=NAMES, title=NAMES, message=NAMES, count=st.just(1), advice=NAMES), max_size=4
).map(tuple)


@given(
    changes=CHANGES, findings=FINDINGS, refusals=REFUSALS, name=NAMES, many=st.sampled_from([1, 2, 15]), data=st.data()
)
@settings(deadline=None, max_examples=30)
def test_every_comment_fits_and_is_whole(
    changes: list[Change],
    findings: tuple[Finding, ...],
    refusals: tuple[Refusal, ...],
    name: str,
    many: int,
    data: st.DataObject,
) -> None:
    spread = tuple(
        msgspec.structs.replace(change, address=f"{change.address}/{number}", why=f"{change.why}{number}")
        for number in range(many)
        for change in changes
    )
    origins = {change.address: Provenance(origin=data.draw(st.sampled_from(Origin))) for change in spread[:40]}
    plan = Plan(
        created=name,
        changes=spread,
        deferred=spread[:3],
        findings=findings * many,
        refusals=refusals,
        base=Base(ref=name, commit=name, applied=name) if data.draw(st.booleans()) else None,
        origins=origins,
    )
    check_whole(markdown.render_plan(plan), "plan")
    check_whole(markdown.render_drift(plan), "drift")


@given(
    st.lists(
        st.builds(
            lambda rank, sizes: Block(0, rank, tuple("x" * size for size in sorted(sizes, reverse=True))),
            st.integers(0, 5),
            st.lists(st.integers(1, 40), min_size=1, max_size=3),
        )
    ),
    st.integers(0, 300),
)
def test_nothing_is_left_out_before_something_of_less_alarm(blocks: list[Block], room: int) -> None:
    chosen = fit(blocks, room)
    assert sum(len(form) + 1 for form in chosen if form) <= room
    left_out = [block.rank for block, form in zip(blocks, chosen, strict=True) if not form]
    kept = [block.rank for block, form in zip(blocks, chosen, strict=True) if form]
    if left_out and kept:
        assert max(kept) <= min(left_out)
        assert all(form in ("", block.forms[-1]) for block, form in zip(blocks, chosen, strict=True))
