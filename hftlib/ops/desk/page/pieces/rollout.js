// Where the releases of a name are: shadow, canary, champion, and the champion before, each with
// who
// moved it there, when, why and by what evidence. `show` takes a list of rollouts, or one.
//
// Worst case: a log that does not hold is shown as the sentence that says so, and nothing else of
// it.

import { begin, keyed, make, number, put, time } from "./kit.js";

const STAGES = ["shadow", "canary", "champion", "previous"];

function evidenceOf(step) {
  const told = step && step.evidence;
  if (!told || typeof told !== "object") return told ? String(told) : "";
  const plain = Object.entries(told).filter(([, one]) => ["string", "number", "boolean"].includes(
    typeof one));
  const words = plain.map(([name, one]) =>
    `${name.replaceAll("_", " ")} ${typeof one === "number" ? number(one) : one}`);
  return words.slice(0, 6).join(", ");
}

function nameOf(step) {
  const release = step.release;
  const text = release && typeof release === "object" ? release.name : String(release || "");
  return text.split("/").pop();
}

function when(step) {
  if (step.time_ns) return `${new Date(step.time_ns / 1e6).toISOString().slice(0, 10)} ${time(
    step.time_ns, 0)}`;
  return String(step.at || step.time || "");
}

function create() {
  const node = make("article", "hft-roll");
  const title = node.appendChild(make("h4", "hft-sub"));
  const wrong = node.appendChild(make("p", "hft-error"));
  const flow = node.appendChild(make("ol", "hft-flow"));
  const stages = STAGES.map((stage) => {
    const box = flow.appendChild(make("li"));
    box.appendChild(make("span", "hft-label", stage));
    const [release, who, evidence] = ["b", "span", "span"].map((tag) => box.appendChild(make(tag)));
    who.className = evidence.className = "hft-dim";
    return { box, release, who, evidence };
  });
  const next = node.appendChild(make("p", "hft-note"));
  return { node, title, wrong, stages, next };
}

function fill(row, one) {
  put(row.title, one.name);
  put(row.wrong, one.error || one.wrong || "");
  row.wrong.hidden = row.wrong.textContent === "";
  STAGES.forEach((stage, n) => {
    const step = (one.stages || {})[stage];
    const cell = row.stages[n];
    cell.box.classList.toggle("hft-none", !step);
    put(cell.release, step ? nameOf(step) : "nothing");
    put(cell.who, step ? [step.by || step.who, when(step), step.why].filter(Boolean).join(", ")
      : "");
    put(cell.evidence, evidenceOf(step));
  });
  const by = one.asked ? one.asked.by || one.asked.who : "";
  const asked = by ? `${nameOf(one.asked)} waits for a second person, asked by ${by}. ` : "";
  put(row.next, `${asked}${one.next ? `Next: ${one.next}` : ""}`);
  row.next.hidden = row.next.textContent === "";
}

export function mount(root) {
  const remove = begin(root, "rollout");
  const show = keyed(root.appendChild(make("div")), create);
  const note = root.appendChild(make("p", "hft-note", "No rollout is looked at."));
  return {
    show(data) {
      const told = Array.isArray(data) ? data : data && data.rollouts ? data.rollouts : data
        ? [data] : [];
      const list = told.filter((one) => one && one.name);
      show(list, (one) => one.name, fill);
      note.hidden = list.length > 0;
    },
    remove,
  };
}
