// The orders that work, with their place in the queue. `show` takes a status.
//
//   mount(root, { onPick: (order) => ... })    a row that is chosen
//
// Worst case: a runner that is not read by its page tells only how many there are.

import { at, begin, number, part, price, span, statusOf, table } from "./kit.js";

const side = (one) => (one.side === "buy" ? "hft-buy" : "hft-sell");

const COLUMNS = [
  { title: "Side", of: (one) => (one.side === "buy" ? "BUY" : "SELL"), names: side },
  { title: "Instrument", of: at, names: () => "hft-strong" },
  { title: "Price", num: true, flashes: true, of: (one) => (one.price ? price(one.price)
    : "market") },
  { title: "Quantity", num: true, flashes: true, of: (one) => number(one.quantity) },
  { title: "Filled", num: true, flashes: true, of: (one) => number(one.filled) },
  { title: "Ahead", num: true, flashes: true, hint: "quantity before ours at its price",
    of: (one) => number(one.ahead) },
  { title: "State", of: (one) => one.state },
  { title: "Age", num: true, of: (one) => span(one.age) },
  { title: "Strategy", of: (one) => one.strategy },
  { title: "Number", num: true, of: (one) => String(one.id) },
];

export function mount(root, options = {}) {
  const remove = begin(root, "orders");
  const rows = table(root, COLUMNS, { empty: "No order works.", onPick: options.onPick || null });
  return {
    show(data) {
      const status = statusOf(data);
      const told = part(data, "orders");
      const now = (status && status.time_ns) || 0;
      const all = (told || []).map((one) => ({ ...one, age: now && one.sent_ns
        ? Math.max(0, now - one.sent_ns) : null }));
      const count = (status && status.open_orders) || 0;
      const rest = told || !count ? "" : `${number(count)} work; this runner does not say which.`;
      rows.show(all, (one) => `${one.venue}|${one.strategy}|${one.id}`, rest);
    },
    remove,
  };
}
