"""The loop: whatever is due next happens, and its frames are written, until the room is used up.

Worst case: one turn writes a frame for each order of a stock; that much room is kept free.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit
from hftlib.feed.synthetic.arrivals import (
    STIRRED,
    acted,
    die_away,
    draw_next,
    due_of,
    earliest,
    excite,
    settle,
)
from hftlib.feed.synthetic.chance import draw, heavy, waiting
from hftlib.feed.synthetic.encode import FRAME_BYTES_MAX
from hftlib.feed.synthetic.memory import (
    GATHERING,
    ORDERS,
    STEP_BYTES,
    STOCK_BYTES,
    market_at,
    step_at,
    stock_at,
)
from hftlib.feed.synthetic.steps import do_step
from hftlib.feed.synthetic.traders import act, move_value

TURN_BYTES_MAX = (ORDERS + 16) * FRAME_BYTES_MAX


@jit.compiled("int64(int64, int64, int64)")
def generate(market_address: int, out: int, room_bytes: int) -> int:
    """Write frames to `out` while a whole turn fits; how many bytes. Less than a turn: the end."""
    market = market_at(market_address)
    market.out = out
    last = out + room_bytes - TURN_BYTES_MAX
    while market.out <= last and market.steps_done < market.steps:
        step = step_at(market.steps_at + market.steps_done * STEP_BYTES)
        index = earliest(market)
        due = due_of(market, index)
        if step.time <= min(due, market.news_due):
            market.steps_done += 1
            do_step(market, step)
        elif market.news_due <= due:
            _news(market)
        else:
            _action(market, index, due)
    return market.out - out


@jit.compiled()
def _action(market: Any, index: int, due: int) -> None:
    stock = stock_at(market.stocks_at + index * STOCK_BYTES)
    market.now = max(market.now, due)
    die_away(market, stock)
    act(market, stock)
    acted(stock)
    draw_next(market, stock)
    settle(market, index)


@jit.compiled()
def _news(market: Any) -> None:
    """All stocks move together and become busy: the common factor of the market."""
    market.now = max(market.now, market.news_due)
    wait = waiting(market.tables_at, market.at)
    market.news_due = market.now + ((wait * (market.news_gap_ns >> 4)) >> 20)
    size = heavy(market.at, 16) * 12
    if draw(market.at) & 1:
        size = -size
    for index in range(market.stocks):
        stock = stock_at(market.stocks_at + index * STOCK_BYTES)
        if stock.phase >= GATHERING:
            move_value(stock, (size * stock.spread * stock.beta) >> 8)
            die_away(market, stock)
            for scale in STIRRED:
                excite(stock, scale, stock.stirred)
            draw_next(market, stock)
            settle(market, index)
