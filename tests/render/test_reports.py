"""What people and programs read: golden files, and the promises of each format."""

from __future__ import annotations

import json as standard_json
import re
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.plan.change import Action, Change, Consequence, Effect, Reason, Step
from reconciler.plan.file import decode
from reconciler.plan.finding import Finding, Severity
from reconciler.plan.plan import Plan
from reconciler.render import escape, json, markdown, text

RENDERERS = [text.render_plan, text.render_drift, markdown.render_plan, markdown.render_drift]
BLOCKED = Change(address="a.b/c", kind="a", action=Action.BLOCKED, reason=Reason.DIFFERS)
COLOURS = re.compile(r"\x1b\[[0-9;]+m")
Golden = Callable[[str, str], None]


def test_plan_text(everything: Plan, golden: Golden) -> None:
    golden("plan.txt", text.render_plan(everything))


def test_plan_text_in_colour(everything: Plan, golden: Golden) -> None:
    coloured = text.render_plan(everything, colour=True)
    golden("plan.ansi.txt", coloured)
    assert COLOURS.sub("", coloured) == text.render_plan(everything)


def test_plan_markdown(everything: Plan, golden: Golden) -> None:
    golden("plan.md", markdown.render_plan(everything))


def test_plan_json(everything: Plan, golden: Golden) -> None:
    golden("plan.json", json.render_plan(everything))
    assert decode(json.render_plan(everything).encode()) == everything


def test_drift(everything: Plan, golden: Golden) -> None:
    golden("drift.txt", text.render_drift(everything))
    golden("drift.md", markdown.render_drift(everything))
    golden("drift.json", json.render_drift(everything))


def test_drift_that_can_be_healed(drifted: Plan, golden: Golden) -> None:
    golden("healable.txt", text.render_drift(drifted))
    golden("healable.md", markdown.render_drift(drifted))


def test_what_is_due(scheduled: Plan, golden: Golden) -> None:
    golden("due-plan.txt", text.render_plan(scheduled))
    golden("due-drift.txt", text.render_drift(scheduled))
    golden("due-drift.md", markdown.render_drift(scheduled))


def test_hundreds_of_snapshots_are_a_few_lines(scheduled: Plan) -> None:
    shown = text.render_plan(scheduled)
    assert (
        "+ 48 snapshots will be created for slot 2026-03-02T06:00Z of schedule six-hourly: incremental, Standard_ZRS\n"
        in shown
    )
    assert "- 48 snapshots will be deleted: retention of schedule six-hourly is over\n" in shown
    assert "; 6,144 GiB at most in all\n" in shown
    assert shown.endswith("Apply would make 97 changes in 97 steps.")


def test_disks_of_all_sizes_are_told_together(scheduled: Plan) -> None:
    def first(change: Change, size: int) -> Change:
        text = f"the first of this disk: a full copy, up to {size:,} GiB (Azure bills what is used)"
        seeds = Consequence(effect=Effect.SEEDS, text=text, figures={"gib_at_most": size})
        return msgspec.structs.replace(change, reason=Reason.NOT_IN_AZURE, consequences=(seeds,))

    sizes = (4, 128, 1024, 2048)
    new = tuple(first(change, size) for change, size in zip(scheduled.changes, sizes, strict=False))
    shown = text.render_plan(msgspec.structs.replace(scheduled, changes=new))
    assert "+ 4 snapshots will be created" in shown
    assert "· the first of this disk: a full copy, up to 3,204 GiB in all (Azure bills what is used)\n" in shown
    alone = text.render_plan(msgspec.structs.replace(scheduled, changes=new[2:3]))
    assert "a full copy, up to 1,024 GiB (Azure bills what is used)\n" in alone


def test_what_is_due_is_no_drift(scheduled: Plan, drifted: Plan) -> None:
    alone = text.render_drift(scheduled)
    assert alone.endswith(
        "No drift. Azure matches the policies (1,200 resources, 48 VMs). Due by the clock: 97 changes."
    )
    assert "Drifted" not in alone
    assert "Heal" not in alone
    both = text.render_drift(msgspec.structs.replace(drifted, changes=(*scheduled.changes, *drifted.changes)))
    assert "Drift: 2 drifted, 97 due, 7 objectives missed; 17 in step." in both
    assert both.endswith("Azure differs from the policies in 2 resources.")
    assert "--target 'protected_vm.prod/rg-web/vm-web-77'" in both
    assert both.index("Due: the next apply does this") > both.index("Drifted: protected less than declared")


def test_what_expires_as_promised_is_no_alarm(scheduled: Plan) -> None:
    plain = msgspec.structs.replace(scheduled, changes=scheduled.changes[:-1])
    assert "Read these first" in text.render_plan(scheduled)
    assert "Read these first" not in text.render_plan(plain)
    assert "\x1b[1;31m" not in text.render_plan(plain, colour=True)


def test_verbose_leaves_nothing_out(everything: Plan, drifted: Plan, scheduled: Plan) -> None:
    for plan in (everything, drifted, scheduled):
        shown = text.render_plan(plan, verbose=True) + text.render_drift(plan, verbose=True)
        assert "verbose" not in shown
        assert "more" not in shown.replace("promises more", "")
        for item in (*plan.findings, *plan.changes):
            assert item.address in shown
        assert all(finding.message in shown for finding in plan.findings)


def test_commands_to_copy_are_never_wrapped(drifted: Plan) -> None:
    shown = text.render_drift(drifted, width=40)
    assert "\nHeal only one:   reconciler apply --target 'protected_vm.prod/rg-web/vm-web-77'\n" in shown
    assert "--subscription 00000000-0000-0000-0000-000000000001 --resource-group rg-backup\n" in shown.lower()


def test_hostile_names(hostile: Plan, golden: Golden) -> None:
    golden("hostile.txt", text.render_plan(hostile))
    golden("hostile.md", markdown.render_plan(hostile))
    golden("hostile.json", json.render_plan(hostile))


@pytest.mark.parametrize("renderer", RENDERERS)
def test_no_name_reaches_the_terminal_as_it_is(hostile: Plan, renderer: Callable[[Plan], str]) -> None:
    assert all(line.isprintable() for line in renderer(hostile).split("\n"))


@pytest.mark.parametrize("renderer", [*RENDERERS, json.render_plan, json.render_drift])
def test_no_name_commands_a_pipeline_by_its_log(tricky: Plan, renderer: Callable[[Plan], str]) -> None:
    for line in renderer(tricky).split("\n"):
        assert not re.search(r"##(vso)?\[", line, re.IGNORECASE)
        assert not line.lstrip().startswith("::")


def test_colours_are_the_only_escapes(hostile: Plan) -> None:
    assert COLOURS.sub("", text.render_plan(hostile, colour=True)) == text.render_plan(hostile)


def test_json_says_the_same_where_a_pipeline_would_obey(tricky: Plan) -> None:
    assert decode(json.render_plan(tricky).encode()) == tricky


def test_json_is_safe_to_print_and_still_says_the_same(hostile: Plan) -> None:
    shown = json.render_plan(hostile)
    assert all(line.isprintable() for line in shown.split("\n"))
    assert standard_json.loads(shown)["resource_changes"][0]["address"] == hostile.changes[0].address
    assert decode(shown.encode()) == hostile


def outside_fences(report: str) -> str:
    """The report without its fenced blocks, found as CommonMark finds them."""
    kept, ticks = [], ""
    for line in report.split("\n"):
        run = re.match("`{3,}", line)
        if not ticks and run:
            ticks = run.group()
        elif ticks and re.fullmatch(f"`{{{len(ticks)},}} *", line):
            ticks = ""
        elif not ticks:
            kept.append(line)
    assert not ticks
    return "\n".join(kept)


@pytest.mark.parametrize("renderer", [markdown.render_plan, markdown.render_drift])
def test_a_name_outside_a_fence_is_only_text(hostile: Plan, renderer: Callable[[Plan], str]) -> None:
    shown = outside_fences(renderer(hostile))
    assert "octocat" in shown
    assert not re.search(r"@\w|#\d|://|<script", shown)
    assert not re.search(r"(?<!\\)`x|(?<!\\)\]\(", re.sub(r"<summary>.*</summary>", "", shown))
    assert all(re.search(r"^<details>.*</summary>$", line) for line in shown.split("\n") if "<details>" in line)


@pytest.mark.parametrize("renderer", [markdown.render_plan, markdown.render_drift])
def test_a_comment_fits_whatever_the_estate(everything: Plan, renderer: Callable[[Plan], str]) -> None:
    many = tuple(
        Change(address=f"a.b/{number}", kind="a", action=Action.UPDATE, reason=Reason.DIFFERS, why=f"{number}")
        for number in range(9000)
    )
    shown = renderer(msgspec.structs.replace(everything, deferred=many))
    assert len(shown) <= markdown.MOST_CHARACTERS
    assert re.search(r"… and [\d,]+ more parts left out: the HTML report of this run, .* show everything", shown)
    assert shown.count("<details>") == shown.count("</details>")
    outside_fences(shown)


@pytest.mark.parametrize(
    ("plan", "sentence"),
    [
        (Plan(created="", unchanged=17, machines=40), "No changes. Azure matches the policies (17 resources, 40 VMs)."),
        (Plan(created="", unchanged=1, machines=1), "No changes. Azure matches the policies (1 resource, 1 VM)."),
        (Plan(created="", complete=False), "No changes in what could be read (0 resources, 0 VMs). A part of Azure"),
        (Plan(created="", targets=("a*",)), "No changes in the part that was asked for. Azure matches"),
        (Plan(created="", findings=(Finding(code="x", message="m"),)), "Nothing can be applied: 1 error."),
        (
            Plan(created="", changes=(BLOCKED,)),
            "Plan: 1 blocked; 0 unchanged.\nNothing can be done now: what differs is blocked or put off.",
        ),
    ],
)
def test_the_sentence_that_everybody_reads(plan: Plan, sentence: str) -> None:
    assert sentence in text.render_plan(plan)


@pytest.mark.parametrize(
    ("plan", "sentence"),
    [
        (Plan(created="", unchanged=17, machines=40), "No drift. Azure matches the policies (17 resources, 40 VMs)."),
        (Plan(created="", complete=False), "No drift in what could be read"),
        (Plan(created="", findings=(Finding(code="x", message="m"),)), "Cannot tell: 1 error"),
        (
            Plan(created="", changes=(Change(address="a.b/c", kind="a", action=Action.UPDATE, reason=Reason.DIFFERS),)),
            "Drift: 1 drifted; 0 in step.\nAzure differs from the policies in 1 resource.",
        ),
    ],
)
def test_the_sentence_of_a_drift_report(plan: Plan, sentence: str) -> None:
    shown = text.render_drift(plan)
    assert sentence in shown


def test_findings_without_changes_are_still_told() -> None:
    plan = Plan(
        created="", findings=(Finding(code="uncovered", message="m", severity=Severity.WARNING, address="v.p/x"),)
    )
    shown = text.render_drift(plan)
    assert "· v.p/x: m [uncovered]" in shown
    assert shown.endswith("No drift. Azure matches the policies (0 resources, 0 VMs). Yet to look at: 1 uncovered VM.")


def test_a_report_without_drift_does_not_sound_calm_while_vms_are_failed_over() -> None:
    away = [
        Finding(code="failed-over", message="m", severity=Severity.WARNING, address=f"v.p/{name}", topic="objectives")
        for name in ("x", "y")
    ]
    plan_left = Finding(code="failed-over", message="left as it is", severity=Severity.INFO, address="r.p/shop")
    shown = text.render_drift(Plan(created="", findings=(*away, plan_left)))
    assert shown.endswith("Yet to look at: 2 failed-over VMs, 2 missed objectives.")


def test_lines_are_wrapped_at_the_width_and_hang_below_their_text(everything: Plan) -> None:
    shown = text.render_plan(everything, width=60)
    indented = [line for line in shown.split("\n") if line.startswith(" ")]
    assert max(len(line) for line in indented) == 60
    assert shown.replace("\n", " ").split() == text.render_plan(everything).replace("\n", " ").split()


@given(st.text())
@settings(deadline=None)
def test_escapes_hold_for_any_text(name: str) -> None:
    shown = escape.visible(name)
    assert shown.isprintable()
    prose = escape.markdown(name)
    assert not re.search(r"<(?!!-- -->)", prose)
    assert not re.search(r"(?<!\\)[`|*\[\]]", prose)
    assert not re.search(r"@\w|://|www\.", prose)


def test_points_that_each_policy_of_a_group_prunes_are_told_of_all_of_them() -> None:
    told = "prunes up to 7 recovery points of each of 3 VMs (21 in all) within a day"
    pruned = Consequence(effect=Effect.PRUNES, text=told, figures={"recovery_points_pruned": 21})
    policies = [
        Change(
            address=f"backup_policy.prod/rg/rsv-{place}/daily",
            kind="backup_policy",
            action=Action.UPDATE,
            reason=Reason.DIFFERS,
            consequences=(pruned,),
            steps=(Step(id=place, kind="backup_policy", address=place, verb="write", title="write it"),),
        )
        for place in ("neu", "weu")
    ]
    shown = text.render_plan(Plan(created="2026-03-02T03:00:00Z", changes=tuple(policies)))
    assert f"{told} (all 2 together: 42)" in " ".join(shown.split())
    alone = text.render_plan(Plan(created="2026-03-02T03:00:00Z", changes=(policies[0],)))
    assert "together" not in alone
