"use strict";
// Search and filters. Nothing here makes markup: it hides, opens and counts what the page holds already.
(() => {
  const FILTERS = ["action", "origin", "effect", "subscription", "region"];
  const NOUNS = { change: ["change", "changes"], finding: ["finding", "findings"], vm: ["VM", "VMs"] };
  const byId = (id) => document.getElementById(id);
  const all = (selector, node = document) => [...node.querySelectorAll(selector)];
  const form = byId("filters");
  const number = new Intl.NumberFormat("en");

  // What there is to find: groups with their rows, and findings and VMs that stand alone.
  const itemOf = (node) => ({
    node,
    kind: node.dataset.item,
    marks: Object.fromEntries(FILTERS.map((name) => [name, (node.dataset[name] || "").split(" ")])),
    text: null,
  });
  const groups = all("[data-group]").map((node) => ({
    node,
    count: node.querySelector("[data-count]"),
    items: all("[data-item]", node).map(itemOf),
    text: null,
  }));
  const alone = all("[data-item]").filter((node) => !node.closest("[data-group]"));
  const singles = alone.map((node) => ({ node: null, count: null, items: [itemOf(node)], text: "" }));
  const everything = [...groups, ...singles];
  const chapters = all("[data-chapter]").map((node) => {
    const size = node.querySelector("h2 .size");
    const counted = node.querySelector("[data-group], .vm") ? all("[data-item]", node) : [];
    return { node, size, whole: size.textContent, counted, parts: all("[data-group], [data-item]", node) };
  });
  const terms = all("[data-terms]").map((node) => ({ node, link: `#${node.id}` }));
  const vms = singles.filter((single) => single.items[0].kind === "vm").map((single) => single.items[0].node);
  let links = null; // VM → what it refers to, looked up when somebody filters for the first time

  // Texts are put in lower case once, when somebody searches for the first time.
  const read = () => {
    for (const group of everything) {
      if (group.text === null) {
        const about = group.node.querySelector("[data-about]");
        group.text = `${group.node.querySelector("summary").textContent} ${about.textContent}`.toLowerCase();
      }
      for (const item of group.items) {
        const own = item.kind === "vm" ? "" : item.node.textContent;
        item.text ??= `${item.node.dataset.search || ""} ${own}`.toLowerCase();
      }
    }
  };

  const wishes = () => {
    const given = new FormData(form);
    const filters = FILTERS.map((name) => [name, given.get(name)]).filter(([, wanted]) => wanted);
    const words = (given.get("q") || "").toLowerCase().split(/\s+/).filter(Boolean);
    return { filters, words };
  };

  const hide = (node, hidden) => {
    if (node && node.hidden !== Boolean(hidden)) node.hidden = Boolean(hidden);
  };

  const filter = () => {
    const { filters, words } = wishes();
    if (words.length) read();
    const shown = { change: 0, finding: 0, vm: 0 };
    const total = { change: 0, finding: 0, vm: 0 };
    for (const group of everything) {
      const rest = words.filter((word) => !group.text.includes(word));
      let here = 0;
      for (const item of group.items) {
        const meets =
          filters.every(([name, wanted]) => item.marks[name].includes(wanted)) &&
          rest.every((word) => item.text.includes(word));
        hide(item.node, !meets);
        total[item.kind] += 1;
        if (meets) {
          here += 1;
          shown[item.kind] += 1;
        }
      }
      hide(group.node, !here);
      if (group.count) {
        const size = group.items.length;
        group.count.textContent =
          here === size ? number.format(size) : `${number.format(here)} of ${number.format(size)}`;
      }
    }
    for (const { node, size, whole, counted, parts } of chapters) {
      hide(node, parts.every((part) => part.hidden));
      const left = counted.filter((item) => !item.hidden).length;
      size.textContent = left === counted.length ? whole : `${number.format(left)} of ${whole}`;
    }
    showTerms(filters.length || words.length);
    tell(shown, total);
  };

  // Policies and vaults are shown with the VMs that refer to them.
  const showTerms = (filtered) => {
    if (filtered) links ??= new Map(vms.map((vm) => [vm, all("a[href^='#r-']", vm).map((link) => link.hash)]));
    const referred = filtered && new Set(vms.filter((vm) => !vm.hidden).flatMap((vm) => links.get(vm)));
    for (const { node, link } of terms) hide(node, filtered && !referred.has(link));
    if (terms.length) hide(byId("terms").parentElement, terms.every(({ node }) => node.hidden));
  };

  const tell = (shown, total) => {
    const parts = Object.keys(NOUNS).filter((kind) => total[kind]);
    const words = parts.map(
      (kind) => `${number.format(shown[kind])} of ${number.format(total[kind])} ${NOUNS[kind][total[kind] === 1 ? 0 : 1]}`,
    );
    byId("result").textContent = words.length ? `Shown: ${words.join(" · ")}` : "";
    hide(byId("nothing"), !parts.length || parts.some((kind) => shown[kind]));
  };

  // The address of the page tells what is shown: a link to it shows the same.
  const address = (at) => {
    const kept = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (value) kept.set(name, value);
    if (at) kept.set("at", at);
    return `#${kept}`;
  };
  const restore = () => {
    const hash = location.hash.slice(1);
    const given = new URLSearchParams(hash.includes("=") ? hash : hash && { at: decodeURIComponent(hash) });
    for (const control of form.elements) {
      if (control.name) control.value = given.get(control.name) || "";
      if (control.tagName === "SELECT" && control.selectedIndex < 0) control.value = "";
    }
    filter();
    if (given.get("at")) reveal(given.get("at"));
  };

  const reveal = (id) => {
    const node = byId(id);
    if (!node) return;
    if (node.closest("[hidden]")) {
      form.reset();
      filter();
    }
    for (let outer = node; outer; outer = outer.parentElement) if (outer.tagName === "DETAILS") outer.open = true;
    (node.tagName === "DETAILS" ? node.querySelector("summary") : node).focus({ preventScroll: true });
    node.scrollIntoView({ block: "start" });
  };

  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#"]');
    if (!link) return;
    event.preventDefault();
    const id = link.getAttribute("href").slice(1);
    reveal(id);
    history.pushState(null, "", address(id));
  });
  window.addEventListener("popstate", restore);

  let waiting = 0;
  const changed = () => {
    filter();
    history.replaceState(null, "", address());
  };
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(changed, 60);
  });
  form.addEventListener("reset", () => setTimeout(changed));
  form.addEventListener("submit", (event) => event.preventDefault());

  const unfold = byId("unfold");
  unfold.addEventListener("click", () => {
    const open = unfold.getAttribute("aria-expanded") !== "true";
    for (const { node } of groups) if (!node.hidden) node.open = open;
    unfold.setAttribute("aria-expanded", String(open));
    unfold.textContent = open ? "Close all" : "Open all";
  });

  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("input, select, textarea");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      byId("q").focus();
    }
  });

  // The theme is that of the system until somebody says otherwise; where nothing can be kept, it holds for this visit.
  const theme = byId("theme");
  const dark = () =>
    (document.documentElement.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const paint = (wanted) => {
    if (wanted) document.documentElement.dataset.theme = wanted;
    theme.textContent = dark() ? "☀ Light" : "☾ Dark";
  };
  const kept = (wanted) => {
    try {
      if (wanted) localStorage.setItem("reconciler-theme", wanted);
      return localStorage.getItem("reconciler-theme");
    } catch {
      return null;
    }
  };
  theme.addEventListener("click", () => {
    const wanted = dark() ? "light" : "dark";
    kept(wanted);
    paint(wanted);
  });

  theme.hidden = false;
  form.hidden = false;
  const saved = kept();
  paint(saved === "dark" || saved === "light" ? saved : "");
  restore();
})();
