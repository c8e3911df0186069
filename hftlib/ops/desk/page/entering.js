// The door: name, password, one-time code. Resolves once the desk has let somebody in.
//
// Worst case: a wrong word, or a code that was used: the desk's sentence stands in the form.

import { make, put } from "./pieces/kit.js";
import { ask } from "./talking.js";

export function field(form, name, label, settings = {}) {
  const box = form.appendChild(make("label", "field"));
  box.appendChild(make("span", "hft-label", label));
  const input = box.appendChild(make("input"));
  Object.assign(input, { name, required: true, autocomplete: "off", ...settings });
  return input;
}

export const CODE = { inputMode: "numeric", pattern: "[0-9]{6}", maxLength: 6,
  title: "Six digits" };

export function entered(dialog) {
  dialog.replaceChildren();
  const form = dialog.appendChild(make("form", "door"));
  const title = form.appendChild(make("h2", "", "hft desk"));
  title.id = "enter-title";
  const user = field(form, "user", "Name", { autocomplete: "username", maxLength: 64 });
  const password = field(form, "password", "Password", {
    type: "password",
    autocomplete: "current-password",
  });
  const code = field(form, "code", "One-time code", { ...CODE, autocomplete: "one-time-code" });
  const said = form.appendChild(make("p", "hft-error"));
  said.setAttribute("role", "alert");
  const button = form.appendChild(make("button", "main", "Log in"));
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  if (!dialog.open) dialog.showModal();
  user.focus();
  return new Promise((done) => {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      button.disabled = true;
      put(said, "");
      try {
        await ask("api/login", { user: user.value, password: password.value, code: code.value });
        dialog.close();
        dialog.replaceChildren();
        done();
      } catch (error) {
        put(said, error.sentence || String(error));
        code.value = "";
        code.focus();
      }
      button.disabled = false;
    });
  });
}
