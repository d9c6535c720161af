"""What is alike is one group, although no two VMs were backed up at the same second."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reconciler.model.duration import format_age
from reconciler.plan.change import Action, Change, Consequence, Effect, Reason
from reconciler.plan.plan import Plan
from reconciler.render.folding import Group, fold, summed


def released(name: str, seconds: int) -> Change:
    age = format_age(timedelta(seconds=seconds))
    text = (
        f"no more backups (the newest recovery point is {age} old); every recovery point is kept for ever, and billed"
    )
    figures = {"newest_recovery_point_seconds": seconds}
    return Change(
        address=f"protected_vm.prod/rg-web/{name}",
        kind="protected_vm",
        title="protected VM",
        protects=True,
        action=Action.RELEASE,
        reason=Reason.NOT_DECLARED,
        consequences=(Consequence(effect=Effect.STOPS, text=text, figures=figures),),
    )


def policy(vault: str, name: str) -> Change:
    return Change(
        address=f"backup_policy.prod/rg-backup/{vault}/{name}",
        kind="backup_policy",
        title="backup policy",
        action=Action.CREATE,
        reason=Reason.NOT_IN_AZURE,
    )


def groups(*changes: Change) -> tuple[Group, ...]:
    return fold(changes, Plan(created="", changes=changes), lambda change: change.action.value)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        ((3600, 7260, 86_400), "the newest recovery point of each is 1 h to 1 d old"),
        ((7260, 7260), "the newest recovery point is 2 h 1 min old"),
        ((7260,), "the newest recovery point is 2 h 1 min old"),
    ],
)
def test_ages_of_one_group_are_told_from_the_youngest_to_the_oldest(seconds: tuple[int, ...], told: str) -> None:
    [group] = groups(*(released(f"web-{number:02}", age) for number, age in enumerate(seconds)))
    assert summed(group, group.first.consequences[0]) == (
        f"no more backups ({told}); every recovery point is kept for ever, and billed"
    )


@pytest.mark.parametrize(
    ("changes", "subject"),
    [
        ((policy("rsv-weu", "daily"), policy("rsv-neu", "daily")), "2 backup policies daily"),
        ((policy("rsv-weu", "daily"), policy("rsv-weu", "short")), "2 backup policies"),
        ((policy("rsv-weu", "daily"),), "backup_policy.prod/rg-backup/rsv-weu/daily"),
        ((released("web-01", 60), released("web-02", 61)), "2 VMs"),
    ],
)
def test_resources_that_are_called_alike_are_called_by_that_name(changes: tuple[Change, ...], subject: str) -> None:
    [group] = groups(*changes)
    assert group.subject == subject
