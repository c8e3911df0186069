// What all pieces share: making elements, writing figures, and tables whose rows stay in place.
//
//   put(cell, money(12.5, "USD"), true)      the text, only where it changed; it flashes softly
//   const rows = table(root, [{ title: "Symbol", of: (one) => one.symbol }]);
//   rows.show(list, (one) => one.id)
//
// Text goes in as text, never as markup. Elements are made once and used again, so a page that is
// open all day has no more of them in the evening than in the morning.
// Worst case: ROWS_MAX rows a table; what is beyond is counted in its last line.

export const ROWS_MAX = 200;
const MINUS = "\u2212";
const CALM_MS = 1500;
const formats = new Map();
const changed = new WeakMap();

export function make(tag, names = "", text = "") {
  const node = document.createElement(tag);
  if (names) node.className = names;
  if (text !== "") node.textContent = text;
  return node;
}

export function put(node, text, flashes = false) {
  if (node.textContent === text) return false;
  const was = node.textContent;
  node.textContent = text;
  if (!flashes) return true;
  // What changes all the time does not flash: that would be a light that is always on.
  const now = performance.now();
  if (was !== "" && now - (changed.get(node) || 0) > CALM_MS) flash(node);
  changed.set(node, now);
  return true;
}

export function flash(node) {
  // Two names of one animation: changing from the one to the other begins it anew.
  const next = node.classList.contains("hft-flash-a") ? "hft-flash-b" : "hft-flash-a";
  node.classList.remove("hft-flash-a", "hft-flash-b");
  node.classList.add(next);
}

export function begin(root, name) {
  root.replaceChildren();
  root.classList.add("hft", `hft-${name}`);
  return () => {
    root.replaceChildren();
    root.classList.remove(`hft-${name}`);
  };
}

// A runner, its status, or the part itself: a piece takes each of them.
export function statusOf(data) {
  return data && typeof data === "object" && "status" in data ? data.status : data;
}

export function part(data, key) {
  const status = statusOf(data);
  if (Array.isArray(status)) return status;
  return status && status[key] !== undefined ? status[key] : null;
}

export function number(value, low = 0, high = 8) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const key = low * 100 + high;
  if (!formats.has(key)) {
    const digits = { minimumFractionDigits: low, maximumFractionDigits: high };
    formats.set(key, new Intl.NumberFormat("en-US", digits));
  }
  return formats.get(key).format(value).replace("-", MINUS);
}

export const price = (value, digits = 2) => number(value, digits, 8);

export function signed(value, low = 2, high = low) {
  const text = number(value, low, high);
  const isZero = !/[1-9]/.test(text);
  if (isZero) return text.replace(MINUS, "");
  return value > 0 ? `+${text}` : text;
}

export function money(value, currency = "") {
  return value === null || value === undefined ? "unknown" : `${signed(value)} ${currency}`.trim();
}

export const direction = (value) => (value > 0 ? "hft-up" : value < 0 ? "hft-down" : "");

export function time(ns, digits = 3) {
  if (!ns) return "–";
  const text = new Date(Number(ns) / 1e6).toISOString().slice(11, digits ? 23 : 19);
  if (digits <= 3) return text;
  return text + String((BigInt(ns) / 1000n) % 1000n).padStart(3, "0");
}

const SPANS = [["ns", 1], ["\u00b5s", 1e3], ["ms", 1e6], ["s", 1e9], ["min", 6e10], ["h", 3.6e12]];

export function span(ns) {
  if (ns === null || ns === undefined) return "–";
  let [word, size] = SPANS[0];
  for (const one of SPANS) if (Math.abs(ns) >= one[1]) [word, size] = one;
  const value = ns / size;
  const digits = size === 1 || Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return `${number(value, digits, digits)} ${word}`;
}

export const at = (one) => (one.venue ? `${one.symbol}@${one.venue}` : one.symbol);

export const plural = (count, word) => `${number(count)} ${word}${count === 1 ? "" : "s"}`;

// A state: a word and a shape (● ▲ ■ ○, in pieces.css), so that no colour stands alone.
export function chip(node, word, level) {
  put(node, word);
  const wanted = `hft-chip hft-${level}`;
  if (node.className !== wanted) node.className = wanted;
}

// What a runner holds has brought, by currency; `unknown` counts what has no price.
export function profits(status) {
  const sums = new Map();
  let unknown = 0;
  for (const one of (status && status.positions) || []) {
    if (one.profit === null) unknown += 1;
    else sums.set(one.currency, (sums.get(one.currency) || 0) + one.profit);
  }
  return { sums, unknown };
}

function inOrder(body, nodes) {
  let here = body.firstChild;
  for (const node of nodes) {
    if (node === here) here = here.nextSibling;
    else body.insertBefore(node, here);
  }
}

// Elements by key: made once, kept in the order of `items`, taken away with their item.
export function keyed(body, create) {
  const held = new Map();
  return (items, keyOf, fill) => {
    const seen = new Set();
    const nodes = [];
    items.forEach((item, n) => {
      let key = keyOf(item, n);
      while (seen.has(key)) key += "+";
      seen.add(key);
      if (!held.has(key)) held.set(key, create(item));
      const one = held.get(key);
      fill(one, item, n);
      nodes.push(one.node);
    });
    for (const [key, one] of held) {
      if (seen.has(key)) continue;
      one.node.remove();
      held.delete(key);
    }
    inOrder(body, nodes);
  };
}

function header(columns) {
  const head = make("thead");
  const line = head.appendChild(make("tr"));
  for (const one of columns) {
    const cell = line.appendChild(make("th", one.num ? "hft-num" : "", one.title));
    cell.scope = "col";
    if (one.hint) cell.title = one.hint;
  }
  return head;
}

function newRow(columns, onPick) {
  const node = make("tr");
  const cells = columns.map((one) => {
    const cell = node.appendChild(make("td", one.num ? "hft-num" : ""));
    return one.is ? cell.appendChild(make(one.is)) : cell;
  });
  const row = { node, cells, item: null };
  if (onPick) {
    node.tabIndex = 0;
    node.classList.add("hft-pick");
    node.addEventListener("click", () => onPick(row.item));
    node.addEventListener("keydown", (event) => event.key === "Enter" && onPick(row.item));
  }
  return row;
}

// columns: {title, of(item) -> text, num, flashes, draw(cell, item), names(item), hint}
export function table(root, columns, { empty = "Nothing here.", onPick = null } = {}) {
  const frame = root.appendChild(make("div", "hft-scroll"));
  const node = frame.appendChild(make("table"));
  node.appendChild(header(columns));
  const body = node.appendChild(make("tbody"));
  const note = root.appendChild(make("p", "hft-note", empty));
  const show = keyed(body, () => newRow(columns, onPick));
  const fill = (row, item) => {
    row.item = item;
    columns.forEach((one, n) => {
      const cell = row.cells[n];
      if (one.draw) one.draw(cell, item);
      else put(cell, one.of(item), one.flashes);
      if (!one.names) return;
      const kept = cell.className.match(/hft-(flash-[ab]|num)/g) || [];
      cell.className = [...kept, one.names(item)].join(" ").trim();
    });
  };
  return {
    node,
    note,
    show(items, keyOf, rest = "") {
      const more = items.length - ROWS_MAX;
      show(more > 0 ? items.slice(0, ROWS_MAX) : items, keyOf, fill);
      frame.hidden = items.length === 0;
      const words = more > 0 ? `and ${number(more)} more. ${rest}` : rest;
      put(note, items.length ? words : rest || empty);
      note.hidden = note.textContent === "";
    },
  };
}
