"""A plan with a base: whose change it is stands above each, and the last line says what the edit does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
import pytest

from reconciler.plan.change import Action, Change, Consequence, Effect, Reason, Step
from reconciler.plan.finding import Finding
from reconciler.plan.plan import Plan, Refusal
from reconciler.plan.provenance import Base, LastWrites, Origin, Provenance, Write
from reconciler.render import markdown, text

Golden = Callable[[str, str], None]
WHEN = datetime(2026, 3, 1, 22, 10, tzinfo=UTC)
COMMIT = "0123456789abcdef" * 2 + "01234567"


def test_a_plan_with_a_base(based: Plan, golden: Golden) -> None:
    golden("plan-base.txt", text.render_plan(based))
    golden("plan-base.md", markdown.render_plan(based))


def test_drift_against_what_was_applied(based: Plan, golden: Golden) -> None:
    """The policies there are those that were applied: everything is drift, and a report says since when and by whom."""
    drifted = tuple(
        item for item in based.changes if item.address in {x.address for x in based.of_origin(Origin.DRIFT)}
    )
    assert based.base is not None
    plan = msgspec.structs.replace(
        based,
        changes=drifted,
        deferred=(),
        base=msgspec.structs.replace(based.base, ref="", commit=based.base.applied, dirty=False),
        origins={item.address: based.origins[item.address] for item in drifted},
    )
    golden("drift-base.txt", text.render_drift(plan))
    golden("drift-base.md", markdown.render_drift(plan))


def change(name: str, **values: object) -> Change:
    address = f"protected_vm.prod/rg/{name}"
    fields: dict[str, object] = {
        "action": Action.UPDATE,
        "reason": Reason.DIFFERS,
        "title": "protected VM",
        "protects": True,
        "steps": (Step(id=f"{address}#put", kind="protected_vm", address=address, verb="put", title="put"),),
        **values,
    }
    return Change(address=address, kind="protected_vm", **fields)  # type: ignore[arg-type]


def told(*pairs: tuple[Change, Origin], **values: object) -> Plan:
    base = Base(ref="origin/main", commit=COMMIT, applied=COMMIT)
    fields: dict[str, object] = {"base": base, "unchanged": 3, **values}
    changes = tuple(item for item, _ in pairs)
    origins = {item.address: Provenance(origin=origin) for item, origin in pairs}
    return Plan(created="", changes=changes, origins=origins, **fields)  # type: ignore[arg-type]


def loses(effect: Effect, **figures: int) -> tuple[Consequence, ...]:
    return (Consequence(effect=effect, text=f"{effect.value} something", figures=figures),)


@pytest.mark.parametrize(
    ("plan", "verdict"),
    [
        (told((change("a"), Origin.MINE)), "Your change updates 1 VM."),
        (
            told((change("a"), Origin.MINE), (change("b"), Origin.DRIFT), (change("c"), Origin.PENDING)),
            "Your change updates 1 VM; 1 more change is drift, 1 is pending.",
        ),
        (
            told((change("a"), Origin.DRIFT), (change("b"), Origin.DRIFT)),
            "Your change alters nothing in Azure; 2 changes are drift.",
        ),
        (
            told((change("a", consequences=loses(Effect.PRUNES, recovery_points_pruned=1400)), Origin.MINE),
                 (change("b", consequences=loses(Effect.PRUNES, recovery_points_pruned=1568)), Origin.BOTH)),
            "Your change updates 2 VMs and prunes up to 2,968 recovery points.",
        ),
        (
            told((change("a", consequences=loses(Effect.PRUNES, recovery_points_pruned=14)), Origin.DRIFT)),
            "Your change alters nothing in Azure; 1 change is drift.",
        ),
        (
            told((change("a", action=Action.DELETE, consequences=loses(Effect.DELETES)), Origin.MINE)),
            "Your change ends the protection of 1 VM and deletes the recovery points of 1 VM.",
        ),
        (
            told((change("a", consequences=loses(Effect.STOPS)), Origin.MINE),
                 (change("b", consequences=loses(Effect.WEAKENS)), Origin.MINE)),
            "Your change updates 2 VMs, weakens what 1 VM can be recovered to and stops the backups of 1 VM.",
        ),
        (
            told((change("a", action=Action.BLOCKED, steps=()), Origin.MINE)),
            "Your change cannot be carried out now: 1 change is blocked.",
        ),
        (
            told((change("a"), Origin.MINE), deferred=(change("late"),)),
            "Your change updates 1 VM; 1 more change is of another kind.",
        ),
        (
            told((change("a"), Origin.MINE), refusals=(Refusal(code="G103", title="t", message="m", count=1),)),
            "Refused by G103: apply does not start. Your change updates 1 VM.",
        ),
        (told((change("a"), Origin.MINE), findings=(Finding(code="x", message="m"),)),
         "Nothing can be applied: 1 error."),
        (told((change("a"), Origin.MINE), complete=False, allowed=("G104=1",)),
         ("Your change updates 1 VM. Guards lifted: G104=1. A part of Azure could not be read: what lies behind it is "
          "unknown.")),
    ],
)  # fmt: skip
def test_the_verdict_is_one_line_to_act_on(plan: Plan, verdict: str) -> None:
    assert text.render_plan(plan).endswith(f"\n{verdict}")


def test_what_is_due_is_nobodys() -> None:
    plan = told((change("a"), Origin.MINE), unchanged=9)
    plan = msgspec.structs.replace(plan, changes=(*plan.changes, change("x", reason=Reason.DUE)))
    shown = text.render_plan(plan)
    assert "\nDue by the clock\n" in shown
    assert shown.endswith("Your change updates 1 VM; 1 more change is due by the clock.")
    assert "Plan: yours 1 (1 to update), due 1 (1 to update); 9 unchanged." in shown


@pytest.mark.parametrize(
    ("base", "title"),
    [
        (Base(ref="origin/main", commit=COMMIT), "Yours: this branch against origin/main (0123456)"),
        (Base(applied=COMMIT), "Yours: these policies against what was last applied (0123456)"),
        (
            Base(ref="v1.0", commit=COMMIT, dirty=True, head=COMMIT),
            "Compared this branch (0123456 with uncommitted edits)",
        ),
        (Base(ref="v1.0", commit=COMMIT), "; nothing tells what was last applied."),
        (Base(ref="v1.0", commit=COMMIT), "Drift, or never applied: not as v1.0 (0123456) has it"),
        (Base(ref="v1.0", commit=COMMIT), "1 more change is drifted or never applied."),
        (Base(ref="v1.0", commit=COMMIT, applied=COMMIT), "Drift: changed in Azure since 0123456 was applied"),
        (Base(ref="v1.0", commit=COMMIT, applied=COMMIT, applied_dirty=True), "last applied was 0123456 with changes."),
    ],
)
def test_the_commits_are_named(base: Base, title: str) -> None:
    plan = told((change("a"), Origin.MINE), (change("b"), Origin.DRIFT), base=base)
    assert title in text.render_plan(plan)
    assert title in markdown.render_plan(plan)


def test_without_anything_to_tell_apart_a_plan_is_as_ever(everything: Plan) -> None:
    plan = msgspec.structs.replace(everything, base=Base(ref="origin/main", commit=COMMIT))
    header, _, rest = text.render_plan(plan).partition("\n\n")
    assert header.startswith("Compared these policies with origin/main (0123456)")
    assert rest == text.render_plan(everything)


def test_who_wrote_to_many_is_counted() -> None:
    def write(caller: str) -> LastWrites:
        return LastWrites(writes=(Write(at=WHEN, caller=caller, operation="o", status="Failed"),))

    changes = [change(f"vm-{number}") for number in range(4)]
    plan = msgspec.structs.replace(
        told(*((item, Origin.DRIFT) for item in changes)),
        last_writes={
            changes[0].address: write("alice"),
            changes[1].address: write("alice"),
            changes[2].address: write("bob"),
            changes[3].address: LastWrites(missing="no right to read the log"),
        },
    )
    shown = text.render_plan(plan)
    assert "last written by alice (2), at 2026-03-01 22:10 UTC or before\n" in shown
    assert "last written by bob (1), at 2026-03-01 22:10 UTC or before\n" in shown
    assert "\n\nWho changed 1 resource is not known: no right to read the log\n\n" in shown
    alone = msgspec.structs.replace(plan, changes=tuple(changes[:1]))
    assert "written 2026-03-01 22:10 UTC by alice: o, Failed\n" in text.render_plan(alone)


@pytest.mark.parametrize(
    ("action", "planned", "drifted"),
    [
        (Action.CREATE, "2 VMs will be protected", "2 VMs are not protected, declared"),
        (Action.UPDATE, "the protection of 2 VMs will be updated", "the protection of 2 VMs has drifted"),
        (Action.UNDELETE, "the protection of 2 VMs will be undeleted", "the protection of 2 VMs is soft-deleted"),
        (Action.RELEASE, "the protection of 2 VMs will be released", "2 VMs are still protected"),
        (Action.DELETE, "the protection of 2 VMs will be deleted", "2 VMs are still protected"),
        (Action.BLOCKED, "the protection of 2 VMs is blocked", "the protection of 2 VMs has drifted and is blocked"),
    ],
)
def test_what_becomes_of_a_protection_is_not_said_of_the_vms(action: Action, planned: str, drifted: str) -> None:
    plan = told(*((change(name, action=action), Origin.DRIFT) for name in ("a", "b")))
    assert f" {planned}" in text.render_plan(plan)
    assert planned in markdown.render_plan(plan)
    assert f" {drifted}" in text.render_drift(plan)
