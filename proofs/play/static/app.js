// The live page: forms, the address of a game in the hash, moves to the server, and what stands around the view.
import { h, mount } from "/view.js";

const MODES = {
  watch: {
    title: "Watch a policy",
    lede: "Choose a policy and its requests. Beside it OPT serves the same requests, knowing the future.",
    button: "Show",
  },
  adversary: {
    title: "You are the adversary",
    lede: "You ask for the pages, one layer after the other. Make the policy fault more often than OPT has to, and reach the goal before the rounds are over.",
    button: "Start the game",
  },
  algorithm: {
    title: "You are the algorithm",
    lede: "Pages are asked for, and on a fault with a full cache you choose the page that leaves. Afterwards you see where you lost, and what the optimal choice was.",
    button: "Start the game",
  },
};
const at = (id) => document.getElementById(id);
const page = { mode: "watch", game: null, choices: null, busy: null, place: 0, scene: null };
const view = mount(at("view"), { keys: document, stage: at("stage"), onChoose: (chosen) => choose(chosen), onShow: () => page.game && tell(page.game) });

// Ask the server, whatever happens on the page meanwhile.
async function send(path, body) {
  const options = body === undefined ? {} : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Error("The server does not answer. Is 'paging play' still running?");
  }
  const value = await response.json().catch(() => ({ error: `the server answered ${response.status}` }));
  if (!response.ok) throw new Error(value.error || `the server answered ${response.status}`);
  return value;
}

// Ask for what belongs to this place on the page: what comes back after the visitor has gone elsewhere is dropped.
class Gone extends Error {}

async function ask(path, body) {
  const [place, hash] = [page.place, location.hash];
  const moved = () => place !== page.place || hash !== location.hash;
  try {
    const value = await send(path, body);
    if (moved()) throw new Gone();
    return value;
  } catch (error) {
    throw moved() ? new Gone() : error;
  }
}

function complain(message) {
  const error = at("error");
  error.hidden = !message;
  error.textContent = message || "";
}

// Run one request to the server at a time, with its error shown on the page.
async function busily(work) {
  if (page.busy === page.place) return;
  const place = page.place;
  page.busy = place;
  complain("");
  const go = document.querySelector(".go");
  const note = setTimeout(() => {
    at("busy").hidden = false;
    if (go) { go.setAttribute("aria-disabled", "true"); go.textContent = "Computing …"; }
  }, 400);
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Gone)) complain(error.message);
  } finally {
    clearTimeout(note);
    at("busy").hidden = true;
    at("waiting").hidden = true;
    if (place === page.place) {
      if (go) { go.removeAttribute("aria-disabled"); go.textContent = MODES[page.mode].button; }
      page.busy = null;
    }
  }
}

// Forms

const field = (name) => at("form").elements[name];

function select(name, label, groups, onchange) {
  const options = groups.map(([title, entries]) => {
    const made = entries.map(([value, text]) => h("option", { value }, text));
    return title ? h("optgroup", { label: title }, ...made) : made;
  }).flat();
  return h("label", {}, label, h("select", { name, onchange }, ...options));
}

function number(name, label, value, low, high, step = 1) {
  return h("label", { class: "short" }, h("span", {}, label), h("input", { name, type: "number", value, min: low, max: high, step, inputmode: "decimal" }));
}

function sizes(defaults) {
  const limits = page.choices.limits;
  return [
    number("layers", "layers ℓ", defaults.layers, 1, limits.layers),
    number("pages", "pages n", defaults.pages, 1, limits.pages),
    number("cache", "cache k", defaults.cache, 1, limits.cache),
    number("rounds", "rounds", defaults.rounds, 1, limits.requests),
  ];
}

function buildForm() {
  const offered = page.choices;
  const names = offered.policies.map((p) => [p.id, p.id === p.title ? p.id : `${p.id}: ${p.title}`]);
  const plain = names.filter((_, place) => !offered.policies[place].told);
  const policies = select("policy", "policy", [["", page.mode === "watch" ? names : plain]], page.mode === "watch" ? policyChosen : undefined);
  const seed = number("seed", "seed", 0, 0, 2147483647);
  const go = h("button", { class: "go", type: "submit" }, MODES[page.mode].button);
  const parts = {
    watch: () => [
      policies,
      select("predictions", "predicted", [["", offered.predictions.map((p) => [p.id, p.title])]]),
      select("source", "requests", [
        ["constructions", offered.constructions.map((c) => [`construction:${c.id}`, c.id])],
        ["workloads", offered.workloads.map((w) => [`workload:${w.id}`, w.id])],
        ...(offered.traces.length ? [["traces", offered.traces.map((t) => [`trace:${t.id}`, t.id])]] : []),
        ["your own", [["typed", "a list typed in"]]],
      ], sourceChosen),
      select("beside", "beside it", [["", [["", "OPT, which knows the future"], ...names]]], besideChosen),
      number("beside_cache", "its cache, if not k", "", 1, offered.limits.cache),
      ...sizes({ layers: 2, pages: 4, cache: 7, rounds: 30 }), seed,
      h("span", { id: "parameters" }),
      h("label", { class: "typed" }, "requests, such as 0.0 1.2 0.1, or page ids", h("textarea", { name: "requests", rows: "2", spellcheck: "false" })),
      go, h("p", { class: "why", id: "why" }),
    ],
    adversary: () => [
      policies, ...sizes({ layers: 2, pages: 3, cache: 3, rounds: 12 }),
      h("label", { class: "short" }, h("span", {}, "goal: ratio"), h("input", { name: "goal", value: "2", inputmode: "text", autocomplete: "off" })),
      seed, go,
    ],
    algorithm: () => [
      select("opponent", "opponent", [["", offered.opponents.map((o) => [o.id, o.title])]]),
      ...sizes({ layers: 2, pages: 3, cache: 4, rounds: 10 }), seed, go,
    ],
  };
  at("form").replaceChildren(...parts[page.mode]());
  if (page.mode === "watch") {
    field("source").value = "construction:cyclic";
    sourceChosen();
    besideChosen();
    policyChosen();
  }
}

// Predictions are chosen where the policy is told any and the requests bring none: those of its kind.
function policyChosen() {
  const kind = (name) => page.choices.policies.find(({ id }) => id === name)?.told;
  const told = kind(field("policy").value) || kind(field("beside").value);
  const own = page.choices.constructions.find((entry) => `construction:${entry.id}` === field("source").value)?.told;
  const menu = field("predictions");
  menu.closest("label").hidden = !told || Boolean(own);
  const kept = menu.value;
  menu.replaceChildren(...page.choices.predictions.filter(({ kind }) => kind === told).map((p) => h("option", { value: p.id }, p.title)));
  if ([...menu.options].some((option) => option.value === kept)) menu.value = kept;
}

// Show a game's own form: what the fields do not hold is as they are.
function fillIn(form) {
  if (form.source) {
    field("source").value = form.source;
    sourceChosen();
  }
  for (const [name, value] of Object.entries(form)) if (field(name)) field(name).value = value;
  for (const [name, value] of Object.entries(form.parameters || {})) if (field(`parameter:${name}`)) field(`parameter:${name}`).value = value;
  if (form.mode === "watch") {
    if (form.beside_cache === undefined) field("beside_cache").value = "";
    besideChosen();
    policyChosen();
    if (form.predictions) field("predictions").value = form.predictions;
  }
}

function besideChosen() {
  field("beside_cache").closest("label").hidden = !field("beside").value;
  policyChosen();
}

function sourceChosen() {
  const [kind, name] = field("source").value.split(/:(.*)/);
  field("requests").closest("label").hidden = kind !== "typed";
  field("rounds").closest("label").hidden = kind === "typed";
  const shape = { construction: page.choices.constructions, trace: page.choices.traces }[kind]?.find((entry) => entry.id === name);
  for (const key of ["layers", "pages"]) {
    field(key).readOnly = kind === "trace";
    if (shape) field(key).value = Array.isArray(shape[key]) ? Math.min(...shape[key]) : shape[key];
  }
  if (shape?.cache) field("cache").value = shape.cache;
  if (kind === "trace") { // as many rounds as can be shown, and a cache of a third of the pages
    const pages = Array.isArray(shape.pages) ? shape.pages.reduce((a, b) => a + b) : shape.pages * shape.layers;
    const { requests, cells, cache } = page.choices.limits;
    const fit = Math.min(requests, cells / pages) / (shape.layers * shape.per_visit);
    field("rounds").value = Math.max(1, Math.min(20, Math.floor(fit)));
    field("cache").value = Math.min(cache, Math.ceil(pages / 3));
  }
  const workload = kind === "workload" ? page.choices.workloads.find((entry) => entry.id === name) : null;
  at("parameters").replaceChildren(...(workload ? workload.parameters.map((p) =>
    number(`parameter:${p.name}`, p.name, p.default, p.low, p.high, "any")) : []));
  const why = { construction: () => `${shape.title}. It hurts ${shape.bad_for}.`, workload: () => workload.title,
    typed: () => "A page of layer 0, then one of layer 1, and so on; with several rounds that is 0.0 1.0 0.1 1.2 …",
    trace: () => `${shape.layers} layers, ${shape.pages} pages each, ${shape.per_visit} per visit; the first rounds are shown` }[kind]();
  at("why").textContent = why;
  policyChosen();
}

function filled() {
  const form = at("form");
  const data = { mode: page.mode, seed: form.elements.seed.valueAsNumber };
  for (const name of ["layers", "pages", "cache", "rounds"]) data[name] = field(name).valueAsNumber;
  for (const name of ["policy", "source", "opponent", "goal"]) if (field(name)) data[name] = field(name).value.trim();
  if (field("predictions")?.value && !field("predictions").closest("label").hidden) data.predictions = field("predictions").value;
  if (data.source === "typed") data.requests = field("requests").value.trim();
  if (field("beside")?.value) Object.assign(data, { beside: field("beside").value }, field("beside_cache").value && { beside_cache: field("beside_cache").valueAsNumber });
  const parameters = [...form.elements].filter((element) => element.name.startsWith("parameter:"));
  if (parameters.length) data.parameters = Object.fromEntries(parameters.map((e) => [e.name.slice(10), e.valueAsNumber]));
  return data;
}

at("form").addEventListener("submit", (event) => {
  event.preventDefault();
  busily(async () => {
    const game = await ask("/api/games", filled());
    history.pushState(null, "", `#game=${game.id}`);
    page.scene = null;
    at("setup").open = false;
    at("stage").hidden = false;
    at("stage").focus();
    display(game, { fresh: true });
    at("stage").scrollIntoView({ block: "start" });
  });
});

// Start what an address asks for: a scene, or a game with its moves.
async function startFrom(form, scene = null) {
  enter(MODES[form.mode] ? form.mode : "watch");
  fillIn(form);
  page.scene = scene;
  page.game = null;
  at("setup").open = false;
  await busily(async () => {
    const game = await ask("/api/games", form);
    history.replaceState(null, "", `#game=${game.id}`);
    display(game, { fresh: true });
  });
  if (!page.game) at("setup").open = true; // refused: the form is what can be changed
}

// The address that makes a game anew, with its moves, on any server of this program.
const recipe = (game) => ({ ...game.form, ...(game.made.length ? { moves: game.made } : {}) });
const written = (form) => btoa(String.fromCharCode(...new TextEncoder().encode(JSON.stringify(form)))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const read = (text) => JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0))));

async function copyLink() {
  const link = `${location.origin}/#play=${written(recipe(page.game))}`;
  const note = at("link");
  try {
    await navigator.clipboard.writeText(link);
    note.textContent = "Copied: the link makes this game again, moves included, wherever 'paging play' runs at this address.";
  } catch {
    note.textContent = link;
  }
  note.hidden = false;
}

// Games

function choose(chosen) {
  const game = page.game;
  if (!game || game.over) return;
  const after = game.film.frames.length;
  busily(async () => {
    try {
      display(await ask(`/api/games/${game.id}/moves`, { page: chosen, after }), { from: after });
    } catch (error) {
      if (error instanceof Gone) throw error;
      display(await ask(`/api/games/${game.id}`), {}); // another window may have moved: show what is
      throw error;
    }
  });
}

function takeBack() {
  busily(async () => display(await ask(`/api/games/${page.game.id}/back`, {}), {}));
}

function display(game, { fresh = false, from }) {
  page.game = null; // nothing is told while the view changes
  if (page.mode !== game.mode) enter(game.mode);
  history.replaceState({ recipe: recipe(game) }, "", location.hash); // for a reload after the server has forgotten it
  at("stage").hidden = false;
  at("lede").hidden = true;
  at("link").hidden = true;
  for (const link of document.querySelectorAll("#scenes a")) {
    if (link.hash === `#scene=${page.scene?.id}`) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  at("outcome").replaceChildren();
  const film = { ...game.film, length: game.length, goal: game.goal_height };
  const watching = game.mode === "watch";
  const state = { film, choices: game.choices, pending: game.pending, bit: game.bit, layer: game.layer,
    choiceWord: game.mode === "algorithm" ? "evict" : "ask for", at: watching ? 0 : film.frames.length };
  const focused = document.activeElement?.closest(".lp-choice") || document.activeElement === document.body;
  if (from !== undefined && film.frames.length > from + 1) state.playFrom = from;
  view.update(state);
  page.game = game;
  tell(game);
  if (game.over && !watching) outcome(game);
  else if (focused || fresh) view.focusChoice();
}

function tell(game) {
  const status = at("status");
  const frames = game.film.frames.length;
  const latest = view.at === frames;
  const seen = latest ? "all" : game.mode === "watch" ? "part" : `${view.at}, ${view.timer !== null}`;
  const key = [game.id, game.moves, page.scene?.id, seen].join();
  if (page.told === key) return; // said again, it would be read aloud again
  page.told = key;
  status.className = "status";
  const button = (text, onclick, disabled = false) => h("button", { class: "quiet", type: "button", disabled, onclick }, text);
  const say = (text, ...buttons) => status.replaceChildren(h("p", {}, text), h("div", { class: "buttons" }, ...buttons));
  const back = button("Take back", takeBack, game.moves === 0);
  const link = button("Copy link", copyLink);
  const name = (number) => view.geometry.name(number);
  const left = game.length - frames;
  const opening = page.scene && game.moves === 0 ? `${page.scene.look} ` : "";
  const remain = `${left} request${left === 1 ? "" : "s"} left`;
  if (game.mode === "watch") {
    status.classList.add("calm");
    if (latest && frames) say(page.scene ? page.scene.point : ending(view.film), ...further(game), link);
    else say(page.scene ? `${page.scene.title}. ${page.scene.look}` : `${game.film.title} on the requests of ${sourceName(game.form.source)}.`, link);
  } else if (game.over) {
    const result = game.outcome;
    const good = game.mode === "adversary" ? result.won : result.faults === result.optimum;
    status.classList.add(good ? "won" : "lost");
    say(page.scene ? `${verdict(game)} ${page.scene.point}` : verdict(game), ...further(game), back, link);
  } else if (!latest) {
    status.classList.add("calm");
    say(view.timer ? "Served without a choice of yours …" : `You look back at request ${view.at}.`, button("To the question", () => view.jump(frames)));
  } else if (game.mode === "adversary") {
    say(`${opening}Ask for a page of layer ${game.layer}. Goal: ratio ${game.goal}, ${remain}.`, back, link);
  } else {
    say(`${opening}Page ${name(game.pending)} is asked for: which page leaves? ${remain}.`, back, link);
  }
}

const sourceName = (source) => (source === "typed" ? "your list" : source.split(":")[1]);

function ending(film) {
  const said = (run) => {
    const last = run.frames[run.frames.length - 1];
    return `${run.label} ${last.faults} faults, ratio ${(last.faults / last.optimum).toFixed(2).replace(/\.?0+$/, "")}`;
  };
  return `The end: ${said(film)}${film.beside ? `; ${said(film.beside)}` : ""}; OPT ${film.frames[film.frames.length - 1].optimum} faults.`;
}

// What to do next, where a film or a game is over.
function further(game) {
  const button = (text, form) => h("button", { class: "quiet", type: "button", onclick: () => {
    history.pushState(history.state, "", location.hash); // back leads to what has just ended
    page.place += 1;
    startFrom(form);
  } }, text);
  const buttons = [];
  if (game.mode !== "watch") {
    const asked = game.film.frames.map((frame) => view.geometry.name(frame.page)).join(" ");
    const { layers, pages, cache } = game.form;
    buttons.push(button("Play again", game.form), button("See lru and zrc on these requests",
      { mode: "watch", policy: "lru", beside: "zrc", source: "typed", requests: asked, layers, pages, cache, rounds: 1, seed: 0 }));
  } else if (!game.form.beside) {
    const other = game.form.policy === "zrc" ? "lru" : "zrc";
    buttons.push(button(`With ${other} beside it`, { ...game.form, beside: other }));
  }
  const scenes = page.choices.scenes;
  const next = scenes[(scenes.indexOf(page.scene) + 1) % scenes.length];
  buttons.push(h("a", { class: "quiet", href: `#scene=${next.id}` }, `Next: ${next.title}`));
  return buttons;
}

function verdict(game) {
  const { faults, optimum } = game.outcome;
  const ratio = (faults / optimum).toFixed(2).replace(/\.?0+$/, "");
  if (game.mode === "adversary") {
    return game.outcome.won ? `Goal reached: ${faults} faults where OPT has ${optimum}, ratio ${ratio} ≥ ${game.goal}.`
      : `The rounds are over at ratio ${ratio}: ${faults} faults, OPT ${optimum}. The goal was ${game.goal}.`;
  }
  return faults === optimum ? `Optimal: ${faults} faults, and nobody can have fewer on these requests.`
    : `You had ${faults} faults, OPT has ${optimum} on the same requests: ${faults - optimum} lost.`;
}

function outcome(game) {
  const box = at("outcome");
  if (game.mode === "adversary") {
    const cruel = game.outcome.cruel;
    box.replaceChildren(h("section", {}, h("h2", {}, "And the cruel adversary?"),
      h("p", {}, cruel ? `It forces ${cruel.faults} faults where OPT has ${cruel.optimum} within ${cruel.requests} requests: ratio ${(cruel.faults / cruel.optimum).toFixed(2)}.`
        : "It needs a deterministic policy, k ≥ ℓ, and a page more than fit the cache.")));
    return;
  }
  const { mistakes, others, faults, optimum, adaptive, errors } = game.outcome;
  const rows = [["you", faults], ["OPT", optimum], ...others.map((other) => [other.policy, other.faults])];
  const most = Math.max(...rows.map((row) => row[1]));
  const bars = rows.map(([name, count]) => {
    const bar = h("span", { class: `bar${name === "you" ? " mine" : ""}`, "aria-hidden": "true" });
    bar.style.width = `${(9 * count) / most}rem`;
    return h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, bar, String(count)));
  });
  const next = (time) => (time === null ? "never asked for again" : `asked for again at request ${time}`);
  const lost = mistakes.map((m) => h("tr", {}, h("td", {}, h("button", { type: "button", class: "quiet", onclick: () => look(m.request) }, `request ${m.request}`)),
    h("td", {}, m.page), h("td", {}, `${m.victim}, ${next(m.victim_next)}`), h("td", {}, `${m.best}, ${next(m.best_next)}`)));
  box.replaceChildren(h("section", {},
    h("h2", {}, mistakes.length ? "Where you lost" : "You lost nothing"),
    mistakes.length
      ? h("div", { class: "wide", tabindex: "0", role: "group", "aria-label": "where you lost" }, h("table", {}, h("thead", {}, h("tr", {}, ...["when", "page", "you evicted", "optimal was"].map((t) => h("th", { scope: "col" }, t)))), h("tbody", {}, ...lost)))
      : h("p", {}, "Every page you evicted was as good a choice as any."),
    mistakes.length ? h("p", {}, "Each of these evictions costs exactly one fault more than the best choice from the same cache; together they are your faults minus OPT's.") : ""),
  h("section", {}, h("h2", {}, "Faults on the same requests"),
    h("table", {}, h("tbody", {}, ...bars)),
    h("p", {}, adaptive ? "The opponent looked at your cache while it chose these requests: they are hard for you, not for the others."
      : "The requests were fixed before the game."),
    errors ? h("p", {}, `By OPT's schedule ${errors.eta0} of the bits 0 and ${errors.eta1} of the bits 1 were wrong. flush-when-kept stays at or below OPT + (k − 1)·${errors.eta0} + ${errors.eta1}, whatever the bits.`) : ""));
}

function look(request) {
  view.jump(request);
  at("stage").scrollIntoView({ block: "start" });
}

// Modes and addresses

function enter(mode) {
  page.mode = mode;
  at("lede").textContent = MODES[mode].lede;
  at("lede").hidden = false;
  document.title = `${MODES[mode].title} · layered paging`;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.dataset.mode === mode) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  buildForm();
}

async function go() {
  const [kind, value] = location.hash.slice(1).split(/=(.*)/);
  page.place += 1;
  complain("");
  const scene = kind === "scene" && page.choices.scenes.find((entry) => entry.id === value);
  try {
    if (scene) return await startFrom(scene.form, scene);
    if (kind === "play") return await startFrom(read(value));
    if (kind === "game") return await resume(value);
    enter(MODES[kind] ? kind : "watch");
  } catch (error) {
    if (error instanceof Gone) return;
    enter(page.mode);
    complain(kind === "play" ? "This link does not hold a game." : error.message);
  }
  at("waiting").hidden = true;
  page.game = null;
  view.stop();
  at("setup").open = true;
  at("stage").hidden = true;
}

// Show a game that the server keeps; one that it has forgotten is made again where this window remembers how.
async function resume(name) {
  const kept = history.state?.recipe;
  const game = await ask(`/api/games/${encodeURIComponent(name)}`).catch((error) => {
    if (error instanceof Gone || !kept) throw error;
  });
  if (!game) return startFrom(kept);
  const scene = page.choices.scenes.find((entry) => entry === page.scene && JSON.stringify(entry.form) === JSON.stringify(game.form));
  enter(game.mode);
  fillIn(game.form);
  page.scene = scene ?? null;
  at("waiting").hidden = true;
  at("setup").open = false;
  display(game, {});
}

page.choices = await send("/api/choices").catch((error) => complain(error.message));
if (page.choices) { // before that no form can be built; a visitor may have followed a link meanwhile: begin where the address is now
  at("scenes").append(...page.choices.scenes.map((scene) => h("a", { href: `#scene=${scene.id}` }, scene.title)));
  at("scenes").hidden = false;
  window.addEventListener("hashchange", go);
  const [first] = page.choices.scenes;
  await (location.hash ? go() : startFrom(first.form, first)); // whoever comes without an address sees something at once
} else at("waiting").hidden = true;
