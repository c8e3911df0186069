// Somebody takes an alert on: why, and the desk writes down who.
//
// Worst case: another has it already: the desk's sentence says who.

import { make, put } from "./pieces/kit.js";
import { field } from "./entering.js";
import { ask } from "./talking.js";

export function acknowledging(dialog, alert, say) {
  dialog.replaceChildren();
  const form = dialog.appendChild(make("form", "act"));
  form.appendChild(make("h2", "", "Acknowledge")).id = "ask-title";
  form.appendChild(make("p", "will", `${alert.severity}: ${alert.said || alert.rule}`));
  const why = field(form, "why", "What you do about it", { maxLength: 200 });
  const said = form.appendChild(make("p", "hft-error"));
  said.setAttribute("role", "alert");
  const row = form.appendChild(make("div", "row"));
  const close = row.appendChild(make("button", "", "Leave it"));
  close.type = "button";
  close.addEventListener("click", () => dialog.close());
  row.appendChild(make("button", "main", "Acknowledge"));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await ask("api/alerts/acknowledge", { id: alert.id, why: why.value });
      dialog.close();
      say(`Acknowledged: ${alert.said || alert.rule}`);
    } catch (error) {
      put(said, error.sentence || String(error));
    }
  });
  if (!dialog.open) dialog.showModal();
  why.focus();
}
