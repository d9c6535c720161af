"""A plan or a drift report as one page that needs nothing else: no request leaves it, and all of it can be read without
JavaScript. Names from outside are escaped by the template engine, and the page forbids whatever is not its own."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.model.explanation import Explanation
from reconciler.plan.plan import Plan
from reconciler.render.escape import visible
from reconciler.render.origins import NAMES, names
from reconciler.render.page.entries import EFFECTS, Chapter, Entry, Marks, Pages, marks_of
from reconciler.render.page.machines import Estate, Vm
from reconciler.render.view import view
from reconciler.render.wording import DriftWording, PlanWording, Wording

if TYPE_CHECKING:
    from jinja2 import Template

_FOLDER = Path(__file__).parent / "page"


def render_plan(plan: Plan, explanations: Sequence[Explanation] = ()) -> str:
    """What apply would do. `explanations` are of the VMs that the page shall tell of (`worth_explaining`)."""
    return _render(plan, PlanWording(), explanations)


def render_drift(plan: Plan, explanations: Sequence[Explanation] = ()) -> str:
    """How Azure differs from the policies."""
    return _render(plan, DriftWording(), explanations)


def _render(plan: Plan, wording: Wording, explanations: Sequence[Explanation]) -> str:
    estate = Estate(plan, explanations)
    shown = view(plan, wording, verbose=True)
    pages = Pages(plan, wording, estate)
    chapters = [pages.chapter(number, section) for number, section in enumerate(shown.sections, 1)]
    style, script = _own("page.css"), _own("page.js")
    vms = [(vm, _vm_marks(vm, plan)) for vm in estate.vms]
    return _template().render(
        title=wording.name,
        acting=wording.acting,
        sides=("Before", "After") if wording.acting else ("In Azure", "Declared"),
        plan=plan,
        view=shown,
        status=_status(plan, calm=shown.calm, acting=wording.acting),
        alarms=[(estate.place_of(alarm.group.first), alarm) for alarm in shown.alarms],
        chapters=chapters,
        vms=vms,
        terms=list(estate.terms.values()),
        columns=[item for item in wording.figures.items() if any(row.figures.get(item[0]) for row in shown.rows)],
        choices=_choices(chapters, [marks for _, marks in vms]),
        names={"origin": names(plan.base), "effect": EFFECTS},
        sentence=wording.sentence,
        effects=EFFECTS,
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
    )


def _status(plan: Plan, *, calm: bool, acting: bool) -> tuple[str, str, str]:
    """Symbol, word and tone of the whole: never by colour alone."""
    if plan.errors:
        return "✕", "Errors", "alarm"
    if acting and plan.refusals:
        return "✕", "Refused", "alarm"
    if not plan.complete:
        return "!", "Incomplete", "change"
    if calm:
        return "✓", "In step", "good"
    return "●", "Changes" if acting else "Drift", "change"


def _vm_marks(vm: Vm, plan: Plan) -> Marks:
    marks = marks_of([change for _, change in vm.changes], plan, vm.machine.location)
    return Marks(marks.action, marks.origin, marks.effect, marks.region, (vm.machine.subscription,))


def _choices(chapters: Sequence[Chapter], others: Sequence[Marks]) -> Mapping[str, Sequence[str]]:
    """What each filter offers: only what is there."""
    entries: list[Entry] = [entry for chapter in chapters for entry in chapter.entries]
    marks = [*(row.marks for entry in entries for row in entry.rows), *others]

    def offer(pick: Callable[[Marks], Sequence[str]], order: Sequence[str] = ()) -> list[str]:
        found = {word for item in marks for word in pick(item)}
        return [word for word in order if word in found] if order else sorted(found)

    return {
        "action": offer(lambda item: item.action),
        "origin": offer(lambda item: item.origin, list(NAMES)),
        "effect": offer(lambda item: item.effect, list(EFFECTS)),
        "subscription": offer(lambda item: item.subscription),
        "region": offer(lambda item: item.region),
    }


@cache
def _own(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """As a Content-Security-Policy names the one style or script that may be used."""
    return f"sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@cache
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_plain,
    )
    environment.filters["opened"] = _opened
    return environment.get_template("page.html.j2")


def _opened(text: str) -> str:
    """As the beginning of a sentence."""
    return text[:1].upper() + text[1:]


def _plain(value: object) -> object:
    """Whatever is shown, of any type: control characters and direction overrides are spelled out. What is marked up is
    of our own templates."""
    return value if hasattr(value, "__html__") else visible(str(value))
