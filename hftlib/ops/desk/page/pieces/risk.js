// The trading state of each scope with why and since when, and what risk refused, by reason.
//
//   mount(root, { actions: [["halt", "Pause"]], onAct: (action, scope) => ... }).show(status)
//
// Scopes that are not active stand first. Worst case: a scope that names no reason shows a dash.

import { begin, chip, make, number, part, put, table, time } from "./kit.js";

const LEVELS = { active: "good", reducing: "watch", flattening: "watch", halted: "bad" };
const WORST = ["halted", "flattening", "reducing", "active"];

function buttons(options) {
  return (cell, one) => {
    if (!cell.firstChild) {
      for (const [action, word] of options.actions) {
        const button = cell.appendChild(make("button", "hft-small", word));
        button.type = "button";
        button.addEventListener("click", (event) => {
          event.stopPropagation();
          options.onAct(action, cell.dataset.scope);
        });
      }
    }
    cell.dataset.scope = one.scope;
    options.actions.forEach(([action], n) => {
      const isIdle = one.state === "active" ? action === "lift" : action === one.state.slice(0, -2);
      cell.children[n].hidden = isIdle || (one.state === "halted" && action !== "lift"
        && action !== "flatten");
    });
    for (const button of cell.children) button.setAttribute("aria-label",
      `${button.textContent} ${one.scope}`);
  };
}

export function mount(root, options = {}) {
  const remove = begin(root, "risk");
  const columns = [
    { title: "Scope", of: (one) => one.scope, names: () => "hft-strong" },
    { title: "State", is: "span", draw: (cell, one) => chip(cell, one.state, LEVELS[one.state]
      || "watch") },
    { title: "Since (UTC)", num: true, of: (one) => (one.state === "active" ? ""
      : time(one.since_ns, 0)) },
    { title: "Why", of: (one) => one.why || "", names: () => "hft-wrap" },
  ];
  if (options.actions && options.actions.length) columns.push(
    { title: "", draw: buttons(options) });
  const scopes = table(root, columns, { empty: "No scope." });
  root.appendChild(make("h4", "hft-sub", "Refused by risk"));
  const total = root.lastChild.appendChild(make("span", "hft-dim"));
  const refused = table(root, [
    { title: "Reason", of: (one) => one.reason },
    { title: "Strategy", of: (one) => one.strategy || "" },
    { title: "Times", num: true, flashes: true, of: (one) => number(one.count) },
  ]);
  return {
    show(data) {
      const rank = (one) => WORST.indexOf(one.state);
      const all = [...(part(data, "scopes") || [])].sort((one, other) => rank(one) - rank(other));
      scopes.show(all, (one) => one.scope);
      const told = Array.isArray(data) ? [] : part(data, "refusals");
      const counts = (!Array.isArray(data) && part(data, "counts")) || {};
      const list = [...(told || [])].sort((one, other) => other.count - one.count);
      put(total, counts.refused ? ` ${number(counts.refused)}` : "");
      const rest = told || !counts.refused ? "" : "This runner does not say for which reasons.";
      refused.show(list, (one) => `${one.reason}|${one.strategy}`, list.length ? "" : rest
        || "Nothing was refused.");
    },
    remove,
  };
}
