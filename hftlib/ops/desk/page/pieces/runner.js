// A runner at one glance: its mode as a block of colour with the word, its profit, whether it
// quotes, and what is wrong. `show` takes a runner of the desk's state, or a bare status.
//
//   mount(root, { onPick }).show(runner)       as a card; { wide: true } as a strip
//
// Worst case: a runner that does not answer: its last figures stay, grey, and it says so.

import { begin, chip, direction, make, money, number, plural, profits, put, span,
  statusOf } from "./kit.js";
import { History, curve } from "./curve.js";

const OLD_NS = 2e9;
const MODES = { live: "LIVE", canary: "CANARY", paper: "PAPER", shadow: "SHADOW" };

export const modeOf = (status) => (status && MODES[status.mode] ? status.mode : "none");
export const modeWord = (status) => MODES[modeOf(status)] || "NO RUNNER";

export function isOld(runner) {
  if (!runner || !runner.status || runner.by === "nothing") return true;
  const age = runner.age_ns ?? (runner.status.page && runner.status.page.age_ns) ?? 0;
  return age > OLD_NS || runner.status.is_running === false;
}

// What is wrong: as the desk says it, or, where only a status is there, what it shows by itself.
export function worriesOf(runner) {
  if (runner && Array.isArray(runner.worries)) return runner.worries;
  const status = statusOf(runner);
  if (!status) return ["the runner does not answer"];
  const found = [];
  if (status.is_running === false) found.push(`it does not run: ${status.why || "it ended"}`);
  for (const one of status.scopes || []) {
    if (one.state !== "active") found.push(`${one.scope} is ${one.state}: ${one.why}`);
  }
  for (const one of status.feeds || []) {
    if (one.state !== "LIVE") found.push(`feed ${one.venue} is ${one.state}: ${one.why}`);
  }
  for (const one of status.links || []) {
    if (!one.is_up && one.state !== "MODEL") found.push(
      `orders ${one.venue}: ${one.why || one.state}`);
  }
  for (const one of status.strategies || []) {
    if (one.stopped) found.push(`${one.name} has stopped: ${one.stopped}`);
  }
  return found;
}

export function quoting(status) {
  if (!status) return ["nothing known", "off"];
  if (status.is_running === false) return ["stopped", "bad"];
  const held = (status.scopes || []).filter((one) => one.state !== "active");
  const firm = held.find((one) => one.scope === "firm");
  const count = status.open_orders || 0;
  if (firm) return [`${firm.state}: ${plural(count, "order")} left`, firm.state === "halted"
    ? "bad" : "watch"];
  const rest = held.length ? `, ${plural(held.length, "scope")} held` : "";
  if (!count) return [`no order works${rest}`, rest ? "watch" : "off"];
  return [`quoting, ${plural(count, "order")}${rest}`, rest ? "watch" : "good"];
}

export function mount(root, options = {}) {
  const remove = begin(root, "runner");
  root.classList.toggle("hft-wide", Boolean(options.wide));
  const mode = root.appendChild(make("div", "hft-mode"));
  const word = mode.appendChild(make("b", "hft-mode-word"));
  const says = mode.appendChild(make("span", "hft-mode-says"));
  const who = root.appendChild(make("div", "hft-who"));
  const name = who.appendChild(make("b", "hft-name"));
  const release = who.appendChild(make("span", "hft-dim"));
  const gain = root.appendChild(make("div", "hft-gain"));
  gain.appendChild(make("span", "hft-label", "P&L today"));
  const sum = gain.appendChild(make("b", "hft-sum"));
  const line = curve(root, "P&L");
  const now = root.appendChild(make("div", "hft-now"));
  now.appendChild(make("span", "hft-label", "Orders"));
  const quotes = now.appendChild(make("span", "hft-chip"));
  const wrong = root.appendChild(make("div", "hft-wrong"));
  wrong.appendChild(make("span", "hft-label", "Wrong"));
  const verdict = wrong.appendChild(make("span", "hft-chip"));
  const list = wrong.appendChild(make("span", "hft-worries"));
  const history = new History();

  function showGain(status) {
    const { sums, unknown } = profits(status);
    const first = [...sums.entries()];
    const text = first.map(([currency, value]) => money(value, currency)).join("  ");
    const rest = unknown ? ` (${number(unknown)} without a price)` : "";
    put(sum, status ? `${text || "0.00"}${rest}` : "–", true);
    const kept = [...sum.classList].filter((one) => one.startsWith("hft-flash"));
    sum.className = ["hft-sum", direction(first.length ? first[0][1] : 0), ...kept].join(
      " ").trim();
    return first.length ? first[0][1] : null;
  }

  return {
    show(runner) {
      const status = statusOf(runner);
      const old = isOld(runner && "status" in runner ? runner : { status });
      root.dataset.mode = modeOf(status);
      root.classList.toggle("hft-old", old);
      put(word, modeWord(status));
      const told = (status && status.mode_says) || "";
      put(says, status && told !== status.mode ? told : "");
      put(name, (runner && runner.name) || options.name || "runner");
      const made = status && status.release;
      put(release, made ? String(made.name || made) : "no release: from source");
      const value = showGain(status);
      if (runner && runner.curve) line.show(runner.curve);
      else {
        if (status) history.take(status.time_ns, value);
        line.show(history.points);
      }
      chip(quotes, ...quoting(status));
      const worries = worriesOf(runner);
      const age = runner && runner.age_ns > OLD_NS ? `, figures ${span(runner.age_ns)} old` : "";
      chip(verdict, worries.length
        ? `${plural(worries.length, "worry").replace("worrys", "worries")}${age}`
          : `nothing${age}`, worries.length ? "bad" : age ? "watch" : "good");
      put(list, worries.join("; "));
      list.title = worries.join("\n");
    },
    remove,
  };
}
