"""The ledger as people use it: positions and P&L of any fills, exact, by whatever sums are wanted.

    ledger = result.ledger("fifo")                 or "average"; shows itself in a notebook
    ledger = hft.Ledger(instruments, fills)        alone, over an array of FILL records
    ledger.take(more)                              as they come
    ledger.take_back(4711, "AAPL")                 the venue broke this trade
    ledger.table(by=("venue", "currency"))         sums; .frame is a DataFrame, .exact Fractions
    ledger.table(by=("strategy",), fx={"EUR": "1.08"})       all of it in one currency
    ledger.lots, ledger.entries                    what is open; each fill with what it realised

Inside are whole numbers, booked by `hftlib.execution.ledger`; a sum over instruments is of exact
fractions. What is open counts at `marks`, the last known middle of a result; without one its P&L
is not known, and is NaN. Worst case: 72 bytes a fill; a take-back goes through all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from hftlib.core.errors import HostError, InputError
from hftlib.core.instruments import Instruments
from hftlib.core.orders import FILL
from hftlib.core.units import exact_fraction, is_whole, shown
from hftlib.execution import ledger as booking
from hftlib.execution import ledger_memory as memory
from hftlib.research.ledger_frames import entries_frame, lots_frame
from hftlib.research.ledger_tables import KEYS, LedgerTable
from hftlib.research.result_money import UNKNOWN_BELOW
from hftlib.research.sheets import Sheet, Shown

Array = np.ndarray[Any, Any]
ENTRIES_MOST = 1 << 28


class Ledger(Shown):
    """Accounts of fills, one for each strategy and instrument."""

    def __init__(
        self,
        instruments: Instruments,
        fills: Array | None = None,
        *,
        method: str = "fifo",
        marks: Mapping[Any, Any] | None = None,
        by: Iterable[str] | str = ("instrument",),
        fx: Mapping[str, Any] | None = None,
        into: str | None = None,
    ) -> None:
        if method not in memory.METHODS[1:]:
            do = "Say method='fifo' or method='average'."
            raise InputError(f"There is no method {shown(method)}", where="Ledger(method)", do=do)
        self.instruments, self.method = instruments, method
        self._shown: dict[str, Any] = {"by": _keys(by), "fx": fx, "into": into}
        self._arena = memory.drawn(memory.Room(), memory.METHODS.index(method))
        self.marks: dict[int, Fraction] = {}
        self.strategies: list[str] = []  # their names, where there are several
        for which, price in (marks or {}).items():
            self.mark(which, price)
        if fills is not None:
            self.take(fills)

    def take(self, fills: Array) -> None:
        """Book more fills, in the order in which they stand there."""
        chosen = _checked(fills, len(self.instruments))
        self._changed()
        self._grow_for(len(chosen))
        done = 0
        while done < len(chosen):
            rest = np.ascontiguousarray(chosen[done : done + (1 << 20)])
            base = memory.address_of(self._arena)
            took = int(booking.book_many(base, rest.ctypes.data, len(rest)))
            done += took
            if took < len(rest):
                self._grow()

    def take_back(
        self, match: int, symbol: str, *, venue: str | None = None, order: int = 0
    ) -> int:
        """Take back a trade that the venue broke, by its number there: how many fills it was."""
        row = self.instruments.row(symbol, venue)
        self._changed()
        while True:
            base = memory.address_of(self._arena)
            found = int(booking.take_back(base, row, int(match), int(order)))
            if found > 0:
                return found
            if found == 0:
                raise InputError(
                    f"No fill of {symbol} bears the number {shown(match)}, or it is broken already",
                    where="ledger.take_back",
                    do="Give the venue's number of the trade, as in ledger.entries['match'].",
                )
            self._grow()

    def mark(self, symbol: Any, price: Any, *, venue: str | None = None) -> None:
        """What one of it is worth now, in its currency; a row's number does for the symbol."""
        row = int(symbol) if is_whole(symbol) else self.instruments.row(symbol, venue)
        one = self.instruments[row]
        self._changed()
        # A middle lies between two ticks as often as not, so any exact number is taken.
        self.marks[row] = exact_fraction(price, f"the mark of {one.symbol}") / one.price_unit.size

    @property
    def accounts(self) -> Array:
        """The accounts as they are counted: a copy."""
        return memory.amounts(self._arena).copy()

    @property
    def booked(self) -> Array:
        """Every fill that was booked, as it is counted: a view."""
        return self._arena["entries"][: int(self._header["entries"])]

    @property
    def refused(self) -> dict[str, int]:
        """Fills that were not booked, by the reason why."""
        counts = self._header["refused"].tolist()
        return {memory.REASONS[n]: count for n, count in enumerate(counts) if count}

    def table(
        self,
        by: Iterable[str] | str = ("instrument",),
        *,
        fx: Mapping[str, Any] | None = None,
        into: str | None = None,
    ) -> LedgerTable:
        """Sums by strategy, instrument, venue, currency or several; () is one total.

        Without rates each currency has rows of its own, for they do not add.
        """
        return LedgerTable(
            self.instruments, self.accounts, self.booked, self.marks, _keys(by), fx, into,
            strategies=self.strategies,
        )  # fmt: skip

    @property
    def frame(self) -> Any:
        """The table that it shows, as a DataFrame."""
        return self._table.frame

    @cached_property
    def lots(self) -> Any:
        """A row for each lot that is open, oldest first; of average cost there are none."""
        return lots_frame(self.instruments, self._arena)

    @cached_property
    def entries(self) -> Any:
        """A row for each fill: what it realised, and whether it was taken back."""
        return entries_frame(self.instruments, self.accounts, self.booked)

    def check(self) -> list[str]:
        """What does not balance, as sentences; nothing, or it is our fault."""
        found = []
        for one in self.accounts:
            who = f"strategy {one['strategy']} in {self.instruments[int(one['instrument'])].symbol}"
            if int(one["realised"]) != int(one["cash"]) + int(one["cost"]):
                found.append(f"{who}: what is realised is not cash and cost together")
            if int(one["quantity"]) != int(one["bought"]) - int(one["sold"]):
                found.append(f"{who}: the position is not what was bought less what was sold")
            if int(one["quantity"]) == 0 and (int(one["cost"]) or int(one["lots"])):
                found.append(f"{who}: nothing is held, and yet it has a cost")
        return found

    def sheets(self) -> list[Sheet]:
        made = self._table.sheets()
        if self._shown["by"] and len(self._table.exact) > 1:
            made += self.table((), fx=self._shown["fx"], into=self._shown["into"]).sheets()
        refused = self.refused
        if refused:
            first = int(self._header["first_refused"])
            title = f"Fills that were not booked, the first is number {first:,}: not in any sum"
            made.insert(0, Sheet(title, ("reason", "fills"), list(refused.items())))
        return made

    @cached_property
    def _table(self) -> LedgerTable:
        return self.table(self._shown["by"], fx=self._shown["fx"], into=self._shown["into"])

    @property
    def _header(self) -> Any:
        return self._arena["ledger"][0]

    def _changed(self) -> None:
        for name in ("_table", "lots", "entries"):
            self.__dict__.pop(name, None)

    def _grow_for(self, fills: int) -> None:
        """Room for so many more entries at once."""
        room = self._room()
        wanted = int(self._header["entries"]) + fills
        if wanted >= room["entries"]:
            self._move({**room, "entries": max(2 * room["entries"], wanted + 1)})

    def _room(self) -> dict[str, int]:
        return {name: int(self._header[f"{name}_max"]) for name in ("accounts", "lots", "entries")}

    def _grow(self) -> None:
        """Twice the room of whatever runs short."""
        header, room = self._header, self._room()
        used = {"accounts": "accounts", "lots": "lots_live", "entries": "entries"}
        for name, field in used.items():
            # A take-back may need as many lots as there are fills.
            left = room[name] - int(header[field])
            if left <= 0 or (name == "lots" and left < int(header["entries"])):
                room[name] *= 2
        self._move(room)

    def _move(self, room: dict[str, int]) -> None:
        if room["entries"] > ENTRIES_MOST:
            raise HostError(
                f"A ledger of more than {ENTRIES_MOST:,} fills does not fit",
                where="ledger.take",
                do="Make one ledger for each day or strategy, and add their tables.",
            )
        self._arena = memory.grown(self._arena, memory.Room(**room))


def ledger_of(
    result: Any, method: str, broken: Iterable[tuple[int, str]], shown: Mapping[str, Any]
) -> Ledger:
    """The ledger of a result: what it holds is worth the last middle that its samples knew."""
    made = Ledger(result.instruments, method=method, **shown)
    made.strategies = list(result.about.get("strategies", ()))
    equity = result.records["equity"]
    known = equity["twice_mid"] > UNKNOWN_BELOW
    # Of several samples of an instrument the last stays.
    samples = zip(
        equity["instrument"][known].tolist(), equity["twice_mid"][known].tolist(), strict=True
    )
    made.marks |= {row: Fraction(twice, 2) for row, twice in dict(samples).items()}
    made.take(result.records["fills"])
    for match, symbol in broken:
        made.take_back(match, symbol)
    return made


def _keys(by: Iterable[str] | str) -> tuple[str, ...]:
    given = (by,) if isinstance(by, str) else tuple(by)
    for one in given:
        if one not in KEYS:
            do = f"Name any of {', '.join(KEYS)}, or () for one total."
            raise InputError(f"A ledger has no sums by {shown(one)}", where="by", do=do)
    return tuple(dict.fromkeys(given))


def _checked(fills: Any, instruments: int) -> Array:
    if isinstance(fills, np.ndarray) and fills.dtype.names == FILL.names and fills.ndim == 1:
        # numpy's joined arrays are of the same fields, without the padding of the record.
        made = np.zeros(len(fills), FILL)
        for name in FILL.names or ():
            made[name] = fills[name]
        fills = fills if fills.dtype == FILL else made
    else:
        what = f"{shown(fills)} is no flat array of FILL records"
        do = "Pass result.records['fills'], or an array of hftlib.core.orders.FILL."
        raise InputError(what, where="ledger.take(fills)", do=do)
    if len(fills) and int(fills["instrument"].max()) >= instruments:
        raise InputError(
            f"The fills name instrument {int(fills['instrument'].max())}, and there are"
            f" {instruments:,}, counted from 0",
            where="ledger.take(fills)",
            do="Pass the instruments of the tape they were made on.",
        )
    return fills
