"""Parent orders at one venue: what is due by now, at which price, and the children that make it so.

    due    how much shall be filled by now: slices of the time, a curve, a share of the volume, all
    late   whether `patience` has passed since it was first behind what was due
    price  passive: our side's best; late: the other side's best; a peg or an iceberg: its own

**Urgency.** What becomes due is first posted at our side's best price, and moved with it. Once the
parent has been behind for `patience`, its children are moved to the other side's best, where they
trade; when it has caught up, the next ones are posted again. With FINISH that is so for all that is
left from `patience` before the end, and beyond it until all is filled. No child goes beyond the
limit.

**Catching up.** What an earlier slice left is due as well, and is sent with the next at the latest.
Children are whole clips until all is due. A child that stands keeps its place in the queue: what
becomes due later is another child beside it.

Nothing new is sent while the instrument does not trade, its book may be wrong, no session takes
orders or the firm is held: the parent waits; a session that opens wakes it (`parents.wake_all`).
Worst case: LEGS_MAX children looked at, each time something happens in its instrument.
"""

from __future__ import annotations

from typing import Any

from hftlib.book.reading import NO_PRICE
from hftlib.core import jit
from hftlib.core.events import BUY, TRADING
from hftlib.core.orders import DAY
from hftlib.core.parents import (
    FINISH,
    FOREVER,
    ICEBERG,
    IS,
    LEGS_MAX,
    MANUAL,
    MID,
    NO_LIMIT,
    OPPOSITE,
    PEG,
    POV,
    PRIMARY,
    SHOWN_BY_VENUE,
    TWAP,
    VWAP_CURVE,
)
from hftlib.engine.children import (
    free_leg,
    move_child,
    send_child,
)
from hftlib.engine.intents import NOT_A_PRICE, on_grid
from hftlib.engine.memory import execution_base, market_of, risk_base, session_at
from hftlib.execution.parents import (
    parent_of,
    parents_of,
    place_of,
    points_address,
    working,
)
from hftlib.execution.schedules import (
    curve_volume,
    front_loaded,
    of_volume,
    part_of,
    share_of,
    slice_begin,
    slice_of,
    slices_begun,
)
from hftlib.risk.memory import FIRM_ROW, rule_of, scope_of


@jit.compiled()
def work(base: int, slot: int) -> None:
    """Bring the children of a running parent to what its algorithm wants now."""
    execution = execution_base(base)
    parent = parent_of(execution, slot)
    time = session_at(base).time
    if parent.algo == MANUAL:
        return
    market = market_of(base, parent.instrument)
    parent.due = _due(base, parent, market, time)
    if not may_trade(base, parent.instrument):
        return
    late = is_late(parent, time)
    price = _price(parent, market, late)
    if price == NOT_A_PRICE:
        return
    moved = False
    for number in range(LEGS_MAX):
        moved = move_child(base, slot, number, price) or moved
    if moved:
        parent.moved = time
    _send_due(base, slot, parent, price, time)


@jit.inlined
def may_trade(base: int, instrument: int) -> bool:
    """Else a parent waits, as a quote does, and nothing is refused."""
    market = market_of(base, instrument)
    trades = market.stale == 0 and (market.state == 0 or market.state == TRADING)
    return trades and takes_orders(base, instrument)


@jit.inlined
def takes_orders(base: int, instrument: int) -> bool:
    """Whether its venue takes orders, and the firm is not held, as before the open."""
    here = risk_base(base)
    return rule_of(here, instrument).cut_off == 0 and scope_of(here, FIRM_ROW).held_from == 0


@jit.inlined
def _send_due(base: int, slot: int, parent: Any, price: int, time: int) -> None:
    out = working(execution_base(base), slot)
    lots = parent.due - parent.filled - out
    display = 0
    if parent.algo == ICEBERG:
        if parent.flags & SHOWN_BY_VENUE:
            display = parent.display
        elif out > parent.unknown:  # the part that shows is not gone yet
            return
    elif parent.due < parent.quantity:
        lots -= lots % parent.clip
    if lots <= 0:
        return
    if time < parent.retry:
        parent.next = min(parent.next, parent.retry)
        return
    leg = free_leg(base, slot)
    if leg >= 0:
        send_child(base, slot, leg, parent.instrument, float(price), lots, DAY, 0, display)


@jit.compiled()
def is_late(parent: Any, time: int) -> bool:
    """Whether it shall take now; else `next` is when that may be."""
    if parent.flags & FINISH:
        if time >= parent.end - parent.patience:
            return True
        parent.next = min(parent.next, parent.end - parent.patience)
    if parent.algo == ICEBERG or parent.algo == PEG or parent.worked != 0:
        return False
    if parent.filled + parent.unknown >= parent.due:
        parent.behind = FOREVER
        return False
    parent.behind = min(parent.behind, time)
    if time - parent.behind >= parent.patience:
        return True
    parent.next = min(parent.next, parent.behind + parent.patience)
    return False


@jit.compiled()
def _due(base: int, parent: Any, market: Any, time: int) -> int:
    """Lots that shall be filled by now."""
    if parent.flags & FINISH and time >= parent.end - parent.patience:
        return parent.quantity
    algo = parent.algo
    if algo == POV:
        others = market.volume - parent.volume_from
        if parents_of(execution_base(base)).own_prints != 0:
            others -= parent.filled
        return min(parent.quantity, of_volume(others, parent.rate))
    if algo == ICEBERG and parent.flags & SHOWN_BY_VENUE == 0:
        return min(parent.quantity, parent.filled + parent.unknown + parent.display)
    if algo != TWAP and algo != VWAP_CURVE and algo != IS:
        return parent.quantity
    duration, slices = parent.end - parent.begin, parent.slices
    begun = slices_begun(time - parent.begin, slices, duration, parent.jitter, parent.seed)
    if begun < slices:
        after = slice_begin(begun, slices, duration, parent.jitter, parent.seed)
        parent.next = min(parent.next, parent.begin + after)
    if begun >= slices or algo == TWAP:
        return slice_of(parent.quantity, begun, slices)
    reached = slice_of(duration, begun, slices)
    share = share_of(reached, duration)
    if algo == IS:
        return part_of(parent.quantity, front_loaded(share, parent.urgency))
    return part_of(parent.quantity, _curve_share(base, parent, reached, share))


@jit.inlined
def _curve_share(base: int, parent: Any, reached: int, straight: int) -> int:
    """Of the volume that the curve expects in its time, what it expects by then."""
    execution = execution_base(base)
    place = place_of(execution, parent.instrument)
    points = points_address(execution) + 8 * place.curve_at
    count, step, midnight = place.curve_count, place.curve_step, place.curve_from
    begin = curve_volume(points, count, step, midnight, parent.begin)
    whole = curve_volume(points, count, step, midnight, parent.end) - begin
    if whole <= 0:  # it expects nothing at all in this time
        return straight
    by_then = curve_volume(points, count, step, midnight, parent.begin + reached)
    return share_of(by_then - begin, whole)


@jit.compiled()
def within(price: int, limit: int, side: int) -> int:
    """The price, or the limit where that lies before it."""
    if limit == NO_LIMIT:
        return price
    return min(price, limit) if side == BUY else max(price, limit)


@jit.compiled()
def _price(parent: Any, market: Any, late: bool) -> int:
    """Where the children shall stand; NOT_A_PRICE: nowhere."""
    buys = parent.side == BUY
    near = market.bid if buys else market.ask
    far = market.ask if buys else market.bid
    toward = market.tick if buys else -market.tick
    price = near
    if late:
        price = far if far != NO_PRICE else near
    elif parent.algo == ICEBERG:
        return parent.limit
    elif parent.algo == PEG:
        price = _pegged(parent, market, near, far, toward)
    if price == NO_PRICE:
        return NOT_A_PRICE
    return within(price, parent.limit, parent.side)


@jit.inlined
def _pegged(parent: Any, market: Any, near: int, far: int, toward: int) -> int:
    """A peg's price. Ours and the middle stay before the other side's best: they never take."""
    if parent.peg == OPPOSITE:
        return far + parent.offset * toward if far != NO_PRICE else NO_PRICE
    price = near
    if parent.peg == MID:
        if near == NO_PRICE or far == NO_PRICE:
            return NO_PRICE
        price = on_grid(0.5 * (near + far), market.tick, parent.side)
    if price == NO_PRICE:
        return NO_PRICE
    price += parent.offset * toward
    if far != NO_PRICE:
        price = within(price, far - toward, parent.side)
    return price


assert PRIMARY == 1, "what is neither MID nor OPPOSITE stands at our side's best"
