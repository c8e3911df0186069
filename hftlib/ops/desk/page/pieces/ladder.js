// One instrument's book: prices, depth as bars, our own quantity and what is ahead of it.
//
//   mount(root, { levels: 10 }).show(status.ladders[0])
//
// Bids stand left and asks right, the best of each on top. Ours: ◆ quantity, and the quantity that
// trades before our first order there. Worst case: an empty side: its rows are blank.

import { at, begin, make, number, price, put } from "./kit.js";

const SIDES = ["bids", "asks"];

function cellsOf(line, name) {
  const made = {};
  for (const one of ["own", "ahead", "orders", "quantity", "price"]) {
    made[one] = make("td", `hft-num hft-${one} hft-${name}`);
  }
  made.bar = make("i", "hft-depth");
  made.words = make("span");
  made.quantity.append(made.bar, made.words);
  const order = ["own", "ahead", "orders", "quantity", "price"];
  if (name === "asks") order.reverse();
  for (const one of order) line.appendChild(made[one]);
  return made;
}

function header() {
  const head = make("thead");
  const line = head.appendChild(make("tr"));
  const left = ["Ours", "Ahead", "Orders", "Quantity", "Bid"];
  for (const title of [...left, ...[...left].reverse().map((one) => (one === "Bid" ? "Ask"
    : one))]) {
    line.appendChild(make("th", "hft-num", title)).scope = "col";
  }
  return head;
}

function fill(cells, level, tallest, digits) {
  put(cells.price, level ? price(level.price, digits) : "");
  put(cells.words, level ? number(level.quantity) : "");
  put(cells.orders, level && level.orders !== undefined ? number(level.orders) : "");
  const own = level && level.own > 0;
  put(cells.own, own ? `◆ ${number(level.own)}` : "", true);
  put(cells.ahead, own && level.ahead !== null ? number(level.ahead) : "", true);
  cells.price.classList.toggle("hft-ours", Boolean(own));
  cells.bar.style.setProperty("--hft-share", String(level && tallest ? level.quantity / tallest
    : 0));
}

function decimals(levels) {
  let most = 2;
  for (const one of levels) {
    const text = String(one.price);
    const dot = text.indexOf(".");
    if (dot >= 0) most = Math.max(most, Math.min(8, text.length - dot - 1));
  }
  return most;
}

export function mount(root, options = {}) {
  const remove = begin(root, "ladder");
  const count = options.levels || 10;
  const title = root.appendChild(make("p", "hft-ladder-title"));
  const name = title.appendChild(make("b"));
  const gap = title.appendChild(make("span", "hft-dim"));
  const node = root.appendChild(make("div", "hft-scroll")).appendChild(make("table"));
  node.appendChild(header());
  const body = node.appendChild(make("tbody"));
  const rows = Array.from({ length: count }, () => {
    const line = body.appendChild(make("tr"));
    return SIDES.map((side) => cellsOf(line, side));
  });
  return {
    show(ladder) {
      const sides = SIDES.map((side) => ((ladder && ladder[side]) || []).slice(0, count));
      const all = sides.flat();
      const tallest = Math.max(0, ...all.map((one) => one.quantity));
      const digits = decimals(all);
      put(name, ladder ? at(ladder) : "no book");
      const [bid, ask] = sides.map((one) => one[0]);
      const wide = bid && ask ? ask.price - bid.price : null;
      put(gap, wide === null ? "one side is empty"
        : `spread ${price(Number(wide.toFixed(8)), digits)}`);
      rows.forEach((pair, n) => pair.forEach((cells, m) => fill(cells, sides[m][n], tallest,
        digits)));
    },
    remove,
  };
}
