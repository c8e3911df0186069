"""The instruments of a tape or a session: what the `instrument` of an event refers to.

Three small tables. INSTRUMENT has a row for each: its units, its tick and lot, its calendar.
PHASE says when its calendar trades how (pre-open, auction, continuous), and ACTION what
splits and dividends divide its history by. Rows never move, so a row number is the instrument.

Prices count `price_unit` (0.0001 USD), quantities count `lot_unit` (1 share, 0.00001 BTC); both are
exact ratios, as `hftlib.core.units` wants them. Worst case: 2**32 rows; a symbol of over 24 bytes
is refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.records import record
from hftlib.core.units import Exact, Unit, is_whole, shown

INSTRUMENT = record(
    "instrument",
    192,
    """
    0    symbol             S24    as the venue writes it, without padding
    24   venue              S16    ISO 10383 code where there is one: XNAS
    40   currency           S8     of its price
    48   calendar           S24    whose phases hold; its time zone stands with them
    72   price_unit_over    int64  one price unit is this ...
    80   price_unit_under   int64  ... over this, in the currency
    88   lot_unit_over      int64  one lot is this ...
    96   lot_unit_under     int64  ... over this, in shares, coins or contracts
    104  tick               int64  smallest step of its price, in price units; 1 when unknown
    112  round_lot          int64  what trades as a round number, in lots; 1 when unknown
    120  source             int64  the venue's own number for it (its stock locate); 0 none
    128  multiplier         int64  currency per price of 1 and quantity of 1, times 10**6
    136  kind               S16    equity, future, spot, perpetual
    """,
)
PHASE = record(
    "phase",
    64,
    """
    0   calendar  S24    whose
    24  name      S16    pre-open, auction, continuous, closing, closed
    40  begin     int64  ns since the epoch, UTC
    48  end       int64  likewise; the first moment that no longer belongs to it
    """,
)
ACTION = record(
    "corporate action",
    64,
    """
    0   instrument      int64    row of the instruments table
    8   effective       int64    ns since the epoch, UTC: prices before it are adjusted
    16  price_factor    float64  earlier prices are multiplied by this
    24  quantity_factor float64  earlier quantities likewise
    32  kind            S16      split, dividend
    48  note            S16      4:1, 0.25
    """,
)
_TEXTS = ("symbol", "venue", "currency", "calendar", "kind")


@dataclass(frozen=True, slots=True)
class Instrument:
    """One row, as people read it."""

    row: int
    symbol: str
    venue: str
    currency: str
    calendar: str
    price_unit: Unit
    lot_unit: Unit
    tick: int
    round_lot: int
    source: int
    kind: str

    @property
    def price_size(self) -> float:
        """What one price unit is worth, as the nearest float."""
        return float(self.price_unit.size)

    @property
    def lot_size(self) -> float:
        """What one lot is, as the nearest float."""
        return float(self.lot_unit.size)


class Instruments:
    """The three tables. `add` while a source is read; afterwards they only answer."""

    def __init__(
        self,
        table: np.ndarray[Any, Any] | None = None,
        phases: np.ndarray[Any, Any] | None = None,
        actions: np.ndarray[Any, Any] | None = None,
    ) -> None:
        self._table = np.zeros(0, INSTRUMENT) if table is None else table
        self._count = len(self._table)
        self.phases = np.zeros(0, PHASE) if phases is None else phases
        self.actions = np.zeros(0, ACTION) if actions is None else actions
        self._rows: dict[tuple[str, str], int] | None = None

    def add(
        self,
        symbol: str,
        *,
        venue: str,
        currency: str = "USD",
        calendar: str = "",
        price_unit: Exact = "0.0001",
        lot_unit: Exact = 1,
        tick: int = 1,
        round_lot: int = 1,
        source: int = 0,
        kind: str = "equity",
    ) -> int:
        """A new instrument; its row. One that is there already is refused."""
        if (symbol, venue) in self._index:
            raise _wrong(f"{symbol} of {venue} is in the table already", symbol)
        if tick < 1 or round_lot < 1:
            raise _wrong(f"A tick of {shown(tick)} or a lot of {shown(round_lot)} is none", symbol)
        price, lot = Unit(price_unit, field="price_unit").size, Unit(lot_unit, field="lot").size
        row = np.zeros(1, INSTRUMENT)
        for field, text in zip(_TEXTS, (symbol, venue, currency, calendar, kind), strict=True):
            row[field] = _bytes(text, field, symbol)
        row["price_unit_over"], row["price_unit_under"] = price.numerator, price.denominator
        row["lot_unit_over"], row["lot_unit_under"] = lot.numerator, lot.denominator
        row["tick"], row["round_lot"], row["source"] = tick, round_lot, source
        row["multiplier"] = 10**6
        if self._count == len(self._table):
            # numpy's own ways of joining arrays would drop the padding of the record.
            table = np.zeros(max(16, 2 * self._count), INSTRUMENT)
            table[: self._count] = self._table
            self._table = table
        self._table[self._count] = row[0]
        self._index[symbol, venue] = self._count
        self._count += 1
        return self._count - 1

    def row(self, symbol: str, venue: str | None = None) -> int:
        """The row of a symbol, or a refusal that names some which are there."""
        rows = [
            row
            for (name, place), row in self._index.items()
            if name == symbol and venue in (None, place)
        ]
        if len(rows) == 1:
            return rows[0]
        if rows:
            places = ", ".join(self[row].venue for row in rows)
            raise _wrong(f"{symbol} trades at several venues: {places}; name one", symbol)
        near = [one.symbol for one in self if one.symbol[:1] == symbol[:1]][:8]
        some = near or [self[row].symbol for row in range(min(len(self), 8))]
        raise InputError(
            f"There is no instrument {shown(symbol)} among the {len(self):,} here",
            where="the symbol asked for",
            do=f"Use one of them, such as {', '.join(some)}." if some else "The table is empty.",
        )

    def add_phase(self, calendar: str, name: str, begin: int, end: int) -> None:
        """A stretch of a calendar's day: pre-open, continuous, ...; times in ns, UTC."""
        if end <= begin:
            raise _wrong(f"The phase {shown(name)} ends before it begins", calendar)
        self.phases = _longer(self.phases, (calendar.encode(), name.encode(), begin, end))

    def add_split(self, symbol: str, effective: int, new: int, old: int = 1) -> None:
        """`new` shares for each `old` from `effective` on: a 4:1 split is `add_split(..., 4)`."""
        if not (is_whole(new) and is_whole(old) and new > 0 and old > 0):
            raise _wrong(f"A split of {shown(new)} for {shown(old)} is none", symbol)
        row = (self.row(symbol), effective, old / new, new / old, b"split", f"{new}:{old}".encode())
        self.actions = _longer(self.actions, row)

    def add_dividend(self, symbol: str, effective: int, amount: float, close: float) -> None:
        """A dividend from `effective` on, given the last close before it, in the currency."""
        if not 0 < amount < close:
            raise _wrong(f"A dividend of {shown(amount)} on {shown(close)} is none", symbol)
        row = (self.row(symbol), effective, 1 - amount / close, 1.0, b"dividend", b"%g" % amount)
        self.actions = _longer(self.actions, row)

    def __getitem__(self, row: int) -> Instrument:
        if not 0 <= row < len(self):
            raise InputError(
                f"There is no instrument in row {row}; the table has {len(self):,} rows",
                where="the instruments table",
                do="Use a row of this table.",
            )
        one = self._table[row]
        return Instrument(
            row=row,
            symbol=_text(one["symbol"]),
            venue=_text(one["venue"]),
            currency=_text(one["currency"]),
            calendar=_text(one["calendar"]),
            price_unit=Unit(f"{one['price_unit_over']}/{one['price_unit_under']}"),
            lot_unit=Unit(f"{one['lot_unit_over']}/{one['lot_unit_under']}"),
            tick=int(one["tick"]),
            round_lot=int(one["round_lot"]),
            source=int(one["source"]),
            kind=_text(one["kind"]),
        )

    def __iter__(self) -> Iterator[Instrument]:
        return (self[row] for row in range(len(self)))

    def __len__(self) -> int:
        return self._count

    @property
    def table(self) -> np.ndarray[Any, Any]:
        """The rows as an array of INSTRUMENT."""
        return self._table[: self._count]

    @property
    def symbols(self) -> list[str]:
        return [_text(symbol) for symbol in self.table["symbol"]]

    @property
    def names(self) -> list[str]:
        """Each by a name of its own: its symbol, and where several venues have that, AAPL@XNAS."""
        times = Counter(self.symbols)
        return [
            one.symbol if times[one.symbol] == 1 else f"{one.symbol}@{one.venue}" for one in self
        ]

    @property
    def _index(self) -> dict[tuple[str, str], int]:
        if self._rows is None:
            names = zip(self.symbols, self.table["venue"], strict=True)
            self._rows = {(symbol, _text(venue)): row for row, (symbol, venue) in enumerate(names)}
        return self._rows


def _longer(table: np.ndarray[Any, Any], row: tuple[Any, ...]) -> np.ndarray[Any, Any]:
    made = np.zeros(len(table) + 1, table.dtype)
    made[:-1] = table
    made[-1] = row
    return made


def _bytes(text: str, field: str, symbol: str) -> bytes:
    encoded = text.encode()
    room = INSTRUMENT[field].itemsize
    if not encoded.strip() and field in ("symbol", "venue"):
        raise _wrong(f"The {field} is empty", symbol)
    if len(encoded) > room or b"\0" in encoded:
        raise _wrong(f"{shown(text)} does not fit the {room} bytes of a {field}", symbol)
    return encoded


def _text(value: bytes) -> str:
    return bytes(value).decode("utf-8", "replace")


def _wrong(what: str, symbol: str) -> InputError:
    return InputError(what, where=f"the instrument {shown(symbol)}", do="Correct the source.")
