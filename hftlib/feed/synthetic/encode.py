"""Frames of ITCH 5.0, written where the market's `out` points: length, then the message.

One function a message type, big-endian as in the protocol; every field not named is zero or its
letter for "nothing special". Worst case: the caller kept `FRAME_BYTES_MAX` of room free.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit
from hftlib.feed.synthetic.memory import TICK

FRAME_BYTES_MAX = 52
# Who signs attributed orders; four letters as a number.
_SIGNED = int.from_bytes(b"HFTL", "big")
_BUY = 1


@jit.compiled()
def _begun(market: Any, kind: int, locate: int, length: int) -> int:
    """The frame's length and the message's header; the address of its body."""
    frame = market.out
    jit.store_be_u16(frame, length)
    jit.store_u8(frame + 2, kind)
    jit.store_be_u16(frame + 3, locate)
    jit.store_be_u16(frame + 5, 0)
    jit.store_be_u48(frame + 7, market.now)
    market.out = frame + 2 + length
    return frame + 13


@jit.compiled()
def system_event(market: Any, event: int) -> None:
    body = _begun(market, ord("S"), 0, 12)
    jit.store_u8(body, event)


@jit.compiled()
def circuit_breaker_levels(market: Any, level_1: int, level_2: int, level_3: int) -> None:
    body = _begun(market, ord("V"), 0, 35)
    jit.store_be_i64(body, level_1)
    jit.store_be_i64(body + 8, level_2)
    jit.store_be_i64(body + 16, level_3)


@jit.compiled()
def directory(market: Any, stock: Any) -> None:
    """A common stock of tier 1 in good standing, and that its short sales are not restricted."""
    body = _begun(market, ord("R"), stock.locate, 39)
    jit.store_be_i64(body, stock.name)
    jit.store_u8(body + 8, ord("Q"))
    jit.store_u8(body + 9, ord("N"))
    jit.store_be_u32(body + 10, stock.round_lot)
    jit.store_u8(body + 14, ord("N"))
    jit.store_u8(body + 15, ord("C"))
    jit.store_be_u16(body + 16, (ord("Z") << 8) + ord(" "))
    jit.store_u8(body + 18, ord("T"))  # a test symbol's letter: this market is none of the real
    jit.store_u8(body + 19, ord("N"))
    jit.store_u8(body + 20, ord("N"))
    jit.store_u8(body + 21, ord("1"))
    jit.store_u8(body + 22, ord("N"))
    jit.store_be_u32(body + 23, 0)
    jit.store_u8(body + 27, ord("N"))
    body = _begun(market, ord("Y"), stock.locate, 20)
    jit.store_be_i64(body, stock.name)
    jit.store_u8(body + 8, ord("0"))


@jit.compiled()
def trading_action(market: Any, stock: Any, state: int, reason: int) -> None:
    body = _begun(market, ord("H"), stock.locate, 25)
    jit.store_be_i64(body, stock.name)
    jit.store_u8(body + 8, state)
    jit.store_u8(body + 9, ord(" "))
    jit.store_be_u32(body + 10, reason)


@jit.compiled()
def add(market: Any, stock: Any, order: Any, signed: int) -> None:
    body = _begun(market, ord("F") if signed else ord("A"), stock.locate, 40 if signed else 36)
    jit.store_be_i64(body, order.reference)
    jit.store_u8(body + 8, ord("B") if order.side == _BUY else ord("S"))
    jit.store_be_u32(body + 9, order.quantity)
    jit.store_be_i64(body + 13, stock.name)
    jit.store_be_u32(body + 21, (stock.first_tick + order.level) * TICK)
    if signed:
        jit.store_be_u32(body + 25, _SIGNED)


@jit.compiled()
def execute(market: Any, stock: Any, order: Any, quantity: int) -> None:
    body = _begun(market, ord("E"), stock.locate, 31)
    jit.store_be_i64(body, order.reference)
    jit.store_be_u32(body + 8, quantity)
    market.matches += 1
    jit.store_be_i64(body + 12, market.matches)


@jit.compiled()
def execute_in_cross(market: Any, stock: Any, order: Any, quantity: int, price: int) -> None:
    """At the cross's price and match number, and not printable: the cross prints the volume."""
    body = _begun(market, ord("C"), stock.locate, 36)
    jit.store_be_i64(body, order.reference)
    jit.store_be_u32(body + 8, quantity)
    jit.store_be_i64(body + 12, market.matches)
    jit.store_u8(body + 20, ord("N"))
    jit.store_be_u32(body + 21, price)


@jit.compiled()
def cancel(market: Any, stock: Any, order: Any, quantity: int) -> None:
    body = _begun(market, ord("X"), stock.locate, 23)
    jit.store_be_i64(body, order.reference)
    jit.store_be_u32(body + 8, quantity)


@jit.compiled()
def delete(market: Any, stock: Any, reference: int) -> None:
    body = _begun(market, ord("D"), stock.locate, 19)
    jit.store_be_i64(body, reference)


@jit.compiled()
def replace(market: Any, stock: Any, reference: int, order: Any) -> None:
    body = _begun(market, ord("U"), stock.locate, 35)
    jit.store_be_i64(body, reference)
    jit.store_be_i64(body + 8, order.reference)
    jit.store_be_u32(body + 16, order.quantity)
    jit.store_be_u32(body + 20, (stock.first_tick + order.level) * TICK)


@jit.compiled()
def hidden_trade(market: Any, stock: Any, quantity: int, price: int) -> None:
    """Against an order nobody saw: it has no number, and its side is always shown as buy."""
    body = _begun(market, ord("P"), stock.locate, 44)
    jit.store_be_i64(body, 0)
    jit.store_u8(body + 8, ord("B"))
    jit.store_be_u32(body + 9, quantity)
    jit.store_be_i64(body + 13, stock.name)
    jit.store_be_u32(body + 21, price)
    market.matches += 1
    jit.store_be_i64(body + 25, market.matches)


@jit.compiled()
def cross(market: Any, stock: Any, quantity: int, price: int, kind: int) -> None:
    body = _begun(market, ord("Q"), stock.locate, 40)
    jit.store_be_i64(body, quantity)
    jit.store_be_i64(body + 8, stock.name)
    jit.store_be_u32(body + 16, price)
    jit.store_be_i64(body + 20, market.matches)
    jit.store_u8(body + 28, kind)


@jit.compiled()
def imbalance(market: Any, stock: Any, price: int, kind: int) -> None:
    body = _begun(market, ord("I"), stock.locate, 50)
    shares = stock.imbalance
    jit.store_be_i64(body, stock.paired)
    jit.store_be_i64(body + 8, abs(shares))
    jit.store_u8(body + 16, ord("B") if shares > 0 else ord("S") if shares < 0 else ord("N"))
    jit.store_be_i64(body + 17, stock.name)
    jit.store_be_u32(body + 25, price)
    jit.store_be_u32(body + 29, price)
    jit.store_be_u32(body + 33, price)
    jit.store_u8(body + 37, kind)
    jit.store_u8(body + 38, ord("L"))
