"""What is behind the doors: the parts of a venue, each as a function with an address.

Worst case: as each part says; this file only gives them addresses.
"""

from __future__ import annotations

from hftlib.book.apply import apply_event
from hftlib.core import jit
from hftlib.venue.fifo import match_fifo
from hftlib.venue.own_matching import match_all, match_event
from hftlib.venue.standing import end_now, fill_now, place_now
from hftlib.venue.trading import trade_now


@jit.callback("int64(int64, int64, int64, int64, int64)")
def _fill(address: int, number: int, quantity: int, price: int, time: int) -> int:
    return fill_now(address, number, quantity, price, time)


@jit.callback("int64(int64, int64, int64, int64)")
def _end(address: int, number: int, time: int, reason: int) -> int:
    return end_now(address, number, time, reason)


@jit.callback("int64(int64, int64, int64)")
def _place(address: int, number: int, time: int) -> int:
    return place_now(address, number, time)


@jit.callback("int64(int64, int64, int64)")
def _trade(address: int, number: int, time: int) -> int:
    return trade_now(address, number, time)


@jit.callback("int64(int64, int64)")
def _apply(base: int, event_address: int) -> int:
    return apply_event(base, event_address)


@jit.callback("int64(int64, int64)")
def _busy(address: int, event_address: int) -> int:
    return match_event(address, event_address)


@jit.callback("int64(int64, int64)")
def _all(address: int, event_address: int) -> int:
    return match_all(address, event_address)


@jit.callback("int64(int64, int64)")
def _fifo(address: int, event_address: int) -> int:
    return match_fifo(address, event_address)


BEHIND = {
    "call_fill": _fill,
    "call_end": _end,
    "call_place": _place,
    "call_trade": _trade,
    "call_apply": _apply,
    "call_busy": _busy,
    "call_all": _all,
    "call_fifo": _fifo,
}
