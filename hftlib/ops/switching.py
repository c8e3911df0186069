"""Another strategy, other parameters or another release in a runner's place; no order is lost.

    done = switch(control, journal=Path("green.journal"), why="...", strategies=["maker.py:Maker"])
    done = switch(control, journal=..., why=..., release=Path("maker-8"), trusted=Path("keys"))
    done = switch(control, ..., strategies=["maker@champion"], shelf=..., trusted=Path("keys"))
    done = switch(control, ..., standby="10.0.0.3:7701")     where the old one has one as well
    done.gap_ms, done.positions

The runner that is there is asked how it was started; the new one is started likewise, detached, and
takes over (`take_over.py`, `handing_over.py`). Each of its steps is told to `say`. Passwords are
the environment's: HFT_PASSWORD, HFT_PASSWORD_XBOS. What goes wrong before the other has ended is a
StateError with the new one's own sentence, and the other trades on.

Worst case: PATIENCE_S, most of it for a machine that still compiles.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hftlib.core import clock
from hftlib.core.control.asking import told
from hftlib.core.errors import HftError, InputError, StateError
from hftlib.ops.staged_launch import is_staged

PATIENCE_S, LOOK_S, ASK_S = 600.0, 0.02, 2.0
LOG_BYTES = 4_096
WHERE = "hft switch"
_PROGRAM = "from hftlib.cli import main; main()"
Say = Callable[[str], None]
Told = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Switched:
    """What came of it; times are ns since the epoch, UTC."""

    before: str  # the journal that was closed
    journal: str  # and the one that goes on
    pid: int
    asked_ns: int
    safe_ns: int
    goes_on_ns: int
    positions: list[Told]
    release: Told | None

    @property
    def gap_ms(self) -> float:
        """From the last order off until the new one may send its first."""
        return (self.goes_on_ns - self.safe_ns) / 1e6


def switch(
    control: Path,
    *,
    journal: Path,
    why: str,
    who: str = "",
    strategies: Sequence[str] = (),
    params: Sequence[str] = (),
    limits: Path | None = None,
    release: Path | None = None,
    trusted: Path | None = None,
    shelf: Path | None = None,
    older: str = "",
    cpu: int | None = None,
    standby: str = "",
    yes: bool = False,
    say: Say = lambda _words: None,
) -> Switched:
    """Start the new one beside the runner of this control socket, and see it through.

    `standby`: HOST:PORT of one that is to follow the new one's journal, and no other.
    """
    if bool(strategies) == (release is not None):
        do = "Name FILE.py:Class, NAME@champion, or --release FOLDER --trusted KEYS."
        raise InputError("It is to be switched to one thing", where=WHERE, do=do)
    if not why.strip():
        raise InputError("The why is empty", where=WHERE, do="Say why: it stands in both journals.")
    found = told(control, {"do": "hand_over", "step": "describe"}, "runner", ASK_S)
    about = _about(Path(found["journal"]))
    with tempfile.TemporaryDirectory(prefix="hft-switch-") as folder:
        kept, is_signed = limits, release is not None or any(map(is_staged, strategies))
        if limits is None and not is_signed:
            kept = _limits_of(about, Path(folder))
        words = [*strategies, *(word for one in params for word in ("-p", one))]
        words += _pairs({"--limits": kept, "--release": release, "--trusted": trusted})
        words += _pairs({"--shelf": shelf, "--older": older, "--who": who, "--why": why})
        words += _pairs({"--take-over": control})
        own = about | {"canary": None} if any(map(is_staged, strategies)) else about  # the stage's
        words += _as_before(found, own, cpu) + _kept(found, standby)
        words += ["--journal", str(journal), *(["--yes"] if yes else [])]
        _require_new(journal)
        return _Green(words, journal, found, control).seen_through(say)


def _about(journal: Path) -> Told:
    from hftlib.engine.live.replaying import about

    return about(journal)


def _require_new(journal: Path) -> None:
    if journal.exists():
        do = "Name a new folder for the new runner's journal."
        raise InputError("There is something already", where=str(journal), do=do)


def _pairs(given: Mapping[str, Any]) -> list[str]:
    """Options that have a value."""
    return [
        word for name, one in given.items() if one not in (None, "") for word in (name, str(one))
    ]


def _limits_of(about: Mapping[str, Any], folder: Path) -> Path | None:
    """The limits that hold, in a file; of a canary they are smaller than what was given."""
    if not about["limits"]:
        return None
    if about["mode"] == "canary":
        do = "Name the whole limits with --limits: the share is applied to them."
        raise InputError("The limits of a canary are not those it was given", where=WHERE, do=do)
    made = folder / "limits.toml"
    made.write_text(about["limits"], encoding="utf-8")
    return made


def _as_before(found: Mapping[str, Any], about: Mapping[str, Any], cpu: int | None) -> list[str]:
    """The other's own options: exchanges, accounts, symbols, mode, fees, hours."""
    launch = found["launch"]
    if launch["busy"] and launch["cpu"] is not None and cpu in (None, launch["cpu"]):
        what = f"The runner never lets go of processor {launch['cpu']}"
        raise InputError(what, where=WHERE, do="Give the new one another: --cpu N.")
    words = [word for one in launch["exchange"] for word in ("--exchange", one)]
    words += [word for one in launch["copy_user"] for word in ("--copy-user", one)]
    words += [w for venue, user in found["links"] for w in ("--user", f"{venue}={user}")]
    words += ["--symbols", ",".join(_symbols(about)), "--mode", found["mode"]]
    shadow, canary, hours = (about.get(name) for name in ("shadow", "canary", "hours"))
    words += _distances(about) if shadow else []
    words += ["--share", str(canary["share"])] if canary else []
    for venue, _ in found["links"]:
        fees = about.get("fees_at", {}).get(venue, about.get("fees", {}))
        words += [w for name, text in fees.items() for w in ("--fee", f"{venue}={name}={text}")]
    words += _hours(hours) if hours else []
    chosen = launch["cpu"] if cpu is None else cpu
    words += _pairs({"--cpu": chosen})
    words += [word for one in launch["scale"] for word in ("--scale", one)] if canary else []
    if launch["end_ns"]:
        words += ["--seconds", str(max(1.0, (launch["end_ns"] - clock.now_ns()) / 1e9))]
    return [*words, *(["--busy"] if launch["busy"] else []), "--json"]


def _kept(found: Mapping[str, Any], standby: str) -> list[str]:
    """Its journal is as durable as the other's; a standby follows one journal, and no second."""
    durability = _durability(Path(found["journal"]))
    if standby:
        return _pairs({"--standby": standby} | found["launch"].get("followed", {}))
    if durability == "replicated":
        what = "The runner's journal is replicated to a standby, which follows that one alone"
        do = "Begin another hft standby for the new one, and name it: --standby HOST:PORT."
        raise StateError(what, where=WHERE, do=do)
    return ["--durability", durability]


def _distances(about: Mapping[str, Any]) -> list[str]:
    """Of a shadow: how far away each model is."""
    found = [("", about["shadow"]), *about.get("shadow_at", {}).items()]
    return [
        word
        for venue, plan in found
        for word in ("--latency-us", f"{venue}{'=' * bool(venue)}{plan['order_ns'] / 1_000}")
    ]


def _hours(hours: Mapping[str, Any]) -> list[str]:
    """Of one calendar, or of each venue's; one that has no session today ends nothing."""
    of_venues = hours.get("venues", {"": hours})
    before = max(one["close_ns"] - one["end_ns"] for one in of_venues.values()) / 1e9
    words = []
    for venue, one in of_venues.items():
        words += ["--calendar", f"{venue}={one['calendar']}" if venue else one["calendar"]]
    return [*words, "--end-before-close", str(before)]


def _durability(journal: Path) -> str:
    from hftlib.core.journal.layout import DURABILITIES
    from hftlib.core.journal.segments import session_of

    number = session_of(journal).durability
    return next(name for name, mode in DURABILITIES.items() if mode == number)


def _symbols(about: Mapping[str, Any]) -> list[str]:
    """What it trades, each with its venue."""
    import numpy as np

    from hftlib.core.instruments import INSTRUMENT, Instruments

    rows = np.frombuffer(base64.b64decode(about["instruments"]), INSTRUMENT)
    return [f"{one.symbol}@{one.venue}" for one in Instruments(rows.copy())]


class _Green:
    """The new runner's process, seen through until it trades; ended where it does not."""

    def __init__(
        self, words: Sequence[str], journal: Path, found: Mapping[str, Any], control: Path
    ) -> None:
        self._journal, self._found, self._control = journal, found, control
        self._out = journal.with_name(f"{journal.name}.out")
        self._errors = journal.with_name(f"{journal.name}.errors")
        with self._out.open("wb") as out, self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM, "live", *words],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=errors,
                start_new_session=True,  # it outlives whoever started it
            )

    def seen_through(self, say: Say) -> Switched:
        heard, until = 0, time.monotonic() + PATIENCE_S
        try:
            while time.monotonic() < until:
                lines = self._lines()
                for one in lines[heard:]:
                    if "recovery" in one:
                        say(one["recovery"])
                    if "switched" in one:
                        return self._made(one["switched"])
                heard = len(lines)
                if self._process.poll() is not None:
                    raise self._failed()
                time.sleep(LOOK_S)
        except BaseException:
            self._give_up()
            raise
        self._give_up()
        what = f"The new runner did not trade within {PATIENCE_S:.0f} s"
        raise StateError(what, where=str(self._errors), do="See hft status, and what it printed.")

    def _give_up(self) -> None:
        """It is ended where the other still trades, or will; else it is all there is."""
        from hftlib.ops.take_over import TAKES

        if not any(one.get("recovery") == TAKES for one in self._lines()):
            self._process.send_signal(signal.SIGTERM)

    def _made(self, at: Mapping[str, Any]) -> Switched:
        from hftlib.ops.carried import last_word

        if why := at["stays_halted"]:
            do = "Two people look and lift it: hft status, hft resume firm."
            what = f"The new runner has taken over, and stays halted: {why}"
            raise StateError(what, where=str(self._journal), do=do)
        last = last_word(Path(self._found["journal"])) or {}
        return Switched(
            before=self._found["journal"],
            journal=str(self._journal.resolve()),
            pid=self._process.pid,
            asked_ns=at["asked_ns"],
            safe_ns=at["safe_ns"],
            goes_on_ns=at["goes_on_ns"],
            positions=last.get("handed_over", {}).get("carried", {}).get("positions", []),
            release=_about(self._journal).get("release"),
        )

    def _failed(self) -> StateError:
        """In its own words, and whether the other trades on."""
        with self._errors.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - LOG_BYTES))
            text = file.read().decode(errors="replace")
        told_of = {}
        for line in text.splitlines():
            name, colon, rest = line.strip().partition(": ")
            if colon and name in ("error", "where", "do"):
                told_of[name] = rest.strip()
        what = told_of.get("error", f"it ended with {self._process.returncode}")
        do = told_of.get("do", f"See {self._errors}.")
        with suppress(HftError):
            found = told(self._control, {"do": "status"}, "runner", ASK_S)
            if found["pid"] == self._found["pid"] and found["is_running"]:
                what = f"{what.rstrip('.')}. The old runner trades on"
        return StateError(what, where=told_of.get("where", str(self._errors)), do=do)

    def _lines(self) -> list[Told]:
        text = self._out.read_text(encoding="utf-8", errors="replace")
        return [json.loads(one) for one in text.splitlines(True) if one.endswith("\n")]
