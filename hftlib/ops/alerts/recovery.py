"""What is done to a runner where a rule says so: halt, reduce, flatten, cancel-all, a command.

    recovery.begin(alert, rule, socket, acts)      in a thread; the outcome stands in the log

The runner hears `who = "alerts"` and journals it with the rule as the reason, as it does with a
person's word; what it does not let anybody do, it refuses here too. Nothing is ever lifted. At most
`times` in `window_s` for a rule and a runner, counted over restarts: a rule that fires again and
again does not become a machine of its own.

Worst case: a runner that does not answer is waited for PATIENCE_S, in a thread that delays nobody;
that it was not done is an alert, and in the log.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

from hftlib.core.control.asking import told
from hftlib.core.errors import HftError
from hftlib.ops.alerts.board import WHO, Alert, Board
from hftlib.ops.alerts.rules import Rule

PATIENCE_S, COMMAND_S, WHY_MAX = 5.0, 60.0, 64
SECOND = 1_000_000_000
_PROGRAM = "from hftlib.cli import main; main()"


class Recovery:
    """Acts, and remembers what could not be done."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._lock = threading.Lock()
        self.failed: dict[tuple[str, str], str] = {}  # by rule and runner, why
        self.threads: list[threading.Thread] = []

    def begin(
        self, alert: Alert, rule: Rule, socket: Path, acts: dict[str, list[int]], now_ns: int
    ) -> bool:
        """Begin it, unless it was done often enough; `acts` is of the board."""
        if rule.action is None:
            return False
        key = f"{alert['rule']} {alert['runner']}"
        since = now_ns - round(rule.window_s * SECOND)
        done = [one for one in acts.get(key, []) if one > since]
        if len(done) >= rule.times:
            why = f"{len(done)} times in {rule.window_s:g} s is all that the rule allows"
            self._note(alert, rule, "not done", why)
            return False
        acts[key] = [*done, now_ns]
        thread = threading.Thread(target=self._run, args=(alert, rule, socket), daemon=True)
        self.threads = [one for one in self.threads if one.is_alive()] + [thread]
        thread.start()
        return True

    def close(self) -> None:
        for one in self.threads:
            one.join(PATIENCE_S)

    def _run(self, alert: Alert, rule: Rule, socket: Path) -> None:
        key = alert["rule"], alert["runner"]
        try:
            outcome = _done(alert, rule, socket)
        except (HftError, OSError, subprocess.SubprocessError, ValueError, KeyError) as error:
            why = error.what if isinstance(error, HftError) else str(error) or type(error).__name__
            with self._lock:
                self.failed[key] = f"{rule.action}: {why}"
            self._note(alert, rule, "failed", why)
            return
        with self._lock:
            self.failed.pop(key, None)
        self._note(alert, rule, "done", outcome)

    def _note(self, alert: Alert, rule: Rule, outcome: str, why: str) -> None:
        what = f"{rule.action} {rule.scope} of {alert['runner']}"
        facts = {"rule": alert["rule"], "id": alert["id"], "outcome": outcome}
        self._board.note(WHO, "acted", what, why, **facts)


def _done(alert: Alert, rule: Rule, socket: Path) -> str:
    why = f"rule {alert['rule']}: {alert['said']}"[:WHY_MAX]
    if rule.action in ("halt", "reduce", "flatten"):
        said = {"do": rule.action, "scope": rule.scope, "who": WHO, "why": why}
        found = told(socket, said, "runner", patience_s=PATIENCE_S)
        return f"heard after {found['heard_us']:,} us"
    words = list(rule.command)
    if rule.action == "cancel-all":
        given = ["cancel-all", "--exchange", rule.exchange, "--why", why, "--json"]
        words = [sys.executable, "-c", _PROGRAM, *given]
    facts = {"HFT_ALERT_ID": alert["id"], "HFT_ALERT_RULE": alert["rule"]}
    facts |= {"HFT_ALERT_RUNNER": alert["runner"], "HFT_ALERT_SAID": alert["said"]}
    done = subprocess.run(
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | facts,
        timeout=COMMAND_S,
        check=False,
    )
    if done.returncode:
        raise ValueError(f"it left {done.returncode}")
    return "it left 0"
