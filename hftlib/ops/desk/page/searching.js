// The search in a runner's journal, and what it finds as steps with the time between them.
//
//   const search = searching(root, () => "maker");   search.look("order 17")
//
// Worst case: a search that takes long is given up when another begins; at most LIMIT rows.

import { make, number, put, table, time } from "./pieces/kit.js";
import { mount as journey } from "./pieces/journey.js";
import { ask } from "./talking.js";

const LIMIT = 200;
const KINDS = ["", "DIRECTIVE", "SESSION_OUT", "SESSION_IN", "SHADOW", "CONNECTED", "OPENED"];

function controls(root) {
  const form = root.appendChild(make("form", "search"));
  form.setAttribute("role", "search");
  const text = form.appendChild(make("input"));
  Object.assign(text, { type: "search", placeholder: "Journal: words, an order's number   ( / )" });
  Object.assign(text, { maxLength: 100, id: "find" });
  text.setAttribute("aria-label", "Words to find in the journal");
  const kind = form.appendChild(make("select"));
  kind.setAttribute("aria-label", "Kind of frame");
  for (const one of KINDS) kind.appendChild(make("option", "", one || "every kind")).value = one;
  const from = form.appendChild(make("input", "from"));
  Object.assign(from, { placeholder: "from: frame or UTC time", maxLength: 40 });
  from.setAttribute("aria-label", "From which frame or time on");
  form.appendChild(make("button", "", "Find"));
  const shape = form.appendChild(make("button", "", "As steps"));
  shape.type = "button";
  shape.setAttribute("aria-pressed", "false");
  return { form, text, kind, from, shape };
}

export function searching(root, runnerName) {
  const { form, text, kind, from, shape } = controls(root);
  const said = root.appendChild(make("p", "hft-note", "Nothing was looked for yet."));
  said.setAttribute("role", "status");
  const list = root.appendChild(make("div", "found"));
  const rows = table(list, [
    { title: "Frame", num: true, of: (one) => number(one.sequence) },
    { title: "Time (UTC)", num: true, of: (one) => time(one.time_ns) },
    { title: "Kind", of: (one) => one.kind, names: () => "hft-strong" },
    { title: "Text", of: (one) => one.text, names: () => "hft-says" },
  ]);
  list.hidden = true;
  const life = root.appendChild(make("div", "found"));
  const steps = journey(life);
  life.hidden = true;
  let asked = 0;

  async function find() {
    const mine = (asked += 1);
    const given = { runner: runnerName(), text: text.value, kind: kind.value, limit: LIMIT };
    const query = new URLSearchParams(given);
    if (from.value) query.set("from", from.value);
    put(said, "Looking…");
    try {
      const told = await ask(`api/journal?${query}`);
      if (mine !== asked) return;
      const seen = told.seen ? ` of ${number(told.seen)} frames looked at` : "";
      put(said, [`${number(told.rows.length)} found${seen}.`, told.is_cut].filter(Boolean).join(
        " "));
      rows.show(told.rows, (one) => String(one.sequence));
      steps.show([...told.rows].sort((one, other) => one.sequence - other.sequence));
      show();
    } catch (error) {
      if (mine === asked) put(said, error.sentence || String(error));
    }
  }

  function show() {
    const asSteps = shape.getAttribute("aria-pressed") === "true";
    life.hidden = !asSteps;
    list.hidden = asSteps;
  }

  shape.addEventListener("click", () => {
    shape.setAttribute("aria-pressed", String(shape.getAttribute("aria-pressed") !== "true"));
    show();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    find();
  });
  return {
    focus: () => text.focus(),
    look(words) {
      text.value = words;
      root.scrollIntoView({ block: "nearest" });
      find();
    },
  };
}
