// The desk's page: who is there, which runner is looked at, what came last and how old it is.
//
//   stream ─▶ take(state) ─▶ one drawing a frame ─▶ strip, rail, panels
//
// Keys: / searches the journal, 1-9 choose a runner, 0 shows all of them, Esc goes back.
// What is older than OLD_MS is grey, with a sentence. Worst case: a hidden page draws nothing,
// and the
// newest state once it is looked at again.

import { make, money, number, plural, profits, put, time } from "./pieces/kit.js";
import { History } from "./pieces/curve.js";
import { isOld, modeOf, modeWord, mount as runnerPiece, worriesOf } from "./pieces/runner.js";
import { act } from "./acting.js";
import { acknowledging } from "./acknowledging.js";
import { entered } from "./entering.js";
import { makePanels, rail } from "./panels.js";
import { ask, remember, stream } from "./talking.js";
import { sentenceOf } from "./staleness.js";
import { theme } from "./theme.js";
import { ACTIONS, mayDo } from "./words.js";

const LOOK_MS = 500;
const TOLD_MS = 8000;
const $ = (id) => document.getElementById(id);
const curves = new Map();
let [me, state, chosen, panels, strip, drawRail] = [null, null, undefined, null, null, null];
let [arrived, isAsked, endStream, toldTimer] = [0, false, () => {}, 0];

const found = () => (state ? state.runners.find((one) => one.name === chosen) || null : null);
const curveOf = (name) => (curves.has(name) ? curves.get(name).points : []);

function gain(runner) {
  const { sums } = profits(runner.status);
  return [...sums].map(([currency, value]) => money(value, currency)).join("  ");
}

function remembered(next) {
  const names = new Set(next.runners.map((one) => one.name));
  for (const name of curves.keys()) if (!names.has(name)) curves.delete(name);
  for (const one of next.runners) {
    if (!one.status) continue;
    if (!curves.has(one.name)) curves.set(one.name, new History());
    const [first] = profits(one.status).sums.values();
    curves.get(one.name).take(one.status.time_ns, first ?? null);
  }
}

// A state of the desk, from its stream (or, in tests, from anywhere).
export function take(next) {
  state = next;
  arrived = performance.now();
  remembered(next);
  if (isAsked) return;
  isAsked = true;
  requestAnimationFrame(() => {
    isAsked = false;
    draw();
  });
}

export const drawn = () => !isAsked;

export function choose(name) {
  chosen = name;
  const hash = name === null ? "all" : encodeURIComponent(name);
  history.replaceState(null, "", `#${hash}`);
  panels.forget();
  if (state) draw();
}

function firstChoice() {
  const hash = decodeURIComponent(location.hash.slice(1));
  const names = state.runners.map((one) => one.name);
  if (names.includes(hash)) return hash;
  if (hash === "all" || names.length !== 1) return null;
  return names[0];
}

function together() {
  const sums = new Map();
  for (const one of state.runners) {
    for (const [currency, value] of profits(one.status).sums) {
      sums.set(currency, (sums.get(currency) || 0) + value);
    }
  }
  return [...sums].map(([currency, value]) => money(value, currency)).join("  ");
}

// In the overview the gravest mode colours the edge: live before canary before the rest.
function gravest() {
  const modes = state.runners.map((one) => modeOf(one.status));
  return ["live", "canary", "paper", "shadow"].find((one) => modes.includes(one)) || "none";
}

function drawRailNow() {
  const items = state.runners.map((one, n) => ({
    name: one.name,
    label: one.name,
    key: n < 9 ? String(n + 1) : "",
    mode: modeOf(one.status),
    word: modeWord(one.status),
    sum: gain(one),
    wrong: worriesOf(one).length ? `■ ${plural(worriesOf(one).length, "thing")} wrong`
      : isOld(one) ? "▲ old" : "",
  }));
  const all = { name: null, label: "All runners", key: "0", mode: "none", word: "",
    sum: together(), wrong: "" };
  drawRail([all, ...items], chosen);
}

function drawTitle(one) {
  const wrong = state.runners.reduce((sum, each) => sum + worriesOf(each).length, 0);
  const head = wrong ? `■ ${wrong} wrong · ` : "";
  document.title = one
    ? `${head}${modeWord(one.status)} ${one.name} ${gain(one)}`
    : `${head}${plural(state.runners.length, "runner")} ${together()}`;
}

function draw() {
  if (!state || !panels) return;
  if (chosen === undefined) chosen = firstChoice();
  const one = found();
  document.body.dataset.mode = one ? modeOf(one.status) : gravest();
  document.body.classList.toggle("all", !one);
  strip.show(one ? { ...one, curve: curveOf(one.name) } : null, state, together());
  if (one) panels.show(one, state);
  else panels.overview(state, curveOf, choose);
  drawRailNow();
  drawTitle(one);
  put($("clock"), `${time(state.time_ns, 0)} UTC`);
  look();
}

function look() {
  const [level, sentence] = sentenceOf({ state, arrived, one: found(), now: performance.now() });
  document.body.classList.toggle("is-stale", level !== "");
  $("stale").hidden = level === "";
  put($("stale"), sentence);
}

function makeStrip(root) {
  root.replaceChildren();
  const piece = runnerPiece(root.appendChild(make("div")), { wide: true });
  const all = root.appendChild(make("p", "all-strip"));
  return {
    show(one, now, sum) {
      root.firstChild.hidden = !one;
      all.hidden = Boolean(one);
      if (one) piece.show(one);
      else put(all, now.runners.length
        ? `All runners: ${number(now.runners.length)}, together ${sum || "nothing"}`
          : "No runner runs. Start one: hft live …");
    },
  };
}

function say(text) {
  clearTimeout(toldTimer);
  put($("told"), text);
  $("told").hidden = false;
  toldTimer = setTimeout(() => ($("told").hidden = true), TOLD_MS);
}

function begin(action, scope = "firm") {
  const runner = found();
  if (runner) act($("ask"), { action, runner, scope, onDone: say });
}

function makeActs(root) {
  root.replaceChildren();
  const able = Object.keys(ACTIONS).filter((one) => mayDo(me, one));
  for (const one of able) {
    const button = root.appendChild(make("button", one === "kill" ? "danger" : "",
      ACTIONS[one].word));
    button.type = "button";
    button.dataset.action = one;
    button.addEventListener("click", () => begin(one));
  }
  if (able.length) return;
  const why = me.plane === "view" ? "This address is for looking."
    : "Your role looks, and does not act.";
  root.appendChild(make("span", "hft-dim", why));
}

async function leave() {
  await ask("api/logout", {}).catch(() => {});
  location.reload();
}

async function start() {
  try {
    me = await ask("api/me");
  } catch (error) {
    if (error.code !== 401) {
      say(error.sentence);
      setTimeout(start, 2000);
      return;
    }
    await entered($("enter"));
    me = await ask("api/me");
  }
  remember(me);
  put($("user"), me.user ? `${me.user} · ${me.roles.join(", ")}` : "");
  $("leave").hidden = !me.user; // on a laptop without people nobody logs in, or out
  strip = makeStrip($("strip"));
  makeActs($("acts"));
  const acknowledge = (alert) => acknowledging($("ask"), alert, say);
  panels = makePanels($("panels"), { me, act: begin, acknowledge, runner: () => chosen || "" });
  drawRail = rail($("rail"), choose);
  take(await ask("api/state"));
  endStream = stream(take, (isOver) => isOver && again());
}

// The stream was refused: the session is over, or the desk began anew.
async function again() {
  endStream();
  await new Promise((done) => setTimeout(done, 1000));
  try {
    await ask("api/me");
    endStream = stream(take, (isOver) => isOver && again());
  } catch (error) {
    if (error.code === 401) location.reload();
    else again();
  }
}

function keys(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector(
    "dialog[open]")) return;
  const isTyping = event.target.closest && event.target.closest("input, select, textarea");
  if (event.key === "Escape") {
    if (isTyping) event.target.blur();
    else if (panels && state.runners.length > 1) choose(null);
  }
  if (isTyping || !panels || !state) return;
  if (event.key === "/") {
    event.preventDefault();
    if (!chosen && state.runners.length) choose(state.runners[0].name);
    panels.search.focus();
  }
  if (event.key === "0") choose(null);
  const one = state.runners[Number(event.key) - 1];
  if (/^[1-9]$/.test(event.key) && one) choose(one.name);
}

document.addEventListener("keydown", keys);
$("leave").addEventListener("click", leave);
theme($("theme"));
setInterval(() => state && panels && look(), LOOK_MS);
start();
