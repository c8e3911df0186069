"""What is behind each address of a desk: who asks, whether they may, the line in the audit log.

Called in threads; every refusal is an error of ours and a line. `Desk` is what all planes share.
Worst case: that of argon2 at a login, of a search, of a runner that does not answer.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hftlib.core.audit.line import printable
from hftlib.core.errors import HftError, InputError
from hftlib.ops.access.proving import Proofs
from hftlib.ops.access.roles import OPERATOR, RISK
from hftlib.ops.desk.acting import Acts, Wanted, text_of
from hftlib.ops.desk.answers import LOGGED_OUT, Answer
from hftlib.ops.desk.guarding import NOBODY, SESSION, Asker, Guard
from hftlib.ops.desk.journal_search import Wanted as Sought
from hftlib.ops.desk.journal_search import searched
from hftlib.ops.desk.recording import Record
from hftlib.ops.desk.sessions import CONTROL, Sessions
from hftlib.ops.desk.watching import Watch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hftlib.ops.desk.streaming import Feed


@dataclass(slots=True)
class Desk:
    """What both planes share."""

    watch: Watch
    feed: Feed
    record: Record
    proofs: Proofs | None = None
    sessions: Sessions | None = None
    alerts: Path | None = None


class Handling:
    """Of one plane."""

    def __init__(self, desk: Desk, guard: Guard) -> None:
        self.desk, self.guard = desk, guard
        self._acts = Acts(desk.watch, desk.record, desk.proofs, desk.sessions)

    def me(self, request: Any) -> dict[str, Any]:
        """Who is logged in here; on a laptop without people nobody, who may look."""
        self.guard.require_own_page(request, acts=False)
        asker = self.guard.asker(request, asks=False)
        return self._told(asker)

    def login(self, request: Any, body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """The cookie of a new session, and whose it is."""
        desk, given = self.desk, {n: text_of(body, n, 256) for n in ("user", "password", "code")}
        with self._refusing(request, self._known(given["user"]), "login"):
            if set(body) != set(given):
                do = "Send user, password and code."
                raise InputError("This is no login", where="POST /api/login", do=do)
            if desk.proofs is None or desk.sessions is None:
                do = "Make somebody with hft access add, and start the desk again."
                raise Answer(403, "There are no people here: everybody only looks", do=do)
            words = (given["user"], given["password"], given["code"])
            try:
                person = desk.proofs.login(*words, _from(request), time.time())
            except HftError as error:
                code = 429 if getattr(error, "wait_s", 0.0) else 401
                raise _Waits(code, error) from None
            cookie, session = desk.sessions.begun(person, self.guard.plane, time.time())
        facts = {"address": _from(request), "roles": ", ".join(person.roles)}
        desk.record.acted(person.name, "login", self.guard.plane, "", **facts)
        return cookie, self._told(Asker(person.name, SESSION, person, "act", session, cookie))

    def logout(self, request: Any) -> dict[str, Any]:
        self.guard.require_own_page(request, acts=True)
        asker = self.guard.asker(request)
        self.guard.require_csrf(request, asker)
        if self.desk.sessions is not None:
            self.desk.sessions.ended(asker.cookie)
        self.desk.record.acted(asker.who, "logout", self.guard.plane, "", address=_from(request))
        return {}

    def looks(self, request: Any, what: str) -> Asker:
        """Somebody who may look does."""
        with self._refusing(request, "", what):
            self.guard.require_own_page(request, acts=False)
            asker = self.guard.asker(request)
        self.desk.record.looked(asker.who, what, _from(request), time.time())
        return asker

    def is_welcome(self, request: Any) -> bool:
        """Whether a stream may go on."""
        try:
            return bool(self.guard.asker(request, asks=False))
        except HftError:
            return False

    def search(self, request: Any) -> dict[str, Any]:
        """Rows of a runner's journal."""
        asked = request.query_params
        with self._refusing(request, "", "journal"):
            self.guard.require_own_page(request, acts=False)
            asker = self.guard.asker(request)
            limit = asked.get("limit", "100")
            if not limit.isdecimal() or len(limit) > 6:
                raise InputError("This is no number of rows", where="limit", do="Write 100.")
            words = (asked.get("text", ""), asked.get("kind", ""), asked.get("from", ""))
            sought = Sought(*words, int(limit)).checked()
            folder = self._journal(asked.get("runner", ""))
            facts = {"address": _from(request), "text": sought.text, "kind": sought.kind}
            self.desk.record.acted(asker.who, "look", f"journal {folder}", "", **facts)
            self.desk.record.require()
            return {"journal": str(folder)} | searched(folder, sought)

    def act(self, request: Any, body: dict[str, Any]) -> dict[str, Any]:
        """What somebody wants done at a runner."""
        asker = self._actor(request, "act")
        with self._refusing(request, asker.who, "act"):
            wanted = Wanted.of(body)
        return self._acts.act(asker, self.guard.plane, wanted, _from(request))

    def acknowledge(self, request: Any, body: dict[str, Any]) -> dict[str, Any]:
        """Somebody has seen an alert, and says what they do about it."""
        asker = self._actor(request, "acknowledge")
        with self._refusing(request, asker.who, "acknowledge"):
            self._require_acknowledger(asker)
            id_, why = text_of(body, "id", 100), " ".join(text_of(body, "why", 300).split())
            if not id_ or len(why) < 3:
                do = "Send the alert's id, and why in 3 letters at least."
                raise InputError("It says no alert, or not why", where="the body", do=do)
            from hftlib.ops.alerts.board import acknowledge

            assert self.desk.alerts is not None
            acknowledge(self.desk.alerts, id_, asker.who, why)
        facts = {"address": _from(request), "outcome": "done"}
        self.desk.record.acted(asker.who, "acknowledge", f"alert {id_}", why, **facts)
        return {"acknowledged": id_}

    def _known(self, name: str) -> str:
        """A name as it is logged: what nobody is called may be a password in the wrong field."""
        people = self.desk.proofs.people if self.desk.proofs is not None else None
        return name if people is not None and people.named(name) is not None else "unknown"

    def _actor(self, request: Any, what: str) -> Asker:
        """Somebody who is logged in, from the desk's own page."""
        with self._refusing(request, "", what):
            self.guard.require_own_page(request, acts=True)
            asker = self.guard.asker(request)
            if asker.by == NOBODY:
                raise Answer(401, "Nobody is logged in here", do=LOGGED_OUT)
        with self._refusing(request, asker.who, what):
            self.guard.require_csrf(request, asker)
        return asker

    def _require_acknowledger(self, asker: Asker) -> None:
        if self.guard.plane != CONTROL:
            do = "Open the control plane's own address."
            raise Answer(403, "This plane only looks", do=do)
        roles = asker.person.roles if asker.person is not None else ()
        if asker.scope != "act" or not {OPERATOR, RISK} & set(roles):
            do = "Ask an operator, or somebody of the role risk."
            raise Answer(403, "Whoever asks may only look", do=do)
        if self.desk.alerts is None:
            raise Answer(404, "This desk shows no alerts", do="Start it with --alerts DIR.")

    def _journal(self, runner: str) -> Path:
        """The folder of a runner's journal, as the runner itself says."""
        for one in self.desk.watch.state()["runners"]:
            if one["name"] == runner and one["status"]:
                return _folder(one["status"])
        do = "Name one that /api/state has, with its status."
        raise Answer(404, "There is no such runner here", where="runner", do=do)

    def _told(self, asker: Asker) -> dict[str, Any]:
        return {
            "user": asker.who,
            "roles": list(asker.person.roles) if asker.person is not None else [],
            "csrf": asker.session.csrf if asker.session is not None else "",
            "plane": self.guard.plane,
            "audit": self.desk.record.wrong,
        }

    @contextmanager
    def _refusing(self, request: Any, who: str, what: str) -> Iterator[None]:
        """What is refused is in the audit log: who it says it is, from where, what."""
        try:
            yield
        except HftError as error:
            frm, where = _from(request), f"{what} on {self.guard.plane}"
            self.desk.record.refused(printable(who, 60), where, frm, time.time(), error)
            raise


class _Waits(Answer):
    """A login that was refused, and how long it is not tried again."""

    def __init__(self, code: int, error: HftError) -> None:
        super().__init__(code, error.what, where=error.where, do=error.do)
        self.wait_s = getattr(error, "wait_s", 0.0)


def _folder(status: dict[str, Any]) -> Path:
    """The runner's journal: as it names it, from where it was started."""
    journal = Path(status["journal"])
    try:
        return Path(os.readlink(f"/proc/{int(status['pid'])}/cwd")) / journal
    except (OSError, ValueError):
        return journal


def _from(request: Any) -> str:
    """The address of who asks."""
    return request.client.host if request.client else "?"
