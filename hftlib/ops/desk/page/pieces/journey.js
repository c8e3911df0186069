// An order's life, step by step, with what lies between: decided, journaled, sent, answered,
// filled.
//
//   mount(root).show({ title: "order 17", steps: [{ time_ns, kind, text }] })
//   mount(root).show(rows)               rows of the journal search do as well
//
// Times may be strings of digits, so that no nanosecond is lost; a number is good to 256 ns.
// Worst case: STEPS_MAX steps are shown.

import { begin, keyed, make, number, put, span, time } from "./kit.js";

const STEPS_MAX = 200;

const between = (one, other) => Number(BigInt(other) - BigInt(one));

function create() {
  const node = make("li", "hft-step");
  const when = node.appendChild(make("span", "hft-num"));
  const since = node.appendChild(make("span", "hft-num hft-since"));
  const bar = node.appendChild(make("i", "hft-wait"));
  const kind = node.appendChild(make("b"));
  const text = node.appendChild(make("span", "hft-step-text"));
  return { node, when, since, bar, kind, text };
}

export function mount(root) {
  const remove = begin(root, "journey");
  const title = root.appendChild(make("h4", "hft-sub"));
  const show = keyed(root.appendChild(make("ol", "hft-steps")), create);
  const note = root.appendChild(make("p", "hft-note"));
  return {
    show(data) {
      const all = Array.isArray(data) ? data : (data && data.steps) || [];
      const steps = all.slice(0, STEPS_MAX);
      put(title, (data && data.title) || "");
      title.hidden = title.textContent === "";
      const waits = steps.map((one, n) => (n ? between(steps[n - 1].time_ns, one.time_ns) : 0));
      const longest = Math.max(1, ...waits);
      show(steps, (one, n) => String(one.sequence ?? n), (row, one, n) => {
        put(row.when, time(one.time_ns, 6));
        put(row.since, n ? `+${span(waits[n])}` : "");
        put(row.kind, one.kind || "");
        put(row.text, one.text || "");
        row.bar.style.setProperty("--hft-share", String(Math.max(0, waits[n]) / longest));
      });
      const rest = all.length - steps.length;
      put(note, all.length ? (rest > 0 ? `and ${number(rest)} more steps` : "")
        : "No step is known.");
      note.hidden = note.textContent === "";
    },
    remove,
  };
}
