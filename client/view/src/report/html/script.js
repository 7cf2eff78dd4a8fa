"use strict";
(() => {
  const table = document.getElementById("runs");
  const runs = [...document.querySelectorAll("details.run")];
  const shown = (element) => element && !element.hidden;

  const filter = document.getElementById("filter");
  let apply = () => {};

  // A part that is wrongly encoded names nothing.
  const decoded = (part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  };
  // The part after # names an element, words to filter by, or both: #run-a-seed-1, #filter=failed, #filter=nat&run-a-seed-1.
  const reveal = () => {
    const parts = location.hash.slice(1).split("&").map(decoded);
    const words = parts.find((part) => part.startsWith("filter="));
    const target = document.getElementById(parts.find((part) => !part.startsWith("filter=")) ?? "");
    const run = target && target.closest("details.run");
    if (words !== undefined) apply(words.slice("filter=".length));
    if (run && run.hidden) apply("");
    if (run && (!run.open || words !== undefined)) {
      run.open = true;
      target.scrollIntoView();
    }
  };
  addEventListener("hashchange", reveal);

  const step = (by) => {
    const list = runs.filter(shown);
    const here = list.indexOf(document.activeElement && document.activeElement.closest("details.run"));
    const next = list[here < 0 ? (by > 0 ? 0 : list.length - 1) : Math.min(Math.max(here + by, 0), list.length - 1)];
    if (next) {
      next.querySelector("summary").focus();
      next.scrollIntoView();
    }
  };

  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target === filter) {
      if (event.key === "Escape") filter.blur();
      return;
    }
    if (event.key === "/" && filter) {
      event.preventDefault();
      filter.focus();
    } else if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
    else if (event.key === "o") {
      const run = document.activeElement && document.activeElement.closest("details.run");
      if (run) run.open = !run.open;
    }
  });

  if (!table) return reveal();
  const body = table.tBodies[0];
  const lines = [...body.rows];
  filter.closest(".filter").hidden = false;
  apply = (text) => {
    if (filter.value !== text) filter.value = text;
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const line of lines) {
      const text = line.textContent.toLowerCase();
      line.hidden = !words.every((word) => text.includes(word));
      count += line.hidden ? 0 : 1;
      const link = line.querySelector("a");
      const run = link && document.getElementById(link.hash.slice(1));
      if (run) run.hidden = line.hidden;
    }
    document.getElementById("shown").textContent = words.length ? `${count} of ${lines.length}` : "";
  };
  filter.addEventListener("input", () => {
    apply(filter.value);
    // A link to what is shown now can be passed on.
    const hash = filter.value ? `#filter=${encodeURIComponent(filter.value)}` : " ";
    history.replaceState(null, "", hash);
  });
  reveal();

  const key = (line, column) => {
    const cell = line.cells[column];
    return cell ? (cell.dataset.key ?? cell.textContent) : "";
  };
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      [...table.tHead.rows[0].cells].forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const order = (a, b) => key(a, column).localeCompare(key(b, column), "en", { numeric: true });
      lines.sort((a, b) => (down ? order(b, a) : order(a, b)));
      body.append(...lines);
    });
  });
})();
