// Light or dark: as the system has it, or as somebody chose, which this browser remembers.
//
// Worst case: a browser that keeps nothing: the choice holds until the page is loaded again.

const ORDER = ["system", "light", "dark"];
const KEY = "hft-theme";

function kept() {
  try {
    return localStorage.getItem(KEY) || "system";
  } catch {
    return "system";
  }
}

function keep(value) {
  try {
    localStorage.setItem(KEY, value);
  } catch {
    // it holds as long as the page is open
  }
}

export function theme(button) {
  let now = kept();
  const show = () => {
    if (now === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = now;
    button.textContent = { system: "◐ Auto", light: "○ Light", dark: "● Dark" }[now];
    button.setAttribute("aria-label", `Colours: ${now}`);
  };
  button.addEventListener("click", () => {
    now = ORDER[(ORDER.indexOf(now) + 1) % ORDER.length];
    keep(now);
    show();
  });
  show();
}
