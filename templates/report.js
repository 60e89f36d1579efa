"use strict";
// A bonus only: everything is readable and printable without it.
(function () {
  const closed = () => Array.from(document.querySelectorAll("main details:not([open]):not(.sensitive)"));
  const button = (text, act) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    made.addEventListener("click", () => act(made));
    return made;
  };
  document.getElementById("tools").append(
    button("Open all chapters", () => closed().forEach((part) => { part.open = true; })),
    " ",
    button("Close all", () => document.querySelectorAll("main details[open]").forEach((part) => { part.open = false; }))
  );

  document.querySelectorAll("table[data-filter]").forEach((table) => {
    const rows = Array.from(table.tBodies[0].rows);
    const words = new Map(rows.map((row) => [row.dataset.kind, row.querySelector(".badge").textContent]));
    if (words.size < 2) return;
    const bar = document.createElement("div");
    bar.className = "filter";
    bar.setAttribute("role", "group");
    bar.setAttribute("aria-label", "Show rows by status: " + table.caption.textContent);
    words.forEach((word, kind) => {
      const shown = () => rows.filter((row) => row.dataset.kind === kind);
      const toggle = button(word + " (" + shown().length + ")", (self) => {
        const on = self.getAttribute("aria-pressed") !== "true";
        self.setAttribute("aria-pressed", String(on));
        shown().forEach((row) => { row.hidden = !on; });
      });
      toggle.setAttribute("aria-pressed", "true");
      bar.append(toggle);
    });
    table.parentElement.before(bar);
  });

  const reveal = () => {
    const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    const part = target && target.querySelector(":scope > details");
    if (part) part.open = true;
  };
  window.addEventListener("hashchange", reveal);
  reveal();

  let opened = [];
  window.addEventListener("beforeprint", () => { opened = closed(); opened.forEach((part) => { part.open = true; }); });
  window.addEventListener("afterprint", () => { opened.forEach((part) => { part.open = false; }); opened = []; });
})();
