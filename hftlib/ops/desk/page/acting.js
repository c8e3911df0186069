// The dialog before an action: what will happen, why, the code, a second person; then how it went.
//
//   act(dialog, { action: "halt", runner, scope: "firm" })
//
// A kill takes a hold of HOLD_MS on its button, or the scope's name typed. What the desk refuses
// stands
// there in its own words. Worst case: no answer: it says so, and that the runner may have heard.

import { make, number, put } from "./pieces/kit.js";
import { CODE, field } from "./entering.js";
import { ask } from "./talking.js";
import { ACTIONS, needsSecond, words } from "./words.js";

const HOLD_MS = 1200;

function chooser(form, action, runner, scope) {
  const box = form.appendChild(make("label", "field"));
  box.appendChild(make("span", "hft-label", "Scope"));
  const select = box.appendChild(make("select"));
  select.name = "scope";
  const scopes = ((runner.status || {}).scopes || [{ scope }]).map((one) => one.scope);
  if (action === "kill") scopes.push("process");
  for (const one of scopes) select.appendChild(make("option", "", one)).value = one;
  select.value = scope;
  return select;
}

function limitFields(form, runner, select) {
  const name = field(form, "name", "Limit, as position_lots", { maxLength: 40 });
  const list = form.appendChild(make("datalist"));
  list.id = "ask-limits";
  name.setAttribute("list", list.id);
  const value = field(form, "value", "New value", { type: "number", step: "any" });
  const now = form.appendChild(make("p", "hft-note"));
  const known = () => ((runner.status || {}).limits || []).filter((one) =>
    one.scope === select.value);
  const say = () => {
    list.replaceChildren(...known().map((one) => Object.assign(make("option"),
      { value: one.name })));
    const one = known().find((each) => each.name === name.value);
    put(now, one ? `Now ${number(one.limit)} ${one.unit}, of which ${number(one.used)} is used.`
      : "");
  };
  name.addEventListener("input", say);
  select.addEventListener("change", say);
  say();
  return { name, value };
}

function secondFields(form) {
  const box = form.appendChild(make("fieldset"));
  box.appendChild(make("legend", "", "Second person, of risk"));
  const parts = {
    user: field(box, "second-user", "Name"),
    password: field(box, "second-password", "Password", { type: "password" }),
    code: field(box, "second-code", "One-time code", CODE),
  };
  return {
    show(need) {
      box.hidden = box.disabled = need === "";
      for (const one of Object.values(parts)) one.required = need === "must";
    },
    isGiven: () => !box.hidden && Object.values(parts).some((one) => one.value),
    told: () => Object.fromEntries(Object.entries(parts).map(([key, one]) => [key, one.value])),
    box,
  };
}

// A button that must be held: by pointer, or by Space or Enter.
function held(button, done) {
  let timer = 0;
  const begin = (event) => {
    if (timer || button.disabled) return;
    if (event.type === "keydown" && event.key !== " " && event.key !== "Enter") return;
    if (event.type === "keydown") event.preventDefault();
    button.classList.add("holding");
    timer = setTimeout(() => (end(), done()), HOLD_MS);
  };
  const end = () => {
    clearTimeout(timer);
    timer = 0;
    button.classList.remove("holding");
  };
  for (const one of ["pointerdown", "keydown"]) button.addEventListener(one, begin);
  for (const one of ["pointerup", "pointerleave", "pointercancel", "keyup", "blur"]) {
    button.addEventListener(one, end);
  }
}

function head(form, action, runner) {
  const title = form.appendChild(make("h2", "", `${ACTIONS[action].title}: ${runner.name}`));
  title.id = "ask-title";
  const mode = ((runner.status || {}).mode || "unknown").toUpperCase();
  form.dataset.mode = mode.toLowerCase();
  title.appendChild(make("span", "mode-tag", mode));
  return form.appendChild(make("p", "will"));
}

function foot(form, action) {
  const said = form.appendChild(make("p", "hft-error"));
  said.setAttribute("role", "alert");
  const result = form.appendChild(make("p", "done"));
  result.setAttribute("role", "status");
  const row = form.appendChild(make("div", "row"));
  const close = row.appendChild(make("button", "", "Leave it"));
  close.type = "button";
  const isKill = action === "kill";
  const go = row.appendChild(make("button", isKill ? "danger" : "main", isKill ? "Hold to kill"
    : ACTIONS[action].title));
  go.type = isKill ? "button" : "submit";
  go.name = "go";
  return { said, result, close, go };
}

function outcome(told, action, scope, took) {
  const heard = told.heard_us === undefined ? ""
    : `the runner heard it in ${number(told.heard_us / 1000, 0, 1)} ms, `;
  return `Done: ${ACTIONS[action].word.toLowerCase()} ${scope}; ${heard}the answer took ${number(
    took, 0, 0)} ms.`;
}

export function act(dialog, { action, runner, scope, onDone = () => {} }) {
  dialog.replaceChildren();
  const form = dialog.appendChild(make("form", "act"));
  const will = head(form, action, runner);
  const select = chooser(form, action, runner, scope);
  const limit = action === "limit" ? limitFields(form, runner, select) : null;
  const why = field(form, "why", "Reason, which is journaled", { minLength: 3, maxLength: 64 });
  const code = field(form, "code", "Your one-time code", CODE);
  const second = secondFields(form);
  const typed = action === "kill" ? field(form, "typed", "Or type the scope's name",
    { required: false }) : null;
  const { said, result, close, go } = foot(form, action);
  const say = () => {
    put(will, words(action, runner, select.value));
    second.show(needsSecond(action, select.value));
    if (typed) put(go, typed.value === select.value ? "Kill now" : "Hold to kill");
  };
  select.addEventListener("change", say);
  if (typed) typed.addEventListener("input", say);
  close.addEventListener("click", () => dialog.close());

  async function tell() {
    if (!form.reportValidity()) return;
    const body = { runner: runner.name, do: action, scope: select.value, why: why.value,
      code: code.value };
    if (limit) Object.assign(body, { name: limit.name.value, value: Number(limit.value.value) });
    if (second.isGiven()) body.second = second.told();
    const begun = performance.now();
    go.disabled = true;
    put(said, "");
    try {
      const told = await ask("api/act", body);
      put(result, outcome(told, action, select.value, performance.now() - begun));
      for (const one of [go, why, code, select]) one.disabled = true;
      put(close, "Close");
      close.focus();
      onDone(result.textContent);
    } catch (error) {
      put(said, error.sentence || String(error));
      code.value = "";
      go.disabled = false;
      code.focus();
    }
  }

  if (typed) {
    held(go, tell);
    go.addEventListener("click", () => typed.value === select.value && tell());
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!typed || typed.value === select.value) tell();
  });
  say();
  if (!dialog.open) dialog.showModal();
  why.focus();
}
