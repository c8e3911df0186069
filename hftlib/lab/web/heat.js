// A heat-map: a row for each stage, a column for each look, the newest right. On a log scale.
//
//   mount(root).show({ title, rows: ["DECIDE", ...], cells: [[ns or null, ...], ...] })
//
// Worst case: as many cells as the kernel sends; they are made once and used again.

import { begin, keyed, make, put, span } from "@pieces/kit.js";

const LOW_NS = 100;
const HIGH_NS = 10_000_000;

function heat(ns) {
  const share = Math.log(Math.max(ns, LOW_NS) / LOW_NS) / Math.log(HIGH_NS / LOW_NS);
  return 0.12 + 0.88 * Math.min(1, share);
}

function create() {
  const node = make("div", "hft-heat-row");
  const name = node.appendChild(make("span", "hft-heat-name"));
  const line = node.appendChild(make("span", "hft-heat-cells"));
  const last = node.appendChild(make("span", "hft-num hft-heat-last"));
  const show = keyed(line, () => ({ node: make("i") }));
  return { node, name, last, show };
}

export function mount(root) {
  const remove = begin(root, "heat");
  const title = root.appendChild(make("h4", "hft-sub"));
  const show = keyed(root.appendChild(make("div")), create);
  return {
    show(data) {
      put(title, data.title);
      const rows = data.rows.map((name, n) => ({ name, cells: data.cells[n] || [] }));
      show(rows, (one) => one.name, (row, one) => {
        put(row.name, one.name);
        row.show(one.cells, (_, n) => String(n), (cell, ns) => {
          cell.node.style.opacity = ns === null ? "0.05" : String(heat(ns));
          cell.node.title = ns === null ? "nothing" : span(ns);
        });
        const known = one.cells.filter((ns) => ns !== null);
        put(row.last, known.length ? span(known.at(-1)) : "–");
      });
    },
    remove,
  };
}
