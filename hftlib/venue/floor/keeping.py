"""The exchange's journal: whatever came in, before anybody outside can see what came of it.

    kind        source    payload
    OPENED                what the exchange is, and where it listens: JSON
    SESSION_IN  session   an OUCH message, just before it is obeyed (`obeying.following`)
    TIMER       TURN      int64, the time before; at the frame's time all that was due was done
    TIMER       PASSED    none; at its time, in the middle of a turn, some order's time was over
    ORDER                 a command of the exchange itself, as the engine takes it
    CONTROL               what it was told, JSON
    CLOSED                JSON: the digest of all that was said

All else follows: agents, schedule and faults are done by turns, and turns that did nothing are left
out. Logins are none of it, for who is connected changes nothing that is said; so no password is
ever in a journal. `replaying.py` is the way back.

Worst case: a journal that takes nothing more stops the exchange, before it says anything of what
could not be kept.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hftlib.core.errors import StateError
from hftlib.core.journal import Journal, frames, kinds
from hftlib.core.units import shown
from hftlib.venue.floor.configuration import Configuration

TURN, PASSED = 0, 1
PORTS = {
    "order_entry": "order_entry_port",
    "drop_copy": "drop_copy_port",
    "recovery": "recovery_port",
    "line_a": "line_a_port",
    "line_b": "line_b_port",
}


class Keeping:
    """One journal, or none: then nothing is kept, and all this costs is to be asked."""

    def __init__(self, given: Configuration) -> None:
        self.folder = Path(given.exchange.journal) if given.exchange.journal else None
        self.journal: Journal | None = None
        self.about: dict[str, Any] = {}
        self.is_derived = True  # what happens now follows from something that is kept, or from none
        self._turn: tuple[int, int] | None = None
        if self.folder is not None and self.folder.exists():
            self.about = begun(self.folder)
            require_same(self.about["configuration"], as_kept(given), self.folder)
            self.journal = Journal.carry_on(self.folder)

    @property
    def is_going_on(self) -> bool:
        """There was a session in the folder."""
        return bool(self.about)

    def settled(self, given: Configuration) -> Configuration:
        """The configuration with the ports that were found when the session began."""
        ports = {PORTS[name]: at[1] for name, at in self.about.get("places", {}).items()}
        exchange = given.exchange.model_copy(update=ports)
        return given.model_copy(update={"exchange": exchange})

    def begin(self, exchange: Any) -> None:
        """From now on everything is kept."""
        if self.folder is None:
            self.is_derived = False
            return
        if self.journal is None:
            places = {name: at for name, at in exchange.places.items() if name in PORTS}
            times = {"first": exchange.clock.first, "midnight": exchange.midnight}
            about = {"what": "exchange", "configuration": as_kept(exchange.configuration)}
            self.journal = Journal.create(self.folder, about | times | {"places": places})
        exchange.record["journal"] = self.journal.address
        self.is_derived = False

    def turn_begins(self, now: int, before: int) -> None:
        """What is done now is done again by this turn, if it is kept."""
        self._turn, self.is_derived = (now, before), True

    def turn(self) -> None:
        """The turn at hand does something; once is enough."""
        if self._turn is not None and self.journal is not None:
            now, before = self._turn
            self._append(kinds.TIMER, now, before.to_bytes(8, "little", signed=True), TURN)
        self._turn = None

    def turn_ends(self) -> None:
        self._turn, self.is_derived = None, False

    def passed(self, now: int) -> None:
        if not self.is_derived:
            self._append(kinds.TIMER, now, b"", PASSED)

    def order(self, now: int, command: Any) -> None:
        if not self.is_derived:
            self._append(kinds.ORDER, now, command.tobytes())

    def told(self, now: int, said: Mapping[str, Any]) -> None:
        if not self.is_derived:
            self._append(kinds.CONTROL, now, json.dumps(said, sort_keys=True).encode())

    def require_room(self, record: Any) -> None:
        """Every message that was heard is in the journal, or nothing goes on."""
        if record["unkept"][0]:
            assert self.journal is not None
            raise StateError(
                f"A message could not be kept: {self.journal.why or 'the journal is full'}",
                where=str(self.folder),
                do="Give the disk room, and start the exchange again on this journal.",
            )

    def close(self, about: Mapping[str, Any] | None = None) -> None:
        """Nothing more is kept; the journal can be gone on with."""
        if self.journal is not None:
            self.journal.close(about)

    def _append(self, kind: int, time: int, payload: bytes, source: int = 0) -> None:
        if self.journal is not None:
            self.journal.append(kind, time, payload, source)


def require_told(record: Any) -> None:
    """All that happened could be told, or nothing goes on."""
    if record["unsaid"][0] or record["unpublished"][0]:
        full = "A session's stream" if record["unsaid"][0] else "The feed's store"
        raise StateError(
            f"{full} is full, and what happened could not be told",
            where="the exchange",
            do="Start a new day, with more of session_messages_max, feed_messages_max or the "
            "bytes of either.",
        )


def begun(folder: Path) -> dict[str, Any]:
    """What a journal says that it is of: its first frame."""
    do = "Name the journal of an exchange, or a folder that is not there yet."
    first = next(iter(frames(folder)), None)
    if first is None or first.kind != kinds.OPENED:
        raise StateError("This journal has no beginning", where=str(folder), do=do)
    about = json.loads(first.payload)
    if not isinstance(about, dict) or about.get("what") != "exchange":
        raise StateError("This is no journal of an exchange", where=str(folder), do=do)
    return about


def as_kept(given: Configuration) -> dict[str, Any]:
    """All of a configuration that decides what an exchange does and says; passwords do not."""
    found: dict[str, Any] = json.loads(given.model_dump_json())
    for account in found["accounts"]:
        account["password"] = "-"
    for name in ("journal", "control"):
        found["exchange"].pop(name)
    return found


def require_same(kept: Mapping[str, Any], given: Mapping[str, Any], folder: Path) -> None:
    """A session goes on as what it began as, or not at all."""
    was, now = _flat(kept), _flat(given)
    for name in [*was, *now]:
        if was.get(name) != now.get(name):
            raise StateError(
                f"The session began with {name} = {shown(was.get(name))}, "
                f"and now it is {shown(now.get(name))}",
                where=str(folder),
                do="Go on with the configuration that it began with, or name another folder.",
            )


def _flat(tables: Any, name: str = "") -> dict[str, Any]:
    """Every value by its place, such as symbols.0.name."""
    if not isinstance(tables, dict | list):
        return {name: tables}
    pairs = tables.items() if isinstance(tables, dict) else enumerate(tables)
    found: dict[str, Any] = {}
    for key, value in pairs:
        found |= _flat(value, f"{name}.{key}" if name else str(key))
    return found
