"""The sentences of a plan and those of a drift report. Same facts, other words: a plan says what will be, a drift
report what is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping
from typing import ClassVar

from reconciler.model.counting import count
from reconciler.plan.change import Action, Change
from reconciler.plan.plan import Plan


class Wording(ABC):
    """Titles of the sections, and the sentences. `guarded`: whether refusals of guards are told."""

    alarming: ClassVar[str]
    changes: ClassVar[str]
    guarded: ClassVar[bool]
    figures: ClassVar[Mapping[str, str]]
    """Name in the tally → word in the line of figures, in order."""
    errors: ClassVar[str] = "Errors"
    errors_note: ClassVar[str] = "nothing is applied while there is one"
    refused: ClassVar[str] = "Refused by a guard"
    refused_note: ClassVar[str] = "nothing is applied until each is lifted by its name"
    blocked: ClassVar[str] = "Blocked"
    deferred: ClassVar[str] = "Put off to a later run"

    @abstractmethod
    def sentence(self, change: Change) -> str:
        """What follows the address: `will be updated: retention.daily differs`."""

    @abstractmethod
    def verdict(self, plan: Plan) -> str:
        """The sentence for those who read only one."""

    @abstractmethod
    def counts(self, plan: Plan, tally: Counter[str]) -> str:
        """The line of figures that ends a report."""

    def put_off(self, change: Change) -> str:
        """What is said of a change that a service limit keeps for later."""
        return _because("is put off to a later run", change)

    def _figures(self, tally: Counter[str]) -> str:
        return ", ".join(f"{tally[name]:,} {word}" for name, word in self.figures.items() if tally[name])


class PlanWording(Wording):
    """What apply would do."""

    alarming = "Read these first: they touch what can be recovered"
    changes = "Changes"
    guarded = True
    figures: ClassVar = {
        "protect": "to protect",
        "create": "to create",
        "update": "to update",
        "undelete": "to undelete",
        "release": "to release",
        "delete": "to delete",
        "deferred": "put off",
        "blocked": "blocked",
    }

    def sentence(self, change: Change) -> str:
        words = {
            Action.CREATE: "will be protected" if change.protects else "will be created",
            Action.UPDATE: "will be updated",
            Action.UNDELETE: "will be undeleted",
            Action.RELEASE: "will be released",
            Action.DELETE: "will be deleted",
            Action.BLOCKED: "is blocked",
        }
        return _because(words.get(change.action, change.action.value), change)

    def verdict(self, plan: Plan) -> str:
        if plan.errors:
            return f"Nothing can be applied: {count(len(plan.errors), 'error')}.{_unread(plan)}"
        if plan.refusals:
            codes = ", ".join(refusal.code for refusal in plan.refusals)
            return f"Refused by {codes}: apply does not start.{_unread(plan)}"
        if plan.empty:
            return _in_step("No changes.", plan)
        if not plan.actionable:
            return f"Nothing can be done now: what differs is blocked or put off.{_unread(plan)}"
        steps = sum(len(change.steps) for change in plan.actionable)
        lifted = f" Guards lifted: {', '.join(plan.allowed)}." if plan.allowed else ""
        does = f"Apply would make {count(len(plan.actionable), 'change')} in {count(steps, 'step')}."
        return f"{does}{lifted}{_unread(plan)}"

    def counts(self, plan: Plan, tally: Counter[str]) -> str:
        return f"Plan: {self._figures(tally)}; {plan.unchanged:,} unchanged."


class DriftWording(Wording):
    """How Azure differs from the policies."""

    alarming = "Drifted, and mending it touches what can be recovered"
    changes = "Drifted"
    guarded = False
    blocked = "Drifted, and cannot be mended from here"
    errors_note = "the comparison is not to be relied on while there is one"
    figures: ClassVar = {
        "protect": "unprotected",
        "create": "missing",
        "update": "drifted",
        "undelete": "soft-deleted",
        "release": "no longer declared",
        "delete": "to delete",
        "deferred": "put off",
        "blocked": "blocked",
        "objectives": "objectives missed",
        "uncovered": "uncovered",
        "unmanaged": "unmanaged",
    }

    def sentence(self, change: Change) -> str:
        words = {
            Action.CREATE: "is not protected" if change.protects else "is missing",
            Action.UPDATE: "has drifted",
            Action.UNDELETE: "is soft-deleted",
            Action.RELEASE: "is still there",
            Action.DELETE: "is still there",
            Action.BLOCKED: "has drifted and is blocked",
        }
        return _because(words.get(change.action, change.action.value), change)

    def verdict(self, plan: Plan) -> str:
        if plan.errors:
            return f"Cannot tell: {count(len(plan.errors), 'error')} in the policies or on the way.{_unread(plan)}"
        if plan.empty:
            return _in_step("No drift.", plan)
        differing = len(plan.changes) + len(plan.deferred)
        return (
            f"Drift: {count(differing, 'resource')} {'is' if differing == 1 else 'are'} not as declared.{_unread(plan)}"
        )

    def counts(self, plan: Plan, tally: Counter[str]) -> str:
        return f"Drift: {self._figures(tally)}; {plan.unchanged:,} in step."


def _because(words: str, change: Change) -> str:
    return f"{words}: {change.why}" if change.why else words


def _in_step(opening: str, plan: Plan) -> str:
    figures = f"{count(plan.unchanged, 'resource')}, {count(plan.machines, 'VM')}"
    if plan.targets or plan.excludes:
        opening = f"{opening[:-1]} in the part that was asked for."
    if not plan.complete:
        return f"{opening[:-1]} in what could be read ({figures}).{_unread(plan)}"
    return f"{opening} Azure matches the policies ({figures})."


def _unread(plan: Plan) -> str:
    """What has to be added wherever the picture is not whole."""
    return "" if plan.complete else " A part of Azure could not be read: what lies behind it is unknown."
