"use strict";
// The page is complete without this script, which turns leaves, sorts tables, enlarges pictures, and
// switches language and theme.
const root = document.documentElement;
const leaves = [...document.querySelectorAll(".leaf")];

function kept(name, value) {
  try { // a page opened from a disk may have no storage
    if (value === undefined) return localStorage.getItem(name);
    localStorage.setItem(name, value);
  } catch (error) { return null; }
  return value;
}

// --- languages ---------------------------------------------------------------------------------
const attributes = ["alt", "aria-label"];
const chooser = document.getElementById("language");

function speak(language) {
  root.lang = language;
  const key = language.toLowerCase();
  for (const attribute of attributes)
    for (const node of document.querySelectorAll(`[data-${attribute}-${key}]`))
      node.setAttribute(attribute, node.getAttribute(`data-${attribute}-${key}`));
  document.title = JSON.parse(document.body.dataset.titles)[language];
  chooser.value = language;
  document.dispatchEvent(new CustomEvent("language", { detail: language }));
}

function firstLanguage() {
  const known = [...chooser.options].map((option) => option.value);
  const asked = new URLSearchParams(location.search).get("lang") || kept("language");
  if (known.includes(asked)) return asked;
  const wanted = (navigator.language || "en").slice(0, 2);
  return known.find((code) => code.slice(0, 2) === wanted) || known[0];
}

chooser.addEventListener("change", () => { kept("language", chooser.value); speak(chooser.value); });

// --- light and dark ----------------------------------------------------------------------------
function dress(theme) { if (theme) root.dataset.theme = theme; }
document.getElementById("theme").addEventListener("click", () => {
  const dark = root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  dress(kept("theme", dark ? "light" : "dark") || (dark ? "light" : "dark"));
});
dress(new URLSearchParams(location.search).get("theme") || kept("theme"));

// --- leaves ------------------------------------------------------------------------------------
const side = document.getElementById("side");
const menu = document.getElementById("menu");

function unfold(open) {
  side.classList.toggle("unfolded", open);
  menu.setAttribute("aria-expanded", String(open));
}

function turn() {
  const id = decodeURIComponent(location.hash.slice(1));
  const target = id ? document.getElementById(id) : null;
  const leaf = (target && target.closest(".leaf")) || leaves[0];
  if (!leaf) return;
  for (const other of leaves) other.classList.toggle("open", other === leaf);
  for (const link of side.querySelectorAll("li a"))
    if (link.hash === `#${leaf.id}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  unfold(false);
  if (target && target !== leaf) target.scrollIntoView();
  else window.scrollTo({ top: 0, behavior: "instant" });
}

function neighbour(step) {
  const at = leaves.findIndex((leaf) => leaf.classList.contains("open"));
  return leaves[at + step];
}

function addTurns() {
  leaves.forEach((leaf, at) => {
    const bar = document.createElement("div");
    bar.className = "turn";
    for (const [step, arrow] of [[-1, "← "], [1, " →"]]) {
      const other = leaves[at + step];
      const link = document.createElement(other ? "a" : "span");
      if (other) {
        link.href = `#${other.id}`;
        const name = other.querySelector("h1").cloneNode(true);
        if (step < 0) link.append(arrow);
        link.append(...name.childNodes);
        if (step > 0) link.append(arrow);
      }
      bar.append(link);
    }
    leaf.append(bar);
  });
}

if (leaves.length) {
  root.classList.add("paged");
  addTurns();
  window.addEventListener("hashchange", turn);
}
menu.addEventListener("click", () => unfold(!side.classList.contains("unfolded")));

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented) return;
  if (event.target.closest("input, select, textarea, dialog, .play, [role=region]")) return;
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const other = step && leaves.length ? neighbour(step) : null;
  if (other) location.hash = other.id;
});

// --- tables ------------------------------------------------------------------------------------
function valueOf(row, column) {
  const cell = row.cells[column];
  const shown = cell.querySelector(`:scope > [lang="${root.lang}"]`) || cell;
  const text = shown.textContent.trim();
  const number = parseFloat(text.replace(/[,\s]/g, "").replace("−", "-"));
  return { text, number: /^[+−-]?[\d.,]/.test(text) ? number : NaN };
}

function sortBy(table, head, column) {
  const up = head.getAttribute("aria-sort") !== "ascending";
  for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", up ? "ascending" : "descending");
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => [valueOf(row, column), row]);
  const order = new Intl.Collator(root.lang, { numeric: true });
  rows.sort(([a], [b]) => {
    const both = !Number.isNaN(a.number) && !Number.isNaN(b.number);
    const way = both ? a.number - b.number : order.compare(a.text, b.text);
    return up ? way : -way;
  });
  body.append(...rows.map(([, row]) => row));
}

for (const table of document.querySelectorAll("table.sortable"))
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = document.createElement("button");
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => sortBy(table, head, column));
  });

// --- pictures ----------------------------------------------------------------------------------
const large = document.getElementById("large");
for (const button of document.querySelectorAll(".enlarge"))
  button.addEventListener("click", () => {
    const picture = button.querySelector("img");
    const shown = large.querySelector("img");
    shown.src = picture.src;
    shown.alt = picture.alt;
    const caption = button.parentNode.querySelector(`figcaption > [lang="${root.lang}"]`);
    large.querySelector("p").textContent = caption ? caption.textContent : "";
    large.showModal();
  });
large.addEventListener("click", (event) => { if (event.target === large || event.target.tagName === "IMG") large.close(); });

root.classList.remove("plain");
root.classList.add("scripted");
speak(firstLanguage());
turn();
