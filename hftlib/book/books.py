"""Books: the order books of many instruments over one arena of plain memory.

    books = hft.Books(tape.instruments)          # or Books(instruments, capacity=Capacity(...))
    books.apply(events)                          # an array of EVENT, in order
    books.of("AAPL").best_bid                    # and what else `book.py` offers
    books.impossible                             # {"no such order": 3}

Worst case: memory is taken once, by capacity; what does not fit is counted and makes it stale.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from hftlib.book.book import Book
from hftlib.book.bulk import apply_events
from hftlib.book.capacity import Capacity, grid
from hftlib.book.showing import why_stale
from hftlib.book.standing import digest_of, standing
from hftlib.book.tables import LIVE_MIN, PAGE_BYTES, REASONS, SLOTS, UNIT_BYTES, UNITS_MAX
from hftlib.core.arena import Arena
from hftlib.core.errors import InputError
from hftlib.core.events import EVENT
from hftlib.core.instruments import Instruments


class Books:
    """The books of all instruments of a table."""

    def __init__(
        self,
        instruments: Instruments,
        *,
        capacity: Capacity | None = None,
        arena: Arena | None = None,
    ) -> None:
        self.instruments = instruments
        self.capacity = capacity or Capacity(instruments=max(1, len(instruments)))
        if len(instruments) > self.capacity.instruments:
            raise InputError(
                f"{len(instruments):,} instruments do not fit into books for "
                f"{self.capacity.instruments:,}",
                where="Books(instruments, capacity=...)",
                do="Give a capacity with as many instruments.",
            )
        layout = self.capacity.layout()
        if layout.total_bytes > UNITS_MAX * UNIT_BYTES:
            raise InputError(
                f"These books take {layout.total_bytes:,} bytes, and numbers of places end at "
                f"{UNITS_MAX * UNIT_BYTES:,}",
                where="Books(instruments, capacity=...)",
                do="Give a capacity with fewer orders or homes, or divide the instruments.",
            )
        self.arena = arena or Arena.create(layout, huge_pages=True)
        self.address = self.arena.address_of("books")
        if not self.header["instruments"]:  # an arena of zeros, not one that somebody left
            self._lay_out()

    def _lay_out(self) -> None:
        header, slots = self.arena["books"], self.arena.layout.slots
        at = {name: slot.offset - slots["books"].offset for name, slot in slots.items()}
        for name in ("guests", "places", "looks"):
            header[f"{name}_at"] = at[name]
        header["books_at"] = at["book"]
        header["instruments"] = self.capacity.instruments
        for name in ("orders", "levels", "pages"):
            header[f"{name}_max"] = getattr(self.capacity, name)
        header["homes"] = at["orders"] // UNIT_BYTES
        header["strangers"] = header["homes"] + self.capacity.homes
        # The first page whose levels' numbers begin at a multiple of how many they are.
        first = -(-at["levels"] // (SLOTS * UNIT_BYTES))
        header["page_none"] = first
        header["pages_at"] = at["pages"] - first * PAGE_BYTES
        header["look_from"] = LIVE_MIN
        header["extras"] = (first + self.capacity.pages + 1) * SLOTS
        header["units"] = (at["levels"] + slots["levels"].nbytes) // UNIT_BYTES
        header["home_mask"] = self.capacity.homes - 1
        header["guest_mask"] = slots["guests"].count - 1
        header["place_mask"] = slots["places"].count - 1
        ticks = np.ones(self.capacity.instruments, np.int64)
        ticks[: len(self.instruments)] = self.instruments.table["tick"]
        grids = {tick: grid(tick) for tick in set(ticks.tolist())}
        scales = np.array([grids[tick] for tick in ticks.tolist()])
        for side in ("bid", "ask"):
            place = self.arena["book"][side]
            place["scale"], place["shift"] = scales[:, 0], scales[:, 1]

    def apply(self, events: np.ndarray[Any, Any]) -> int:
        """Apply events in order; how many of them changed a book."""
        kind = getattr(events, "dtype", type(events).__name__)
        if kind != EVENT or events.ndim != 1 or not events.flags.c_contiguous:
            raise InputError(
                f"This, of {kind}, is not an array of events side by side",
                where="Books.apply(events)",
                do="Give a contiguous array of hftlib.core.events.EVENT.",
            )
        return int(apply_events(self.address, events.ctypes.data, len(events)))

    def standing(self) -> np.ndarray[Any, Any]:
        """All levels and orders, in one order, as an array of STANDING."""
        return standing(self.address, int(self.header["levels"] + self.header["orders"]))

    def digest(self) -> str:
        """SHA-256 of all levels and orders: equal digests mean equal books."""
        return digest_of(self.standing())

    def of(self, symbol: str, venue: str | None = None, *, zone: str = "UTC") -> Book:
        """The book of an instrument, live; its times are shown in `zone`."""
        return Book(self, self.instruments.row(symbol, venue), zone=zone)

    @property
    def header(self) -> Any:
        return self.arena["books"][0]

    @property
    def impossible(self) -> dict[str, int]:
        """Inputs that cannot be, by reason."""
        counts = self.header["impossible"]
        return {REASONS[n]: int(counts[n]) for n in range(1, len(REASONS)) if counts[n]}

    @property
    def stale(self) -> dict[str, str]:
        """Books that may be wrong, and why; a symbol of several venues has its venue behind it."""
        bits = self.arena["book"]["stale"][: len(self.instruments)]
        rows = np.flatnonzero(bits).tolist()
        times = Counter(self.instruments.symbols) if rows else Counter()
        told = {}
        for one in (self.instruments[row] for row in rows):
            name = one.symbol if times[one.symbol] == 1 else f"{one.symbol} {one.venue}"
            told[name] = why_stale(int(bits[one.row]))
        return told

    def __repr__(self) -> str:
        header = self.header
        return (
            f"<Books of {len(self.instruments):,} instruments: {header['orders']:,} orders at "
            f"{header['levels']:,} levels, {header['events']:,} events>"
        )
