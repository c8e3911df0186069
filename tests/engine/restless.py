"""A strategy for duels: it does something else at every call, by a hash of what it sees."""

from __future__ import annotations

from typing import Any

from hftlib.core import jit, orders
from hftlib.core.events import BUY, SELL
from hftlib.core.numbers import EACH
from hftlib.strategy.abi import (
    CONTEXT,
    ENTRY,
    MARKET,
    MARKET_BYTES,
    ON_BOOK,
    ON_FILL,
    ON_ORDER,
    ON_START,
    ON_TIMER,
    ON_TRADE,
    STATE,
)
from hftlib.strategy.context import service

_context_at, _market_at = jit.record_at(CONTEXT), jit.record_at(MARKET)
_submit = service("submit")
_cancel = service("cancel")
_cancel_all = service("cancel_all")
_replace = service("replace")
_quote = service("quote")
_timer = service("timer")
_EMPTY = -(2**60)


@jit.compiled()
def _drawn(seed: int) -> int:
    """Some 16 bits that hang on all of the seed, the same in any mode."""
    bits = seed & 0x7FFF_FFFF
    for _ in range(3):
        bits = (bits * 1_103_515_245 + 12_345) & 0x7FFF_FFFF
        bits ^= bits >> 11
    return bits & 0xFFFF


@jit.callback(ENTRY)
def restless(what: int, state: int, context: int, i: int, argument: int) -> int:
    here = _context_at(context)
    draw = _drawn(here.time + 7 * what + 31 * i + 1013 * here.strategy)
    if what in (ON_START, ON_TIMER):
        _timer(context, 1_000_000 * (1 + draw % 50), draw % 3)
        i = draw % here.instruments
    elif draw % 16 != 0:
        return 0
    market = _market_at(context + here.markets_at + i * MARKET_BYTES)
    if market.bid == _EMPTY or market.ask == _EMPTY:
        return 0
    side = BUY if draw & 64 else SELL
    passive = market.bid if side == BUY else market.ask
    other = market.ask if side == BUY else market.bid
    act = draw % 11
    known = draw % 200 + here.strategy * EACH  # most are over, or never were
    if act < 3:
        price = passive + market.tick * (draw % 5 - 2)
        lasts = orders.DAY + (draw >> 8) % 3
        _submit(
            context, i, side, float(price), 1 + draw % 300,
            orders.LIMIT, lasts, (draw >> 7) & 1, 50 * (draw % 2), 0.0,
        )  # fmt: skip
    elif act == 3:
        _submit(
            context, i, side, 0.0, 1 + draw % 100,
            orders.MARKET, orders.DAY, 0, 0, 0.0,
        )  # fmt: skip
    elif act == 4:
        _submit(
            context, i, side, float(other), 1 + draw % 100,
            orders.STOP, orders.DAY, 0, 0, float(other),
        )  # fmt: skip
    elif act < 7:
        _cancel(context, known)
    elif act == 7:
        _replace(context, known, float(passive), 1 + draw % 300)
    elif act == 8 and draw % 5 == 0:
        _cancel_all(context, -1)
    else:
        away = market.tick * (draw % 3)
        _quote(
            context, i, float(market.bid - away),
            float(market.ask + away), 100, 100, orders.POST_ONLY * (draw & 1),
        )  # fmt: skip
    return 0


class Restless:
    """What the engine needs of a strategy, around that callback; deaf to those in `without`."""

    name, parameters, digest, state_dtype = "Restless", dict[str, Any](), "0", STATE
    handles = sum(1 << n for n in (ON_START, ON_BOOK, ON_TIMER, ON_TRADE, ON_ORDER, ON_FILL))

    def __init__(self, without: tuple[int, ...] = ()) -> None:
        self.handles &= ~sum(1 << n for n in without)

    def lay(self, place: Any) -> None:
        """Nothing but zeros."""

    def entry(self, compiled: bool = True) -> int:
        return restless.address

    def explain(self, fault: int) -> str:
        return f"fault {fault}"
