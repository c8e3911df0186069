// How old what is shown is, as a sentence; nothing where it is fresh.
//
//   const [level, sentence] = sentenceOf({ state, arrived, one, now })
//                                                   level is "", "old" or "lost"
//
// Worst case: a page that was asleep: it says lost until the next state comes.

import { number, span, time } from "./pieces/kit.js";

const OLD_MS = 2000;

export function sentenceOf({ state, arrived, one, now }) {
  const silent = now - arrived;
  if (silent > OLD_MS) {
    const since = `${number(silent / 1000, 0, 0)} s`;
    const of = `What is shown is of ${time(state.time_ns, 0)} UTC.`;
    return ["lost", `Connection to the desk lost: nothing came for ${since}. ${of}`];
  }
  if (!one) return ["", ""];
  if (one.by === "nothing" || !one.status) {
    const none = "does not answer, and its page cannot be read. No figure of it is known.";
    return ["old", `${one.name} ${none}`];
  }
  if (one.status.is_running === false) {
    const why = one.status.why || "it has ended";
    return ["old", `${one.name} does not run: ${why}. What is shown is how it stood last.`];
  }
  if (one.age_ns / 1e6 > OLD_MS) {
    return ["old", `The figures of ${one.name} are ${span(
      one.age_ns)} old: its hot thread has written nothing since.`];
  }
  return ["", ""];
}
