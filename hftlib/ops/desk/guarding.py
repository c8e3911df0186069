"""Who may ask at all: by the right name of this desk, from its own page, as somebody.

    guard.require_host(request)         another Host is refused: 421 (DNS rebinding)
    guard.require_own_page(request)     another site's page is refused: 403
    asker = guard.asker(request)        a session's cookie or a token: 401 without
    guard.require_csrf(request, asker)  what acts by a cookie says the session's own word

A token is sent by programs, which no page can make a browser do: it needs no word.
On a loopback address without a file of people anybody of this host may look, and nobody may act.
Worst case: none, all of it is a few comparisons.
"""

from __future__ import annotations

import hmac
import time
from dataclasses import dataclass
from typing import Any

from hftlib.ops.access.people import People, Person
from hftlib.ops.access.tokens import token_of
from hftlib.ops.desk.answers import LOGGED_OUT, Answer
from hftlib.ops.desk.sessions import Session, Sessions

SESSION, TOKEN, NOBODY = "session", "token", "nobody"
OWN_SITES = ("same-origin", "none")


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and by what."""

    who: str
    by: str
    person: Person | None = None
    scope: str = "look"
    session: Session | None = None
    cookie: str = ""


class Guard:
    """The door of one plane."""

    def __init__(
        self,
        plane: str,
        hosts: frozenset[str],
        is_tls: bool,
        people: People | None,
        sessions: Sessions | None,
    ) -> None:
        self.plane, self.hosts, self.is_tls = plane, hosts, is_tls
        self._people, self._sessions = people, sessions

    @property
    def cookie_name(self) -> str:
        """Of this plane: a browser sends cookies to every port of a host."""
        return f"{'__Host-' if self.is_tls else ''}hft-{self.plane}"

    def require_host(self, header: str) -> None:
        if _host_of(header) not in self.hosts:
            do = "Use the address that the desk printed, or name this one with --host."
            raise Answer(421, "This desk has another name", where="Host", do=do)

    def require_own_page(self, request: Any, *, acts: bool) -> None:
        """What another site's page asks is refused; what acts says where it comes from."""
        site = request.headers.get("sec-fetch-site")
        origin = request.headers.get("origin")
        own = f"{'https' if self.is_tls else 'http'}://{request.headers.get('host', '')}"
        is_other = site is not None and site not in OWN_SITES
        if is_other or (origin is not None and origin.lower() != own.lower()):
            do = "Open the desk's own page."
            raise Answer(403, "Another site's page asked for this", where="Origin", do=do)
        by_cookie = "authorization" not in request.headers
        if acts and by_cookie and site is None and origin is None:
            do = "Send the desk's address as Origin, as browsers do."
            raise Answer(403, "It does not say which page asks", where="Origin", do=do)

    def asker(self, request: Any, *, asks: bool = True) -> Asker:
        """Who that is, or 401."""
        now_s = time.time()
        bearer = request.headers.get("authorization", "")
        if bearer:
            return self._by_token(bearer)
        if self._people is None or self._sessions is None:
            return Asker("", NOBODY)
        cookie = request.cookies.get(self.cookie_name, "")
        found = self._sessions.of(cookie, self.plane, now_s, asks=asks) if cookie else None
        if found is None:
            raise Answer(401, "Nobody is logged in here", do=LOGGED_OUT)
        return Asker(found.person.name, SESSION, found.person, "act", found, cookie)

    def require_csrf(self, request: Any, asker: Asker) -> None:
        if asker.by == TOKEN:
            return
        said = request.headers.get("x-csrf", "")
        wanted = asker.session.csrf if asker.session is not None else ""
        if not wanted or not hmac.compare_digest(said.encode(), wanted.encode()):
            do = "Load the page again; a program sends what /api/me says as X-CSRF."
            raise Answer(403, "It lacks the word of this session", where="X-CSRF", do=do)

    def _by_token(self, bearer: str) -> Asker:
        kind, _, text = bearer.partition(" ")
        found = None
        if self._people is not None and kind.lower() == "bearer":
            found = token_of(self._people, text.strip(), time.time_ns())
        if found is None:
            do = "Make one with hft access token, and send it as: Authorization: Bearer TOKEN."
            raise Answer(401, "This token is none, or over", where="Authorization", do=do)
        person, token = found
        return Asker(person.name, TOKEN, person, token.scope)


def _host_of(header: str) -> str:
    """The name without its port."""
    text = header.strip().lower()
    if text.startswith("["):
        return text.partition("]")[0] + "]"
    return text.partition(":")[0]
