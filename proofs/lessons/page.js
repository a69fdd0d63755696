"use strict";
const { lesson } = document.querySelector("main").dataset;
const forms = [...document.querySelectorAll("form")];
const right = new Set();

function fit(frame) {
  const root = frame.contentDocument?.documentElement;  // none while the document of the frame is replaced
  if (root?.scrollHeight) frame.style.height = root.scrollHeight + "px";
}

function digest(text) {
  let value = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text))
    value = ((value ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn;
  return value.toString(16);
}

function number(word) {
  const found = /^([+-]?\d+)(?:\/(\d+)|\.(\d+))?$/.exec(word);
  if (!found) return word;
  const [, whole, below, decimals = ""] = found;
  let top = BigInt(whole.replace("+", "") + decimals), bottom = below ? BigInt(below) : 10n ** BigInt(decimals.length);
  if (bottom === 0n) return word;
  let a = top < 0n ? -top : top, b = bottom;
  while (b) [a, b] = [b, a % b];
  top /= a || 1n;
  bottom /= a || 1n;
  return bottom === 1n ? String(top) : `${top}/${bottom}`;
}

function canonical(values, kind) {
  if (kind === "text") return values.join(" ");
  const words = (values.join(" ").match(/[^\s,;"'()\[\]{}]+/g) || []).map(number);
  return (kind === "set" ? [...new Set(words)].sort() : words).join(",");
}

function show() {
  for (const one of document.querySelectorAll("[data-after]")) {
    const open = one.dataset.after.split(" ").every((number) => right.has(number));
    one.hidden = one.classList.contains("wait") ? open : !open;
    if (open) one.querySelectorAll("iframe").forEach(fit);
  }
  document.getElementById("score").textContent = `${right.size} of ${forms.length} right`;
}

for (const form of forms)
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { number: place, kind, digest: wanted, hint } = form.dataset;
    const given = canonical(new FormData(form).getAll("answer"), kind);
    const verdict = !given.trim() ? "open" : digest(`${lesson}.${place}:${given}`) === wanted ? "right" : "wrong";
    form.className = verdict;
    form.querySelector("output").textContent =
      { open: "○ not answered yet", right: "✓ right", wrong: `✗ not yet: ${hint}` }[verdict];
    right[verdict === "right" ? "add" : "delete"](place);
    show();
  });
for (const details of document.querySelectorAll("details"))
  details.addEventListener("toggle", () => details.querySelectorAll("iframe").forEach(fit));
for (const frame of document.querySelectorAll("iframe")) {
  frame.addEventListener("load", () => fit(frame));
  fit(frame);
}
show();
