"""What a route may choose from: the levels it could take, and the places where it could stand.

    offers_to_take   a row for each level of each venue, best first, as far as the limit goes
    offers_to_stand  a row for each venue, at its own best price

What was tried of a best price counts as gone while that price stands, for TRIED_NS at most: a feed
shows only later that it was taken, and a recorded one never.
Worst case: LEGS_MAX venues, LEVELS_MAX levels each; what lies behind is not seen.
"""

from __future__ import annotations

from typing import Any

from hftlib.book import reading
from hftlib.book.reading import NO_PRICE
from hftlib.core import jit
from hftlib.core.events import BUY, SELL
from hftlib.core.fees import FEES_BYTES
from hftlib.core.parents import LEGS_MAX
from hftlib.engine.children import MS
from hftlib.engine.memory import books_base, execution_base, market_of
from hftlib.engine.places import is_usable
from hftlib.engine.working import within
from hftlib.execution.memory import execution_at
from hftlib.execution.parents import place_of
from hftlib.execution.routing import (
    LEVELS_MAX,
    expected_hidden,
    fill_weight,
    offer_of,
    put_cost,
    still_there,
)

TRIED_NS = 1000 * MS


@jit.compiled()
def note_tried(base: int, side: int, instrument: int, lots: int, time: int) -> None:
    place = place_of(execution_base(base), instrument)
    lots = max(0, lots + _gone(base, side, instrument, time))
    market = market_of(base, instrument)
    place.tried_price[2 - side] = market.ask if side == BUY else market.bid
    place.tried[2 - side] = lots
    place.tried_time[2 - side] = time


@jit.inlined
def _gone(base: int, side: int, instrument: int, time: int) -> int:
    """Lots that we have tried to take from the best price that still stands."""
    place, market = place_of(execution_base(base), instrument), market_of(base, instrument)
    best = market.ask if side == BUY else market.bid
    same = place.tried_price[2 - side] == best and time - place.tried_time[2 - side] < TRIED_NS
    return place.tried[2 - side] if same else 0


@jit.compiled()
def offers_to_take(base: int, parent: Any, rows: int, time: int) -> int:
    """A row for each level of each venue that may be taken: how many."""
    execution, books = execution_base(base), books_base(base)
    side = SELL if parent.side == BUY else BUY
    fees = execution + execution_at(execution).fees_at
    count, venues, instrument = 0, 0, parent.instrument
    while venues < LEGS_MAX:
        place = place_of(execution, instrument)
        level = 0
        if is_usable(base, instrument, time):
            level = reading.best_level(books, instrument, side)
        else:
            _come_back(parent, place, time)
        gone, n = _gone(base, parent.side, instrument, time), 0
        life = place.ask_life if side == SELL else place.bid_life
        while level != 0 and n < LEVELS_MAX:
            price = reading.level_price(books, side, level)
            if within(price, parent.limit, parent.side) != price:
                break
            shown = reading.level_quantity(books, level)
            used = min(gone, shown)
            gone -= used
            offer = offer_of(rows, count)
            offer.instrument, offer.price, offer.weight = instrument, price, 0
            offer.latency = place.latency
            offer.available = still_there(shown - used, life, place.latency)
            if n == 0:
                offer.available += expected_hidden(shown - used, place.printed, place.hidden)
            put_cost(offer, fees + instrument * FEES_BYTES, parent.side, 1)
            count += 1
            n += 1
            level = reading.worse_level(books, instrument, side, level)
        venues += 1
        instrument = place.peer
        if instrument == parent.instrument:
            break
    return count


@jit.inlined
def _come_back(parent: Any, place: Any, time: int) -> None:
    if place.down_until > time:
        parent.next = min(parent.next, place.down_until)


@jit.compiled()
def offers_to_stand(base: int, parent: Any, rows: int, time: int) -> int:
    """A row for each venue at which it may stand: how many."""
    execution = execution_base(base)
    fees = execution + execution_at(execution).fees_at
    count, venues, instrument = 0, 0, parent.instrument
    while venues < LEGS_MAX:
        place, market = place_of(execution, instrument), market_of(base, instrument)
        buys = parent.side == BUY
        near = market.bid if buys else market.ask
        if not is_usable(base, instrument, time):
            _come_back(parent, place, time)
        elif near != NO_PRICE:
            offer = offer_of(rows, count)
            offer.instrument, offer.available = instrument, 0
            offer.price = within(near, parent.limit, parent.side)
            offer.latency = place.latency
            ahead = market.bid_quantity if buys else market.ask_quantity
            offer.weight = fill_weight(place.printed, ahead)
            put_cost(offer, fees + instrument * FEES_BYTES, parent.side, 0)
            count += 1
        venues += 1
        instrument = place.peer
        if instrument == parent.instrument:
            break
    return count
