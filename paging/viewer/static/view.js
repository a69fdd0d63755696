// The view of a film: boards, counts, tape, ratio curve, controls. It shows what it is given and decides nothing:
// every number and every cache comes precomputed. Used by the live page, the notebook widget and one-file pages.

const WORDS = { "-": "not cached", c: "cached", m: "cached, marked" };
const OPT_WORDS = { "-": "not cached", c: "cached", s: "in some optimal caches" };
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
  return { first, layerOf, name, rows: Math.max(...film.pages_by_layer), total: first[first.length - 1] };
}

// One cache as a table: a column per layer, a cell per page.
class Board {
  constructor(film, geometry, caption, onChoose) {
    this.geometry = geometry;
    this.cells = [];
    this.heads = [];
    this.count = h("span", { class: "lp-filled" });
    const head = h("tr");
    for (let layer = 0; layer < film.layers; layer++) {
      this.heads.push(h("th", { scope: "col" }));
      head.append(this.heads[layer]);
    }
    const body = h("tbody");
    for (let row = 0; row < geometry.rows; row++) {
      const line = h("tr");
      for (let layer = 0; layer < film.layers; layer++) {
        const page = geometry.first[layer] + row;
        const exists = page < geometry.first[layer + 1];
        const cell = h("td", {});
        if (exists) this.cells[page] = cell;
        line.append(cell);
      }
      body.append(line);
    }
    this.table = h("table", {}, h("caption", { class: "lp-sr" }, caption), h("thead", {}, head), body);
    const wide = film.layers > 8;
    this.window = h("div", { class: "lp-scroll", tabindex: wide && "0", role: wide && "group", "aria-label": wide && caption }, this.table);
    this.root = h("figure", { class: "lp-board" }, h("figcaption", {}, h("span", {}, caption), this.count), this.window);
    this.root.classList.toggle("lp-dense", film.layers > 8 || geometry.rows > 12);
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
      const key = [letter, requested, requested && look.fault, victim, choice, page === look.pending].join();
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
        page === look.pending && "asked for, a fault", victim && "left"].filter(Boolean).join(", ");
      const inside = [h("b", {}, name), marks, tag];
      if (choice) {
        cell.replaceChildren(h("button", { type: "button", class: "lp-choice", "data-page": page,
          "aria-label": `${look.choiceWord} page ${name}, ${words}`, onclick: () => this.onChoose(page) }, ...inside));
      } else {
        cell.replaceChildren(...inside.filter(Boolean), hidden(`, ${words}`));
      }
    });
    this.heads.forEach((head, layer) => {
      const now = layer === look.layer;
      head.classList.toggle("lp-now", now);
      head.replaceChildren(h("span", { "aria-hidden": "true" }, now ? "▼" : " "), h("span", {}, `layer ${layer}`),
        now ? hidden(" (being served)") : "");
    });
    if (this.window.scrollWidth > this.window.clientWidth) {
      this.window.scrollLeft = this.heads[look.layer].offsetLeft - this.window.clientWidth / 2;
    }
    this.count.textContent = !look.letters ? "" : look.filled(filled);
  }
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
    const claim = (guide) => {
      const factor = /[+− ]/.test(guide.formula) ? `(${guide.formula})` : guide.formula;
      if (guide.kind === "lower") return guide.height === null ? "No bound holds: the ratio can be forced to any height" : `Can be forced: faults ≥ ${factor}·OPT in the long run`;
      const more = { 0: "" }[guide.additive] ?? (guide.additive === null ? " + a constant" : ` + ${guide.additive}`);
      return `Proven: faults ≤ ${factor}·OPT${more}`;
    };
    this.notes.replaceChildren(...film.guides.map((guide) => h("li", {},
      h("span", { class: `lp-line lp-${guide.kind}`, "aria-hidden": "true" }),
      h("span", {}, h("b", {}, claim(guide)), guide.formula === guide.text ? "" : `, here ${guide.text}`, ` (${guide.id})`,
        guide.in_expectation ? ", in expectation: a single run may do otherwise" : "", "."))));
    if (!film.guides.length) this.notes.replaceChildren(h("li", {}, "No proven bound is known here for this policy."));
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
    const reached = Math.max(1.5, film.goal || 0, ...frames.map(ratioOf).filter((value) => value !== null));
    const heights = film.guides.map((guide) => guide.height).filter((value) => value !== null && value <= 5 * reached);
    const highest = Math.max(reached, ...heights) * 1.08;
    const length = Math.max(film.length || 0, frames.length, 1);
    const x = (t) => left + (width - left - right) * (t / length);
    const y = (value) => height - bottom - (height - top - bottom) * (value / highest);
    const parts = [];
    const step = [0.5, 1, 2, 5, 10, 20, 50].find((size) => highest / size <= 6) || 100;
    for (let value = 0; value <= highest; value += step) {
      parts.push(svg("line", { x1: left, x2: width - right, y1: y(value), y2: y(value), class: "lp-grid" }),
        svg("text", { x: left - 7, y: y(value) + 4, "text-anchor": "end" }, String(value)));
    }
    const tick = [5, 10, 20, 50, 100, 200, 500, 1000].find((size) => length / size <= width / 75) || 5000;
    for (let t = 0; t <= length; t += tick) {
      parts.push(svg("text", { x: x(t), y: height - bottom + 1.05 * rem(), "text-anchor": "middle" }, String(t)));
    }
    parts.push(svg("text", { x: width - right, y: height - 5, "text-anchor": "end" }, "requests"));
    for (const guide of film.guides) {
      const above = guide.kind === "upper";
      if (guide.height === null || guide.height > highest) {
        parts.push(svg("text", { x: above ? width - right : left + 6, y: top + 6, "text-anchor": above ? "end" : "start",
          class: "lp-label" }, `↑ ${guide.kind} bound ${guide.text}`));
        continue;
      }
      parts.push(svg("line", { x1: left, x2: width - right, y1: y(guide.height), y2: y(guide.height),
        class: `lp-${guide.kind}` }),
      svg("text", { x: above ? width - right : left + 6, y: y(guide.height) + (above ? 16 : -6),
        "text-anchor": above ? "end" : "start", class: "lp-label" },
      above ? `upper bound ${guide.text}` : `lower bound ${guide.text}`));
    }
    if (film.goal) {
      parts.push(svg("line", { x1: left, x2: width - right, y1: y(film.goal), y2: y(film.goal), class: "lp-goal" }),
        svg("text", { x: (left + width) / 2, y: y(film.goal) - 6, "text-anchor": "middle", class: "lp-label" }, "goal"));
    }
    const points = frames.slice(0, at).map((frame, t) => `${x(t + 1).toFixed(1)},${y(ratioOf(frame)).toFixed(1)}`);
    if (points.length) {
      const [px, py] = points[points.length - 1].split(",");
      parts.push(svg("polyline", { points: points.join(" "), class: "lp-ratio" }),
        svg("circle", { cx: px, cy: py, r: 5, class: "lp-point" }));
    }
    const now = shown(ratioOf(frames[at - 1]));
    const picture = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img",
      "aria-label": `Ratio of faults to OPT so far after ${at} requests: ${now}. ` +
        film.guides.map((guide) => `${guide.kind} bound ${guide.text}`).join(", ") }, ...parts);
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
    const head = (shown) => JSON.stringify({ ...shown, frames: null }); // everything that build() draws from
    const same = this.film && head(film) === head(this.film);
    this.film = film;
    this.choices = new Set(state.choices || []);
    this.choiceWord = state.choiceWord || "choose";
    this.pending = state.pending ?? null;
    this.nextLayer = state.layer ?? null;
    if (!same) this.build();
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
    this.geometry = shape(film);
    const choose = (page) => this.options.onChoose && this.options.onChoose(page);
    const own = film.policy === "you";
    this.board = new Board(film, this.geometry, own ? "Your cache" : `Cache of ${film.policy}`, choose);
    this.other = new Board(film, this.geometry, film.optimum_title, choose);
    this.curve = new Curve();
    this.curve.describe(film);
    this.facts = {};
    const fact = (id, label) => h("div", { class: `lp-count lp-count-${id}` }, h("dt", {}, label), (this.facts[id] = h("dd", {})));
    this.counts = h("dl", { class: "lp-counts" }, fact("time", "request"), fact("phase", "k-phase"),
      fact("faults", own ? "your faults" : `faults of ${film.policy}`), fact("optimum", film.opt_cache === film.cache ? "OPT so far" : `OPT so far, h = ${film.opt_cache}`),
      fact("ratio", "ratio"));
    this.say = h("p", { class: "lp-say", role: "status" });
    this.tape = h("div", { class: "lp-tape", "aria-hidden": "true" });
    const button = (label, text, action, keys) => h("button", { type: "button", class: "lp-button", "aria-label": label,
      title: `${label} (${keys})`, "aria-keyshortcuts": keys, onclick: action }, text);
    this.toggle = button("play", "", () => this.flip(), "Space");
    this.slider = h("input", { type: "range", min: "0", max: String(film.frames.length), value: "0", "aria-label": "request shown",
      oninput: () => { this.stop(); this.show(Number(this.slider.value)); } });
    this.pace = h("select", { "aria-label": "speed", onchange: () => { this.speed = Number(this.pace.value); this.again(); } },
      ...SPEEDS.map((speed) => h("option", { value: speed, selected: speed === this.speed }, `${speed} per second`)));
    this.controls = h("div", { class: "lp-controls", role: "group", "aria-label": "playing" },
      button("first", icon("first"), () => this.jump(0), "Home"), button("back", icon("back"), () => this.jump(this.at - 1), "ArrowLeft"), this.toggle,
      button("forward", icon("forward"), () => this.jump(this.at + 1), "ArrowRight"),
      button("last", icon("last"), () => this.jump(this.film.frames.length), "End"), this.slider, this.pace);
    const legend = h("ul", { class: "lp-legend", "aria-label": "what the cells show" },
      ...[["lp-cached", "", "cached"], ["lp-cached lp-marked", "●", "marked: requested in this k-phase"], ["lp-absent", "", "not cached"],
        ["lp-cached lp-requested", "", "requested: hit"], ["lp-cached lp-requested lp-fault", "", "requested: fault"],
        ["lp-absent lp-victim", "✕", "victim: has just left"],
        ...(film.optimum_title.startsWith("Optimal")
          ? [["lp-possible", "½", "in some optimal caches"]] : [])]
        .map(([kinds, mark, text]) => h("li", {}, h("span", { class: `lp-cell lp-key ${kinds}`, "aria-hidden": "true" },
          h("span", { class: "lp-marks" }, h("i", {}, mark))), text)));
    const keys = h("details", { class: "lp-help" }, h("summary", {}, "Keys and signs"), legend,
      h("p", {}, "Space plays and pauses, ← and → step, Page Up and Page Down move by a round, Home and End jump, + and − change the speed. " +
        "Where you choose: the digit of a page, or of its layer and then its own, or arrow keys between the pages and Enter."));
    const pages = film.pages_by_layer.every((n) => n === film.pages_by_layer[0]) ? film.pages_by_layer[0] : film.pages_by_layer.join("/");
    const model = h("p", { class: "lp-model" },
      `ℓ = ${film.layers} layers, n = ${pages} pages each, k = ${film.cache} slots${film.per_visit > 1 ? `, g = ${film.per_visit}` : ""} · ${film.variant}` +
      (film.seed === null ? "" : ` · one sampled run, seed ${film.seed}`) + (film.remark ? ` · ${film.remark}` : ""));
    const stage = h("div", { class: "lp-stage" }, this.board.root, this.other.root, this.curve.root);
    stage.classList.toggle("lp-wide", film.layers > 5);
    const facing = film.optimum_title.startsWith("Optimal");
    this.optTags = facing ? ["OPT + 0", "OPT + 1"] : ["hit", "fault"];
    this.optFilled = facing ? () => "solid: in every one · ½: in some" : (filled) => `${filled} of ${film.opt_cache} slots used`;
    this.root.classList.add("lp-view");
    if (!this.options.keys) this.root.tabIndex = 0;
    this.root.replaceChildren(model, this.counts, this.controls, this.say, stage, this.tape, keys);
  }

  show(at) {
    const film = this.film;
    this.at = Math.max(0, Math.min(at, film.frames.length));
    const frame = film.frames[this.at - 1] || null;
    const latest = this.at === film.frames.length;
    const choosing = latest && this.choices.size > 0;
    const layer = choosing ? this.nextLayer : frame ? this.geometry.layerOf(frame.page) : 0;
    const empty = "-".repeat(this.geometry.total);
    const asked = choosing && this.pending !== null;
    const look = { page: frame && !asked ? frame.page : null, layer, choices: new Set(), pending: null, choiceWord: this.choiceWord };
    this.board.draw({ ...look, letters: frame ? frame.cells : empty, words: WORDS, fault: frame && !frame.hit, tags: ["hit", "fault"],
      filled: (filled) => `${filled} of ${film.cache} slots used`, victims: new Set(frame && !asked ? frame.victims : []), choices: choosing ? this.choices : new Set(), pending: choosing ? this.pending : null });
    const before = film.frames[this.at - 2];
    const letters = frame ? frame.optimum_cells : empty;
    const optFault = frame && frame.optimum > (before ? before.optimum : 0);
    const left = new Set();
    if (frame && before && letters) [...before.optimum_cells].forEach((letter, page) => letter === "c" && letters[page] === "-" && left.add(page));
    this.other.root.classList.toggle("lp-closed", letters === "");
    this.other.draw({ ...look, letters: letters || null, words: OPT_WORDS, fault: optFault, victims: left, tags: this.optTags, filled: this.optFilled });
    this.count(frame);
    this.strip();
    this.curve.draw(film, this.at);
    this.slider.value = String(this.at);
    if (this.wantsFocus && choosing) this.focusChoice();
    this.slider.setAttribute("aria-valuetext", `${this.at} of ${film.frames.length} requests`);
    if (latest) this.stop();
    const text = asked ? `Request ${this.at + 1}, layer ${layer}: page ${this.geometry.name(this.pending)}, a fault. The cache is full.` : this.sentence(frame);
    this.say.setAttribute("aria-live", this.timer ? "off" : "polite");
    if (this.say.textContent !== text) this.say.textContent = text;
    if (this.options.onShow) this.options.onShow(this.at);
  }

  count(frame) {
    const film = this.film;
    const round = film.layers * film.per_visit;
    this.facts.time.textContent = `${this.at} / ${film.length || film.frames.length}`;
    this.facts.time.title = `round ${Math.max(1, Math.ceil(this.at / round))}`;
    this.facts.phase.textContent = frame ? frame.phase : "–";
    this.facts.faults.textContent = frame ? frame.faults : 0;
    this.facts.optimum.textContent = frame ? frame.optimum : 0;
    this.facts.ratio.textContent = shown(ratioOf(frame));
  }

  sentence(frame) {
    if (!frame) return this.film.frames.length ? "The cache is empty. Press play, or step with →." : "The cache is empty.";
    const name = this.geometry.name;
    const left = frame.victims.map(name);
    const start = `Request ${this.at}, layer ${this.geometry.layerOf(frame.page)}: page ${name(frame.page)}`;
    if (frame.hit) return `${start}, a hit.`;
    if (!frame.cells[frame.page] || frame.cells[frame.page] === "-") return `${start}, a fault, served without caching.`;
    if (!left.length) return `${start}, a fault. It takes a free slot.`;
    return `${start}, a fault. ${left.length === 1 ? `Page ${left[0]} leaves.` : `Pages ${left.join(", ")} leave.`}`;
  }

  strip() {
    const frames = this.film.frames;
    const room = Math.max(5, Math.floor((this.tape.clientWidth || 900) / (3.25 * rem())));
    const from = Math.max(0, Math.min(this.at - Math.ceil(room / 2), frames.length - room));
    this.tape.replaceChildren(...frames.slice(from, from + room).map((frame, offset) => {
      const time = from + offset + 1;
      const state = time === this.at ? "lp-here" : time > this.at ? "lp-ahead" : "";
      return h("span", { class: `lp-chip ${state} ${frame.hit ? "" : "lp-miss"}`, title: `request ${time}`, onclick: () => this.jump(time) },
        h("b", {}, this.geometry.name(frame.page)), time > this.at ? " " : frame.hit ? "✓" : "✕");
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
        PageDown: () => this.jump(this.at + round), "+": () => this.faster(1), "-": () => this.faster(-1) }[event.key];
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
