"""What a desk writes into the audit log: each action, each look-up, each refusal; bounded.

    record.acted(who, "halt firm", why, runner="maker", outcome="done")     always a line
    record.looked(who, "state", frm)       a line, then one a minute while it goes on
    record.refused(who, "act", frm, error) a line; beyond SAME_MAX a minute from one address a count

A log that cannot be written is no reason to blind those who watch or to hold up a kill: `wrong`
says so on the page; what loosens, and searches, are refused then (`require`).
Worst case: 1,000 askers are told apart; further ones share.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

from hftlib.core.audit import AuditLog
from hftlib.core.errors import HftError

QUIET_S, SAME_MAX, KEPT_MAX = 60.0, 30, 1_000


class Record:
    """The audit log, as the desk writes it."""

    def __init__(self, log: AuditLog) -> None:
        self._log = log
        self._alone = threading.Lock()
        self._last: OrderedDict[tuple[str, ...], float] = OrderedDict()
        self._refused: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self.wrong = ""

    def require(self) -> None:
        """Refuse what may not be done without a line."""
        self._recover()

    def acted(self, who: str, did: str, what: str, why: str = "", **facts: object) -> None:
        """One line, now."""
        self._append(who, did, what, why, facts)

    def looked(self, who: str, what: str, frm: str, now_s: float, **facts: object) -> None:
        """One line, unless this was looked at by them within the minute."""
        with self._alone:
            key = (who, what, frm)
            if now_s - self._last.get(key, -QUIET_S) < QUIET_S:
                return
            self._last[key] = now_s
            self._last.move_to_end(key)
            while len(self._last) > KEPT_MAX:
                self._last.popitem(last=False)
        self._append(who, "look", what, "", {"address": frm, **facts})

    def refused(self, who: str, what: str, frm: str, now_s: float, error: HftError) -> None:
        """One line; many from one address within a minute are counted, and the count is told."""
        with self._alone:
            begun, count = self._refused.get(frm, (now_s, 0))
            left_out = max(0, count - SAME_MAX)
            if now_s - begun > QUIET_S:
                begun, count = now_s, 0
            else:
                left_out = 0
            self._refused[frm] = (begun, count + 1)
            self._refused.move_to_end(frm)
            while len(self._refused) > KEPT_MAX:
                self._refused.popitem(last=False)
        if count < SAME_MAX:
            more = {"left_out_before": left_out} if left_out else {}
            self._append(who, "refused", what, "", {"address": frm, "outcome": error.what, **more})

    def _recover(self) -> None:
        """Once it can be written again, it says since when and why it could not."""
        if self.wrong:
            self._log.append(who="desk", did="recover", what="the audit log", why=self.wrong)
            self.wrong = ""

    def _append(self, who: str, did: str, what: str, why: str, facts: dict[str, object]) -> None:
        given: dict[str, Any] = dict(facts)
        try:
            self._recover()
            self._log.append(who=who or "nobody", did=did, what=what, why=why, **given)
        except HftError as error:
            self.wrong = str(error)
