// How long each stage takes, on a log scale: median, 99 %, 99.9 % and the longest.
//
//   mount(root).show(status)        or status.latencies_ns
//
//   ├──────●━━━━━━━━▬▬▬▬▬▬──┤       ● half, ━ to 99 %, ▬ to 99.9 %, ┤ the longest
// Worst case: beyond LOW_NS or HIGH_NS a mark stands at the edge; the figures beside it are exact.

import { begin, keyed, make, number, put, span, statusOf } from "./kit.js";

const LOW_NS = 10;
const HIGH_NS = 1e9;
const DECADES = Math.log10(HIGH_NS / LOW_NS);
const MARKS = [100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8];
const FIGURES = ["p50", "p99", "p99.9", "max"];
const TITLES = { p50: "half", p99: "99 %", "p99.9": "99.9 %", max: "longest" };

const place = (ns) => Math.min(1, Math.max(0, Math.log10(Math.max(ns, LOW_NS) / LOW_NS) / DECADES));

function scale(node, labelled) {
  for (const ns of MARKS) {
    const mark = node.appendChild(make("u", "hft-decade", labelled ? span(ns).replace(/\.0+/, "")
      : ""));
    mark.style.setProperty("--hft-at", String(place(ns)));
  }
}

function create() {
  const node = make("div", "hft-stage");
  const name = node.appendChild(make("span", "hft-stage-name"));
  const track = node.appendChild(make("div", "hft-track"));
  scale(track, false);
  const parts = {};
  for (const one of ["whole", "tail", "body", "median", "longest"]) {
    parts[one] = track.appendChild(make("i", `hft-${one}`));
  }
  const figures = FIGURES.map(() => node.appendChild(make("span", "hft-num")));
  const count = node.appendChild(make("span", "hft-num hft-dim"));
  return { node, name, track, parts, figures, count };
}

function from(node, low, high) {
  node.style.setProperty("--hft-at", String(place(low)));
  node.style.setProperty("--hft-to", String(place(high)));
}

function fill(row, [name, told]) {
  put(row.name, name);
  row.node.classList.toggle("hft-empty", !told.count);
  FIGURES.forEach((one, n) => put(row.figures[n], told.count ? span(told[one]) : "–"));
  put(row.count, number(told.count || 0));
  if (!told.count) return;
  from(row.parts.body, told.p50, told.p99);
  from(row.parts.tail, told.p99, told["p99.9"]);
  from(row.parts.whole, told["p99.9"], told.max);
  from(row.parts.median, told.p50, told.p50);
  from(row.parts.longest, told.max, told.max);
}

export function mount(root) {
  const remove = begin(root, "latency");
  const head = root.appendChild(make("div", "hft-stage hft-stage-head"));
  head.appendChild(make("span", "hft-stage-name", "Stage"));
  scale(head.appendChild(make("div", "hft-track")), true);
  for (const one of FIGURES) head.appendChild(make("span", "hft-num", TITLES[one]));
  head.appendChild(make("span", "hft-num", "measured"));
  const body = root.appendChild(make("div"));
  const note = root.appendChild(make("p", "hft-note", "Nothing was measured yet."));
  const show = keyed(body, create);
  return {
    show(data) {
      const status = statusOf(data);
      const told = (status && status.latencies_ns) || status || {};
      const stages = Object.entries(told).filter(([, one]) => one && typeof one === "object");
      show(stages, ([name]) => name, fill);
      note.hidden = stages.length > 0;
    },
    remove,
  };
}
