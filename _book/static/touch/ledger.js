/* The ledger's tables: sorted by a click on a head, filtered by words and verdict; each row of a fair
 * trial is drawn, and its button unfolds what was measured and the effect of every seed. What a row
 * tells is in the page.
 */
"use strict";

Touch.register("ledger", (told, place) => {
  const { make } = Touch;
  const claimOf = (row) => row.cells[0].querySelector("code")?.textContent;
  const number = (text) => parseFloat(text.replace("−", "-"));
  const named = (table) => told[claimOf(table.tBodies[0]?.rows[0] ?? table.rows[0])];
  const ledgers = [...document.querySelectorAll("table")].filter((table) => table.tHead && named(table));
  const rows = ledgers.flatMap((table) => [...table.tBodies[0].rows]);
  const verdictOf = (row) => row.cells[row.cells.length - 1].textContent.split(" (")[0].trim();

  /* Every seed as a dot; the interval as a bar, the limit as a line. */
  function plot({ seeds, limit: bound, mean: interval }) {
    const values = seeds.map(number).filter(Number.isFinite); // a run that diverged has none
    const limit = number(bound.match(/(?:above|below) ([-−\d.e]+)/)?.[1] ?? "NaN");
    const [low, high] = (interval.match(/\((.+?) to (.+?);/) ?? []).slice(1).map(number);
    const shown = [...values, limit, low, high].filter(Number.isFinite);
    const logarithmic = /\dx/.test(interval) && Math.min(...shown) > 0;
    const scaled = (x) => (logarithmic ? Math.log(x) : x);
    const [least, most] = [Math.min(...shown), Math.max(...shown)].map(scaled);
    const at = (x) => 20 + (360 * (scaled(x) - least)) / (most - least || 1);
    const dots = values.map((x, k) => make("circle", { cx: at(x), cy: 24 + 5 * (k % 3), r: 4, fill: "#0072b2", opacity: 0.7 }));
    const bar = Number.isFinite(low) ? [make("line", { x1: at(low), x2: at(high), y1: 52, y2: 52, stroke: "currentColor", "stroke-width": 3 })] : [];
    const at_limit = Math.min(330, at(limit) + 4);
    return make(
      "svg", { viewBox: "0 0 400 76", width: 400, role: "img",
        "aria-label": `effects of the seeds: ${values.join(", ")}; limit ${limit}; interval ${low} to ${high}` },
      make("line", { x1: at(limit), x2: at(limit), y1: 8, y2: 60, stroke: "#d55e00", "stroke-dasharray": "4 3" }),
      make("text", { x: at_limit, y: 12 }, `limit ${limit}`), ...dots, ...bar,
      ...[Math.min(...values), Math.max(...values)].map((value) =>
        make("text", { x: at(value), y: 73, "text-anchor": "middle" }, String(value)))
    );
  }

  /* The interval as a bar, the mean as a dot; in the grey band no difference is worth naming. */
  function drawn([low, mean, high]) {
    const at = (x) => 60 + 11 * x; // from -5 to 5 limits
    return make(
      "svg", { viewBox: "0 0 120 16", width: 120, height: 16, class: "forest", role: "img",
        "aria-label": `mean ${mean}, interval ${low} to ${high}, in smallest differences worth naming` },
      make("rect", { x: at(-1), width: at(1) - at(-1), y: 0, height: 16, fill: "currentColor", opacity: 0.15 }),
      make("line", { x1: at(0), x2: at(0), y1: 0, y2: 16, stroke: "currentColor", opacity: 0.5 }),
      make("line", { class: "bar", x1: at(low), x2: at(high), y1: 8, y2: 8, stroke: "currentColor", "stroke-width": 3 }),
      make("circle", { cx: at(mean), cy: 8, r: 4, fill: "#0072b2" })
    );
  }

  function unfold(row, button) {
    const open = button.getAttribute("aria-expanded") === "true";
    button.setAttribute("aria-expanded", String(!open));
    if (open) return row.nextSibling.remove();
    const claim = told[claimOf(row)];
    const measured = make("div", {}, `${claim.quantity}; ${claim.limit}`);
    const cell = make("td", { colspan: row.cells.length }, measured, plot(claim));
    row.after(make("tr", { class: "touch seeds" }, cell));
  }

  for (const row of rows.filter((each) => told[claimOf(each)]?.seeds.length)) {
    const button = make("button", { type: "button", "aria-expanded": "false" }, "seeds");
    button.addEventListener("click", () => unfold(row, button));
    row.cells[1].append(" ", make("span", { class: "touch-inline" }, button));
    const claim = told[claimOf(row)];
    if (claim.row) row.cells[1].prepend(drawn(claim.row), make("br", {}));
  }

  for (const table of ledgers) {
    table.classList.add("ledger");
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const label = head.textContent;
      const button = make("button", { type: "button", title: "sort" }, label);
      head.replaceChildren(button);
      let direction = 1;
      button.addEventListener("click", () => {
        table.querySelectorAll("tr.seeds").forEach((each) => each.remove());
        table.querySelectorAll("[aria-expanded=true]").forEach((each) => each.setAttribute("aria-expanded", "false"));
        const key = (row) => row.cells[column].textContent.trim();
        const numeric = column === 1;
        const sorted = [...table.tBodies[0].rows].sort((a, b) => direction *
          (numeric ? number(key(a)) - number(key(b)) || 0 : key(a).localeCompare(key(b))));
        table.tBodies[0].append(...sorted);
        table.querySelectorAll("[aria-sort]").forEach((each) => each.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
        direction = -direction;
      });
    });
  }

  const verdicts = [...new Set(rows.map(verdictOf))];
  const words = make("input", { type: "search", "aria-label": "filter claims by words", placeholder: "filter by words" });
  const verdict = make("select", { "aria-label": "filter claims by verdict" },
    ...["all verdicts", ...verdicts].map((name) => make("option", {}, name)));
  const said = make("span", { class: "said", "aria-live": "polite" });
  function filter() {
    document.querySelectorAll("tr.seeds").forEach((each) => each.remove());
    document.querySelectorAll("table.ledger [aria-expanded=true]").forEach((each) => each.setAttribute("aria-expanded", "false"));
    for (const row of rows) {
      const found = row.textContent.toLowerCase().includes(words.value.toLowerCase());
      const wanted = verdict.selectedIndex === 0 || verdictOf(row) === verdict.value;
      row.hidden = !(found && wanted);
    }
    said.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} claims`;
  }
  words.addEventListener("input", filter);
  verdict.addEventListener("change", filter);
  place.append(make("div", { class: "ledger-bar" }, words, verdict, said));
  filter();
});
