"use strict";
// A bonus only: everything is readable and printable without it.
(function () {
  const all = (selector, from) => Array.from((from || document).querySelectorAll(selector));
  const closed = () => all("main details:not([open]):not(.sensitive)");
  const make = (tag, options) => Object.assign(document.createElement(tag), options);
  const button = (text, act) => {
    const made = make("button", { type: "button", textContent: text });
    made.addEventListener("click", () => act(made));
    return made;
  };
  const pressed = (toggle, on) => toggle.setAttribute("aria-pressed", String(on));

  // What search and filters act on: entries of the register, chapters, and rows of the tables of results.
  const riskOf = (node) => (node.closest("[data-risk]") || node).dataset.risk || "";
  const items = all("[data-finding], .chapter, #results table[data-filter] tbody tr").map((node) => ({
    node,
    risk: riskOf(node),
    kinds: (node.dataset.kinds || node.dataset.kind || "").trim().split(" "),
    text: null,
  }));
  const off = new Set();
  const status = make("p", { className: "said" });
  status.setAttribute("role", "status");
  const search = make("input", { type: "search", autocomplete: "off", id: "tool-search" });
  const byStatus = make("select", { id: "tool-status" });
  const byRisk = make("select", { id: "tool-risk" });

  const wanted = (item, words) => {
    if (byStatus.value && !item.kinds.includes(byStatus.value)) return false;
    if (byRisk.value && item.risk !== byRisk.value) return false;
    if (words.length && item.text === null) item.text = item.node.textContent.toLowerCase();
    return words.every((word) => item.text.includes(word));
  };
  const notices = ["register", "results", "chapters"].map((name) => {
    const section = document.getElementById(name);
    const notice = make("p", { className: "note strong filtered", hidden: true });
    section.querySelector("h2").after(notice);
    return { section, notice };
  });
  const count = (number, one, many) => number + " " + (number === 1 ? one : many);
  const apply = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const filtered = words.length > 0 || byStatus.value !== "" || byRisk.value !== "";
    const shown = new Set(items.filter((item) => wanted(item, words)).map((item) => item.node));
    items.forEach(({ node }) => { node.hidden = !shown.has(node) || off.has(node); });
    all("main section[data-risk]").forEach((part) => {
      part.hidden = filtered && !items.some(({ node }) => shown.has(node) && part.contains(node));
    });
    notices.forEach(({ section, notice }) => {
      const hidden = items.filter(({ node }) => section.contains(node) && !shown.has(node)).length;
      notice.hidden = hidden === 0;
      notice.replaceChildren(count(hidden, "entry is", "entries are") + " hidden by search or filter. ");
      notice.append(button("Show everything", reset));
    });
    const left = (selector) => Array.from(shown).filter((node) => node.matches(selector)).length;
    status.textContent = filtered
      ? "Shown: " + count(left("[data-finding]"), "finding", "findings") + ", "
        + count(left("tr"), "check", "checks") + ", " + count(left(".chapter"), "chapter", "chapters") + "."
      : "";
  };
  const reset = () => {
    search.value = byStatus.value = byRisk.value = "";
    off.clear();
    all(".filter button").forEach((toggle) => pressed(toggle, true));
    all("table[data-filter] tbody tr").forEach((row) => { row.hidden = false; });
    apply();
  };

  const option = (select, value, text) => select.append(make("option", { value, textContent: text }));
  option(byStatus, "", "All");
  all(".statuses .badge").forEach((badge) => {
    const kind = Array.from(badge.classList).find((name) => name.startsWith("k-")).slice(2);
    if (items.some((item) => item.kinds.includes(kind))) option(byStatus, kind, badge.textContent);
  });
  option(byRisk, "", "All");
  const risks = new Map(all("main section[data-risk]").map((part) => [part.dataset.risk, part.querySelector("h3").textContent]));
  risks.forEach((title, risk) => option(byRisk, risk, title));
  search.addEventListener("input", apply);
  [byStatus, byRisk].forEach((select) => select.addEventListener("change", apply));

  // Two views of one report: as it is, and with everything open.
  const first = new Map(all("main details:not(.sensitive)").map((part) => [part, part.open]));
  const view = (engineer) => {
    first.forEach((open, part) => { part.open = engineer || open; });
    pressed(reviewer, !engineer);
    pressed(engineering, engineer);
  };
  const reviewer = button("Reviewer", () => view(false));
  const engineering = button("Engineer", () => view(true));
  const views = make("div", { className: "views" });
  views.setAttribute("role", "group");
  views.setAttribute("aria-label", "View");
  views.append(make("span", { textContent: "View" }), reviewer, " ", engineering);
  view(false);

  const labelled = (text, control) => {
    const pair = make("p");
    pair.append(make("label", { textContent: text, htmlFor: control.id }), control);
    return pair;
  };
  // Beside the page there is room for both; above it they would push the verdict off a small screen.
  const beside = window.matchMedia("(min-width: 72rem)").matches;
  document.querySelector(".contents > details").open = beside;
  const tools = make("details", { open: beside });
  tools.append(
    make("summary", { textContent: "Search, filter, views" }),
    labelled("Search findings and chapters", search),
    labelled("Status", byStatus),
    labelled("Risk", byRisk),
    button("Show everything", reset),
    views,
    status
  );
  document.getElementById("tools").append(tools);

  // Rows of single tables by status.
  all("table[data-filter]").forEach((table) => {
    const rows = Array.from(table.tBodies[0].rows);
    const words = new Map(rows.map((row) => [row.dataset.kind, row.querySelector(".badge").textContent.split(":")[0]]));
    if (words.size < 2) return;
    const bar = make("div", { className: "filter" });
    bar.setAttribute("role", "group");
    bar.setAttribute("aria-label", "Show rows by status: " + table.caption.textContent);
    words.forEach((word, kind) => {
      const own = rows.filter((row) => row.dataset.kind === kind);
      const toggle = button(word + " (" + own.length + ")", (self) => {
        const on = self.getAttribute("aria-pressed") !== "true";
        pressed(self, on);
        own.forEach((row) => { row.hidden = !on; if (on) off.delete(row); else off.add(row); });
        apply();
      });
      pressed(toggle, true);
      bar.append(toggle);
    });
    table.parentElement.before(bar);
  });

  // A link to one finding.
  const copy = (self, entry) => {
    const link = location.href.split("#")[0] + "#" + entry.id;
    const say = (text) => {
      self.textContent = text;
      status.textContent = text + ": " + entry.dataset.finding;
      setTimeout(() => { self.textContent = "Copy link"; }, 3000);
    };
    const byHand = () => { location.hash = entry.id; say("Link is in the address bar"); };
    if (!navigator.clipboard) return byHand();
    return navigator.clipboard.writeText(link).then(() => say("Link copied"), byHand);
  };
  all("[data-finding]").forEach((entry) => {
    entry.querySelector(".badges").append(button("Copy link", (self) => copy(self, entry)));
  });

  const reveal = () => {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    let moved = Boolean(target.closest("[hidden]"));
    if (moved) reset();
    for (let part = target.querySelector(":scope > details") || target; part; part = part.parentElement) {
      if (!part.matches("main details:not([open]):not(.sensitive)")) continue;
      part.open = true;
      moved = moved || part !== target.querySelector(":scope > details");
    }
    if (moved) target.scrollIntoView();
  };
  window.addEventListener("hashchange", reveal);
  reveal();

  let opened = [];
  window.addEventListener("beforeprint", () => { opened = closed(); opened.forEach((part) => { part.open = true; }); });
  window.addEventListener("afterprint", () => { opened.forEach((part) => { part.open = false; }); opened = []; });
})();
