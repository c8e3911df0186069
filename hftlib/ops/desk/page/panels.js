// The panels below the strip: each a heading and a piece, in three columns that fall below each
// other where there is less room.
//
//   const panels = makePanels(root, { me, act, acknowledge, runner: () => "maker" })
//   panels.show(runner, state)      panels.overview(state, choose)
//
// Worst case: a status without one of the parts: that piece says so, the others go on.

import { keyed, make, put } from "./pieces/kit.js";
import { mount as alerts } from "./pieces/alerts.js";
import { mount as fills } from "./pieces/fills.js";
import { mount as health } from "./pieces/health.js";
import { mount as latency } from "./pieces/latency.js";
import { mount as limits } from "./pieces/limits.js";
import { mount as orders } from "./pieces/orders.js";
import { mount as positions } from "./pieces/positions.js";
import { mount as risk } from "./pieces/risk.js";
import { mount as rollout } from "./pieces/rollout.js";
import { mount as runnerCard } from "./pieces/runner.js";
import { books } from "./books.js";
import { searching } from "./searching.js";
import { ACTIONS, mayDo } from "./words.js";

const COLUMNS = [
  [["positions", "Positions"], ["books", "Books"], ["orders", "Working orders"]],
  [["limits", "Exposure against limits"], ["risk", "Risk"], ["alerts", "Alerts"],
    ["health", "Feeds and sessions"]],
  [["latency", "Latency"], ["fills", "Fills"], ["rollout", "Rollouts"], ["journal", "Journal"]],
];
const SCOPED = ["halt", "reduce", "flatten", "lift"];

function frame(root) {
  const found = {};
  COLUMNS.forEach((column, n) => {
    const place = root.appendChild(make("div", `column column-${n}`));
    for (const [id, title] of column) {
      const section = place.appendChild(make("section", "panel"));
      section.id = `panel-${id}`;
      const head = section.appendChild(make("h3", "", title));
      head.id = `title-${id}`;
      section.setAttribute("aria-labelledby", head.id);
      found[id] = section.appendChild(make("div", "content"));
    }
  });
  return found;
}

export function makePanels(root, { me, act, acknowledge, runner }) {
  root.replaceChildren();
  const grid = root.appendChild(make("div", "grid"));
  const at = frame(grid);
  const search = searching(at.journal, runner);
  const actions = SCOPED.filter((one) => mayDo(me, one)).map((one) => [one, ACTIONS[one].word]);
  const find = (one) => search.look(String(one.id ?? one.symbol));
  const canAcknowledge = mayDo(me, "halt"); // who may act may take an alert on
  const pieces = {
    positions: positions(at.positions),
    orders: orders(at.orders, { onPick: find }),
    limits: limits(at.limits),
    risk: risk(at.risk, { actions, onAct: act }),
    latency: latency(at.latency),
    health: health(at.health),
    fills: fills(at.fills),
  };
  const ladders = books(at.books);
  const wakes = alerts(at.alerts, canAcknowledge ? { onAcknowledge: acknowledge } : {});
  const rolls = rollout(at.rollout);
  const over = root.appendChild(make("div", "cards"));
  let choose = () => {};
  const cards = keyed(over, (item) => {
    const node = make("button", "card");
    node.type = "button";
    node.addEventListener("click", () => choose(item.name));
    return { node, piece: runnerCard(node.appendChild(make("div"))) };
  });

  function common(state) {
    wakes.show(state.alerts || []);
    rolls.show(state.rollouts || []);
  }

  return {
    search,
    show(one, state) {
      over.hidden = true;
      grid.classList.remove("only-common");
      const status = one.status;
      if (status) {
        for (const piece of Object.values(pieces)) piece.show(status);
        ladders.show(status);
      }
      common(state);
    },
    overview(state, curves, chosen) {
      choose = chosen;
      over.hidden = false;
      grid.classList.add("only-common");
      const list = state.runners.map((one) => ({ ...one, curve: curves(one.name) }));
      cards(list, (one) => one.name, (card, one) => card.piece.show(one));
      common(state);
    },
    forget: () => ladders.forget(),
  };
}

// The rail: each runner with its number, mode and profit.
export function rail(root, choose) {
  const show = keyed(root, (item) => {
    const node = make("button", "rail-one");
    node.type = "button";
    const key = node.appendChild(make("kbd"));
    const mode = node.appendChild(make("b", "rail-mode"));
    const name = node.appendChild(make("span", "rail-name"));
    const sum = node.appendChild(make("span", "rail-sum"));
    const wrong = node.appendChild(make("span", "rail-wrong"));
    node.addEventListener("click", () => choose(item.name));
    return { node, key, mode, name, sum, wrong };
  });
  return (items, chosen) => {
    root.hidden = items.length < 3; // one runner and the overview need no rail
    show(items, (one) => one.label, (row, one) => {
      row.node.dataset.mode = one.mode;
      row.node.setAttribute("aria-current", String(one.name === chosen));
      put(row.key, one.key);
      put(row.mode, one.word);
      put(row.name, one.label);
      put(row.sum, one.sum);
      put(row.wrong, one.wrong);
    });
  };
}
