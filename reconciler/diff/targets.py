"""`--target` and `--exclude`: a plan for a part of the estate that can still be carried out whole."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import translate
from re import IGNORECASE, Pattern
from re import compile as compile_pattern

import msgspec

from reconciler.diff.closure import with_dependants, with_needs
from reconciler.diff.engine import sort_findings
from reconciler.errors import UsageError
from reconciler.model.address import Address
from reconciler.model.counting import count
from reconciler.plan.change import Change
from reconciler.plan.finding import Finding, Severity
from reconciler.plan.plan import Plan


def narrow(plan: Plan, known: Iterable[Address], targets: Iterable[str] = (), excludes: Iterable[str] = ()) -> Plan:
    """The plan for the addresses that match a target (all, where there is none) and no exclude.

    Patterns are globs over whole addresses (`protected_vm.prod/rg-web/*`), any casing; `*` also spans slashes. A target
    takes along what it depends on; an exclude leaves out what depends on it. Raises UsageError for a pattern that
    matches none of the `known` addresses: a slip of the pen must not change what is applied.
    """
    targets, excludes = tuple(targets), tuple(excludes)
    if not targets and not excludes:
        return plan
    _check_patterns(targets, excludes, [str(address) for address in known])
    chosen = _matching(plan.changes, targets) if targets else {change.address for change in plan.changes}
    chosen = with_needs(plan.changes, chosen)
    dropped = with_dependants(plan.changes, _matching(plan.changes, excludes))
    kept = tuple(change for change in plan.changes if change.address in chosen and change.address not in dropped)
    narrowed = msgspec.structs.replace(
        plan,
        changes=kept,
        findings=sort_findings((*plan.findings, *_left_out(plan, kept, targets, excludes))),
        targets=targets,
        excludes=excludes,
    )
    return msgspec.structs.replace(narrowed, basis=narrowed.fingerprint)


def _pattern(glob: str) -> Pattern[str]:
    return compile_pattern(translate(glob), IGNORECASE)


def _check_patterns(targets: tuple[str, ...], excludes: tuple[str, ...], known: list[str]) -> None:
    for option, globs in (("--target", targets), ("--exclude", excludes)):
        for glob in globs:
            matches = _pattern(glob).match
            if not any(matches(address) for address in known):
                raise UsageError(
                    f"{option} {glob!r} matches no resource of the policies or of Azure",
                    advice="addresses look like protected_vm.prod/rg-web/vm-web-01; * and ? are wildcards",
                )


def _matching(changes: Iterable[Change], globs: Iterable[str]) -> set[str]:
    patterns = [_pattern(glob) for glob in globs]
    return {change.address for change in changes if any(pattern.match(change.address) for pattern in patterns)}


def _left_out(
    plan: Plan, kept: tuple[Change, ...], targets: tuple[str, ...], excludes: tuple[str, ...]
) -> list[Finding]:
    named = _matching(plan.changes, targets)
    along = [change.address for change in kept if targets and change.address not in named]
    barred = _matching(plan.changes, excludes)
    remaining = {change.address for change in kept}
    left = [change.address for change in plan.changes if change.address not in remaining]
    waiting = [address for address in left if address not in barred and (address in named or not targets)]
    sentences = [
        ("taken_along", along, "taken along because the targets depend on it"),
        ("left_out", left, "left out by --target or --exclude"),
        ("left_out", waiting, "wanted, but left out with what is excluded, which it depends on"),
    ]
    return [
        Finding(
            code=code,
            message=f"{count(len(found), 'change')} {sentence}: {', '.join(found[:5])}{' …' if len(found) > 5 else ''}",
            severity=Severity.INFO,
        )
        for code, found, sentence in sentences
        if found
    ]
