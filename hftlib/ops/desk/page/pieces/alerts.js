// What woke somebody up: severity, since when, what it says, who has it. `show` takes a list.
//
//   mount(root, { onAcknowledge: (alert) => ... })     a button at each that nobody has yet
//
// Firing ones stand first, the worst on top. Worst case: hundreds of them: the first 200 are rows.

import { begin, chip, make, table, time } from "./kit.js";

const LEVELS = { critical: "bad", warning: "watch", info: "off" };
const RANK = ["critical", "warning", "info"];
const STATES = ["firing", "acknowledged", "resolved"];

function stateOf(one) {
  if (one.state === "firing") return "firing, nobody has it";
  const who = one.by ? ` by ${one.by}` : "";
  return `${one.state}${who}${one.why ? `: ${one.why}` : ""}`;
}

function saysOf(one) {
  const said = one.said || one.rule;
  return !one.runner || said.includes(one.runner) ? said : `${one.runner}: ${said}`;
}

export function mount(root, options = {}) {
  const remove = begin(root, "alerts");
  const held = new WeakMap();
  const button = (cell, one) => {
    if (!cell.firstChild) {
      const made = cell.appendChild(make("button", "hft-small", "Acknowledge"));
      made.type = "button";
      made.addEventListener("click", () => options.onAcknowledge(held.get(cell)));
    }
    held.set(cell, one);
    cell.firstChild.hidden = one.state !== "firing";
  };
  const columns = [
    { title: "Severity", is: "span", draw: (cell, one) => chip(cell, one.severity,
      one.state === "resolved" ? "off" : LEVELS[one.severity] || "watch") },
    { title: "Since (UTC)", num: true, of: (one) => time(one.since_ns, 0) },
    { title: "Says", of: (one) => saysOf(one), names: () => "hft-says" },
    { title: "State", of: stateOf, names: () => "hft-wrap" },
  ];
  if (options.onAcknowledge) columns.push({ title: "", draw: button });
  const rows = table(root, columns, { empty: "No alert." });
  const order = (one) => STATES.indexOf(one.state) * 10 + RANK.indexOf(one.severity);
  return {
    show(data) {
      const list = Array.isArray(data) ? data : (data && data.alerts) || [];
      const sorted = [...list].sort((one, other) => order(one) - order(other)
        || other.since_ns - one.since_ns);
      rows.show(sorted, (one) => String(one.id));
    },
    remove,
  };
}
