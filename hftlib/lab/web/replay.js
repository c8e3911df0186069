// A book with a slider of time: the line of the middle with our fills on it, play, and the ladder.
//
//   mount(root, { span_ns, path, marks, levels, say }).show({ offset_ns, clock, ladder, fills })
//
// The slider asks the kernel for a moment and is answered by `show`; one question is under way at a
// time, and the newest wish is asked next, so that sliding fast asks for less, not later.
// Worst case: an answer that never comes is given up after LOST_MS.

import { begin, make, number, price, put } from "@pieces/kit.js";
import { mount as mountLadder } from "@pieces/ladder.js";

const LOST_MS = 5_000;
const FRAME_MS = 100;
const SPEEDS = [1, 10, 60, 600];
const WIDE = 1_000;
const HIGH = 120;
const SVG = "http://www.w3.org/2000/svg";

function drawn(tag, facts, parent) {
  const node = parent.appendChild(document.createElementNS(SVG, tag));
  for (const [name, value] of Object.entries(facts)) node.setAttribute(name, value);
  return node;
}

function line(root, { path, marks, span_ns: span }) {
  const known = path.filter((one) => one[1] !== null);
  const prices = [...known.map((one) => one[1]), ...marks.map((one) => one.price)];
  const low = Math.min(...prices);
  const high = Math.max(...prices);
  const x = (offset) => ((WIDE * offset) / (span || 1)).toFixed(2);
  const y = (value) => (HIGH - 8 - ((HIGH - 16) * (value - low)) / (high - low || 1)).toFixed(2);
  const facts = { viewBox: `0 0 ${WIDE} ${HIGH}`, preserveAspectRatio: "none" };
  const svg = drawn("svg", { ...facts, class: "hft-replay-line" }, root);
  const points = known.map((one) => `${x(one[0])},${y(one[1])}`).join(" ");
  drawn("polyline", { points, class: "hft-replay-mid" }, svg);
  for (const one of marks) {
    const tip = one.side === "buy" ? 1 : -1;
    const [left, top] = [Number(x(one.offset_ns)), Number(y(one.price))];
    const d = `M${left} ${top} l4 ${8 * tip} h-8 z`;
    const mark = drawn("path", { d, class: `hft-replay-${one.side}` }, svg);
    const words = `${one.side} ${number(one.quantity)} at ${price(one.price)}, ${one.clock}`;
    drawn("title", {}, mark).textContent = words;
  }
  return drawn("line", { y1: 0, y2: HIGH, class: "hft-replay-now" }, svg);
}

export function mount(root, options) {
  const remove = begin(root, "replay");
  const cursor = line(root, options);
  const bar = root.appendChild(make("div", "hft-replay-bar"));
  const play = bar.appendChild(make("button", "", "▶"));
  play.title = "Play";
  const speed = bar.appendChild(make("select"));
  speed.title = "How many times as fast as it was";
  for (const one of SPEEDS) speed.appendChild(make("option", "", `×${one}`)).value = one;
  speed.value = 10;
  const slider = bar.appendChild(make("input"));
  Object.assign(slider, { type: "range", min: 0, max: options.span_ns, step: "any", value: 0 });
  slider.setAttribute("aria-label", "Time of the tape");
  const clock = bar.appendChild(make("output", "hft-num"));
  const place = root.appendChild(make("div"));
  const ladder = mountLadder(place, { levels: options.levels });
  const fills = root.appendChild(make("p", "hft-note"));
  let asked = null;
  let wanted = null;
  let playing = null;

  function ask(offset) {
    wanted = Math.round(offset);
    if (asked && Date.now() - asked < LOST_MS) return;
    asked = Date.now();
    options.say({ go: wanted });
    wanted = null;
  }

  function stop() {
    clearInterval(playing);
    playing = null;
    put(play, "▶");
    play.title = "Play";
  }

  function turn() {
    const next = Number(slider.value) + Number(speed.value) * FRAME_MS * 1e6;
    slider.value = Math.min(next, options.span_ns);
    ask(Number(slider.value));
    if (next >= options.span_ns) stop();
  }

  slider.addEventListener("input", () => ask(Number(slider.value)));
  play.addEventListener("click", () => {
    if (playing) return stop();
    if (Number(slider.value) >= options.span_ns) slider.value = 0;
    playing = setInterval(turn, FRAME_MS);
    put(play, "❚❚");
    play.title = "Stop";
    return undefined;
  });

  return {
    show(data) {
      asked = null;
      if (wanted !== null) ask(wanted);
      else if (!playing && document.activeElement !== slider) slider.value = data.offset_ns;
      const at = (WIDE * data.offset_ns) / (options.span_ns || 1);
      cursor.setAttribute("x1", at);
      cursor.setAttribute("x2", at);
      put(clock, data.clock);
      ladder.show(data.ladder);
      const last = data.fills.map((one) => `${one.side} ${number(one.quantity)} at ${price(one.price)}`);
      const words = [data.state, data.stale && `may be wrong: ${data.stale}`];
      if (last.length) words.push(`our last fills: ${last.join(", ")}`);
      put(fills, words.filter(Boolean).join(" · "));
    },
    remove() {
      stop();
      ladder.remove();
      remove();
    },
  };
}
