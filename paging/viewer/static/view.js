// The view of a film: boards, counts, tape, ratio curve, controls. It shows what it is given and decides nothing:
// every number and every cache comes precomputed. Used by the live page, the notebook widget and one-file pages.

const WORDS = { "-": "not cached", c: "cached", m: "cached, marked" };
const OPT_WORDS = { "-": "not cached", c: "cached", s: "in some optimal caches" };
const BITS = ["discard", "phase"]; // predictions that are one bit a request
const SPEEDS = [0.5, 1, 2, 4, 8, 16];

export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// Drawn, because not every font has the signs of a tape recorder.
const ICONS = {
  first: "M3 3h2v10H3zM13 3v10L6 8z", back: "M11 3v10L4 8z", play: "M4 2v12l10-6z", pause: "M3 2h4v12H3zM9 2h4v12H9z",
  forward: "M5 3v10l7-5z", last: "M11 3h2v10h-2zM3 3v10l7-5z",
  screen: "M2 2h5v2H4v3H2zM9 2h5v5h-2V4H9zM2 9h2v3h3v2H2zM12 9h2v5H9v-2h3z",
};
const icon = (name) => svg("svg", { viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" }, svg("path", { d: ICONS[name] }));

const rem = () => parseFloat(getComputedStyle(document.documentElement).fontSize);
const hidden = (text) => h("span", { class: "lp-sr" }, text);
const ratioOf = (frame) => (frame && frame.optimum ? frame.faults / frame.optimum : null);
const shown = (number) => (number === null ? "–" : Number.isInteger(number) ? String(number) : number.toFixed(2));

// Where pages lie: first ids per layer, names "layer.index".
function shape(film) {
  const first = [0];
  for (const count of film.pages_by_layer) first.push(first[first.length - 1] + count);
  const layerOf = (page) => first.findIndex((start, layer) => start <= page && page < first[layer + 1]);
  const name = (page) => `${layerOf(page)}.${page - first[layerOf(page)]}`;
  const [rows, total] = [Math.max(...film.pages_by_layer), first[first.length - 1]];
  return { first, layerOf, name, rows, total, compact: rows > 16 && total > 48 };
}

// One cache as a table: a column per layer, a cell per page.
class Board {
  constructor(film, geometry, caption, numbers, onChoose) {
    this.geometry = geometry;
    this.numberName = numbers.split(", the ")[0];
    this.legend = numbers && !geometry.compact && `numbers: ${numbers}`;
    this.cells = [];
    this.heads = [];
    this.count = h("span", { class: "lp-filled" });
    this.compact = geometry.compact;
    const cellOf = (page, exists) => {
      const cell = h("td", {});
      if (exists) this.cells[page] = cell;
      return cell;
    };
    const layers = [...Array(film.layers).keys()];
    const pages = (layer) => [...Array(film.pages_by_layer[layer]).keys()].map((row) => geometry.first[layer] + row);
    for (const layer of layers) this.heads[layer] = h("th", { scope: this.compact ? "row" : "col" });
    const body = h("tbody");
    if (this.compact) {
      for (const layer of layers) body.append(h("tr", {}, this.heads[layer], ...pages(layer).map((page) => cellOf(page, true))));
    } else {
      for (let row = 0; row < geometry.rows; row++) {
        body.append(h("tr", {}, ...layers.map((layer) => cellOf(geometry.first[layer] + row, row < film.pages_by_layer[layer]))));
      }
    }
    this.table = h("table", {}, h("caption", { class: "lp-sr" }, caption),
      this.compact ? null : h("thead", {}, h("tr", {}, ...this.heads)), body);
    const wide = film.layers > 8 || this.compact;
    this.window = h("div", { class: "lp-scroll", tabindex: wide && "0", role: wide && "group", "aria-label": wide && caption }, this.table);
    this.root = h("figure", { class: "lp-board" }, h("figcaption", {}, h("span", {}, caption), this.count), this.window);
    this.root.classList.toggle("lp-dense", !this.compact && (film.layers > 8 || geometry.rows > 12));
    this.root.classList.toggle("lp-compact", this.compact);
    this.onChoose = onChoose;
    this.drawn = [];
  }

  // look: { letters, words, page, fault, victims:Set, layer, choices:Set, pending, size }
  draw(look) {
    let filled = 0;
    this.cells.forEach((cell, page) => {
      const letter = look.letters ? look.letters[page] : "-";
      if (letter === "c" || letter === "m") filled += 1;
      const requested = page === look.page;
      const victim = look.victims.has(page);
      const choice = look.choices.has(page);
      const number = look.numbers && look.numbers[page] !== "-" ? look.numbers[page] : "";
      const key = [letter, requested, requested && look.fault, victim, choice, page === look.pending, number].join();
      if (this.drawn[page] === key) return;
      this.drawn[page] = key;
      const kinds = { "-": "lp-absent", c: "lp-cached", m: "lp-cached lp-marked", s: "lp-possible" }[letter];
      cell.className = `lp-cell ${kinds}${requested ? " lp-requested" : ""}${requested && look.fault ? " lp-fault" : ""}` +
        `${victim ? " lp-victim" : ""}${page === look.pending ? " lp-pending" : ""}`;
      const marks = h("span", { class: "lp-marks", "aria-hidden": "true" },
        ...[letter === "m" && "●", letter === "s" && "½", victim && "✕"].filter(Boolean).map((mark) => h("i", {}, mark)));
      const tag = requested ? h("span", { class: "lp-tag", "aria-hidden": "true" }, look.tags[look.fault ? 1 : 0])
        : page === look.pending ? h("span", { class: "lp-tag", "aria-hidden": "true" }, "asked for") : null;
      const name = this.geometry.name(page);
      const words = [look.words[letter], requested && `requested, ${look.tags[look.fault ? 1 : 0]}`,
        page === look.pending && "asked for, a fault", victim && "left", number && `${this.numberName} ${number}`].filter(Boolean).join(", ");
      if (this.compact) {
        cell.title = `${name}, ${words}`;
        cell.replaceChildren(hidden(`${name}, ${words}`));
        return;
      }
      const inside = [h("b", {}, name), number ? h("span", { class: "lp-number", "data-number": number }) : null, marks, tag];
      if (choice) {
        cell.replaceChildren(h("button", { type: "button", class: "lp-choice", "data-page": page,
          "aria-label": `${look.choiceWord} page ${name}, ${words}`, onclick: () => this.onChoose(page) }, ...inside.filter(Boolean)));
      } else {
        cell.replaceChildren(...inside.filter(Boolean), hidden(`, ${words}`));
      }
    });
    this.heads.forEach((head, layer) => {
      const now = layer === look.layer;
      head.classList.toggle("lp-now", now);
      head.replaceChildren(h("span", { "aria-hidden": "true" }, now ? (this.compact ? "▶" : "▼") : " "), h("span", {}, this.compact ? String(layer) : `layer ${layer}`),
        now ? hidden(" (being served)") : "");
    });
    if (!this.compact && this.window.scrollWidth > this.window.clientWidth) {
      this.window.scrollLeft = this.heads[look.layer].offsetLeft - this.window.clientWidth / 2;
    }
    const used = !look.letters ? "" : look.filled(filled);
    this.count.replaceChildren(...[used, this.legend].filter(Boolean).map((text) => h("span", {}, text)));
  }
}

// The proven bounds of a run, those that are equal as one.
function bounds(run, of) {
  const found = [];
  for (const guide of run.guides) {
    const formula = guide.formula.replaceAll(" ", "\u00a0"); // no line ends within it
    const factor = /[+−\s]/.test(formula) ? `(${formula})` : formula;
    const more = { 0: "" }[guide.additive] ?? (guide.additive === null ? " + a constant" : ` + ${guide.additive}`);
    const upper = found.find((bound) => guide.kind === "lower" && bound.height === guide.height && guide.height !== null);
    if (upper) {
      upper.kind = "both";
      upper.label = of ? `${of} = ${upper.text}` : `proven and forced: ${upper.text}`;
      upper.claim += "; no smaller factor does";
      if (upper.id !== guide.id) upper.id += `, ${guide.id}`;
    } else if (guide.kind === "lower") {
      found.push({ ...guide, of, label: of ? `${of} ≥ ${guide.text}` : `lower bound ${guide.text}`,
        claim: guide.height === null ? "No bound holds: the ratio can be forced to any height" : `Can be forced: faults ≥ ${factor}·OPT in the long run` });
    } else if (guide.height === 1 && guide.additive === "0") {
      found.push({ ...guide, of, label: of ? `${of} = 1` : "ratio 1", claim: "Everything fits: ratio 1, faults = OPT" });
    } else {
      found.push({ ...guide, of, label: of ? `${of} ≤ ${guide.text}` : `upper bound ${guide.text}`, claim: `Proven: faults ≤ ${factor}·OPT${more}` });
    }
  }
  return found;
}

// The observed ratio against the number of requests, with the proven bounds.
class Curve {
  constructor() {
    this.box = h("div", { class: "lp-plot" });
    this.notes = h("ul", { class: "lp-guides" });
    this.root = h("figure", { class: "lp-curve" }, h("figcaption", {}, "Faults ÷ OPT so far"), this.box, this.notes);
    this.observer = new ResizeObserver(() => this.film && this.box.clientWidth !== this.width && this.draw(this.film, this.at));
    this.observer.observe(this.box);
  }

  describe(film) {
    this.runs = film.beside ? [film, film.beside] : [film];
    this.bounds = this.runs.flatMap((run) => bounds(run, film.beside ? run.label : ""));
    this.notes.replaceChildren(...this.bounds.map((bound) => h("li", {},
      h("span", { class: `lp-line lp-${bound.kind}`, "aria-hidden": "true" }),
      h("span", {}, h("b", {}, bound.of ? `${bound.of}: ${bound.claim[0].toLowerCase()}${bound.claim.slice(1)}` : bound.claim), bound.formula === bound.text ? "" : `, here ${bound.text}`, ` (${bound.id})`,
        bound.in_expectation ? ", in expectation: a single run may do otherwise" : "", "."))));
    if (!this.bounds.length) this.notes.replaceChildren(h("li", {}, "No proven bound is known here for this policy."));
    if (film.beside) {
      this.notes.prepend(...this.runs.map((run, place) => h("li", {},
        h("span", { class: `lp-line lp-run${place}`, "aria-hidden": "true" }), h("span", {}, run.label))));
    }
  }

  draw(film, at) {
    this.film = film;
    this.at = at;
    this.width = this.box.clientWidth;
    const width = Math.max(250, this.width || 640);
    const height = Math.max(190, Math.min(270, width * 0.55));
    const left = 2.6 * rem(), right = 12, top = 12, bottom = 2.4 * rem();
    const frames = film.frames;
    // A bound far above everything observed would press the curve flat: it is named at the upper edge instead.
    const reached = Math.max(1.5, film.goal || 0, ...this.runs.flatMap((run) => run.frames.map(ratioOf)).filter((value) => value !== null));
    const heights = this.bounds.map((guide) => guide.height).filter((value) => value !== null && value <= 5 * reached);
    const highest = Math.max(reached, ...heights) * 1.14;
    const start = film.start;
    const length = Math.max(film.length || 0, frames.length, 1);
    const x = (t) => left + (width - left - right) * ((t - start) / length);
    const y = (value) => height - bottom - (height - top - bottom) * (value / highest);
    const parts = [];
    const step = [0.5, 1, 2, 5, 10, 20, 50].find((size) => highest / size <= 6) || 100;
    for (let value = 0; value <= highest; value += step) {
      parts.push(svg("line", { x1: left, x2: width - right, y1: y(value), y2: y(value), class: "lp-grid" }),
        svg("text", { x: left - 7, y: y(value) + 4, "text-anchor": "end" }, String(value)));
    }
    const tick = [5, 10, 20, 50, 100, 200, 500, 1000].find((size) => length / size <= width / 75) || 5000;
    for (let t = Math.ceil(start / tick) * tick; t <= start + length; t += tick) {
      const late = x(t) > width - right - 18;
      parts.push(svg("text", { x: late ? width : x(t), y: height - bottom + 1.05 * rem(), "text-anchor": late ? "end" : "middle" }, String(t)));
    }
    parts.push(svg("text", { x: width - right, y: height - 5, "text-anchor": "end" }, "requests"));
    const low = { start: -Infinity, end: -Infinity }; // labels on one side stand below each other
    for (const guide of [...this.bounds].sort((a, b) => (b.height ?? Infinity) - (a.height ?? Infinity))) {
      const over = guide.height === null || guide.height > highest;
      const side = guide.kind === "lower" ? "start" : "end";
      low[side] = Math.max(over ? top + 6 : y(guide.height) - 6, low[side] + 14);
      if (!over) {
        parts.push(svg("line", { x1: left, x2: width - right, y1: y(guide.height), y2: y(guide.height), class: `lp-${guide.kind}` }));
      }
      parts.push(svg("text", { x: side === "end" ? width - right : left + 6, y: low[side], "text-anchor": side, class: "lp-label" }, `${over ? "↑ " : ""}${guide.label}`));
    }
    if (film.goal) {
      parts.push(svg("line", { x1: left, x2: width - right, y1: y(film.goal), y2: y(film.goal), class: "lp-goal" }),
        svg("text", { x: left + 6, y: y(film.goal) - 6, class: "lp-label" }, "goal"));
    }
    this.runs.forEach((run, place) => {
      const points = run.frames.slice(0, at).map((frame, t) => `${x(start + t + 1).toFixed(1)},${y(ratioOf(frame)).toFixed(1)}`);
      if (!points.length) return;
      const [px, py] = points[points.length - 1].split(",");
      parts.push(svg("polyline", { points: points.join(" "), class: `lp-ratio lp-run${place}` }),
        svg("circle", { cx: px, cy: py, r: 5, class: `lp-point lp-run${place}` }));
    });
    const now = this.runs.map((run) => `${film.beside ? `${run.label} ` : ""}${shown(ratioOf(run.frames[at - 1]))}`).join(", ");
    const picture = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img",
      "aria-label": `Ratio of faults to OPT so far after ${start + at} requests: ${now}. ` +
        this.bounds.map((bound) => bound.label).join(", ") }, ...parts);
    this.box.replaceChildren(picture);
  }
}

class View {
  constructor(root, options) {
    this.root = root;
    this.options = options;
    this.film = null;
    this.at = 0;
    this.speed = 2;
    this.timer = null;
    this.choices = new Set();
    this.onKey = (event) => this.key(event);
    (options.keys || root).addEventListener("keydown", this.onKey);
  }

  // state: { film, at?, choices?, choiceWord?, pending?, layer?, playFrom?, follow? }
  update(state) {
    const film = state.film;
    const head = (shown) => JSON.stringify(shown, (key, value) => (key === "frames" || key === "label" ? undefined : value)); // all that build() draws from
    const same = this.film && head(film) === head(this.film);
    this.film = film;
    for (const run of film.beside ? [film, film.beside] : [film]) {
      run.label = run.policy + (film.beside && film.beside.cache !== film.cache ? `, k = ${run.cache}` : "");
    }
    this.choices = new Set(state.choices || []);
    this.choiceWord = state.choiceWord || "choose";
    this.pending = state.pending ?? null;
    this.bit = state.bit ?? null; // what is predicted with the page that is asked for
    this.nextLayer = state.layer ?? null;
    if (!same) this.build();
    this.curve.describe(film);
    this.slider.max = String(film.frames.length);
    if (state.playFrom !== undefined && state.playFrom < film.frames.length && !this.calm()) {
      this.show(state.playFrom + 1);
      this.play();
    } else {
      this.stop();
      this.show(state.at ?? 0);
    }
    return this;
  }

  calm() {
    return window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  }

  build() {
    const film = this.film;
    if (!this.paced) this.speed = SPEEDS[film.frames.length > 400 ? 5 : film.frames.length > 120 ? 3 : 2]; // a long film in a minute or two
    this.geometry = shape(film);
    const choose = (page) => this.options.onChoose && this.options.onChoose(page);
    const own = film.policy === "you";
    const two = film.beside;
    this.board = new Board(film, this.geometry, own ? "Your cache" : `Cache of ${film.label}`, film.numbers_title, choose);
    this.other = two ? new Board(two, this.geometry, `Cache of ${two.label}`, two.numbers_title, choose)
      : new Board(film, this.geometry, film.optimum_title, film.optimum_numbers_title, choose);
    this.curve = new Curve();
    this.facts = {};
    const fact = (id, label) => h("div", { class: `lp-count lp-count-${id}` }, h("dt", {}, label), (this.facts[id] = h("dd", {})));
    this.counts = h("dl", { class: "lp-counts" }, fact("time", "request"), two ? null : fact("phase", "k-phase"),
      fact("faults", own ? "your faults" : `faults of ${film.label}`), two ? fact("beside", `faults of ${two.label}`) : null,
      fact("optimum", film.opt_cache === film.cache ? "OPT so far" : `OPT so far, h = ${film.opt_cache}`),
      fact("ratio", two ? `ratio of ${film.label}` : "ratio"), two ? fact("ratio2", `ratio of ${two.label}`) : null);
    this.say = h("p", { class: "lp-say", role: "status" });
    this.tape = h("div", { class: "lp-tape", "aria-hidden": "true" });
    const button = (label, text, action, keys) => h("button", { type: "button", class: "lp-button", "aria-label": label,
      title: `${label} (${keys})`, "aria-keyshortcuts": keys, onclick: action }, text);
    this.toggle = button("play", "", () => this.flip(), "Space");
    this.slider = h("input", { type: "range", min: String(this.earliest()), max: String(film.frames.length), value: "0", "aria-label": "request shown",
      oninput: () => { this.stop(); this.show(Number(this.slider.value)); } });
    this.pace = h("select", { "aria-label": "speed", onchange: () => { this.speed = Number(this.pace.value); this.paced = true; this.again(); } },
      ...SPEEDS.map((speed) => h("option", { value: speed, selected: speed === this.speed }, `${speed} per second`)));
    this.controls = h("div", { class: "lp-controls", role: "group", "aria-label": "playing" },
      button("first", icon("first"), () => this.jump(0), "Home"), button("back", icon("back"), () => this.jump(this.at - 1), "ArrowLeft"), this.toggle,
      button("forward", icon("forward"), () => this.jump(this.at + 1), "ArrowRight"),
      button("last", icon("last"), () => this.jump(this.film.frames.length), "End"), this.slider, this.pace,
      document.fullscreenEnabled ? button("full screen", icon("screen"), () => this.fill(), "f") : null);
    const legend = h("ul", { class: "lp-legend", "aria-label": "what the cells show" },
      ...[["lp-cached", "", "cached"], ["lp-cached lp-marked", "●", "marked: requested in this k-phase"], ["lp-absent", "", "not cached"],
        ["lp-cached lp-requested", "", "requested: hit"], ["lp-cached lp-requested lp-fault", "", "requested: fault"],
        ["lp-absent lp-victim", "✕", "victim: has just left"],
        ...(!two && film.optimum_title.startsWith("Optimal")
          ? [["lp-possible", "½", "in some optimal caches"]] : [])]
        .map(([kinds, mark, text]) => h("li", {}, h("span", { class: `lp-cell lp-key ${kinds}`, "aria-hidden": "true" },
          h("span", { class: "lp-marks" }, h("i", {}, mark))), text)));
    const keys = h("details", { class: "lp-help" }, h("summary", {}, "Keys and signs"), legend,
      h("p", {}, "Space plays and pauses, ← and → step, Page Up and Page Down move by a round, Home and End jump, + and − change the speed, f fills the screen. " +
        "Where you choose: the digit of a page, or of its layer and then its own, or arrow keys between the pages and Enter."));
    const pages = film.pages_by_layer.every((n) => n === film.pages_by_layer[0]) ? film.pages_by_layer[0] : film.pages_by_layer.join("/");
    const model = h("p", { class: "lp-model" },
      `ℓ = ${film.layers} layers, n = ${pages} pages each, k = ${film.cache}${two && two.cache !== film.cache ? ` and ${two.cache}` : ""} slots${film.per_visit > 1 ? `, g = ${film.per_visit}` : ""} · ${film.variant}` +
      (film.seed === null && (!two || two.seed === null) ? "" : ` · one sampled run, seed ${film.seed ?? two.seed}`) + (film.remark ? ` · ${film.remark}` : ""));
    const stage = h("div", { class: "lp-stage" }, this.board.root, this.other.root, this.curve.root);
    stage.classList.toggle("lp-wide", film.layers > 5 || this.geometry.compact);
    const facing = !two && film.optimum_title.startsWith("Optimal");
    this.optTags = facing ? ["OPT + 0", "OPT + 1"] : ["hit", "fault"];
    this.optFilled = facing ? () => "solid: in every one · ½: in some" : (filled) => `${filled} of ${film.opt_cache} slots used`;
    this.root.classList.add("lp-view");
    if (!this.options.keys) this.root.tabIndex = 0;
    this.root.replaceChildren(model, this.counts, this.controls, this.say, stage, this.tape, keys);
  }

  show(at) {
    const film = this.film;
    this.at = Math.max(this.earliest(), Math.min(at, film.frames.length));
    const frame = film.frames[this.at - 1] || null;
    const latest = this.at === film.frames.length;
    const choosing = latest && this.choices.size > 0;
    const layer = choosing ? this.nextLayer : frame ? this.geometry.layerOf(frame.page) : 0;
    const empty = "-".repeat(this.geometry.total);
    const asked = choosing && this.pending !== null;
    const look = { page: frame && !asked ? frame.page : null, layer, choices: new Set(), pending: null, choiceWord: this.choiceWord };
    this.board.draw({ ...look, letters: frame ? frame.cells : empty, words: WORDS, fault: frame && !frame.hit, tags: ["hit", "fault"],
      filled: (filled) => `${filled} of ${film.cache} slots used`, victims: new Set(frame && !asked ? frame.victims : []), choices: choosing ? this.choices : new Set(), pending: choosing ? this.pending : null,
      numbers: frame && frame.numbers.split(" ") });
    const said = film.beside ? this.both(frame, film.beside.frames[this.at - 1], look) : this.optimum(frame, film.frames[this.at - 2], look);
    const lines = asked ? [`Request ${this.at + 1}, layer ${layer}: page ${this.geometry.name(this.pending)}${this.told(this.bit)}, a fault. The cache is full.`] : said;
    this.count(frame);
    this.strip();
    this.curve.draw(film, this.at);
    this.slider.value = String(this.at);
    if (this.wantsFocus && choosing) this.focusChoice();
    this.slider.setAttribute("aria-valuetext", `request ${this.time()} of ${film.start + film.frames.length}`);
    if (latest) this.stop();
    this.say.setAttribute("aria-live", this.timer ? "off" : "polite");
    if (this.said !== lines.join()) this.say.replaceChildren(...lines.map((line) => h("span", {}, line)));
    this.said = lines.join();
    if (this.options.onShow) this.options.onShow(this.at);
  }

  // Draw OPT's board, and return what is said of the request.
  optimum(frame, before, look) {
    const letters = frame ? frame.optimum_cells : "-".repeat(this.geometry.total);
    const left = [];
    if (frame && before && letters) [...before.optimum_cells].forEach((letter, page) => letter === "c" && letters[page] === "-" && left.push(page));
    this.other.root.classList.toggle("lp-closed", letters === "");
    this.other.draw({ ...look, letters: letters || null, words: OPT_WORDS, fault: frame && frame.optimum > (before ? before.optimum : 0), victims: new Set(left),
      tags: this.optTags, filled: this.optFilled, numbers: frame && letters && frame.optimum_numbers.split(" ") });
    return [this.sentence(frame), ...(frame && frame.optimum_why ? [`OPT: ${this.leaving(left, frame.optimum_why)}`] : [])];
  }

  // Draw the second policy's board, and return what is said of both.
  both(frame, other, look) {
    const two = this.film.beside;
    this.other.draw({ ...look, letters: other ? other.cells : "-".repeat(this.geometry.total), words: WORDS, fault: other && !other.hit, tags: ["hit", "fault"],
      filled: (filled) => `${filled} of ${two.cache} slots used`, victims: new Set(other ? other.victims : []), numbers: other && other.numbers.split(" ") });
    if (!frame) return [this.sentence(frame)];
    return [`Request ${this.time()}, layer ${look.layer}: page ${this.geometry.name(frame.page)}${this.told(frame.prediction)}.`,
      `${this.film.label}: ${this.answer(frame)}`, `${two.label}: ${this.answer(other)}`];
  }

  earliest() {
    return this.film.start ? 1 : 0; // what was cached before the first frame is not known
  }

  time() {
    return this.film.start + this.at;
  }

  fill() {
    const stage = this.options.stage || this.root;
    if (document.fullscreenElement) document.exitFullscreen();
    else if (stage.requestFullscreen) stage.requestFullscreen();
  }

  count(frame) {
    const film = this.film;
    const round = film.layers * film.per_visit;
    this.facts.time.textContent = `${this.time()} / ${film.start + (film.length || film.frames.length)}`;
    this.facts.time.title = `round ${Math.max(1, Math.ceil(this.time() / round))}`;
    if (film.beside) {
      const other = film.beside.frames[this.at - 1] || null;
      this.facts.beside.textContent = other ? other.faults : 0;
      this.facts.ratio2.textContent = shown(ratioOf(other));
    } else this.facts.phase.textContent = frame ? frame.phase : "–";
    this.facts.faults.textContent = frame ? frame.faults : 0;
    this.facts.optimum.textContent = frame ? frame.optimum : 0;
    this.facts.ratio.textContent = shown(ratioOf(frame));
  }

  sentence(frame) {
    if (!frame) return this.film.frames.length ? "The cache is empty. Press play, or step with →." : "The cache is empty.";
    return `Request ${this.time()}, layer ${this.geometry.layerOf(frame.page)}: page ${this.geometry.name(frame.page)}${this.told(frame.prediction)}, ${this.answer(frame)}`;
  }

  // What is predicted with a request, in words.
  told(prediction) {
    const words = { discard: ["to be kept", "to be discarded"], phase: ["to come in the next phase", "not to come in the next phase"] }[this.film.predicted];
    if (words) return ` (${words[prediction]}, bit ${prediction})`;
    return this.film.predicted ? ` (predicted again at request ${prediction + 1})` : "";
  }

  answer(frame) {
    if (frame.hit) return frame.victims.length ? `a hit. ${this.leaving(frame.victims, frame.why)}` : "a hit.";
    if (frame.cells[frame.page] === "-") return "a fault, served without caching.";
    if (!frame.victims.length) return "a fault. It takes a free slot.";
    return `a fault. ${this.leaving(frame.victims, frame.why)}`;
  }

  leaving(pages, why) {
    const names = pages.map(this.geometry.name);
    return `${names.length === 1 ? `Page ${names[0]} leaves` : `Pages ${names.join(", ")} leave`}${why ? `: ${why}` : ""}.`;
  }

  strip() {
    const frames = this.film.frames;
    const room = Math.max(5, Math.floor((this.tape.clientWidth || 900) / (3.25 * rem())));
    const from = Math.max(0, Math.min(this.at - Math.ceil(room / 2), frames.length - room));
    this.tape.replaceChildren(...frames.slice(from, from + room).map((frame, offset) => {
      const time = from + offset + 1;
      const state = time === this.at ? "lp-here" : time > this.at ? "lp-ahead" : "";
      return h("span", { class: `lp-chip ${state} ${frame.hit ? "" : "lp-miss"}`, title: `request ${this.film.start + time}`, onclick: () => this.jump(time) },
        h("b", {}, this.geometry.name(frame.page)), BITS.includes(this.film.predicted) ? h("small", { title: this.told(frame.prediction) }, String(frame.prediction)) : null,
        time > this.at ? " " : frame.hit ? "✓" : "✕");
    }));
  }

  jump(at) {
    this.stop();
    this.show(at);
  }

  flip() {
    if (this.timer) {
      this.stop();
      this.show(this.at);
    } else {
      if (this.at >= this.film.frames.length) this.show(0);
      this.play();
    }
  }

  play() {
    if (this.at >= this.film.frames.length) return;
    clearInterval(this.timer);
    this.timer = setInterval(() => this.show(this.at + 1), 1000 / this.speed);
    this.label();
  }

  again() {
    if (this.timer) this.play();
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    if (this.toggle) this.label();
  }

  label() {
    const word = this.timer ? "pause" : "play";
    if (this.toggle.getAttribute("aria-label") === word && this.toggle.firstElementChild) return;
    this.toggle.setAttribute("aria-label", word);
    this.toggle.replaceChildren(icon(word), word);
  }

  faster(by) {
    const place = Math.max(0, Math.min(SPEEDS.length - 1, SPEEDS.indexOf(this.speed) + by));
    this.speed = SPEEDS[place];
    this.paced = true;
    this.pace.value = String(this.speed);
    this.again();
  }

  key(event) {
    if (!this.film || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target;
    if (/^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName)) return;
    const pressing = (event.key === " " || event.key === "Enter") && /^(BUTTON|A|SUMMARY)$/.test(target.tagName);
    if (pressing) return;
    const choice = target.closest && target.closest(".lp-choice");
    const round = this.film.layers * this.film.per_visit;
    if (choice && event.key.startsWith("Arrow")) this.walk(choice, event.key);
    else if (/^[0-9]$/.test(event.key)) { if (!this.digit(event.key)) return; }
    else {
      const action = { " ": () => this.flip(), ArrowLeft: () => this.jump(this.at - 1), ArrowRight: () => this.jump(this.at + 1),
        Home: () => this.jump(0), End: () => this.jump(this.film.frames.length), PageUp: () => this.jump(this.at - round),
        PageDown: () => this.jump(this.at + round), "+": () => this.faster(1), "-": () => this.faster(-1), f: () => this.fill() }[event.key];
      if (!action) return;
      action();
    }
    event.preventDefault();
  }

  // A digit chooses a page when it names exactly one of the choices; otherwise it is a layer, and the next one a page.
  digit(key) {
    if (this.at !== this.film.frames.length || !this.options.onChoose || !this.choices.size) return false;
    const among = (ending) => [...this.choices].filter((page) => this.geometry.name(page).endsWith(ending));
    const whole = this.typed == null ? [] : among(`${this.typed}.${key}`);
    const named = whole.length ? whole : among(`.${key}`);
    this.typed = named.length === 1 ? null : key;
    if (named.length === 1) this.options.onChoose(named[0]);
    return true;
  }

  // Arrow keys move between the pages that can be chosen, to the nearest one in that direction.
  walk(button, key) {
    const place = (element) => {
      const box = element.getBoundingClientRect();
      return [box.left + box.width / 2, box.top + box.height / 2];
    };
    const [x, y] = place(button);
    const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
    let nearest = null, least = Infinity;
    for (const other of this.board.root.querySelectorAll(".lp-choice")) {
      const [ox, oy] = place(other);
      const along = (ox - x) * dx + (oy - y) * dy;
      const across = Math.abs((ox - x) * dy) + Math.abs((oy - y) * dx);
      if (along > 1 && along + 3 * across < least) [nearest, least] = [other, along + 3 * across];
    }
    if (nearest) nearest.focus();
  }

  // Put the focus on the first page that can be chosen; while a film plays there is none before its end.
  focusChoice() {
    const first = this.board.root.querySelector(".lp-choice");
    this.wantsFocus = !first && this.at < this.film.frames.length;
    if (first) first.focus();
  }

  destroy() {
    this.stop();
    if (this.curve) this.curve.observer.disconnect();
    (this.options.keys || this.root).removeEventListener("keydown", this.onKey);
    this.root.replaceChildren();
  }
}

export function mount(root, options = {}) {
  return new View(root, options);
}

// The notebook widget: the film and the request shown are synchronised with Python.
function render({ model, el }) {
  const view = mount(el, { onShow: (at) => { if (model.get("at") !== at) { model.set("at", at); model.save_changes(); } } });
  view.update({ film: model.get("film"), at: model.get("at") });
  const jump = () => model.get("at") !== view.at && view.jump(model.get("at"));
  model.on("change:at", jump);
  return () => { model.off("change:at", jump); view.destroy(); };
}

export default { render };
