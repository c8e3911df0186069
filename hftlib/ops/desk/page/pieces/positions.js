// What is held, what it is worth at the middle, and what came of it. `show` takes a status.
//
// Rows that hold nothing, have no order and had no fill are counted, not shown.
// Worst case: a book with one side has no middle: the profit is "unknown", and so is the sum.

import { at, begin, direction, make, money, number, part, price, profits, put, signed,
  table } from "./kit.js";

const middle = (one) => (one.bid === null || one.ask === null ? null : (one.bid + one.ask) / 2);

function value(one) {
  const mid = middle(one);
  return mid === null ? null : one.quantity * mid * one.multiplier;
}

const COLUMNS = [
  { title: "Instrument", of: at, names: () => "hft-strong" },
  { title: "Strategy", of: (one) => one.strategy },
  { title: "Held", num: true, flashes: true, of: (one) => signed(one.quantity, 0, 8),
    names: (one) => direction(one.quantity) },
  { title: "Bid", num: true, of: (one) => price(one.bid) },
  { title: "Ask", num: true, of: (one) => price(one.ask) },
  { title: "Value", num: true, hint: "held x middle, in its currency", of: (one) =>
    signed(value(one), 0) },
  { title: "P&L", num: true, flashes: true, of: (one) => money(one.profit, one.currency),
    names: (one) => direction(one.profit) },
  { title: "Orders", num: true, flashes: true, of: (one) => number(one.open_orders) },
  { title: "Fills", num: true, flashes: true, of: (one) => number(one.fills) },
];

export function mount(root) {
  const remove = begin(root, "positions");
  const rows = table(root, COLUMNS, { empty: "No instrument." });
  const foot = root.appendChild(make("p", "hft-total"));
  const label = foot.appendChild(make("span", "hft-label", "Together"));
  const sum = foot.appendChild(make("b"));
  return {
    show(data) {
      const all = part(data, "positions") || [];
      const busy = all.filter((one) => one.quantity || one.open_orders || one.fills);
      const idle = all.length - busy.length;
      const rest = idle ? `${number(idle)} of ${number(
        all.length)} hold nothing, with no order and no fill.` : "";
      rows.show(busy, (one) => `${one.strategy}|${at(one)}`, rest);
      const { sums, unknown } = profits({ positions: all });
      const words = [...sums].map(([currency, one]) => money(one, currency));
      if (unknown) words.push(`${number(unknown)} unknown`);
      put(sum, words.join("   "), true);
      label.hidden = !all.length;
    },
    remove,
  };
}
