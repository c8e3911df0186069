"""The memory of a ledger: accounts, the lots that are open in them, and every fill that was booked.

    ledger ─ header: the method, where all else lies, counts
      accounts[1 + n]   one for each strategy and instrument (an instrument is a symbol at a venue)
      index[hash]       the account of a strategy and instrument; 0 none
      lots[1 + n]       a pool with a free list; the lots of an account are linked, oldest first
      entries[n]        each fill as it was booked, so that one can be taken back

All of it is drawn when the ledger is made; distances count from the header, so a copy works
wherever it lies. Money counts price unit times lot unit of its instrument.

Worst case: an array is full. The fill is then refused with a reason and nothing is changed:
lots cannot be merged or forgotten without losing a unit, and exactness is what a ledger is for.
Whoever drives it draws a larger one beside the tick path (`grown`) and books the fill again.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from hftlib.core import jit
from hftlib.core.arena import Arena
from hftlib.core.layout import Layout
from hftlib.core.records import record

FIFO, AVERAGE = 1, 2
METHODS = ("", "fifo", "average")

LEDGER = record(
    "ledger",
    256,
    """
    0    method         int64     FIFO or AVERAGE
    8    accounts_max   int64
    16   lots_max       int64
    24   entries_max    int64
    32   index_mask     int64     places of the index, less one
    40   accounts_at    int64     bytes from this header to each array
    48   lots_at        int64
    56   entries_at     int64
    64   index_at       int64
    72   accounts       int64     in use
    80   entries        int64     in use
    88   lots_live      int64     open now, of all accounts
    96   lots_drawn     int64     taken from the pool for the first time
    104  free_lot       int64     first of those given back; 0 none
    112  broken         int64     fills taken back
    120  first_refused  int64     number of the first fill that was refused; 0 none
    128  refused        int64[8]  how often, by reason
    """,
)
ACCOUNT = record(
    "ledger account",
    128,
    """
    0    strategy    int64
    8    instrument  int64  its row; the venue stands with it
    16   quantity    int64  held, in lots; below zero: sold short
    24   cash        int64  received for all sales less paid for all purchases, without fees
    32   fees        int64  paid, rebates taken off
    40   cost        int64  what is held cost; of a short position minus what it brought
    48   realised    int64  by what was closed, before fees
    56   weight      int64  size of the price times quantity, of all open lots
    64   bought      int64  in lots
    72   sold        int64
    80   fills       int64
    88   first_lot   int64  the oldest; 0 none
    96   last_lot    int64
    104  lots        int64  how many are open
    """,
)
LOT = record(
    "ledger lot",
    32,
    """
    0   price     int64
    8   quantity  int64  not closed yet; above zero in a short position, too
    16  since     int64  when its first part was filled
    24  next      int64  the one filled after it, or the next free one; 0 none
    """,
)
ENTRY = record(
    "ledger entry",
    72,
    """
    0   number    int64   of the fill
    8   time      int64   the venue's, ns
    16  match     int64   the venue's number of the trade
    24  order     int64   our number of the order
    32  price     int64
    40  quantity  int64
    48  fee       int64
    56  realised  int64   by this fill
    64  account   uint32
    68  side      uint8
    69  state     uint8   BOOKED, BROKEN, LEFT_OUT
    """,
)
PLACE = record("ledger place", 8, "0 account int64 its number; 0: this place is free")
BOOKED, BROKEN, LEFT_OUT = range(3)

# Why a fill was not booked; the first three pass when the ledger has grown.
REASONS = (
    "",
    "no room for another account",
    "no room for another lot",
    "no room for another entry",
    "a fill of no quantity, or of no side",
    "its money is beyond what the ledger counts exactly",
    "a broken trade that was never booked, or is taken back already",
)
NO_ACCOUNT, NO_LOT, NO_ENTRY, NO_FILL, TOO_LARGE, NO_TRADE = range(1, 7)
# No amount of an account goes beyond it, so sums and differences of two fit into an int64.
MONEY_MAX = 1 << 61

ledger_at = jit.record_at(LEDGER)
account_of, account_address = jit.rows(ledger_at, ACCOUNT, "accounts_at", "accounts_max", 1)
lot_of, _ = jit.rows(ledger_at, LOT, "lots_at", "lots_max", 1)
entry_of, entry_address = jit.rows(ledger_at, ENTRY, "entries_at", "entries_max")
place_of, _ = jit.rows(ledger_at, PLACE, "index_at", "index_mask", 1)

_ARRAYS = ("accounts", "lots", "entries")


@dataclass(frozen=True, slots=True)
class Room:
    """How many of each there can be."""

    accounts: int = 64
    lots: int = 4096
    entries: int = 16_384


def drawn(room: Room, method: int) -> Arena:
    """An empty ledger of this size."""
    places = 1 << max(4, (2 * room.accounts).bit_length())
    arena = Arena.create(
        Layout(
            ledger=LEDGER,
            accounts=(ACCOUNT, room.accounts + 1),
            index=(PLACE, places),
            lots=(LOT, room.lots + 1),
            entries=(ENTRY, room.entries),
        )
    )
    header, slots = arena["ledger"][0], arena.layout.slots
    header["method"], header["index_mask"] = method, places - 1
    for name in (*_ARRAYS, "index"):
        header[f"{name}_at"] = slots[name].offset - slots["ledger"].offset
    for one in fields(room):
        header[f"{one.name}_max"] = getattr(room, one.name)
    return arena


def grown(arena: Arena, room: Room) -> Arena:
    """The same ledger with more room; the old one is left as it was."""
    old = arena["ledger"][0]
    made = drawn(room, int(old["method"]))
    header = made["ledger"][0]
    for name in _ARRAYS:
        made[name][: len(arena[name])] = arena[name]
    moved = ("accounts", "entries", "lots_live", "lots_drawn", "free_lot", "broken")
    for name in (*moved, "first_refused", "refused"):
        header[name] = old[name]
    base = made.address_of("ledger")
    for number in range(1, int(header["accounts"]) + 1):
        enter(base, number)
    return made


@jit.compiled("void(int64, int64)")
def enter(base: int, number: int) -> None:
    """Put an account that is new to the index into its place there."""
    account = account_of(base, number)
    place_of(base, free_place(base, account.strategy, account.instrument)).account = number


@jit.compiled()
def free_place(base: int, strategy: int, instrument: int) -> int:
    """Where the account of these stands in the index, or would stand."""
    ledger = ledger_at(base)
    place = hashed(strategy, instrument) & ledger.index_mask
    while True:
        number = place_of(base, place).account
        if number == 0:
            return place
        account = account_of(base, number)
        if account.strategy == strategy and account.instrument == instrument:
            return place
        # It ends: there are more places than twice as many as accounts.
        place = (place + 1) & ledger.index_mask


@jit.inlined
def hashed(strategy: int, instrument: int) -> int:
    # Within 63 bits, so that plain Python gives the same.
    mixed = ((instrument & 0x7FFFFFFF) ^ (strategy << 15)) * 0x5BD1E995
    return (mixed >> 12) & 0x7FFFFFFF


def address_of(arena: Arena) -> int:
    """What the compiled functions are called with."""
    return arena.address_of("ledger")


def amounts(arena: Arena) -> np.ndarray[Any, Any]:
    """The accounts in use: a view."""
    return arena["accounts"][1 : int(arena["ledger"]["accounts"][0]) + 1]
