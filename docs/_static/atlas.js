// The atlas in the browser: a grid of instances for each number of layers, and what is known of the chosen one.
"use strict";

(() => {
  const root = document.getElementById("atlas");
  const { subjects, shades, values } = JSON.parse(document.getElementById("atlas-data").textContent);
  const names = { layers: "ℓ", pages: "n", k: "k" };
  const chosen = { subject: "lru", visit: "1 page", layers: "2", pages: "", k: "", shade: "" };

  function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes))
      if (name in made && typeof value !== "string") made[name] = value;
      else made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  const shown = (value) => (value === "unbounded" ? "∞" : value);
  const shadeClass = (place) => `shade-${place}${shades[place].hatched ? " hatched" : ""}`;
  const numbers = (key, among) => [...new Set(among.map((value) => value[key]))].sort((a, b) => a - b);

  function menu(key, label, options) {
    const select = element("select", { name: key });
    for (const [value, text] of options) select.append(element("option", { value, selected: value === chosen[key] }, text));
    select.addEventListener("change", () => { chosen[key] = select.value; draw(); });
    return element("label", {}, `${label} `, select);
  }

  const form = element("form", { "aria-label": "What is shown" });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.append(menu("subject", "Policy", subjects.map(({ id, label }) => [id, label])));
  form.append(menu("visit", "A visit", [...new Set(values.map(({ visit }) => visit))].map((one) => [one, one])));
  for (const key of ["layers", "pages", "k"])
    form.append(menu(key, names[key], [["", "all"], ...numbers(key, values).map((one) => [String(one), String(one)])]));
  form.append(menu("shade", "Value", [["", "all"], ...shades.map(({ words }, place) => [String(place), words])]));

  const legend = element("ul", { class: "legend", "aria-label": "What the shade means: the value compared with k" });
  shades.forEach(({ words }, place) =>
    legend.append(element("li", {}, element("span", { class: `swatch ${shadeClass(place)}`, "aria-hidden": "true" }), ` ${words}`)));

  const count = element("p", { class: "count", role: "status" });
  const grids = element("div", { class: "grids" });
  const detail = element("section", { class: "detail", "aria-live": "polite", "aria-label": "The chosen instance" });
  const about = new Map();  // what a button is about

  const subjectOf = (value) => subjects.find(({ id }) => id === value.subject);
  const capital = (words) => words[0].toUpperCase() + words.slice(1);

  const title = (value) =>
    `ℓ = ${value.layers}, n = ${value.pages}, k = ${value.k}${value.visit === "1 page" ? "" : `, ${value.visit} a visit`}`;

  function grid(layers, there) {
    const columns = numbers("k", there), rows = numbers("pages", there).reverse();
    const table = element("table", {}, element("caption", {}, `ℓ = ${layers}`));
    const at = new Map(there.map((value) => [`${value.pages} ${value.k}`, value]));
    for (const n of rows) {
      const row = element("tr", {}, element("th", { scope: "row" }, `n = ${n}`));
      for (const k of columns) {
        const value = at.get(`${n} ${k}`), cell = element("td");
        if (value) {
          const button = element("button", { type: "button", class: shadeClass(value.shade), "aria-pressed": "false" },
            element("span", {}, shown(value.value)));
          button.setAttribute("aria-label", `${title(value)}: ${subjectOf(value).measure} ${value.value}`);
          button.title = `${title(value)}: ${value.value} (${shades[value.shade].words})`;
          about.set(button, value);
          cell.append(button);
        }
        row.append(cell);
      }
      table.append(row);
    }
    const foot = element("tr", {}, element("th", { scope: "row" }, "k ="));
    for (const k of columns) foot.append(element("th", { scope: "col" }, String(k)));
    table.append(foot);
    return element("div", { class: "grid", role: "group", "aria-label": `ℓ = ${layers}` }, table);
  }

  function draw() {
    const wanted = (value) =>
      ["subject", "visit", "layers", "pages", "k", "shade"].every((key) => chosen[key] === "" || String(value[key]) === chosen[key]);
    const there = values.filter(wanted);
    about.clear();
    grids.replaceChildren(...numbers("layers", there).map((l) => grid(l, there.filter(({ layers }) => layers === l))));
    count.textContent = there.length === 1 ? "1 instance" : `${there.length} instances`;
    const first = grids.querySelector("button");
    for (const button of about.keys()) button.tabIndex = button === first ? 0 : -1;
    detail.replaceChildren(element("p", {}, "Choose a cell."));
  }

  function command(line) {
    return element("pre", {}, element("code", {}, line));
  }

  function show(value) {
    const { label, measure } = subjectOf(value);
    const facts = element("dl");
    const fact = (term, ...text) => facts.append(element("dt", {}, term), element("dd", {}, ...text));
    const near = value.decimal !== null && value.value.includes("/") ? ` ≈ ${value.decimal.toFixed(3)}` : "";
    fact(capital(measure), element("strong", {}, shown(value.value)), `${near}, exact; ${shades[value.shade].words} (k = ${value.k})`);
    const { cycle } = value;
    if (cycle) {
      const lead = cycle.prefix.length ? `after ${cycle.prefix.join(" ")}: ` : "";
      fact("Cycle", `${lead}${cycle.requests.join(" ")}, again and again: ${cycle.online} faults a turn, OPT ${cycle.offline}`);
    } else if (value.proof.startsWith("a cycle")) fact("Cycle", "a long one, or not listed: the command prints it");
    fact("Certificate", `${value.proof}; the first command writes it, the second checks it`);
    const others = values.filter((other) =>
      title(other) === title(value) && other.subject !== value.subject && subjectOf(other).measure === measure);
    fact("Others here", others.map((other) => `${subjectOf(other).label} ${shown(other.value)}`).join(", ") || "none");
    detail.replaceChildren(element("h2", {}, `${label}, ${title(value)}`), facts, command(value.command), command(value.verify));
  }

  grids.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    for (const other of about.keys()) other.setAttribute("aria-pressed", String(other === button));
    for (const other of about.keys()) other.tabIndex = other === button ? 0 : -1;
    show(about.get(button));
  });

  const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [1, 0], ArrowDown: [-1, 0] };
  grids.addEventListener("keydown", (event) => {
    const step = steps[event.key], here = about.get(event.target);
    if (!step || !here) return;
    event.preventDefault();
    event.stopPropagation();  // the theme turns pages with these keys
    let { pages, k } = here;
    for (let tries = 0; tries < 16; tries++) {
      pages += step[0];
      k += step[1];
      for (const [button, value] of about)
        if (value.layers === here.layers && value.pages === pages && value.k === k) {
          button.tabIndex = 0;
          event.target.tabIndex = -1;
          button.focus();
          return;
        }
    }
  });

  root.replaceChildren(form, legend, count, element("div", { class: "columns" }, grids, detail));
  draw();
})();
