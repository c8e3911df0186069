// The newest fills, newest first. `show` takes a status.
//
// Worst case: two fills of one order at one moment are two rows: their number in the list tells
// them
// apart.

import { at, begin, number, part, price, table, time } from "./kit.js";

const COLUMNS = [
  { title: "Time (UTC)", num: true, of: (one) => time(one.time_ns) },
  { title: "Side", of: (one) => (one.side === "buy" ? "BUY" : "SELL"),
    names: (one) => (one.side === "buy" ? "hft-buy" : "hft-sell") },
  { title: "Instrument", of: at, names: () => "hft-strong" },
  { title: "Price", num: true, of: (one) => price(one.price) },
  { title: "Quantity", num: true, of: (one) => number(one.quantity) },
  { title: "Fee", num: true, of: (one) => number(one.fee, 2, 4) },
  { title: "Role", of: (one) => (one.is_maker ? "maker" : "taker") },
  { title: "Strategy", of: (one) => one.strategy },
];

export function mount(root, options = {}) {
  const remove = begin(root, "fills");
  const rows = table(root, COLUMNS, { empty: "No fill yet.", onPick: options.onPick || null });
  return {
    show(data) {
      const told = part(data, "fills");
      rows.show(told || [], (one) => [one.time_ns, at(one), one.side, one.price,
        one.quantity].join("|"), told ? "" : "This runner does not say its fills.");
    },
    remove,
  };
}
