"""An action: what somebody wants done at a runner, proven, allowed, written down, told.

    wanted = Wanted.of(body)                   fields, types and lengths
    done = Acts(desk...).act(asker, wanted, frm)

    1 the plane is that of control, the asker may act           5 it is in the audit log
    2 one of their roles may do it                              6 the runner is told, as `hft pause`
    3 lifting, and loosening, of the firm: a second person        tells it, and journals it
    4 a fresh code of their own second factor                   7 what came of it is in the log

A token has no second factor, so it only tightens. What tightens goes on where the audit log cannot
be written; what loosens does not. Worst case: a runner that does not answer is waited for ASK_S.
"""

from __future__ import annotations

import math
import os
import signal
import time
from dataclasses import dataclass, field
from typing import Any

from hftlib.core.control.asking import pid_of, told
from hftlib.core.errors import HftError, InputError
from hftlib.core.units import shown
from hftlib.ops.access.proving import NotProvenError, Proofs
from hftlib.ops.access.roles import LOOSENS, RISK, TIGHTENS, runner_role
from hftlib.ops.desk.answers import Answer
from hftlib.ops.desk.guarding import TOKEN, Asker
from hftlib.ops.desk.recording import Record
from hftlib.ops.desk.sessions import CONTROL, Sessions
from hftlib.ops.desk.watching import Watch

DOES = TIGHTENS + LOOSENS
FIRM, PROCESS = "firm", "process"
WHY_MIN, WHY_BYTES_MAX, SCOPE_MAX = 3, 64, 100  # a directive holds 64 bytes of why
ASK_S, WRONG_MAX = 10.0, 5
WHERE = "POST /api/act"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be done."""

    runner: str
    do: str
    scope: str
    why: str
    code: str = field(default="", repr=False)
    name: str = ""
    value: float | int | None = None
    second: dict[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, body: dict[str, Any]) -> Wanted:
        """Out of a request, or a sentence."""
        unknown = sorted(set(body) - set(cls.__slots__))
        if unknown:
            do = f"Send {', '.join(cls.__slots__)}."
            raise InputError(f"There is no {shown(unknown[0])} here", where=WHERE, do=do)
        do = text_of(body, "do", 20)
        if do not in DOES:
            raise InputError(f"{shown(do)} is nothing to do", where=WHERE, do=f"{', '.join(DOES)}.")
        why = " ".join(text_of(body, "why", 1_000).split())
        if len(why) < WHY_MIN or len(why.encode()) > WHY_BYTES_MAX or not why.isprintable():
            advice = f"Say it in {WHY_MIN} letters at least, {WHY_BYTES_MAX} bytes at most."
            raise InputError("It does not say why", where=WHERE, do=advice)
        name, value = _limit_of(body) if do == "limit" else ("", None)
        return cls(
            runner=text_of(body, "runner", 60),
            do=do,
            scope=text_of(body, "scope", SCOPE_MAX) or FIRM,
            why=why,
            code=text_of(body, "code", 20),
            name=name,
            value=value,
            second=_second_of(body),
        )

    @property
    def what(self) -> str:
        """In a few words."""
        more = f" {self.name}={self.value}" if self.do == "limit" else ""
        return f"{self.do} {self.scope}{more} at {self.runner}"

    def line(self, who: str, role: str, second: str) -> dict[str, Any]:
        """As a runner's control socket takes it."""
        do = "halt" if self.do == "kill" else self.do
        said = {"do": do, "scope": self.scope, "who": who, "why": self.why, "role": role}
        if do in ("halt", "reduce"):
            return said
        said |= {"second": second, "second_role": "risk"} if second else {}
        return said | ({"name": self.name, "value": self.value} if do == "limit" else {})


class Acts:
    """What a desk does for those who may."""

    def __init__(
        self, watch: Watch, record: Record, proofs: Proofs | None, sessions: Sessions | None
    ) -> None:
        self._watch, self._record = watch, record
        self._proofs, self._sessions = proofs, sessions

    def act(self, asker: Asker, plane: str, wanted: Wanted, frm: str) -> dict[str, Any]:
        """Do it; what the runner said, or why not. Either is in the audit log."""
        facts: dict[str, Any] = {"address": frm, "plane": plane, "runner": wanted.runner}
        try:
            role, second = self._allowed(asker, plane, wanted, frm)
            self._written(asker, wanted, facts | {"second": second, "outcome": "allowed"})
            found = self._done(wanted, asker.who, role, second)
        except HftError as error:
            said = facts | {"outcome": f"refused: {error.what}"}
            self._record.acted(asker.who, "act", wanted.what, wanted.why, **said)
            raise
        said = facts | {"second": second, "outcome": "done"}
        self._record.acted(asker.who, "act", wanted.what, wanted.why, **said)
        return found | ({"audit": self._record.wrong} if self._record.wrong else {})

    def _allowed(self, asker: Asker, plane: str, wanted: Wanted, frm: str) -> tuple[str, str]:
        """The role by which the runner hears it, and the second person; or why not."""
        if plane != CONTROL:
            do = "Open the control plane's own address."
            raise Answer(403, "This plane only looks", where=WHERE, do=do)
        if asker.person is None or self._proofs is None or asker.scope != "act":
            do = "Log in at the control plane; hft access makes people and tokens."
            raise Answer(403, "Whoever asks may only look", where=WHERE, do=do)
        role = runner_role(asker.person.roles, wanted.do)
        if not role:
            do = f"Ask somebody of the role {RISK if wanted.do in LOOSENS else 'operator or risk'}."
            what = f"{', '.join(asker.person.roles)} may not {wanted.do}"
            raise Answer(403, what, where=WHERE, do=do)
        if self._watch.socket(wanted.runner) is None:
            do = "Name one that /api/state has."
            raise Answer(404, f"There is no runner {shown(wanted.runner)}", where=WHERE, do=do)
        if asker.by == TOKEN:
            if wanted.do in LOOSENS:
                do = "Log in, and give the code of an authenticator."
                raise Answer(403, "A token cannot loosen anything", where=WHERE, do=do)
            return role, ""
        second = self._second(asker, wanted, frm)
        self._confirm(asker, wanted.code, frm)
        return role, second

    def _second(self, asker: Asker, wanted: Wanted, frm: str) -> str:
        """The name of the second person, who has proven themselves; "" where it takes one only."""
        is_needed = wanted.do == "lift" and wanted.scope.partition(":")[0] == FIRM
        if not wanted.second:
            if is_needed:
                do = "Let a second person of the role risk give their name, password and code."
                raise Answer(403, "Lifting the firm takes two people", where=WHERE, do=do)
            return ""
        assert self._proofs is not None and asker.person is not None
        given = wanted.second
        if given["user"] == asker.who:
            do = "Let somebody else give theirs."
            raise Answer(403, "The second person is the first", where=WHERE, do=do)
        found = self._proofs.login(
            given["user"], given["password"], given["code"], frm, time.time()
        )
        if RISK not in found.roles:
            do = "Ask somebody who has it."
            raise Answer(403, "The second person has not the role risk", where=WHERE, do=do)
        return found.name

    def _confirm(self, asker: Asker, code: str, frm: str) -> None:
        assert self._proofs is not None and asker.person is not None and asker.session is not None
        try:
            self._proofs.confirm(asker.person, code, frm, time.time())
        except NotProvenError:
            asker.session.wrong += 1
            if asker.session.wrong >= WRONG_MAX and self._sessions is not None:
                self._sessions.ended(asker.cookie)
            raise
        asker.session.wrong = 0

    def _written(self, asker: Asker, wanted: Wanted, facts: dict[str, Any]) -> None:
        """In the log before anybody is told; what loosens is not done without."""
        self._record.acted(asker.who, "act", wanted.what, wanted.why, **facts)
        if wanted.do in LOOSENS:
            self._record.require()

    def _done(self, wanted: Wanted, who: str, role: str, second: str) -> dict[str, Any]:
        socket = self._watch.socket(wanted.runner)
        if socket is None:
            raise Answer(404, "The runner is gone", where=WHERE, do="Look at what ended it.")
        if wanted.do == "kill" and wanted.scope == PROCESS:
            process = pid_of(socket, "runner")
            os.kill(process, signal.SIGKILL)
            return {"told": "kill", "scope": PROCESS, "killed": process}
        try:
            said = wanted.line(who, role, second)
            return told(socket, said, "runner", patience_s=ASK_S) | {"told": wanted.do}
        except InputError as error:
            is_risk = error.what.startswith("Risk refuses")
            code = 403 if is_risk else 400
            raise Answer(code, error.what, where=error.where, do=error.do) from None


def text_of(body: dict[str, Any], name: str, most: int) -> str:
    """A text of the request."""
    found = body.get(name, "")
    if not isinstance(found, str) or len(found) > most or not found.isprintable():
        do = f"Send text of at most {most} letters."
        raise InputError(f"{name!r} is no text that can be", where=WHERE, do=do)
    return found


def _limit_of(body: dict[str, Any]) -> tuple[str, float | int]:
    name, value = text_of(body, "name", 60), body.get("value")
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not name or not is_number or not math.isfinite(value or 0):
        do = 'Send the name of a limit and a number: "name": "position_lots", "value": 500.'
        raise InputError("It says no limit and no value", where=WHERE, do=do)
    return name, value or 0


def _second_of(body: dict[str, Any]) -> dict[str, str]:
    second = body.get("second")
    if second is None:
        return {}
    if not isinstance(second, dict) or set(second) != {"user", "password", "code"}:
        do = "Send their user, password and code."
        raise InputError("It does not say who the second person is", where=WHERE, do=do)
    return {name: text_of(second, name, 256) for name in second}
