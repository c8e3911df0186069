"""The simulated exchange of a backtest: market events and our commands in, reports out.

    exchange = Exchange(instruments, hft.Venue(...))
    exchange_event(exchange.address, event_address)            each market event, at its own time
    exchange_command(exchange.address, command_address, time)  each command, when it arrives
    exchange.take_reports()                                    what it answered since

The recorded market goes on as it was; our orders stand in it. Each event is first matched with
our standing orders and then applied to the venue's books. How matching goes is said beside the
code: `fifo.py` for order-by-order data, `level_rules.py` for levels, `taking.py` for orders of
ours that take, `commands.py` for what may be asked.

Per instrument a queue rule is chosen. "auto" decides at our first command for it: FIFO if events so
far spoke of orders by name, else risk-averse.

Worst case: an event of an instrument where we have no order costs what its book costs. Where we
have orders, most events are none of their business (`passing.py`) and cost a look at some of them.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from hftlib.book.apply import apply_inline
from hftlib.book.books import Books
from hftlib.book.capacity import Capacity
from hftlib.book.tables import books_at
from hftlib.core import jit
from hftlib.core.arena import Arena
from hftlib.core.errors import InputError
from hftlib.core.events import EVENT, QUOTE, REPLACE
from hftlib.core.instruments import Instruments
from hftlib.core.layout import Layout
from hftlib.core.numbers import SLOTS_MAX
from hftlib.core.units import is_whole, shown
from hftlib.venue import callbacks, tables
from hftlib.venue.commands import obey
from hftlib.venue.doors import busy_event, event_of_all
from hftlib.venue.impact import IMPACT
from hftlib.venue.passing import goes_by
from hftlib.venue.tables import (
    LISTING,
    OWN,
    REPORT,
    TAKEN,
    VENUE,
    WAYS,
    event_at,
    listing_of,
    venue_at,
)

RULES = {
    "auto": tables.AUTO,
    "fifo": tables.FIFO,
    "risk-averse": tables.RISK_AVERSE,
    "log": tables.LOG,
    "pro-rata": tables.PRO_RATA,
}
SELF_MATCHES = ("cancel newest", "cancel oldest", "cancel both")
OWN_MOST = 1 << 24
TAKEN_SETS = 1 << 12


@jit.compiled("int64(int64, int64)")
def exchange_event(address: int, event_address: int) -> int:
    """One market event, at its own time; how many reports wait now."""
    return exchange_inline(address, event_address)


@jit.inlined
def exchange_inline(address: int, event_address: int) -> int:
    """`exchange_event` for the loop over many."""
    venue = venue_at(address)
    event = event_at(event_address)
    if event.instrument < venue.instruments:
        listing = listing_of(address, event.instrument)
        if 0 < event.kind <= REPLACE:
            listing.by_order = 1
        elif event.kind == QUOTE:
            listing.quoted = 1
        if listing.busy == 0 or goes_by(address, listing, event):
            books_at(address + venue.books_at).events += 1
            apply_inline(address + venue.books_at, event_address)
        else:
            busy_event(address, event_address)
    else:
        event_of_all(address, event_address)
    return venue.reports_used


@jit.compiled("int64(int64, int64, int64)")
def exchange_command(address: int, command_address: int, time: int) -> int:
    """A command that arrives now; how many reports wait now."""
    obey(address, command_address, time)
    return venue_at(address).reports_used


class Exchange:
    """One venue: its books, our orders in it, and the reports that wait.

    `settings` has what `hftlib.venue.venue.Venue` has: `queue`, `partial_fills`, `self_match` and
    `impact`. `own_max` is how many orders of ours may live at once, shared out evenly among so many
    `strategies`.
    """

    def __init__(
        self,
        instruments: Instruments,
        settings: Any,
        *,
        capacity: Capacity | None = None,
        own_max: int = 65536,
        strategies: int = 1,
    ) -> None:
        if not is_whole(own_max) or not 1 <= own_max <= OWN_MOST:
            raise InputError(
                f"{shown(own_max)} is no number of own orders",
                where="Exchange(own_max=...)",
                do=f"Give a whole number from 1 to {OWN_MOST:,}.",
            )
        self.instruments = instruments
        self.settings = settings
        capacity = capacity or Capacity(instruments=max(1, len(instruments)))
        shares = 1 << (strategies - 1).bit_length()
        own_max = max(1 << (int(own_max) - 1).bit_length(), shares * SLOTS_MAX if shares > 1 else 0)
        self.arena = Arena.create(_layout(capacity, own_max), huge_pages=True)
        self.books = Books(instruments, capacity=capacity, arena=self.arena)
        self.address = self.arena.address_of("venue")
        self._lay_out(capacity, own_max, own_max // shares)

    def _lay_out(self, capacity: Capacity, own_max: int, own_each: int) -> None:
        header, slots = self.arena["venue"], self.arena.layout.slots
        for name in ("books", "listings", "own", "takens", "reports", "impacts", "event"):
            header[f"{name}_at"] = slots[name].offset - slots["venue"].offset
        header["instruments"] = capacity.instruments
        header["own_max"], header["own_each"] = own_max, own_each
        header["taken_sets"] = TAKEN_SETS
        header["reports_max"] = slots["reports"].count
        header["partial_fills"] = int(bool(self.settings.partial_fills))
        header["self_match"] = _self_match(self.settings.self_match)
        self.connect()
        rule, power = queue_rule(self.settings.queue)
        listings = self.arena["listings"]
        listings["rule"], listings["power"], listings["tick"] = rule, power, 1
        listings["best"], listings["worst"] = tables.NO_LIMIT, -tables.NO_LIMIT
        listings["tick"][: len(self.instruments)] = self.instruments.table["tick"]
        if self.settings.impact is not None:
            listings["impact"] = 1
            for one in self.instruments:
                place = self.arena["impacts"][one.row : one.row + 1]
                self.settings.impact.lay(place, one)

    def connect(self) -> None:
        """Write in what belongs to this process: where code lies."""
        for name, part in callbacks.BEHIND.items():
            self.arena["venue"][name] = part.address

    @property
    def header(self) -> Any:
        return self.arena["venue"][0]

    def take_reports(self) -> np.ndarray[Any, Any]:
        """The reports that wait, as an array of REPORT; none wait afterwards."""
        waiting = self.arena["reports"][: int(self.header["reports_used"])].copy()
        self.arena["venue"]["reports_used"] = 0
        return waiting

    def event(self, event: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """One market event from Python; the reports it led to."""
        for one in np.atleast_1d(event):
            place = np.array([one], EVENT)
            exchange_event(self.address, place.ctypes.data)
        return self.take_reports()

    def command(self, command: np.ndarray[Any, Any], time: int) -> np.ndarray[Any, Any]:
        """One command from Python; the reports it led to."""
        exchange_command(self.address, command.ctypes.data, time)
        return self.take_reports()

    def set_rule(self, symbol: str, queue: str, venue: str | None = None) -> None:
        """Another queue rule for one instrument, before we have orders there."""
        row = self.instruments.row(symbol, venue)
        listing = self.arena["listings"][row]
        if listing["live"] != 0:
            raise InputError(
                f"{symbol} has {listing['live']:,} orders of ours in its queue already",
                where="Exchange.set_rule",
                do="Choose the rule before the first order.",
            )
        listing["rule"], listing["power"] = queue_rule(queue)

    def __repr__(self) -> str:
        header = self.header
        return (
            f"<Exchange of {len(self.instruments):,} instruments: {header['live']:,} orders of "
            f"ours live, {header['match']:,} trades, {header['reports']:,} reports>"
        )


def queue_rule(text: str) -> tuple[int, int]:
    """A queue rule by name, and its power."""
    if text in RULES:
        return RULES[text], 0
    power = re.fullmatch(r"power\(([1-8])\)", str(text))
    if power is not None:
        return tables.POWER, int(power[1])
    raise InputError(
        f"There is no queue rule {shown(text)}",
        where="the queue of a venue",
        do=f"Use one of {', '.join(RULES)}, or power(1) to power(8).",
    )


def _self_match(text: str) -> int:
    if text not in SELF_MATCHES:
        raise InputError(
            f"There is no self-match rule {shown(text)}",
            where="the self_match of a venue",
            do=f"Use one of: {', '.join(SELF_MATCHES)}.",
        )
    return SELF_MATCHES.index(text)


def _layout(capacity: Capacity, own_max: int) -> Layout:
    instruments = capacity.instruments
    books = {name: (slot.dtype, slot.count) for name, slot in capacity.layout().slots.items()}
    return Layout(
        venue=VENUE,
        event=EVENT,
        listings=(LISTING, instruments),
        impacts=(IMPACT, instruments),
        own=(OWN, own_max + 1),
        reports=(REPORT, max(2 * own_max, 1024)),
        takens=(TAKEN, TAKEN_SETS * WAYS),
        **books,
    )
