"""ITCH messages into events: the first stage of the tick path.

One event for each message, always, so nothing is dropped in silence: what changes no book becomes
a NOTICE, what cannot be read an UNREADABLE with its reason.

    type byte ──▶ plan (one of 256): length, where price, quantity, ... stand, masks
              ──▶ eight loads, eight stores, no branch on the type

Nine messages in ten are A, D, U, E, X, F or P, in no order a processor could predict. So these
seven share one straight line of code: a field that a type lacks is read from a place that every
message has and masked to zero. All others, and all that is odd, go to `seldom.py`.

A locate becomes an instrument row by a table; one never seen before gets the next row.
Worst case: garbage takes the other way, which is slower. A frame's length is checked
against its type before any field is read, so no read leaves the frame.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.core import events, jit
from hftlib.core.arena import Arena
from hftlib.core.events import EVENT, EVENT_BYTES
from hftlib.core.instruments import Instruments
from hftlib.core.records import record
from hftlib.core.times import to_ns
from hftlib.feed.itch import tables
from hftlib.feed.itch.seldom import blank, seldom
from hftlib.feed.itch.tables import (
    DAY_NS,
    LAYOUT,
    LOCATES,
    PLAN_BYTES,
    PLANS_AT,
    PRICE_MAX,
    ROWS_AT,
    TYPES_AT,
)

TIME_MASK = (1 << 48) - 1  # a time is six bytes, read with the two before them
PREFETCH_BYTES = 1024  # how far ahead of the reader the input is asked for
TICK = 100  # a cent
# Between what the venue says: start of messages, system hours, market hours, and their ends.
PHASES = ("closed", "pre-open", "continuous", "after hours", "closed")

FRAMES = record(
    "itch frames",
    32,
    """
    0   cursor  int64  address of the first byte not yet translated
    8   end     int64  address behind the last byte there is
    16  target  int64  address of the next event
    24  room    int64  events that still fit there
    """,
)

_frames_at = jit.record_at(FRAMES)
_event_at = jit.record_at(EVENT)


@jit.compiled("int64(int64, int64)")
def translate_frames(translator_address: int, frames_address: int) -> int:
    """Translate {length, message} frames until one is cut off or the room is full: events made."""
    frames = _frames_at(frames_address)
    cursor, end, target = frames.cursor, frames.end, frames.target
    last = target + frames.room * EVENT_BYTES
    while target < last and cursor + 2 <= end:
        jit.prefetch(cursor + PREFETCH_BYTES)
        length = jit.load_be_u16(cursor)
        if length == 0 or cursor + 2 + length > end:
            break
        translate_message(translator_address, cursor + 2, length, target)
        target += EVENT_BYTES
        cursor += 2 + length
    made = (target - frames.target) // EVENT_BYTES
    frames.cursor, frames.target = cursor, target
    frames.room -= made
    return made


@jit.inlined
def translate_message(translator_address: int, message: int, length: int, target: int) -> None:
    """Make the event at `target` of the message; `length` bytes of it can be read."""
    if not _straight(translator_address, message, length, target):
        seldom(translator_address, message, length, target)


@jit.inlined
def _straight(translator_address: int, message: int, length: int, target: int) -> bool:
    """The event of a common message; or nothing, where anything is odd: False."""
    kind_byte = jit.load_u8(message)
    plan = tables.plan_at(translator_address + PLANS_AT + kind_byte * PLAN_BYTES)
    if length != plan.length or plan.straight == 0:
        return False
    locate = jit.load_be_u16(message + 1)
    row = tables.row_at(jit.nth(translator_address + ROWS_AT, locate, LOCATES, 4)).row
    price = jit.load_be_u32(message + plan.price_at) & plan.price_mask
    side = jit.load_u8(message + plan.side_at) & plan.side_mask
    time = jit.load_be_i64(message + 3) & TIME_MASK
    # One branch, never taken in a sound feed, guards all of it.
    odd = (row < 0) | (price > PRICE_MAX) | (time >= DAY_NS)
    if odd | ((side != plan.side_buy) & (side != plan.side_sell)):
        return False
    translator = tables.translator_at(translator_address)
    event = _event_at(target)
    event.time = translator.midnight + time
    translator.latest = event.time
    event.received = translator.received
    event.sequence = translator.sequence
    event.reference = jit.load_be_i64(message + 11)
    event.other = jit.load_be_i64(message + plan.other_at) & plan.other_mask
    event.price = price
    event.quantity = jit.load_be_u32(message + plan.quantity_at) & plan.quantity_mask
    event.instrument = row
    event.kind = plan.kind
    event.side = plan.side_base + (side & 1)  # 'B' is even and 'S' is odd
    event.flags = plan.flags
    translator.sequence += 1
    tables.count_at(jit.nth(translator_address + TYPES_AT, kind_byte, 256, 8)).count += 1
    return True


@jit.compiled("void(int64, int64, int64)")
def _cut_off(translator_address: int, length: int, target: int) -> None:
    translator = tables.translator_at(translator_address)
    blank(translator, target)
    event = _event_at(target)
    event.kind = events.UNREADABLE
    event.reference = events.CUT_OFF
    event.quantity = length
    translator.unreadable += 1
    translator.sequence += 1


class Translator:
    """A translator for one day of one ITCH feed. Its state is an arena, like all state."""

    def __init__(
        self,
        *,
        date: str,
        zone: str = "America/New_York",
        venue: str = "XNAS",
        currency: str = "USD",
    ) -> None:
        self.arena = Arena.create(LAYOUT)
        self.venue, self.currency = venue, currency
        self.address = self.arena.address_of("translator")
        self._state = self.arena["translator"]
        self._state["midnight"] = to_ns(f"{date}T00:00:00", zone=zone, field="date")
        self._state["sequence"] = 1
        self.arena["plans"][:] = tables.plans()
        self.arena["rows"][:] = tables.UNSEEN
        self._frames = np.zeros(1, FRAMES)
        self._known: tuple[int, Instruments] = (-1, Instruments())

    def frames(
        self, address: int, length_bytes: int, into: np.ndarray[Any, Any]
    ) -> tuple[int, int]:
        """Translate whole frames from memory into `into`: bytes consumed, events written."""
        self._frames[0] = (address, address + length_bytes, into.ctypes.data, len(into))
        made = translate_frames(self.address, self._frames.ctypes.data)
        return int(self._frames["cursor"][0]) - address, int(made)

    def end(self, rest_bytes: int, into: np.ndarray[Any, Any]) -> int:
        """Say that the input ended within a frame: one UNREADABLE event, or none without a rest."""
        if rest_bytes:
            _cut_off(self.address, rest_bytes, into.ctypes.data)
        return int(rest_bytes > 0)

    @property
    def instruments(self) -> Instruments:
        """What has been seen so far; a row never changes its number."""
        told = int(self._state["told"][0])
        if self._known[0] != told:
            self._known = (told, self._table())
        return self._known[1]

    @property
    def counts(self) -> dict[str, int]:
        """Messages by type, and what was odd."""
        types = self.arena["types"]
        counts = {_type_name(byte): int(types[byte]) for byte in np.flatnonzero(types).tolist()}
        for name, field in (("unreadable", "unreadable"), ("symbol not its locate's", "strangers")):
            if self._state[field][0]:
                counts[name] = int(self._state[field][0])
        return counts

    @property
    def sequence(self) -> int:
        """The number the next message gets; datagrams bring their own."""
        return int(self._state["sequence"][0])

    @sequence.setter
    def sequence(self, number: int) -> None:
        self._state["sequence"] = number

    @property
    def received_ns(self) -> int:
        """When what comes next was received; 0 unknown."""
        return int(self._state["received"][0])

    @received_ns.setter
    def received_ns(self, time_ns: int) -> None:
        self._state["received"] = time_ns

    def _table(self) -> Instruments:
        made = Instruments()
        taken: set[str] = set()
        for locate in self.arena["locates"][: int(self._state["rows"][0])].tolist():
            entry = self.arena["symbols"][locate]
            symbol = bytes(entry["symbol"]).decode("ascii", "replace").strip(" \0")
            if not symbol.isprintable() or not symbol or symbol in taken:
                symbol = f"{symbol.encode('ascii', 'replace').hex()[:16]}#{locate}".lstrip("0")
            taken.add(symbol)
            made.add(
                symbol,
                venue=self.venue,
                currency=self.currency,
                calendar=self.venue,
                tick=TICK,
                round_lot=max(1, int(entry["round_lot"])),
                source=locate,
            )
        said = self._state["said"][0].tolist()
        for name, begin, end in zip(PHASES, said, said[1:], strict=False):
            if 0 < begin < end:
                made.add_phase(self.venue, name, begin, end)
        return made


def _type_name(byte: int) -> str:
    letter = chr(byte)
    return letter if letter in tables.LENGTHS else f"unknown type 0x{byte:02x}"
