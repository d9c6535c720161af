"""Every rule of recovery plans that can be known without Azure (rule table ASR-60 to ASR-64)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reconciler.kinds.document_rule import Breach, DocumentRule, check_rules
from reconciler.kinds.replication.route import located_routes
from reconciler.model.arm_id import ArmId
from reconciler.model.casing import fold
from reconciler.model.document import Declared, Document, Path
from reconciler.model.recovery_plan import RecoveryAction, RecoveryPlan
from reconciler.model.selector import Selector
from reconciler.plan.finding import Finding, Severity

_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9-]{1,63}[a-zA-Z0-9]")
_RUNBOOK = re.compile(
    r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.Automation/automationAccounts/[^/]+/runbooks/[^/]+",
    re.IGNORECASE,
)
Plan = Document[RecoveryPlan]


def check_plan(document: Plan, declared: Declared) -> Iterator[Finding]:
    """All that is wrong with one RecoveryPlan, each at the line that has to change."""
    return check_rules(RULES, document, declared)


def selectors_of(plan: RecoveryPlan) -> Iterator[tuple[Path, Selector]]:
    """The selector of each group, with its path in YAML."""
    for index, group in enumerate(plan.groups):
        yield members_path(index), group.members


def members_path(index: int) -> Path:
    """Where the selector of a group stands."""
    return ("groups", index, "members")


def actions_of(plan: RecoveryPlan) -> Iterator[tuple[Path, RecoveryAction]]:
    """Every action, in the order in which they run, with its path in YAML."""
    for phase in ("shutdown", "failover"):
        around = getattr(plan, phase)
        for when in ("before", "after"):
            yield from (((phase, when, at), one) for at, one in enumerate(getattr(around, when)))
    for index, group in enumerate(plan.groups):
        for when in ("before", "after"):
            yield from (((*("groups", index), when, at), one) for at, one in enumerate(getattr(group, when)))


def _check_name(document: Plan, _: Declared) -> Iterator[Breach]:
    if not _NAME.fullmatch(document.name):
        yield Breach(
            ("name",),
            "is no name of a recovery plan in Azure",
            "write 3 to 65 letters, digits and hyphens, first a letter, no hyphen at the end",
        )


def _check_groups(document: Plan, _: Declared) -> Iterator[Breach]:
    first: dict[str, int] = {}
    for index, group in enumerate(document.value.groups):
        other = first.setdefault(fold(group.name), index)
        if other != index:
            also = (document.at("groups", other, "name"),)
            yield Breach(("groups", index, "name"), f"two groups are called {group.name}", "rename one of them", also)


def _check_shape(document: Plan, _: Declared) -> Iterator[Breach]:
    for path, action in actions_of(document.value):
        given = [name for name in ("runbook", "script", "manual") if getattr(action, name) is not None]
        if len(given) != 1:
            message = f"says {' and '.join(given)}" if given else "says nothing that is to be done"
            yield Breach(path, f"action {action.name} {message}", "write exactly one of runbook, script and manual")
        elif given == ["manual"]:
            for name in ("timeout", "side"):
                if (*path, name) in document.positions:
                    message = f"action {action.name} is manual: nothing runs that has a {name}"
                    yield Breach((*path, name), message, f"remove {name}")


def _check_action_names(document: Plan, _: Declared) -> Iterator[Breach]:
    first: dict[str, Path] = {}
    for path, action in actions_of(document.value):
        other = first.setdefault(fold(action.name), path)
        if other != path:
            also = (document.at(*other, "name"),)
            yield Breach((*path, "name"), f"two actions are called {action.name}", "rename one of them", also)


def _check_runbooks(document: Plan, declared: Declared) -> Iterator[Breach]:
    wanted = fold(document.value.route)
    vault = next((route.vault for route in located_routes(declared) if fold(route.name) == wanted), None)
    for path, action in actions_of(document.value):
        if action.runbook is None:
            continue
        runbook = ArmId(action.runbook)
        if not _RUNBOOK.fullmatch(str(runbook)):
            yield Breach(
                (*path, "runbook"),
                f"{action.runbook} is not the id of a runbook",
                "write /subscriptions/…/providers/Microsoft.Automation/automationAccounts/…/runbooks/…",
            )
        elif vault is not None and runbook.subscription != vault.arm_id.subscription:
            yield Breach(
                (*path, "runbook"),
                f"the runbook is in subscription {runbook.subscription}, and vault {vault.name} in "
                f"{vault.arm_id.subscription}",
                "use an Automation account in the subscription of the vault; its region does not matter",
            )


def _check_manual(document: Plan, _: Declared) -> Iterator[Breach]:
    for path, action in actions_of(document.value):
        if action.manual is not None and "testFailover" in action.failover_types:
            yield Breach(
                path,
                f"a drill stops at {action.name} until a person has done it and resumes the job",
                "add failoverTypes: [unplannedFailover] where drills can do without",
            )


def _check_early(document: Plan, _: Declared) -> Iterator[Breach]:
    for path, action in actions_of(document.value):
        if action.runbook is not None and path[0] == "groups" and path[2] == "before":
            yield Breach(
                path,
                f"runbook {ArmId(action.runbook).name} is given no names of VMs: those of its group are not there yet",
                "move the action to `after` where the runbook works on the VMs",
            )


RULES: tuple[DocumentRule[RecoveryPlan], ...] = (
    DocumentRule("ASR-60", Severity.ERROR, "rpc, rp, tf-plan", _check_name),
    DocumentRule("ASR-61", Severity.ERROR, "tf-plan", _check_groups),
    DocumentRule("ASR-63", Severity.ERROR, "tf-plan", _check_shape),
    DocumentRule("ASR-63", Severity.ERROR, "tf-plan", _check_action_names),
    DocumentRule("ASR-63", Severity.ERROR, "rba", _check_runbooks),
    DocumentRule("ASR-64", Severity.WARNING, "rba", _check_manual),
    DocumentRule("ASR-64", Severity.WARNING, "rba", _check_early),
)
