// What an action will do, in words and with its figures, before anybody does it.
//
//   words("halt", runner, "firm")
//       "No new order leaves maker/firm; 12 working orders are cancelled."
//
// Worst case: a runner that does not say which orders work: those of a scope are not counted.

import { at, plural } from "./pieces/kit.js";

export const ACTIONS = {
  halt: { word: "Pause", title: "Pause" },
  reduce: { word: "Reduce", title: "Reduce only" },
  flatten: { word: "Flatten", title: "Flatten" },
  lift: { word: "Lift", title: "Lift the halt" },
  limit: { word: "Limit", title: "Change a limit" },
  kill: { word: "Kill", title: "Kill" },
};

const MAY = { operator: ["halt", "reduce", "flatten", "kill"], risk: Object.keys(ACTIONS) };

export function mayDo(me, action) {
  if (!me || me.plane === "view") return false;
  return me.roles.some((role) => (MAY[role] || []).includes(action));
}

function within(scope, one) {
  const [kind, name] = scope.split(":");
  if (kind === "firm" || kind === "process") return true;
  if (kind === "strategy") return one.strategy === name;
  if (kind === "instrument") return one.symbol === name || at(one) === name;
  return null; // which strategies a portfolio has is not said
}

function sum(list, scope, count) {
  const found = list.map((one) => within(scope, one));
  if (found.includes(null)) return null;
  return list.reduce((total, one, n) => total + (found[n] ? count(one) : 0), 0);
}

export function workingIn(status, scope) {
  if (scope === "firm") return status.open_orders;
  if (status.orders) return sum(status.orders, scope, () => 1);
  return sum(status.positions || [], scope, (one) => one.open_orders);
}

export const heldIn = (status, scope) =>
  sum(status.positions || [], scope, (one) => (one.quantity ? 1 : 0));

export function words(action, runner, scope) {
  const status = runner.status || {};
  const place = `${runner.name}/${scope}`;
  if (scope === "process") {
    return `The process of ${runner.name} ends at once and takes no order back itself: the ` +
      "venue does, where the account is set to. Its journal says how it goes on.";
  }
  const count = runner.status ? workingIn(status, scope) : null;
  const orders = count === null ? "its working orders are" : count === 0
    ? "no order works, so none is" :
    `${plural(count, "working order")} ${count === 1 ? "is" : "are"}`;
  const held = runner.status ? heldIn(status, scope) : null;
  const positions = held === null ? "what it holds" : held === 0 ? "nothing, for nothing is held" :
    plural(held, "position");
  return {
    halt: `No new order leaves ${place}; ${orders} cancelled. What is held stays held.`,
    kill: `No new order leaves ${place}; ${orders} cancelled. What is held stays held, and only ` +
      `${scope === "firm" ? "two people" : "a person"} of risk can lift it.`,
    reduce: `Only what brings a position of ${place} nearer to nothing may leave; other working ` +
      "orders are cancelled.",
    flatten: `In ${place}: ${orders} cancelled, then ${positions} closed at the market ` +
      "within its limits, then it is halted.",
    lift: `${place} may trade again: its strategies may send orders at once.`,
    limit: `Another limit holds for ${place} from the next order on.`,
  }[action];
}

// The firm is lifted by two people; a limit of it is loosened by two, and tightened by one.
export function needsSecond(action, scope) {
  if (scope !== "firm") return "";
  return { lift: "must", limit: "may" }[action] || "";
}
