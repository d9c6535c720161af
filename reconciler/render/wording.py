"""The sentences of a plan and those of a drift report. Same facts, other words: a plan says what will be, a drift
report what is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping
from typing import ClassVar

from reconciler.model.arm_id import ArmId
from reconciler.model.counting import count
from reconciler.plan.change import BY_TIME, Action, Change, Consequence, Detail, Effect, Reason
from reconciler.plan.plan import Plan
from reconciler.render.origins import sentence
from reconciler.render.reservations import frozen, unread

_MISSED = {"failed-over": "failed-over VM", "objectives": "missed objective", "uncovered": "uncovered VM"}
"""What counts where nothing differs, too: chapters, and VMs that run elsewhere unprotected."""


class Wording(ABC):
    """Titles of the sections, and the sentences. `weaker` is the title of what is protected less than declared, ""
    where that is no chapter of its own; `acting`: whether guards and steps are told."""

    errors: ClassVar[str] = "Errors"
    errors_note: ClassVar[str] = "nothing is applied while there is one"
    refused: ClassVar[str] = "Refused by a guard"
    refused_note: ClassVar[str] = "nothing is applied until each is lifted by its name"
    blocked: ClassVar[str] = "Blocked"
    weaker: ClassVar[str] = ""
    alarming: ClassVar[str]
    changes: ClassVar[str]
    deferred: ClassVar[str] = "Put off to a later run"
    due: ClassVar[str] = ""
    """Title of what only the clock asks for, "" where that is a change like all others."""
    acting: ClassVar[bool]
    healing: ClassVar[str] = ""
    """What a consequence begins with, where the change is not what the report is about."""
    figures: ClassVar[Mapping[str, str]]
    """Name in the tally → word in the line of figures, in order."""
    rest: ClassVar[str]
    """What the resources are that need nothing."""
    name: ClassVar[str]
    of_machines: ClassVar[frozenset[Action]]
    """Actions of which the sentence holds of the VM itself (`will be protected`), not only of its protection."""

    @abstractmethod
    def sentence(self, change: Change) -> str:
        """What follows the address: `will be protected with policy daily-30d in vault rsv-weu, all disks`."""

    @abstractmethod
    def detail(self, detail: Detail) -> str:
        """One difference, inside a sentence: `retention.daily 30 days → 14 days`."""

    def line(self, detail: Detail) -> str:
        """One difference, on a line of its own."""
        return self.detail(detail)

    def in_step(self, plan: Plan) -> bool:
        """Whether there is nothing to tell of."""
        return plan.empty

    @abstractmethod
    def verdict(self, plan: Plan, tally: Counter[str]) -> str:
        """The sentence for those who read only one."""

    def verdict_by_origin(self, plan: Plan, tally: Counter[str]) -> str:
        """The same where the plan tells whose change it is."""
        return self.verdict(plan, tally)

    def details(self, change: Change) -> tuple[Detail, ...]:
        """The differences that are worth a line: not those that the sentence says already."""
        if change.reason is Reason.ASKED:
            return change.details
        told = (change.summary and change.action is Action.CREATE) or (_plain(change) and len(change.details) == 1)
        return () if told else change.details

    def tells(self, consequence: Consequence) -> bool:  # noqa: ARG002 -- a drift report leaves some out
        """Whether a consequence is worth a line."""
        return True

    def _spell(self, verb: str, change: Change) -> str:
        """The verb, and why: the one difference, the names of several, or the sentence of the change. What is new and
        sums itself up says why by that."""
        if change.action is Action.CREATE and change.summary:
            verb = f"{verb} {change.summary}"
            if change.reason in (Reason.NOT_IN_AZURE, Reason.FIRST, Reason.DUE):
                return verb
        if not _plain(change):
            return f"{verb}: {change.why}" if change.why else verb
        if change.action is Action.CREATE:
            return verb
        only = self.detail(change.details[0]) if len(change.details) == 1 else ""
        return f"{verb}: {only or ', '.join(detail.name for detail in change.details)}"

    def counts(self, plan: Plan, tally: Counter[str]) -> str:
        """The line of figures that ends a report."""
        shown = (f"{tally[name]:,} {word}" for name, word in self.figures.items() if tally[name])
        return f"{self.name}: {', '.join(shown)}; {plan.unchanged:,} {self.rest}."

    def advice(self, plan: Plan) -> tuple[str, ...]:  # noqa: ARG002 -- a drift report has some
        """Commands to go on with."""
        return ()

    def put_off(self, change: Change) -> str:
        """What is said of a change that a service limit keeps for later, or a guard for a person (G107, G108)."""
        held = change.reason in BY_TIME or change.reason is Reason.FROZEN
        verb = "is held back" if held else "is put off to a later run"
        return f"{verb}: {change.why}" if change.why else verb


class PlanWording(Wording):
    """What apply would do."""

    name = "Plan"
    alarming = "Read these first: they touch what can be recovered"
    changes = "Changes"
    acting = True
    of_machines = frozenset({Action.CREATE})
    rest = "unchanged"
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
        if change.reason is Reason.ASKED:
            return change.why
        return self._spell(words.get(change.action, change.action.value), change)

    def detail(self, detail: Detail) -> str:
        if detail.before and detail.after:
            return f"{detail.name} {detail.before} → {detail.after}"
        return f"{detail.name} {detail.after or detail.before}"

    def line(self, detail: Detail) -> str:
        return f"{detail.name}:{self.detail(detail).removeprefix(detail.name)}"

    def counts(self, plan: Plan, tally: Counter[str]) -> str:
        """None of an operation: it is one thing, and nothing was compared."""
        return "" if _asked(plan) else super().counts(plan, tally)

    def verdict(self, plan: Plan, tally: Counter[str]) -> str:  # noqa: ARG002 -- objectives are no matter of a plan
        if plan.errors:
            return f"Nothing can be applied: {count(len(plan.errors), 'error')}.{unread(plan)}"
        if plan.refusals:
            codes = ", ".join(refusal.code for refusal in plan.refusals)
            return f"Refused by {codes}: apply does not start.{unread(plan)}"
        if plan.empty and plan.restore:
            return "Nothing to do: what was to be made is there already, made of the same."
        if plan.empty:
            return _in_step("No changes.", plan)
        if _asked(plan):
            steps = sum(len(change.steps) for change in plan.actionable)
            return f"This takes {count(steps, 'step')}."
        if not plan.actionable:
            return f"Nothing can be done now: what differs is blocked or put off.{unread(plan)}"
        steps = sum(len(change.steps) for change in plan.actionable)
        lifted = f" Guards lifted: {', '.join(plan.allowed)}." if plan.allowed else ""
        does = f"Apply would make {count(len(plan.actionable), 'change')} in {count(steps, 'step')}."
        return f"{does}{lifted}{frozen(plan)}{unread(plan)}"

    def verdict_by_origin(self, plan: Plan, tally: Counter[str]) -> str:
        """What the edit does stands first: that is what a reviewer is asked about."""
        if plan.errors or plan.empty or _asked(plan):
            return self.verdict(plan, tally)
        codes = ", ".join(refusal.code for refusal in plan.refusals)
        refused = f"Refused by {codes}: apply does not start. " if codes else ""
        lifted = f" Guards lifted: {', '.join(plan.allowed)}." if plan.allowed else ""
        return f"{refused}{sentence(plan)}{lifted}{frozen(plan)}{unread(plan)}"


class DriftWording(Wording):
    """How Azure differs from the policies."""

    name = "Drift"
    errors_note = "the comparison is not to be relied on while there is one"
    blocked = "Drifted, and cannot be healed from here"
    weaker = "Drifted: protected less than declared"
    changes = "Drifted"
    alarming = "Drifted, and healing it touches what can be recovered"
    due = "Due: the next apply does this"
    acting = False
    of_machines = frozenset({Action.CREATE, Action.RELEASE, Action.DELETE})
    healing = "healing it: "
    rest = "in step"
    figures: ClassVar = {
        "protect": "unprotected",
        "create": "missing",
        "update": "drifted",
        "undelete": "soft-deleted",
        "release": "no longer declared",
        "delete": "to delete",
        "deferred": "put off",
        "blocked": "blocked",
        "due": "due",
        "objectives": "objectives missed",
        "uncovered": "uncovered",
        "unmanaged": "unmanaged",
    }

    def sentence(self, change: Change) -> str:
        if change.reason in BY_TIME:
            return self._spell("is due to go" if change.action is Action.DELETE else "is due", change)
        words = {
            Action.CREATE: ("is not protected, declared" if change.protects else "is missing"),
            Action.UPDATE: "has drifted",
            Action.UNDELETE: "is soft-deleted",
            Action.RELEASE: "is still protected" if change.protects else "is still there",
            Action.DELETE: "is still protected" if change.protects else "is still there",
            Action.BLOCKED: "has drifted and is blocked",
        }
        return self._spell(words.get(change.action, change.action.value), change)

    def detail(self, detail: Detail) -> str:
        there, wanted = detail.before or "not there", detail.after or "nothing"
        place = f" ({detail.source})" if detail.source else ""
        return f"{detail.name} is {there}, declared {wanted}{place}"

    def details(self, change: Change) -> tuple[Detail, ...]:
        """Of a resource that is missing, everything differs: that is not worth a line each."""
        return super().details(change) if change.before is not None else ()

    def tells(self, consequence: Consequence) -> bool:
        """What healing does is the matter of a plan, unless it tells what is missing meanwhile or may be lost by it."""
        return consequence.effect not in (Effect.NONE, Effect.SEEDS)

    def in_step(self, plan: Plan) -> bool:
        """What is due is no drift."""
        return not plan.drift

    def verdict(self, plan: Plan, tally: Counter[str]) -> str:
        if plan.errors:
            return f"Cannot tell: {count(len(plan.errors), 'error')} in the policies or on the way.{unread(plan)}"
        if self.in_step(plan):
            missed = ", ".join(count(tally[name], noun) for name, noun in _MISSED.items() if tally[name])
            noted = f" Yet to look at: {missed}." if missed else ""
            due = f" Due by the clock: {count(len(plan.due), 'change')}." if plan.due else ""
            return _in_step("No drift.", plan) + due + noted
        return f"Azure differs from the policies in {count(len(plan.drift), 'resource')}.{unread(plan)}"

    def advice(self, plan: Plan) -> tuple[str, ...]:
        """How to heal it, and who may have done it."""
        healable = [item for item in plan.actionable if item.reason not in BY_TIME]
        drifted = [item for item in healable if item.action in (Action.UPDATE, Action.UNDELETE)] or healable
        if not drifted or plan.errors:
            return ()
        first = drifted[0]
        lines = [
            f"Heal all of it:  reconciler apply{' --only drift' if plan.base and plan.base.applied else ''}",
            f"Heal only one:   reconciler apply --target '{first.address}'",
        ]
        vault = ArmId(first.lane)
        if first.before is not None and vault.resource_group and not plan.last_writes:
            lines.append(
                f"Who changed it:  az monitor activity-log list --offset 7d --subscription {vault.subscription} "
                f"--resource-group {vault.resource_group}"
            )
        return tuple(lines)


def _asked(plan: Plan) -> bool:
    """Whether it is a drill, a failover or what follows one."""
    return bool(plan.changes) and all(change.reason is Reason.ASKED for change in plan.changes)


def _plain(change: Change) -> bool:
    """True where the verb and the differences say all there is to say."""
    creates = change.action is Action.CREATE and change.reason is Reason.NOT_IN_AZURE
    updates = change.action is Action.UPDATE and change.reason in (Reason.DIFFERS, Reason.UNFINISHED)
    return bool(change.details) and (creates or updates)


def _in_step(opening: str, plan: Plan) -> str:
    figures = f"{count(plan.unchanged, 'resource')}, {count(plan.machines, 'VM')}"
    if plan.targets or plan.excludes:
        opening = f"{opening[:-1]} in the part that was asked for."
    if not plan.complete:
        return f"{opening[:-1]} in what could be read ({figures}).{unread(plan)}"
    return f"{opening} Azure matches the policies ({figures})."
