"""The matching engine as a process uses it: its memory, its commands, its reports.

    engine = MatchingEngine(["AAA", "BBB"], sessions=4, firms=4)
    reports = engine.obey(commands)         # an array of COMMAND in, an array of REPORT out
    engine.digest                           # SHA-256 of all reports so far
    engine.snapshot(), engine.restore(...)  # a copy of its memory, and back

The same commands give the same reports, byte for byte, in any process and mode: `write_log` keeps
commands in a file and `replay` obeys them again. Prices have four decimals.

Worst case: memory is taken once, by `Size`; reports are copied out in parts, so a command
that says a great many needs no more room than the others.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.book.books import Books
from hftlib.book.capacity import Capacity, grid, power_of_two
from hftlib.core.arena import Arena
from hftlib.core.errors import InputError
from hftlib.core.instruments import Instruments
from hftlib.core.layout import Layout
from hftlib.core.units import is_whole, shown
from hftlib.venue.matching.records import COMMAND, PRICE_MAX, REPORT
from hftlib.venue.matching.running import run
from hftlib.venue.matching.tables import (
    CURVE,
    ENGINE,
    FIRM,
    HIDDEN_ROW,
    NEVER,
    OWN,
    ROWS,
    SESSION,
    SYMBOL,
    TRADED,
)

REPORTS_AN_ORDER = 12  # more than any one step can say of one order
REPORTS_BESIDE = 64
REPORTS_WAITING = 4096  # beyond that room, before they must be taken
TICK = 100
VENUE = "HFTX"
MOST = {"orders": 1 << 24, "sessions": 1 << 20, "firms": (1 << 16) - 1, "trades": 1 << 30}


@dataclass(frozen=True, slots=True)
class Size:
    """How much an engine holds."""

    orders: int = 1 << 14
    levels: int = 1 << 14
    pages: int = 1 << 12
    sessions: int = 64
    firms: int = 64
    trades: int = 1 << 16

    def __post_init__(self) -> None:
        for name in self.__slots__:
            count, most = getattr(self, name), MOST.get(name, 1 << 24)
            if not is_whole(count) or not 1 <= count <= most:
                raise InputError(
                    f"{shown(count)} is no number of {name} for a matching engine",
                    where=f"Size({name}=...)",
                    do=f"Give a whole number from 1 to {most:,}.",
                )


class MatchingEngine:
    """All symbols of an exchange. `tick` is that of prices from 1.00 on; below it is 0.0001."""

    def __init__(
        self,
        symbols: list[str],
        *,
        size: Size | None = None,
        tick: int = TICK,
        arena: Arena | None = None,
    ) -> None:
        self.symbols, self.size, self.tick = list(symbols), size or Size(), tick
        _require_symbols(self.symbols)
        self.capacity = Capacity(
            instruments=ROWS * len(self.symbols),
            orders=self.size.orders,
            levels=self.size.levels,
            pages=self.size.pages,
            homes=1,
        )
        self.arena = arena or Arena.create(_layout(self.capacity, self.size), huge_pages=True)
        self._books = Books(
            _instruments(self.symbols, tick), capacity=self.capacity, arena=self.arena
        )
        self.address = self.arena.address_of("books")
        if not self.header["symbols"]:
            self._lay_out()
        self._digest = hashlib.sha256()

    def _lay_out(self) -> None:
        header, slots = self.header, self.arena.layout.slots
        base = slots["books"].offset
        for name in ("symbols", "sessions", "firms", "owns", "trades", "reports", "names", "heap"):
            header[f"{name}_at"] = slots[name].offset - base
        header["curve_at"] = slots["curve"].offset - base
        header["free_at"] = slots["free"].offset - base
        header["curve_max"] = slots["curve"].count
        header["symbols"] = len(self.symbols)
        header["orders_max"] = self.size.orders
        header["sessions"], header["firms"] = self.size.sessions, self.size.firms
        header["trade_mask"] = slots["trades"].count - 1
        header["name_mask"] = slots["names"].count - 1
        header["reports_max"] = slots["reports"].count
        header["reports_room"] = _room(self.size, len(self.symbols))
        # Order 1 is the first of the books' orders that is nobody's home.
        header["order_first"] = int(self._books.header["strangers"]) - 1
        header["next_expiry"] = NEVER
        table = self.arena["symbols"]
        table["name"] = [int.from_bytes(s.ljust(8).encode(), "big") for s in self.symbols]
        table["tick"], table["small_tick"] = self.tick, min(self.tick, 1)
        table["upper"], table["pegging"] = PRICE_MAX, -1
        # Where hidden orders stand, half ticks are as common as whole ones.
        book, count = self.arena["book"], len(self.symbols)
        for row in range(ROWS):
            tick = max(self.tick // 2, 1) if row == HIDDEN_ROW else self.tick
            scale, shift = grid(tick)
            part = book[row * count : (row + 1) * count]
            for side in ("bid", "ask"):
                part[side]["scale"], part[side]["shift"] = scale, shift

    def obey(self, commands: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Obey commands in order; all reports that this leads to."""
        if getattr(commands, "dtype", None) != COMMAND or not commands.flags.c_contiguous:
            raise InputError(
                "These are no commands side by side",
                where="MatchingEngine.obey(commands)",
                do="Give a contiguous array of hftlib.venue.matching.records.COMMAND.",
            )
        commands = commands.reshape(-1)
        parts, done = [], 0
        while True:
            done += int(run(self.address, commands[done:].ctypes.data, len(commands) - done))
            parts.append(self.take())
            if done == len(commands) and not self.header["unsettled"]:
                return np.concatenate(parts) if len(parts) > 1 else parts[0]

    def take(self) -> np.ndarray[Any, Any]:
        """A copy of the reports that nobody has taken yet."""
        header = self.header
        reports = self.arena["reports"][: int(header["reports_used"])].copy()
        header["reports_used"] = 0
        self._digest.update(reports.view(np.uint8).data)
        return reports

    @property
    def digest(self) -> str:
        """SHA-256 of all reports taken so far: equal digests mean equal reports."""
        return self._digest.hexdigest()

    @property
    def header(self) -> Any:
        return self.arena["engine"][0]

    @property
    def books(self) -> Books:
        """What stands: `books.of(symbol)` is what the public sees of a symbol."""
        return self._books

    def snapshot(self) -> tuple[Arena, Any]:
        """A copy of the memory and of the digest's state, for `restore`."""
        return self.arena.snapshot(), self._digest.copy()

    def restore(self, snapshot: tuple[Arena, Any]) -> None:
        self.arena.restore(snapshot[0])
        self._digest = snapshot[1].copy()

    def __repr__(self) -> str:
        header = self.header
        return (
            f"<MatchingEngine of {len(self.symbols):,} symbols: {header['live']:,} orders, "
            f"{header['commands']:,} commands, {header['reports']:,} reports>"
        )


def write_log(path: Path | str, commands: np.ndarray[Any, Any]) -> None:
    """Commands at the end of a file; it is made where there is none."""
    with Path(path).open("ab") as file:
        file.write(np.ascontiguousarray(commands, COMMAND).view(np.uint8).data)


def read_log(path: Path | str) -> np.ndarray[Any, Any]:
    """The commands in a file."""
    data = Path(path).read_bytes()
    if len(data) % COMMAND.itemsize:
        raise InputError(
            f"The file ends within a command: {len(data):,} bytes are no multiple of "
            f"{COMMAND.itemsize}",
            where=str(path),
            do="Cut off its last bytes, or take an older copy.",
        )
    return np.frombuffer(data, COMMAND).copy()


def replay(path: Path | str, engine: MatchingEngine) -> np.ndarray[Any, Any]:
    """Obey what is in a file; the reports."""
    return engine.obey(read_log(path))


def _room(size: Size, symbols: int) -> int:
    return REPORTS_AN_ORDER * size.orders + symbols + REPORTS_BESIDE


def _layout(capacity: Capacity, size: Size) -> Layout:
    """The engine's header, right behind it the books', then all else."""
    slots = {name: (slot.dtype, slot.count) for name, slot in capacity.layout().slots.items()}
    made = Layout(
        engine=ENGINE,
        **slots,
        owns=(OWN, size.orders + 1),
        names=(np.dtype(np.int64), power_of_two(2 * size.orders)),
        symbols=(SYMBOL, capacity.instruments // ROWS),
        sessions=(SESSION, size.sessions + 1),
        firms=(FIRM, size.firms + 1),
        heap=(np.dtype(np.int32), size.orders),
        free=(np.dtype(np.int32), size.orders),
        curve=(CURVE, size.levels + 1),
        trades=(TRADED, power_of_two(size.trades)),
        reports=(REPORT, _room(size, capacity.instruments // ROWS) + REPORTS_WAITING),
    )
    assert made.slots["books"].offset == made.slots["engine"].offset + ENGINE.itemsize
    return made


def _instruments(symbols: list[str], tick: int) -> Instruments:
    table = Instruments()
    for symbol in symbols:
        table.add(symbol, venue=VENUE, price_unit="0.0001", tick=tick)
    return table


def _require_symbols(symbols: list[str]) -> None:
    wrong = [s for s in symbols if not 0 < len(s) <= 8 or not s.isascii() or not s.strip()]
    if wrong or not symbols or len(set(symbols)) != len(symbols):
        raise InputError(
            f"{wrong[0]!r} is no symbol" if wrong else "A symbol is missing, or there twice",
            where="MatchingEngine(symbols)",
            do="Give different names of one to eight ASCII characters.",
        )
