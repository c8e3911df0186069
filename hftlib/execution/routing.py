"""Where to trade: the arithmetic of routes, over a table of what is offered where.

    OFFER rows ─ take_cheapest(rows, count, lots) ─▶ `take` of each: the least that lots can cost
               ─ split(rows, count, lots)         ─▶ in proportion to their `weight`

**What a lot costs** is its price and its fee, exactly, in whole money units and billionths: the
taker fee for what takes, the maker fee for what stands, a rebate lowering it; of a sale the price
counts as a gain. What a venue rounds up, or charges at least for a fill, is left out.

**What can be had** of a level is what it shows, times the chance that it still stands when our
order arrives, and at the best price what is expected hidden there:

    chance  = life / (life + latency)   life: how long a best price of that side has stood of late.
                                        (A price that is left at a rate which itself is uncertain,
                                        exponentially, stands for x with this chance.)
    hidden  = shown x hidden printed / shown printed, at most as much as is shown

The cheapest levels first is the best there is: costs are by the lot and levels of one venue only
grow dearer, so a dearer lot taken could always be changed for a cheaper one left.

**What standing is worth** at a venue: what a lot saves against taking the best of all venues, fees
and rebates counted, times how likely it is filled: what prints there per lot that stands before us.

Worst case: OFFERS_MAX rows, each looked at for each that is taken.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit
from hftlib.core.events import BUY
from hftlib.core.fees import FEES
from hftlib.core.parents import LEGS_MAX, ONE
from hftlib.core.records import record
from hftlib.execution.schedules import part_of, share_of

LEVELS_MAX = 8
OFFERS_MAX = LEGS_MAX * LEVELS_MAX
PRINTED_MAX = 1 << 34
_WEIGHT_BITS = 20

OFFER = record(
    "offer",
    64,
    """
    0   instrument  int64
    8   price       int64
    16  available   int64  lots that can be had, as far as is known
    24  cost        int64  of a lot, fees counted: whole money units; of a sale below zero
    32  rest        int64  and billionths
    40  latency     int64  ns to its venue; -1 unknown
    48  weight      int64  how likely standing there is filled
    56  take        int64  lots: what the plan says
    """,
)
OFFER_BYTES = OFFER.itemsize

offer_at = jit.record_at(OFFER)
fees_at = jit.record_at(FEES)


@jit.inlined
def offer_of(rows: int, number: int) -> Any:
    return offer_at(jit.nth(rows, number, OFFERS_MAX, OFFER_BYTES))


@jit.compiled()
def put_cost(offer: Any, fees_address: int, side: int, taker: int) -> None:
    """What a lot at the offer's price costs on this side."""
    fees = fees_at(fees_address)
    rate, per_lot = fees.maker_rate, fees.maker_per_lot
    if taker != 0:
        rate, per_lot = fees.taker_rate, fees.taker_per_lot
    value = abs(offer.price)
    # Value times rate in two steps that fit an int64; per_lot counts millionths.
    small = value % ONE * rate + per_lot * 1_000
    offer.cost = (offer.price if side == BUY else -offer.price) + value // ONE * rate + small // ONE
    offer.rest = small % ONE


@jit.compiled("int64(int64, int64, int64)")
def still_there(shown: int, life: int, latency: int) -> int:
    """What of a level is expected to stand when we arrive; all of it where nothing is known."""
    if life <= 0 or latency <= 0:
        return shown
    return part_of(shown, share_of(life, life + latency))


@jit.compiled("int64(int64, int64, int64)")
def expected_hidden(shown: int, printed: int, hidden: int) -> int:
    """What is expected beyond what the best level shows, from what was printed beyond of late."""
    open_part = printed - hidden
    if hidden <= 0 or shown <= 0:
        return 0
    return shown if hidden >= open_part else part_of(shown, share_of(hidden, open_part))


@jit.compiled("int64(int64, int64)")
def fill_weight(printed: int, ahead: int) -> int:
    """How likely standing is filled: what prints there for each lot that is before us."""
    printed = min(max(printed, 0), PRINTED_MAX) + 1
    return max(1, (printed << _WEIGHT_BITS) // (max(ahead, 0) + 1))


@jit.inlined
def is_cheaper(one: Any, other: Any) -> bool:
    """By cost; at the same cost whoever is unknown yet, or nearer, or first in the table."""
    if one.cost != other.cost:
        return one.cost < other.cost
    if one.rest != other.rest:
        return one.rest < other.rest
    return one.latency < other.latency


@jit.compiled("int64(int64, int64, int64)")
def take_cheapest(rows: int, count: int, lots: int) -> int:
    """Lay `lots` onto the cheapest offers: how many found a place."""
    for n in range(count):
        offer_of(rows, n).take = 0
    placed = 0
    while placed < lots:
        best = -1
        for n in range(count):
            offer = offer_of(rows, n)
            free = offer.take == 0 and offer.available > 0
            if free and (best < 0 or is_cheaper(offer, offer_of(rows, best))):
                best = n
        if best < 0:
            break
        chosen = offer_of(rows, best)
        chosen.take = min(chosen.available, lots - placed)
        placed += chosen.take
    return placed


@jit.compiled("int64(int64, int64, int64, int64)")
def split(rows: int, count: int, lots: int, clip: int) -> int:
    """Lay `lots` onto the offers by weight, in clips; what is over goes to the heaviest."""
    total, heaviest = 0, -1
    for n in range(count):
        offer = offer_of(rows, n)
        offer.take = 0
        total += offer.weight
        if heaviest < 0 or offer.weight > offer_of(rows, heaviest).weight:
            heaviest = n
    if heaviest < 0 or lots <= 0:
        return 0
    placed = 0
    for n in range(count):
        offer = offer_of(rows, n)
        share = part_of(lots, share_of(offer.weight, total))
        offer.take = share - share % max(1, clip)
        placed += offer.take
    offer_of(rows, heaviest).take += lots - placed
    return lots


@jit.compiled()
def worth_standing(offer: Any, cost: int, rest: int) -> float:
    """What a lot saves there against taking at this cost, times how likely it is filled."""
    saved = float(cost - offer.cost) + float(rest - offer.rest) / ONE
    return saved * float(offer.weight)
