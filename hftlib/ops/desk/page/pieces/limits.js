// Exposure against limits as bars: used of limit, the fullest first. `show` takes a status.
//
// A bar's colour follows its share; from 80 % on a word stands beside it as well.
// Worst case: a limit of nothing that is used: its bar is full.

import { begin, keyed, make, number, part, put } from "./kit.js";

const NEAR = 0.8;
const BARS_MAX = 60;
const DIGITS = { money: 0, percent: 1 };
const WORDS = { money: "", count: "", percent: "%", bps: "bp" };

const figure = (value, unit) => number(value, 0, DIGITS[unit] ?? 2);

function create() {
  const node = make("div", "hft-limit");
  const name = node.appendChild(make("span", "hft-limit-name"));
  const scope = node.appendChild(make("span", "hft-dim hft-limit-scope"));
  const bar = node.appendChild(make("div", "hft-bar"));
  const filled = bar.appendChild(make("i"));
  const told = node.appendChild(make("span", "hft-num hft-limit-told"));
  const share = node.appendChild(make("b", "hft-num hft-limit-share"));
  bar.setAttribute("role", "meter");
  bar.setAttribute("aria-valuemin", "0");
  bar.setAttribute("aria-valuemax", "100");
  return { node, name, scope, bar, filled, told, share };
}

function currencyOf(data) {
  const all = new Set((Array.isArray(data) ? [] : part(data, "positions") || []).map((one) =>
    one.currency));
  return all.size === 1 ? [...all][0] : "";
}

function fill(row, one, currency) {
  const share = one.share ?? (one.limit ? one.used / one.limit : one.used ? 1 : 0);
  const level = share >= 1 ? "bad" : share >= NEAR ? "watch" : "calm";
  row.node.dataset.level = level;
  put(row.name, one.name.replaceAll("_", " ").replace(/ (money|lots|bps|percent|ms)$/, ""));
  put(row.scope, one.scope.replace(/^[a-z]+:/, ""));
  row.scope.title = one.scope;
  const unit = one.unit === "money" ? currency : (WORDS[one.unit] ?? one.unit ?? "");
  put(row.told, `${figure(one.used, one.unit)} of ${figure(one.limit, one.unit)} ${unit}`.trim());
  put(row.share, `${number(
    share * 100, 0, 0)} %${level === "bad" ? " full" : level === "watch" ? " near" : ""}`);
  row.filled.style.setProperty("--hft-share", String(Math.min(1, Math.max(0, share))));
  row.bar.setAttribute("aria-valuenow", String(Math.round(share * 100)));
  row.bar.setAttribute("aria-label", `${one.name} of ${one.scope}`);
}

export function mount(root) {
  const remove = begin(root, "limits");
  const body = root.appendChild(make("div", "hft-bars"));
  const note = root.appendChild(make("p", "hft-note"));
  const show = keyed(body, create);
  return {
    show(data) {
      const told = part(data, "limits");
      const currency = currencyOf(data);
      const all = [...(told || [])].sort((one, other) => (other.share || 0) - (one.share || 0));
      show(all.slice(0, BARS_MAX), (one) => `${one.scope}|${one.name}`, (row, one) =>
        fill(row, one, currency),
      );
      const none = told ? "No limit with a figure to compare is set."
        : "This runner does not say what its limits are.";
      put(note, all.length ? (all.length > BARS_MAX ? `and ${number(all.length - BARS_MAX)} more`
        : "") : none);
      note.hidden = note.textContent === "";
    },
    remove,
  };
}
