"""JUnit XML, which every pipeline shows as a page of tests: a case fails where it is why the exit code is not 0.

Names of cases stay the same from run to run (the address, the file, the rule and what it is about), so that hosts can
tell what is new; `file` and `line` lead to the policies (GitLab, Azure DevOps).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Sequence

from junitparser import Attr, Failure, IntAttr, JUnitXml, TestCase, TestSuite
from junitparser.junitparser import FinalResult

from reconciler.model.counting import count
from reconciler.model.source import Source
from reconciler.plan.change import BY_TIME, Change
from reconciler.plan.finding import Finding, Severity
from reconciler.plan.plan import Plan, Refusal
from reconciler.render.escape import visible
from reconciler.render.places import Places
from reconciler.render.view import Section, view
from reconciler.render.wording import DriftWording, PlanWording, Wording

Counts = Callable[[Finding], bool]


class Case(TestCase):
    """A test case that knows the place in the policies."""

    file = Attr()
    line = IntAttr()


def render_validation(findings: Sequence[Finding], files: Sequence[str], places: Places, *, strict: bool) -> str:
    """A case for each policy file, with a failure for each error in it; `strict`: for each warning as well."""
    found: dict[str, list[Finding]] = {file: [] for file in files}
    for item in findings:
        found.setdefault(item.source.file if item.source else "", []).append(item)
    cases = [_of_file(file, items, places, strict) for file, items in sorted(found.items())]
    return _document([_suite("policies", cases)])


def render_plan(plan: Plan, places: Places) -> str:
    """What apply would do: errors, refusals and what could not be read fail; changes are told."""
    return _of_plan(plan, PlanWording(), places, lambda _: False)


def render_drift(plan: Plan, places: Places, counts: Counts = lambda _: False) -> str:
    """How Azure differs: everything that drifted fails, and those findings that count as drift."""
    return _of_plan(plan, DriftWording(), places, counts)


def render_failure(name: str, message: str) -> str:
    """A page with one case: the command (`name`) ended before there was anything to tell."""
    case = Case(name, "reconciler.failed")
    failure = Failure(visible(message.split("\n", 1)[0]), "failed")
    failure.text = "\n".join(visible(line) for line in message.split("\n"))
    case.result = [failure]
    return _document([_suite("Not known", [case])])


def _of_plan(plan: Plan, wording: Wording, places: Places, counts: Counts) -> str:
    drift = not wording.acting
    sections = view(plan, wording, verbose=True).sections
    suites = [_suite(section.title, _cases(section, wording, places, counts)) for section in sections]
    rest = _case(f"what else there is: {wording.rest}", "rest", None, places)
    _tell(rest, [count(plan.unchanged, "resource")])
    return _document([*suites, _suite("In step" if drift else "Unchanged", [rest, _reading(plan, places)])])


def _cases(section: Section, wording: Wording, places: Places, counts: Counts) -> Iterator[Case]:
    for refusal in section.refusals:
        yield _of_refusal(refusal, places)
    for group in section.groups:
        for change in group.changes:
            sentence = wording.put_off(change) if section.title == wording.deferred else wording.sentence(change)
            yield _of_change(change, sentence, wording, places)
    for notice in section.notices:
        for told in notice.told:
            for address in told.addresses or ("",):
                yield _of_finding(told.finding, address, places, counts)


def _of_file(file: str, findings: Sequence[Finding], places: Places, strict: bool) -> Case:
    case = _case(places.path(file) if file else "policies", "policies", Source(file) if file else None, places)
    fails = [item for item in findings if _grave(item, strict)]
    _fail(case, [(item.code, _sentence(item, places)) for item in fails])
    _tell(case, [_sentence(item, places) for item in findings if item not in fails])
    return case


def _grave(finding: Finding, strict: bool) -> bool:
    warned = finding.severity in (Severity.WARNING, Severity.DOUBT)
    return finding.severity is Severity.ERROR or (strict and warned)


def _of_refusal(refusal: Refusal, places: Places) -> Case:
    case = _case(f"{refusal.code} {refusal.title}", refusal.code, None, places)
    advice = f" ({refusal.advice})" if refusal.advice else ""
    _fail(case, [(refusal.code, f"{refusal.message}{advice}")])
    _tell(case, refusal.addresses)
    return case


def _of_change(change: Change, sentence: str, wording: Wording, places: Places) -> Case:
    case = _case(change.address, change.kind, change.source, places)
    told = [sentence, *(item.text for item in change.consequences if wording.tells(item))]
    told += [f"what to do: {change.manual}"] if change.manual else []
    if not wording.acting and change.reason not in BY_TIME:
        _fail(case, [(change.reason.value, "; ".join(told))])
    else:
        _tell(case, told)
    return case


def _of_finding(finding: Finding, address: str, places: Places, counts: Counts) -> Case:
    place = f"{places.path(finding.source.file)}: " if finding.source else ""
    name = f"{finding.code} {address or f'{place}{finding.message}'}"  # ages in the message are others every night
    case = _case(name, finding.code, finding.source, places)
    if finding.severity is Severity.ERROR or counts(finding):
        _fail(case, [(finding.code, _sentence(finding, places))])
    else:
        _tell(case, [_sentence(finding, places)])
    return case


def _reading(plan: Plan, places: Places) -> Case:
    """Fails where the picture is not whole: what lies behind a list that failed is unknown."""
    case = _case("all of Azure could be read", "unreadable", None, places)
    if not plan.complete:
        unread = [item.message for item in plan.findings if item.code == "unreadable"]
        _fail(case, [("unreadable", "; ".join(unread) or "a list could not be read")])
    return case


def _sentence(finding: Finding, places: Places) -> str:
    where = f"{_spot(finding.source, places)}: " if finding.source else ""
    advice = f" ({finding.advice})" if finding.advice else ""
    return f"{where}{finding.severity.value}: {finding.code} {finding.message}{advice}"


def _spot(source: Source, places: Places) -> str:
    return str(Source(places.path(source.file), source.line, source.column))


def _case(name: str, group: str, source: Source | None, places: Places) -> Case:
    case = Case(visible(name), f"reconciler.{visible(group)}")
    if source:
        case.file = visible(places.path(source.file))
        case.line = max(source.line, 1)
    return case


def _fail(case: Case, failures: Sequence[tuple[str, str]]) -> None:
    """Each with its sentence as the message, and again as text: hosts show the one or the other."""
    results: list[FinalResult] = []
    for code, sentence in failures:
        failure = Failure(visible(sentence), visible(code))
        failure.text = visible(sentence)
        results.append(failure)
    case.result = results


def _tell(case: Case, lines: Sequence[str]) -> None:
    if lines:
        case.system_out = "\n".join(visible(line) for line in lines)


def _suite(title: str, cases: Iterable[Case]) -> TestSuite:
    suite = TestSuite(visible(title))
    suite.add_testcases(list(cases))
    return suite


def _document(suites: Iterable[TestSuite]) -> str:
    document = JUnitXml("reconciler")
    for suite in suites:
        document.add_testsuite(suite)
    document.update_statistics()  # type: ignore[no-untyped-call]  # it has no annotations
    written = io.BytesIO()
    document.write(written, pretty=True)
    return written.getvalue().decode().rstrip("\n")
