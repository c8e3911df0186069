"""Events of a tape into columns: one pass, each event's cache line read once.

    position  which event     ─┐
    EVENT     64 bytes         ├─▶  time │ received │ sequence │ ... │ price │ quantity
    UNIT      by instrument   ─┘    one array each, of as many items

Price and quantity become floats in currency and shares, as `tape.frame()` has them: the quotient of
two whole numbers that float64 holds exactly, so rounded once. Where the numbers are too large for
that, or the kind has no price, it is not a number here; who calls looks at what `count` says and
asks `Unit.values` for those few. Worst case: a position beyond the tape is refused before this is
called; nothing is checked here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.core import events, jit
from hftlib.core.records import record
from hftlib.core.units import Unit
from hftlib.feed.tape_reading import TapeFile
from hftlib.feed.walk import event_address, event_at, walk_at
from hftlib.research.selection import Selection

UNIT = record(
    "spread unit",
    32,
    """
    0   price_over   int64  one price unit is this ...
    8   price_under  int64  ... over this
    16  lot_over     int64
    24  lot_under    int64
    """,
)
SPREAD = record(
    "spread",
    144,
    """
    0    walk         int64  address of the WALK that leads over the events
    8    units        int64  address of one UNIT for each instrument, then one for strangers
    16   rows         int64  instruments
    24   traits       int64  address of one byte for each kind: PRICED, SIZED, ZERO_TOO
    32   time         int64  addresses of the columns, of 8-byte items
    40   received     int64
    48   sequence     int64
    56   reference    int64
    64   other        int64
    72   price_units  int64
    80   lots         int64
    88   price        int64  float64
    96   quantity     int64  float64
    104  instrument   int64  4-byte items
    112  flags        int64  2-byte items
    120  kind         int64  1-byte items, like the one below
    128  side         int64
    136  count        int64  prices and quantities too large to be made here
    """,
)
PRICED, SIZED, ZERO_TOO = 1, 2, 4
EXACT_MAX = 1 << 53
_priced = ("ADD", "EXECUTE", "REPLACE", "TRADE", "CROSS", "LEVEL", "QUOTE", "IMBALANCE")
TRAITS = np.zeros(256, np.uint8)
for _number, _name in enumerate(events.KINDS):
    TRAITS[_number] = (
        (PRICED | SIZED if _name in _priced else 0)
        | (SIZED if _name == "CANCEL" else 0)
        | (ZERO_TOO if _name in ("LEVEL", "QUOTE") else 0)
    )
DTYPES: dict[str, Any] = {
    **dict.fromkeys(
        ("time", "received", "sequence", "reference", "other", "price_units", "lots"), np.int64
    ),
    **dict.fromkeys(("price", "quantity"), np.float64),
    "instrument": np.uint32,
    "flags": np.uint16,
    **dict.fromkeys(("kind", "side"), np.uint8),
}
_UNIT_BYTES = UNIT.itemsize
_spread_at = jit.record_at(SPREAD)
_unit_at = jit.record_at(UNIT)
_longs = jit.array_at(np.int64)
_floats = jit.array_at(np.float64)
_words = jit.array_at(np.uint32)
_halves = jit.array_at(np.uint16)
_bytes = jit.array_at(np.uint8)


@jit.compiled("void(int64, int64)")
def _spread(spread_address: int, count: int) -> None:
    spread = _spread_at(spread_address)
    walk = walk_at(spread.walk)
    rows, traits = spread.rows, _bytes(spread.traits, 256)
    time, received = _longs(spread.time, count), _longs(spread.received, count)
    sequence, reference = _longs(spread.sequence, count), _longs(spread.reference, count)
    other, price_units = _longs(spread.other, count), _longs(spread.price_units, count)
    lots, price = _longs(spread.lots, count), _floats(spread.price, count)
    quantity, instrument = _floats(spread.quantity, count), _words(spread.instrument, count)
    flags, kind = _halves(spread.flags, count), _bytes(spread.kind, count)
    side = _bytes(spread.side, count)
    for n in range(count):
        event = event_at(event_address(walk, n))
        time[n] = event.time
        received[n] = event.received
        sequence[n] = event.sequence
        reference[n] = event.reference
        other[n] = event.other
        price_units[n] = event.price
        lots[n] = event.quantity
        instrument[n] = event.instrument
        flags[n] = event.flags
        kind[n] = event.kind
        side[n] = event.side
        row = min(np.int64(event.instrument), rows)
        unit = _unit_at(spread.units + row * _UNIT_BYTES)
        has = traits[event.kind] if row < rows else 0
        price[n] = np.nan
        quantity[n] = np.nan
        if has & PRICED and (event.price != 0 or has & ZERO_TOO):
            top = EXACT_MAX // unit.price_over
            if -top <= event.price <= top and unit.price_under <= EXACT_MAX:
                price[n] = float(event.price * unit.price_over) / float(unit.price_under)
            else:
                spread.count += 1
        if has & SIZED:
            top = EXACT_MAX // unit.lot_over
            if -top <= event.quantity <= top and unit.lot_under <= EXACT_MAX:
                quantity[n] = float(event.quantity * unit.lot_over) / float(unit.lot_under)
            else:
                spread.count += 1


class Spreader:
    """Columns of some events of a tape, in memory that is used again and again."""

    def __init__(self, file: TapeFile, room: int) -> None:
        table = file.instruments.table
        self._file, self._units = file, np.ones(len(table) + 1, UNIT)
        for ours, theirs in (("price", "price_unit"), ("lot", "lot_unit")):
            for part in ("over", "under"):
                self._units[f"{ours}_{part}"][:-1] = table[f"{theirs}_{part}"]
        self._columns = {name: np.zeros(room, dtype) for name, dtype in DTYPES.items()}
        self._spread = np.zeros(1, SPREAD)
        self._spread["units"], self._spread["rows"] = self._units.ctypes.data, len(table)
        self._spread["traits"] = TRAITS.ctypes.data
        for name, column in self._columns.items():
            self._spread[name] = column.ctypes.data

    def columns(self, positions: np.ndarray[Any, Any]) -> dict[str, np.ndarray[Any, Any]]:
        """The columns of the events at these positions; valid until the next call."""
        count = len(positions)
        walk = Selection(self._file, 0, len(self._file.events), (), positions)
        self._spread["walk"], self._spread["count"] = walk.walk_address, 0
        _spread(self._spread.ctypes.data, count)
        made = {name: column[:count] for name, column in self._columns.items()}
        if self._spread["count"][0]:
            self._make_large(made)
        return made

    def _make_large(self, made: dict[str, np.ndarray[Any, Any]]) -> None:
        """The few amounts that take Python's whole numbers."""
        rows = np.minimum(made["instrument"], len(self._units) - 1)
        has = np.where(rows < len(self._units) - 1, TRAITS[made["kind"]], 0)
        priced = (has & PRICED > 0) & ((made["price_units"] != 0) | (has & ZERO_TOO > 0))
        wanted = {"price": priced, "quantity": has & SIZED > 0}
        counts = {"price": ("price_units", "price"), "quantity": ("lots", "lot")}
        for name, there in wanted.items():
            source, unit = counts[name]
            for n in np.flatnonzero(there & np.isnan(made[name])):
                one = self._units[rows[n]]
                size = Unit(f"{one[f'{unit}_over']}/{one[f'{unit}_under']}")
                made[name][n] = size.values(made[source][n : n + 1])[0]
