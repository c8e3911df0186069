"""Gate 11: a paper session in real processes, with faults: does it come through, and add up?

The exchange plays the first day on its own sockets, quicker than it was; the runner trades there
with the candidate, within its limits. Meanwhile the feed loses datagrams on both lines, answers are
late, orders are rejected in a storm, and the session is cut. Afterwards the runner must have ended
in peace, its books must balance, and its journal must replay to the same bytes.

Worst case: the session's seconds, and some ten to start two processes and replay the journal.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hftlib.core.errors import HostError
from hftlib.engine.live.replaying import replay
from hftlib.ops.launching import laid
from hftlib.promote.gates.subject import Subject
from hftlib.research.journal_result import journal_result
from hftlib.research.sheets import Sheet
from hftlib.research.tape import Tape
from hftlib.research.validation.verdict import Verdict

NAME = "Paper session with faults"
START_S = 120.0  # for a process to come up on a host that has to compile first
# What goes wrong: at which share of the session, and for how long a share of it.
FAULTS: tuple[tuple[float, float, dict[str, Any]], ...] = (
    (0.15, 0.2, {"do": "drop", "line": "a", "chance": 0.3}),
    (0.15, 0.2, {"do": "drop", "line": "b", "chance": 0.3}),
    (0.40, 0.1, {"do": "slow answers", "milliseconds": 20}),
    (0.55, 0.0, {"do": "kill sessions", "user": "frm1a"}),
    (0.70, 0.15, {"do": "reject orders", "chance": 0.5}),
)


def judge(
    subject: Subject, day: Tape, place: str, module: str, *, seconds: float, speed: float,
    commands_min: int,
) -> Verdict:  # fmt: skip
    """Whether a session with all faults ends in peace, balances, and replays."""
    folder = Path(place)
    journal = folder / "paper.journal"
    with _exchange(day, folder, speed, seconds) as told:
        ended, words, done = _session(subject, module, folder, journal, seconds, told)
    reasons = [] if ended == 0 else [f"the runner ended with {ended}: {words}"]
    figures: dict[str, Any] = {"seconds": seconds, "times as fast": speed, "faults": len(done)}
    if len(done) < len(FAULTS):
        reasons.append(f"only {len(done)} of {len(FAULTS)} faults came about before it ended")
    if journal.is_dir():
        told_again = replay(journal, laid)
        result = journal_result(journal)
        reasons += [f"its books do not balance: {line}" for line in result.check()]
        if not told_again.is_identical:
            reasons.append(f"its journal does not replay: {told_again.difference}")
        figures |= {
            "orders": len(result.records["orders"]),
            "fills": len(result.records["fills"]),
            "refused by risk": sum(result.refused.values()),
            "P&L": float(result.stats["pnl_net"]),
            "frames": told_again.frames,
            "frames that went out": told_again.compared,
        }
    sheet = Sheet("What went wrong on purpose", ("after, s", "what"), done)
    if reasons:
        return Verdict(NAME, False, f"{'; '.join(reasons)}.", figures, "", (sheet,))
    if figures.get("orders", 0) < commands_min:
        sentence = f"It sent {figures.get('orders', 0)} orders, too few of {commands_min} to tell."
        return Verdict(NAME, None, sentence, figures, "", (sheet,))
    sentence = (
        f"In {seconds:g} s with {len(done)} faults it sent {figures['orders']:,} orders and had"
        f" {figures['fills']:,} fills; its books balance, and {told_again.frames:,} frames replay"
        " to the same bytes."
    )
    return Verdict(NAME, True, sentence, figures, "", (sheet,))


@contextmanager
def _exchange(day: Tape, folder: Path, speed: float, seconds: float) -> Iterator[dict[str, Any]]:
    """An exchange of its own that plays the day; what its first line says."""
    line = folder / "exchange.json"
    words = ["exchange", "--tape", str(day.path), "--speed", f"{speed:g}", "--json"]
    words += ["--seconds", f"{seconds + START_S:g}"]
    with line.open("w") as out, (folder / "exchange.log").open("w") as log:
        running = _hft(words, out, log, folder)
    try:
        _await(lambda: line.read_text().endswith("}\n"), running, folder / "exchange.log")
        yield json.loads(line.read_text().splitlines()[0])
    finally:
        running.terminate()
        running.wait()


def _session(
    subject: Subject,
    module: str,
    folder: Path,
    journal: Path,
    seconds: float,
    exchange: Mapping[str, Any],
) -> tuple[int, str, list[tuple[Any, ...]]]:
    """The runner's day: how it ended, its last words, and the faults that came about."""
    words = ["live", f"{module}:{subject.name}", "--exchange", str(folder / "exchange.json")]
    words += ["--journal", str(journal), "--limits", str(subject.limits), "--json"]
    words += ["--seconds", f"{seconds:g}", "--control", "off"]
    for name, value in subject.params.items():
        words += ["-p", f"{name}={value}"]
    out, log = folder / "runner.json", folder / "runner.log"
    with out.open("w") as said, log.open("w") as errors:
        running = _hft(words, said, errors, folder)
    try:
        _await(lambda: "\n" in out.read_text(), running, log)
        done = _faulted(exchange["control"], running, seconds)
        running.wait(timeout=seconds + START_S)
    except subprocess.TimeoutExpired:
        return -1, "it did not end when its time was over", done
    finally:
        running.kill()
        running.wait()
    lines = log.read_text().strip().splitlines()
    return running.returncode, lines[0] if lines else "without a word", done


def _faulted(path: str, running: Any, seconds: float) -> list[tuple[Any, ...]]:
    """Do each fault at its time, for as long as the runner runs."""
    begun, done = time.monotonic(), []
    for share, lasts, fault in FAULTS:
        while running.poll() is None and time.monotonic() - begun < share * seconds:
            time.sleep(0.02)
        if running.poll() is not None:
            break
        asked = {**fault, "for_seconds": lasts * seconds} if lasts else fault
        _tell(path, asked)
        named = ", ".join(f"{key} {value}" for key, value in fault.items() if key != "do")
        done.append((f"{time.monotonic() - begun:.1f}", f"{fault['do']}: {named}"))
    return done


def _tell(path: str, asked: Mapping[str, Any]) -> None:
    """One line to the exchange's control socket, and its answer."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(10)
        line.connect(path)
        line.sendall(json.dumps(asked).encode() + b"\n")
        answer = json.loads(line.makefile().readline() or "{}")
    if answer.get("ok") is not True:
        raise HostError(
            f"The exchange did not take a fault: {answer.get('what', 'no answer')}",
            where=str(asked["do"]),
            do="Look at its log, beside the executed notebook.",
        )


def _await(there: Any, running: Any, log: Path) -> None:
    until = time.monotonic() + START_S
    while not there():
        if running.poll() is not None or time.monotonic() > until:
            lines = log.read_text().strip().splitlines()
            raise HostError(
                f"A process of the session did not come up: {lines[0] if lines else 'no word'}",
                where=str(log),
                do="Run the gate again; if it stays, see that file.",
            )
        time.sleep(0.02)


def _hft(words: list[str], out: Any, log: Any, folder: Path) -> Any:
    """`hft` as a process, with plain words in its log: a kernel asks its children for colour."""
    plain = {k: v for k, v in os.environ.items() if k not in ("FORCE_COLOR", "CLICOLOR_FORCE")}
    command = [sys.executable, "-c", "from hftlib.cli import main; main()", *words]
    return subprocess.Popen(command, stdout=out, stderr=log, cwd=folder, env=plain)
