// Feeds, order sessions, the clock, the standby and the counts with their pace. `show` takes a
// status.
//
// Worst case: what a runner does not say is a dash; the pace is known from the second status on.

import { begin, chip, keyed, make, number, put, span, statusOf } from "./kit.js";

const COUNTS = ["messages", "commands", "reports", "rejected", "refused", "journaled"];

function create() {
  const node = make("div", "hft-line");
  const name = node.appendChild(make("span", "hft-line-name"));
  const state = node.appendChild(make("span", "hft-chip"));
  const says = node.appendChild(make("span", "hft-dim hft-line-says"));
  return { node, name, state, says };
}

function fill(row, one) {
  put(row.name, one.name);
  chip(row.state, one.state, one.level);
  put(row.says, one.says || "");
  row.says.title = one.says || "";
}

function clockLine(clock) {
  if (!clock) return { name: "Clock", state: "not known", level: "off" };
  const within = clock.sync_error_us === null ? "" : `, within ${span(clock.sync_error_us * 1e3)}`;
  const steps = clock.steps ? `, set ${number(clock.steps)} times` : "";
  const offset = clock.offset_us === null ? ""
    : `${span(clock.offset_us * 1e3)} off since the start`;
  const known = clock.is_synchronised;
  const word = known === null ? "not known" : known ? "synchronised" : "not synchronised";
  return { name: "Clock", state: word, level: known ? "good" : "watch",
    says: `${offset}${within}${steps}` };
}

function standbyLine(standby) {
  if (!standby) return { name: "Standby", state: "none", level: "off",
    says: "the journal is on this host alone" };
  const state = String(standby.state || (standby.is_up ? "follows" : "away"));
  const isGood = standby.is_up ?? /follow|up|live/i.test(state);
  const says = Object.entries(standby)
    .filter(([name, one]) => name !== "state" && ["string", "number"].includes(typeof one)
      && one !== "")
    .map(([name, one]) =>
      `${name.replaceAll("_", " ")} ${typeof one === "number" ? number(one) : one}`);
  return { name: "Standby", state, level: isGood ? "good" : "bad", says: says.slice(0, 3).join(
    ", ") };
}

function linesOf(status) {
  const lines = (status.feeds || []).map((one) => {
    const level = one.state === "LIVE" ? "good" : one.state === "GAP" ? "watch" : "bad";
    return { name: `Feed ${one.venue}`, state: one.state, level,
      says: `next ${number(one.next)}${one.why ? `, ${one.why}` : ""}` };
  });
  for (const one of status.links || []) {
    const level = one.state === "MODEL" ? "off" : one.is_up ? "good" : "bad";
    const says = `${number(one.commands)} out, ${number(
      one.reports)} in${one.why ? `, ${one.why}` : ""}`;
    lines.push({ name: `Orders ${one.venue}`, state: one.state, level, says });
  }
  lines.push(clockLine(status.clock), standbyLine(status.standby));
  return lines;
}

export function mount(root) {
  const remove = begin(root, "health");
  const lines = keyed(root.appendChild(make("div", "hft-lines")), create);
  const counts = root.appendChild(make("dl", "hft-counts"));
  const cells = COUNTS.map((name) => {
    const box = counts.appendChild(make("div"));
    box.appendChild(make("dt", "hft-label", name));
    return [name, box.appendChild(make("dd", "hft-num")),
      box.appendChild(make("dd", "hft-num hft-dim"))];
  });
  let before = null;
  return {
    show(data) {
      const status = statusOf(data);
      if (!status) return;
      lines(linesOf(status), (one) => one.name, fill);
      const told = status.counts || {};
      const seconds = before && before.pid === status.pid
        ? (status.time_ns - before.time_ns) / 1e9 : 0;
      for (const [name, total, pace] of cells) {
        put(total, number(told[name]));
        if (seconds > 0) put(pace,
          `${number((told[name] - before.counts[name]) / seconds, 0, 0)} /s`);
      }
      if (!before || seconds > 0.4 || seconds < 0) before = status;
    },
    remove,
  };
}
