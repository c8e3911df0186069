"""A runner takes over from another: it waits beside it until all is ready, then asks for it.

    hears ─ feeds whole, drop copies heard ─▶ asks ─ safe ─▶ takes ─ its journal is closed ─┐
    trades ◀─ links up, the drop copy agrees ─ carries ◀────────────────────────────────────┘

Until then its firm is held and its links are not dialled, so nothing of it reaches a venue. What
the other held is not what it said by the socket: it is the last word of its journal, closed and
whole, which names this runner; so a runner that was killed half way is never followed by two. From
there on it is a day that was gone on with (`resuming.py`): positions must be what the drop copy
says, or the firm stays halted.

    take = TakeOver(runner, recovery, path, to, who, why)     turned beside the runner
    first_words(about, live)     for one that was killed before it carried: what it has to

Worst case: a feed or a drop copy that is not whole within WARM_S ends it; the other trades on.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.core import clock
from hftlib.core.control.asking import told
from hftlib.core.errors import HftError, InputError, StateError
from hftlib.engine.live.laying import Live
from hftlib.engine.live.taking_over import TOOK_OVER
from hftlib.ops.carried import last_word, words_of
from hftlib.ops.handing_over import SAFE, TRADING, WHERE
from hftlib.ops.resuming import Recovery
from hftlib.ops.runner import Runner
from hftlib.ops.watch_line import stays

WARM_S, ASK_S, CLOSE_S, LOOK_S = 120.0, 2.0, 10.0, 0.005
TAKES = "waits for the end of the other runner's journal"
NEXT = "next"  # a socket of this name is on its way to the other's place, and no runner's yet
HEARS, WAITS, CLOSES, TAKEN = "hears", "waits", "closes", "taken"
Told = dict[str, Any]


def asked_first(path: Path) -> Told:
    """What the other runner is, before anything is laid out."""
    return told(path, {"do": "hand_over", "step": "describe"}, "runner", ASK_S)


def takes_over(found: Mapping[str, Any]) -> Told:
    """What the first frame of who takes over says of it."""
    return {"journal": found["journal"], "id": secrets.token_hex(8)}


class TakeOver:
    """The whole way, `turn` by turn; it is then a `Recovery`, and looks like one from outside."""

    def __init__(
        self,
        runner: Runner,
        recovery: Recovery,
        path: Path,
        who: str,
        why: str,
        tell: Callable[[Told], None] = lambda _times: None,
    ) -> None:
        """`tell` hears when each step was done, once it is over."""
        self._runner, self._recovery, self._path = runner, recovery, path
        self._who, self._why, self._tell = who, why, tell
        own = runner.about["takes_over"]
        self._id, self._journal = str(own["id"]), Path(own["journal"])
        self.state, self._begun, self._looked = HEARS, time.monotonic(), 0.0
        self._process = 0
        self._said = ""
        self.at: Told = {}  # when each step was done, ns
        self._control: Any = None
        runner.dialler.is_held = True

    @property
    def told(self) -> str:
        """What it waits for, or what came of it."""
        return self._recovery.told or self._said

    @property
    def is_over(self) -> bool:
        return self._recovery.is_over

    def waits_for(self, also: Callable[[], str]) -> None:
        self._recovery.also = also

    also = property(None, waits_for)

    def close(self) -> None:
        self._recovery.close()

    def in_its_place_of(self, control: Any) -> None:
        """This socket is put where the other's was, for whoever knows that one."""
        if control is not None and control.path.name.startswith(f"{NEXT}-"):
            self._control = control

    def turn(self) -> None:
        """One look; what goes wrong before the other is gone is raised, and ends this one."""
        if self.state == TAKEN:
            self._be_in_its_place()
            was = self._recovery.is_over
            self._recovery.turn()
            if self._recovery.is_over and not was:
                halted = "; ".join(self._recovery.differences)
                self._tell(self.at | {"goes_on_ns": clock.now_ns(), "stays_halted": halted})
            return
        for copy in self._recovery.copies.values():
            copy.turn()
        if (now := time.monotonic()) - self._looked < LOOK_S:
            return
        self._looked = now
        {HEARS: self._hear, WAITS: self._wait, CLOSES: self._see_closed}[self.state]()

    def _be_in_its_place(self) -> None:
        """Not before the other is gone: its last act is to take its own socket away."""
        control = self._control
        if control is not None and not (self._path.exists() and stays(self._process, 0.0)):
            self._control = None
            with suppress(OSError):  # its folder is gone: it stays where it is
                os.rename(control.path, self._path)
                control.path = self._path

    def _hear(self) -> None:
        self._said = self._lacks()
        if not self._said:
            self._ask()
        elif time.monotonic() - self._begun > WARM_S:
            what = f"It was not ready within {WARM_S:.0f} s: {self._said}"
            raise StateError(what, where=WHERE, do="The other runner was not asked, and trades on.")

    def _lacks(self) -> str:
        for n, one in enumerate(self._runner.live.sequencers):
            if one.state != "LIVE":
                return f"hears feed {n}: {one.state}"
        for venue, copy in self._recovery.copies.items():
            if not copy.is_whole:
                return f"hears the drop copy of {venue}: {copy.why}"
        return ""

    def _ask(self) -> None:
        """Whether it may be followed, and to be followed."""
        found = asked_first(self._path)
        require_same(self._runner, found)
        words_of(self._runner.live, found["carried"], WHERE)  # or it is refused before anything
        self._process = int(found["pid"])
        to = str(self._runner.journal.folder.resolve())
        self.at["asked_ns"] = clock.now_ns()
        self._step("ask", to=to, who=self._who, why=self._why)
        self.state, self._said = WAITS, "waits for a safe point of the other runner"

    def _wait(self) -> None:
        found = self._step("look")
        if found["state"] == TRADING:
            what = f"The other runner did not hand over: {found['why']}"
            raise StateError(what, where=str(self._path), do="It trades on; see hft status.")
        if found["state"] == SAFE:
            self.at["safe_ns"] = int(found["safe_ns"])
            words_of(self._runner.live, asked_first(self._path)["carried"], WHERE)  # still so
            self._step("take")
            self.state, self._begun, self._said = CLOSES, time.monotonic(), TAKES

    def _step(self, step: str, **more: str) -> Told:
        """One word to the other; where it is gone, what is to be done then."""
        said = {"do": "hand_over", "step": step, "id": self._id} | more
        try:
            return told(self._path, said, "runner", ASK_S)
        except StateError:
            if self._process and not stays(self._process):
                raise _gone(self._journal) from None
            raise

    def _see_closed(self) -> None:
        found = last_word(self._journal)
        if found is None:
            if not stays(self._process) and last_word(self._journal) is None:
                raise _gone(self._journal)
            if time.monotonic() - self._begun > CLOSE_S:
                what = f"The other runner did not close its journal within {CLOSE_S:.0f} s"
                raise StateError(what, where=str(self._journal), do=_DO_GONE)
            return
        words = _words(self._runner.live, found, self._id, self._journal)
        self.at["closed_ns"] = clock.now_ns()
        self._runner.carry(words)
        self._runner.dialler.is_held = False
        self.state, self._said = TAKEN, "has taken over"


def first_words(about: Mapping[str, Any], live: Live) -> np.ndarray[Any, Any] | None:
    """Of a day gone on with: what is still to be carried, if it began as a takeover; else None."""
    own = about.get("takes_over")
    if not own or int(live.header["begun"]) == TOOK_OVER:
        return None
    journal = Path(own["journal"])
    try:
        found = last_word(journal)
    except HftError as error:
        raise StateError(
            f"What is to be taken over cannot be read: {error.what}",
            where=str(journal),
            do=error.do,
        ) from None
    if found is None:
        what = "This day was to take over from another, which did not hand over"
        do = f"Go on with that one: hft live --resume --journal {journal}."
        raise StateError(what, where=str(journal), do=do)
    return _words(live, found, str(own["id"]), journal)


def require_same(runner: Runner, found: Mapping[str, Any]) -> None:
    """Both must be of the same accounts, in the same sessions and the same mode."""
    about = runner.about
    links = [[one["venue"], one["user"]] for one in about["links"]]
    feeds = [[one["venue"], one["session"], one["midnight_ns"]] for one in about["feeds"]]
    for name, ours, theirs in (
        ("mode", runner.mode, found["mode"]),
        ("accounts", links, found["links"]),
        ("feeds", feeds, found["feeds"]),
        ("journal", about["takes_over"]["journal"], found["journal"]),
    ):
        if ours != theirs:
            raise InputError(
                f"The other runner has another {name}: {theirs}, this one {ours}",
                where=WHERE,
                do="Start it with the same exchanges, users and mode: hft switch does.",
            )


_DO_GONE = "See whether it runs; once it is gone: hft live --resume with its journal."


def _gone(journal: Path) -> StateError:
    return StateError(
        "The other runner is gone, and did not hand over",
        where=str(journal),
        do=f"Go on with its day: hft live --resume --journal {journal}.",
    )


def _words(live: Live, found: Mapping[str, Any], own: str, journal: Path) -> Any:
    """Its last word, where it is meant for us."""
    handed = found.get("handed_over")
    if not handed or handed["id"] != own:
        to = f"was handed over to {handed['to']}" if handed else "ended without a handover"
        do = "See what it holds: hft journal show. Begin another journal if nobody trades on."
        raise StateError(f"The other runner {to}", where=str(journal), do=do)
    return words_of(live, handed["carried"], str(journal))
