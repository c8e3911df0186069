"""The other way through a translator: seldom messages, first sights, and whatever is odd.

Here a branch costs nothing that matters, so each message type says in its own line what its event
is. The stock locates and symbols are learned here too.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.core import events, jit
from hftlib.core.events import EVENT
from hftlib.core.jit import load_be_i64, load_be_u16, load_be_u32, load_be_u48, load_u8
from hftlib.feed.itch.tables import (
    DAY_NS,
    LOCATES,
    LOCATES_AT,
    PLAN_BYTES,
    PLANS_AT,
    PRICE_MAX,
    ROWS_AT,
    SYMBOL_WORDS,
    SYMBOLS_AT,
    TYPES_AT,
    UNNAMED,
    UNSEEN,
    counts_at,
    numbers_at,
    plan_at,
    translator_at,
)

_event_at = jit.record_at(EVENT)
_names_at = jit.array_at(np.dtype(np.int64))

_A, _B, _C, _D, _E, _F = (ord(letter) for letter in "ABCDEF")
_H, _I, _P, _Q, _R, _S, _U, _X, _N = (ord(letter) for letter in "HIPQRSUXN")
_NO_STOCK = 0
SESSION_CODES = np.array([ord(letter) for letter in "OSQMEC"], np.int64)
# Where a message names its stock, by type; 0 where it names none.
STOCK_AT = np.zeros(256, np.int64)
for _letters, _place in (("RHYKJhQNO", 11), ("L", 15), ("AFP", 24), ("I", 28)):
    for _letter in _letters:
        STOCK_AT[ord(_letter)] = 19 if _letter == "Q" else _place


@jit.compiled("void(int64, int64, int64, int64)")
def seldom(translator_address: int, message: int, length: int, target: int) -> None:
    """Make the event of any message, `length` bytes of which can be read; length is at least 1."""
    translator = translator_at(translator_address)
    kind_byte = load_u8(message)
    wanted = plan_at(translator_address + PLANS_AT + kind_byte * PLAN_BYTES).length
    counts_at(translator_address + TYPES_AT, 256)[kind_byte] += 1
    blank(translator, target)
    translator.sequence += 1
    event = _event_at(target)
    if length != wanted:
        reason = events.WRONG_LENGTH if wanted else events.UNKNOWN_TYPE
        _refuse(translator, target, reason, kind_byte, length)
        return
    time = load_be_u48(message + 5)
    if time >= DAY_NS:
        _refuse(translator, target, events.WRONG_TIME, kind_byte, length)
        return
    event.time = translator.midnight + time
    translator.latest = event.time
    event.instrument = _row(translator_address, message)
    if kind_byte in (_A, _F, _E, _C, _X, _D, _U, _P):
        _order(translator, message, length, target)
    else:
        _statement(message, target)
        if kind_byte == _S:
            _session(translator, load_u8(message + 11), event.time)


@jit.compiled()
def blank(translator: Any, target: int) -> None:
    """An event of zeros but for its stamps."""
    for offset in range(0, 64, 8):
        jit.store_i64(target + offset, 0)
    event = _event_at(target)
    # What cannot be read stands at the last time that could: a wrong one would misplace it.
    event.time = translator.latest
    event.received = translator.received
    event.sequence = translator.sequence
    event.instrument = events.ALL


@jit.compiled()
def _refuse(translator: Any, target: int, reason: int, kind_byte: int, length: int) -> None:
    event = _event_at(target)
    translator.unreadable += 1
    event.kind = events.UNREADABLE
    event.reference = reason
    event.other = kind_byte
    event.quantity = length
    event.price = 0
    event.side = 0
    event.flags = 0


@jit.compiled()
def _order(translator: Any, message: int, length: int, target: int) -> None:
    """The message types of the short way, read one by one, and C."""
    event = _event_at(target)
    kind_byte = load_u8(message)
    event.reference = load_be_i64(message + 11)
    if kind_byte in (_A, _F, _P):
        side = load_u8(message + 19)
        event.kind = events.TRADE if kind_byte == _P else events.ADD
        event.side = events.BUY if side == _B else events.SELL
        event.quantity = load_be_u32(message + 20)
        event.price = load_be_u32(message + 32)
        event.other = load_be_i64(message + 36) if kind_byte == _P else 0
        event.flags = events.ATTRIBUTED if kind_byte == _F else 0
        if side not in (_B, _S):
            _refuse(translator, target, events.WRONG_SIDE, kind_byte, length)
    elif kind_byte in (_E, _C):
        event.kind = events.EXECUTE
        event.quantity = load_be_u32(message + 19)
        event.other = load_be_i64(message + 23)
        if kind_byte == _C:
            event.price = load_be_u32(message + 32)
            event.flags = events.NOT_PRINTABLE if load_u8(message + 31) == _N else 0
    elif kind_byte == _X:
        event.kind = events.CANCEL
        event.quantity = load_be_u32(message + 19)
    elif kind_byte == _D:
        event.kind = events.DELETE
    else:
        event.kind = events.REPLACE
        event.other = load_be_i64(message + 19)
        event.quantity = load_be_u32(message + 27)
        event.price = load_be_u32(message + 31)
    if event.price > PRICE_MAX and event.kind != events.UNREADABLE:
        _refuse(translator, target, events.WRONG_PRICE, kind_byte, length)


@jit.compiled()
def _statement(message: int, target: int) -> None:
    """What the venue says about a stock or the day, rather than about an order."""
    event = _event_at(target)
    kind_byte = load_u8(message)
    event.kind = events.NOTICE
    event.reference = kind_byte
    if kind_byte == _S:
        event.kind = events.SESSION
        event.reference = load_u8(message + 11)
    elif kind_byte == _H:
        event.kind = events.STATUS
        event.reference = load_u8(message + 19)
        event.other = load_be_u32(message + 21)
    elif kind_byte == _Q:
        event.kind = events.CROSS
        event.reference = load_u8(message + 39)
        event.other = load_be_i64(message + 31)
        event.price = load_be_u32(message + 27)
        event.quantity = load_be_i64(message + 11)
    elif kind_byte == _B:
        event.kind = events.BREAK
        event.reference = 0
        event.other = load_be_i64(message + 11)
    elif kind_byte == _I:
        event.kind = events.IMBALANCE
        direction = load_u8(message + 27)
        event.side = events.BUY if direction == _B else 0
        event.side = events.SELL if direction == _S else event.side
        event.quantity = load_be_i64(message + 11)
        event.reference = load_be_i64(message + 19)
        event.other = load_be_i64(message + 36)  # far and near price lie side by side
        event.price = load_be_u32(message + 44)


@jit.compiled()
def _session(translator: Any, what: int, time: int) -> None:
    """Keep when the venue opened and closed: the phases of the day."""
    for n in range(len(SESSION_CODES)):
        if what == SESSION_CODES[n]:
            translator.said[n] = time
            translator.told += 1


@jit.compiled()
def _row(translator_address: int, message: int) -> int:
    """The row of the message's locate, and what the message tells about it."""
    translator = translator_at(translator_address)
    rows = numbers_at(translator_address + ROWS_AT, LOCATES)
    kind_byte = load_u8(message)
    locate = load_be_u16(message + 1)
    stock_at = STOCK_AT[kind_byte]
    if rows[locate] == UNSEEN:
        if locate == 0 and stock_at == _NO_STOCK:
            return events.ALL
        numbers_at(translator_address + LOCATES_AT, LOCATES)[translator.rows] = locate
        rows[locate] = UNNAMED - translator.rows
        translator.rows += 1
        translator.told += 1
    if stock_at != _NO_STOCK:
        _learn(translator_address, locate, message, message + stock_at)
    row = rows[locate]
    return row if row >= 0 else UNNAMED - row


@jit.compiled()
def _learn(translator_address: int, locate: int, message: int, stock: int) -> None:
    translator = translator_at(translator_address)
    rows = numbers_at(translator_address + ROWS_AT, LOCATES)
    words = _names_at(translator_address + SYMBOLS_AT, LOCATES * SYMBOL_WORDS)
    symbol = jit.load_i64(stock)
    if rows[locate] <= UNNAMED:
        rows[locate] = UNNAMED - rows[locate]
        words[SYMBOL_WORDS * locate] = symbol
        translator.told += 1
    elif words[SYMBOL_WORDS * locate] != symbol:
        translator.strangers += 1
    if load_u8(message) == _R and words[SYMBOL_WORDS * locate + 1] != load_be_u32(message + 21):
        words[SYMBOL_WORDS * locate + 1] = load_be_u32(message + 21)
        translator.told += 1
