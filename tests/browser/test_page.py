"""The page as people use it."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from reconciler.model.arm_id import ArmId
from reconciler.model.machine import Machine, OsType
from reconciler.plan.change import Effect
from reconciler.plan.finding import Finding, Severity
from reconciler.plan.plan import Plan
from reconciler.render.html import render_drift, render_plan
from tests.browser import estate
from tests.browser.conftest import Visit
from tests.render.conftest import HOSTILE

Open = Callable[..., Visit]
ALL = "10 of 10 changes"
WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
SETTLE = "() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))"


@pytest.fixture(scope="module")
def html() -> str:
    return render_plan(estate.plan(), estate.explanations())


def test_search_and_filters_combine(visit: Open, html: str) -> None:
    seen = visit(html)
    assert ALL in seen.shown()
    seen.page.fill("#q", "tier=web daily-30d")
    seen.until("6 of 10 changes")
    seen.page.select_option("#f-origin", "drift")
    seen.until("2 of 10 changes")
    seen.page.select_option("#f-subscription", "prod")
    seen.until("1 of 10 change")
    assert [row.inner_text() for row in seen.page.query_selector_all("[data-group]:not([hidden]) [data-count]")] == [
        "1 of 3"
    ]
    seen.page.click("#clear")
    seen.until(ALL)
    seen.page.select_option("#f-effect", Effect.DELETES.value)
    seen.until("1 of 10 changes")
    assert seen.shown() == "Shown: 1 of 10 changes · 0 of 2 findings · 1 of 12 VMs"


def test_titles_and_policies_follow_what_is_shown(visit: Open, html: str) -> None:
    seen = visit(html)
    drift = seen.page.locator("section").filter(has_text=re.compile(r"^\s*Drift"))
    assert drift.locator("h2 .size").inner_text() == "3"
    assert seen.page.is_visible("#terms")
    seen.page.fill("#q", "vm-00005")
    seen.until("1 of 10 changes")
    assert drift.locator("h2 .size").inner_text() == "1 of 3"
    assert seen.page.is_visible("#terms")
    seen.page.fill("#q", "vm-00005 vm-00006")
    seen.until("Shown: 0 of 10 changes")
    assert not seen.page.is_visible("#terms")
    assert not drift.is_visible()


def test_what_is_shown_is_kept_in_the_address(visit: Open, html: str) -> None:
    seen = visit(html)
    seen.page.fill("#q", "vm-00003")
    seen.page.select_option("#f-origin", "mine")
    seen.until("1 of 10 changes")
    seen.page.wait_for_function("() => location.hash.includes('origin=mine')")
    fragment = "#" + seen.page.url.partition("#")[2]
    seen.go(fragment)
    assert "1 of 10 changes" in seen.shown()
    assert seen.page.input_value("#q") == "vm-00003"
    seen.go("#q=%ZZ&origin=nobody&at=nowhere")
    assert seen.page.input_value("#f-origin") == ""


def test_nothing_found(visit: Open, html: str) -> None:
    seen = visit(html)
    seen.page.fill("#q", "xyzzy")
    seen.until("Shown: 0 of 10 changes")
    assert seen.page.is_visible("#nothing")
    seen.page.click("#nothing button")
    seen.until(ALL)
    assert not seen.page.is_visible("#nothing")


def test_from_a_change_to_its_vm_and_back(visit: Open, html: str) -> None:
    seen = visit(html)
    seen.page.click("#unfold")
    seen.page.click("text='why: vm-00009'")
    told = seen.page.inner_text("details.vm[open]")
    assert "production-web" in told
    assert "wants sql-*, has vm-00009" in told
    assert "policies/web.yaml:12:9" in told
    assert seen.page.evaluate("document.activeElement.closest('details.vm').open")
    marks = "node => getComputedStyle(node, '::before').content"
    assert "✓" in seen.page.eval_on_selector("details.vm[open] .met", marks)
    assert "✗" in seen.page.eval_on_selector("details.vm[open] .unmet", marks)
    seen.page.click("details.vm[open] a[href^='#c-']")
    assert "vm-00009" in seen.page.evaluate("document.activeElement.textContent")
    seen.page.go_back()
    seen.page.wait_for_function("() => document.activeElement.closest('details.vm')")


def test_a_link_into_the_page_opens_what_it_names(visit: Open, html: str) -> None:
    seen = visit(html)
    seen.go("#vm-3")
    assert seen.page.eval_on_selector("#vm-3", "node => node.open")
    seen.go("#q=nothing+like+it&at=vm-4")
    assert seen.page.eval_on_selector("#vm-4", "node => node.open && !node.hidden")


def test_what_is_lost_comes_first_and_not_by_colour_alone(visit: Open, html: str) -> None:
    seen = visit(html)
    first = seen.page.inner_text(".alarms")
    assert "Deletes recovery points" in first
    assert "vm-00009" in first
    assert "▲" in seen.page.inner_text(".entry.alarming .badge.alarm")
    position = "document.querySelector('.alarms').compareDocumentPosition(document.querySelector('.chapter'))"
    assert seen.page.evaluate(f"{position} & Node.DOCUMENT_POSITION_FOLLOWING")


def test_who_wrote_last_is_seen_at_a_glance_and_found(visit: Open, html: str) -> None:
    seen = visit(html)
    drifted = seen.page.locator("details.entry", has=seen.page.locator(".badge.author"))
    assert (
        drifted.locator("summary .author").all_inner_texts() == ["last write: alex@contoso.example"] * drifted.count()
    )
    assert drifted.count() > 0
    seen.page.fill("#q", "alex@contoso")
    seen.until("of 10 changes · 0 of 2 findings")
    assert drifted.first.is_visible()


def test_fields_are_not_broken_on_a_phone(visit: Open, html: str) -> None:
    """The name of a field stands on one line where there is room for it."""
    seen = visit(html, width=390)
    seen.page.evaluate("document.querySelectorAll('details').forEach(node => { node.open = true })")
    names = "[...document.querySelectorAll('.fields tbody th')]"
    widths = seen.page.evaluate(f"{names}.map(node => [node.offsetWidth, node.parentElement.offsetWidth])")
    assert widths
    assert all(own == whole for own, whole in widths)


def test_figures_stand_beside_their_labels_on_a_phone(visit: Open) -> None:
    """Also beside the longest: where nothing tells what was last applied."""
    plan = estate.plan()
    assert plan.base
    never = msgspec.structs.replace(plan, base=msgspec.structs.replace(plan.base, applied="", applied_at=None))
    seen = visit(render_plan(never), width=390)
    rows = seen.page.locator(".counts tbody tr")
    assert "or never applied" in rows.first.locator("xpath=..").inner_text()
    for row in rows.all():
        label = row.locator("th").bounding_box()
        figures = [box for cell in row.locator("td:not(.none)").all() if (box := cell.bounding_box())]
        assert label
        assert figures
        assert all(label["x"] + label["width"] <= box["x"] for box in figures)


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("kind", ["nothing", "errors", "long"])
def test_pages_with_little_or_with_long_names(visit: Open, kind: str, width: int) -> None:
    error = Finding(code="auth", message="nobody is signed in", severity=Severity.ERROR, advice="run az login")
    change = estate.repolicied(estate.machine(1))
    name = "x" * 400
    long = msgspec.structs.replace(change, address=f"protected_vm.prod/{name}/{name}", arm_id=f"/subscriptions/{name}")
    given: dict[str, dict[str, Any]] = {
        "nothing": {"unchanged": 3, "machines": 3},
        "errors": {"findings": (error,), "complete": False},
        "long": {"changes": (long,), "machines": 1},
    }
    seen = visit(render_plan(Plan(created="2026-03-02T03:00:00Z", **given[kind])), width=width)
    seen.page.evaluate("document.querySelectorAll('details').forEach(node => { node.open = true })")
    seen.page.evaluate(SETTLE)
    assert not seen.page.evaluate(WIDE)
    expected = {"nothing": "In step", "errors": "Errors", "long": "Changes"}
    assert expected[kind] in seen.page.inner_text(".status")


def test_keyboard(visit: Open, html: str) -> None:
    seen = visit(html)
    seen.page.keyboard.press("Tab")
    assert seen.page.evaluate("document.activeElement.textContent") == "Skip to the changes"
    seen.page.keyboard.press("Enter")
    seen.page.keyboard.press("Tab")
    assert seen.page.evaluate("document.activeElement.tagName") == "SUMMARY"
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert seen.page.evaluate(outline) == "solid"
    seen.page.keyboard.press("Enter")
    assert seen.page.evaluate("document.activeElement.parentElement.open")
    seen.page.keyboard.press("/")
    assert seen.page.evaluate("document.activeElement.id") == "q"
    seen.page.keyboard.type("a/b")
    assert seen.page.input_value("#q") == "a/b"


CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgba = (text) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const linear = (part) => part / 255 <= .04045 ? part / 255 / 12.92 : ((part / 255 + .055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => .2126 * linear(r) + .7152 * linear(g) + .0722 * linear(b);
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const found = rgba(getComputedStyle(node).backgroundColor);
      if (found[3] === 255) return found;
    }
    return [255, 255, 255];
  };
  const faults = new Set();
  for (const node of document.querySelectorAll("body *")) {
    if (!node.checkVisibility() || ![...node.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
    const [a, b] = [light(rgba(getComputedStyle(node).color)), light(behind(node))].sort((x, y) => y - x);
    const ratio = (a + .05) / (b + .05);
    if (ratio < 4.5) faults.add(`${node.tagName}.${node.className} ${ratio.toFixed(2)}`);
  }
  return [...faults];
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(visit: Open, html: str, scheme: str) -> None:
    seen = visit(html, scheme=scheme)
    seen.page.evaluate("document.querySelectorAll('details').forEach(node => { node.open = true })")
    assert seen.page.evaluate(CONTRAST) == []


def test_the_theme_of_the_system_and_the_other_one(visit: Open, html: str) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    light, dark = visit(html), visit(html, scheme="dark")
    colours = light.page.evaluate(ground), dark.page.evaluate(ground)
    assert colours[0] != colours[1]
    dark.page.click("#theme")
    assert dark.page.evaluate(ground) == colours[0]
    assert "Dark" in dark.page.inner_text("#theme")
    dark.go()
    assert dark.page.evaluate(ground) == colours[0]


def test_a_phone_never_scrolls_sideways(visit: Open, html: str) -> None:
    seen = visit(html, width=390)
    assert not seen.page.evaluate(WIDE)
    seen.page.evaluate("document.querySelectorAll('details').forEach(node => { node.open = true })")
    seen.page.evaluate(SETTLE)
    assert not seen.page.evaluate(WIDE)


def test_without_javascript_everything_can_be_read(visit: Open, html: str) -> None:
    seen = visit(html, javascript=False)
    assert not seen.page.is_visible("#filters")
    assert "searching and filtering take JavaScript" in seen.page.locator("noscript p").inner_text()
    seen.page.click("summary >> nth=1")
    assert seen.page.is_visible("details[open] .inside")
    assert "policies/web.yaml:12:9" in seen.page.inner_text("details[open] .inside")


def test_landmarks_labels_and_headings(visit: Open, html: str) -> None:
    page = visit(html).page
    assert page.locator("main").count() == page.locator("header").count() == page.locator("h1").count() == 1
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3')].map(node => Number(node.tagName[1]))")
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    unnamed = "[...document.querySelectorAll('input,select')].filter(node => !node.labels.length).length"
    assert page.evaluate(unnamed) == 0
    assert page.get_attribute("#result", "aria-live") == "polite"
    twice = "(ids => ids.length - new Set(ids).size)([...document.querySelectorAll('[id]')].map(node => node.id))"
    assert page.evaluate(twice) == 0


ATTACKS = (
    HOSTILE,
    "</script><script>alert(2)</script>",
    "<img src=x onerror=alert(3)>",
    "\" onmouseover=alert(4) x='",
    "<!--<script>",
    "{{ 7*7 }}{% raw %}",
    "javascript:alert(5)",
    "\u2028\u2029\u202egpj.exe",
    "&lt;b&gt;",
)


def hostile() -> tuple[Plan, Machine]:
    name = " ".join(ATTACKS)
    home = f"/subscriptions/1/resourceGroups/{name.replace('/', '')}/providers/x/virtualMachines/1"
    tags = {attack: attack for attack in ATTACKS}
    machine = Machine(ArmId(home), name.replace("/", ""), name.replace("/", ""), name.replace("/", ""), name,
                      OsType.LINUX, {"env": name, **tags})  # fmt: skip
    change = estate.repolicied(machine, Effect.PRUNES)
    source = msgspec.structs.replace(estate.PLACE, file=name)
    detail = msgspec.structs.replace(change.details[0], name=name, before=name, after=name, source=source)
    change = msgspec.structs.replace(change, details=(detail,), why=name, source=source, arm_id=name, manual=name)
    plain = estate.plan()
    told = {change.address: plain.origins[plain.changes[7].address]}
    writes = plain.last_writes[plain.changes[7].address]
    write = msgspec.structs.replace(writes.writes[0], caller=name, operation=name, status=name, correlation_id=name)
    twin = msgspec.structs.replace(change, address=change.address + "2")
    return (
        msgspec.structs.replace(
            plain,
            changes=(change, twin),
            findings=(msgspec.structs.replace(plain.findings[0], message=name, advice=name, address=change.address),),
            refusals=(msgspec.structs.replace(plain.refusals[0], message=name, advice=name, title=name),),
            base=msgspec.structs.replace(plain.base, ref=name, commit=name),
            origins={**told, twin.address: told[change.address]},
            last_writes={
                address: msgspec.structs.replace(writes, writes=(write,), missing=name)
                for address in (change.address, twin.address)
            },
            targets=(name,),
        ),
        machine,
    )


@pytest.mark.parametrize("render", [render_plan, render_drift])
def test_hostile_names_are_only_names(visit: Open, render: Callable[..., str]) -> None:
    plan, machine = hostile()
    seen = visit(render(plan, (estate.explained(machine),)), width=390)
    page = seen.page
    page.evaluate("document.querySelectorAll('details').forEach(node => { node.open = true })")
    page.fill("#q", "alert(2)")
    seen.until("2 of 2 changes")
    assert page.locator("script").count() == 1
    assert page.locator("img, iframe, object, b b").count() == 0
    assert page.locator("a:not([href^='#'])").count() == 0
    handlers = "[...document.querySelectorAll('*')].flatMap(n => n.getAttributeNames()).filter(n => n.startsWith('on'))"
    assert page.evaluate(handlers) == []
    text = page.inner_text("main")
    assert "</script><script>alert(2)</script>" in text
    assert "{{ 7*7 }}{% raw %}" in text
    assert not re.search("[\x00-\x08\x1b\x9b\u2028\u2029\u202e]", page.content())
    assert not page.evaluate(WIDE)


def test_what_a_page_may_do_is_written_in_it(visit: Open, html: str) -> None:
    """Even if something came in, the browser would refuse it."""
    seen = visit(html)
    seen.page.evaluate(
        """() => {
          const script = document.createElement("script");
          script.textContent = "window.came = true";
          document.body.append(script);
          new Image().src = "https://example.invalid/x.png";
        }"""
    )
    assert seen.page.evaluate("window.came") is None
    assert seen.faults
    assert all("Content Security Policy" in fault for fault in seen.faults)
    seen.faults.clear()
    seen.requests.clear()


def test_ten_thousand_changes_fold_and_are_found(visit: Open) -> None:
    machines = [estate.machine(number) for number in range(10_000)]
    plan = Plan(
        created="2026-03-02T03:00:00Z",
        changes=tuple(estate.repolicied(one) for one in machines),
        machines=len(machines),
    )
    seen = visit(render_plan(plan, ()))
    assert "10,000 of 10,000 changes" in seen.shown()
    assert seen.page.locator("[data-group]").count() == 1
    seen.page.fill("#q", "vm-09999")
    seen.until("1 of 10,000 changes")
    assert seen.page.inner_text("[data-count]") == "1 of 10,000"


def test_a_calm_drift_report(visit: Open) -> None:
    seen = visit(render_drift(Plan(created="2026-03-02T03:00:00Z", unchanged=3, machines=3)))
    assert "In step" in seen.page.inner_text(".status")
    assert seen.page.is_visible("text=There is nothing to tell.")


def test_a_drift_report_says_what_is_and_what_is_declared(visit: Open) -> None:
    seen = visit(render_drift(estate.plan(), estate.explanations()))
    seen.page.click("#unfold")
    assert "In Azure\tDeclared" in seen.page.inner_text("table.fields >> nth=0")
    assert "healing it deletes recovery points" in seen.page.inner_text(".entry.alarming .badge.alarm")
    assert "protects more" not in seen.page.inner_text("#changes")


def test_print_shows_what_is_folded(visit: Open, html: str) -> None:
    seen = visit(html)
    seen.page.emulate_media(media="print")
    assert not seen.page.is_visible("#filters")
    assert seen.page.evaluate("document.querySelector('.entry .inside').checkVisibility({contentVisibilityAuto: true})")
