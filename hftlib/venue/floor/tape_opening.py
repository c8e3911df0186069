"""A tape, opened for an exchange: its events mapped, its instruments as the exchange's symbols.

    played = TapeFlow(market, parts, first)     market: the file's [market]
    played.until(floor, now)                    what the tape has up to now
    played.counts                               what came of it, by name

Events are never copied: the tape's pages are read as they are due. The exchange's prices count
0.0001, its quantities shares; a tape whose units are no whole number of these is refused.

Worst case: the memory of the orders followed, 96 bytes for each that the exchange can hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.instruments import Instruments
from hftlib.core.times import to_ns
from hftlib.feed.tape_reading import TapeFile
from hftlib.venue.floor import following, playing
from hftlib.venue.floor.market_tables import MarketTable

UNITS = 10_000  # price units of the exchange in one of the currency
SCALE_MAX = UNITS  # a tape's price unit is at most one of the currency
ENDS = ("stay", "loop", "end")
NAMES_SAID = 8


class TapeFlow:
    """The market of a tape: an exchange's flow, as `agents` are one."""

    def __init__(
        self,
        market: MarketTable,
        symbols: Sequence[str],
        house: tuple[int, int],
        orders_max: int,
        first: int,
        zone: str,
    ) -> None:
        self.file = TapeFile(market.tape)
        where = f"the tape {market.tape}"
        if not len(self.file.events):
            _refuse("It has no events", where, "Name a tape on which something happens.")
        self.memory = _laid_out(self.file, symbols, orders_max, where)
        self.record = self.memory[: following.TAPE.itemsize].view(following.TAPE)
        self.record["session"], self.record["firm"] = house
        self.record["at_end"] = ENDS.index(market.at_end)
        self.record["first"], self.record["begin"] = first, self._begin(market, zone)

    @property
    def address(self) -> int:
        return int(self.memory.ctypes.data)

    @property
    def counts(self) -> dict[str, int]:
        """What came of the events so far, by name; names of 0 are left out."""
        found = {"events": int(self.record["next"][0])}
        found |= {name: int(self.record[name][0]) for name in following.COUNTS}
        return {f"tape_{name}": count for name, count in found.items() if count}

    @property
    def is_over(self) -> bool:
        """It has come to its end, and with it the day."""
        record = self.record[0]
        return bool(record["next"] == record["count"] and record["at_end"] == following.END)

    def until(self, floor: int, now: int) -> None:
        playing.play(floor, self.address, now)

    def _begin(self, market: MarketTable, zone: str) -> int:
        """The tape's time with which the exchange begins."""
        if market.tape_from is None:
            return self.file.begin
        day = datetime.fromtimestamp(self.file.begin // 1_000_000_000, ZoneInfo(zone)).date()
        return to_ns(f"{day.isoformat()}T{market.tape_from}", zone=zone, field="market.tape_from")


def scale_of(table: Instruments, row: int) -> int:
    """Price units of ours in one of the tape's instrument; 0: it cannot be traded here."""
    one = table.table[row]
    scale, rest = divmod(UNITS * int(one["price_unit_over"]), int(one["price_unit_under"]))
    shares = int(one["lot_unit_over"]), int(one["lot_unit_under"])
    return scale if rest == 0 and 0 < scale <= SCALE_MAX and shares[0] == shares[1] else 0


def _laid_out(
    tape: TapeFile, symbols: Sequence[str], orders_max: int, where: str
) -> np.ndarray[Any, Any]:
    """TAPE, a row for each of its instruments, and the table of orders."""
    places = (1 << (2 * orders_max - 1).bit_length()) * following.FOLLOWED.itemsize
    rows = _rows(tape.instruments, symbols, where)
    begins = following.TAPE.itemsize, following.TAPE.itemsize + rows.nbytes
    memory = np.zeros((begins[1] + places) // 8, np.int64).view(np.uint8)
    memory[begins[0] : begins[1]] = rows.view(np.uint8)
    record = memory[: begins[0]].view(following.TAPE)
    record["events"], record["count"] = tape.events.ctypes.data, len(tape.events)
    record["rows_at"], record["followed_at"] = begins
    record["rows"], record["followed_max"] = len(rows), orders_max
    record["mask"] = places // following.FOLLOWED.itemsize - 1
    return memory


def _rows(table: Instruments, symbols: Sequence[str], where: str) -> np.ndarray[Any, Any]:
    rows = np.zeros(len(table), following.TAPE_ROW)
    rows["symbol"], rows["state"], rows["scale"] = -1, -1, 1
    ours = {name: n for n, name in enumerate(symbols)}
    taken: set[int] = set()
    for row, name in enumerate(names_of(table)):
        symbol = ours.get(name, -1)
        if symbol < 0 or symbol in taken:  # of one name at two venues the first counts
            continue
        taken.add(symbol)
        scale = scale_of(table, row)
        if scale == 0:
            what = f"{name} counts in something that is no whole number of 0.0001 or of shares"
            _refuse(what, where, "Leave the symbol out, or play a tape of shares.")
        rows["symbol"][row], rows["scale"][row] = symbol, scale
    if not taken:
        what = f"It has none of the exchange's symbols, {', '.join(symbols[:NAMES_SAID])}"
        has = ", ".join(names_of(table)[:NAMES_SAID])
        _refuse(what, where, f"Name some of its own under [[symbols]]: {has}.")
    return rows


def names_of(table: Instruments) -> list[str]:
    """The instruments' symbols, as text."""
    return [bytes(name).decode("utf-8", "replace") for name in table.table["symbol"].tolist()]


def _refuse(what: str, where: str, do: str) -> None:
    raise InputError(what, where=where, do=do)
