"""Who is logged in: sessions in memory, each of one plane, over when idle or old.

    cookie, session = sessions.begun(person, VIEW, now_s)       the cookie's text, shown once
    sessions.of(cookie, VIEW, now_s)                            None: there is none any more
    sessions.ended(cookie)

Only a digest of the cookie is kept. A session holds what proved its person: a new password, other
roles or a person that is gone end it at its next question. A stream does not keep one awake.
Worst case: SESSIONS_MAX; the oldest goes first. A restart ends all.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from hftlib.ops.access.people import People, Person

VIEW, CONTROL = "view", "control"
SESSIONS_MAX = 256


@dataclass(frozen=True, slots=True)
class Expiry:
    """How long a session lasts: without a question, and at all."""

    idle_s: float
    whole_s: float


EXPIRIES = {VIEW: Expiry(12 * 3_600.0, 24 * 3_600.0), CONTROL: Expiry(1_800.0, 12 * 3_600.0)}


@dataclass(slots=True)
class Session:
    """One person at one browser."""

    person: Person
    plane: str
    csrf: str = field(repr=False)
    begun_s: float
    asked_s: float
    wrong: int = 0  # codes in a row


class Sessions:
    """Those of a desk."""

    def __init__(self, people: People, expiries: dict[str, Expiry]) -> None:
        self._people, self._expiries = people, expiries
        self._all: OrderedDict[str, Session] = OrderedDict()
        self._alone = threading.Lock()

    def begun(self, person: Person, plane: str, now_s: float) -> tuple[str, Session]:
        """A new one, of a cookie that nobody has had before."""
        cookie = secrets.token_urlsafe(32)
        made = Session(person, plane, secrets.token_urlsafe(32), now_s, now_s)
        with self._alone:
            self._all[_digest(cookie)] = made
            while len(self._all) > SESSIONS_MAX:
                self._all.popitem(last=False)
        return cookie, made

    def of(self, cookie: str, plane: str, now_s: float, *, asks: bool = True) -> Session | None:
        """The session of this cookie on this plane; `asks` False: it is only looked at."""
        name = _digest(cookie)
        with self._alone:
            found = self._all.get(name)
            if found is None or found.plane != plane:
                return None
            if self._is_over(found, now_s):
                del self._all[name]
                return None
            if asks:
                found.asked_s = now_s
            return found

    def ended(self, cookie: str) -> None:
        with self._alone:
            self._all.pop(_digest(cookie), None)

    def _is_over(self, one: Session, now_s: float) -> bool:
        limit = self._expiries[one.plane]
        is_old = now_s - one.begun_s > limit.whole_s or now_s - one.asked_s > limit.idle_s
        now = self._people.named(one.person.name)
        is_other = now is None or (now.roles, now.password, now.totp) != (
            one.person.roles,
            one.person.password,
            one.person.totp,
        )
        return is_old or is_other


def _digest(cookie: str) -> str:
    return hashlib.sha256(cookie.encode(errors="replace")).hexdigest()
