// The books of a runner: as many as fit, and buttons for which of them.
//
// Those with our own orders come first until somebody chooses. Worst case: SHOWN_MAX at once.

import { at, keyed, make, put } from "./pieces/kit.js";
import { mount as ladder } from "./pieces/ladder.js";

const SHOWN_MAX = 4;
const FIRST = 2;

export function books(root) {
  const bar = root.appendChild(make("div", "picks"));
  const frame = root.appendChild(make("div", "books"));
  const note = root.appendChild(make("p", "hft-note"));
  let chosen = null;
  const buttons = keyed(bar, (item) => {
    const node = make("button", "hft-small", at(item));
    node.type = "button";
    node.addEventListener("click", () => pick(node.textContent));
    return { node };
  });
  const shown = keyed(frame, () => {
    const node = make("div");
    return { node, piece: ladder(node) };
  });
  let last = [];

  function pick(name) {
    const now = new Set(chosen || wanted().map(at));
    if (!now.delete(name)) now.add(name);
    chosen = new Set([...now].slice(-SHOWN_MAX));
    draw();
  }

  function wanted() {
    if (chosen) return last.filter((one) => chosen.has(at(one)));
    return last.slice(0, window.innerWidth >= 1900 ? SHOWN_MAX : FIRST);
  }

  function draw() {
    const now = wanted();
    const names = new Set(now.map(at));
    buttons(last, at, (one, item) => {
      one.node.setAttribute("aria-pressed", String(names.has(at(item))));
    });
    bar.hidden = last.length < 2;
    shown(now, at, (one, item) => one.piece.show(item));
    put(note, last.length ? "" : "This runner does not say its books.");
    note.hidden = last.length > 0;
  }

  return {
    show(status) {
      last = (status && status.ladders) || [];
      draw();
    },
    forget() {
      chosen = null;
    },
  };
}
