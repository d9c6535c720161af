"""The story of `adopt`: Azure in, policies out, and the proof that a plan on them is empty.

    subscriptions ── survey ─→ Declared ── refresh ─→ Live ── draft ─→ files ── validate · expand · compare ─→ nothing

Read once. What the comparison still finds is left out, and the rest is drafted again: what cannot be said exactly stays
unmanaged. Nothing here knows a resource kind or writes a file.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reconciler.adopt.draft import Draft, draft
from reconciler.adopt.layout import lay_out, schema_lines
from reconciler.adopt.survey import survey
from reconciler.desired.expand import Desired, expand
from reconciler.desired.git.revision import PolicyFile
from reconciler.desired.load import parse
from reconciler.desired.validate import Validation, validate_files
from reconciler.diff.engine import compare, sort_findings
from reconciler.errors import ReconcilerError
from reconciler.kinds.adoption import NOT_ADOPTED, AdoptedEstate, not_adopted
from reconciler.kinds.base import Situation
from reconciler.kinds.registry import kinds
from reconciler.kinds.replication.site import read_site
from reconciler.kinds.runbook import read_runbooks
from reconciler.live.refresh import refresh
from reconciler.model.address import Address
from reconciler.model.machine import Machine
from reconciler.plan.finding import Finding, Severity
from reconciler.plan.plan import Plan

if TYPE_CHECKING:
    from reconciler.azure.clients import Azure

_ROUNDS = 10
"""Drafts that are made before it is given up: each leaves out what the one before could not say."""
_ENOUGH = frozenset({"virtual_machine", "vault", "vault_settings", "backup_policy", "protected_vm"})
"""What must have been read whole: of an estate that was half seen, no selector can be proved."""


class AdoptionError(ReconcilerError):
    """Nothing was written: the estate could not be read, or what would be written is not what Azure has."""


@dataclass(frozen=True, slots=True)
class Adoption:
    """What to write, and what is to be known of it. `plan` is that on these very files; it changes nothing. `exact` is
    False where something could not be read or said: it stays unmanaged."""

    files: Mapping[str, str] = field(repr=False)
    plan: Plan
    findings: tuple[Finding, ...] = field(repr=False)
    protections: int
    covered: int
    uncovered: tuple[Machine, ...] = field(repr=False)

    @property
    def exact(self) -> bool:
        return self.plan.complete and not any(finding.code == NOT_ADOPTED for finding in self.findings)


async def adopt(azure: Azure, subscriptions: Mapping[str, str], schemas: Mapping[str, str]) -> Adoption:
    """The policies of these subscriptions (alias → id) as they are now. `schemas` are the JSON Schemas that an editor
    finds from the folder. Raises AdoptionError where the VMs, vaults or backups could not all be read."""
    declared = await survey(azure, subscriptions)
    live = await refresh(azure, declared, kinds())
    blind = [gap for gap in live.unreadable if _ENOUGH.intersection(gap.kinds)]
    if blind:
        raise AdoptionError(
            "nothing was written: the estate could not be read whole",
            why="; ".join(f"{gap.message}{f' ({gap.why})' if gap.why else ''}" for gap in blind),
            advice=next((gap.advice for gap in blind if gap.advice), "try again"),
        )
    estate = AdoptedEstate(live, declared, azure.now())
    return prove(await _with_site(azure, estate), schemas)


async def _with_site(azure: Azure, estate: AdoptedEstate) -> AdoptedEstate:
    """And what the routes that will be written name: accounts, networks, runbooks. Nothing is read a second time."""
    declared = _validate(estate, _files(estate, draft(estate, kinds()), {})).declared
    if declared is None:
        return estate  # the proof tells what is wrong
    site, gaps = await read_site(azure, declared)
    runbooks, more = await read_runbooks(azure, declared)
    live = dataclasses.replace(
        estate.live, site=site, runbooks=runbooks, unreadable=(*estate.live.unreadable, *gaps, *more)
    )
    return AdoptedEstate(live, estate.survey, estate.now)


def prove(estate: AdoptedEstate, schemas: Mapping[str, str]) -> Adoption:
    """Draft, compare with the same reading, and draft again without what differs or breaks a rule. Pure."""
    told: list[Finding] = []
    for _ in range(_ROUNDS):
        drafted = draft(estate, kinds())
        files = _files(estate, drafted, schemas)
        validation = _validate(estate, files)
        refused = _refused(files, validation)
        wrong: dict[Address, Finding] = {}
        if not refused:
            desired, plan = _compare(estate, validation)
            wrong = _wrong(plan, desired)
            wrong |= _dependents(desired, wrong.keys() & estate.left)
            if not wrong:
                return _adoption(estate, drafted, schemas, desired, told)
        told.extend((*refused.values(), *wrong.values()))
        estate = dataclasses.replace(estate, left=drafted.left | wrong.keys(), refused=estate.refused | refused.keys())
    raise AdoptionError(
        "nothing was written: what would be written is still not what Azure has",
        why="; ".join(str(finding) for finding in told[-5:]),
        advice="this is worth an issue; adopt the subscriptions one by one meanwhile",
    )


def _adoption(
    estate: AdoptedEstate,
    drafted: Draft,
    schemas: Mapping[str, str],
    desired: Desired,
    told: Iterable[Finding],
) -> Adoption:
    """Once more, with the VMs that nobody protects in a comment."""
    protected = {item.machine.arm_id for item in desired.assignments}
    uncovered = tuple(one for one in estate.live.selectable if one.arm_id not in protected)
    files = _files(estate, drafted, schemas, uncovered)
    validation = _validate(estate, files)
    desired, plan = _compare(estate, validation)
    return Adoption(
        files=files,
        plan=plan,
        findings=sort_findings((*told, *drafted.findings, *_worth_telling(plan))),
        protections=len(drafted.protections),
        covered=len(protected),
        uncovered=uncovered,
    )


def _worth_telling(plan: Plan) -> Iterable[Finding]:
    """What a plan on the files warns of, but for what the draft has told and what is no matter of what is written: VMs
    that nobody covers are counted, objectives there are none."""
    for finding in plan.findings:
        if finding.severity is not Severity.INFO and finding.topic != "objectives" and finding.code != "uncovered":
            yield finding


def _files(
    estate: AdoptedEstate, drafted: Draft, schemas: Mapping[str, str], uncovered: Iterable[Machine] = ()
) -> dict[str, str]:
    scope: dict[str, Any] = {"subscriptions": dict(estate.survey.subscriptions)}
    for sheet in drafted.sheets:
        if sheet.kind == "Scope":
            scope |= sheet.value
    heads = {document.name: document.description for kind in kinds() for document in kind.documents}
    return schema_lines(lay_out(drafted, scope, tuple(uncovered), heads), schemas)


def _validate(estate: AdoptedEstate, files: Mapping[str, str]) -> Validation:
    written = [PolicyFile(name, text.encode()) for name, text in files.items()]
    return validate_files(written, estate.now.date(), kinds())


def _refused(files: Mapping[str, str], validation: Validation) -> dict[tuple[str, str], Finding]:
    """The documents that a rule refuses, kind and folded name: Azure lets be what it would refuse to new ones."""
    found: dict[tuple[str, str], Finding] = {}
    for error in validation.findings:
        if error.severity is not Severity.ERROR or error.source is None:
            continue
        raws = parse(files[error.source.file].encode(), error.source.file).documents
        raw = [one for one in raws if one.source.line <= max(error.source.line, raws[0].source.line)][-1]
        kind, name = raw.value["kind"], raw.value["name"]
        if kind == "Scope":
            raise AdoptionError(
                "nothing was written: the Scope would not be valid", why=str(error), advice=error.advice
            )
        message = f"{kind} {name} would break a rule, so it is not written ({error.code} {error.message})"
        found[kind, name.casefold()] = not_adopted("", message, error.advice)
    return found


def _compare(estate: AdoptedEstate, validation: Validation) -> tuple[Desired, Plan]:
    """What a plan on the files finds in the same reading."""
    assert validation.declared is not None, validation.findings
    desired = expand(validation.declared, estate.live, kinds(), estate.now)
    situation = Situation(validation.declared, desired.state, estate.live, estate.now)
    findings = (*validation.carried, *desired.findings)
    return desired, compare(situation, kinds(), findings, assignments=desired.assignments)


def _wrong(plan: Plan, desired: Desired) -> dict[Address, Finding]:
    """What a plan would change, and what it says is wrong: by the address that has to be left out."""
    found: dict[Address, Finding] = {}
    for change in plan.drift:
        address = Address.parse(change.address)
        found[address] = not_adopted(address, f"{change.why}; that cannot be written, so it stays unmanaged")
    for error in plan.errors:
        for address in _blamed(error, desired):
            found[address] = not_adopted(address, f"{error.code} {error.message}; it stays unmanaged", error.advice)
    return found


def _dependents(desired: Desired, stuck: Collection[Address]) -> dict[Address, Finding]:
    """What refers to resources that were left out and are wanted all the same, because of it: a network mapping that a
    route brings. It is left out with them."""
    found: dict[Address, Finding] = {}
    for address, resource in desired.state.items():
        needs = next((ref.address for _, ref in resource.spec.refs() if ref.address in stuck), None)
        if needs is not None and address not in stuck:
            found[address] = not_adopted(address, f"{needs} cannot be written as it is; it stays unmanaged, too")
    return found


def _blamed(error: Finding, desired: Desired) -> Iterable[Address]:
    """The resources of an error: its own, or those that come from the document at fault."""
    if error.address:
        return [Address.parse(error.address)]
    if error.source is None:
        return []
    stated = [address for address, resource in desired.state.items() if resource.source == error.source]
    if stated:
        return stated
    at_fault = {
        (item.machine.scope, item.machine.name)
        for item in desired.assignments
        if error.source in item.protection.positions.values()
    }
    return [address for address in desired.state if (address.scope, address.name) in at_fault]
