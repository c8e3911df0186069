// How the page talks to its desk: fetches with the session's token, and the stream of states.
//
//   const me = await ask("api/me");            an Error with .code and the server's own sentence
//   stream(onState, onLost)                    two states a second, again after each loss
//
// Addresses are relative, so the page works behind a proxy's path as well.
// Worst case: a desk that is away: the stream tries again each second, and the page says since
// when.

let csrf = "";

export function remember(me) {
  csrf = (me && me.csrf) || "";
}

export class Refused extends Error {
  constructor(code, told) {
    super(told.what || `The desk answered ${code}`);
    this.code = code;
    this.where = told.where || "";
    this.advice = told.do || "";
  }

  get sentence() {
    return [this.message, this.advice].filter(Boolean).join(". ").replaceAll("..", ".");
  }
}

async function read(response) {
  const text = await response.text();
  try {
    return text ? JSON.parse(text) : {};
  } catch {
    return { what: text.slice(0, 200) };
  }
}

export async function ask(place, body = undefined) {
  const settings = { credentials: "same-origin", cache: "no-store", headers: {} };
  if (body !== undefined) {
    settings.method = "POST";
    settings.headers["Content-Type"] = "application/json";
    if (csrf) settings.headers["X-CSRF"] = csrf;
    settings.body = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(place, settings);
  } catch {
    throw new Refused(0, { what: "The desk cannot be reached", do: "See that `hft desk` runs" });
  }
  const told = await read(response);
  if (!response.ok) throw new Refused(response.status, told);
  return told;
}

export function stream(onState, onLost) {
  const source = new EventSource("api/stream");
  source.addEventListener("state", (event) => onState(JSON.parse(event.data)));
  source.addEventListener("error", () => onLost(source.readyState === EventSource.CLOSED));
  return () => source.close();
}
